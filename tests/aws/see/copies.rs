//! `rds-snapshots` against the emulator; `aws-backup`, which no emulator has, against the shapes of its API reference
//! (<https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations.html>).

use super::*;
use crate::aws::{Emulator, isolate};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test]
async fn the_newest_complete_snapshot_is_found_in_each_region() {
    let emulator = Emulator::start();
    let arns = emulator.set_up(
        r#"
def make(region):
    rds = client("rds", region)
    rds.create_db_instance(DBInstanceIdentifier="arka-db", Engine="postgres", DBInstanceClass="db.t4g.micro",
        AllocatedStorage=100, MasterUsername="a", MasterUserPassword="not-secret", StorageEncrypted=True)
    rds.create_db_cluster(DBClusterIdentifier="market-scanning-prod", Engine="aurora-postgresql", MasterUsername="a",
        MasterUserPassword="not-secret", StorageEncrypted=True)
    made = [rds.create_db_snapshot(DBInstanceIdentifier="arka-db", DBSnapshotIdentifier=name)["DBSnapshot"]
            ["DBSnapshotArn"] for name in ("older", "newer")]
    made.append(rds.create_db_cluster_snapshot(DBClusterIdentifier="market-scanning-prod",
        DBClusterSnapshotIdentifier="drill")["DBClusterSnapshot"]["DBClusterSnapshotArn"])
    return made
result(make("us-east-1") + make("us-west-2"))
"#,
    );
    let arn = |index: usize| arns[index].as_str().unwrap();
    emulator.control(
        json!({"ages": {arn(0): 200_000, arn(1): 90_000, arn(2): 7200, arn(3): 100_000, arn(4): 600}}),
    );
    let manual = "type = \"manual\"\nwarn = \"25h\"\ncritical = \"49h\"";
    let tables = ["primary", "dr"].map(|region| {
        probe(region, "rds-snapshots", region, &format!("instance = \"arka-db\"\n{manual}"))
            + &probe(
                &format!("{region}-cluster"),
                "rds-snapshots",
                region,
                "cluster = \"market-scanning-prod\"\ntype = \"manual\"",
            )
    });
    let none = probe("none", "rds-snapshots", "dr", "instance = \"unheard-of\"");
    let automated =
        probe("automated", "rds-snapshots", "dr", "cluster = \"market-scanning-prod\"\ntype = \"awsbackup\"");
    let seer = Seer::at(&emulator.endpoint(), &format!("{}{none}{automated}", tables.concat()));

    let primary = seer.see("primary").await;
    assert_eq!(primary.verdict, Verdict::Good, "{primary:?}");
    assert!((90_000.0..90_060.0).contains(&primary.value.unwrap()), "{primary:?}");
    assert_eq!((primary.text("snapshot"), primary.number("count")), (Some("newer"), Some(2.0)));
    assert_eq!(primary.number("size_bytes"), Some(107_374_182_400.0));
    assert_eq!(primary.text("type"), Some("manual"));
    let dr = seer.see("dr").await;
    assert!((600.0..660.0).contains(&dr.value.unwrap()), "{dr:?}");
    let cluster = seer.see("primary-cluster").await;
    assert!((7200.0..7260.0).contains(&cluster.value.unwrap()), "{cluster:?}");
    assert_eq!(cluster.text("snapshot"), Some("drill"));

    let none = seer.see("none").await;
    assert_eq!(
        none.verdict,
        Verdict::Critical("no complete snapshot of instance unheard-of in us-west-2".into())
    );
    assert_eq!(none.value, None);
    assert!(is_critical(&seer.see("automated").await));
}

#[tokio::test]
async fn a_snapshot_that_is_being_made_is_no_copy_yet() {
    let emulator = Emulator::start();
    emulator.set_up(
        r#"client("rds", "us-west-2").create_db_instance(DBInstanceIdentifier="arka-db", Engine="postgres",
    DBInstanceClass="db.t4g.micro", AllocatedStorage=20, MasterUsername="a", MasterUserPassword="not-secret")"#,
    );
    let table = probe("dr", "rds-snapshots", "dr", "instance = \"arka-db\"\ntype = \"manual\"");
    let seer = Seer::at(&emulator.endpoint(), &table);
    emulator.control(json!({"transition_ms": 3000}));
    emulator.boto(
        r#"client("rds", "us-west-2").create_db_snapshot(DBInstanceIdentifier="arka-db", DBSnapshotIdentifier="now")"#,
    );
    let making = seer.see("dr").await;
    assert!(why(&making).ends_with("; one is being made"), "{making:?}");
    let made = seer.await_seen("dr", |measured| measured.value.is_some()).await;
    assert_eq!(
        (made.verdict, made.fields.get("in_progress")),
        (Verdict::Good, making.fields.get("failed_count"))
    );
}

