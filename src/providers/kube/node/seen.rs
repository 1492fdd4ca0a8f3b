//! A node, as far as it tells whether pods can run there.
//! <https://kubernetes.io/docs/reference/node/node-status/>

use crate::providers::kube::said::{condition, holds, said, text};
use serde_json::Value;

/// Conditions that a kubelet reports when a node runs short, with what it is short of.
const PRESSURE: [(&str, &str); 3] =
    [("MemoryPressure", "memory"), ("DiskPressure", "disk"), ("PIDPressure", "process IDs")];

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub readiness: Readiness,
    /// Whether it takes no new pods.
    pub is_cordoned: bool,
    /// What it is short of.
    pub pressure: Vec<&'static str>,
    /// The version of its kubelet.
    pub version: String,
}

/// Whether a node runs pods.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// It does.
    Ready,
    /// Its kubelet says that it does not, and why.
    NotReady(String),
    /// Its kubelet is not heard any more, or was never heard.
    Silent,
}

impl Node {
    /// Of an object.
    pub fn of(object: &Value) -> Self {
        let readiness = condition(object, "Ready").map(|ready| match ready["status"].as_str() {
            Some("True") => Readiness::Ready,
            Some("False") => Readiness::NotReady(said(ready)),
            Some(_) | None => Readiness::Silent,
        });
        Self {
            name: text(&object["metadata"]["name"]),
            readiness: readiness.unwrap_or(Readiness::Silent),
            is_cordoned: object["spec"]["unschedulable"].as_bool().unwrap_or(false),
            pressure: PRESSURE
                .iter()
                .filter(|(kind, _)| holds(object, kind).is_some())
                .map(|(_, of)| *of)
                .collect(),
            version: text(&object["status"]["nodeInfo"]["kubeletVersion"]),
        }
    }

    /// Whether its kubelet says that it is ready.
    pub fn is_ready(&self) -> bool {
        self.readiness == Readiness::Ready
    }

    /// Its name and why it is not ready; none of one that is.
    pub fn trouble(&self) -> Option<String> {
        match &self.readiness {
            Readiness::Ready => None,
            Readiness::NotReady(why) if why.is_empty() => Some(self.name.clone()),
            Readiness::NotReady(why) => Some(format!("{} ({why})", self.name)),
            Readiness::Silent => Some(format!("{} (its kubelet is silent)", self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(conditions: Value) -> Node {
        Node::of(&json!({"metadata": {"name": "n1"}, "status": {"conditions": conditions}}))
    }

    #[test]
    fn only_a_kubelet_that_says_so_makes_a_node_ready() {
        let ready = |status: &str| {
            node(json!([{"type": "Ready", "status": status, "message": "no network plugin"}])).readiness
        };
        assert_eq!(ready("True"), Readiness::Ready);
        assert_eq!(ready("False"), Readiness::NotReady("no network plugin".into()));
        assert_eq!(ready("Unknown"), Readiness::Silent);
        assert_eq!(node(json!([])).readiness, Readiness::Silent, "it was never heard");
    }

    #[test]
    fn a_node_says_what_it_is_short_of() {
        let short = node(json!([
            {"type": "MemoryPressure", "status": "True"}, {"type": "DiskPressure", "status": "False"},
            {"type": "PIDPressure", "status": "True"}]));
        assert_eq!(short.pressure, ["memory", "process IDs"]);
        assert_eq!(node(json!([{"type": "MemoryPressure", "status": "Unknown"}])).pressure, [""; 0]);
        assert!(!short.is_cordoned && Node::of(&json!({"spec": {"unschedulable": true}})).is_cordoned);
    }
}
