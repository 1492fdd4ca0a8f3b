//! A change of a workload, followed until it runs.

use super::Named;
use super::chosen::{Found, get, patch};
use crate::core::words::action::Failure;
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{
    Call, Cluster, DEPLOYMENTS, KubeError, KubeErrorKind, Method, PODS, REPLICA_SETS, Resource, Scope,
};
use crate::providers::kube::object::{For, Object};
use crate::providers::kube::said::text;
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
    Object::of(resource, &found.object)
        .patch(cluster, (get(resource), patch(resource)), (Method::Strategic, change), how)
        .await
}

/// What has to be so before a change counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// As many pods run as are asked for, and no more: one that ends goes on until it is gone.
    Scaled,
    /// All pods are of the newest template, and those of before are gone.
    Renewed,
}

/// Waits until it is so for all of them.
///
/// # Errors
/// When the time is over.
pub async fn follow(
    cluster: &Cluster,
    namespace: &str,
    all: &[Found],
    until: Until,
    what: &str,
    context: &Context,
) -> Result<(), Failure> {
    let late = |seen: String| {
        Failure::maybe_done(
            what,
            format!("the cluster took it, and it is not through: {seen}"),
            "Look at its pods and events; verify the step until it is.",
        )
    };
    wait(context, PAUSE, late, || progress(cluster, namespace, all, until, what)).await
}

async fn progress(
    cluster: &Cluster,
    namespace: &str,
    all: &[Found],
    until: Until,
    what: &str,
) -> Result<Progress<()>, Unseen> {
    let mut waits = Vec::new();
    for found in all {
        let lost = |why: String| {
            let next = "It was changed, and somebody deleted it since: find out who.";
            Ok(Progress::Lost(Failure::maybe_done(what, why, next)))
        };
        match read(cluster, namespace, &found.named).await {
            Err(error) if error.kind == KubeErrorKind::NotFound => return lost(error.to_string()),
            Ok(now) if now.uid != found.uid => {
                return lost(format!("{} was made anew since", found.named.words()));
            }
            now => waits.extend(missing(cluster, namespace, &now?, until).await?),
        }
    }
    Ok(if waits.is_empty() { Progress::Reached(()) } else { Progress::Waiting(waits.join(", ")) })
}

/// What is missing of one that was read now.
///
/// # Errors
/// When its pods cannot be read.
pub async fn missing(
    cluster: &Cluster,
    namespace: &str,
    now: &Found,
    until: Until,
) -> Result<Option<String>, KubeError> {
    let seen = now.workload();
    let is_so = if until == Until::Scaled { seen.is_scaled() } else { seen.is_there() };
    if !is_so {
        let stuck = seen.stuck.as_deref();
        let stuck = stuck.map(|why| format!(" ({})", cluster.shown(why, 120))).unwrap_or_default();
        return Ok(Some(format!("{}{stuck}", seen.progress())));
    }
    let running = pods_of(cluster, namespace, now).await?.len();
    let more = running.saturating_sub(usize::try_from(seen.wanted).unwrap_or(usize::MAX));
    Ok((more > 0).then(|| format!("pods of {} that are to end still run: {more}", seen.name)))
}

/// The pods of a workload that have not come to their end; those that are to end are among them.
///
/// # Errors
/// When they cannot be listed.
pub async fn pods_of(cluster: &Cluster, namespace: &str, found: &Found) -> Result<Vec<Value>, KubeError> {
    let selector = found.workload().label_selector();
    let list = async |permission: &'static str, resource: Resource| {
        let call = Call::new(permission, format!("of {} in {namespace}", found.named.name));
        let scope = Scope { resource, namespace: Some(namespace), selector: selector.as_deref() };
        cluster.list(&call, scope, cluster.deadline()).await.map(|(all, _)| all)
    };
    // Others may have its labels and more. A deployment owns its pods by replica sets.
    let owners: Vec<String> = match found.named.resource {
        DEPLOYMENTS => {
            let sets = list("list replicasets.apps", REPLICA_SETS).await?;
            let own = sets.iter().filter(|set| owner(set) == Some(&found.uid));
            own.map(|set| text(&set["metadata"]["uid"])).collect()
        }
        _ => vec![found.uid.clone()],
    };
    let mut pods = list("list pods", PODS).await?;
    let ended = |pod: &Value| matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    let is_own = |pod: &Value| owner(pod).is_some_and(|owner| owners.iter().any(|own| own == owner));
    pods.retain(|pod| is_own(pod) && !ended(pod));
    Ok(pods)
}

/// Who controls an object, by the uid.
fn owner(object: &Value) -> Option<&str> {
    let all = object["metadata"]["ownerReferences"].as_array()?;
    all.iter().find(|one| one["controller"] == true)?["uid"].as_str()
}

/// One as it is now.
///
/// # Errors
/// When it cannot be read.
pub async fn read(cluster: &Cluster, namespace: &str, named: &Named) -> Result<Found, KubeError> {
    let resource = named.resource;
    let call = Call::new(get(resource), format!("{} in {namespace}", named.words()));
    let path = resource.path(Some(namespace), Some(&named.name));
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