const RESOURCE: &str = "arn:aws:rds:us-east-1:123456789012:db:arka-db-primary";
const POINT: &str = "arn:aws:rds:us-east-1:123456789012:snapshot:awsbackup:job-1";

fn seconds_ago(seconds: i64) -> f64 {
    (jiff::Timestamp::now().as_second() - seconds) as f64
}

async fn answer(server: &MockServer, at: &str, status: u16, body: Value) {
    let response = ResponseTemplate::new(status).set_body_json(body);
    let mock = Mock::given(method("GET")).and(path(at));
    mock.respond_with(response).mount(server).await;
}

fn escaped(arn: &str) -> String {
    arn.replace(':', "%3A")
}

fn by_resource(points: Value) -> Value {
    json!({"RecoveryPoints": points})
}

fn point(arn: &str, status: &str, age_s: i64) -> Value {
    json!({
        "RecoveryPointArn": arn, "CreationDate": seconds_ago(age_s), "Status": status, "BackupSizeBytes": 3_200_000,
        "BackupVaultName": "prod", "EncryptionKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1", "IsParent": false,
    })
}

fn denied(operation: &str) -> Value {
    json!({"message": format!("User: x is not authorized to perform: backup:{operation}")})
}

async fn of_resource(server: &MockServer) -> Measurement {
    let keys = format!("resource = \"{RESOURCE}\"\nwarn = \"25h\"");
    Seer::at(&server.uri(), &probe("points", "aws-backup", "primary", &keys)).see("points").await
}

#[tokio::test]
async fn the_newest_recovery_point_is_told_with_its_keeping_and_last_restore() {
    isolate();
    let server = MockServer::start().await;
    let listing = format!("/resources/{}/recovery-points", escaped(RESOURCE));
    let second =
        ResponseTemplate::new(200).set_body_json(by_resource(json!([point(POINT, "COMPLETED", 7200)])));
    let next = Mock::given(path(&*listing)).and(query_param("nextToken", "more"));
    next.respond_with(second).expect(1).mount(&server).await;
    let mut first = by_resource(json!([point("arn:old", "COMPLETED", 90_000)]));
    first["NextToken"] = json!("more");
    answer(&server, &listing, 200, first).await;
    let described = json!({
        "RecoveryPointArn": POINT, "IsEncrypted": true, "Status": "COMPLETED", "Lifecycle": {"DeleteAfterDays": 35},
        "CalculatedLifecycle": {"DeleteAt": 1_900_000_000.0},
    });
    answer(&server, &format!("/backup-vaults/prod/recovery-points/{}", escaped(POINT)), 200, described).await;
    answer(&server, "/backup-vaults/prod", 200, json!({"BackupVaultName": "prod", "Locked": true})).await;
    let job = |status: &str, age_s| json!({"RestoreJobId": "1", "Status": status, "CompletionDate": seconds_ago(age_s), "ValidationStatus": "SUCCESSFUL"});
    let jobs = json!({"RestoreJobs": [job("COMPLETED", 90_000), job("COMPLETED", 600)]});
    answer(&server, &format!("/resources/{}/restore-jobs", escaped(RESOURCE)), 200, jobs).await;

    let seen = of_resource(&server).await;
    assert_eq!(seen.verdict, Verdict::Good, "{seen:?}");
    assert!((7200.0..7260.0).contains(&seen.value.unwrap()), "{seen:?}");
    assert_eq!((seen.text("recovery_point"), seen.text("vault")), (Some(POINT), Some("prod")));
    assert_eq!((seen.number("size_bytes"), seen.number("count")), (Some(3_200_000.0), Some(2.0)));
    assert_eq!((seen.number("retention_days"), seen.text("not_read")), (Some(35.0), None), "{seen:?}");
    assert!((600.0..660.0).contains(&seen.number("last_restore_age_s").unwrap()), "{seen:?}");
    assert_eq!(seen.text("last_restore_validation"), Some("SUCCESSFUL"));
    let flag = lifeboat::core::words::reading::Field::Flag(true);
    assert_eq!((seen.fields.get("vault_locked"), seen.fields.get("encrypted")), (Some(&flag), Some(&flag)));
}

