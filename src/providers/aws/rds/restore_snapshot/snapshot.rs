//! A snapshot of an instance or cluster: what it is and whether it can be restored.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::duration;
use crate::providers::aws::client::{AwsError, Call, Connection, present, timestamp};
use crate::providers::aws::rds::restore::DatabaseKind;
use crate::providers::aws::rds::restore::moment::written;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Tag};
use jiff::{SignedDuration, Timestamp};

/// A snapshot of either sort.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// Its name.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The name of the database that it is of.
    pub of: String,
    /// Its status (`available`, `creating`).
    pub status: String,
    /// How much of it is done.
    pub percent: Option<i32>,
    /// The time that its data are of.
    pub taken: Option<Timestamp>,
    /// Its engine.
    pub engine: String,
    /// The engine's version.
    pub version: String,
    /// The size of the storage that it needs.
    pub size_gib: Option<i32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl From<DbSnapshot> for Snapshot {
    fn from(snapshot: DbSnapshot) -> Self {
        Self {
            id: text(snapshot.db_snapshot_identifier()),
            arn: text(snapshot.db_snapshot_arn()),
            of: text(snapshot.db_instance_identifier()),
            status: text(snapshot.status()),
            percent: snapshot.percent_progress(),
            taken: snapshot.snapshot_create_time().and_then(timestamp),
            engine: text(snapshot.engine()),
            version: text(snapshot.engine_version()),
            size_gib: snapshot.allocated_storage(),
            encrypted: snapshot.encrypted() == Some(true),
            tags: snapshot.tag_list.unwrap_or_default(),
        }
    }
}

impl From<DbClusterSnapshot> for Snapshot {
    fn from(snapshot: DbClusterSnapshot) -> Self {
        Self {
            id: text(snapshot.db_cluster_snapshot_identifier()),
            arn: text(snapshot.db_cluster_snapshot_arn()),
            of: text(snapshot.db_cluster_identifier()),
            status: text(snapshot.status()),
            percent: snapshot.percent_progress(),
            taken: snapshot.snapshot_create_time().and_then(timestamp),
            engine: text(snapshot.engine()),
            version: text(snapshot.engine_version()),
            size_gib: snapshot.allocated_storage(),
            encrypted: snapshot.storage_encrypted() == Some(true),
            tags: snapshot.tag_list.unwrap_or_default(),
        }
    }
}

