//! Global databases, on the emulator that has them: it changes the primary at once and shows no state on the way, so
//! that the states on the way are judged from recorded shapes in the unit tests.

use super::*;
use crate::aws::{Fault, FaultProxy, Match, Ministack, Times};
use lifeboat::core::words::action::Acted;
use serde_json::json;

const WORLD: &str = r#"
east, west = client("rds", "us-east-1"), client("rds", "us-west-2")
login = dict(MasterUsername="pact", MasterUserPassword="not-secret")
source = east.create_db_cluster(DBClusterIdentifier="orders-east", Engine="aurora-postgresql", **login)
east.create_global_cluster(GlobalClusterIdentifier="orders",
    SourceDBClusterIdentifier=source["DBCluster"]["DBClusterArn"])
west.create_db_cluster(DBClusterIdentifier="orders-west", Engine="aurora-postgresql", GlobalClusterIdentifier="orders")
for region, name in ((east, "orders-east"), (west, "orders-west")):
    region.create_db_instance(DBInstanceIdentifier=name + "-1", DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql", DBClusterIdentifier=name)
"#;

const KEYS: &[(&str, &str)] = &[("global_cluster", "orders"), ("cluster", "orders-west")];

fn primary(ministack: &Ministack) -> Value {
    ministack.boto(
        "found = client('rds', 'us-west-2').describe_global_clusters(GlobalClusterIdentifier='orders')\n\
         members = found['GlobalClusters'][0]['GlobalClusterMembers']\n\
         result([m['DBClusterArn'].rsplit(':', 1)[1] for m in members if m['IsWriter']])",
    )
}

fn world() -> Ministack {
    let ministack = Ministack::start();
    ministack.boto(WORLD);
    ministack
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_switchover_is_asked_for_in_the_region_of_the_primary() {
    let ministack = world();
    let proxy = FaultProxy::before(&ministack.endpoint());
    let step = Step::new(&proxy.endpoint(), "rds-promote", KEYS).await;
    assert_eq!(step.is("global role"), "secondary", "{:?}", step.described);
    assert!(step.is("primary of the global database").ends_with(":cluster:orders-east"));
    assert!(step.described.command.ends_with("--region us-east-1"), "{:?}", step.described);
    step.execute().await.unwrap();
    assert_eq!(primary(&ministack), json!(["orders-west"]));
    let asked = proxy.requests();
    let switchover = asked.iter().find(|request| request.operation == "SwitchoverGlobalCluster").unwrap();
    assert_eq!(switchover.region, "us-east-1");
    let proof = step.verify().await.unwrap().evidence.join("\n");
    assert!(proof.contains("orders-west is the primary of orders, before arn:aws:rds:us-east-1"), "{proof}");
    assert!(!proof.contains("LOSS"), "{proof}");
    let again = step.execute().await.unwrap_err();
    assert!(again.acted == Acted::No && again.why.contains("already the primary of orders"), "{again:?}");
    let after = Step::new(&proxy.endpoint(), "rds-promote", KEYS).await;
    assert!(after.verify().await.unwrap_err().why.contains("proves nothing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_works_while_the_primarys_region_is_gone_and_says_what_it_may_lose() {
    let ministack = world();
    let proxy = FaultProxy::before(&ministack.endpoint());
    proxy.fault(Match::region("us-east-1"), Fault::Hang, Times::Always);
    let failover = [KEYS, &[("mode", "failover"), ("allow_data_loss", "true")]].concat();
    let step = Step::new(&proxy.endpoint(), "rds-promote", &failover).await;
    assert!(step.described.call.contains("DATA LOSS IS ALLOWED"), "{:?}", step.described);
    assert!(step.described.command.contains("--allow-data-loss --region us-west-2"));
    assert!(step.described.notes[0].starts_with("DATA LOSS IS ALLOWED"), "{}", step.notes());
    proxy.fault(Match::operation("FailoverGlobalCluster"), Fault::LoseAnswer, Times::ONCE);
    assert_eq!(step.execute().await.unwrap_err().acted, Acted::Maybe);
    let proof = step.verify().await.unwrap().evidence.join("\n");
    assert!(proof.contains("DATA LOSS WAS ALLOWED"), "{proof}");
    assert_eq!(primary(&ministack), json!(["orders-west"]));
    assert!(proxy.requests().iter().all(|request| request.region != "us-east-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_consent_to_lose_data_or_without_the_primarys_region_nothing_is_done() {
    let ministack = world();
    let proxy = FaultProxy::before(&ministack.endpoint());
    let refused =
        build(&proxy.endpoint(), "rds-promote", &[KEYS, &[("mode", "failover")]].concat()).err().unwrap();
    assert!(refused.to_string().contains("`allow_data_loss = true`"), "{refused}");
    let step = Step::new(&proxy.endpoint(), "rds-promote", KEYS).await;
    proxy.fault(Match::region("us-east-1"), Fault::Throttle, Times::Always);
    let throttled = step.execute().await.unwrap_err();
    assert!(throttled.acted == Acted::No && throttled.next.contains("nothing was done"), "{throttled:?}");
    assert!(
        step.verify()
            .await
            .unwrap_err()
            .why
            .starts_with("nothing of it can be seen: available, still secondary")
    );
    let nobody = [("global_cluster", "nobody"), ("cluster", "orders-west")];
    let failure = Step::new(&proxy.endpoint(), "rds-promote", &nobody).await.execute().await.unwrap_err();
    assert!(failure.why.contains("no global database `nobody`"), "{failure:?}");
    let alone = Step::new(&proxy.endpoint(), "rds-promote", &[("cluster", "orders-west")]).await;
    assert!(alone.execute().await.unwrap_err().why.contains("it belongs to the global database"));
    assert_eq!(primary(&ministack), json!(["orders-east"]));
}
