use crate::base::problem::Problem;
use crate::core::words::reading::{Measurement, Verdict};
use crate::plan::keys::Need;
use crate::plan::params::Params;
use crate::plan::{Diagnostics, ProbeSpec};
use crate::providers::clients::Clients;
use crate::providers::{ProbeRow, probe as probe_kind, probes};
use crate::testing::*;
use std::collections::HashSet;
use std::time::{Duration, Instant};

const SECRETS: &[&str] = &["api-probe-token", "primary-db", "dr-db", "kafka-monitor"];

fn example_params(kind: &ProbeRow) -> Params {
    probe(kind.example).params
}

#[test]
fn kinds_are_unique_and_documented() {
    let mut names = HashSet::new();
    for kind in probes() {
        assert!(names.insert(kind.name), "{} twice", kind.name);
        assert!(kind.doc.len() > 80 && kind.doc.ends_with(['.', '`']), "{}: {}", kind.name, kind.doc);
        for key in kind.keys {
            assert!(!key.doc.is_empty(), "{}.{}", kind.name, key.name);
        }
        for (field, doc) in kind.fields {
            assert!(!doc.is_empty(), "{}: field {field}", kind.name);
        }
    }
}

#[test]
fn examples_are_complete_and_build() {
    for kind in probes() {
        assert_eq!(probe(kind.example).kind, kind.name);
        let spec = spec(kind.name, example_params(kind), 5000);
        (kind.build)(&spec, &clients(SECRETS)).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    }
}

#[tokio::test]
async fn a_kind_has_something_behind_its_signal_where_it_says_so() {
    for kind in probes() {
        let spec = spec(kind.name, example_params(kind), 5000);
        let probe = (kind.build)(&spec, &clients(SECRETS)).unwrap();
        assert_eq!(probe.diagnose().is_some(), kind.sees.has_diagnosis(), "{}", kind.name);
    }
}

/// The kind's example without the keys that `drops` names by their need.
fn without(kind: &ProbeRow, drops: impl Fn(Need) -> bool) -> Result<ProbeSpec, Diagnostics> {
    let mut file: toml::Table = kind.example.parse().unwrap();
    let table = file["probes"]["example"].as_table_mut().unwrap();
    table.retain(|name, _| !kind.keys.iter().any(|key| key.name == name && drops(key.need)));
    try_probe(&file.to_string())
}

#[test]
fn defaults_are_values_that_the_loader_takes() {
    let clients = clients(SECRETS);
    for kind in probes() {
        // A kind may need one of several keys that are optional by themselves.
        let bare = without(kind, |need| need != Need::Required)
            .or_else(|_| without(kind, |need| matches!(need, Need::Default(_))))
            .unwrap_or_else(|problems| panic!("{}: {problems}", kind.name));
        for key in kind.keys.iter().filter(|key| matches!(key.need, Need::Default(_))) {
            assert!(bare.params.get(key.name).is_some(), "{}.{}", kind.name, key.name);
        }
        (kind.build)(&bare, &clients).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    }
}