impl Snapshot {
    /// What must not change between confirmation and execution.
    pub fn identity(&self) -> Vec<(String, String)> {
        let taken = self.taken.map_or("unknown".into(), written);
        [
            ("snapshot", &self.id),
            ("snapshot arn", &self.arn),
            ("snapshot of", &self.of),
            ("taken", &taken),
            ("engine", &self.engine),
            ("engine version", &self.version),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into()
    }

    /// Why it cannot be restored as this source, if it cannot.
    pub fn refused(&self, source: &str) -> Option<Problem> {
        if !self.of.eq_ignore_ascii_case(source) {
            return Some(Problem::new(
                format!("{} is a snapshot of {}, not of {source}", self.id, self.of),
                "Give the right snapshot, or name the database that it is of as the source.",
            ));
        }
        let percent = self.percent.map_or(String::new(), |percent| format!(" ({percent} %)"));
        (self.status != "available").then(|| {
            Problem::new(
                format!("the snapshot {} is {}{percent}, not available", self.id, self.status),
                "Wait until it is available, or restore another one.",
            )
        })
    }

    /// What to know before it is restored.
    pub fn notes(&self, now: Timestamp) -> Vec<String> {
        let size =
            self.size_gib.filter(|size| *size > 0).map_or(String::new(), |size| format!(", {size} GiB"));
        let encrypted = if self.encrypted { "encrypted" } else { "NOT encrypted" };
        let mut notes = vec![format!(
            "Snapshot {} of {}: {}, {} {}{size}, {encrypted}.",
            self.id, self.of, self.status, self.engine, self.version
        )];
        notes.extend(self.taken.map(|taken| {
            let ago = duration(now.duration_since(taken).max(SignedDuration::ZERO));
            let taken = written(taken);
            format!(
                "DATA LOSS: it was taken at {taken}; what was written in the {ago} since then is not in it."
            )
        }));
        notes
    }
}

/// The newest one that is available and whose name begins so.
pub fn newest(snapshots: Vec<Snapshot>, prefix: Option<&str>) -> Option<Snapshot> {
    let begins = |snapshot: &Snapshot| prefix.is_none_or(|prefix| snapshot.id.starts_with(prefix));
    snapshots
        .into_iter()
        .filter(|snapshot| snapshot.status == "available" && begins(snapshot))
        .max_by_key(|snapshot| snapshot.taken)
}

/// The snapshot of that name; none where there is none of this sort.
///
/// # Errors
/// When it cannot be told.
pub async fn named(reader: &Connection, sort: DatabaseKind, id: &str) -> Result<Option<Snapshot>, AwsError> {
    let found = match sort {
        DatabaseKind::Instance => {
            let call = Call::new("rds:DescribeDBSnapshots", id);
            let ask = reader.rds().describe_db_snapshots().db_snapshot_identifier(id);
            let send = ask.set_snapshot_type(type_of(id)).send();
            let found = reader.call(&call, send).await;
            found.map(|found| found.db_snapshots.unwrap_or_default().into_iter().next().map(Snapshot::from))
        }
        DatabaseKind::Cluster => {
            let call = Call::new("rds:DescribeDBClusterSnapshots", id);
            let ask = reader.rds().describe_db_cluster_snapshots().db_cluster_snapshot_identifier(id);
            let send = ask.set_snapshot_type(type_of(id)).send();
            let found = reader.call(&call, send).await;
            found.map(|found| {
                found.db_cluster_snapshots.unwrap_or_default().into_iter().next().map(Snapshot::from)
            })
        }
    };
    present(found).map(Option::flatten)
}

/// The type that AWS wants to be told for a name that it gave itself; none for those of people.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshots.html>
fn type_of(id: &str) -> Option<String> {
    let own = [("rds:", "automated"), ("awsbackup:", "awsbackup")];
    own.into_iter().find(|(prefix, _)| id.starts_with(prefix)).map(|(_, name)| name.to_owned())
}

/// Every snapshot of an instance or cluster.
///
/// # Errors
/// When they cannot be listed.
pub async fn of_source(
    reader: &Connection,
    sort: DatabaseKind,
    source: &str,
) -> Result<Vec<Snapshot>, AwsError> {
    match sort {
        DatabaseKind::Instance => {
            let call = Call::new("rds:DescribeDBSnapshots", source);
            let ask = reader.rds().describe_db_snapshots().db_instance_identifier(source).into_paginator();
            let all = ask.items().send().collect::<Result<Vec<_>, _>>();
            Ok(reader.call(&call, all).await?.into_iter().map(Snapshot::from).collect())
        }
        DatabaseKind::Cluster => {
            let call = Call::new("rds:DescribeDBClusterSnapshots", source);
            let ask =
                reader.rds().describe_db_cluster_snapshots().db_cluster_identifier(source).into_paginator();
            let all = ask.items().send().collect::<Result<Vec<_>, _>>();
            Ok(reader.call(&call, all).await?.into_iter().map(Snapshot::from).collect())
        }
    }
}

fn text(text: Option<&str>) -> String {
    clean(text.unwrap_or("unknown"), 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::aws::client::date_time;

    fn snapshot(id: &str, status: &str, taken: &str) -> Snapshot {
        DbSnapshot::builder()
            .db_snapshot_identifier(id)
            .db_instance_identifier("arka-db-primary")
            .status(status)
            .percent_progress(40)
            .snapshot_create_time(date_time(taken.parse().unwrap()))
            .engine("postgres")
            .engine_version("15.4")
            .allocated_storage(100)
            .build()
            .into()
    }

    #[test]
    fn the_newest_is_by_time_available_and_of_the_prefix() {
        let all = vec![
            snapshot("rds:arka-1", "available", "2026-03-01T00:00:00Z"),
            snapshot("final-z", "available", "2026-02-01T00:00:00Z"),
            snapshot("final-a", "available", "2026-02-02T00:00:00Z"),
            snapshot("final-b", "creating", "2026-03-02T00:00:00Z"),
        ];
        let id = |prefix| newest(all.clone(), prefix).map(|snapshot| snapshot.id);
        assert_eq!(id(None).as_deref(), Some("rds:arka-1"));
        assert_eq!(id(Some("final")).as_deref(), Some("final-a"));
        assert_eq!(id(Some("nothing")), None);
    }

    #[test]
    fn only_an_available_snapshot_of_the_source_is_restored() {
        let ready = snapshot("final", "available", "2026-03-01T00:00:00Z");
        assert_eq!(ready.refused("arka-db-primary"), None);
        let other = ready.refused("sparc-db").unwrap();
        assert_eq!(other.why, "final is a snapshot of arka-db-primary, not of sparc-db");
        let creating =
            snapshot("final", "creating", "2026-03-01T00:00:00Z").refused("arka-db-primary").unwrap();
        assert_eq!(creating.why, "the snapshot final is creating (40 %), not available");
    }

    #[test]
    fn the_confirmation_tells_what_it_is_and_what_is_lost() {
        let ready = snapshot("final", "available", "2026-03-01T00:00:00Z");
        assert_eq!(
            ready.notes("2026-03-01T03:20:00Z".parse().unwrap()),
            [
                "Snapshot final of arka-db-primary: available, postgres 15.4, 100 GiB, NOT encrypted.",
                "DATA LOSS: it was taken at 2026-03-01T00:00:00Z; what was written in the 3 h 20 min since then is \
                 not in it.",
            ]
        );
    }
}
