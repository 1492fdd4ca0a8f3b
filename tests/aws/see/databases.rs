//! `rds-instance` and `rds-cluster`.

use super::*;
use crate::aws::{Emulator, Ministack};

const PAIR: &str = r#"
primary = client("rds", "us-east-1").create_db_instance(
    DBInstanceIdentifier="arka-db-primary", DBInstanceClass="db.r6g.large", Engine="postgres", EngineVersion="15.4",
    AllocatedStorage=100, MasterUsername="admin", MasterUserPassword="not-secret", BackupRetentionPeriod=7,
    MultiAZ=True, StorageEncrypted=True)["DBInstance"]
client("rds", "us-west-2").create_db_instance_read_replica(
    DBInstanceIdentifier="arka-db-dr-replica", SourceDBInstanceIdentifier=primary["DBInstanceArn"])
"#;

fn pair() -> String {
    let primary = "instance = \"arka-db-primary\"\nexpect_role = \"primary\"\nwarn = \"10m\"";
    let replica =
        "instance = \"arka-db-dr-replica\"\nexpect_role = \"replica\"\nsource = \"arka-db-primary\"";
    probe("primary-db", "rds-instance", "primary", primary) + &probe("dr-db", "rds-instance", "dr", replica)
}

#[tokio::test]
async fn a_pair_over_two_regions_is_seen_with_its_roles_and_so_is_its_promotion() {
    let emulator = Emulator::start();
    emulator.set_up(PAIR);
    let seer = Seer::at(&emulator.endpoint(), &pair());

    let primary = seer.see("primary-db").await;
    assert_eq!(primary.verdict, Verdict::Good, "{primary:?}");
    // The emulated latest restorable time is a minute ago.
    assert!((59.0..90.0).contains(&primary.value.unwrap()), "{primary:?}");
    assert_eq!(primary.text("class"), Some("db.r6g.large"));
    assert_eq!(primary.number("backup_retention_days"), Some(7.0));
    assert!(primary.text("replicas").unwrap().contains("arka-db-dr-replica"), "{primary:?}");
    assert!(primary.text("endpoint").unwrap().ends_with(":5432"), "{primary:?}");

    let replica = seer.see("dr-db").await;
    assert_eq!((&replica.verdict, replica.value), (&Verdict::Good, None), "{replica:?}");
    assert_eq!(replica.text("role"), Some("replica"));
    assert_eq!(replica.text("replication"), Some("replicating"));
    assert!(replica.summary.contains("replica of arka-db-primary"), "{}", replica.summary);

    emulator.boto(
        r#"client("rds", "us-west-2").promote_read_replica(DBInstanceIdentifier="arka-db-dr-replica")"#,
    );
    let promoted = seer.await_seen("dr-db", is_critical).await;
    assert_eq!(why(&promoted), "it is no replica: it was promoted, or never replicated");
    assert_eq!(promoted.text("role"), Some("primary"));
}

#[tokio::test]
async fn statuses_and_pending_changes_are_told() {
    let emulator = Emulator::start();
    emulator.set_up(PAIR);
    let seer = Seer::at(&emulator.endpoint(), &pair());
    emulator.boto(
        r#"client("rds", "us-east-1").modify_db_instance(
    DBInstanceIdentifier="arka-db-primary", DBInstanceClass="db.r6g.2xlarge", ApplyImmediately=False)"#,
    );
    let waiting = seer.see("primary-db").await;
    assert_eq!(waiting.text("pending"), Some("class to db.r6g.2xlarge"), "{waiting:?}");
    emulator.boto(r#"client("rds", "us-east-1").stop_db_instance(DBInstanceIdentifier="arka-db-primary")"#);
    let stopped = seer.await_seen("primary-db", is_critical).await;
    assert!(why(&stopped).starts_with("its status is stop"), "{stopped:?}");
}

#[tokio::test]
async fn a_hundred_and_fifty_instances_cost_two_calls() {
    let emulator = Emulator::start();
    emulator.set_up(
        r#"
for number in range(150):
    client("rds", "us-west-2").create_db_instance(DBInstanceIdentifier=f"db-{number}", Engine="postgres",
        DBInstanceClass="db.t4g.micro", AllocatedStorage=20, MasterUsername="a", MasterUserPassword="not-secret")
"#,
    );
    let ids: Vec<String> = (0..150).map(|number| format!("db-{number}")).collect();
    let table = |id: &String| {
        probe(id, "rds-instance", "dr", &format!("instance = \"{id}\""))
            .replace("every = \"1s\"", "every = \"5m\"")
            .replace("timeout = \"5s\"", "timeout = \"2m\"")
    };
    let seer = Seer::at(&emulator.endpoint(), &ids.iter().map(table).collect::<String>());
    for round in 0..2 {
        let seen = futures::future::join_all(ids.iter().map(|id| seer.see(id))).await;
        assert!(seen.iter().all(|measured| measured.verdict == Verdict::Good), "round {round}");
    }
    let calls = emulator.calls();
    // A hundred on the first page, fifty on the second.
    assert_eq!(calls.get("rds:DescribeDBInstances@us-west-2"), Some(&2), "{calls:?}");
    assert_eq!(calls.len(), 1, "{calls:?}");
}

