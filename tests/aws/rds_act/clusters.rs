use super::*;
use crate::aws::{Fault, FaultProxy, Match, Times};
use lifeboat::core::words::action::Acted;
use serde_json::json;

const KIND: &str = "rds-failover-cluster";
const TO_READER: &[(&str, &str)] =
    &[("cluster", "market-scanning-prod"), ("target_instance", "market-scanning-prod-replica-1")];

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_fails_over_to_its_reader_and_is_read_back() {
    let emulator = world();
    emulator.control(json!({"transition_ms": 1000}));
    let step = Step::new(&emulator.endpoint(), KIND, TO_READER).await;
    assert_eq!(step.is("writer"), "market-scanning-prod-1");
    assert!(
        step.notes().contains("Readers: market-scanning-prod-replica-1 (tier 1, db.r6g.large, "),
        "{}",
        step.notes()
    );
    let early = step.verify().await.unwrap_err();
    assert!(early.why.contains("the writer is still market-scanning-prod-1"), "{early:?}");
    step.execute().await.unwrap();
    assert!(step.said().contains("failing-over, the writer is"), "{}", step.said());
    assert_eq!(writer(&emulator), json!(["market-scanning-prod-replica-1"]));
    let proof = step.verify().await.unwrap();
    assert_eq!(proof.evidence[0], "the writer is market-scanning-prod-replica-1, was market-scanning-prod-1");

    let again = step.execute().await.unwrap_err();
    assert!(again.acted == Acted::No && again.why.contains("is already its writer"), "{again:?}");
    let after = Step::new(&emulator.endpoint(), KIND, TO_READER).await;
    assert!(after.verify().await.unwrap_err().why.contains("proves nothing"));
    assert_eq!(calls(&emulator, "FailoverDBCluster"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_changed_since_the_confirmation_is_not_failed_over_again() {
    let emulator = world();
    let keys = [("cluster", "market-scanning-prod")];
    let (first, second) = (
        Step::new(&emulator.endpoint(), KIND, &keys).await,
        Step::new(&emulator.endpoint(), KIND, &keys).await,
    );
    first.execute().await.unwrap();
    let failure = second.execute().await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(
        failure.why.contains("writer is market-scanning-prod-replica-1, was market-scanning-prod-1"),
        "{failure:?}"
    );
    assert_eq!(calls(&emulator, "FailoverDBCluster"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_no_reader_and_a_cluster_without_one_are_refused() {
    let emulator = world();
    let stranger = [("cluster", "market-scanning-prod"), ("target_instance", REPLICA)];
    let step = Step::new(&emulator.endpoint(), KIND, &stranger).await;
    let failure = step.execute().await.unwrap_err();
    assert!(failure.why.contains("is no reader of it"), "{failure:?}");
    emulator.set_up(
        "client('rds', 'us-west-2').delete_db_instance(DBInstanceIdentifier='market-scanning-prod-replica-1', \
         SkipFinalSnapshot=True)",
    );
    let alone = Step::new(&emulator.endpoint(), KIND, &[("cluster", "market-scanning-prod")]).await;
    assert!(alone.notes().contains("THIS STEP WILL REFUSE: it has no reader"), "{}", alone.notes());
    assert!(alone.execute().await.unwrap_err().why.contains("it has no reader"));
    let instance = Step::new(&emulator.endpoint(), KIND, &[("cluster", REPLICA)]).await;
    assert!(instance.execute().await.unwrap_err().why.contains("an instance without a cluster"));
    assert_eq!(calls(&emulator, "FailoverDBCluster"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_a_failover_is_reconciled() {
    let emulator = world();
    emulator.control(json!({"transition_ms": 1500}));
    let proxy = FaultProxy::before(&emulator.endpoint());
    let step = Step::new(&proxy.endpoint(), KIND, TO_READER).await;
    proxy.fault(Match::operation("FailoverDBCluster"), Fault::LoseAnswer, Times::Always);
    assert_eq!(step.execute().await.unwrap_err().acted, Acted::Maybe);
    let going = step.verify().await.unwrap_err();
    assert!(going.why.starts_with("it goes on: failing-over"), "{going:?}");
    assert!(step.prove().await.evidence[0].starts_with("the writer is market-scanning-prod-replica-1"));
    assert_eq!(calls(&emulator, "FailoverDBCluster"), 1);
    emulator.control(json!({"deny": ["rds:FailoverDBCluster"]}));
    let back = [("cluster", "market-scanning-prod"), ("target_instance", "market-scanning-prod-1")];
    let denied = Step::new(&emulator.endpoint(), KIND, &back).await.execute().await.unwrap_err();
    assert!(denied.acted == Acted::No && denied.next.contains("`rds:FailoverDBCluster`"), "{denied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_cluster_is_promoted_and_one_that_stands_alone_is_not() {
    let emulator = world();
    emulator.set_up(
        "source = client('rds', 'us-west-2').describe_db_clusters()['DBClusters'][0]['DBClusterArn']\n\
         client('rds', 'us-west-2').create_db_cluster(DBClusterIdentifier='scans-dr', Engine='aurora-postgresql', \
         ReplicationSourceIdentifier=source, MasterUsername='pact', MasterUserPassword='not-secret')",
    );
    let keys = [("cluster", "scans-dr"), ("source", "market-scanning-prod")];
    let step = Step::new(&emulator.endpoint(), "rds-promote", &keys).await;
    assert!(step.is("replica of").ends_with(":cluster:market-scanning-prod"), "{:?}", step.described);
    step.execute().await.unwrap();
    assert!(step.said().contains("promoting, still a replica of"), "{}", step.said());
    assert!(
        step.verify().await.unwrap().evidence[0].starts_with("scans-dr replicates from nothing, did from")
    );
    let found = emulator.boto(
        "result(client('rds', 'us-west-2').describe_db_clusters(DBClusterIdentifier='scans-dr')['DBClusters'][0])",
    );
    assert!(found["ReplicationSourceIdentifier"].as_str().unwrap_or_default().is_empty(), "{found}");
    assert!(step.execute().await.unwrap_err().why.contains("it stands alone"));
    let instance = Step::new(&emulator.endpoint(), "rds-promote", &[("cluster", REPLICA)]).await;
    assert!(instance.notes().contains("write `instance` in place of `cluster`"), "{}", instance.notes());
    assert_eq!(calls(&emulator, "PromoteReadReplicaDBCluster"), 1);
}
