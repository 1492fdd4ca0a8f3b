//! What is seen of backups.

use super::{ago, backup, define, location};
use crate::kube::{Kit, VIEWER, cluster};
use crate::looks::until;
use lifeboat::core::words::reading::{Measurement, Verdict};

fn probe(namespace: &str, more: &str) -> String {
    format!(
        "w = {{ kind = \"velero-backup\", region = \"a\", velero_namespace = \"{namespace}\", {more} every = \"1s\", timeout = \"5s\" }}"
    )
}

const SHOP: &str = "schedule = \"shop\",";

fn critical(seen: &Measurement, words: &str) -> bool {
    matches!(&seen.verdict, Verdict::Critical(why) if why.contains(words))
}

fn warns(seen: &Measurement, words: &str) -> bool {
    matches!(&seen.verdict, Verdict::Warn(why) if why.contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_complete_backup_is_what_counts_and_none_is_critical() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("backups");
    location(east, &namespace, "Available", "", 0);
    let kit = Kit::new(&[east.admin()], &probe(&namespace, SHOP), "");
    let seen = kit.measure("w").await.unwrap();
    let why = format!("there is no backup of the schedule shop in {namespace}");
    assert_eq!((&seen.verdict, seen.value), (&Verdict::Critical(why), None));

    let progress = r#"{"progress": {"itemsBackedUp": 4, "totalItems": 40}}"#;
    backup(east, &namespace, "shop-1", "InProgress", 5, progress);
    let seen = until(&kit, "it is made", |seen| seen.number("running") == Some(1.0)).await;
    assert!(critical(&seen, "1 not through yet") && seen.value.is_none(), "{seen:?}");
    assert!(seen.summary.ends_with("shop-1 is InProgress for 5 min (4 of 40 items)"), "{}", seen.summary);

    let whole = r#"{"progress": {"itemsBackedUp": 40, "totalItems": 40}}"#;
    backup(east, &namespace, "shop-1", "Completed", 5, whole);
    let seen = until(&kit, "it is complete", |seen| seen.value.is_some()).await;
    assert_eq!(seen.verdict, Verdict::Good);
    assert!(seen.value.is_some_and(|age| (300.0..400.0).contains(&age)), "{seen:?}");
    assert_eq!((seen.text("name"), seen.number("items")), (Some("shop-1"), Some(40.0)));
    assert_eq!(seen.text("location"), Some("default"));
    assert_eq!(
        seen.text("started"),
        Some(&*east.field(&namespace, "backups.velero.io/shop-1", "{.status.startTimestamp}"))
    );
    assert_eq!((seen.number("volume_bytes"), seen.text("not_known")), (None, None));

    backup(east, &namespace, "shop-2", "InProgress", 1, progress);
    let seen = until(&kit, "another one is made", |seen| seen.text("newest") == Some("shop-2")).await;
    assert_eq!((&seen.verdict, seen.text("name")), (&Verdict::Good, Some("shop-1")));
    backup(east, &namespace, "shop-2", "Completed", 1, r#"{"warnings": 2}"#);
    let seen = until(&kit, "it has warnings", |seen| seen.text("name") == Some("shop-2")).await;
    assert_eq!(seen.verdict, Verdict::Warn("the newest complete one has 2 warnings".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_one_that_failed_is_critical_with_velero_s_own_words() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("failed");
    location(east, &namespace, "Available", "", 0);
    let kit = Kit::new(&[east.admin()], &probe(&namespace, "name_prefix = \"shop-\","), "");
    backup(east, &namespace, "shop-1", "Completed", 60, "{}");
    // One of another name is none of these.
    backup(east, &namespace, "web-1", "PartiallyFailed", 2, r#"{"errors": 1}"#);
    until(&kit, "it is complete", |seen| seen.verdict == Verdict::Good).await;
    backup(east, &namespace, "shop-2", "PartiallyFailed", 5, r#"{"errors": 2}"#);
    let seen =
        until(&kit, "one failed in part", |seen| critical(seen, "shop-2 is PartiallyFailed, 2 errors")).await;
    assert!(seen.value.is_some_and(|age| age >= 3600.0), "{seen:?}");
    let reason = r#"{"failureReason": "no \u001b]0;owned\u0007\u001b[2J bucket"}"#;
    backup(east, &namespace, "shop-3", "Failed", 4, reason);
    let seen = until(&kit, "one failed", |seen| critical(seen, "shop-3 is Failed")).await;
    assert!(!format!("{seen:?}").contains("\\u{1b}") && seen.summary.contains("bucket"), "{seen:?}");
    backup(east, &namespace, "shop-4", "Completed", 1, "{}");
    until(&kit, "a newer one is complete", |seen| seen.verdict == Verdict::Good).await;
    backup(east, &namespace, "shop-5", "InProgress", 300, "{}");
    until(&kit, "one runs too long", |seen| warns(seen, "shop-5 is InProgress for 5 h: Velero may be stuck"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_or_is_deleted_does_not_count() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("gone");
    location(east, &namespace, "Available", "", 0);
    let kit = Kit::new(&[east.admin()], &probe(&namespace, SHOP), "");
    backup(east, &namespace, "shop-1", "Completed", 60, "{}");
    until(&kit, "it is complete", |seen| seen.verdict == Verdict::Good).await;
    let expired = format!(r#"{{"expiration": "{}"}}"#, ago(1));
    backup(east, &namespace, "shop-2", "Completed", 30, &expired);
    let seen = until(&kit, "two are there", |seen| seen.number("backups") == Some(2.0)).await;
    assert_eq!(seen.text("name"), Some("shop-1"));
    backup(east, &namespace, "shop-1", "Deleting", 60, "{}");
    until(&kit, "none is left", |seen| {
        critical(seen, "none of 2 backups of the schedule shop")
            && critical(seen, "1 expired, 1 being deleted")
    })
    .await;
    backup(east, &namespace, "shop-3", "Completed", -60, "{}");
    let seen = until(&kit, "one is of tomorrow", |seen| critical(seen, "dated in the future")).await;
    assert_eq!(seen.value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_nobody_can_read_is_no_backup() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("place");
    let kit = Kit::new(&[east.admin()], &probe(&namespace, SHOP), "");
    backup(east, &namespace, "shop-1", "Completed", 60, "{}");
    until(&kit, "it has no location", |seen| critical(seen, "its storage location default is not there"))
        .await;
    location(east, &namespace, "Unavailable", "no such \u{1b}[2J bucket", 0);
    let seen = until(&kit, "it is unavailable", |seen| critical(seen, "default is Unavailable")).await;
    assert!(!format!("{seen:?}").contains("\\u{1b}") && critical(&seen, "bucket"), "{seen:?}");
    location(east, &namespace, "Available", "", 180);
    until(&kit, "nobody looks at it", |seen| warns(seen, "3 h ago for the last time")).await;
    location(east, &namespace, "Available", "", 0);
    until(&kit, "it can be read", |seen| seen.verdict == Verdict::Good).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_volumes_is_that_of_their_copies() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("volumes");
    location(east, &namespace, "Available", "", 0);
    backup(east, &namespace, "shop-1", "Completed", 60, r#"{"csiVolumeSnapshotsCompleted": 2}"#);
    let copy = |name: &str, of: &str, phase: &str| {
        let object = serde_json::json!({
            "apiVersion": "velero.io/v1", "kind": "PodVolumeBackup",
            "metadata": {"name": name, "namespace": namespace, "labels": {"velero.io/backup-name": of}},
            "spec": {}, "status": {"phase": phase, "progress": {"bytesDone": 5_000_000_000_u64}}});
        east.apply(&object.to_string());
    };
    for (name, of) in [("a", "shop-1"), ("b", "shop-1"), ("c", "shop-0")] {
        copy(name, of, "Completed");
    }
    let kit = Kit::new(&[east.admin()], &probe(&namespace, SHOP), "");
    let seen = kit.measure("w").await.unwrap();
    assert_eq!((&seen.verdict, seen.number("volume_bytes")), (&Verdict::Good, Some(10_000_000_000.0)));
    let unknown = "the size of 2 snapshots of volumes: the cluster does not have it";
    assert_eq!(seen.text("not_known"), Some(unknown));
    copy("b", "shop-1", "Failed");
    let seen = kit.measure("w").await.unwrap();
    assert!(warns(&seen, "1 of its 2 copies of volumes are not complete"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_velero_or_a_right_to_read_it_is_unknown() {
    let (east, west) = (cluster(0), cluster(1));
    define(east);
    let namespace = east.namespace("blind");
    // The other cluster has no Velero.
    let plan = probe("velero", SHOP).replace("region = \"a\"", "region = \"b\"");
    let absent = Kit::new(&[west.admin()], &plan, "").measure("w").await.unwrap_err();
    assert!(
        absent.why.contains("list backups.velero.io") && absent.why.contains("does not know"),
        "{absent}"
    );
    assert!(absent.next.contains("CRD"), "{}", absent.next);
    let config = east.config("viewer-of-backups", &format!("{{token: {VIEWER}}}"));
    let denied = Kit::new(&[config], &probe(&namespace, SHOP), "").measure("w").await.unwrap_err();
    assert!(denied.next.contains("Have `list backups.velero.io` granted"), "{}", denied.next);
}
