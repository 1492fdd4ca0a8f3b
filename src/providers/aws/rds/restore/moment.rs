//! The time that a database is restored to, against what its backups can give.

use crate::base::problem::Problem;
use aws_sdk_rds::types::{DbCluster, DbInstance, RestoreWindow};
use jiff::{SignedDuration, Timestamp};

use crate::base::units::duration;
use crate::providers::aws::client::timestamp;

/// The time that a plan or an operator gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moment {
    /// As late as the backups allow.
    Latest,
    /// This time.
    At(Timestamp),
    /// A template of the plan that is filled in when the step runs.
    Open,
}

/// Between which times a database can be restored; none where nobody knows, or where nothing is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// The first of them.
    pub earliest: Option<Timestamp>,
    /// The last of them: some minutes ago while backups work.
    pub latest: Option<Timestamp>,
}

impl Moment {
    /// Reads `latest`, RFC 3339 with `Z` or an offset, or the same with ` UTC`.
    ///
    /// # Errors
    /// What would do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if super::wanted::is_open(text) {
            return Ok(Self::Open);
        }
        let utc = text.strip_suffix(" UTC").map(|time| format!("{time}Z"));
        utc.as_deref().unwrap_or(text).parse().map(Self::At).map_err(|_| {
            "it takes `latest` or a time with its zone: `2026-03-01T12:00:00Z`, `2026-03-01 13:00:00+01:00`".into()
        })
    }

    /// As it is shown and sent.
    pub fn words(&self) -> String {
        match self {
            Self::Latest => "latest".into(),
            Self::At(time) => written(*time),
            Self::Open => "a time that is filled in when the step runs".into(),
        }
    }

    /// Why these backups cannot give this time, if they cannot.
    pub fn refused(&self, window: &Window, now: Timestamp) -> Option<Problem> {
        let Some(latest) = window.latest else {
            return Some(Problem::new(
                "it has no restorable time: automated backups are off, or the first one is not done",
                "Restore a snapshot instead (`rds-restore-snapshot`), or look at its backup retention period.",
            ));
        };
        let time = match self {
            Self::Latest => return None,
            Self::Open => return Some(Problem::new("its time is not filled in", "Give the step a time.")),
            Self::At(time) => *time,
        };
        let at = written(time);
        if time > now {
            let ahead = duration(time.duration_since(now));
            return Some(Problem::new(
                format!("{at} is in the future, by {ahead}"),
                "Check date and zone of the time that was given.",
            ));
        }
        if time > latest {
            return Some(Problem::new(
                format!("{at} is after {}, the latest restorable time", written(latest)),
                "Wait until the latest restorable time has passed it (it moves about every 5 minutes), or restore `latest`.",
            ));
        }
        match window.earliest {
            Some(earliest) if time < earliest => Some(Problem::new(
                format!("{at} is before {}, the earliest restorable time", written(earliest)),
                "Give a later time, or restore a snapshot of that time (`rds-restore-snapshot`).",
            )),
            _ => None,
        }
    }

    /// What is known of the window and what is lost, for the confirmation.
    pub fn notes(&self, window: &Window, now: Timestamp) -> Vec<String> {
        let Some(latest) = window.latest else { return Vec::new() };
        let ago = |time: Timestamp| duration(now.duration_since(time).max(SignedDuration::ZERO));
        let from = window.earliest.map_or("a time that AWS does not tell".into(), written);
        let mut notes = vec![format!("Restorable from {from} to {} ({} ago).", written(latest), ago(latest))];
        let to = match self {
            Self::Latest => latest,
            Self::At(time) if *time <= now => *time,
            _ => return notes,
        };
        notes.push(format!(
            "DATA LOSS: the new database ends at {}; what was written in the {} since then is not in it.",
            written(to),
            ago(to)
        ));
        notes
    }
}

impl Window {
    /// Of an instance. AWS tells the earliest time with its automated backups only; without them it is no earlier than
    /// the instance itself and its retention allow.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html>
    pub fn of_instance(instance: &DbInstance, backups: Option<&RestoreWindow>, now: Timestamp) -> Self {
        let latest = instance.latest_restorable_time().and_then(timestamp);
        let told = backups.and_then(|window| window.earliest_time()).and_then(timestamp);
        // A day more, as the backup that the first day builds on is older than the day.
        let days = i64::from(instance.backup_retention_period().unwrap_or_default()).saturating_add(1);
        let kept = now.checked_sub(SignedDuration::from_hours(days.saturating_mul(24))).ok();
        let bound = kept.max(instance.instance_create_time().and_then(timestamp));
        Self { earliest: told.or(bound), latest }
    }

