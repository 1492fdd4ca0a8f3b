//! What recovery points mean.

use crate::base::text::clean;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use jiff::Timestamp;

/// A recovery point, as the listings tell it; cleaned.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Point {
    pub(super) arn: String,
    pub(super) vault: Option<String>,
    pub(super) status: String,
    pub(super) message: Option<String>,
    pub(super) made: Option<Timestamp>,
    pub(super) bytes: Option<i64>,
    pub(super) encrypted: Option<bool>,
    pub(super) key: Option<String>,
    pub(super) retention_days: Option<i64>,
    pub(super) deleted: Option<Timestamp>,
    pub(super) restored: Option<Timestamp>,
}

/// What the listings do not tell.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct More {
    pub(super) encrypted: Option<bool>,
    pub(super) retention_days: Option<i64>,
    pub(super) deleted: Option<Timestamp>,
    pub(super) locked: Option<bool>,
    pub(super) restore: Option<Restore>,
    pub(super) not_read: Vec<String>,
}

/// A restore that was completed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Restore {
    pub(super) at: Timestamp,
    pub(super) validation: Option<String>,
}

impl Point {
    /// `AVAILABLE` is what AWS also calls a continuous backup that can be restored from
    /// (<https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRecoveryPoint.html>).
    fn is_complete(&self) -> bool {
        matches!(&*self.status, "COMPLETED" | "AVAILABLE") && self.made.is_some()
    }
}

/// The newest complete one.
pub(super) fn newest(points: &[Point]) -> Option<&Point> {
    points.iter().filter(|point| point.is_complete()).max_by_key(|point| point.made)
}

/// `none` is what to say where no recovery point is complete.
pub(super) fn judge(points: &[Point], more: &More, none: &str, now: Timestamp) -> Measurement {
    let latest = points.iter().max_by_key(|point| point.made);
    let count = points.iter().filter(|point| point.is_complete()).count();
    let newest = newest(points);
    let restore = more.restore.clone().or_else(|| {
        let at = points.iter().filter_map(|point| point.restored).max()?;
        Some(Restore { at, validation: None })
    });
    let measured = match newest.and_then(|newest| Some((newest, newest.made?))) {
        Some((newest, made)) => of_newest(newest, made, more, now).judged(judge_latest(latest, newest)),
        None => {
            let last = latest.map(|last| format!("; the newest is {}", in_words(last)));
            Measurement::critical(clean(&format!("{none}{}", last.unwrap_or_default()), 300))
        }
    };
    measured
        .judged(judge_restore(restore.as_ref()))
        .with_number("count", count as f64)
        .with_text("newest_status", latest.map(|latest| latest.status.clone()))
        .with_text("last_restore", restore.as_ref().map(|restore| restore.at.to_string()))
        .with_number("last_restore_age_s", restore.as_ref().map(|restore| age_s(restore.at, now)))
        .with_text("last_restore_validation", restore.and_then(|restore| restore.validation))
        .with_text("not_read", Some(more.not_read.join("; ")).filter(|text| !text.is_empty()))
}

fn of_newest(newest: &Point, made: Timestamp, more: &More, now: Timestamp) -> Measurement {
    let age_s = age_s(made, now);
    let encrypted = newest.encrypted.or(more.encrypted).or(newest.key.is_some().then_some(true));
    let bytes = newest.bytes.filter(|bytes| *bytes > 0).map(|bytes| bytes as f64);
    let mut parts = vec![newest.status.to_lowercase()];
    parts.extend(bytes.map(words::bytes));
    parts.push(format!("{} old", words::seconds(age_s)));
    parts.extend(newest.vault.as_ref().map(|vault| format!("in vault {vault}")));
    let measured = Measurement::good(clean(&parts.join(", "), 200))
        .with_value(age_s)
        .with_text("recovery_point", newest.arn.clone())
        .with_text("vault", newest.vault.clone())
        .with_text("made", made.to_string())
        .with_number("size_bytes", bytes)
        .with_text("status", newest.status.clone())
        .with_text("encryption_key", newest.key.clone())
        .with_number("retention_days", newest.retention_days.or(more.retention_days).map(|days| days as f64))
        .with_text("deleted_at", newest.deleted.or(more.deleted).map(|time| time.to_string()));
    let flags = [("encrypted", encrypted), ("vault_locked", more.locked)];
    flags.into_iter().fold(measured, |measured, (name, flag)| match flag {
        Some(flag) => measured.with_flag(name, flag),
        None => measured,
    })
}

fn age_s(time: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(time).as_secs_f64().max(0.0)
}

/// A newer one that will not become complete.
fn judge_latest(latest: Option<&Point>, newest: &Point) -> Verdict {
    let broken = |latest: &&Point| matches!(&*latest.status, "PARTIAL" | "STOPPED" | "EXPIRED" | "DELETING");
    match latest.filter(broken) {
        Some(latest) if latest.made > newest.made => {
            Verdict::Warn(clean(&format!("the newest recovery point is {}", in_words(latest)), 300))
        }
        _ => Verdict::Good,
    }
}

