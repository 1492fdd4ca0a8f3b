//! Taking snapshots, and restoring them.

use super::*;
use lifeboat::core::words::action::Acted;
use serde_json::json;

const TOKEN: &str = "2026-03-01T12:00:00Z/1/restore/1";

/// Two snapshots of the instance, the second one newer, and one of the cluster.
const SNAPSHOTS: &str = r#"
rds = client("rds", "us-west-2")
for name in ("final-1", "final-2"):
    rds.create_db_snapshot(DBInstanceIdentifier="arka-db-primary", DBSnapshotIdentifier=name)
rds.create_db_cluster_snapshot(DBClusterIdentifier="market-scanning-prod",
    DBClusterSnapshotIdentifier="market-scanning-prod-final-snapshot")
"#;

fn start() -> World {
    let world = World::start();
    world.emulator.set_up(SNAPSHOTS);
    world
}

#[tokio::test]
async fn an_instance_is_restored_from_the_newest_snapshot_of_its_prefix() {
    let world = start();
    world.emulator.set_up(
        "client('rds', 'us-west-2').create_db_snapshot(DBInstanceIdentifier='arka-db-primary', \
         DBSnapshotIdentifier='other')",
    );
    let keys = [
        ("source_instance", "arka-db-primary"),
        ("target", "recovery"),
        ("snapshot", "latest"),
        ("prefix", "final-"),
        ("class", "db.r6g.xlarge"),
    ];
    let action = world.action("rds-restore-snapshot", &keys);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert_eq!(described.target.name, "recovery");
    assert_eq!(property(&described, "snapshot"), "final-2");
    assert!(property(&described, "snapshot arn").ends_with(":snapshot:final-2"), "{described:?}");
    assert_eq!(
        described.call,
        "rds:RestoreDBInstanceFromDBSnapshot DBInstanceIdentifier=recovery DBSnapshotIdentifier=final-2 \
         DBInstanceClass=db.r6g.xlarge"
    );
    let notes = described.notes.join("\n");
    assert!(
        notes.contains(
            "Snapshot final-2 of arka-db-primary: available, postgres 15.4, 100 GiB, NOT encrypted."
        )
    );
    assert!(notes.contains("DATA LOSS: it was taken at "), "{notes}");
    done.unwrap();
    let made = world.instance("recovery");
    assert_eq!(
        (&made["DBInstanceStatus"], &made["DBInstanceClass"]),
        (&"available".into(), &"db.r6g.xlarge".into())
    );
    assert_eq!(tag(&made, "lifeboat:token"), TOKEN);
    assert_eq!(tag(&made, "lifeboat:restored-to"), "final-2");
    let evidence = run.verify(&*action, &described).await.unwrap().evidence.join("\n");
    assert!(evidence.contains("final-2") && evidence.contains(made["Endpoint"]["Address"].as_str().unwrap()));
}

#[tokio::test]
async fn what_aws_took_by_itself_is_found_as_the_latest_and_by_its_name() {
    let world = World::start();
    let keys = [("source_instance", "arka-db-primary"), ("target", "recovery"), ("snapshot", "latest")];
    let described = world.action("rds-restore-snapshot", &keys).describe().await.unwrap();
    let name = property(&described, "snapshot").to_owned();
    assert!(name.starts_with("rds:arka-db-primary-"), "{described:?}");
    let action = world.action("rds-restore-snapshot", &[keys[0], keys[1], ("snapshot", &name)]);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    done.unwrap();
    assert_eq!(tag(&world.instance("recovery"), "lifeboat:restored-to"), *name);
    run.verify(&*action, &described).await.unwrap();
}

#[tokio::test]
async fn a_cluster_is_restored_with_its_first_instance_and_the_snapshots_engine() {
    let world = start();
    let keys = [
        ("source_cluster", "market-scanning-prod"),
        ("target", "market-scanning-dr"),
        ("snapshot", "market-scanning-prod-final-snapshot"),
        ("instance_class", "db.r6g.large"),
    ];
    let action = world.action("rds-restore-snapshot", &keys);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert_eq!(
        described.command,
        "aws rds restore-db-cluster-from-snapshot --db-cluster-identifier market-scanning-dr --snapshot-identifier \
         market-scanning-prod-final-snapshot --engine aurora-postgresql --region us-west-2"
    );
    done.unwrap();
    let (cluster, instance) = (world.cluster("market-scanning-dr"), world.instance("market-scanning-dr-1"));
    assert_eq!((&cluster["Status"], tag(&cluster, "lifeboat:token")), (&"available".into(), TOKEN.into()));
    assert_eq!(instance["DBClusterIdentifier"], "market-scanning-dr");
    run.verify(&*action, &described).await.unwrap();
}

#[tokio::test]
async fn a_snapshot_of_the_wrong_sort_or_database_or_none_is_refused() {
    let world = start();
    for (source, snapshot, why) in [
        (
            ("source_cluster", "market-scanning-prod"),
            "final-1",
            "there is no snapshot final-1 of an RDS cluster",
        ),
        (
            ("source_instance", "arka-db-primary"),
            "market-scanning-prod-final-snapshot",
            "there is no snapshot market-scanning-prod-final-snapshot of an RDS instance",
        ),
        (
            ("source_instance", "sparc-db"),
            "final-1",
            "final-1 is a snapshot of arka-db-primary, not of sparc-db",
        ),
        (
            ("source_instance", "sparc-db"),
            "latest",
            "there is no available snapshot of the RDS instance sparc-db",
        ),
    ] {
        let action =
            world.action("rds-restore-snapshot", &[source, ("target", "recovery"), ("snapshot", snapshot)]);
        let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
        assert!(described.notes[0].contains(why), "{:?}", described.notes);
        let failure = done.unwrap_err();
        assert!(failure.acted == Acted::No && failure.why.contains(why), "{failure}");
    }
    assert_eq!(
        world.calls("RestoreDBInstanceFromDBSnapshot") + world.calls("RestoreDBClusterFromSnapshot"),
        0
    );
}

