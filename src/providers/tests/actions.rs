use crate::core::words::action::{Acted, Target};
use crate::kinds::action::*;
use crate::plan::keys::Need;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::{ActionRow, action as action_kind, actions};
use crate::testing::*;
use std::collections::HashSet;
use std::time::Duration;

const SECRETS: &[&str] = &["dr-db-admin", "primary-db-admin", "scaler-token", "edge-token"];

fn example_params(kind: &ActionRow) -> Params {
    step(kind.example).params
}

fn build_with(kind: &ActionRow, params: &Params, clients: &Clients) -> Box<dyn Action> {
    (kind.build)(params, clients).unwrap_or_else(|error| panic!("{}: {error}", kind.name))
}

#[test]
fn kinds_are_unique_and_documented() {
    let mut names = HashSet::new();
    for kind in actions() {
        assert!(names.insert(kind.name), "{} twice", kind.name);
        assert!(kind.doc.len() > 80 && kind.doc.ends_with('.'), "{}: {}", kind.name, kind.doc);
        assert!(kind.keys.iter().all(|key| !key.doc.is_empty()), "{}", kind.name);
        let proves = kind.verifies_with.is_none_or(|with| kind.keys.iter().any(|key| key.name == with));
        assert!(proves && !(kind.verifies && kind.verifies_with.is_some()), "{}", kind.name);
    }
}

#[test]
fn examples_are_complete_and_build() {
    for kind in actions() {
        assert_eq!(step(kind.example).action, kind.name);
        for key in kind.keys.iter().filter(|key| key.need == Need::Required) {
            let mut params = example_params(kind);
            params.0.shift_remove(key.name);
            if !matches!(key.takes, crate::plan::keys::Takes::List(_)) {
                assert!(
                    (kind.build)(&params, &clients(SECRETS)).is_err(),
                    "{} without {}",
                    kind.name,
                    key.name
                );
            }
        }
        build_with(kind, &example_params(kind), &clients(SECRETS));
    }
}

#[tokio::test]
async fn descriptions_and_cards_are_exact_and_hold_no_secret() {
    for kind in actions() {
        let mut params = example_params(kind);
        aim(&mut params, kind.keys, &dead_address());
        let action = build_with(kind, &params, &clients(SECRETS));
        let described = action.describe().await.unwrap_or_else(|failure| panic!("{}: {failure}", kind.name));
        assert!(!described.target.name.is_empty() && !described.target.kind.is_empty(), "{}", kind.name);
        assert!(!described.call.is_empty() && !described.command.is_empty(), "{}", kind.name);
        let card = action.manual();
        assert!(!card.instructions.is_empty() && !card.check.is_empty(), "{}", kind.name);
        assert!(!(kind.call)(&params).is_empty(), "{}", kind.name);
        let shown = format!("{described:?} {card:?} {}", (kind.call)(&params));
        assert!(!shown.contains(SECRET), "{}: {shown}", kind.name);
    }
}

#[tokio::test]
async fn the_target_is_the_server_that_is_typed_without_its_password() {
    let address = dead_address();
    for name in ["postgres-promote", "postgres-fence"] {
        let kind = action_kind(name).unwrap();
        let mut params = example_params(kind);
        aim(&mut params, kind.keys, &address);
        let described = build_with(kind, &params, &clients(SECRETS)).describe().await.unwrap();
        assert_eq!(described.target.name, address);
        assert!(!described.target.reachable);
    }
}

/// Kinds that reach a server.
fn remote() -> impl Iterator<Item = &'static ActionRow> {
    actions().filter(|kind| kind.keys.iter().any(|key| ["dsn", "url"].contains(&key.name)))
}

