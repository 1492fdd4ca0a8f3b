//! Workloads among the objects: waited for until their pods run.

use super::item::Item;
use crate::core::words::action::Failure;
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Cluster, DAEMON_SETS, DEPLOYMENTS, KubeError, STATEFUL_SETS};
use crate::providers::kube::objects::Named;
use crate::providers::kube::workload::Workload;
use jiff::SignedDuration;
use serde_json::Value;

/// Between two looks at a rollout.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// Those of them that run pods.
pub fn workloads(items: &[Item]) -> Vec<&Named> {
    items.iter().map(|item| &item.named).filter(|named| seen(named, &Value::Null).is_some()).collect()
}

/// Waits until the pods of all of them run, by the rule of `kubectl rollout status`.
///
/// # Errors
/// When the time is over.
pub async fn follow(cluster: &Cluster, all: &[&Named], what: &str, context: &Context) -> Result<(), Failure> {
    let late = |seen: String| {
        let why = format!("the cluster took it, and it is not through: {seen}");
        Failure::maybe_done(what, why, "Look at its pods and events; verify the step until it is.")
    };
    wait(context, PAUSE, late, || progress(cluster, all)).await
}

async fn progress(cluster: &Cluster, all: &[&Named]) -> Result<Progress<()>, Unseen> {
    let mut waits = Vec::new();
    for named in all {
        waits.extend(missing(cluster, named).await?);
    }
    Ok(if waits.is_empty() { Progress::Reached(()) } else { Progress::Waiting(waits.join(", ")) })
}

/// What is missing of one as it is now. One whose rollout waits for somebody is not waited for.
///
/// # Errors
/// When it cannot be read.
pub async fn missing(cluster: &Cluster, named: &Named) -> Result<Option<String>, KubeError> {
    let Some(live) = named.read(cluster).await? else {
        return Ok(Some(format!("{} is not there", named.words())));
    };
    let Some(workload) = seen(named, &live) else { return Ok(None) };
    if workload.is_there() || workload.is_paused || workload.waits_for_deletion {
        return Ok(None);
    }
    let stuck = workload.stuck.as_deref().map(|why| format!(" ({})", cluster.shown(why, 120)));
    Ok(Some(format!("{}{}", workload.progress(), stuck.unwrap_or_default())))
}

fn seen(named: &Named, object: &Value) -> Option<Workload> {
    let resource = match (&*named.kind.api_version, &*named.kind.kind) {
        ("apps/v1", "Deployment") => DEPLOYMENTS,
        ("apps/v1", "StatefulSet") => STATEFUL_SETS,
        ("apps/v1", "DaemonSet") => DAEMON_SETS,
        _ => return None,
    };
    Some(Workload::of(resource, object))
}
