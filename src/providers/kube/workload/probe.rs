//! `kube-workloads`: whether what is asked for runs.

use super::{Pod, Workload};
use crate::base::problem::Problem;
use crate::base::units::{Unit, counted};
use crate::core::words::diagnosis::Section;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::kube::alive;
use crate::providers::kube::client::{
    Call, Cluster, DAEMON_SETS, DEPLOYMENTS, KubeError, PODS, Resource, STATEFUL_SETS, Scope,
};
use crate::providers::kube::place::{NAMESPACE, PROBE_CONTEXT, Reader, selector};
use crate::providers::kube::watched::Watched;
use crate::providers::kube::workload::diagnose;
use crate::providers::kube::workload::judge::{Bounds, Seen, judge};
use crate::providers::kube::workload::named::{Named, named};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::time::Instant;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "kube-workloads",
    sees: Sees::Workloads,
    doc: "Watches deployments, stateful sets and daemon sets, and their pods: how many are ready of those that are asked \
          for, what crashes, which images cannot be had, whether a rollout gets on, which pods do not come up. The value is the number of ready \
          pods; one that the API does not tell is 0. A workload of which none is ready is critical, and so is one that \
          is named and not there; some missing is a warning. What is scaled to 0 is good, unless `min_ready` says \
          otherwise. It reads by watch, so that a short `every` costs the API server nothing; with each look it also asks \
          whether the API server answers, and is unknown when it does not. A key of the console shows the pods that are \
          not well, their newest warnings and the last log of what crashed; only that needs `list events` and \
          `get pods/log`.",
    unit: Unit::Number,
    keys: &[
        PROBE_CONTEXT,
        NAMESPACE,
        Key::optional(
            "names",
            Takes::List(&Takes::Text),
            "Which ones: `web`, which is a deployment, or with the kind, as in `statefulset/db`. All of the namespace \
             where neither this nor `selector` is given.",
        ),
        Key::optional(
            "selector",
            Takes::Text,
            "Those whose labels fit, as `kubectl -l` takes it (`tier=front`).",
        ),
        Key::optional("min_ready", Takes::Integer(0, 100_000), "Fewer ready pods than this are critical."),
        Key::default(
            "slow_after",
            Takes::Duration,
            "5m",
            "A pod that is not ready for longer is a warning, also where enough of before are ready and nobody says why.",
        ),
    ],
    fields: &[
        ("ready", "how many pods are ready"),
        ("wanted", "how many are asked for"),
        ("workloads", "how many workloads were found"),
        ("missing", "workloads of which pods are not ready, with their numbers"),
        ("restarts", "restarts of all their pods"),
        ("crash_loops", "how many pods end again and again"),
        ("image_pulls", "how many pods cannot have their image"),
        ("rolling_out", "workloads whose newest template does not run everywhere yet"),
        ("trouble", "what is wrong with the pods, in words"),
    ],
    permissions: &[
        "list deployments.apps",
        "watch deployments.apps",
        "list statefulsets.apps",
        "watch statefulsets.apps",
        "list daemonsets.apps",
        "watch daemonsets.apps",
        "list pods",
        "watch pods",
    ],
    example: r#"[probes.example]
kind = "kube-workloads"
title = "API in DR"
context = "dr"
namespace = "shop"
names = ["api", "worker"]
min_ready = 2
every = "5s"
timeout = "5s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let reader = Reader::of(spec, clients)?;
    let names = named(&spec.params)?;
    let selector = selector(&spec.params)?;
    if !names.is_empty() && selector.is_some() {
        let why = "`names` says which ones already: leave one of the two out";
        return Err(BuildError::value("selector", selector.as_deref().unwrap_or_default(), why));
    }
    let least = spec.params.integer("min_ready").and_then(|least| u64::try_from(least).ok());
    let slow_after = spec.params.duration("slow_after").unwrap_or(SignedDuration::from_mins(5));
    Ok(Box::new(Workloads { reader, names, selector, bounds: Bounds { least, slow_after } }))
}

/// Which workloads are looked at, and where.
pub(super) struct Workloads {
    pub(super) reader: Reader,
    pub(super) names: Vec<Named>,
    pub(super) selector: Option<String>,
    bounds: Bounds,
}