/// Keys of a kind, and the key in the last line that does not do.
const FAULTS: &[(&str, &str, &str)] = &[
    ("tcp", "address = \"db.example.com\"", "address"),
    ("tcp", "address = \"db.example.com:0\"", "address"),
    ("tcp", "address = \"db.example.com:70000\"", "address"),
    ("tcp", "address = \"::1:5432\"", "address"),
    ("tcp", "address = \"tcp://db.example.com:5432\"", "address"),
    ("tcp", "address = \"my host:80\"", "address"),
    ("tcp", "address = \"a..b:80\"", "address"),
    ("tcp", "address = \"10.0.0.256:80\"", "address"),
    ("http", "url = \"http://x/\"\ntls_roots = \"~/ca.pem\"", "tls_roots"),
    ("tcp", "address = \"0.0.0.0:80\"", "address"),
    ("tcp", "address = \"[::]:80\"", "address"),
    ("tcp", "address = \"255.255.255.255:80\"", "address"),
    ("tcp", "address = \"224.0.0.1:80\"", "address"),
    ("http", "url = \"http://x/\"\nconnect_to = \"0.0.0.0:443\"", "connect_to"),
    ("http", "url = \"http://x/\"\nconnect_to = \"[::]:443\"", "connect_to"),
    ("http", "url = \"http://x/\"\njson_pointer = \"/a~2b\"", "json_pointer"),
    ("http", "url = \"http://x/\"\njson_pointer = \"/a~\"", "json_pointer"),
    ("exec", "argv = [\"true\"]\nstdout = \"json\"\nvalue = \"/~\"", "value"),
    ("exec", "argv = [\"~/bin/check\"]", "argv"),
    ("exec", "argv = [\"cat\", \"~/state\"]", "argv"),
    ("exec", "argv = [\"cat\", \"$HOME/state\"]", "argv"),
    ("exec", "argv = [\"df\", \"-h\", \"|\", \"wc\"]", "argv"),
    ("exec", "argv = [\"check\", \"2>&1\"]", "argv"),
    ("exec", "argv = [\"true\"]\nfolder = \"~/x\"", "folder"),
    ("exec", "argv = [\"true\"]\npass_env = [\"AWS_*\"]", "pass_env"),
    ("exec", "argv = [\"true\"]\npass_env = [\"$HOME\"]", "pass_env"),
    ("exec", "argv = [\"true\"]\npass_env = [\"A, B\"]", "pass_env"),
    ("exec", "argv = [\"true\"]\npass_env = [\"LIFEBOAT_SECRET_X\"]", "pass_env"),
    ("http", "url = \"http://x/\"\nstatus = \"20x\"", "status"),
    ("http", "url = \"http://x/\"\njson_pointer = \"status\"", "json_pointer"),
    ("http", "url = \"http://x/\"\njson_equals = \"ok\"", "json_equals"),
    ("http", "url = \"http://x/\"\nbody_matches = \"a\"\nmethod = \"HEAD\"", "method"),
    ("http", "url = \"http://x/\"\nheaders.\"X Y\" = \"a\"", "headers"),
    ("http", "url = \"http://x/\"\nheaders.X = \"a\\nb\"", "headers"),
    ("http", "url = \"http://x/\"\nheaders_present = [\"X Y\"]", "headers_present"),
    ("http", "url = \"http://x/\"\nconnect_to = \"x\"", "connect_to"),
    ("exec", "argv = [\"\"]", "argv"),
    ("exec", "argv = [\"a\\u0000b\"]", "argv"),
    ("exec", "argv = [\"true\"]\nstdout = \"json\"\nvalue = \"lag\"", "value"),
    ("exec", "argv = [\"true\"]\nstdout = \"json\"\nfields.a = \"lag\"", "fields"),
    ("exec", "argv = [\"true\"]\nstdout = \"none\"\nempty = 0", "stdout"),
    ("exec", "argv = [\"true\"]\ngood_codes = [1]\nwarn_codes = [1]", "warn_codes"),
    ("exec", "argv = [\"true\"]\nenv.\"A=B\" = \"x\"", "env"),
    ("exec", "argv = [\"true\"]\npass_env = [\"\"]", "pass_env"),
    ("file-age", "path = \"backup/*.dump\"", "path"),
    ("file-age", "path = \"~/backup/*.dump\"", "path"),
    ("file-age", "path = \"/\"", "path"),
    ("file-age", "path = \"/backup/../x/*.dump\"", "path"),
    ("file-age", "path = \"/backup/%Q.dump\"", "path"),
    ("file-age", "path = \"/backup/a\"\nalso = [\"/backup/b\", \"c\"]", "also"),
    ("alertmanager", "url = \"http://am/\"\nmatchers = [\"critical\"]", "matchers"),
    ("alertmanager", "url = \"http://am/\"\nmatchers = ['severity=~\"(\"']", "matchers"),
    ("alertmanager", "url = \"http://am/api/v2/alerts\"", "url"),
    ("http", "url = \"http://x/\"\nbody_matches = \"\"", "body_matches"),
];

#[test]
fn a_key_that_cannot_do_is_found_when_the_plan_is_loaded_with_its_line() {
    for (kind, keys, key) in FAULTS {
        let found = refused(kind, keys);
        let wanted = format!("`{key}` of probe `example` does not do: ");
        let lines = keys.lines().count();
        // `empty` needs another `stdout`: the fault is told there.
        let line = 2 + keys.lines().position(|line| line.starts_with(key)).map_or(lines, |place| place + 1);
        assert!(
            matches!(&*found, [("bad-value", at, words)] if *at == line && words.starts_with(&wanted)),
            "{kind}: {keys}\n{found:?}"
        );
    }
    let all = refused("exec", "argv = [\"\"]\npass_env = [\"\"]\ngood_codes = [1]\nwarn_codes = [1]");
    assert_eq!(all.len(), 3, "all at once: {all:?}");
}

