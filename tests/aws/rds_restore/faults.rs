//! Bad days: lost answers, no permission, throttling, restores that fail half way, and what a look shows after a crash.

use super::*;
use crate::aws::{Fault, FaultProxy, Match, Times};
use lifeboat::core::words::action::Acted;
use serde_json::json;

const TOKEN: &str = "2026-03-01T12:00:00Z/1/restore/1";
const NEXT: &str = "2026-03-01T12:00:00Z/1/restore/2";

const INSTANCE_KEYS: [(&str, &str); 3] =
    [("source_instance", "arka-db-primary"), ("target", "recovery"), ("time", "latest")];
const CLUSTER_KEYS: [(&str, &str); 4] = [
    ("source_cluster", "market-scanning-prod"),
    ("target", "recovery"),
    ("time", "latest"),
    ("instance_class", "db.r6g.large"),
];

struct Bad {
    world: World,
    proxy: FaultProxy,
}

impl Bad {
    fn start() -> Self {
        let world = World::start();
        let proxy = FaultProxy::before(&world.emulator.endpoint());
        Self { world, proxy }
    }

    fn action(&self, kind: &str, keys: &[(&str, &str)]) -> Box<dyn Action> {
        action(&self.proxy.endpoint(), kind, keys)
    }
}

/// Verifies until it is proven, as the engine does while an operator waits; gives what was said on the way.
async fn proven(run: &Run, action: &dyn Action, described: &Description) -> (Vec<String>, Proof) {
    let mut said = Vec::new();
    for _ in 0..200 {
        match run.verify(action, described).await {
            Ok(proof) => return (said, proof),
            Err(failure) => said.push(failure.to_string()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never proven: {said:?}");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_found_again_by_its_tag() {
    let bad = Bad::start();
    bad.world.emulator.control(json!({"transition_ms": 600}));
    for (kind, keys, operation) in [
        ("rds-restore-pitr", &INSTANCE_KEYS[..], "RestoreDBInstanceToPointInTime"),
        ("rds-snapshot", &[("cluster", "market-scanning-prod")], "CreateDBClusterSnapshot"),
        ("rds-snapshot", &[("instance", "arka-db-primary")], "CreateDBSnapshot"),
    ] {
        bad.proxy.fault(Match::operation(operation), Fault::LoseAnswer, Times::ONCE);
        let action = bad.action(kind, keys);
        let run = Run::of(TOKEN);
        let (described, done) = run.confirmed(&*action).await;
        let failure = done.unwrap_err();
        assert_eq!(failure.acted, Acted::Maybe, "{failure}");
        assert!(failure.next.contains("before anything is sent again"), "{}", failure.next);
        // The same look after a crash: the action is built anew.
        let action = bad.action(kind, keys);
        let (said, proof) = proven(&run, &*action, &described).await;
        assert!(said.iter().any(|said| said.contains("creating")), "{said:?}");
        assert!(proof.evidence[0].contains("made by this attempt"), "{proof:?}");
        // Another attempt does not take it for its own.
        let other = Run::of(NEXT).verify(&*action, &described).await.unwrap_err();
        assert!(other.why.contains("not of this attempt") || other.why.contains("was not taken"), "{other}");
        assert_eq!(bad.world.calls(operation), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_of_a_cluster_tells_what_is_still_to_do() {
    let bad = Bad::start();
    bad.proxy.fault(Match::operation("RestoreDBClusterToPointInTime"), Fault::LoseAnswer, Times::ONCE);
    let action = bad.action("rds-restore-pitr", &CLUSTER_KEYS);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert_eq!(done.unwrap_err().acted, Acted::Maybe);
    let mut failure = run.verify(&*action, &described).await.unwrap_err();
    while failure.why.contains("still creating") {
        failure = run.verify(&*action, &described).await.unwrap_err();
    }
    assert!(
        failure.why.contains("recovery is restored, but its first instance recovery-1 is not there"),
        "{failure}"
    );
    assert!(
        failure.next.contains(
            "`aws rds create-db-instance --db-instance-identifier recovery-1 --db-cluster-identifier recovery \
             --db-instance-class db.r6g.large --engine aurora-postgresql --region us-west-2`"
        ),
        "{}",
        failure.next
    );
    // A person does it; the same look then proves the step.
    bad.world.emulator.set_up(
        "client('rds', 'us-west-2').create_db_instance(DBInstanceIdentifier='recovery-1', \
         DBClusterIdentifier='recovery', DBInstanceClass='db.r6g.large', Engine='aurora-postgresql')",
    );
    run.verify(&*action, &described).await.unwrap();
}

#[tokio::test]
async fn the_same_attempt_goes_on_instead_of_sending_again() {
    let bad = Bad::start();
    let action = bad.action("rds-restore-pitr", &CLUSTER_KEYS);
    bad.proxy.fault(Match::operation("CreateDBInstance"), Fault::CutBefore, Times::ONCE);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    let failure = done.unwrap_err();
    assert!(
        failure.acted == Acted::Maybe && failure.why.contains("its first instance could not be made"),
        "{failure}"
    );
    action.execute(&described.target, &run.context).await.unwrap();
    run.verify(&*action, &described).await.unwrap();
    assert_eq!(bad.world.calls("RestoreDBClusterToPointInTime"), 1);
    let refused = action.execute(&described.target, &Run::of(NEXT).context).await.unwrap_err();
    assert!(
        refused.acted == Acted::No && refused.why.contains(&format!("made by the attempt {TOKEN}")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_call_that_never_arrived_is_not_proven() {
    let bad = Bad::start();
    bad.proxy.fault(Match::operation("RestoreDBInstanceToPointInTime"), Fault::CutBefore, Times::ONCE);
    let action = bad.action("rds-restore-pitr", &INSTANCE_KEYS);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert_eq!(done.unwrap_err().acted, Acted::Maybe);
    let failure = run.verify(&*action, &described).await.unwrap_err();
    assert!(failure.why.contains("there is no RDS instance recovery: it was not restored"), "{failure}");
}

#[tokio::test]
async fn without_permission_the_permission_is_named_and_nothing_is_done() {
    let world = World::start();
    let snapshot = "client('rds', 'us-west-2').create_db_snapshot(DBInstanceIdentifier='arka-db-primary', \
                    DBSnapshotIdentifier='final')";
    world.emulator.set_up(snapshot);
    for (kind, keys, permission) in [
        ("rds-restore-pitr", &INSTANCE_KEYS[..], "rds:RestoreDBInstanceToPointInTime"),
        ("rds-restore-pitr", &CLUSTER_KEYS, "rds:RestoreDBClusterToPointInTime"),
        (
            "rds-restore-snapshot",
            &[("source_instance", "arka-db-primary"), ("target", "recovery"), ("snapshot", "final")],
            "rds:RestoreDBInstanceFromDBSnapshot",
        ),
        ("rds-snapshot", &[("instance", "arka-db-primary")], "rds:CreateDBSnapshot"),
        (
            "rds-modify",
            &[("instance", "arka-db-primary"), ("class", "db.r6g.2xlarge")],
            "rds:ModifyDBInstance",
        ),
        // What is only looked at is named as well.
        ("rds-restore-pitr", &INSTANCE_KEYS, "rds:DescribeDBInstances"),
        ("rds-modify", &[("instance", "arka-db-primary"), ("iops", "3000")], "rds:DescribeDBInstances"),
    ] {
        world.emulator.control(json!({"deny": [permission]}));
        let (described, done) = Run::of(TOKEN).confirmed(&*world.action(kind, keys)).await;
        let failure = done.unwrap_err();
        assert_eq!(failure.acted, Acted::No, "{permission}");
        assert!(failure.next.contains(&format!("Grant `{permission}`")), "{}", failure.next);
        if permission.contains("Describe") {
            assert!(!described.target.reachable && described.notes[0].contains(permission), "{described:?}");
        }
    }
    world.emulator.control(json!({"deny": []}));
    assert!(world.instance("recovery").is_null() && world.cluster("recovery").is_null());
}

#[tokio::test]
async fn without_sight_of_the_backups_the_window_is_an_estimate_and_still_holds() {
    let world = World::start();
    world.emulator.control(json!({"deny": ["rds:DescribeDBInstanceAutomatedBackups"]}));
    let action = world
        .action("rds-restore-pitr", &[INSTANCE_KEYS[0], INSTANCE_KEYS[1], ("time", "2001-01-01T00:00:00Z")]);
    let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
    let notes = described.notes.join("\n");
    assert!(
        notes.contains("estimate") && notes.contains("rds:DescribeDBInstanceAutomatedBackups"),
        "{notes}"
    );
    assert!(done.unwrap_err().why.contains("the earliest restorable time"));
    assert_eq!(world.calls("RestoreDBInstanceToPointInTime"), 0);
}

#[tokio::test]
async fn a_throttled_call_was_not_done_and_is_not_sent_again_by_itself() {
    let bad = Bad::start();
    for (kind, keys, operation) in [
        ("rds-restore-pitr", &INSTANCE_KEYS[..], "RestoreDBInstanceToPointInTime"),
        ("rds-snapshot", &[("instance", "arka-db-primary")], "CreateDBSnapshot"),
        ("rds-modify", &[("instance", "arka-db-primary"), ("class", "db.r6g.xlarge")], "ModifyDBInstance"),
    ] {
        bad.proxy.fault(Match::operation(operation), Fault::Throttle, Times::ONCE);
        let action = bad.action(kind, keys);
        let run = Run::of(TOKEN);
        let (described, done) = run.confirmed(&*action).await;
        let failure = done.unwrap_err();
        assert!(failure.acted == Acted::No && failure.next.contains("Wait half a minute"), "{failure}");
        assert_eq!(bad.world.calls(operation), 0, "{operation}");
        // A person retries.
        action.execute(&described.target, &run.context).await.unwrap();
    }
}

#[tokio::test]
async fn a_restore_that_fails_half_way_is_told_with_what_is_left_behind() {
    let world = World::start();
    for (keys, end) in [(&INSTANCE_KEYS[..], "incompatible-restore"), (&CLUSTER_KEYS, "incompatible-network")]
    {
        world.emulator.control(json!({"fail_next_restore": end}));
        let action = world.action("rds-restore-pitr", keys);
        let run = Run::of(TOKEN);
        let (described, done) = run.confirmed(&*action).await;
        for failure in [done.unwrap_err(), run.verify(&*action, &described).await.unwrap_err()] {
            assert_eq!(failure.acted, Acted::Maybe);
            assert!(failure.why.contains(&format!("recovery exists and is {end}")), "{failure}");
            assert!(failure.next.contains("delete it") && failure.next.contains("describe-events"));
        }
    }
    assert!(world.instance("recovery-1").is_null());
}

#[tokio::test]
async fn a_restore_that_outlives_its_time_goes_on_and_is_proven_later() {
    let world = World::start();
    world.emulator.control(json!({"transition_ms": 1500}));
    let action = world.action("rds-restore-pitr", &INSTANCE_KEYS);
    let run = Run::within(TOKEN, SignedDuration::from_secs(30));
    let (described, done) = run.confirmed(&*action).await;
    let failure = done.unwrap_err();
    assert!(
        failure.acted == Acted::Maybe && failure.why.contains("goes on by itself: recovery is creating"),
        "{failure}"
    );
    proven(&run, &*action, &described).await;
}

#[tokio::test]
async fn a_region_that_vanishes_in_the_middle_and_comes_back_is_believed() {
    let bad = Bad::start();
    let action = bad.action("rds-restore-pitr", &INSTANCE_KEYS);
    let run = Run::of(TOKEN);
    let described = action.describe().await.unwrap();
    let away = async {
        while !run.said().contains("creating") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bad.proxy.refuse();
        while !run.said().contains("not seen") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bad.proxy.restore();
    };
    bad.world.emulator.control(json!({"transition_ms": 1000}));
    let (done, ()) = futures::future::join(action.execute(&described.target, &run.context), away).await;
    done.unwrap();
    run.verify(&*action, &described).await.unwrap();
}

#[tokio::test]
async fn a_region_that_is_gone_is_described_and_nothing_is_done() {
    let bad = Bad::start();
    bad.proxy.fault(Match::all(), Fault::Html(502), Times::Always);
    for (kind, keys) in [
        ("rds-restore-pitr", &INSTANCE_KEYS[..]),
        ("rds-snapshot", &[("instance", "arka-db-primary")]),
        ("rds-modify", &[("instance", "arka-db-primary"), ("class", "db.r6g.xlarge")]),
    ] {
        let action = bad.action(kind, keys);
        let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
        assert!(!described.target.reachable && described.notes[0].contains("not AWS"), "{described:?}");
        assert!(described.command.starts_with("aws rds "));
        let failure = done.unwrap_err();
        assert!(failure.acted == Acted::No && failure.next.contains("HTTPS_PROXY"), "{failure}");
    }
}