#[tokio::test]
async fn what_is_not_there_is_critical_and_named() {
    let emulator = Emulator::start();
    let tables = probe("db", "rds-instance", "dr", "instance = \"gone\"")
        + &probe("cluster", "rds-cluster", "dr", "cluster = \"gone\"");
    let seer = Seer::at(&emulator.endpoint(), &tables);
    let (db, cluster) = (seer.see("db").await, seer.see("cluster").await);
    assert_eq!(db.verdict, Verdict::Critical("there is no instance gone in us-west-2".into()));
    assert_eq!(cluster.verdict, Verdict::Critical("there is no cluster gone in us-west-2".into()));
}

#[tokio::test]
async fn a_cluster_tells_who_writes_before_and_after_a_failover() {
    let emulator = Emulator::start();
    emulator.set_up(
        r#"
rds = client("rds", "us-east-1")
rds.create_db_cluster(DBClusterIdentifier="market-scanning-prod", Engine="aurora-postgresql", MasterUsername="admin",
    MasterUserPassword="not-secret", BackupRetentionPeriod=7)
for name in ("one", "two"):
    rds.create_db_instance(DBInstanceIdentifier=name, DBClusterIdentifier="market-scanning-prod",
        Engine="aurora-postgresql", DBInstanceClass="db.r6g.large")
"#,
    );
    let tables = probe("db", "rds-cluster", "primary", "cluster = \"market-scanning-prod\"\nmin_readers = 1")
        + &probe("one", "rds-instance", "primary", "instance = \"one\"");
    let seer = Seer::at(&emulator.endpoint(), &tables);
    let before = seer.see("db").await;
    assert_eq!(before.verdict, Verdict::Good, "{before:?}");
    let names = |measured: &Measurement| {
        ["writer", "readers"].map(|field| measured.text(field).unwrap_or_default().to_owned())
    };
    let [writer, reader] = names(&before);
    assert!(
        writer != reader && ["one", "two"].iter().all(|name| *name == writer || *name == reader),
        "{before:?}"
    );
    assert!((59.0..90.0).contains(&before.value.unwrap()), "{before:?}");
    let member = seer.see("one").await;
    assert_eq!(member.text("role"), Some("member"), "{member:?}");
    assert_eq!(member.text("cluster"), Some("market-scanning-prod"));

    emulator.control(serde_json::json!({"transition_ms": 3000}));
    emulator.boto(
        r#"client("rds", "us-east-1").failover_db_cluster(DBClusterIdentifier="market-scanning-prod")"#,
    );
    let during = seer.await_seen("db", |measured| measured.verdict != Verdict::Good).await;
    assert_eq!(during.verdict, Verdict::Warn("its status is failing-over".into()), "{during:?}");
    let after = seer.await_seen("db", |measured| measured.verdict == Verdict::Good).await;
    assert_eq!(names(&after), [reader, writer]);
}

#[tokio::test]
async fn a_member_of_a_global_cluster_knows_its_writer_before_and_after_a_switchover() {
    crate::aws::isolate();
    let ministack = Ministack::start();
    let second = ministack.boto(
        r#"
here, there = client("rds", "us-east-1"), client("rds", "us-west-2")
first = here.create_db_cluster(DBClusterIdentifier="trading", Engine="aurora-postgresql", MasterUsername="admin",
    MasterUserPassword="not-secret")["DBCluster"]["DBClusterArn"]
here.create_global_cluster(GlobalClusterIdentifier="trading-global", SourceDBClusterIdentifier=first)
second = there.create_db_cluster(DBClusterIdentifier="trading-dr", Engine="aurora-postgresql",
    GlobalClusterIdentifier="trading-global")["DBCluster"]["DBClusterArn"]
for client_, cluster in ((here, "trading"), (there, "trading-dr")):
    client_.create_db_instance(DBInstanceIdentifier=cluster + "-1", DBClusterIdentifier=cluster,
        Engine="aurora-postgresql", DBInstanceClass="db.r6g.large")
result(second)
"#,
    );
    let keys = "cluster = \"trading-dr\"\nglobal_cluster = \"trading-global\"\nexpect_role = \"secondary\"";
    let seer = Seer::at(&ministack.endpoint(), &probe("db", "rds-cluster", "dr", keys));
    let before = seer.see("db").await;
    assert_eq!(before.text("role"), Some("secondary"), "{before:?}");
    assert!(!is_critical(&before), "{before:?}");
    assert!(before.text("global_writer").unwrap().ends_with(":cluster:trading"), "{before:?}");

    let second = second.as_str().unwrap();
    ministack.boto(&format!(
        r#"client("rds", "us-east-1").switchover_global_cluster(
    GlobalClusterIdentifier="trading-global", TargetDbClusterIdentifier="{second}")"#
    ));
    let after = seer.await_seen("db", |measured| measured.text("role") == Some("primary")).await;
    assert_eq!(why(&after), "it takes writes, expected one that replicates another cluster");
    assert_eq!(after.text("global_writer"), Some(second));
}
