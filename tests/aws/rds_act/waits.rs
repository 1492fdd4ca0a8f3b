use super::*;
use crate::aws::{Fault, FaultProxy, Match, Times};
use lifeboat::core::words::action::Acted;
use lifeboat::core::words::preflight::Checked;
use serde_json::json;

const KIND: &str = "rds-wait";

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_what_is_being_made_and_shows_each_status() {
    let emulator = world();
    emulator.control(json!({"transition_ms": 6000}));
    emulator.boto(
        "west = client('rds', 'us-west-2')\n\
         west.create_db_instance(DBInstanceIdentifier='arka-db-recovery', DBInstanceClass='db.r6g.large', \
         Engine='postgres', AllocatedStorage=100, MasterUsername='pact', MasterUserPassword='not-secret')\n\
         west.create_db_cluster_snapshot(DBClusterIdentifier='market-scanning-prod', \
         DBClusterSnapshotIdentifier='cluster-before')\n\
         west.create_db_snapshot(DBInstanceIdentifier='arka-db-dr-replica', DBSnapshotIdentifier='before')",
    );
    for (key, id, command) in [
        (
            "snapshot",
            "before",
            "aws rds wait db-snapshot-available --db-snapshot-identifier before --region us-west-2",
        ),
        (
            "cluster_snapshot",
            "cluster-before",
            "aws rds wait db-cluster-snapshot-available --db-cluster-snapshot-identifier cluster-before --region us-west-2",
        ),
        (
            "instance",
            "arka-db-recovery",
            "aws rds wait db-instance-available --db-instance-identifier arka-db-recovery --region us-west-2",
        ),
        (
            "cluster",
            "market-scanning-prod",
            "aws rds wait db-cluster-available --db-cluster-identifier market-scanning-prod --region us-west-2",
        ),
    ] {
        let step = Step::new(&emulator.endpoint(), KIND, &[(key, id)]).await;
        assert_eq!(step.described.command, command);
        let done = step.execute().await.unwrap();
        assert_eq!(done.summary, format!("{id} is available"));
        assert!(id != "before" || step.said().contains("creating, 0 %"), "{}", step.said());
        assert!(step.verify().await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_stuck_ends_the_wait_at_once_unless_it_is_to_go() {
    let emulator = world();
    let endpoint = emulator.endpoint();
    let nobody = Step::new(&endpoint, KIND, &[("instance", "nobody")]).await;
    let failure = nobody.execute().await.unwrap_err();
    assert!(failure.why.contains("there is no RDS instance `nobody`"), "{failure:?}");
    assert!(matches!(nobody.action.preflight().await[0].result, Checked::NotCheckable(_)));
    let gone = Step::new(&endpoint, KIND, &[("instance", "nobody"), ("until", "deleted")]).await;
    assert!(gone.described.command.contains("db-instance-deleted"));
    gone.execute().await.unwrap();
    emulator.control(json!({"fail_next_promotion": "incompatible-network"}));
    emulator
        .set_up("client('rds', 'us-west-2').promote_read_replica(DBInstanceIdentifier='arka-db-dr-replica')");
    let stuck = Step::new(&endpoint, KIND, &[("instance", REPLICA)]).await;
    let failure = stuck.execute().await.unwrap_err();
    assert!(
        failure.why.contains("incompatible-network") && failure.next.contains("subnet group"),
        "{failure:?}"
    );
    assert!(build(&endpoint, KIND, &[]).is_err());
    assert!(build(&endpoint, KIND, &[("instance", "a"), ("cluster", "b")]).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_survives_an_outage_but_not_its_own_time_or_a_missing_permission() {
    let emulator = world();
    let proxy = FaultProxy::before(&emulator.endpoint());
    let step = Step::new(&proxy.endpoint(), KIND, &[("instance", REPLICA)]).await;
    proxy.fault(Match::operation("DescribeDBInstances"), Fault::Status(500), Times::Count(3));
    step.execute().await.unwrap();
    assert!(step.said().contains("not seen: "), "{}", step.said());

    emulator.control(json!({"transition_ms": 60000}));
    emulator
        .boto("client('rds', 'us-west-2').failover_db_cluster(DBClusterIdentifier='market-scanning-prod')");
    let keys = [("cluster", "market-scanning-prod")];
    let late = Step::within(SignedDuration::from_secs(30), &proxy.endpoint(), KIND, &keys).await;
    let failure = late.execute().await.unwrap_err();
    assert!(failure.acted == Acted::No && failure.why.contains("failing-over"), "{failure:?}");
    assert!(late.verify().await.is_err());
    emulator.control(json!({"deny": ["rds:DescribeDBInstances"]}));
    let denied = step.execute().await.unwrap_err();
    assert!(denied.next.contains("`rds:DescribeDBInstances`"), "{denied:?}");
}
