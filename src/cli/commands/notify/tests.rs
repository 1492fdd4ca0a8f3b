use super::targets::{Selection, select};
use super::{check, test};
use crate::base::environment::Environment;
use crate::base::pool::{Outside, Pool};
use crate::core::words::notification::Intent;
use crate::plan::params::{Param, Params};
use crate::plan::{Audience, Capabilities, Channel, Plan, Who};
use crate::providers::clients::Clients;
use crate::world::RealWorld;
use jiff::SignedDuration;
use std::path::Path;

const BASE: &str = r#"
[plan]
name = "ARKA"
[regions.primary]
role = "primary"
[tree]
root = "q"
[tree.q]
ask = "Down?"
answers = { yes = "wait", no = "wait" }
[leaves.wait]
title = "Wait"
advice = "Wait."
[contacts]
ana = { name = "Ana Silva", role = "SRE", phone = "+14155550123", email = "ana@example.org" }
bo = { name = "Bo", role = "SRE", email = "bo@example.org" }
customers = { name = "Customers", role = "SRE", email = "all@customers.example" }
"#;

fn command(id: &str, address: Option<&str>, script: &str) -> Channel {
    let argv = ["/bin/sh", "-c", script].map(|word| Param::Text(word.into())).into();
    Channel {
        id: id.into(),
        title: format!("The {id}"),
        kind: "command".into(),
        address: address.map(str::to_owned),
        capabilities: Capabilities::default(),
        give_up_after: SignedDuration::from_mins(10),
        timeout: SignedDuration::from_secs(20),
        parallel: 2,
        params: Params([("argv".to_owned(), Param::List(argv))].into()),
    }
}

/// No threads of their own.
fn here() -> Pool {
    Outside::on(&tokio::runtime::Handle::current()).probes.clone()
}

/// Ana and Bo inside, a customer outside, a page that the public sees.
fn plan(channels: Vec<Channel>) -> Plan {
    let mut plan = crate::testing::plan_of(&[BASE]);
    plan.channels = channels.into_iter().map(|channel| (channel.id.clone(), channel)).collect();
    let customers = Audience {
        title: "Customers".into(),
        who: vec![Who::Contact("customers".into())],
        methods: vec!["mail".into(), "page".into()],
        public: true,
    };
    plan.audiences = [("customers".into(), customers)].into();
    plan
}

fn three(mail: &str) -> Plan {
    plan(vec![
        command("mail", Some("email"), mail),
        command("call", Some("phone"), "echo rang"),
        command("page", None, "echo shown"),
    ])
}

fn ways(selection: &Selection) -> Vec<(&str, &str)> {
    selection.targets.iter().map(|target| (target.channel.as_str(), &*target.who)).collect()
}

#[test]
fn nobody_outside_is_disturbed_unless_they_are_named() {
    let plan = three("true");
    let all = select(&plan, None).unwrap();
    assert_eq!(ways(&all), [("mail", "Ana Silva"), ("mail", "Bo"), ("call", "Ana Silva")]);
    assert_eq!(all.skipped.len(), 2, "{:?}", all.skipped);
    let listing = test::listing(&plan, &all);
    assert!(listing.contains("Ana Silva: mail ana@example.org\n"), "{listing}");
    assert!(listing.contains("and not to page: the public sees it"), "{listing}");
    assert_eq!(ways(&select(&plan, Some("mail")).unwrap()), [("mail", "Ana Silva"), ("mail", "Bo")]);
    assert_eq!(ways(&select(&plan, Some("page")).unwrap()), [("page", "The page")]);
    assert_eq!(ways(&select(&plan, Some("customers")).unwrap()), [("mail", "Customers")]);
    for ana in ["ana", "ana silva"] {
        assert_eq!(ways(&select(&plan, Some(ana)).unwrap()), [("mail", "Ana Silva"), ("call", "Ana Silva")]);
    }
}

#[test]
fn a_slip_is_met_with_what_was_meant() {
    let failure = select(&three("true"), Some("mial")).unwrap_err();
    assert_eq!((failure.code, &*failure.next), (2, "Did you mean `mail`?"));
    let failure = select(&three("true"), Some("something-else")).unwrap_err();
    assert!(failure.next.contains("mail, call, page, ana, bo, customers"), "{failure}");
}

fn world() -> RealWorld {
    let environment: Environment = [("PATH", "/usr/bin:/bin")].into_iter().collect();
    RealWorld::new(Clients::new(Default::default(), Path::new("/nonexistent"), environment))
}

#[tokio::test]
async fn each_message_says_that_it_is_a_test_and_tells_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display();
    let mail = format!(
        "cat >{place}/$LIFEBOAT_TO; [ $LIFEBOAT_TO != bo@example.org ] || {{ echo no such user; exit 1; }}; echo ok"
    );
    let plan = three(&mail);
    let rows = test::send(&plan, &world(), &here(), &select(&plan, None).unwrap().targets, "ana").await;
    let words: Vec<_> = rows.iter().map(|row| (&*row.who, &*row.channel, row.word())).collect();
    let expected =
        [("Ana Silva", "mail", "accepted"), ("Bo", "mail", "failed"), ("Ana Silva", "call", "accepted")];
    assert_eq!(words, expected);
    let mut line = String::new();
    rows[1].write(&mut line);
    assert!(line.starts_with("failed    Bo: mail bo@example.org (inform) in "), "{line}");
    assert!(line.contains("exit code 1: no such user\n          next: "), "{line}");
    let sent = std::fs::read_to_string(folder.path().join("ana@example.org")).unwrap();
    let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
    assert!(sent["subject"].as_str().unwrap().starts_with("[TEST] ARKA"), "{sent}");
    let body = sent["body"].as_str().unwrap();
    assert!(
        body.starts_with("TEST of") && body.contains("by ana at") && body.contains("Nothing is broken"),
        "{body}"
    );
}

#[tokio::test]
async fn an_alert_that_was_or_may_have_been_opened_is_closed_again() {
    for (script, intents) in [
        ("exit 0", &[Intent::Page, Intent::Resolve][..]),
        ("[ $LIFEBOAT_INTENT = resolve ] || kill -9 $$", &[Intent::Page, Intent::Resolve]),
        ("exit 1", &[Intent::Page]),
    ] {
        let mut channel = command("alerts", None, script);
        channel.capabilities.has_alerts = true;
        let plan = plan(vec![channel]);
        let rows = test::send(&plan, &world(), &here(), &select(&plan, None).unwrap().targets, "ana").await;
        let found: Vec<Intent> = rows.iter().map(|row| row.intent).collect();
        assert_eq!(found, intents, "{script}: {rows:?}");
    }
}

#[tokio::test]
async fn a_look_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let touched = folder.path().join("touched");
    let mut unknown = command("unknown", None, "true");
    unknown.kind = "carrier-pigeon".into();
    let plan = plan(vec![command("mail", None, &format!("touch {}", touched.display())), unknown]);
    let seen = check::look(&plan, &world(), &here()).await;
    assert!(seen[0].result.as_ref().unwrap().as_ref().unwrap().contains("/bin/sh is there"), "{seen:?}");
    assert!(seen[1].result.as_ref().unwrap_err().why.contains("carrier-pigeon"), "{seen:?}");
    assert!(!touched.exists());
}

#[test]
fn a_plan_without_channels_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.toml");
    std::fs::write(&file, BASE).unwrap();
    let failure = super::open(&file).unwrap_err();
    assert_eq!(failure.code, 2);
    assert!(failure.what.ends_with("plan.toml has no channels"), "{failure}");
    assert_eq!(super::open(&folder.path().join("missing.toml")).unwrap_err().code, 2);
}
