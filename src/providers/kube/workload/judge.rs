//! What workloads and their pods come to.

use super::pods::Trouble;
use super::{Pod, Workload};
use crate::base::units::counted;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use crate::providers::kube::told::told;
use std::sync::Arc;

/// How many troubles are told.
const TOLD: usize = 4;
/// A word of the cluster.
const SAID_CHARS: usize = 120;
const NAME_CHARS: usize = 80;

/// What one look saw.
#[derive(Default)]
pub(super) struct Seen {
    pub namespace: String,
    pub workloads: Vec<Arc<Workload>>,
    /// Those that the plan names and the cluster does not have.
    pub absent: Vec<String>,
    pub pods: Vec<Arc<Pod>>,
}

pub(super) fn judge(cluster: &Cluster, seen: &Seen, least: Option<u64>) -> Measurement {
    let namespace = &seen.namespace;
    if seen.workloads.is_empty() {
        let why = match seen.absent.is_empty() {
            true => format!("no workload in {namespace} fits"),
            false => format!("{} is not there in {namespace}", seen.absent.join(", ")),
        };
        return Measurement::critical(why)
            .with_value(0.0)
            .with_number("ready", 0.0)
            .with_number("workloads", 0.0);
    }
    let (ready, wanted) = seen.numbers();
    let short = seen.workloads.iter().filter(|one| one.ready < one.wanted);
    let missing = told(cluster, short.map(|one| format!("{} {} of {}", one.name, one.ready, one.wanted)));
    let rolling = seen.workloads.iter().filter(|one| !one.is_there() && one.wanted > 0);
    let rolling = told(cluster, rolling.map(|one| one.name.clone()));
    let stuck = seen.workloads.iter().find_map(|one| Some((one, one.stuck.as_deref()?)));
    let trouble = troubles(cluster, &seen.pods);
    let count = |is: fn(&Trouble) -> bool| {
        seen.pods.iter().filter(|pod| pod.trouble.as_ref().is_some_and(is)).count()
    };
    let summary = match (wanted, missing.is_empty()) {
        (0, _) => format!("{} scaled to 0", counted(seen.workloads.len(), "workload")),
        (_, true) => format!("{ready} of {wanted} ready"),
        (_, false) => format!("{ready} of {wanted} ready: {missing}"),
    };
    let mut measured = Measurement::good(summary).judged(seen.worst(least, &missing));
    if !seen.absent.is_empty() {
        let why = format!("{} is not there in {namespace}", seen.absent.join(", "));
        measured = measured.judged(Verdict::Critical(why));
    }
    if let Some(first) = trouble.first() {
        measured = measured.judged(Verdict::Warn(first.clone()));
    }
    if let Some((one, why)) = stuck {
        let why = format!("the rollout of {} does not get on: {}", one.name, cluster.shown(why, SAID_CHARS));
        measured = measured.judged(Verdict::Warn(why));
    }
    measured
        .with_value(ready as f64)
        .with_number("ready", ready as f64)
        .with_number("wanted", wanted as f64)
        .with_number("workloads", seen.workloads.len() as f64)
        .with_text("missing", missing)
        .with_number("restarts", seen.pods.iter().map(|pod| pod.restarts).sum::<u64>() as f64)
        .with_number("crash_loops", count(|trouble| *trouble == Trouble::CrashLoop) as f64)
        .with_number("image_pulls", count(|trouble| *trouble == Trouble::Image) as f64)
        .with_text("rolling_out", rolling)
        .with_text("trouble", trouble.join("; "))
}

/// What is wrong with the pods, the same trouble once.
fn troubles(cluster: &Cluster, pods: &[Arc<Pod>]) -> Vec<String> {
    let mut told: Vec<(String, String, usize)> = Vec::new();
    for pod in pods.iter().filter(|pod| !pod.is_ready) {
        let Some(trouble) = &pod.trouble else { continue };
        let words = trouble.words(cluster);
        match told.iter_mut().find(|(_, known, _)| *known == words) {
            Some((_, _, count)) => *count += 1,
            None => told.push((cluster.shown(&pod.name, NAME_CHARS), words, 1)),
        }
    }
    told.into_iter()
        .take(TOLD)
        .map(|(name, words, count)| match count {
            1 => format!("{name} {words}"),
            _ => format!("{name} and {} more: {words}", count - 1),
        })
        .collect()
}
