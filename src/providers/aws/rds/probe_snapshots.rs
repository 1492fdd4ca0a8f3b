//! `rds-snapshots`: the newest snapshot of an RDS instance or cluster.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, faults};
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, timestamp};
use crate::providers::aws::rds::probe_instance::gibibytes;
use crate::providers::aws::reader::Reader;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot};
use futures::future::BoxFuture;
use jiff::Timestamp;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "rds-snapshots",
    sees: Sees::Copies,
    doc: "Looks at the snapshots of an RDS instance or cluster. The value is the age of the newest one that is \
          complete. No complete snapshot is critical, one that failed after the newest complete one is a warning. \
          The size is that of the storage that a restore allocates: RDS does not tell how much a snapshot stores.",
    unit: Unit::Seconds,
    keys: &[
        Key::optional("instance", Takes::Text, "Name of the instance; either this or `cluster`."),
        Key::optional("cluster", Takes::Text, "Name of the cluster."),
        crate::providers::aws::probe::REGION,
        Key::default(
            "type",
            Takes::Choice(&["any", "automated", "manual", "awsbackup"]),
            "any",
            "Which ones count: those that RDS takes by itself, those that somebody took, those of AWS Backup, or the \
             first two.",
        ),
    ],
    fields: &[
        ("snapshot", "name of the newest complete one"),
        ("taken", "when it was taken"),
        ("type", "`automated`, `manual` or `awsbackup`"),
        ("size_bytes", "the storage that a restore allocates"),
        ("encrypted", "it is encrypted"),
        ("encryption_key", "the KMS key that it is encrypted with"),
        ("count", "how many complete ones there are"),
        ("failed_count", "how many failed"),
        ("in_progress", "how many are being made"),
    ],
    permissions: &["rds:DescribeDBSnapshots", "rds:DescribeDBClusterSnapshots"],
    example: r#"[probes.example]
kind = "rds-snapshots"
title = "Snapshots of the scanner database"
region = "primary"
cluster = "market-scanning-prod"
type = "automated"
every = "10m"
timeout = "20s"
warn = "25h"
critical = "49h"
"#,
    check: |spec| faults([Of::named(spec).err()]),
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let of = Of::named(spec)?;
    let kind = spec.params.text("type").filter(|kind| *kind != "any").map(str::to_owned);
    Ok(Box::new(Snapshots { reader: Reader::of(spec, clients)?, of, kind }))
}

struct Snapshots {
    reader: Reader,
    of: Of,
    kind: Option<String>,
}

/// What the snapshots are of.
enum Of {
    Instance(String),
    Cluster(String),
}

impl Of {
    fn named(spec: &ProbeSpec) -> Result<Self, BuildError> {
        let name = |key: &str| spec.params.text(key).map(str::to_owned);
        match (name("instance"), name("cluster")) {
            (Some(instance), None) => Ok(Self::Instance(instance)),
            (None, Some(cluster)) => Ok(Self::Cluster(cluster)),
            (instance, _) => {
                let value = instance.unwrap_or_default();
                Err(BuildError::value("instance", &value, "name either an `instance` or a `cluster`"))
            }
        }
    }
}

impl Probe for Snapshots {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let snapshots = self.list().await.map_err(|error| error.unmeasured())?;
            let what = match &self.of {
                Of::Instance(name) => format!("instance {name}"),
                Of::Cluster(name) => format!("cluster {name}"),
            };
            let kind = self.kind.as_deref().map(|kind| format!("{kind} ")).unwrap_or_default();
            let none = format!("no complete {kind}snapshot of {what} in {}", self.reader.region());
            Ok(judge(&snapshots, &none, Timestamp::now()))
        })
    }
}

impl Snapshots {
    async fn list(&self) -> Result<Vec<Snapshot>, AwsError> {
        let connection = self.reader.connection().await;
        let (rds, within) = (connection.rds(), self.reader.within);
        let listed = match &self.of {
            Of::Instance(name) => {
                let call = Call::new("rds:DescribeDBSnapshots", name);
                let asked = rds.describe_db_snapshots().db_instance_identifier(name).max_records(100);
                let pages = asked.set_snapshot_type(self.kind.clone()).into_paginator().items().send();
                let listed =
                    connection.call_within(&call, within, pages.collect::<Result<Vec<_>, _>>()).await;
                listed.map(|all| all.iter().map(Snapshot::of_instance).collect())
            }
            Of::Cluster(name) => {
                let call = Call::new("rds:DescribeDBClusterSnapshots", name);
                let asked = rds.describe_db_cluster_snapshots().db_cluster_identifier(name).max_records(100);
                let pages = asked.set_snapshot_type(self.kind.clone()).into_paginator().items().send();
                let listed =
                    connection.call_within(&call, within, pages.collect::<Result<Vec<_>, _>>()).await;
                listed.map(|all| all.iter().map(Snapshot::of_cluster).collect())
            }
        };
        match listed {
            // An instance or cluster that is gone and left none.
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }
}

/// What instances' and clusters' snapshots have in common.
#[derive(Clone, PartialEq, Debug, Default)]
struct Snapshot {
    name: String,
    status: String,
    taken: Option<Timestamp>,
    kind: String,
    allocated_gibibytes: Option<i32>,
    encrypted: bool,
    key: Option<String>,
}

impl Snapshot {
    fn of_instance(snapshot: &DbSnapshot) -> Self {
        Self {
            name: text(snapshot.db_snapshot_identifier()),
            status: text(snapshot.status()),
            taken: snapshot.snapshot_create_time().and_then(timestamp),
            kind: text(snapshot.snapshot_type()),
            allocated_gibibytes: snapshot.allocated_storage(),
            encrypted: snapshot.encrypted() == Some(true),
            key: snapshot.kms_key_id().map(|key| text(Some(key))),
        }
    }

