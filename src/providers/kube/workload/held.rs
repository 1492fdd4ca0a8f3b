//! Whether the key that a variable is to come from is there: a pod whose key is missing does not start.

use super::variables::{Holder, Source};
use crate::base::problem::Problem;
use crate::providers::kube::client::{Call, Cluster, KubeErrorKind, Resource};

const SECRETS: Resource =
    Resource { group: "", version: "v1", plural: "secrets", noun: "secret", is_namespaced: true };
const CONFIG_MAPS: Resource =
    Resource { group: "", version: "v1", plural: "configmaps", noun: "configmap", is_namespaced: true };

/// Why pods that take this would not start. What nobody may read is taken to be there: who points to a secret need not be
/// one who reads it.
pub async fn missing(cluster: &Cluster, namespace: &str, source: &Source) -> Option<Problem> {
    let Source::Key { of, name, key } = source else { return None };
    let resource = if *of == Holder::Secret { SECRETS } else { CONFIG_MAPS };
    let words = format!("the {} {name} of {namespace}", of.noun());
    let call = Call::new(format!("get {}", resource.full_name()), words.clone());
    let problem = |why: String| {
        Some(Problem::new(why, "Its pods would not start: make it first, or correct the name in the plan."))
    };
    match cluster.get(&call, resource.path(Some(namespace), Some(name)), cluster.deadline()).await {
        Err(error) if error.kind == KubeErrorKind::NotFound => problem(format!("{words} is not there")),
        Err(_) => None,
        Ok(held) => {
            let has = |part: &str| held[part].get(key).is_some();
            let is_there = has("data") || *of == Holder::ConfigMap && has("binaryData");
            if is_there { None } else { problem(format!("{words} has no key `{key}`")) }
        }
    }
}
