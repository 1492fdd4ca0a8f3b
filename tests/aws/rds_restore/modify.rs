//! Changes of an instance.

use super::*;
use crate::aws::{Fault, FaultProxy, Match, Times};
use lifeboat::core::words::action::Acted;
use serde_json::json;

const TOKEN: &str = "2026-03-01T12:00:00Z/1/scale-up/1";
const ID: (&str, &str) = ("instance", "arka-db-primary");

#[tokio::test]
async fn a_class_and_more_are_changed_now_and_read_back() {
    let world = World::start();
    let keys = [
        ID,
        ("class", "db.r6g.2xlarge"),
        ("backup_retention_days", "14"),
        ("multi_az", "true"),
        ("storage_gib", "200"),
    ];
    let action = world.action("rds-modify", &keys);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert_eq!(described.target.name, "arka-db-primary");
    assert_eq!(property(&described, "class"), "db.r6g.large");
    assert!(property(&described, "tags").contains("team=pact"));
    assert_eq!(
        described.call,
        "rds:ModifyDBInstance DBInstanceIdentifier=arka-db-primary DBInstanceClass=db.r6g.2xlarge \
         BackupRetentionPeriod=14 MultiAZ=true AllocatedStorage=200 ApplyImmediately=true"
    );
    let notes: Vec<String> = described.sets.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let notes = notes.join("\n");
    assert!(
        notes.contains("class: db.r6g.large -> db.r6g.2xlarge: restarts the instance, an OUTAGE of minutes.")
    );
    assert!(notes.contains("backup retention: 7 days -> 14 days: no outage."), "{notes}");
    assert!(done.unwrap().summary.contains("class db.r6g.large -> db.r6g.2xlarge"));
    assert!(run.said().contains("arka-db-primary is modifying: class"), "{}", run.said());
    let now = world.instance("arka-db-primary");
    assert_eq!(
        (&now["DBInstanceStatus"], &now["DBInstanceClass"]),
        (&"available".into(), &"db.r6g.2xlarge".into())
    );
    assert_eq!((&now["BackupRetentionPeriod"], &now["MultiAZ"]), (&14.into(), &true.into()));
    assert_eq!(now["AllocatedStorage"], 200);
    let evidence = run.verify(&*action, &described).await.unwrap().evidence;
    assert!(evidence.contains(&"class is db.r6g.2xlarge, was db.r6g.large".to_owned()), "{evidence:?}");
}

#[tokio::test]
async fn what_is_so_already_is_refused_and_proves_nothing() {
    let world = World::start();
    let action = world.action("rds-modify", &[ID, ("class", "db.r6g.large"), ("backup_retention_days", "7")]);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert!(described.notes[0].contains("already has all that is asked for"), "{:?}", described.notes);
    let failure = done.unwrap_err();
    assert!(failure.acted == Acted::No && failure.why.contains("already has all"), "{failure}");
    let unproven = run.verify(&*action, &described).await.unwrap_err();
    assert!(unproven.why.contains("before the step"), "{unproven}");
    assert_eq!(world.calls("ModifyDBInstance"), 0);
}