    fn of_cluster(snapshot: &DbClusterSnapshot) -> Self {
        Self {
            name: text(snapshot.db_cluster_snapshot_identifier()),
            status: text(snapshot.status()),
            taken: snapshot.snapshot_create_time().and_then(timestamp),
            kind: text(snapshot.snapshot_type()),
            allocated_gibibytes: snapshot.allocated_storage(),
            encrypted: snapshot.storage_encrypted() == Some(true),
            key: snapshot.kms_key_id().map(|key| text(Some(key))),
        }
    }
}

fn text(text: Option<&str>) -> String {
    clean(text.unwrap_or_default(), 300)
}

/// `none` is what to say where no snapshot is complete.
fn judge(snapshots: &[Snapshot], none: &str, now: Timestamp) -> Measurement {
    let are = |status: &'static str| snapshots.iter().filter(move |snapshot| snapshot.status == status);
    let newest =
        are("available").filter(|snapshot| snapshot.taken.is_some()).max_by_key(|snapshot| snapshot.taken);
    let failed = are("failed").max_by_key(|snapshot| snapshot.taken);
    let making = are("creating").count() + are("copying").count();
    let counted = |measured: Measurement| {
        measured
            .with_number("count", are("available").count() as f64)
            .with_number("failed_count", are("failed").count() as f64)
            .with_number("in_progress", making as f64)
    };
    let Some((newest, taken)) = newest.and_then(|newest| Some((newest, newest.taken?))) else {
        let failed = failed.map(|failed| format!("; {} failed", failed.name)).unwrap_or_default();
        let making = if making > 0 { "; one is being made" } else { "" };
        return counted(Measurement::critical(format!("{none}{failed}{making}")));
    };
    let age_s = now.duration_since(taken).as_secs_f64().max(0.0);
    // RDS tells no size of an Aurora snapshot before it is complete, and 0 or 1 GiB of some after.
    let bytes = newest.allocated_gibibytes.filter(|count| *count > 0).map(gibibytes);
    let size = bytes.map(|bytes| format!(", {}", words::bytes(bytes))).unwrap_or_default();
    let late = failed.filter(|failed| failed.taken.is_none() || failed.taken > newest.taken);
    let verdict = late.map_or(Verdict::Good, |failed| {
        Verdict::Warn(format!("{} failed, which is newer than the newest complete one", failed.name))
    });
    counted(Measurement::good(clean(&format!("{}{size}, {} old", newest.name, words::seconds(age_s)), 200)))
        .judged(verdict)
        .with_value(age_s)
        .with_text("snapshot", newest.name.clone())
        .with_text("taken", taken.to_string())
        .with_text("type", newest.kind.clone())
        .with_number("size_bytes", bytes)
        .with_flag("encrypted", newest.encrypted)
        .with_text("encryption_key", newest.key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::DateTime;

    const NOW_S: i64 = 1_700_000_000;

    fn snapshot(name: &str, status: &str, age_s: i64) -> Snapshot {
        let built = DbSnapshot::builder()
            .db_snapshot_identifier(name)
            .status(status)
            .snapshot_type("automated")
            .allocated_storage(100)
            .encrypted(true)
            .kms_key_id("arn:aws:kms:us-east-1:123456789012:key/1");
        let taken = (age_s >= 0).then(|| DateTime::from_secs(NOW_S - age_s));
        Snapshot::of_instance(&built.set_snapshot_create_time(taken).build())
    }

    fn measure(snapshots: &[Snapshot]) -> Measurement {
        judge(snapshots, "no complete snapshot of instance x in y", Timestamp::from_second(NOW_S).unwrap())
    }

    #[test]
    fn the_newest_complete_one_counts() {
        let measured = measure(&[
            snapshot("old", "available", 90_000),
            snapshot("new", "available", 7_200),
            snapshot("making", "creating", -1),
            snapshot("broken", "failed", 100_000),
        ]);
        assert_eq!((&measured.verdict, measured.value), (&Verdict::Good, Some(7200.0)));
        assert_eq!(measured.summary, "new, 107.4 GB, 2 h old");
        let count = |name| measured.number(name);
        assert_eq!(
            (count("count"), count("failed_count"), count("in_progress")),
            (Some(2.0), Some(1.0), Some(1.0))
        );
        assert_eq!(count("size_bytes"), Some(107_374_182_400.0));
    }

    #[test]
    fn none_that_is_complete_is_critical_and_a_newer_failure_warns() {
        let none = measure(&[snapshot("broken", "failed", 100)]);
        assert_eq!(none.verdict.why(), Some("no complete snapshot of instance x in y; broken failed"));
        assert_eq!(none.value, None);
        let late = measure(&[snapshot("good", "available", 90_000), snapshot("broken", "failed", 100)]);
        assert!(matches!(late.verdict, Verdict::Warn(why) if why.starts_with("broken failed")));
        assert_eq!(late.value, Some(90_000.0));
    }

    #[test]
    fn a_clusters_snapshot_is_read_alike() {
        let built = DbClusterSnapshot::builder()
            .db_cluster_snapshot_identifier("rds:market-scanning-prod")
            .status("available")
            .snapshot_create_time(DateTime::from_secs(NOW_S - 60))
            .allocated_storage(0)
            .storage_encrypted(true);
        let measured = measure(&[Snapshot::of_cluster(&built.build())]);
        assert_eq!((measured.value, measured.number("size_bytes")), (Some(60.0), None));
        assert_eq!(measured.summary, "rds:market-scanning-prod, 60 s old");
    }
}