#[test]
fn what_no_key_of_any_kind_can_be_is_found_by_its_type() {
    for (kind, keys, code) in [
        ("http", "url = \"https://x:0/\"", "bad-url"),
        ("http", "url = \"x.example\"", "bad-url"),
        ("http", "url = \"http://0.0.0.0/\"", "bad-url"),
        ("http", "url = \"https://[::]:8443/\"", "bad-url"),
        ("http", "url = \"ftp://x/\"", "bad-url"),
        ("http", "url = \"http://x/\"\nbody_matches = \"(\"", "bad-regex"),
        ("exec", "argv = []", "empty-list"),
        ("exec", "argv = [\"true\"]\ncritical_when = \"(\"", "bad-regex"),
        ("exec", "argv = [\"true\"]\ngood_codes = [300]", "out-of-range"),
    ] {
        let found = refused(kind, keys);
        assert!(matches!(&*found, [(found, ..)] if *found == code), "{kind}: {keys}\n{found:?}");
    }
}

#[test]
fn what_does_is_not_refused() {
    for (kind, keys) in [
        ("tcp", "address = \"[::1]:5432\""),
        ("tcp", "address = \"10.0.0.1:1\""),
        ("http", "url = \"http://x/\"\nheaders.X = { secret = \"api-probe-token\" }\njson_pointer = \"\""),
        ("exec", "argv = [\"a\"]\nstdout = \"perfdata\"\nvalue = \"lag\""),
        ("exec", "argv = [\"a\", \"\"]\nstdout = \"json\"\nvalue = \"/a/0\""),
        ("exec", "argv = [\"sh\", \"-c\", \"~/bin/check | wc\", \"~/x\"]"),
        ("exec", "argv = [\"/usr/bin/ssh\", \"db\", \"~/check\", \"|\", \"wc\"]"),
        ("exec", "argv = [\"expr\", \"1\", \"|\", \"0\"]"),
        ("exec", "argv = [\"git\", \"diff\", \"HEAD~1\"]\npass_env = [\"http_proxy\"]"),
        ("exec", "argv = [\"a\"]\nstdout = \"json\"\nvalue = \"/a~1b~0c\""),
        ("alertmanager", "url = \"http://am/prefix/\"\nmatchers = ['team=\"a~(\"', 'severity=~\"a|b\"']"),
        ("file-age", "path = \"/backup/%Y/*.dump\"\nalso = [\"/backup/..x\"]"),
    ] {
        assert_eq!(refused(kind, keys), [], "{kind}: {keys}");
    }
}

#[test]
fn a_missing_required_key_is_an_error_not_a_panic() {
    for kind in probes() {
        for key in kind.keys.iter().filter(|key| key.need == Need::Required) {
            let mut params = example_params(kind);
            params.0.shift_remove(key.name);
            let built = (kind.build)(&spec(kind.name, params, 5000), &clients(SECRETS));
            assert!(built.is_err(), "{} without {}", kind.name, key.name);
        }
    }
}

/// Kinds that measure the server that they reach. One that asks a server about something else knows nothing of that
/// when it does not answer.
fn remote() -> impl Iterator<Item = &'static ProbeRow> {
    let reaches = |kind: &ProbeRow| kind.keys.iter().any(|key| ["dsn", "address", "url"].contains(&key.name));
    probes().filter(move |kind| reaches(kind) && kind.name != "alertmanager")
}

async fn run_at(kind: &ProbeRow, address: &str, clients: &Clients) -> Measurement {
    let mut params = example_params(kind);
    params.0.shift_remove("headers");
    aim(&mut params, kind.keys, address);
    let probe = (kind.build)(&spec(kind.name, params, 1000), clients).unwrap();
    let started = Instant::now();
    let measured = tokio::time::timeout(Duration::from_secs(1), probe.run()).await;
    let measured = measured.unwrap_or_else(|_| panic!("{}: no verdict of its own in time", kind.name));
    assert!(started.elapsed() < Duration::from_secs(1));
    measured.unwrap_or_else(|failure| panic!("{}: {failure:?}", kind.name))
}

fn assert_down(kind: &ProbeRow, measured: &Measurement) {
    assert!(matches!(measured.verdict, Verdict::Critical(_)), "{}: {measured:?}", kind.name);
    assert_eq!(measured.value, None, "{}: down has no value", kind.name);
    assert!(!format!("{measured:?}").contains(SECRET), "{}: {measured:?}", kind.name);
}

