//! `kube-api`: whether a cluster's API server is ready.

use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::client::{Call, KubeError};
use crate::providers::kube::place::{PROBE_CONTEXT, Reader};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "kube-api",
    sees: Sees::ApiServer,
    doc: "Asks a cluster's API server whether it is ready (`/readyz`), and which version it is. The value is how long the \
          answer took. An API server that says that it is not ready, refuses the connection or does not answer is \
          critical. What is not the cluster's own fault is unknown: an expired token, a program that signs in and is missing \
          or hangs, a name without an address, a proxy in the way.",
    unit: Unit::Milliseconds,
    keys: &[PROBE_CONTEXT],
    fields: &[
        ("version", "the API server's version (`v1.33.1`)"),
        ("server", "its host and port"),
        ("failed", "the checks that it fails"),
    ],
    permissions: &["get /readyz", "get /version"],
    example: r#"[probes.example]
kind = "kube-api"
title = "DR cluster"
context = "dr"
every = "10s"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Api { reader: Reader::of(spec, clients)? }))
}

struct Api {
    reader: Reader,
}

impl Probe for Api {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            match self.look().await {
                Err(error) if error.is_clusters_own() => Ok(Measurement::critical(&*error.message)),
                seen => seen.map_err(|error| error.problem()),
            }
        })
    }
}

impl Api {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let Reader { cluster, within, .. } = &self.reader;
        let call = Call::new("get /readyz", "of the API server");
        let until = Instant::now() + *within;
        let server = cluster.session(&call, until).await?.server;
        let begun = Instant::now();
        let left = || until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let (status, body) = cluster.raw(&call, "/readyz?verbose", left()).await?;
        let took_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let failed = match status {
            200..=299 => None,
            _ => Some(self.failed_checks(&body).ok_or_else(|| cluster.refused(&call, status, &body))?),
        };
        let call = Call::new("get /version", "of the API server");
        let version = cluster.get(&call, "/version".into(), left()).await.ok();
        let version = version.and_then(|version| Some(cluster.shown(version["gitVersion"].as_str()?, 40)));
        let summary = match (&failed, &version) {
            (Some(failed), _) => format!("not ready: {failed}"),
            (None, Some(version)) => format!("ready, {version}"),
            (None, None) => "ready".to_owned(),
        };
        let verdict = failed.as_ref().map_or(Verdict::Good, |_| Verdict::Critical(summary.clone()));
        Ok(Measurement::good(summary)
            .judged(verdict)
            .with_value(took_ms)
            .with_text("version", version)
            .with_text("server", server)
            .with_text("failed", failed))
    }

    /// The checks that an API server that is not ready names: it answers with 500 and a line for each. None where it is no
    /// such answer.
    fn failed_checks(&self, body: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(body);
        let failed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("[-]"))
            .filter_map(|line| line.split_whitespace().next())
            .take(8)
            .collect();
        (!failed.is_empty()).then(|| self.reader.cluster.shown(&failed.join(", "), 200))
    }
}
