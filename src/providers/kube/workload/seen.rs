//! A workload as the API tells it. A number that the API leaves out is 0, not unknown.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/>

use crate::providers::kube::client::{DAEMON_SETS, DEPLOYMENTS, Resource, STATEFUL_SETS};
use serde_json::Value;

/// A deployment, stateful set or daemon set.
#[derive(Clone, Debug)]
pub struct Workload {
    pub resource: Resource,
    pub name: String,
    /// Pods that are asked for.
    pub wanted: u32,
    /// Pods that take traffic.
    pub ready: u32,
    /// Pods of the newest template.
    pub updated: u32,
    /// Pods that take traffic for long enough; those that are ready, where the API does not tell.
    available: u32,
    /// Pods that there are, of older templates too.
    total: u32,
    /// Whether new pods are made only where somebody deletes the old ones.
    pub waits_for_deletion: bool,
    /// Whether its controller has seen the newest change of it.
    pub is_observed: bool,
    /// Why a rollout does not get on, in the controller's words.
    pub stuck: Option<String>,
    pub is_paused: bool,
    selector: Value,
}

impl Workload {
    /// Of an object of that kind.
    pub fn of(resource: Resource, object: &Value) -> Self {
        let (spec, status, meta) = (&object["spec"], &object["status"], &object["metadata"]);
        let number =
            |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (wanted, ready, updated, available, total) = match resource {
            DAEMON_SETS => {
                let total = "currentNumberScheduled";
                ("desiredNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable", total)
            }
            // Its number of available ones came with Kubernetes 1.22.
            STATEFUL_SETS => ("", "readyReplicas", "updatedReplicas", "readyReplicas", "replicas"),
            _ => ("", "readyReplicas", "updatedReplicas", "availableReplicas", "replicas"),
        };
        Self {
            resource,
            name: text(&meta["name"]),
            // Without a number one is asked for.
            wanted: match wanted {
                "" => spec["replicas"].as_u64().map_or(1, |number| u32::try_from(number).unwrap_or(u32::MAX)),
                name => number(&status[name]),
            },
            ready: number(&status[ready]),
            updated: number(&status[updated]),
            available: number(&status[available]),
            total: number(&status[total]),
            waits_for_deletion: spec["updateStrategy"]["type"] == "OnDelete",
            is_observed: status["observedGeneration"].as_u64().unwrap_or(0)
                >= meta["generation"].as_u64().unwrap_or(0),
            stuck: stuck(&status["conditions"]),
            is_paused: spec["paused"].as_bool().unwrap_or(false),
            selector: spec["selector"].clone(),
        }
    }

    /// A deployment.
    pub fn deployment(object: &Value) -> Self {
        Self::of(DEPLOYMENTS, object)
    }

    /// A stateful set.
    pub fn stateful_set(object: &Value) -> Self {
        Self::of(STATEFUL_SETS, object)
    }

    /// A daemon set.
    pub fn daemon_set(object: &Value) -> Self {
        Self::of(DAEMON_SETS, object)
    }

    /// Whether all that is asked for runs, of the newest template, and nothing else: by the rule of `kubectl rollout status`.
    /// Pods of before may be ready while not one new pod is.
    pub fn is_there(&self) -> bool {
        self.is_observed
            && self.updated >= self.wanted
            && self.total <= self.updated
            && self.available >= self.updated
            && self.ready >= self.wanted
    }

    /// Whether as many run as are asked for, of whatever template.
    pub fn is_scaled(&self) -> bool {
        self.is_observed && self.ready >= self.wanted && self.available >= self.wanted
    }

    /// Whether pods of an older template are among its pods, as far as its controller has looked.
    pub fn has_old(&self) -> bool {
        self.is_observed && self.total > self.updated
    }

    /// The labels that its pods have, as the API takes them; none where it selects in another way.
    pub fn label_selector(&self) -> Option<String> {
        let equal = self.selector["matchLabels"].as_object()?;
        let pair = |(name, value): (&String, &Value)| Some(format!("{name}={}", value.as_str()?));
        Some(equal.iter().filter_map(pair).collect::<Vec<_>>().join(","))
    }

    /// What is missing until it is there.
    pub fn progress(&self) -> String {
        let Self { name, wanted, ready, updated, total, .. } = self;
        match total.saturating_sub(*updated) {
            0 if ready == wanted => format!("{name} {} of {wanted} available", self.available),
            0 => format!("{name} {ready} of {wanted} ready"),
            old => format!("{name} {ready} of {wanted} ready, {old} of them of before"),
        }
    }