    /// Of a cluster, which tells both itself.
    pub fn of_cluster(cluster: &DbCluster) -> Self {
        Self {
            earliest: cluster.earliest_restorable_time().and_then(timestamp),
            latest: cluster.latest_restorable_time().and_then(timestamp),
        }
    }
}

/// A time in whole seconds of UTC.
pub fn written(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::aws::client::date_time;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const NOW: &str = "2026-03-08T12:05:00Z";

    fn window() -> Window {
        let bound = |text| Some(time(text));
        Window { earliest: bound("2026-03-01T04:00:00Z"), latest: bound("2026-03-08T12:00:00Z") }
    }

    fn refused(text: &str) -> Option<String> {
        Moment::parse(text).unwrap().refused(&window(), time(NOW)).map(|refused| refused.why)
    }

    #[test]
    fn times_are_read_with_their_zone_or_not_at_all() {
        let at = |text: &str| Moment::At(time(text));
        assert_eq!(Moment::parse("latest"), Ok(Moment::Latest));
        assert_eq!(Moment::parse("2026-03-01T12:00:00.000Z"), Ok(at("2026-03-01T12:00:00Z")));
        assert_eq!(Moment::parse("2026-03-01 13:00:00+01:00"), Ok(at("2026-03-01T12:00:00Z")));
        assert_eq!(Moment::parse("2024-12-01 14:30:00 UTC"), Ok(at("2024-12-01T14:30:00Z")));
        assert_eq!(Moment::parse("{{ incident.declared }}"), Ok(Moment::Open));
        for text in ["2026-03-01T12:00:00", "2026-03-01", "yesterday", "", "12:00Z"] {
            assert!(Moment::parse(text).unwrap_err().contains("2026-03-01T12:00:00Z"), "{text}");
        }
    }

    #[test]
    fn the_bounds_of_the_window_are_inside() {
        for text in ["2026-03-01T04:00:00Z", "2026-03-08T12:00:00Z", "2026-03-05T00:00:00Z", "latest"] {
            assert_eq!(refused(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_outside_is_refused_with_the_bound_that_it_misses() {
        for (text, why) in [
            (
                "2001-01-01T00:00:00Z",
                "2001-01-01T00:00:00Z is before 2026-03-01T04:00:00Z, the earliest restorable time",
            ),
            (
                "2026-03-08T12:00:01Z",
                "2026-03-08T12:00:01Z is after 2026-03-08T12:00:00Z, the latest restorable time",
            ),
            ("2026-03-08T14:05:00Z", "2026-03-08T14:05:00Z is in the future, by 2 h 00 min"),
            ("{{ incident.declared }}", "its time is not filled in"),
        ] {
            assert_eq!(refused(text).as_deref(), Some(why));
        }
        for moment in [Moment::Latest, Moment::At(time("2026-03-05T00:00:00Z"))] {
            let refused = moment.refused(&Window::default(), time(NOW)).unwrap();
            assert!(refused.why.contains("automated backups are off"), "{refused:?}");
        }
    }

    #[test]
    fn the_confirmation_tells_window_and_loss() {
        let notes = |text: &str| Moment::parse(text).unwrap().notes(&window(), time(NOW)).join(" ");
        assert!(
            notes("latest").contains("from 2026-03-01T04:00:00Z to 2026-03-08T12:00:00Z (5 min 00 s ago)")
        );
        assert!(notes("latest").contains("DATA LOSS: the new database ends at 2026-03-08T12:00:00Z"));
        assert!(notes("2026-03-08T10:00:00Z").contains("written in the 2 h 05 min since then"));
        assert!(!notes("2027-01-01T00:00:00Z").contains("DATA LOSS"));
    }

    #[test]
    fn an_instance_without_told_backups_is_bounded_by_its_own_age_and_retention() {
        let built = |created: &str, days| {
            let instance = DbInstance::builder()
                .instance_create_time(date_time(time(created)))
                .latest_restorable_time(date_time(time("2026-03-08T12:00:00Z")))
                .backup_retention_period(days)
                .build();
            Window::of_instance(&instance, None, time(NOW)).earliest.map(written)
        };
        assert_eq!(built("2026-03-07T00:00:00Z", 7).as_deref(), Some("2026-03-07T00:00:00Z"));
        assert_eq!(built("2020-01-01T00:00:00Z", 7).as_deref(), Some("2026-02-28T12:05:00Z"));
        let told = RestoreWindow::builder().earliest_time(date_time(time("2026-03-02T00:00:00Z"))).build();
        let window = Window::of_instance(&DbInstance::builder().build(), Some(&told), time(NOW));
        assert_eq!(window.earliest.map(written).as_deref(), Some("2026-03-02T00:00:00Z"));
    }
}
