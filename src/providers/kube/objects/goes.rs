//! What goes with an object that is deleted, and what stays, as far as it can be told with a few calls.

use super::named::Named;
use crate::providers::kube::client::{
    CLAIMS, Call, Cluster, DAEMON_SETS, DEPLOYMENTS, JOBS, Kind, KubeError, Method, PODS, Resource,
    STATEFUL_SETS, Scope, Sent, is_name,
};
use crate::providers::kube::said::text;
use crate::providers::kube::told::told;
use crate::providers::kube::workload::Workload;
use futures::future::join_all;
use serde_json::Value;

/// What a namespace is judged by.
const MAIN: [(Resource, &str); 7] = [
    (PODS, "pods"),
    (DEPLOYMENTS, "deployments"),
    (STATEFUL_SETS, "stateful sets"),
    (DAEMON_SETS, "daemon sets"),
    (JOBS, "jobs"),
    (CLAIMS, "volume claims"),
    (SECRETS, "secrets"),
];
const SECRETS: Resource =
    Resource { group: "", version: "v1", plural: "secrets", noun: "secret", is_namespaced: true };
/// What keeps an owner until what it owns is gone.
/// <https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion>
pub const FOREGROUND: &str = "foregroundDeletion";
const VOLUMES: Resource =
    Resource { group: "", version: "v1", plural: "persistentvolumes", noun: "volume", is_namespaced: false };

/// What to know before it is deleted.
pub async fn notes(cluster: &Cluster, named: &Named, live: &Value) -> Vec<String> {
    let mut notes = match &*named.kind.kind {
        "Namespace" => namespace(cluster, &named.name).await,
        "CustomResourceDefinition" => definition(cluster, live).await,
        "PersistentVolumeClaim" => claim(cluster, live).await,
        "PersistentVolume" => vec![format!("Its claim is {}.", bound(cluster, &live["spec"]["claimRef"]))],
        "Deployment" | "DaemonSet" | "ReplicaSet" | "Job" => pods(cluster, named, live).await,
        "StatefulSet" => {
            let claims = claims(cluster, live);
            pods(cluster, named, live).await.into_iter().chain(claims).collect()
        }
        _ => Vec::new(),
    };
    notes.extend(held(cluster, live));
    if !live["metadata"]["deletionTimestamp"].is_null() {
        let since = cluster.shown(&text(&live["metadata"]["deletionTimestamp"]), 40);
        notes.push(format!("Somebody deleted it already ({since}); it is still there."));
    }
    notes
}

/// What keeps an object although it is deleted.
pub fn held(cluster: &Cluster, live: &Value) -> Option<String> {
    let finalizers = live["metadata"]["finalizers"].as_array().into_iter().flatten();
    // The cluster itself takes that one off.
    let finalizers = finalizers.filter(|name| *name != FOREGROUND);
    // A namespace has its own among what is asked of it.
    let own = live["spec"]["finalizers"].as_array().into_iter().flatten();
    let own = own.filter(|name| *name != "kubernetes");
    let names = told(cluster, finalizers.chain(own).map(text));
    (!names.is_empty())
        .then(|| format!("It stays until its finalizers are taken off by whoever set them: {names}."))
}

async fn namespace(cluster: &Cluster, name: &str) -> Vec<String> {
    let counted = MAIN.iter().map(async |(resource, words)| {
        let call = Call::new(format!("list {}", resource.full_name()), format!("in {name}"));
        match count(cluster, &call, resource.path(Some(name), None)).await {
            Ok(count) => format!("{count} {words}"),
            Err(error) => format!("an unknown number of {words} ({error})"),
        }
    });
    let counted = join_all(counted).await.join(", ");
    vec![
        format!("All that is in it goes with it: {counted}, and all else."),
        "Nothing brings them back.".to_owned(),
    ]
}

async fn definition(cluster: &Cluster, live: &Value) -> Vec<String> {
    let spec = &live["spec"];
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    let versions = spec["versions"].as_array().into_iter().flatten();
    let version = versions.filter(|one| one["served"] == true).map(|one| text(&one["name"])).next();
    let Some(version) = version.filter(|version| is_name(version) && is_name(&group) && is_name(&plural))
    else {
        return vec!["All objects of its kind go with it; how many cannot be told.".to_owned()];
    };
    let api_version = format!("{group}/{version}");
    let kind = Kind { api_version, kind: String::new(), plural, is_namespaced: false };
    let call = Call::new(format!("list {}", kind.full_name()), "of all namespaces");
    let counted = match count(cluster, &call, kind.path(None, None)).await {
        Ok(count) => count.to_string(),
        Err(error) => format!("an unknown number ({error})"),
    };
    vec![format!("All objects of its kind go with it, in all namespaces: {counted}.")]
}

/// Whether the data of a claim goes with it.
async fn claim(cluster: &Cluster, live: &Value) -> Vec<String> {
    let volume = text(&live["spec"]["volumeName"]);
    if !is_name(&volume) {
        return vec!["No volume is bound to it.".to_owned()];
    }
    let call = Call::new("get persistentvolumes", &*volume);
    let path = VOLUMES.path(None, Some(&volume));
    vec![match cluster.get(&call, path, cluster.deadline()).await {
        Ok(object) => match object["spec"]["persistentVolumeReclaimPolicy"].as_str() {
            Some("Retain") => format!("The volume {volume} and its data stay (Retain)."),
            Some(policy) => {
                let policy = cluster.shown(policy, 40);
                format!("The data of the volume {volume} goes with it ({policy}).")
            }
            None => format!("Whether the data of the volume {volume} goes with it is not known."),
        },
        Err(error) => format!("Whether the data of the volume {volume} goes with it is not known: {error}."),
    }]
}

fn bound(cluster: &Cluster, claim: &Value) -> String {
    match (text(&claim["namespace"]), text(&claim["name"])) {
        (_, name) if name.is_empty() => "none".to_owned(),
        (namespace, name) => cluster.shown(&format!("{namespace}/{name}"), 120),
    }
}

async fn pods(cluster: &Cluster, named: &Named, live: &Value) -> Vec<String> {
    // All of these tell their pods the same way.
    let selector = Workload::of(DEPLOYMENTS, live).label_selector().filter(|selector| !selector.is_empty());
    let Some(selector) = selector else { return Vec::new() };
    let namespace = named.namespace.as_deref();
    let call = Call::new("list pods", format!("of {}", named.words()));
    let scope = Scope { resource: PODS, namespace, selector: Some(&selector) };
    vec![match cluster.list(&call, scope, cluster.deadline()).await {
        Ok((pods, _)) => format!("Its pods go with it: {}.", pods.len()),
        Err(error) => format!("Its pods go with it; how many is not known: {error}."),
    }]
}

fn claims(cluster: &Cluster, live: &Value) -> Option<String> {
    let templates = live["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
    let names = told(cluster, templates.map(|one| text(&one["metadata"]["name"])));
    (!names.is_empty()).then(|| format!("The volume claims of its pods stay: {names}."))
}

/// How many there are, by the API server's own count: one object is read.
async fn count(cluster: &Cluster, call: &Call, path: String) -> Result<u64, KubeError> {
    let sent = Sent { method: Method::Get, path, query: vec![("limit", "1".to_owned())], body: None };
    let page = cluster.send(call, sent, cluster.deadline()).await?;
    let read = page["items"].as_array().map_or(0, Vec::len);
    let more = page["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
    Ok(u64::try_from(read).unwrap_or(u64::MAX).saturating_add(more))
}
