//! `kube-pvc`: whether claims have their volumes.

use super::Claim;
use super::judge::{Seen, judge};
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::alive;
use crate::providers::kube::client::{CLAIMS, Call, KubeError, Scope};
use crate::providers::kube::place::{NAMESPACE, PROBE_CONTEXT, Reader, checked};
use crate::providers::kube::watched::Watched;
use futures::future::BoxFuture;
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "kube-pvc",
    sees: Sees::Claims,
    doc: "Watches claims for volumes: which have theirs, which wait for one, and which lost it. The value is the number of \
          bound claims. One that lost its volume is critical, and so is one that is named and not there, and a namespace \
          without any. One that waits is a warning, and critical where it is named; some classes of storage make a volume \
          only once a pod asks for it. It reads by watch, so that a short `every` costs the API server nothing; with each \
          look it also asks whether the API server answers, and is unknown when it does not.",
    unit: Unit::Number,
    keys: &[
        PROBE_CONTEXT,
        NAMESPACE,
        Key::optional(
            "names",
            Takes::List(&Takes::Text),
            "Which ones, by their names (`data-db-0`). All of the namespace where absent.",
        ),
    ],
    fields: &[
        ("claims", "how many claims were found"),
        ("bound", "how many have their volume"),
        ("pending", "names of those that wait for one"),
        ("lost", "names of those that lost theirs"),
        ("capacity_bytes", "how large the volumes are together"),
    ],
    permissions: &["list persistentvolumeclaims", "watch persistentvolumeclaims"],
    example: r#"[probes.example]
kind = "kube-pvc"
title = "Volumes in DR"
context = "dr"
namespace = "shop"
names = ["data-db-0", "data-db-1"]
every = "10s"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let reader = Reader::of(spec, clients)?;
    let names = spec.params.texts("names").into_iter().map(|name| checked("names", name).map(str::to_owned));
    Ok(Box::new(Claims { reader, names: names.collect::<Result<_, BuildError>>()? }))
}

struct Claims {
    reader: Reader,
    names: Vec<String>,
}

impl Probe for Claims {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move { self.look().await.map_err(|error| error.problem()) })
    }
}

impl Claims {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let until = Instant::now() + self.reader.within;
        let cluster = &self.reader.cluster;
        let namespace = self.reader.namespace(&Call::new("list persistentvolumeclaims", ""), until).await?;
        alive::ask(cluster, self.reader.within).await?;
        let watched = cluster.kept(&format!("claims {namespace}"), || {
            let call = Call::new("list persistentvolumeclaims", format!("in {namespace}"));
            Watched::new(cluster, call, Scope::all(CLAIMS, Some(&namespace)), Claim::of)
        });
        let mut claims = watched.read(until).await?;
        claims.sort_by(|a, b| a.name.cmp(&b.name));
        let is_there = |name: &&String| claims.iter().any(|claim| claim.name == **name);
        let absent = self.names.iter().filter(|name| !is_there(name)).cloned().collect();
        claims.retain(|claim| self.names.is_empty() || self.names.contains(&claim.name));
        Ok(judge(cluster, &Seen { namespace, claims, are_named: !self.names.is_empty(), absent }))
    }
}
