//! `kube-cronjob`: how long ago a cron job last succeeded.

use super::cron_judge::judge;
use super::named::{Named, present};
use super::served::cron_job;
use super::{CronJob, Job};
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Call, JOBS, KubeError, Scope};
use crate::providers::kube::place::{NAMESPACE, PROBE_CONTEXT};
use crate::providers::kube::watched::Watched;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "kube-cronjob",
    sees: Sees::CronJob,
    doc: "Reads a cron job, a nightly backup for example, and the jobs that it began. The value is the age of its last \
          success: what the cluster keeps of it, or the newest of its jobs that completed. One that never succeeded, as \
          far as the cluster knows, one whose last run failed, and one that is not there is critical; one that is \
          suspended is a warning. A job that runs is told and changes nothing else: what is too long since a success, \
          `warn` and `critical` say. Clusters before 1.21 are asked in `batch/v1beta1`; they know a success only as \
          long as they keep its job (`successfulJobsHistoryLimit`). A failed job that the cluster no longer keeps is \
          not seen.",
    unit: Unit::Seconds,
    keys: &[PROBE_CONTEXT, NAMESPACE, Key::required("name", Takes::Text, "The name of the cron job.")],
    fields: &[
        ("last_success", "when it last succeeded (RFC 3339)"),
        ("last_failure", "when a job of it last failed (RFC 3339)"),
        ("failure", "why that was, in the cluster's words"),
        ("active", "how many of its jobs run"),
        ("suspended", "whether it is suspended"),
        ("schedule", "when it begins jobs (`0 2 * * *`)"),
    ],
    permissions: &["get cronjobs.batch", "list jobs.batch", "watch jobs.batch"],
    example: r#"[probes.example]
kind = "kube-cronjob"
title = "Nightly dump"
context = "dr"
namespace = "shop"
name = "dump"
warn = "25h"
critical = "50h"
every = "1m"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Cron(Named::of("cronjob", spec, clients)?)))
}

struct Cron(Named);

impl Probe for Cron {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move { self.look().await.map_err(|error| error.problem()) })
    }
}

impl Cron {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let until = Instant::now() + self.0.reader.within;
        let cluster = &self.0.reader.cluster;
        let (namespace, call) = self.0.place(until).await?;
        let Some(object) = present(cron_job(cluster, &call, &namespace, &self.0.name, until).await)? else {
            return Ok(self.0.absent(&namespace));
        };
        let jobs = cluster.kept(&format!("jobs {namespace}"), || {
            let call = Call::new("list jobs.batch", format!("in {namespace}"));
            Watched::new(cluster, call, Scope::all(JOBS, Some(&namespace)), Job::of)
        });
        let jobs = jobs.read(until).await?;
        Ok(judge(cluster, &CronJob::of(&object), &jobs, Timestamp::now()))
    }
}
