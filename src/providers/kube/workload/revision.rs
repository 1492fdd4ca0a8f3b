//! What the cluster keeps of the templates that a workload had: the replica sets of a deployment, the controller revisions of
//! the others.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment>

use super::chosen::Found;
use crate::providers::kube::client::{
    CONTROLLER_REVISIONS, Call, Cluster, DEPLOYMENTS, KubeError, REPLICA_SETS, Scope, is_name,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One of them.
pub struct Revision {
    /// Of the replica set, or of the controller revision.
    pub name: String,
    /// As `kubectl rollout history` counts.
    pub number: u64,
    /// Without what the controllers add to it.
    pub template: Value,
}

impl Revision {
    /// Those of a workload, in no order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn all(cluster: &Cluster, found: &Found) -> Result<Vec<Self>, KubeError> {
        let is_deployment = found.named.resource == DEPLOYMENTS;
        let (resource, permission) = match is_deployment {
            true => (REPLICA_SETS, "list replicasets.apps"),
            false => (CONTROLLER_REVISIONS, "list controllerrevisions.apps"),
        };
        let namespace = found.object["metadata"]["namespace"].as_str();
        let selector = found.workload().label_selector();
        let scope = Scope { resource, namespace, selector: selector.as_deref() };
        let call = Call::new(permission, format!("of {}", found.named.words()));
        let (all, _) = cluster.list(&call, scope, cluster.deadline()).await?;
        let own = all.iter().filter(|one| {
            let owners = one["metadata"]["ownerReferences"].as_array();
            owners.is_some_and(|of| of.iter().any(|owner| owner["uid"] == found.uid.as_str()))
        });
        Ok(own
            .filter_map(|one| if is_deployment { Self::of_set(one) } else { Self::of_revision(one) })
            .collect())
    }

    fn of_set(set: &Value) -> Option<Self> {
        let meta = &set["metadata"];
        let number = meta["annotations"]["deployment.kubernetes.io/revision"].as_str()?.parse().ok()?;
        Self::named(meta, number, &set["spec"]["template"])
    }

    fn of_revision(one: &Value) -> Option<Self> {
        Self::named(&one["metadata"], one["revision"].as_u64()?, &one["data"]["spec"]["template"])
    }

    fn named(meta: &Value, number: u64, template: &Value) -> Option<Self> {
        let name = meta["name"].as_str().filter(|name| is_name(name))?.to_owned();
        template.is_object().then(|| Self { name, number, template: bare(template) })
    }
}

/// A template without what controllers add, and without what is left empty: so that two can be compared.
pub fn bare(template: &Value) -> Value {
    let mut bare = without_nulls(template);
    if let Some(fields) = bare.as_object_mut() {
        fields.remove("$patch");
    }
    if let Some(labels) = bare["metadata"]["labels"].as_object_mut() {
        labels.remove("pod-template-hash");
    }
    bare
}

/// Where two templates differ (`containers.main.env.PGHOST`), without the values, which may be secrets.
pub fn differences(a: &Value, b: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differ(&mut found, "", a, b);
    found
}

fn differ(found: &mut Vec<String>, path: &str, a: &Value, b: &Value) {
    // Nobody needs to read where the template's specification begins.
    let below = |name: &str| match path {
        "" | "spec" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match (a, b) {
        _ if a == b => {}
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                differ(
                    found,
                    &below(name),
                    a.get(name).unwrap_or(&Value::Null),
                    b.get(name).unwrap_or(&Value::Null),
                );
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            // What has names is told by them.
            let named = |all: &[Value]| -> Option<BTreeMap<String, Value>> {
                all.iter().map(|one| Some((one["name"].as_str()?.to_owned(), one.clone()))).collect()
            };
            match (named(a), named(b)) {
                (Some(a), Some(b)) => {
                    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                    for name in names {
                        let of = |all: &BTreeMap<String, Value>| all.get(name).cloned().unwrap_or_default();
                        differ(found, &below(name), &of(&a), &of(&b));
                    }
                }
                _ => found.push(path.to_owned()),
            }
        }
        _ => found.push(path.strip_suffix(".value").unwrap_or(path).to_owned()),
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(all) => Value::Array(all.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_is_compared_without_what_controllers_add() {
        let own = json!({"metadata": {"creationTimestamp": null, "labels": {"app": "web"}}, "spec": {"containers": []}});
        let kept = json!({"metadata": {"labels": {"app": "web", "pod-template-hash": "5d8f"}}, "$patch": "replace",
                          "spec": {"containers": []}});
        assert_eq!(bare(&own), bare(&kept));
        let other = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": "a"}]}});
        assert_ne!(bare(&own), bare(&other));
    }

    #[test]
    fn where_two_templates_differ_is_told_without_the_values() {
        let of = |host: &str, account: &str, args: &[&str]| {
            json!({"metadata": {"labels": {"app": "web"}}, "spec": {"serviceAccountName": account, "containers": [
                {"name": "main", "image": "a", "args": args, "env": [{"name": "PGHOST", "value": host}]}]}})
        };
        let one = of("db-a", "web", &["-v"]);
        assert!(differences(&one, &one).is_empty());
        let found = differences(&one, &of("db-b", "web", &["-v"]));
        assert_eq!(found, ["containers.main.env.PGHOST"]);
        let found = differences(&one, &of("db-a", "root", &["-q"]));
        assert_eq!(found, ["containers.main.args", "serviceAccountName"]);
        let none = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}});
        assert_eq!(differences(&one, &none), ["containers.main", "serviceAccountName"]);
    }
}
