//! Workloads among the objects: waited for until their pods run.

use super::item::Item;
use crate::base::problem::Problem;
use crate::core::words::action::Failure;
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Cluster, DAEMON_SETS, DEPLOYMENTS, KubeError, Resource, STATEFUL_SETS};
use crate::providers::kube::objects::Named;
use crate::providers::kube::told::told;
use crate::providers::kube::workload::{self, Found, Until, hindrance};
use jiff::SignedDuration;
use serde_json::Value;

/// Between two looks at a rollout.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// What is missing of one.
pub struct Missing {
    /// What is seen of it.
    pub waits: String,
    /// Why it does not come by waiting.
    pub kept: Option<Problem>,
}

impl Missing {
    /// Why it is not proven that its pods run.
    pub fn problem(self) -> Problem {
        match self.kept {
            Some(kept) => Problem::new(format!("{}: {}", self.waits, kept.why), kept.next),
            None => Problem::new(self.waits, "It still goes on: verify again."),
        }
    }
}

/// Those of them that run pods.
pub fn workloads(items: &[Item]) -> Vec<&Named> {
    items.iter().map(|item| &item.named).filter(|named| resource(named).is_some()).collect()
}

/// Waits until the pods of all of them run and those of before are gone. One whose rollout waits for somebody is not
/// waited for.
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
        let missing = missing(cluster, named).await?.filter(|missing| missing.kept.is_none());
        waits.extend(missing.map(|missing| missing.waits));
    }
    Ok(if waits.is_empty() { Progress::Reached(()) } else { Progress::Waiting(waits.join(", ")) })
}

/// What is missing of all of them as they are now.
///
/// # Errors
/// When one cannot be read.
pub async fn standing(cluster: &Cluster, items: &[Item]) -> Result<Option<String>, KubeError> {
    let mut waits = Vec::new();
    for named in workloads(items) {
        waits.extend(missing(cluster, named).await?.map(|missing| missing.waits));
    }
    Ok((!waits.is_empty()).then(|| told(cluster, waits)))
}

/// What is missing of one as it is now.
///
/// # Errors
/// When it cannot be read.
pub async fn missing(cluster: &Cluster, named: &Named) -> Result<Option<Missing>, KubeError> {
    let Some(resource) = resource(named) else { return Ok(None) };
    let Some(live) = named.read(cluster).await? else {
        return Ok(Some(Missing { waits: format!("{} is not there", named.words()), kept: None }));
    };
    let found = Found::of(resource, live);
    let namespace = named.namespace.as_deref().unwrap_or_default();
    let waits = workload::missing(cluster, namespace, &found, Until::Renewed).await?;
    Ok(waits.map(|waits| Missing { waits, kept: kept(&found) }))
}

/// Why its controller has made all pods that it makes by itself. Pods of a set that is new are made also where later ones
/// would wait for somebody.
fn kept(found: &Found) -> Option<Problem> {
    let seen = found.workload();
    let is_unmade = seen.is_observed && seen.is_paused && seen.updated == 0;
    hindrance(found).filter(|_| seen.has_old() || is_unmade)
}

/// The same before it is applied, by what it becomes.
pub fn hindered(named: &Named, live: Option<&Value>, after: &Value) -> Option<Problem> {
    let found = Found::of(resource(named)?, after.clone());
    hindrance(&found).filter(|_| live.is_some() || found.workload().is_paused)
}

fn resource(named: &Named) -> Option<Resource> {
    match (&*named.kind.api_version, &*named.kind.kind) {
        ("apps/v1", "Deployment") => Some(DEPLOYMENTS),
        ("apps/v1", "StatefulSet") => Some(STATEFUL_SETS),
        ("apps/v1", "DaemonSet") => Some(DAEMON_SETS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept_of(resource: Resource, spec: Value, status: Value) -> Option<String> {
        let object = json!({"metadata": {"name": "web", "generation": 2}, "spec": spec, "status": status});
        kept(&Found::of(resource, object)).map(|problem| problem.why)
    }

    #[test]
    fn a_rollout_that_waits_for_somebody_is_told_from_one_that_goes_on() {
        let status = |observed: u32, total: u32, updated: u32| json!({"observedGeneration": observed, "replicas": total, "updatedReplicas": updated});
        let paused = json!({"replicas": 2, "paused": true});
        let why = kept_of(DEPLOYMENTS, paused.clone(), status(2, 2, 0)).unwrap();
        assert!(why.contains("is paused"), "{why}");
        assert!(kept_of(DEPLOYMENTS, paused.clone(), status(2, 0, 0)).is_some(), "a new one makes no pods");
        assert_eq!(kept_of(DEPLOYMENTS, paused.clone(), status(1, 2, 0)), None, "nobody has looked yet");
        assert_eq!(kept_of(DEPLOYMENTS, paused, status(2, 1, 1)), None, "it is scaled");
        assert_eq!(kept_of(DEPLOYMENTS, json!({"replicas": 2}), status(2, 2, 0)), None);
        let on_delete = json!({"replicas": 2, "updateStrategy": {"type": "OnDelete"}});
        assert!(kept_of(STATEFUL_SETS, on_delete.clone(), status(2, 2, 0)).unwrap().contains("OnDelete"));
        assert_eq!(kept_of(STATEFUL_SETS, on_delete, status(2, 1, 1)), None, "its first pods are made");
        let partition = json!({"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}});
        assert!(kept_of(STATEFUL_SETS, partition, status(2, 2, 1)).unwrap().contains("`partition`"));
    }
}
