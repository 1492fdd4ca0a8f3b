//! A region or a caller that is not as it should be.

use super::*;
use crate::aws::{Emulator, Fault, FaultProxy, Match, Times, isolate};
use wiremock::matchers::{body_string_contains, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TWO: &str = r#"
for region in ("us-east-1", "us-west-2"):
    client("rds", region).create_db_instance(DBInstanceIdentifier="arka-db", Engine="postgres",
        DBInstanceClass="db.t4g.micro", AllocatedStorage=20, MasterUsername="a", MasterUserPassword="not-secret")
"#;

fn both() -> String {
    let table = |region: &str| probe(region, "rds-instance", region, "instance = \"arka-db\"");
    table("primary") + &table("dr")
}

#[tokio::test]
async fn a_region_that_hangs_does_not_slow_the_other() {
    let emulator = Emulator::start();
    emulator.set_up(TWO);
    let proxy = FaultProxy::before(&emulator.endpoint());
    proxy.fault(Match::all(), Fault::Hang, Times::Always);
    let (endpoint, hanging) = (emulator.endpoint(), proxy.endpoint());
    let seer = Seer::new(&format!("endpoint = \"{endpoint}\"\nendpoints.dr = \"{hanging}\""), &both());

    let (mut lost, mut again) = (Box::pin(seer.run("dr")), Box::pin(seer.run("dr")));
    let seen_anew = || emulator.calls().get("rds:DescribeDBInstances@us-east-1").copied().unwrap_or(0);
    while seen_anew() < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        tokio::select! {
            biased;
            ended = &mut lost => panic!("the region that hangs answered first: {ended:?}"),
            ended = &mut again => panic!("the region that hangs answered first: {ended:?}"),
            seen = seer.see("primary") => assert_eq!(seen.verdict, Verdict::Good),
        }
    }
    let begun = Instant::now();
    let (lost, again) = tokio::join!(lost, again);
    // The probe's own deadline: 0.9 of its time-out, before which the engine does not cut it.
    assert!(begun.elapsed() < Duration::from_secs(5));
    for failure in [lost.unwrap_err(), again.unwrap_err()] {
        assert!(failure.why.contains("us-west-2") && failure.why.contains("no answer"), "{failure:?}");
        assert!(failure.next.contains("us-west-2"), "{failure:?}");
    }
    assert_eq!(seer.see("primary").await.verdict, Verdict::Good);

    proxy.clear();
    let deadline = Instant::now() + Duration::from_secs(20);
    while seer.run("dr").await.is_err() {
        assert!(Instant::now() < deadline, "the region came back and is not seen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_aws_refuses_is_unknown_with_a_next_step() {
    let emulator = Emulator::start();
    emulator.set_up(TWO);
    let proxy = FaultProxy::before(&emulator.endpoint());
    let says = async |fault: Fault| {
        proxy.clear();
        proxy.fault(Match::all(), fault, Times::Always);
        // A new one has nothing from before.
        Seer::at(&proxy.endpoint(), &both()).run("dr").await.unwrap_err()
    };
    let expired = says(Fault::ExpiredToken).await;
    assert!(expired.next.starts_with("Sign in again"), "{expired:?}");
    let denied = says(Fault::AccessDenied { message: "not authorized".into() }).await;
    assert!(denied.next.contains("rds:DescribeDBInstances"), "{denied:?}");
    let throttled = says(Fault::Throttle).await;
    assert!(throttled.next.starts_with("Wait half a minute"), "{throttled:?}");
    let page = says(Fault::Html(200)).await;
    assert!(page.why.contains("not AWS") && page.next.contains("HTTPS_PROXY"), "{page:?}");
    let broken = says(Fault::Status(503)).await;
    assert!(broken.next.contains("us-west-2"), "{broken:?}");
}

#[tokio::test]
async fn without_credentials_nothing_is_known_and_it_says_how_to_sign_in() {
    let emulator = Emulator::start();
    emulator.control(serde_json::json!({"deny": ["sts:AssumeRole"]}));
    let role = "role = \"arn:aws:iam::123456789012:role/Failover\"";
    let seer = Seer::new(&format!("endpoint = \"{}\"\n{role}", emulator.endpoint()), &both());
    let failure = seer.run("dr").await.unwrap_err();
    assert!(failure.why.contains("no credentials"), "{failure:?}");
    assert!(!failure.next.is_empty());
    assert!(emulator.calls().keys().all(|call| call.starts_with("sts:")), "nothing else was sent");
}

/// An answer of DescribeDBInstances with one instance, as in
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html>.
fn described(id: &str) -> ResponseTemplate {
    let body = format!(
        r#"<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBInstancesResult>
<DBInstances><DBInstance><DBInstanceIdentifier>{id}</DBInstanceIdentifier><DBInstanceStatus>available</DBInstanceStatus>
</DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"#
    );
    ResponseTemplate::new(200).set_body_raw(body, "text/xml")
}

fn refused(status: u16, code: &str) -> ResponseTemplate {
    let body = format!(
        r#"<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type><Code>{code}</Code>
<Message>refused</Message></Error></ErrorResponse>"#
    );
    ResponseTemplate::new(status).set_body_raw(body, "text/xml")
}

#[tokio::test]
async fn a_caller_who_may_see_certain_instances_only_is_asked_name_by_name() {
    isolate();
    let server = MockServer::start().await;
    for name in ["one", "two"] {
        let asked =
            Mock::given(method("POST")).and(body_string_contains(format!("DBInstanceIdentifier={name}")));
        asked.respond_with(described(name)).expect(3).mount(&server).await;
    }
    let gone = Mock::given(method("POST")).and(body_string_contains("DBInstanceIdentifier=gone"));
    gone.respond_with(refused(404, "DBInstanceNotFound")).expect(3).mount(&server).await;
    let secret = Mock::given(method("POST")).and(body_string_contains("DBInstanceIdentifier=secret"));
    secret.respond_with(refused(403, "AccessDenied")).expect(3).mount(&server).await;
    // The denial is remembered: one listing for all runs of all probes.
    let listed = Mock::given(method("POST")).and(body_string_contains("MaxRecords=100"));
    listed.respond_with(refused(403, "AccessDenied")).expect(1).mount(&server).await;

    let table = |name: &str| probe(name, "rds-instance", "dr", &format!("instance = \"{name}\""));
    let seer = Seer::at(&server.uri(), &["one", "two", "gone", "secret"].map(table).concat());
    for _ in 0..3 {
        assert_eq!(seer.see("one").await.verdict, Verdict::Good);
        assert_eq!(seer.see("two").await.verdict, Verdict::Good);
        assert_eq!(why(&seer.see("gone").await), "there is no instance gone in us-west-2");
        let failure = seer.run("secret").await.unwrap_err();
        assert!(
            failure.why.contains("secret") && failure.next.contains("rds:DescribeDBInstances"),
            "{failure:?}"
        );
    }
    server.verify().await;
}
