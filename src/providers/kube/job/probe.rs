//! `kube-job`: whether one job did what it is for.

use super::Job;
use super::State;
use super::judge::judge;
use super::named::{Named, present};
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Call, JOBS, KubeError, PODS, Scope};
use crate::providers::kube::place::{NAMESPACE, PROBE_CONTEXT};
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "kube-job",
    sees: Sees::Job,
    doc: "Reads one job, a restore or a migration for example. The value is how long it took, or how long it runs so far. \
          One that is complete is good, and so is one that runs; `warn` and `critical` say what is too long. One that \
          failed is critical, and so are one that is not there and an end that is dated in the future. One that is suspended is a warning, and so is one of which \
          no pod has begun within 5 minutes.",
    unit: Unit::Seconds,
    keys: &[PROBE_CONTEXT, NAMESPACE, Key::required("name", Takes::Text, "The name of the job.")],
    fields: &[
        ("state", "`complete`, `failed`, `suspended`, `running`, or `waiting` where no pod of it has begun"),
        ("active", "how many of its pods run, or wait to"),
        ("succeeded", "how many of its pods ended well"),
        ("failed", "how many of its pods failed"),
        ("started", "when it was begun (RFC 3339)"),
        ("completed", "when it completed (RFC 3339)"),
        ("failure", "why it failed, in the cluster's words"),
    ],
    permissions: &["get jobs.batch", "list pods"],
    example: r#"[probes.example]
kind = "kube-job"
title = "Restore in DR"
context = "dr"
namespace = "shop"
name = "restore"
warn = "30m"
critical = "1h"
every = "10s"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(OneJob(Named::of("job", spec, clients)?)))
}

struct OneJob(Named);

impl Probe for OneJob {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move { self.look().await.map_err(|error| error.problem()) })
    }
}

impl OneJob {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let until = Instant::now() + self.0.reader.within;
        let cluster = &self.0.reader.cluster;
        let (namespace, call) = self.0.place(until).await?;
        let left = until.saturating_duration_since(Instant::now());
        let path = JOBS.path(Some(&namespace), Some(&self.0.name));
        let Some(object) = present(cluster.get(&call, path, left).await)? else {
            return Ok(self.0.absent(&namespace));
        };
        let job = Job::of(&object);
        let has_begun = match job.state {
            State::Unfinished => self.has_begun(&namespace, until).await?,
            State::Complete { .. } | State::Failed { .. } | State::Suspended => true,
        };
        Ok(judge(cluster, &job, has_begun, Timestamp::now()))
    }

    /// Whether a pod of it runs or ran: all of them have its name for a label.
    async fn has_begun(&self, namespace: &str, until: Instant) -> Result<bool, KubeError> {
        let selector = format!("job-name={}", self.0.name);
        let scope = Scope { selector: Some(&selector), ..Scope::all(PODS, Some(namespace)) };
        let call = Call::new("list pods", format!("of job/{} in {namespace}", self.0.name));
        let left = until.saturating_duration_since(Instant::now());
        let (pods, _) = self.0.reader.cluster.list(&call, scope, left).await?;
        let began = |phase: Option<&str>| matches!(phase, Some("Running" | "Succeeded" | "Failed"));
        Ok(pods.iter().any(|pod| began(pod["status"]["phase"].as_str())))
    }
}
