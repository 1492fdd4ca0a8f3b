use super::*;
use lifeboat::core::words::action::Acted;
use lifeboat::core::words::preflight::Checked;
use serde_json::json;

const WANTED: &[(&str, &str)] =
    &[("instance", REPLICA), ("backup_retention_days", "7"), ("source", "arka-db-primary")];

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_from_another_region_is_promoted_through_its_statuses_and_read_back() {
    let emulator = world();
    emulator.control(json!({"transition_ms": 4000}));
    let step = Step::new(&emulator.endpoint(), "rds-promote", WANTED).await;
    assert_eq!((&*step.described.target.name, step.described.target.reachable), (REPLICA, true));
    assert!(step.is("role").starts_with("replica of arn:aws:rds:us-east-1:"), "{:?}", step.described);
    assert!(step.is("resource id").starts_with("db-") && step.is("caller").starts_with("arn:aws:"));
    assert_eq!((step.is("region"), step.is("class")), ("us-west-2", "db.r6g.large"));
    let notes = step.notes();
    for part in
        ["in us-east-1", "NOT known from RDS", "It has no backups", "us-west-2a", "Replication: replicating"]
    {
        assert!(notes.contains(part), "{part} is not in {notes}");
    }
    let early = step.verify().await.unwrap_err();
    assert!(early.why.starts_with("nothing of it can be seen: available, still replica of"), "{early:?}");

    step.execute().await.unwrap();
    let said = step.said();
    let at = |part: &str| said.find(part).unwrap_or_else(|| panic!("{part} is not in {said}"));
    assert!(
        at("rds:PromoteReadReplica") < at("modifying, still")
            && at("modifying, still") < at("rebooting, still")
    );
    let proof = step.verify().await.unwrap().evidence.join("\n");
    for part in
        ["is standalone, was replica of arn:aws:rds:us-east-1", "status is available", "backups for 7 d"]
    {
        assert!(proof.contains(part), "{part} is not in {proof}");
    }
    let promoted = instance(&emulator, "us-west-2", REPLICA);
    assert!(promoted["ReadReplicaSourceDBInstanceIdentifier"].is_null(), "{promoted}");
    assert_eq!(
        (&promoted["DBInstanceStatus"], &promoted["BackupRetentionPeriod"]),
        (&json!("available"), &json!(7))
    );
    let source = instance(&emulator, "us-east-1", "arka-db-primary");
    assert_eq!(source["ReadReplicaDBInstanceIdentifiers"], json!([]));
    assert_eq!(calls(&emulator, "PromoteReadReplica"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_promotion_is_refused_and_what_was_no_replica_is_never_proven() {
    let emulator = world();
    let step = Step::new(&emulator.endpoint(), "rds-promote", WANTED).await;
    step.execute().await.unwrap();
    let again = step.execute().await.unwrap_err();
    assert_eq!(again.acted, Acted::No);
    assert!(again.why.contains("it is no replica, it is standalone"), "{again:?}");
    let after = Step::new(&emulator.endpoint(), "rds-promote", WANTED).await;
    assert!(after.notes().contains("THIS STEP WILL REFUSE: it is no replica"), "{}", after.notes());
    let unproven = after.verify().await.unwrap_err();
    assert!(unproven.why.contains("proves nothing"), "{unproven:?}");
    assert_eq!(calls(&emulator, "PromoteReadReplica"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_of_the_same_name_is_not_touched() {
    let emulator = world();
    let step = Step::new(&emulator.endpoint(), "rds-promote", WANTED).await;
    emulator.set_up(
        "west = client('rds', 'us-west-2')\n\
         west.delete_db_instance(DBInstanceIdentifier='arka-db-dr-replica', SkipFinalSnapshot=True)\n\
         source = client('rds', 'us-east-1').describe_db_instances()['DBInstances'][0]['DBInstanceArn']\n\
         west.create_db_instance_read_replica(DBInstanceIdentifier='arka-db-dr-replica', SourceDBInstanceIdentifier=source)",
    );
    let failure = step.execute().await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(failure.why.contains("resource id is db-") && failure.what.contains("changed"), "{failure:?}");
    let unproven = step.verify().await.unwrap_err();
    assert!(unproven.why.contains("another resource has its name now"), "{unproven:?}");
    assert_eq!(calls(&emulator, "PromoteReadReplica"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_that_fails_half_way_says_in_which_status_and_what_to_do() {
    let emulator = world();
    emulator.control(json!({"fail_next_promotion": "incompatible-parameters"}));
    let step = Step::new(&emulator.endpoint(), "rds-promote", WANTED).await;
    let failure = step.execute().await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    assert!(failure.why.contains("incompatible-parameters, and it is replica of"), "{failure:?}");
    assert!(failure.next.contains("parameter group") && failure.next.contains("aws rds describe-events"));
    let unproven = step.verify().await.unwrap_err();
    assert!(unproven.why.contains("incompatible-parameters"), "{unproven:?}");
    let stuck = Step::new(&emulator.endpoint(), "rds-promote", WANTED).await;
    assert!(stuck.execute().await.unwrap_err().why.contains("PromoteReadReplica was not sent"));
    assert_eq!(calls(&emulator, "PromoteReadReplica"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_that_takes_longer_than_the_step_goes_on_and_is_verified_later() {
    let emulator = world();
    emulator.control(json!({"transition_ms": 3000}));
    let endpoint = emulator.endpoint();
    let step = Step::within(SignedDuration::from_secs(30), &endpoint, "rds-promote", WANTED).await;
    let late = step.execute().await.unwrap_err();
    assert_eq!(late.acted, Acted::Maybe);
    assert!(late.why.contains("goes on: ") && late.next.contains("Do not send it again"), "{late:?}");
    let going = step.verify().await.unwrap_err();
    assert!(going.why.starts_with("it goes on: ") || going.why.starts_with("nothing of it"), "{going:?}");
    assert!(step.prove().await.evidence[0].contains("is standalone"));
    assert_eq!(calls(&emulator, "PromoteReadReplica"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_lead_nowhere_or_to_something_else_are_told_apart() {
    let emulator = world();
    for (id, said) in [
        ("nobody", "there is no RDS instance `nobody` in us-west-2"),
        ("market-scanning-prod", "that is the name of a cluster: write `cluster`"),
    ] {
        let step = Step::new(&emulator.endpoint(), "rds-promote", &[("instance", id)]).await;
        assert!(!step.described.target.reachable && step.notes().contains(said), "{}", step.notes());
        let failure = step.execute().await.unwrap_err();
        assert!(failure.why.contains(said) && failure.acted == Acted::No, "{failure:?}");
        assert!(step.verify().await.is_err());
        let checks = step.action.preflight().await;
        assert!(matches!(&checks[0].result, Checked::Fail(why) if why.contains(said)), "{checks:?}");
    }
    let member =
        Step::new(&emulator.endpoint(), "rds-promote", &[("instance", "market-scanning-prod-1")]).await;
    let failure = member.execute().await.unwrap_err();
    assert!(failure.why.contains("member of cluster market-scanning-prod"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_sees_the_replica_and_whether_it_is_the_one_that_is_meant() {
    let emulator = world();
    let endpoint = emulator.endpoint();
    let result = |checks: &[lifeboat::core::words::preflight::Check], what: &str| {
        checks.iter().find(|check| check.what.contains(what)).map(|check| check.result.clone()).unwrap()
    };
    let checks = action(&endpoint, "rds-promote", WANTED).preflight().await;
    assert!(matches!(result(&checks, "is there"), Checked::Pass(_)), "{checks:?}");
    assert!(matches!(result(&checks, "its role fits"), Checked::Pass(_)), "{checks:?}");
    assert!(matches!(result(&checks, "its state fits"), Checked::Pass(_)), "{checks:?}");
    assert!(matches!(result(&checks, "the plan means"), Checked::Pass(_)), "{checks:?}");
    assert!(matches!(result(&checks, "makes backups"), Checked::Warn(_)), "{checks:?}");
    let other = [("instance", REPLICA), ("source", "another-db")];
    let checks = action(&endpoint, "rds-promote", &other).preflight().await;
    assert!(matches!(result(&checks, "the plan means"), Checked::Warn(_)), "{checks:?}");
    let primary = [("instance", "arka-db-primary"), ("region", "us-east-1")];
    let checks = action(&endpoint, "rds-promote", &primary).preflight().await;
    assert!(matches!(result(&checks, "is there"), Checked::Fail(_)), "{checks:?}");
}
