//! Preflight against emulated AWS: who is calling, and what IAM's own simulator says.

use crate::aws::{Emulator, Fault, FaultProxy, Match, Ministack, Times, isolate};
use lifeboat::base::environment::Environment;
use lifeboat::core::words::action::Target;
use lifeboat::core::words::preflight::{Check, Checked};
use lifeboat::plan::AwsSettings;
use lifeboat::plan::params::{Param, Params};
use lifeboat::providers::aws::preflight::{Iam, callers};
use lifeboat::providers::clients::Clients;
use std::path::Path;

const ARN: &str = "arn:aws:rds:us-west-2:000000000000:db:arka-db-dr-replica";
const PERMISSIONS: &[&str] = &["rds:PromoteReadReplica", "rds:ModifyDBInstance", "kms:CreateGrant"];

fn settings(endpoint: &str) -> AwsSettings {
    let regions = [("primary", "us-east-1"), ("dr", "us-west-2")];
    AwsSettings {
        endpoint: Some(endpoint.to_owned()),
        regions: regions.map(|(id, name)| (id.to_owned(), name.to_owned())).into_iter().collect(),
        ..AwsSettings::default()
    }
}

fn clients(settings: AwsSettings) -> Clients {
    isolate();
    Clients::new(Default::default(), Path::new("/nonexistent"), Environment::of_this_process())
        .with_aws(settings, "ana")
}

fn target() -> Target {
    Target {
        name: "arka-db-dr-replica".into(),
        kind: "RDS instance".into(),
        identity: vec![("arn".into(), ARN.into())],
        reachable: true,
    }
}

async fn permissions(clients: &Clients) -> Vec<Check> {
    let params = Params([("region".to_owned(), Param::Text("dr".into()))].into_iter().collect());
    Iam::default().check(clients, &params, PERMISSIONS, Some(&target())).await
}

/// A role that may promote the replica and nothing else, and a session of it.
const ROLE: &str = r#"
import json
iam = client("iam")
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
iam.create_role(RoleName="Failover", AssumeRolePolicyDocument=json.dumps(trust))
allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "rds:PromoteReadReplica",
    "Resource": "arn:aws:rds:us-west-2:*:db:arka-*"}]}
iam.put_role_policy(RoleName="Failover", PolicyName="failover", PolicyDocument=json.dumps(allowed))
result(iam.get_role(RoleName="Failover")["Role"]["Arn"])
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_the_role_has_passes_and_one_that_it_lacks_fails() {
    let ministack = Ministack::start();
    let role = ministack.boto(ROLE);
    let settings =
        AwsSettings { role: Some(role.as_str().unwrap().to_owned()), ..settings(&ministack.endpoint()) };
    let checks = permissions(&clients(settings)).await;
    let result = |what: &str| &checks.iter().find(|check| check.what == what).unwrap().result;
    assert!(matches!(result("rds:PromoteReadReplica"), Checked::Pass(_)), "{checks:?}");
    assert!(matches!(result("rds:ModifyDBInstance"), Checked::Fail(_)), "{checks:?}");
    // It is on a key, and the instance's ARN says nothing of it.
    assert!(matches!(result("kms:CreateGrant"), Checked::NotCheckable(_)), "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_that_is_denied_or_not_answered_is_not_taken_for_a_yes() {
    let ministack = Ministack::start();
    let role = ministack.boto(ROLE);
    let proxy = FaultProxy::before(&ministack.endpoint());
    let settings =
        AwsSettings { role: Some(role.as_str().unwrap().to_owned()), ..settings(&proxy.endpoint()) };
    for (fault, said) in [
        (Fault::AccessDenied { message: "no".into() }, "iam:SimulatePrincipalPolicy is denied"),
        (Fault::Html(502), "not AWS"),
    ] {
        proxy.clear();
        proxy.fault(Match::operation("SimulatePrincipalPolicy"), fault, Times::Always);
        let checks = permissions(&clients(settings.clone())).await;
        let [check] = &*checks else { panic!("one for all: {checks:?}") };
        let Checked::NotCheckable(why) = &check.result else { panic!("{check:?}") };
        assert!(why.contains(said) && PERMISSIONS.iter().all(|name| why.contains(name)), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_region_says_who_is_calling_and_a_dead_one_holds_up_no_other() {
    let emulator = Emulator::start();
    let proxy = FaultProxy::before(&emulator.endpoint());
    proxy.fault(Match::region("us-east-1"), Fault::Hang, Times::Always);
    let settings =
        AwsSettings { deadline: jiff::SignedDuration::from_secs(2), ..settings(&proxy.endpoint()) };
    let begun = std::time::Instant::now();
    let clients = clients(settings);
    let places = ["primary", "dr"].map(|name| clients.aws.place(name).ok().unwrap());
    let found = callers(places.to_vec()).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    let caller = |region: &str| {
        let found = found.iter().find(|found| found.region == region).unwrap();
        found.checks.iter().find(|check| check.what == "caller").unwrap().clone()
    };
    let there = caller("us-west-2");
    assert!(matches!(&there.result, Checked::Pass(arn) if arn.contains("123456789012")), "{there:?}");
    let dead = caller("us-east-1");
    assert!(matches!(dead.result, Checked::Fail(_)) && dead.next.contains("us-east-1"), "{dead:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_a_dead_region_do_not_hold_up_what_iam_says_of_another_one() {
    let emulator = Emulator::start();
    let proxy = FaultProxy::before(&emulator.endpoint());
    proxy.fault(Match::region("us-east-1"), Fault::Hang, Times::Always);
    let deadline = std::time::Duration::from_secs(6);
    let settings = AwsSettings { deadline: deadline.try_into().unwrap(), ..settings(&proxy.endpoint()) };
    let (clients, iam) = (clients(settings), Iam::default());
    let check = async |region: &str| {
        let params = Params([("region".to_owned(), Param::Text(region.into()))].into_iter().collect());
        let begun = std::time::Instant::now();
        assert!(!iam.check(&clients, &params, PERMISSIONS, Some(&target())).await.is_empty());
        begun.elapsed()
    };
    let dead = futures::future::join_all((0..8).map(|_| check("primary")));
    let (dead, alive) = tokio::join!(dead, check("dr"));
    assert!(alive < deadline / 2, "{alive:?}");
    assert!(dead.iter().all(|took| *took < deadline * 2), "{dead:?}");
}