#[tokio::test]
async fn a_dead_server_fails_without_having_acted_and_is_never_proven() {
    for kind in remote() {
        let mut params = example_params(kind);
        aim(&mut params, kind.keys, &dead_address());
        let action = build_with(kind, &params, &clients(SECRETS));
        let (context, _) = context(2000);
        let target = action.describe().await.unwrap().target;
        let failure = action.execute(&target, &context).await.unwrap_err();
        assert_eq!(failure.acted, Acted::No, "{}", kind.name);
        assert!(failure.why.contains("refused") && !failure.next.is_empty(), "{}: {failure:?}", kind.name);
        assert!(!format!("{failure:?}").contains(SECRET), "{}", kind.name);
        action.verify(&target, &context).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_server_that_never_answers_fails_within_the_deadline() {
    for kind in remote() {
        let mut params = example_params(kind);
        aim(&mut params, kind.keys, &silent_address().await);
        let action = build_with(kind, &params, &clients(SECRETS));
        let (context, _) = context(1000);
        let target = Target {
            name: "x".into(),
            kind: "x".into(),
            identity: vec![("system identifier".into(), "1".into())],
            reachable: true,
        };
        let ran = tokio::time::timeout(Duration::from_secs(6), action.execute(&target, &context)).await;
        let failure = ran.unwrap_or_else(|_| panic!("{} hangs", kind.name)).unwrap_err();
        // A request that was sent may have been taken; a look that failed changed nothing.
        let acted = if kind.name == "http-request" { Acted::Maybe } else { Acted::No };
        assert_eq!(failure.acted, acted, "{}: {failure:?}", kind.name);
    }
}

#[tokio::test]
async fn fencing_what_cannot_be_reached_is_said_and_never_green() {
    let kind = action_kind("postgres-fence").unwrap();
    let mut params = example_params(kind);
    aim(&mut params, kind.keys, &dead_address());
    let action = build_with(kind, &params, &clients(SECRETS));
    let (context, _) = context(2000);
    let target = action.describe().await.unwrap().target;
    for failure in [
        action.execute(&target, &context).await.unwrap_err(),
        action.verify(&target, &context).await.unwrap_err(),
    ] {
        assert!(failure.why.contains("NOT fenced"), "{failure:?}");
        assert!(failure.next.contains("attest"), "{failure:?}");
    }
}

fn exec(table: &str, clients: &Clients) -> Box<dyn Action> {
    let head = "id = 'x'\ntitle = 'X'\naction = 'exec'\nconfirm = 'yes'\nverify = \"signals['dr-api'].state == 'ok'\"";
    let text = format!("[[runbooks.example.steps]]\n{head}\n[runbooks.example.steps.with]\n{table}");
    build_with(action_kind("exec").unwrap(), &step(&text).params, clients)
}

#[tokio::test]
async fn a_program_is_run_without_a_shell_with_allowed_variables_and_redacted_output() {
    let clients = clients(SECRETS);
    let action = exec(
        r#"
        target = "t"
        argv = ["sh", "-c", "echo $0 $TOKEN [$LIFEBOAT_SECRET_EDGE_TOKEN]; env | grep -c SECRET", "$HOME;x"]
        env.TOKEN = { secret = "scaler-token" }
        "#,
        &clients,
    );
    let (context, lines) = context(5000);
    let target = action.describe().await.unwrap().target;
    // `grep -c` exits with 1 when nothing matches: no other secret is in its environment.
    let failure = action.execute(&target, &context).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    assert_eq!(*lines.lock().unwrap(), ["$HOME;x [secret scaler-token] []", "0"]);
}

#[tokio::test]
async fn a_shell_is_used_only_when_asked_and_the_check_proves() {
    let folder = tempfile::tempdir().unwrap();
    let table = format!(
        "target = \"t\"\nshell = true\nfolder = \"{}\"\nargv = [\"echo done > made\"]\nverify_argv = [\"test -f made\"]",
        folder.path().display()
    );
    let action = exec(&table, &clients(&[]));
    let (context, _) = context(5000);
    let target = action.describe().await.unwrap().target;
    action.verify(&target, &context).await.unwrap_err();
    action.execute(&target, &context).await.unwrap();
    action.verify(&target, &context).await.unwrap();
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_and_may_have_acted() {
    let action = exec("target = \"t\"\nargv = [\"sleep\", \"60\"]", &clients(&[]));
    let (context, _) = context(300);
    let target = action.describe().await.unwrap().target;
    let failure = action.execute(&target, &context).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    assert!(failure.why.contains("did not end in time"), "{failure:?}");
}

mod http {
    use super::*;
    use crate::plan::params::Param;
    use wiremock::matchers::{body_string, header, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    fn action(server: &MockServer, clients: &Clients) -> Box<dyn Action> {
        let kind = action_kind("http-request").unwrap();
        let mut params = example_params(kind);
        aim(&mut params, kind.keys, &server.address().to_string());
        build_with(kind, &params, clients)
    }

    #[tokio::test]
    async fn it_is_sent_once_with_token_and_secret_and_proven_by_reading_back() {
        let server = MockServer::start().await;
        let sent = Mock::given(method("PUT"))
            .and(header("idempotency-key", "token-1"))
            .and(header("authorization", SECRET))
            .and(body_string(r#"{"enabled": true}"#))
            .respond_with(ResponseTemplate::new(200).set_body_string(format!("\x1b[31mok {SECRET}")))
            .expect(1);
        sent.mount(&server).await;
        let read = Mock::given(method("GET"));
        read.respond_with(ResponseTemplate::new(200).set_body_string(r#"{"enabled":true}"#))
            .mount(&server)
            .await;
        let clients = clients(SECRETS);
        let action = action(&server, &clients);
        let (context, lines) = context(5000);
        let target = action.describe().await.unwrap().target;
        action.execute(&target, &context).await.unwrap();
        action.verify(&target, &context).await.unwrap();
        let lines = lines.lock().unwrap().join("\n");
        assert!(!lines.contains(SECRET) && !lines.contains('\x1b'), "{lines}");
    }

    #[tokio::test]
    async fn a_failing_status_may_have_acted_and_is_not_sent_again() {
        let server = MockServer::start().await;
        let failing = Mock::given(method("PUT")).respond_with(ResponseTemplate::new(503)).expect(1);
        failing.mount(&server).await;
        let action = action(&server, &clients(SECRETS));
        let (context, _) = context(5000);
        let target = action.describe().await.unwrap().target;
        let failure = action.execute(&target, &context).await.unwrap_err();
        assert_eq!(failure.acted, Acted::Maybe);
        action.verify(&target, &context).await.unwrap_err();
    }

    /// The example, asked at the server for names that lead elsewhere.
    fn aimed(server: &MockServer, verify_url: &str) -> Box<dyn Action> {
        let kind = action_kind("http-request").unwrap();
        let mut params = example_params(kind);
        let keys = [
            ("url", "http://edge.example.com/api"),
            ("verify_url", verify_url),
            ("connect_to", &server.address().to_string()),
        ];
        params.0.extend(keys.map(|(key, value)| (key.to_owned(), Param::Text(value.to_owned()))));
        build_with(kind, &params, &clients(SECRETS))
    }

    #[tokio::test]
    async fn one_server_is_asked_and_read_back_for_a_name_that_points_at_another() {
        let server = MockServer::start().await;
        let named = || header("host", "edge.example.com");
        let sent = Mock::given(method("PUT")).and(named());
        sent.respond_with(ResponseTemplate::new(200)).expect(1).mount(&server).await;
        let read = Mock::given(method("GET")).and(named());
        let on = ResponseTemplate::new(200).set_body_string(r#"{"enabled":true}"#);
        read.respond_with(on).expect(1).mount(&server).await;
        let action = aimed(&server, "http://edge.example.com/state");
        let described = action.describe().await.unwrap();
        let place = server.address().to_string();
        assert!(described.call.contains(&format!("http://edge.example.com/api at {place}")), "{described:?}");
        assert!(described.command.contains(&format!("--connect-to ::{place}")), "{described:?}");
        // Another place is another target than the one that was confirmed.
        assert!(described.target.identity.contains(&("connect_to".to_owned(), place)), "{described:?}");
        let (context, _) = context(5000);
        action.execute(&described.target, &context).await.unwrap();
        action.verify(&described.target, &context).await.unwrap();
    }

    #[tokio::test]
    async fn the_proof_of_another_server_is_not_asked_at_the_place_to_connect_to() {
        let (server, other) = (MockServer::start().await, MockServer::start().await);
        let on = ResponseTemplate::new(200).set_body_string(r#"{"enabled":true}"#);
        Mock::given(method("GET")).respond_with(on).expect(1).mount(&other).await;
        let action = aimed(&server, &format!("http://{}/state", other.address()));
        let (context, _) = context(5000);
        let target = action.describe().await.unwrap().target;
        action.verify(&target, &context).await.unwrap();
        assert!(server.received_requests().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_proof_whose_body_cannot_be_read_says_why_and_proves_nothing() {
        let server = MockServer::start().await;
        let coded =
            ResponseTemplate::new(200).insert_header("content-encoding", "snappy").set_body_string("x");
        Mock::given(method("GET")).respond_with(coded).mount(&server).await;
        let action = action(&server, &clients(SECRETS));
        let (context, _) = context(5000);
        let target = action.describe().await.unwrap().target;
        let failure = action.verify(&target, &context).await.unwrap_err();
        assert!(failure.why.contains("the body is `snappy`, which is not read"), "{failure:?}");
    }
}
