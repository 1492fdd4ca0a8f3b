//! Restores to a point in time.

use super::*;
use lifeboat::core::words::action::Acted;

const TOKEN: &str = "2026-03-01T12:00:00Z/1/restore/1";

#[tokio::test]
async fn an_instance_is_restored_and_read_back() {
    let world = World::start();
    let time = ago(2);
    let action = world.action(
        "rds-restore-pitr",
        &[
            ("source_instance", "arka-db-primary"),
            ("target", "arka-db-recovery"),
            ("time", &time),
            ("class", "db.r6g.2xlarge"),
            ("multi_az", "true"),
            ("security_groups", "sg-0a1b2c3d"),
        ],
    );
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert_eq!((&*described.target.name, &*described.target.kind), ("arka-db-recovery", "new RDS instance"));
    assert_eq!(property(&described, "source"), "arka-db-primary");
    assert!(property(&described, "source arn").ends_with(":db:arka-db-primary"), "{described:?}");
    assert!(property(&described, "source resource id").starts_with("db-"), "{described:?}");
    assert_eq!(property(&described, "source engine"), "postgres");
    assert!(
        property(&described, "caller").contains(":sts:") || property(&described, "caller").contains("iam")
    );
    let notes = described.notes.join("\n");
    assert!(
        notes.contains("Restorable from ")
            && notes.contains(&format!("DATA LOSS: the new database ends at {time}"))
    );
    assert!(notes.contains("in the 2 h 00 min since then"), "{notes}");
    assert!(!notes.contains("refuse") && !notes.contains("estimate"), "{notes}");
    assert_eq!(
        described.call,
        format!(
            "rds:RestoreDBInstanceToPointInTime SourceDBInstanceIdentifier=arka-db-primary \
             TargetDBInstanceIdentifier=arka-db-recovery RestoreTime={time} DBInstanceClass=db.r6g.2xlarge \
             VpcSecurityGroupIds=sg-0a1b2c3d MultiAZ=true"
        )
    );
    assert!(
        described.command.starts_with("aws rds restore-db-instance-to-point-in-time "),
        "{}",
        described.command
    );
    assert!(done.unwrap().summary.contains("arka-db-recovery is restored: "));
    assert!(run.said().contains("arka-db-recovery is creating"), "{}", run.said());

    let made = world.instance("arka-db-recovery");
    assert_eq!(made["DBInstanceStatus"], "available");
    assert_eq!(made["DBInstanceClass"], "db.r6g.2xlarge");
    assert_eq!(made["MultiAZ"], true);
    assert_eq!(made["VpcSecurityGroups"][0]["VpcSecurityGroupId"], "sg-0a1b2c3d");
    assert_eq!(tag(&made, "lifeboat:token"), TOKEN);
    assert_eq!(tag(&made, "lifeboat:source"), world.instance("arka-db-primary")["DBInstanceArn"]);
    assert_eq!(tag(&made, "lifeboat:restored-to"), *time);

    let evidence = run.verify(&*action, &described).await.unwrap().evidence.join("\n");
    assert!(evidence.contains(&format!("at {time}")), "{evidence}");
    let endpoint = made["Endpoint"]["Address"].as_str().unwrap();
    assert!(evidence.contains(endpoint), "{evidence}");
    assert_eq!(world.calls("RestoreDBInstanceToPointInTime"), 1);
}

#[tokio::test]
async fn a_cluster_is_restored_with_its_first_instance() {
    let world = World::start();
    let time = ago(3);
    let keys = [
        ("source_cluster", "market-scanning-prod"),
        ("target", "market-scanning-pitr"),
        ("time", &*time),
        ("instance_class", "db.r6g.large"),
    ];
    let action = world.action("rds-restore-pitr", &keys);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert!(property(&described, "source arn").ends_with(":cluster:market-scanning-prod"), "{described:?}");
    assert!(
        described
            .notes
            .join(" ")
            .contains("Then its first instance market-scanning-pitr-1 (db.r6g.large) is made")
    );
    assert!(done.unwrap().summary.contains("with its first instance market-scanning-pitr-1"));
    let (cluster, instance) =
        (world.cluster("market-scanning-pitr"), world.instance("market-scanning-pitr-1"));
    assert_eq!((&cluster["Status"], &cluster["Engine"]), (&"available".into(), &"aurora-postgresql".into()));
    assert_eq!(tag(&cluster, "lifeboat:token"), TOKEN);
    assert_eq!(instance["DBClusterIdentifier"], "market-scanning-pitr");
    assert_eq!(instance["DBInstanceClass"], "db.r6g.large");
    let evidence = run.verify(&*action, &described).await.unwrap().evidence;
    assert_eq!(evidence.len(), 3, "{evidence:?}");
    assert!(evidence[2].contains("market-scanning-pitr-1 is available"), "{evidence:?}");
}

#[tokio::test]
async fn a_cluster_is_cloned_as_it_is_now() {
    let world = World::start();
    let keys = [
        ("source_cluster", "market-scanning-prod"),
        ("target", "market-scanning-clone"),
        ("time", "latest"),
        ("restore_type", "copy-on-write"),
    ];
    let action = world.action("rds-restore-pitr", &keys);
    let run = Run::of(TOKEN);
    let (described, done) = run.confirmed(&*action).await;
    assert!(
        described.call.ends_with("RestoreType=copy-on-write UseLatestRestorableTime=true"),
        "{}",
        described.call
    );
    assert!(described.notes.join(" ").contains("NO INSTANCE afterwards"));
    done.unwrap();
    assert_eq!(tag(&world.cluster("market-scanning-clone"), "lifeboat:restored-to"), "latest");
    run.verify(&*action, &described).await.unwrap();
}

