use super::*;
use crate::providers::kube::testing::cluster;
use serde_json::{Value, json};

const NOW: &str = "2026-11-30T12:00:00Z";

/// A backup of that phase that began at an hour of today, with more of its status.
fn backup(name: &str, phase: &str, hour: u32, more: Value) -> Backup {
    let started = format!("2026-11-30T{hour:02}:00:00Z");
    let mut status = json!({"phase": phase, "startTimestamp": started});
    status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let spec = json!({"storageLocation": "default"});
    Backup::of(&json!({"metadata": {"name": name}, "spec": spec, "status": status}))
}

fn judged_with(backups: &[Backup], volumes: Volumes) -> Measurement {
    let cluster = cluster();
    let seen = Seen {
        cluster: &cluster,
        which: "of the schedule shop".into(),
        backups: backups.iter().collect(),
        location: None,
        volumes,
        longest_run: SignedDuration::from_hours(4),
        now: NOW.parse().unwrap(),
    };
    seen.judge()
}

fn judged(backups: &[Backup]) -> Measurement {
    judged_with(backups, Volumes::default())
}

#[test]
fn the_age_is_that_of_the_newest_complete_one_since_it_began() {
    let progress =
        json!({"progress": {"itemsBackedUp": 41, "totalItems": 41}, "expiration": "2026-12-30T00:00:00Z"});
    let seen = judged(&[backup("a", "Completed", 2, json!({})), backup("b", "Completed", 9, progress)]);
    assert_eq!((seen.value, &seen.verdict), (Some(10_800.0), &Verdict::Good));
    assert_eq!(seen.summary, "b is complete and 3 h old");
    assert_eq!((seen.text("name"), seen.text("phase")), (Some("b"), Some("Completed")));
    assert_eq!((seen.number("items"), seen.number("items_total")), (Some(41.0), Some(41.0)));
    assert_eq!(seen.text("expires"), Some("2026-12-30T00:00:00Z"));
    assert_eq!((seen.number("volume_bytes"), seen.text("not_known")), (None, None));
}

#[test]
fn none_is_critical_and_has_no_age() {
    let seen = judged(&[]);
    assert_eq!(seen.verdict, Verdict::Critical("there is no backup of the schedule shop".into()));
    let expired = backup("a", "Completed", 2, json!({"expiration": "2026-11-30T11:59:59Z"}));
    let seen = judged(&[expired, backup("b", "Deleting", 3, json!({}))]);
    let why = "none of 2 backups of the schedule shop is complete and stays: 1 expired, 1 being deleted";
    assert_eq!((&seen.verdict, seen.value), (&Verdict::Critical(why.into()), None));
}

#[test]
fn one_that_failed_since_is_critical_and_one_that_failed_before_is_not() {
    for phase in ["PartiallyFailed", "Failed", "FailedValidation"] {
        let failed =
            |hour| backup("b", phase, hour, json!({"errors": 2, "failureReason": "no \u{1b}[2Jdisk"}));
        let seen = judged(&[backup("a", "Completed", 9, json!({})), failed(10)]);
        let why = format!("the newest one that ended, b is {phase}, 2 errors: no \u{fffd}[2Jdisk");
        assert_eq!((&seen.verdict, seen.value), (&Verdict::Critical(why), Some(10_800.0)));
        assert_eq!((seen.text("newest"), seen.text("phase")), (Some("b"), Some(phase)));
        assert_eq!(judged(&[backup("a", "Completed", 9, json!({})), failed(8)]).verdict, Verdict::Good);
    }
    let odd = judged(&[backup("a", "Completed", 9, json!({})), backup("b", "Sideways", 10, json!({}))]);
    assert!(matches!(odd.verdict, Verdict::Critical(_)), "{odd:?}");
}

#[test]
fn warnings_errors_and_nothing_in_it_are_not_good() {
    let of = |more: Value| judged(&[backup("a", "Completed", 9, more)]).verdict;
    assert_eq!(of(json!({"warnings": 3})), Verdict::Warn("the newest complete one has 3 warnings".into()));
    assert!(matches!(of(json!({"errors": 1, "warnings": 3})), Verdict::Critical(_)));
    let empty = of(json!({"progress": {}}));
    assert_eq!(empty, Verdict::Warn("the newest complete one has no item".into()));
    let part = of(json!({"progress": {"itemsBackedUp": 4, "totalItems": 40}}));
    assert_eq!(part, Verdict::Warn("the newest complete one has 4 of 40 items".into()));
    let volumes = Volumes { bytes: Some(5), copies: 2, failed: 1, unknown: None };
    let seen = judged_with(&[backup("a", "Completed", 9, json!({}))], volumes);
    assert!(matches!(&seen.verdict, Verdict::Warn(why) if why.starts_with("1 of its 2 copies")), "{seen:?}");
}

#[test]
fn one_that_is_made_is_told_and_one_that_takes_too_long_is_a_warning() {
    let progress = json!({"progress": {"itemsBackedUp": 4, "totalItems": 40}});
    let running = |hour, phase| backup("b", phase, hour, progress.clone());
    let seen = judged(&[backup("a", "Completed", 9, json!({})), running(11, "InProgress")]);
    assert_eq!((&seen.verdict, seen.value), (&Verdict::Good, Some(10_800.0)));
    assert!(seen.summary.ends_with("; b is InProgress for 60 min (4 of 40 items)"), "{}", seen.summary);
    assert_eq!((seen.text("newest"), seen.number("running")), (Some("b"), Some(1.0)));
    let seen = judged(&[backup("a", "Completed", 9, json!({})), running(7, "Finalizing")]);
    assert_eq!(
        seen.verdict,
        Verdict::Warn("b is Finalizing for 5 h (4 of 40 items): Velero may be stuck".into())
    );
    let seen = judged(&[backup("a", "Completed", 9, json!({})), running(11, "FinalizingPartiallyFailed")]);
    assert!(matches!(&seen.verdict, Verdict::Warn(why) if why.ends_with("it will end in part")), "{seen:?}");
}

#[test]
fn a_time_of_the_future_or_none_is_critical_and_no_age() {
    let seen = judged(&[backup("a", "Completed", 13, json!({}))]);
    assert!(matches!(&seen.verdict, Verdict::Critical(why) if why.contains("future")), "{seen:?}");
    assert_eq!(seen.value, None);
    let seen = judged(&[backup("a", "Completed", 9, json!({"startTimestamp": null}))]);
    assert!(matches!(&seen.verdict, Verdict::Critical(why) if why.contains("when it began")), "{seen:?}");
    assert_eq!(seen.value, None);
}

#[test]
fn what_is_not_known_of_volumes_is_said() {
    let unknown = Some("the size of its volumes: not allowed".to_owned());
    let volumes = Volumes { unknown, ..Volumes::default() };
    let seen =
        judged_with(&[backup("a", "Completed", 9, json!({"csiVolumeSnapshotsCompleted": 2}))], volumes);
    assert_eq!(seen.verdict, Verdict::Good);
    assert_eq!(
        seen.text("not_known"),
        Some(
            "the size of its volumes: not allowed; the size of 2 snapshots of volumes: the cluster does not have it"
        )
    );
}