    /// Whether a pod with these labels is one of it.
    /// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements>
    pub fn selects(&self, labels: &Value) -> bool {
        let Some(equal) = self.selector["matchLabels"].as_object() else {
            return self.selector["matchExpressions"].is_array() && self.expressions(labels);
        };
        equal.iter().all(|(name, value)| labels.get(name) == Some(value)) && self.expressions(labels)
    }

    fn expressions(&self, labels: &Value) -> bool {
        self.selector["matchExpressions"].as_array().is_none_or(|all| {
            all.iter().all(|one| {
                let label = one["key"].as_str().and_then(|key| labels.get(key));
                let is_in = || {
                    label.is_some_and(|label| one["values"].as_array().is_some_and(|of| of.contains(label)))
                };
                match one["operator"].as_str().unwrap_or_default() {
                    "In" => is_in(),
                    "NotIn" => !is_in(),
                    "Exists" => label.is_some(),
                    "DoesNotExist" => label.is_none(),
                    _ => false,
                }
            })
        })
    }
}

fn stuck(conditions: &Value) -> Option<String> {
    let of = |kind: &str, status: &str| {
        conditions.as_array()?.iter().find(|one| one["type"] == kind && one["status"] == status)
    };
    let found = of("Progressing", "False").or_else(|| of("ReplicaFailure", "True"))?;
    let said = found["message"].as_str().filter(|text| !text.is_empty()).or(found["reason"].as_str());
    Some(said.unwrap_or("its rollout does not get on").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_api_leaves_out_is_none_and_not_unknown() {
        let object = json!({"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 3},
                            "status": {"observedGeneration": 2}});
        let web = Workload::deployment(&object);
        assert_eq!((web.wanted, web.ready, web.updated), (3, 0, 0));
        assert!(web.is_observed && !web.is_there());
        let young = Workload::deployment(&json!({"metadata": {"name": "web", "generation": 1}, "spec": {}}));
        assert_eq!((young.wanted, young.ready, young.is_observed), (1, 0, false));
        let all =
            json!({"status": {"desiredNumberScheduled": 4, "numberReady": 3, "updatedNumberScheduled": 4}});
        let agents = Workload::daemon_set(&all);
        assert_eq!((agents.wanted, agents.ready), (4, 3));
    }

    #[test]
    fn pods_of_before_prove_no_new_one() {
        let with = |updated: u32, total: u32, ready: u32, available: u32| {
            let status = json!({"observedGeneration": 2, "updatedReplicas": updated, "replicas": total,
                                "readyReplicas": ready, "availableReplicas": available});
            let object = json!({"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 1}, "status": status});
            Workload::deployment(&object)
        };
        let surge = with(1, 2, 1, 1);
        assert!(!surge.is_there(), "the old pod is ready, the new one pends");
        assert_eq!(surge.progress(), "web 1 of 1 ready, 1 of them of before");
        assert!(!with(1, 1, 1, 0).is_there(), "not for long enough");
        assert!(with(1, 1, 1, 1).is_there());
    }

    #[test]
    fn a_rollout_that_does_not_get_on_says_why() {
        let with = |kind: &str, status: &str| {
            let one = json!({"type": kind, "status": status, "reason": "R", "message": "quota exceeded"});
            Workload::deployment(&json!({"status": {"conditions": [one]}})).stuck
        };
        assert_eq!(with("Progressing", "False").as_deref(), Some("quota exceeded"));
        assert_eq!(with("ReplicaFailure", "True").as_deref(), Some("quota exceeded"));
        assert_eq!(with("Progressing", "True"), None);
    }

    #[test]
    fn pods_are_found_by_labels_and_expressions() {
        let web = |selector: Value| Workload::deployment(&json!({"spec": {"selector": selector}}));
        let labels = json!({"app": "web", "tier": "front"});
        assert!(web(json!({"matchLabels": {"app": "web"}})).selects(&labels));
        assert!(!web(json!({"matchLabels": {"app": "api"}})).selects(&labels));
        let expression = |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]});
        assert!(web(expression("In", &["front"])).selects(&labels));
        assert!(!web(expression("NotIn", &["front"])).selects(&labels));
        assert!(web(expression("Exists", &[])).selects(&labels));
        assert!(!web(expression("DoesNotExist", &[])).selects(&labels));
        assert!(!web(json!({})).selects(&labels), "no selector selects nothing");
    }
}