#[tokio::test]
async fn a_refused_connection_is_down() {
    let (clients, address) = (clients(SECRETS), dead_address());
    for kind in remote() {
        let measured = run_at(kind, &address, &clients).await;
        assert_down(kind, &measured);
        assert!(measured.summary.contains("refused"), "{}: {}", kind.name, measured.summary);
    }
}

/// Runs `without_open_files_child` as a process that may have few.
#[test]
fn without_open_files_every_probe_is_unknown_and_names_this_host() {
    let script = r#"ulimit -n 100; exec "$0" --exact providers::tests::probes::without_open_files_child --ignored --nocapture"#;
    let mut child = std::process::Command::new("/bin/sh");
    let child = child.args(["-c", script]).arg(std::env::current_exe().unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "needs a process of its own"]
async fn without_open_files_child() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    let named = format!("localhost:{}", server.local_addr().unwrap().port());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("2026/db.dir")).unwrap();
    std::fs::write(folder.path().join("2026/db.dir/base"), "x").unwrap();
    let folder = folder.path().display();
    let clients = clients(SECRETS);
    let built = |kind: &str, keys: &str| {
        let spec = spec(kind, probe_params(kind, keys), 1000);
        (crate::providers::probe(kind).unwrap().build)(&spec, &clients).unwrap()
    };
    let dsn = |host: &str| format!("dsn = \"host={host} port=5432 user=a dbname=b sslmode=disable\"");
    let probes = [
        built("tcp", &format!("address = \"{address}\"")),
        built("tcp", &format!("address = \"{named}\"")),
        built("http", &format!("url = \"http://{address}/\"")),
        built("http", &format!("url = \"http://{named}/\"")),
        built("alertmanager", &format!("url = \"http://{address}/\"")),
        built("postgres", &dsn("127.0.0.1")),
        built("postgres", &dsn("localhost")),
        built("postgres-replication", &format!("{}\nregion = \"dr\"", dsn("127.0.0.1"))),
        built("postgres-backup", &dsn("127.0.0.1")),
        built("exec", "argv = [\"true\"]"),
        built("file-age", &format!("path = \"{folder}/*/db.*\"")),
        built("file-age", &format!("path = \"{folder}/2026/*\"")),
    ];
    let mut open = Vec::new();
    let full = loop {
        match std::fs::File::open("/dev/null") {
            Ok(file) => open.push(file),
            Err(error) => break error,
        }
    };
    assert!(crate::base::shortage::is_own_fault(&full), "{full}");
    for (number, probe) in probes.iter().enumerate() {
        let failure = probe.run().await.map_err(|failure| (failure.why.clone(), failure.next.clone()));
        let Err((why, next)) = failure else { panic!("probe {number}: {failure:?}") };
        assert!(why.contains("Too many open files") || why.contains("os error 24"), "probe {number}: {why}");
        assert_eq!(next, crate::base::shortage::OWN_FAULT, "probe {number}: {why}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_down_within_the_deadline() {
    let (clients, address) = (clients(SECRETS), silent_address().await);
    // A connection is all that `tcp` asks for.
    for kind in remote().filter(|kind| kind.name != "tcp") {
        let measured = run_at(kind, &address, &clients).await;
        assert_down(kind, &measured);
        assert!(measured.summary.contains("no "), "{}: {}", kind.name, measured.summary);
    }
}

#[tokio::test]
async fn a_secret_that_is_not_to_be_had_is_unknown_with_a_next_step() {
    let clients = clients(&[]);
    for kind in probes().filter(|kind| kind.example.contains("{ secret")) {
        let probe = (kind.build)(&spec(kind.name, example_params(kind), 5000), &clients).unwrap();
        let failure = probe.run().await.unwrap_err();
        assert!(failure.next.contains("lifeboat secret set"), "{}: {failure:?}", kind.name);
    }
}

#[tokio::test]
async fn a_program_that_does_not_end_is_unknown_within_the_deadline() {
    let kind = probe_kind("exec").unwrap();
    let params = probe_params("exec", r#"argv = ["sh", "-c", "trap '' TERM; sleep 60"]"#);
    let probe = (kind.build)(&spec(kind.name, params, 5000), &clients(&[])).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), probe.run()).await.unwrap();
    assert!(ended.unwrap_err().why.contains("did not end within"));
}

