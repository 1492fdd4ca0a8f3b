//! `kube-nodes`: whether a cluster has nodes that pods can run on.

use super::Node;
use super::judge::judge;
use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::alive;
use crate::providers::kube::client::{Call, KubeError, NODES, Scope};
use crate::providers::kube::place::{PROBE_CONTEXT, Reader};
use crate::providers::kube::watched::Watched;
use futures::future::BoxFuture;
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "kube-nodes",
    sees: Sees::Nodes,
    doc: "Watches the nodes of a cluster: which are ready, which are not and why, which are cordoned, and which run short \
          of memory, disk or process IDs. The value is the number of ready nodes; a cordoned one that is ready counts. A \
          node whose kubelet is silent is not ready. No node at all, or none that is ready, is critical; some that are \
          not ready, one that runs short, and a cordon on all that are ready are warnings. It reads by watch, so that a \
          short `every` costs the API server nothing; with each look it also asks whether the API server answers, and is \
          unknown when it does not.",
    unit: Unit::Number,
    keys: &[
        PROBE_CONTEXT,
        Key::optional(
            "selector",
            Takes::Text,
            "Those whose labels fit, as `kubectl -l` takes it (`node.kubernetes.io/instance-type=m6g.large`). All where \
             absent.",
        ),
        Key::optional("min_ready", Takes::Integer(0, 100_000), "Fewer ready nodes than this are critical."),
    ],
    fields: &[
        ("ready", "how many nodes are ready"),
        ("nodes", "how many nodes were found"),
        ("cordoned", "how many nodes take no new pods"),
        ("not_ready", "names of the nodes that are not ready"),
        ("pressure", "which nodes run short, and of what"),
        ("versions", "the versions of their kubelets"),
    ],
    permissions: &["list nodes", "watch nodes"],
    example: r#"[probes.example]
kind = "kube-nodes"
title = "Nodes in DR"
context = "dr"
min_ready = 3
every = "10s"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let reader = Reader::of(spec, clients)?;
    let selector = crate::providers::kube::place::selector(&spec.params)?;
    let least = spec.params.integer("min_ready").and_then(|least| u64::try_from(least).ok());
    Ok(Box::new(Nodes { reader, selector, least }))
}

struct Nodes {
    reader: Reader,
    selector: Option<String>,
    least: Option<u64>,
}

impl Probe for Nodes {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move { self.look().await.map_err(|error| error.problem()) })
    }
}

impl Nodes {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let until = Instant::now() + self.reader.within;
        let cluster = &self.reader.cluster;
        let selector = self.selector.as_deref();
        alive::ask(cluster, self.reader.within).await?;
        let watched = cluster.kept(&format!("nodes {}", selector.unwrap_or_default()), || {
            let scope = Scope { selector, ..Scope::all(NODES, None) };
            Watched::new(cluster, Call::new("list nodes", "of the cluster"), scope, Node::of)
        });
        let mut nodes = watched.read(until).await?;
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(judge(cluster, &nodes, selector, self.least))
    }
}