#[tokio::test]
async fn a_snapshot_that_is_not_available_is_refused() {
    let world = start();
    world.emulator.control(json!({"transition_ms": 60_000}));
    world.emulator.boto(
        "client('rds', 'us-west-2').create_db_snapshot(DBInstanceIdentifier='arka-db-primary', \
         DBSnapshotIdentifier='final-3')",
    );
    let keys = [("source_instance", "arka-db-primary"), ("target", "recovery"), ("snapshot", "final-3")];
    let (described, done) = Run::of(TOKEN).confirmed(&*world.action("rds-restore-snapshot", &keys)).await;
    let why = "the snapshot final-3 is creating (0 %), not available";
    assert!(described.notes[0].contains(why), "{:?}", described.notes);
    let failure = done.unwrap_err();
    assert!(failure.acted == Acted::No && failure.why == why, "{failure}");
    assert_eq!(world.calls("RestoreDBInstanceFromDBSnapshot"), 0);
    // `latest` passes it over.
    let keys = [keys[0], keys[1], ("snapshot", "latest")];
    let described = world.action("rds-restore-snapshot", &keys).describe().await.unwrap();
    assert_eq!(property(&described, "snapshot"), "final-2");
}

#[tokio::test]
async fn a_newer_snapshot_than_the_confirmed_one_is_refused() {
    let world = start();
    let keys = [("source_instance", "arka-db-primary"), ("target", "recovery"), ("snapshot", "latest")];
    let action = world.action("rds-restore-snapshot", &keys);
    let described = action.describe().await.unwrap();
    world.emulator.set_up(
        "client('rds', 'us-west-2').create_db_snapshot(DBInstanceIdentifier='arka-db-primary', \
         DBSnapshotIdentifier='newer')",
    );
    let failure = action.execute(&described.target, &Run::of(TOKEN).context).await.unwrap_err();
    assert!(
        failure.acted == Acted::No && failure.why.contains("snapshot is newer, was final-2"),
        "{failure}"
    );
}

fn snapshots(world: &World) -> Value {
    world.emulator.boto(
        "rds = client('rds', 'us-west-2')\n\
         result(rds.describe_db_snapshots(SnapshotType='manual')['DBSnapshots'] + \
         rds.describe_db_cluster_snapshots(SnapshotType='manual')['DBClusterSnapshots'])",
    )
}

#[tokio::test]
async fn snapshots_are_taken_of_both_sorts_under_a_name_of_the_attempt() {
    let world = World::start();
    for (key, id, field) in [
        ("instance", "arka-db-primary", "DBSnapshotIdentifier"),
        ("cluster", "market-scanning-prod", "DBClusterSnapshotIdentifier"),
    ] {
        let action = world.action("rds-snapshot", &[(key, id)]);
        let run = Run::of("2026-03-01T12:00:00Z/1/snapshot/1");
        let (described, done) = run.confirmed(&*action).await;
        assert_eq!(described.target.name, id);
        let name = format!("lifeboat-{id}-2026-03-01t12-00-00z-1-snapshot-1");
        assert_eq!(done.unwrap().summary, format!("the snapshot {name} is available"));
        assert!(run.said().contains(&format!("{name} is creating, 0 %")), "{}", run.said());
        let all = snapshots(&world);
        let made = all.as_array().unwrap().iter().find(|made| made[field] == *name).unwrap();
        assert_eq!(made["Status"], "available");
        assert_eq!(tag(made, "lifeboat:token"), "2026-03-01T12:00:00Z/1/snapshot/1");
        run.verify(&*action, &described).await.unwrap();
        let other = Run::of("2026-03-01T12:00:00Z/1/snapshot/2").verify(&*action, &described).await;
        assert!(other.unwrap_err().why.contains("was not taken"));
    }
}

#[tokio::test]
async fn a_snapshot_name_that_is_taken_and_a_database_that_is_gone_are_refused() {
    let world = start();
    let keys = [("instance", "arka-db-primary"), ("snapshot", "final-1")];
    let action = world.action("rds-snapshot", &keys);
    let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
    let why = "a snapshot final-1 of arka-db-primary exists already, available";
    assert!(described.notes.iter().any(|note| note.contains(why)), "{:?}", described.notes);
    let failure = done.unwrap_err();
    assert!(failure.acted == Acted::No && failure.why == why, "{failure}");
    // What was true before the step proves nothing.
    let failure = Run::of(TOKEN).verify(&*action, &described).await.unwrap_err();
    assert!(failure.why.contains("is not of this attempt"), "{failure}");

    let (described, done) =
        Run::of(TOKEN).confirmed(&*world.action("rds-snapshot", &[("cluster", "gone")])).await;
    assert!(!described.target.reachable && described.notes[0].contains("there is no RDS cluster gone"));
    assert_eq!(done.unwrap_err().acted, Acted::No);
    assert_eq!(world.calls("CreateDBSnapshot") + world.calls("CreateDBClusterSnapshot"), 0);
}
