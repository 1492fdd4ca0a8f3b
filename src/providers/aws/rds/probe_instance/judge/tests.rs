use super::*;
use aws_sdk_rds::types::builders::DbInstanceBuilder;
use aws_sdk_rds::types::{DbInstanceStatusInfo, Endpoint};
use aws_smithy_types::DateTime;

const NOW_S: i64 = 1_700_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW_S).unwrap()
}

fn primary() -> DbInstanceBuilder {
    let endpoint = Endpoint::builder().address("arka-db-primary.abc.us-east-1.rds.amazonaws.com").port(5432);
    DbInstance::builder()
        .db_instance_identifier("arka-db-primary")
        .db_instance_status("available")
        .engine("postgres")
        .engine_version("15.4")
        .db_instance_class("db.r6g.large")
        .availability_zone("us-east-1a")
        .endpoint(endpoint.build())
        .allocated_storage(100)
        .backup_retention_period(7)
        .latest_restorable_time(DateTime::from_secs(NOW_S - 240))
        .read_replica_db_instance_identifiers("arn:aws:rds:us-west-2:123456789012:db:arka-db-dr-replica")
        .storage_encrypted(true)
        .multi_az(true)
}

fn replica(state: &str, normal: bool) -> DbInstanceBuilder {
    let info = DbInstanceStatusInfo::builder().status_type("read replication").status(state).normal(normal);
    DbInstance::builder()
        .db_instance_status("available")
        .engine("postgres")
        .read_replica_source_db_instance_identifier("arn:aws:rds:us-east-1:123456789012:db:arka-db-primary")
        .status_infos(info.build())
}

fn expecting(role: &str, source: Option<&str>) -> Wanted {
    Wanted { role: Some(role.into()), source: source.map(str::to_owned), age: false }
}

#[test]
fn a_primary_with_backups_has_an_age() {
    let measured = judge(&primary().build(), &expecting("primary", None), now());
    assert_eq!(measured.verdict, Verdict::Good);
    assert_eq!(measured.value, Some(240.0));
    let expected =
        "available, primary of 1 replica, postgres 15.4, db.r6g.large, us-east-1a, restorable to 4 min ago";
    assert_eq!(measured.summary, expected);
    assert_eq!(measured.text("endpoint"), Some("arka-db-primary.abc.us-east-1.rds.amazonaws.com:5432"));
    assert_eq!(measured.number("allocated_bytes"), Some(107_374_182_400.0));
    assert_eq!(measured.number("replica_count"), Some(1.0));
}

#[test]
fn a_replica_is_one_of_the_expected_source() {
    let judged = |wanted| judge(&replica("replicating", true).build(), &wanted, now());
    let measured = judged(expecting("replica", Some("arka-db-primary")));
    assert_eq!((measured.verdict, measured.value), (Verdict::Good, None));
    assert_eq!(measured.summary, "available, replica of arka-db-primary, postgres");
    let other = judged(expecting("replica", Some("orders"))).verdict;
    assert!(other.why().unwrap().ends_with("expected orders"), "{other:?}");
    assert!(matches!(judged(expecting("primary", None)).verdict, Verdict::Critical(_)));
}

#[test]
fn a_promoted_replica_is_no_replica() {
    let promoted = primary().build();
    for wanted in [expecting("replica", None), expecting("replica", Some("arka-db-primary"))] {
        let why = judge(&promoted, &wanted, now()).verdict;
        assert_eq!(why.why(), Some("it is no replica: it was promoted, or never replicated"));
    }
    let wanted = Wanted { source: Some("arka-db-primary".into()), ..Wanted::default() };
    let verdict = judge(&promoted, &wanted, now()).verdict;
    assert_eq!(verdict, Verdict::Critical("it does not replicate arka-db-primary".into()));
}

#[test]
fn replication_that_stopped_is_critical() {
    for (state, normal) in [("error", false), ("error", true), ("terminated", true), ("stopped", true)] {
        let measured = judge(&replica(state, normal).build(), &Wanted::default(), now());
        assert_eq!(measured.verdict, Verdict::Critical(format!("its replication: {state}")));
        assert_eq!(measured.text("replication"), Some(state));
    }
}

#[test]
fn a_bounded_age_needs_backups() {
    let wanted = Wanted { age: true, ..Wanted::default() };
    let verdict =
        |instance: DbInstanceBuilder, wanted: &Wanted| judge(&instance.build(), wanted, now()).verdict;
    let off = || primary().backup_retention_period(0);
    assert!(matches!(verdict(off(), &wanted), Verdict::Critical(why) if why.contains("backups are off")));
    assert_eq!(verdict(off(), &Wanted::default()), Verdict::Good);
    assert_eq!(verdict(primary(), &wanted), Verdict::Good);
    let none_yet = primary().set_latest_restorable_time(None);
    assert!(matches!(verdict(none_yet, &wanted), Verdict::Warn(_)));
}

#[test]
fn a_member_is_its_clusters_to_tell() {
    let member = DbInstance::builder().db_instance_status("available").db_cluster_identifier("trading");
    let measured = judge(&member.build(), &expecting("primary", None), now());
    assert!(measured.verdict.why().unwrap().contains("rds-cluster"), "{measured:?}");
    assert_eq!(measured.text("role"), Some("member"));
}

#[test]
fn pending_changes_are_words_without_the_password() {
    let pending = PendingModifiedValues::builder()
        .db_instance_class("db.r6g.2xlarge")
        .multi_az(true)
        .backup_retention_period(30)
        .master_user_password("hunter22")
        .build();
    let measured = judge(&primary().pending_modified_values(pending).build(), &Wanted::default(), now());
    let expected =
        "class to db.r6g.2xlarge, Multi-AZ to on, backup retention in days to 30, a new master password";
    assert_eq!(measured.text("pending"), Some(expected));
}

#[test]
fn text_of_aws_is_cleaned() {
    let hostile = primary().engine("post\u{1b}[31mgres").db_instance_status("avail\u{202e}able").build();
    let measured = judge(&hostile, &Wanted::default(), now());
    let all = format!("{} {:?}", measured.summary, measured.text("engine"));
    assert!(!all.contains(crate::base::text::is_hostile), "{all:?}");
    assert!(matches!(measured.verdict, Verdict::Warn(_)));
}