#[tokio::test]
async fn what_may_not_be_read_hides_nothing_else_and_is_named() {
    isolate();
    let server = MockServer::start().await;
    let listing = format!("/resources/{}/recovery-points", escaped(RESOURCE));
    let points = json!([point(POINT, "COMPLETED", 7200), point("arn:new", "PARTIAL", 60)]);
    answer(&server, &listing, 200, by_resource(points)).await;
    let others = Mock::given(method("GET")).respond_with(
        ResponseTemplate::new(403)
            .insert_header("x-amzn-ErrorType", "AccessDeniedException")
            .set_body_json(denied("DescribeBackupVault")),
    );
    others.mount(&server).await;
    let seen = of_resource(&server).await;
    assert_eq!(seen.verdict, Verdict::Warn("the newest recovery point is partial".into()));
    assert!((7200.0..7260.0).contains(&seen.value.unwrap()), "{seen:?}");
    let not_read = seen.text("not_read").unwrap();
    for operation in ["DescribeRecoveryPoint", "DescribeBackupVault", "ListRestoreJobsByProtectedResource"] {
        assert!(not_read.contains(operation), "{not_read}");
    }
}

#[tokio::test]
async fn a_denied_listing_is_unknown_and_names_the_permission() {
    isolate();
    let server = MockServer::start().await;
    let refused = ResponseTemplate::new(403)
        .insert_header("x-amzn-ErrorType", "AccessDeniedException")
        .set_body_json(denied("ListRecoveryPointsByBackupVault"));
    Mock::given(path("/backup-vaults/prod/recovery-points")).respond_with(refused).mount(&server).await;
    let seer = Seer::at(&server.uri(), &probe("points", "aws-backup", "primary", "vault = \"prod\""));
    let failure = seer.run("points").await.unwrap_err();
    assert!(failure.next.contains("backup:ListRecoveryPointsByBackupVault"), "{failure:?}");
}

#[tokio::test]
async fn a_vault_tells_of_one_resource_or_is_not_there() {
    isolate();
    let server = MockServer::start().await;
    let in_vault = json!({"RecoveryPoints": [{
        "RecoveryPointArn": POINT, "BackupVaultName": "prod", "ResourceArn": RESOURCE, "Status": "COMPLETED",
        "CreationDate": seconds_ago(7200), "BackupSizeInBytes": 3_200_000, "IsEncrypted": true,
        "Lifecycle": {"DeleteAfterDays": 35}, "LastRestoreTime": seconds_ago(600),
    }]});
    let listed =
        Mock::given(path("/backup-vaults/prod/recovery-points")).and(query_param("resourceArn", RESOURCE));
    listed.respond_with(ResponseTemplate::new(200).set_body_json(in_vault)).expect(1).mount(&server).await;
    answer(&server, "/backup-vaults/prod", 200, json!({"BackupVaultName": "prod", "Locked": false})).await;
    let restores = format!("/resources/{}/restore-jobs", escaped(RESOURCE));
    answer(&server, &restores, 200, json!({"RestoreJobs": []})).await;
    let gone = ResponseTemplate::new(400)
        .insert_header("x-amzn-ErrorType", "ResourceNotFoundException")
        .set_body_json(json!({"Code": "ERROR_2603", "Message": "Cannot find Backup vault"}));
    Mock::given(path("/backup-vaults/gone/recovery-points")).respond_with(gone).mount(&server).await;

    let both = format!("vault = \"prod\"\nresource = \"{RESOURCE}\"");
    let tables = probe("points", "aws-backup", "primary", &both)
        + &probe("gone", "aws-backup", "primary", "vault = \"gone\"");
    let seer = Seer::at(&server.uri(), &tables);
    let seen = seer.see("points").await;
    assert_eq!((&seen.verdict, seen.number("retention_days")), (&Verdict::Good, Some(35.0)), "{seen:?}");
    assert!((600.0..660.0).contains(&seen.number("last_restore_age_s").unwrap()), "{seen:?}");
    let gone = seer.see("gone").await;
    assert_eq!(
        gone.verdict,
        Verdict::Critical("no complete recovery point of vault gone in us-east-1".into())
    );
}