#[tokio::test]
async fn a_time_outside_of_the_window_is_refused_before_anything_is_sent() {
    let world = World::start();
    for (time, why) in [
        (ago(-1), "is in the future"),
        (Timestamp::now().to_string(), "the latest restorable time"),
        (ago(24 * 9), "the earliest restorable time"),
        ("2001-01-01T00:00:00Z".to_owned(), "2001-01-01T00:00:00Z is before"),
    ] {
        for source in [("source_instance", "arka-db-primary"), ("source_cluster", "market-scanning-prod")] {
            let action = world.action("rds-restore-pitr", &[source, ("target", "recovery"), ("time", &time)]);
            let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
            let note = &described.notes[0];
            assert!(note.starts_with("This step will refuse: ") && note.contains(why), "{time} {note}");
            let failure = done.unwrap_err();
            assert_eq!(failure.acted, Acted::No);
            assert!(failure.why.contains(why) && !failure.next.is_empty(), "{failure}");
        }
    }
    assert_eq!(
        world.calls("RestoreDBInstanceToPointInTime") + world.calls("RestoreDBClusterToPointInTime"),
        0
    );
    assert!(world.instance("recovery").is_null() && world.cluster("recovery").is_null());
}

#[tokio::test]
async fn without_backups_nothing_is_sent() {
    let world = World::start();
    world.emulator.set_up(
        "client('rds', 'us-west-2').create_db_instance(DBInstanceIdentifier='bare', DBInstanceClass='db.t4g.medium', \
         Engine='postgres', AllocatedStorage=20, MasterUsername='a', MasterUserPassword='not-secret', \
         BackupRetentionPeriod=0)",
    );
    let keys = [("source_instance", "bare"), ("target", "recovery"), ("time", "latest")];
    let (described, done) = Run::of(TOKEN).confirmed(&*world.action("rds-restore-pitr", &keys)).await;
    assert!(described.notes[0].contains("automated backups are off"), "{:?}", described.notes);
    assert_eq!(done.unwrap_err().acted, Acted::No);
    assert_eq!(world.calls("RestoreDBInstanceToPointInTime"), 0);
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_what_has_it_is_named() {
    let world = World::start();
    let time = ago(1);
    let keys =
        [("source_instance", "arka-db-primary"), ("target", "market-scanning-prod-1"), ("time", &*time)];
    let action = world.action("rds-restore-pitr", &keys);
    let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
    let taken = "market-scanning-prod-1 exists already: RDS instance, available, created ";
    assert!(described.notes.iter().any(|note| note.contains(taken)), "{:?}", described.notes);
    let failure = done.unwrap_err();
    assert!(failure.acted == Acted::No && failure.why.starts_with(taken), "{failure}");
    assert_eq!(world.calls("RestoreDBInstanceToPointInTime"), 0);
    // What was true before the step proves nothing.
    let failure = Run::of(TOKEN).verify(&*action, &described).await.unwrap_err();
    assert!(failure.why.contains("is not of this attempt"), "{failure}");
}

#[tokio::test]
async fn a_first_instance_whose_name_is_taken_is_refused() {
    let world = World::start();
    let keys = [
        ("source_cluster", "market-scanning-prod"),
        ("target", "arka-db"),
        ("time", "latest"),
        ("instance_class", "db.r6g.large"),
    ];
    world.emulator.set_up(
        "client('rds', 'us-west-2').create_db_instance(DBInstanceIdentifier='arka-db-1', DBInstanceClass='db.t4g.medium', \
         Engine='postgres', AllocatedStorage=20, MasterUsername='a', MasterUserPassword='not-secret')",
    );
    let (_, done) = Run::of(TOKEN).confirmed(&*world.action("rds-restore-pitr", &keys)).await;
    assert!(done.unwrap_err().why.starts_with("arka-db-1 exists already"));
    assert!(world.cluster("arka-db").is_null());
}

#[tokio::test]
async fn a_source_that_is_not_there_or_of_the_other_sort_is_named() {
    let world = World::start();
    for (source, why) in [
        (("source_instance", "arka-db-gone"), "there is no RDS instance arka-db-gone"),
        (("source_cluster", "arka-db-primary"), "there is no RDS cluster arka-db-primary"),
        (("source_instance", "market-scanning-prod-1"), "is a member of the cluster market-scanning-prod"),
    ] {
        let action = world.action("rds-restore-pitr", &[source, ("target", "recovery"), ("time", "latest")]);
        let (described, done) = Run::of(TOKEN).confirmed(&*action).await;
        assert!(described.notes[0].contains(why), "{:?}", described.notes);
        let failure = done.unwrap_err();
        assert!(failure.acted == Acted::No && failure.why.contains(why), "{failure}");
    }
}

#[tokio::test]
async fn a_source_that_was_replaced_since_the_confirmation_is_refused() {
    let world = World::start();
    let keys = [("source_instance", "arka-db-primary"), ("target", "recovery"), ("time", "latest")];
    let action = world.action("rds-restore-pitr", &keys);
    let described = action.describe().await.unwrap();
    world.emulator.set_up(&format!(
        "client('rds', '{REGION}').delete_db_instance(DBInstanceIdentifier='arka-db-primary', SkipFinalSnapshot=True)\n\
         {INSTANCE}"
    ));
    let failure = action.execute(&described.target, &Run::of(TOKEN).context).await.unwrap_err();
    assert!(failure.acted == Acted::No && failure.why.contains("source resource id is "), "{failure}");
    assert_eq!(world.calls("RestoreDBInstanceToPointInTime"), 0);
}
