//! What the actions find when they look whether they could be done now.

use super::*;
use lifeboat::core::words::preflight::{Check, Checked};
use serde_json::json;

fn words(checks: &[Check]) -> Vec<String> {
    checks
        .iter()
        .map(|check| {
            let (result, seen) = match &check.result {
                Checked::Pass(seen) => ("pass", seen),
                Checked::Warn(seen) => ("warn", seen),
                Checked::Fail(seen) => ("fail", seen),
                Checked::NotCheckable(seen) => ("not checkable", seen),
            };
            format!("{result}: {}: {seen}", check.what)
        })
        .collect()
}

async fn checked(world: &World, kind: &str, keys: &[(&str, &str)]) -> Vec<String> {
    words(&world.action(kind, keys).preflight().await)
}

const RESTORE: [(&str, &str); 2] = [("source_instance", "arka-db-primary"), ("target", "recovery")];

#[tokio::test]
async fn all_that_a_restore_needs_is_looked_at_and_nothing_is_changed() {
    let world = World::start();
    world.emulator.set_up(
        "ec2 = client('ec2', 'us-west-2')\n\
         subnets = [s['SubnetId'] for s in ec2.describe_subnets()['Subnets'][:2]]\n\
         client('rds', 'us-west-2').create_db_subnet_group(DBSubnetGroupName='arka-db', \
         DBSubnetGroupDescription='d', SubnetIds=subnets)",
    );
    let keys = [
        RESTORE[0],
        RESTORE[1],
        ("time", "latest"),
        ("class", "db.r6g.2xlarge"),
        ("subnet_group", "arka-db"),
    ];
    let found = checked(&world, "rds-restore-pitr", &keys).await;
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("pass: arka-db-primary can be restored: Restorable from "), "{found:?}");
    assert_eq!(found[1], "pass: the name recovery is free: there is no RDS instance of that name");
    assert!(
        found[2].starts_with("pass: db.r6g.2xlarge is offered for postgres 15.4: in us-west-2a, us-west-2b")
    );
    assert!(found[3].starts_with("pass: the subnet group arka-db is there: in the VPC vpc-"), "{found:?}");
    let changed = world
        .emulator
        .calls()
        .into_keys()
        .filter(|call| !call.contains(":Describe") && !call.contains(":Get"));
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<String>::new());
}

#[tokio::test]
async fn what_would_fail_is_found() {
    let world = World::start();
    let keys = [
        RESTORE[0],
        ("target", "market-scanning-prod-1"),
        ("time", "2001-01-01T00:00:00Z"),
        ("class", "db.x9.huge"),
        ("subnet_group", "gone"),
    ];
    let found = checked(&world, "rds-restore-pitr", &keys).await;
    assert!(found[0].contains("fail: ") && found[0].contains("the earliest restorable time"), "{found:?}");
    assert!(found[1].contains("fail: ") && found[1].contains("exists already"), "{found:?}");
    assert!(
        found[2].contains("fail: ") && found[2].contains("us-west-2 does not offer db.x9.huge"),
        "{found:?}"
    );
    assert!(found[3].starts_with("fail: the subnet group gone is there: "), "{found:?}");
    let found =
        checked(&world, "rds-restore-snapshot", &[RESTORE[0], RESTORE[1], ("snapshot", "gone")]).await;
    assert!(found[0].starts_with("fail: ") && found[0].contains("there is no snapshot gone"), "{found:?}");
    let found = checked(&world, "rds-snapshot", &[("cluster", "gone")]).await;
    assert!(found[0].starts_with("fail: ") && found[0].contains("there is no RDS cluster gone"), "{found:?}");
    let found =
        checked(&world, "rds-modify", &[("instance", "arka-db-primary"), ("class", "db.r6g.large")]).await;
    assert!(found[0].starts_with("warn: ") && found[0].contains("already has all"), "{found:?}");
}

#[tokio::test]
async fn what_may_not_be_looked_at_is_not_called_good_or_bad() {
    let world = World::start();
    world
        .emulator
        .control(json!({"deny": ["rds:DescribeOrderableDBInstanceOptions", "rds:DescribeDBSubnetGroups"]}));
    let keys = [RESTORE[0], RESTORE[1], ("time", "latest"), ("subnet_group", "arka-db")];
    let found = checked(&world, "rds-restore-pitr", &keys).await;
    assert!(found[2].starts_with("not checkable: db.r6g.large is offered"), "{found:?}");
    assert!(
        found[3].starts_with("not checkable: ") && found[3].contains("Grant `rds:DescribeDBSubnetGroups`"),
        "{found:?}"
    );
    let keys = [("instance", "arka-db-primary"), ("class", "db.r6g.2xlarge")];
    let found = checked(&world, "rds-modify", &keys).await;
    assert_eq!(found[0], "pass: arka-db-primary can be changed: class db.r6g.large -> db.r6g.2xlarge");
    assert!(found[1].starts_with("not checkable: "), "{found:?}");
}

#[tokio::test]
async fn what_the_plan_fills_in_later_is_not_called_bad() {
    let world = World::start();
    let keys = [RESTORE[0], ("target", "recovery-{{ incident.id }}"), ("time", "{{ incident.declared }}")];
    let found = checked(&world, "rds-restore-pitr", &keys).await;
    for check in &found[..2] {
        assert!(check.starts_with("not checkable: ") && check.contains("fills it in"), "{found:?}");
    }
    let keys = [("instance", "arka-db-primary"), ("snapshot", "before-{{ incident.id }}")];
    let found = checked(&world, "rds-snapshot", &keys).await;
    assert_eq!(found, ["pass: a snapshot of arka-db-primary can be taken: it is available"]);
    // Nobody filled it in: nothing is sent.
    let action =
        world.action("rds-restore-pitr", &[RESTORE[0], RESTORE[1], ("time", "{{ incident.declared }}")]);
    let (described, done) = Run::of("t").confirmed(&*action).await;
    assert!(described.notes[0].contains("its time is not filled in"), "{:?}", described.notes);
    assert!(done.unwrap_err().why.contains("its time is not filled in"));
    assert_eq!(world.calls("RestoreDBInstanceToPointInTime"), 0);
}