impl Probe for Workloads {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move { self.look().await.map_err(|error| error.problem()) })
    }

    fn diagnose(&self) -> Option<BoxFuture<'_, Vec<Section>>> {
        Some(Box::pin(diagnose::sections(self)))
    }
}

/// Lists and watches of one kind.
pub(super) type Kept<T> = (Resource, &'static str, fn(&serde_json::Value) -> T);

const KINDS: [Kept<Workload>; 3] = [
    (DEPLOYMENTS, "list deployments.apps", Workload::deployment),
    (STATEFUL_SETS, "list statefulsets.apps", Workload::stateful_set),
    (DAEMON_SETS, "list daemonsets.apps", Workload::daemon_set),
];

impl Workloads {
    async fn look(&self) -> Result<Measurement, KubeError> {
        let until = Instant::now() + self.reader.within;
        let cluster = &self.reader.cluster;
        let call = Call::new("list workloads", "");
        let namespace = self.reader.namespace(&call, until).await?;
        alive::ask(cluster, self.reader.within).await?;
        let mut seen = Seen { namespace: namespace.clone(), ..Seen::default() };
        for kept in self.kinds() {
            let found = watched(cluster, &kept, &namespace, self.selector.as_deref()).read(until).await?;
            seen.workloads.extend(found.into_iter().filter(|one| self.fits(one)));
        }
        let there = |name: &&Named| !seen.workloads.iter().any(|one| name.is(one.resource, &one.name));
        seen.absent = self.names.iter().filter(there).map(Named::words).collect();
        let pods: Kept<Pod> = (PODS, "list pods", Pod::of);
        let pods = watched(cluster, &pods, &namespace, None).read(until).await?;
        let is_of_one = |pod: &&Arc<Pod>| seen.workloads.iter().any(|one| one.selects(&pod.labels));
        seen.pods = pods.iter().filter(is_of_one).cloned().collect();
        seen.workloads.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(judge(cluster, &seen, &self.bounds, Timestamp::now()))
    }

    /// The kinds that have to be read at all: what is named by its kind needs no right on the others.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kept<Workload>> {
        let is_read = |resource: Resource| {
            self.names.is_empty() || self.names.iter().any(|name| name.resource == resource)
        };
        KINDS.into_iter().filter(move |(resource, ..)| is_read(*resource))
    }

    pub(super) fn fits(&self, workload: &Workload) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name.is(workload.resource, &workload.name))
    }
}

fn watched<T: Send + Sync + 'static>(
    cluster: &Cluster,
    (resource, permission, keep): &Kept<T>,
    namespace: &str,
    selector: Option<&str>,
) -> Arc<Watched<T>> {
    let (resource, keep) = (*resource, *keep);
    let key = format!("{} {namespace} {}", resource.plural, selector.unwrap_or_default());
    cluster.kept(&key, || {
        let scope = Scope { resource, namespace: Some(namespace), selector };
        Watched::new(cluster, Call::new(*permission, format!("in {namespace}")), scope, keep)
    })
}

impl Seen {
    /// `2 of 3 ready`.
    pub(super) fn numbers(&self) -> (u64, u64) {
        let sum = |of: fn(&Workload) -> u32| self.workloads.iter().map(|one| u64::from(of(one))).sum();
        (sum(|one| one.ready), sum(|one| one.wanted))
    }

    pub(super) fn worst(&self, least: Option<u64>, missing: &str) -> Verdict {
        let (ready, wanted) = self.numbers();
        let dead = self.workloads.iter().find(|one| one.wanted > 0 && one.ready == 0);
        match (least, dead) {
            (Some(least), _) if ready < least => {
                let pods = counted(usize::try_from(ready).unwrap_or(usize::MAX), "pod");
                Verdict::Critical(format!("{pods} ready, at least {least} expected"))
            }
            _ if wanted > 0 && ready == 0 => Verdict::Critical(format!("none of {wanted} is ready")),
            // Whatever else runs: that service is gone.
            (_, Some(_)) => Verdict::Critical(format!("{ready} of {wanted} ready: {missing}")),
            _ if ready < wanted => Verdict::Warn(format!("{ready} of {wanted} ready: {missing}")),
            _ => Verdict::Good,
        }
    }
}
