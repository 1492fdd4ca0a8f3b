//! A change of a workload, followed until it runs.

use super::chosen::{Found, get, patch};
use crate::core::words::action::Failure;
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Call, Cluster, KubeError};
use crate::providers::kube::object::{For, Object};
use jiff::SignedDuration;
use serde_json::Value;

/// Between two looks at a rollout.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Sends a change of a workload, once.
///
/// # Errors
/// Also where somebody else changed it.
pub async fn send(cluster: &Cluster, found: &Found, change: &Value, how: For) -> Result<(), KubeError> {
    let resource = found.named.resource;
    Object::of(resource, &found.object).patch(cluster, (get(resource), patch(resource)), change, how).await
}

/// Waits until all of them run as they are asked to.
///
/// # Errors
/// When the time is over, or a rollout does not get on.
pub async fn follow(
    cluster: &Cluster,
    namespace: &str,
    all: &[Found],
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    let late = |seen: String| {
        Failure::maybe_done(
            what,
            format!("the cluster took it, and it does not run yet: {seen}"),
            "Look at its pods and events; verify the step until they are ready.",
        )
    };
    wait(context, PAUSE, late, || progress(cluster, namespace, all)).await
}

async fn progress(cluster: &Cluster, namespace: &str, all: &[Found]) -> Result<Progress<()>, Unseen> {
    let mut waits = Vec::new();
    for found in all {
        let seen = read(cluster, namespace, found).await?.workload();
        if !seen.is_there() {
            let stuck = seen
                .stuck
                .as_deref()
                .map(|why| format!(" ({})", cluster.shown(why, 120)))
                .unwrap_or_default();
            waits.push(format!("{} {} of {} ready{stuck}", seen.name, seen.ready, seen.wanted));
        }
    }
    Ok(if waits.is_empty() { Progress::Reached(()) } else { Progress::Waiting(waits.join(", ")) })
}

/// The same object as it is now.
///
/// # Errors
/// When it cannot be read.
pub async fn read(cluster: &Cluster, namespace: &str, found: &Found) -> Result<Found, KubeError> {
    let resource = found.named.resource;
    let call = Call::new(get(resource), format!("{} in {namespace}", found.named.words()));
    let path = resource.path(Some(namespace), Some(&found.named.name));
    Ok(Found::of(resource, cluster.get(&call, path, cluster.deadline()).await?))
}

/// What came of changing many, where one of them failed: those before it are changed.
pub fn half_done(what: &str, done: &[String], error: &KubeError) -> Failure {
    match done {
        [] => error.of_change(what),
        done => Failure::maybe_done(
            what,
            format!("{} changed, then: {error}", done.join(", ")),
            format!("{} Then look at what is left, and attest or confirm the step again.", error.next_step()),
        ),
    }
}
