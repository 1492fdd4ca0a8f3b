//! `velero-backup`: how old the newest complete backup is.

use super::VELERO_NAMESPACE;
use super::judge::Seen;
use super::location::Location;
use super::seen::{Backup, newest_complete};
use super::volumes::Volumes;
use super::which::{NAME_PREFIX, SCHEDULE, SELECTOR, Which};
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees};
use crate::providers::clients::Clients;
use crate::providers::kube::alive;
use crate::providers::kube::client::{BACKUPS, KubeError, Scope};
use crate::providers::kube::place::{PROBE_CONTEXT, Reader};
use crate::providers::kube::watched::Watched;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::time::Instant;

/// The longest that Velero itself waits for copies of volumes by default.
const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(4);

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "velero-backup",
    sees: Sees::ClusterBackup,
    doc: "Reads the backups that Velero has of a cluster, from their objects. The value is how long ago the newest \
          complete one began: what was written since is not in it. What has expired or is being deleted does not count. \
          Critical is: that none counts; one that ended `PartiallyFailed`, `Failed` or `FailedValidation` since; errors in \
          the one that counts, or a time in the future; and a storage location that Velero does not call available, for \
          nobody can restore what lies there. A warning is: warnings in the one that counts, or no item; a copy of a volume \
          that is not complete; a backup that runs longer than `longest_run`, or will end in part; and a storage location \
          that Velero has not looked at for long. A backup that is made is told, and changes nothing else. The size of \
          volumes is known where Velero copies their files; of snapshots the cluster does not have it (`not_known`). \
          Without Velero in the cluster, or a right to read, it is unknown. It reads by watch, and with each look asks \
          whether the API server answers.",
    unit: Unit::Seconds,
    keys: &[
        PROBE_CONTEXT,
        VELERO_NAMESPACE,
        SCHEDULE,
        NAME_PREFIX,
        SELECTOR,
        Key::default(
            "longest_run",
            Takes::Duration,
            "4h",
            "A backup that runs longer than this, or waits longer for its turn, is a warning.",
        ),
    ],
    fields: &[
        ("name", "the newest complete backup that counts"),
        ("warnings", "how many warnings it has"),
        ("errors", "how many errors it has"),
        ("items", "how many objects are in it"),
        ("items_total", "how many there were to be in it"),
        ("volume_bytes", "how large the copies of its volumes are together, where Velero copied files"),
        ("not_known", "what is not known of its volumes, and why"),
        ("started", "when it began (RFC 3339)"),
        ("completed", "when it was complete (RFC 3339)"),
        ("expires", "when Velero may delete it (RFC 3339)"),
        ("location", "the storage location that it lies in"),
        ("newest", "the newest backup, whatever became of it"),
        (
            "phase",
            "the phase of the newest one, in Velero's word (`InProgress`, `Completed`, `PartiallyFailed`)",
        ),
        ("backups", "how many backups were found"),
        ("running", "how many of them are made, or wait for their turn"),
    ],
    permissions: &[
        "list backups.velero.io",
        "watch backups.velero.io",
        "get backupstoragelocations.velero.io",
        "list podvolumebackups.velero.io",
    ],
    example: r#"[probes.example]
kind = "velero-backup"
title = "Backup of the cluster"
context = "dr"
schedule = "nightly"
warn = "26h"
critical = "50h"
every = "1m"
timeout = "5s"
"#,
    check: |spec| Which::of(&spec.params).err().into_iter().collect(),
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let reader = Reader::of(spec, clients)?;
    let longest_run = spec.params.duration("longest_run").unwrap_or(LONGEST_RUN);
    let namespace = super::namespace(&spec.params)?;
    Ok(Box::new(Backups { reader, namespace, which: Which::of(&spec.params)?, longest_run }))
}

struct Backups {
    reader: Reader,
    namespace: String,
    which: Which,
    longest_run: SignedDuration,
}

impl Probe for Backups {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move { self.look().await.map_err(|error| error.problem()) })
    }
}

impl Backups {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let until = Instant::now() + self.reader.within;
        let (cluster, namespace) = (&self.reader.cluster, &*self.namespace);
        alive::ask(cluster, self.reader.within).await?;
        let listed = self.listed(until).await?;
        let backups: Vec<&Backup> =
            listed.iter().map(|backup| &**backup).filter(|backup| self.which.fits(backup)).collect();
        let now = Timestamp::now();
        let (mut location, mut volumes) = (None, Volumes::default());
        if let Some(complete) = newest_complete(backups.iter().copied(), now) {
            location = Some(Location::read(cluster, namespace, &complete.location, until).await?);
            volumes = Volumes::read(cluster, namespace, &complete.name, until).await;
        }
        let which = format!("{} in {namespace}", self.which.words());
        Ok(Seen { cluster, which, backups, location, volumes, longest_run: self.longest_run, now }.judge())
    }

    /// All that have the labels.
    async fn listed(&self, until: Instant) -> Result<Vec<Arc<Backup>>, KubeError> {
        let (cluster, namespace, selector) = (&self.reader.cluster, &self.namespace, self.which.selector());
        let watched = cluster.kept(&format!("backups {namespace} {selector:?}"), || {
            let scope = Scope { selector: selector.as_deref(), ..Scope::all(BACKUPS, Some(namespace)) };
            Watched::new(cluster, self.which.call(namespace), scope, Backup::of)
        });
        watched.read(until).await
    }
}