/// A validation that failed means that the last restore proves nothing.
fn judge_restore(restore: Option<&Restore>) -> Verdict {
    match restore.and_then(|restore| restore.validation.as_deref()) {
        Some(status @ ("FAILED" | "TIMED_OUT")) => {
            let status = status.to_lowercase().replace('_', " ");
            Verdict::Warn(format!("the validation of its last restore: {status}"))
        }
        _ => Verdict::Good,
    }
}

fn in_words(point: &Point) -> String {
    let status = point.status.to_lowercase();
    point.message.as_ref().map_or(status.clone(), |message| format!("{status}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::super::look::newest_restore;
    use super::*;
    use aws_sdk_backup::types::{RestoreJobStatus, RestoreJobsListMember, RestoreValidationStatus};
    use aws_smithy_types::DateTime;

    const NOW_S: i64 = 1_700_000_000;

    fn now() -> Timestamp {
        Timestamp::from_second(NOW_S).unwrap()
    }

    fn point(status: &str, age_s: i64) -> Point {
        Point {
            arn: format!("arn:{age_s}"),
            vault: Some("prod".into()),
            status: status.into(),
            made: Timestamp::from_second(NOW_S - age_s).ok(),
            bytes: Some(3_200_000),
            ..Point::default()
        }
    }

    fn measure(points: &[Point], more: &More) -> Measurement {
        judge(points, more, "no complete recovery point of x", now())
    }

    #[test]
    fn the_newest_complete_one_counts() {
        let more =
            More { retention_days: Some(35), locked: Some(true), encrypted: Some(true), ..More::default() };
        let points = [point("COMPLETED", 90_000), point("COMPLETED", 7200), point("CREATING", 10)];
        let measured = measure(&points, &more);
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(7200.0)));
        assert_eq!(measured.summary, "completed, 3.2 MB, 2 h old, in vault prod");
        assert_eq!((measured.number("count"), measured.number("retention_days")), (Some(2.0), Some(35.0)));
        assert_eq!(measured.text("newest_status"), Some("CREATING"));
        assert_eq!(measured.fields["vault_locked"], crate::core::words::reading::Field::Flag(true));
        let continuous = measure(&[point("AVAILABLE", 60)], &More::default());
        assert_eq!(continuous.value, Some(60.0));
    }

    #[test]
    fn none_that_is_complete_is_critical_and_a_newer_broken_one_warns() {
        let none = measure(&[], &More::default());
        assert_eq!(none.verdict, Verdict::Critical("no complete recovery point of x".into()));
        let mut partial = point("PARTIAL", 60);
        partial.message = Some("the window closed".into());
        let only = measure(std::slice::from_ref(&partial), &More::default());
        assert!(only.summary.ends_with("; the newest is partial: the window closed"), "{}", only.summary);
        let late = measure(&[point("COMPLETED", 7200), partial], &More::default());
        let why = "the newest recovery point is partial: the window closed";
        assert_eq!((late.verdict, late.value), (Verdict::Warn(why.into()), Some(7200.0)));
        let before = measure(&[point("COMPLETED", 60), point("EXPIRED", 7200)], &More::default());
        assert_eq!(before.verdict, Verdict::Good);
    }

    #[test]
    fn the_last_completed_restore_is_told() {
        let job = |status, age_s| {
            RestoreJobsListMember::builder()
                .status(status)
                .completion_date(DateTime::from_secs(NOW_S - age_s))
                .validation_status(RestoreValidationStatus::Successful)
                .build()
        };
        let jobs = [
            job(RestoreJobStatus::Completed, 9000),
            job(RestoreJobStatus::Completed, 600),
            job(RestoreJobStatus::Failed, 60),
        ];
        let more = More { restore: newest_restore(&jobs), ..More::default() };
        let measured = measure(&[point("COMPLETED", 60)], &more);
        assert_eq!(measured.number("last_restore_age_s"), Some(600.0));
        assert_eq!(measured.text("last_restore_validation"), Some("SUCCESSFUL"));
        let failed = Restore { at: now(), validation: Some("FAILED".into()) };
        let measured = measure(&[point("COMPLETED", 60)], &More { restore: Some(failed), ..More::default() });
        assert!(matches!(measured.verdict, Verdict::Warn(_)));
        let mut restored = point("COMPLETED", 60);
        restored.restored = Timestamp::from_second(NOW_S - 30).ok();
        assert_eq!(measure(&[restored], &More::default()).number("last_restore_age_s"), Some(30.0));
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let more = More { not_read: vec!["DescribeBackupVault on prod: no".into()], ..More::default() };
        let measured = measure(&[point("COMPLETED", 60)], &more);
        assert_eq!(measured.text("not_read"), Some("DescribeBackupVault on prod: no"));
        assert!(!measured.fields.contains_key("vault_locked"));
        assert_eq!(measured.verdict, Verdict::Good);
    }
}
