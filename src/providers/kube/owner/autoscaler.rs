//! Autoscalers (HPA, and KEDA, which makes one): they decide how many pods there are.
//! <https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/>

use super::{Owner, Undoes, reads};
use crate::providers::kube::client::{AUTOSCALERS, Cluster, KubeError, Scope};
use serde_json::Value;
use std::time::Duration;

/// Those of a namespace.
pub async fn all(cluster: &Cluster, namespace: &str, within: Duration) -> Result<Vec<Value>, KubeError> {
    let call = reads("list horizontalpodautoscalers.autoscaling", format!("in {namespace}"));
    Ok(cluster.list(&call, Scope::all(AUTOSCALERS, Some(namespace)), within).await?.0)
}

/// The one that decides over a workload.
pub fn of(cluster: &Cluster, all: &[Value], kind: &str, name: &str) -> Option<Owner> {
    let is_of = |one: &&Value| {
        let target = &one["spec"]["scaleTargetRef"];
        let group = target["apiVersion"].as_str().is_none_or(|version| version.starts_with("apps/"));
        group
            && target["name"] == name
            && target["kind"].as_str().is_some_and(|of| of.eq_ignore_ascii_case(kind))
    };
    let found = all.iter().find(is_of)?;
    let (least, most) =
        (found["spec"]["minReplicas"].as_u64().unwrap_or(1), found["spec"]["maxReplicas"].as_u64());
    let is_keda = found["metadata"]["ownerReferences"]
        .as_array()
        .is_some_and(|owners| owners.iter().any(|owner| owner["kind"] == "ScaledObject"));
    let by = if is_keda { "the autoscaler of KEDA" } else { "the autoscaler" };
    let own = cluster.shown(found["metadata"]["name"].as_str().unwrap_or_default(), 60);
    let most = most.map_or("any number".to_owned(), |most| most.to_string());
    let words = format!(
        "within a minute it sets what it wants, {least} to {most} pods; it rests only while 0 are set"
    );
    Some(Owner::new(format!("{by} {own}"), Undoes::Bounds(words)))
}