#[tokio::test]
async fn a_change_for_the_maintenance_window_is_noted_and_an_immediate_one_takes_it_along() {
    let world = World::start();
    let later =
        world.action("rds-modify", &[ID, ("class", "db.r6g.2xlarge"), ("apply_immediately", "false")]);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*later).await;
    assert!(described.notes.join("\n").contains("Maintenance window (UTC): "), "{:?}", described.notes);
    assert!(done.unwrap().summary.ends_with("in its maintenance window"));
    let now = world.instance("arka-db-primary");
    assert_eq!(now["DBInstanceClass"], "db.r6g.large");
    assert_eq!(now["PendingModifiedValues"]["DBInstanceClass"], "db.r6g.2xlarge");
    let evidence = run.verify(&*later, &described).await.unwrap().evidence;
    assert!(evidence[0].contains("class db.r6g.2xlarge is noted for the maintenance window"), "{evidence:?}");
    // The same again would change nothing.
    let (_, done) = Run::of(TOKEN).confirmed(&*later).await;
    assert!(done.unwrap_err().why.contains("or has it noted"));
    // Another immediate change says that it takes the class along.
    let storage = world.action("rds-modify", &[ID, ("storage_gib", "200")]);
    let (described, done) = Run::of(TOKEN).confirmed(&*storage).await;
    let notes = described.notes.join("\n");
    assert!(notes.contains("IS PENDING AND APPLIED NOW AS WELL: class db.r6g.2xlarge."), "{notes}");
    done.unwrap();
    assert_eq!(world.instance("arka-db-primary")["DBInstanceClass"], "db.r6g.2xlarge");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_world_shows_what_became_of_it() {
    let world = World::start();
    world.emulator.control(json!({"transition_ms": 800}));
    let proxy = FaultProxy::before(&world.emulator.endpoint());
    let action = action(&proxy.endpoint(), "rds-modify", &[ID, ("class", "db.r6g.2xlarge")]);
    let run = Run::of(TOKEN);
    // The request does not arrive: the look says that it was not done.
    proxy.fault(Match::operation("ModifyDBInstance"), Fault::CutBefore, Times::ONCE);
    let (described, done) = run.confirmed(&*action).await;
    assert_eq!(done.unwrap_err().acted, Acted::Maybe);
    let failure = run.verify(&*action, &described).await.unwrap_err();
    assert!(failure.why.starts_with("it was not done: "), "{failure}");
    // It arrives and its answer is lost: the look says that it goes on, and then that it is done.
    proxy.fault(Match::operation("ModifyDBInstance"), Fault::LoseAnswer, Times::ONCE);
    assert_eq!(action.execute(&described.target, &run.context).await.unwrap_err().acted, Acted::Maybe);
    let failure = run.verify(&*action, &described).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe, "{failure}");
    let mut proof = Err(failure);
    for _ in 0..200 {
        proof = run.verify(&*action, &described).await;
        if proof.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    proof.unwrap();
    assert_eq!(world.calls("ModifyDBInstance"), 1);
}

#[tokio::test]
async fn what_aws_or_the_world_does_not_allow_is_refused() {
    let world = World::start();
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*world.action("rds-modify", &[ID, ("storage_gib", "50")])).await;
    assert!(described.notes[0].contains("storage only grows"), "{:?}", described.notes);
    assert_eq!(done.unwrap_err().acted, Acted::No);
    let gone = world.action("rds-modify", &[("instance", "gone"), ("class", "db.r6g.large")]);
    let (described, done) = run.confirmed(&*gone).await;
    assert!(described.notes[0].contains("there is no RDS instance gone"));
    assert!(done.unwrap_err().why.contains("there is no RDS instance gone"));
    assert_eq!(world.calls("ModifyDBInstance"), 0);
    // Another class since the confirmation.
    let action = world.action("rds-modify", &[ID, ("class", "db.r6g.2xlarge")]);
    let described = action.describe().await.unwrap();
    let change = |class: &str| {
        format!(
            "client('rds', 'us-west-2').modify_db_instance(DBInstanceIdentifier='arka-db-primary', \
             DBInstanceClass='{class}', ApplyImmediately=True)"
        )
    };
    world.emulator.set_up(&change("db.t4g.medium"));
    let failure = action.execute(&described.target, &run.context).await.unwrap_err();
    assert!(
        failure.acted == Acted::No && failure.why.contains("class is db.t4g.medium, was db.r6g.large"),
        "{failure}"
    );
    assert_eq!(world.calls("ModifyDBInstance"), 0);
}

#[tokio::test]
async fn what_aws_itself_refuses_was_not_done() {
    let world = World::start();
    world.emulator.control(json!({"transition_ms": 60_000}));
    world.emulator.boto(
        "client('rds', 'us-west-2').create_db_instance(DBInstanceIdentifier='busy', DBInstanceClass='db.r6g.large', \
         Engine='postgres', AllocatedStorage=20, MasterUsername='a', MasterUserPassword='not-secret')",
    );
    let action = world.action("rds-modify", &[("instance", "busy"), ("class", "db.r6g.xlarge")]);
    let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
    assert!(described.notes.iter().any(|note| note.contains("It is creating")), "{:?}", described.notes);
    let failure = done.unwrap_err();
    assert!(failure.acted == Acted::No && failure.why.contains("InvalidDBInstanceState"), "{failure}");
    assert!(failure.next.contains("nothing was done"), "{}", failure.next);
}
