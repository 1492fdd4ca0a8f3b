//! What workloads and their pods come to.

use super::pods::Trouble;
use super::{Pod, Workload};
use crate::base::units::counted;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use crate::providers::kube::told::told;
use jiff::{SignedDuration, Timestamp};
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

/// From when on something is not as it should be.
pub(super) struct Bounds {
    /// Fewer ready pods are critical.
    pub least: Option<u64>,
    /// A pod that is not ready for longer is a warning.
    pub slow_after: SignedDuration,
}

pub(super) fn judge(cluster: &Cluster, seen: &Seen, bounds: &Bounds, now: Timestamp) -> Measurement {
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
    let mut trouble = troubles(cluster, &seen.pods);
    trouble.extend(slow(cluster, &seen.pods, bounds.slow_after, now));
    let count = |is: fn(&Trouble) -> bool| {
        seen.pods.iter().filter(|pod| pod.trouble.as_ref().is_some_and(is)).count()
    };
    let summary = match (wanted, missing.is_empty()) {
        (0, _) => format!("{} scaled to 0", counted(seen.workloads.len(), "workload")),
        (_, true) => format!("{ready} of {wanted} ready"),
        (_, false) => format!("{ready} of {wanted} ready: {missing}"),
    };
    let mut measured = Measurement::good(summary).judged(seen.worst(bounds.least, &missing));
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

/// The one that is not ready for the longest time although nobody says why.
fn slow(cluster: &Cluster, pods: &[Arc<Pod>], after: SignedDuration, now: Timestamp) -> Option<String> {
    let silent = pods.iter().filter(|pod| pod.trouble.is_none());
    let late = silent.filter_map(|pod| Some((now.duration_since(pod.unready_since?), pod)));
    let late: Vec<_> = late.filter(|(span, _)| *span > after).collect();
    let (span, pod) = late.iter().max_by_key(|(span, _)| *span)?;
    let name = cluster.shown(&pod.name, NAME_CHARS);
    let more = if late.len() > 1 { format!(", and so are {} more", late.len() - 1) } else { String::new() };
    Some(format!("{name} is not ready for {}, and nobody says why{more}", words::seconds(span.as_secs_f64())))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::{Value, json};

    fn judged(pods: &[Value]) -> Measurement {
        let workload =
            json!({"metadata": {"name": "web"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 2}});
        let pods = pods.iter().map(|pod| Arc::new(Pod::of(pod))).collect();
        let workloads = vec![Arc::new(Workload::deployment(&workload))];
        let seen = Seen { namespace: "shop".into(), workloads, absent: Vec::new(), pods };
        let bounds = Bounds { least: None, slow_after: SignedDuration::from_mins(5) };
        judge(&cluster(), &seen, &bounds, "2026-11-30T02:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_pod_that_does_not_come_up_is_told_although_enough_of_before_are_ready() {
        let pod = |name: &str, ready: &str, since: &str, made: &str| {
            json!({"metadata": {"name": name, "creationTimestamp": made}, "status": {"phase": "Running",
                "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": since}]}})
        };
        let well = pod("web-a", "True", "2026-11-30T01:00:00Z", "2026-11-30T01:00:00Z");
        let late = pod("web-b", "False", "2026-11-30T01:52:00Z", "2026-11-30T01:52:00Z");
        let seen = judged(&[well.clone(), late.clone()]);
        let why = "web-b is not ready for 8 min, and nobody says why";
        assert_eq!(seen.verdict, Verdict::Warn(why.into()));
        assert_eq!(seen.text("trouble"), Some(why));
        // Long there, and not ready for a moment only.
        let moment = pod("web-b", "False", "2026-11-30T01:59:00Z", "2026-11-30T01:00:00Z");
        assert_eq!(judged(&[well.clone(), moment]).verdict, Verdict::Good);
        let bare = json!({"metadata": {"name": "web-c", "creationTimestamp": "2026-11-30T01:40:00Z"}});
        assert!(
            judged(&[bare]).verdict.why().is_some_and(|why| why.contains("web-c is not ready for 20 min"))
        );
        let (mut over, mut going, mut of_job) = (late.clone(), late.clone(), late);
        of_job["metadata"]["ownerReferences"] = json!([{"kind": "Job", "controller": true}]);
        over["status"]["phase"] = json!("Failed");
        going["metadata"]["deletionTimestamp"] = json!("2026-11-30T01:59:00Z");
        assert_eq!(judged(&[over, going, of_job, well]).verdict, Verdict::Good);
    }
}