#[tokio::test]
async fn what_a_program_prints_is_cleared_of_secrets() {
    let kind = probe_kind("exec").unwrap();
    let table = r#"
        argv = ["sh", "-c", "echo \"failed with $TOKEN\"; exit 1"]
        env.TOKEN = { secret = "kafka-monitor" }
    "#;
    let params = probe_params("exec", table);
    let probe = (kind.build)(&spec(kind.name, params, 5000), &clients(SECRETS)).unwrap();
    let measured = probe.run().await.unwrap();
    assert_eq!(measured.verdict.why(), Some("exit code 1: failed with [secret kafka-monitor]"));
}

mod http {
    use super::*;
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    async fn run(server: &MockServer, table: &str) -> Result<Measurement, Problem> {
        let kind = probe_kind("http").unwrap();
        let mut params = probe_params("http", &format!("url = \"http://x/\"\n{table}"));
        aim(&mut params, kind.keys, &server.address().to_string());
        let probe = (kind.build)(&spec(kind.name, params, 5000), &clients(SECRETS)).unwrap();
        probe.run().await
    }

    async fn measure(server: &MockServer, table: &str) -> Measurement {
        run(server, table).await.unwrap()
    }

    #[tokio::test]
    async fn a_secret_header_is_sent_and_not_shown() {
        let server = MockServer::start().await;
        let asked = Mock::given(method("GET")).and(header("authorization", SECRET));
        asked.respond_with(ResponseTemplate::new(200)).expect(1).mount(&server).await;
        let measured = measure(&server, "headers.Authorization = { secret = \"api-probe-token\" }").await;
        assert_eq!(measured.verdict, Verdict::Good);
        assert!(measured.value.is_some_and(|ms| ms < 5000.0));
        assert!(!format!("{measured:?}").contains(SECRET));
    }

    #[tokio::test]
    async fn redirects_are_followed_only_when_asked() {
        let server = MockServer::start().await;
        let away = ResponseTemplate::new(302).insert_header("location", "/ok");
        Mock::given(path("/x")).respond_with(away).mount(&server).await;
        Mock::given(path("/ok")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let stays = measure(&server, "").await;
        assert_eq!(stays.verdict.why(), Some("status 302, expected 200-299"));
        assert_eq!(measure(&server, "follow_redirects = true").await.verdict, Verdict::Good);
    }

    #[tokio::test]
    async fn an_endless_body_is_read_up_to_a_cap() {
        let server = MockServer::start().await;
        let body = ResponseTemplate::new(200).set_body_string("x".repeat(8_000_000));
        Mock::given(method("GET")).respond_with(body).mount(&server).await;
        // Nobody knows what the rest says.
        let failure = run(&server, "body_matches = \"needle\"").await.unwrap_err();
        assert!(
            failure.why.contains("the first megabyte of the body does not match /needle/"),
            "{failure:?}"
        );
    }

    #[tokio::test]
    async fn headers_and_statuses_of_a_real_answer_decide() {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(429).insert_header("X-Role", "standby");
        Mock::given(method("HEAD")).respond_with(answer).mount(&server).await;
        let head = "method = \"HEAD\"\nwarn_statuses = \"429\"";
        assert!(matches!(measure(&server, head).await.verdict, Verdict::Warn(_)));
        let role = measure(&server, &format!("{head}\nheaders_match.X-Role = \"primary\"")).await;
        assert_eq!(role.verdict.why(), Some("the header X-Role is `standby` and does not match /primary/"));
        let unknown = run(&server, "method = \"HEAD\"\nunknown_statuses = \"4xx\"").await.unwrap_err();
        assert!(unknown.why.contains("status 429"), "{unknown:?}");
    }

    #[test]
    fn a_place_to_connect_to_that_cannot_work_is_refused_with_a_reason() {
        let why = |table: &str| {
            let found = refused("http", table);
            found.into_iter().next().map(|(.., why)| why).unwrap_or_default()
        };
        let url = "url = \"https://api.example.com/\"";
        assert_eq!(why(&format!("{url}\nconnect_to = \"127.0.0.1:9444\"")), "");
        assert!(why(&format!("{url}\nconnect_to = \"127.0.0.1\"")).contains("host and port"));
        let proxied = "connect_to = \"127.0.0.1:9444\"\nproxy = \"environment\"";
        assert!(why(&format!("{url}\n{proxied}")).contains("a proxy makes its own connection"));
        let address = why("url = \"https://10.0.0.1/\"\nconnect_to = \"127.0.0.1:9444\"");
        assert!(address.contains("the URL names an address, 10.0.0.1"), "{address}");
    }
}
