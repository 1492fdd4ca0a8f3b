//! Which nodes a cordon is about, and how many are left that take pods.

use crate::base::problem::Problem;
use crate::kinds::action::Unread;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::client::{Call, Cluster, KubeError, NODES, Scope, is_name};
use crate::providers::kube::node::Node;
use crate::providers::kube::object::Object;
use crate::providers::kube::place::{checked, selector};
use serde_json::Value;

/// The mark of the attempt on a node that it cordoned.
pub const MARK: &str = "lifeboat.dev/cordoned-by";
/// The taint that the cluster itself puts on a cordoned node.
const OF_A_CORDON: &str = "node.kubernetes.io/unschedulable";

/// Which nodes a plan means.
pub struct Chosen {
    which: Which,
    at_most: usize,
}

enum Which {
    Named(Vec<String>),
    Selected(String),
}

/// A node as it was read.
#[derive(Clone)]
pub struct Found {
    pub name: String,
    pub object: Object,
    pub is_cordoned: bool,
    /// Whether it is ready and open, for pods that tolerate its taints.
    pub is_open: bool,
    /// Whether a pod of no special kind can begin there.
    pub takes_pods: bool,
    /// The attempt that cordoned it, where lifeboat did.
    pub mark: Option<String>,
}

impl Found {
    /// Of a node.
    pub fn of(node: &Value) -> Self {
        let seen = Node::of(node);
        let taints = node["spec"]["taints"].as_array().into_iter().flatten();
        let mut keeps_away = taints.filter(|taint| {
            let is_strict = matches!(taint["effect"].as_str(), Some("NoSchedule" | "NoExecute"));
            is_strict && taint["key"] != OF_A_CORDON
        });
        let is_open = seen.is_ready() && !seen.is_cordoned;
        Self {
            object: Object::of(NODES, node),
            is_cordoned: seen.is_cordoned,
            is_open,
            takes_pods: is_open && keeps_away.next().is_none(),
            mark: node["metadata"]["annotations"][MARK].as_str().map(str::to_owned),
            name: seen.name,
        }
    }

    /// As `kubectl` takes it.
    pub fn words(&self) -> String {
        format!("node/{}", self.name)
    }
}

impl Chosen {
    /// As a step says it.
    ///
    /// # Errors
    /// When it says none, or in two ways, or more than `at_most`.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let wrong = |value: &str, why: String| BuildError::value("nodes", value, why);
        let names = params.texts("nodes");
        for (at, name) in names.iter().enumerate() {
            checked("nodes", name)?;
            if names[..at].contains(name) {
                return Err(wrong(name, "it is named twice".into()));
            }
        }
        let at_most = params.integer("at_most").and_then(|most| usize::try_from(most).ok()).unwrap_or(20);
        if names.len() > at_most {
            let why = format!("{} are named, and `at_most` allows {at_most}", names.len());
            return Err(wrong(&names.len().to_string(), why));
        }
        let which = match (names.is_empty(), selector(params)?) {
            (false, None) => Which::Named(names.into_iter().map(str::to_owned).collect()),
            (true, Some(selector)) => Which::Selected(selector),
            _ => return Err(wrong("", "exactly one of `nodes` and `selector` says what is meant".into())),
        };
        Ok(Self { which, at_most })
    }

    /// Those that are meant, among all of the cluster.
    ///
    /// # Errors
    /// When they cannot be read, one is not there, none fits, or more than the plan allows.
    pub async fn read(&self, cluster: &Cluster) -> Result<(Vec<Found>, Vec<Found>), Unread> {
        let all = nodes(cluster, None).await?;
        // A name becomes part of a path and of a command.
        if all.iter().any(|one| !is_name(&one.name)) {
            let why = "what answered names a node as none can be named: it is no API server";
            return Err(Unread::Failed(Problem::new(why, "Find out what answers there.")));
        }
        let absent = |why: String| Err(Unread::Absent(Problem::new(why, "Compare the nodes with the plan.")));
        let chosen: Vec<Found> = match &self.which {
            Which::Named(names) => {
                let is_there = |name: &&String| all.iter().any(|one| one.name == **name);
                if let Some(name) = names.iter().find(|name| !is_there(name)) {
                    return absent(format!("node/{name} is not there"));
                }
                all.iter().filter(|one| names.contains(&one.name)).cloned().collect()
            }
            Which::Selected(selector) => {
                let fits = nodes(cluster, Some(selector)).await?;
                all.iter().filter(|one| fits.iter().any(|fit| fit.name == one.name)).cloned().collect()
            }
        };
        match chosen.len() {
            0 => absent("no node fits".into()),
            many if many > self.at_most => {
                absent(format!("{many} nodes are meant, and `at_most` allows {}", self.at_most))
            }
            _ => Ok((chosen, all)),
        }
    }

    /// What the operator types, where nothing was read.
    pub fn unseen_name(&self) -> String {
        match &self.which {
            Which::Named(names) => name(names),
            Which::Selected(_) => "nodes".to_owned(),
        }
    }

    /// As `kubectl` takes them.
    pub fn words(&self) -> Vec<String> {
        match &self.which {
            Which::Named(names) => names.clone(),
            Which::Selected(selector) => vec!["-l".to_owned(), selector.clone()],
        }
    }
}

/// What the operator types: the one, or how many there are.
pub fn name(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        many => format!("{}-nodes", many.len()),
    }
}

/// All nodes, or those that a selector fits.
///
/// # Errors
/// When they cannot be listed.
pub async fn nodes(cluster: &Cluster, selector: Option<&str>) -> Result<Vec<Found>, KubeError> {
    let call = Call::new("list nodes", "of the cluster");
    let scope = Scope { selector, ..Scope::all(NODES, None) };
    let (nodes, _) = cluster.list(&call, scope, cluster.deadline()).await?;
    Ok(nodes.iter().map(Found::of).collect())
}

/// What is left for new pods once the chosen ones are cordoned. Where each node has a taint, those count that are open to pods
/// that tolerate it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Left {
    pub before: usize,
    pub after: usize,
    pub are_tainted: bool,
}

impl Left {
    /// Of the chosen among all.
    pub fn of(chosen: &[Found], all: &[Found]) -> Self {
        let are_tainted = !all.iter().any(|one| one.takes_pods);
        let takes = || all.iter().filter(|one| if are_tainted { one.is_open } else { one.takes_pods });
        let is_chosen = |one: &&Found| chosen.iter().any(|chosen| chosen.name == one.name);
        Self { before: takes().count(), after: takes().filter(|one| !is_chosen(one)).count(), are_tainted }
    }

    /// Whether the last one goes.
    pub fn takes_the_last(self) -> bool {
        self.before > 0 && self.after == 0
    }

    /// For the confirmation.
    pub fn words(self) -> String {
        match self {
            Self { before: 0, .. } => "No node takes new pods as it is: none is ready and open.".to_owned(),
            Self { after: 0, .. } => {
                "NO NODE IS LEFT that takes new pods: what ends begins nowhere.".to_owned()
            }
            Self { before, after, are_tainted: true } => format!(
                "{after} of {before} open nodes are left, each for pods that tolerate its taints; pods that run stay."
            ),
            Self { before, after, are_tainted: false } => {
                format!("{after} of {before} nodes that take new pods are left; pods that run stay.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(name: &str, ready: &str, spec: Value) -> Found {
        Found::of(&json!({"metadata": {"name": name}, "spec": spec,
                          "status": {"conditions": [{"type": "Ready", "status": ready}]}}))
    }

    #[test]
    fn a_node_takes_pods_where_it_is_ready_open_and_without_a_taint() {
        let takes = |ready: &str, spec: Value| node("n", ready, spec).takes_pods;
        assert!(takes("True", json!({})));
        assert!(!takes("Unknown", json!({})) && !takes("True", json!({"unschedulable": true})));
        let taint = |key: &str, effect: &str| json!({"taints": [{"key": key, "effect": effect}]});
        assert!(
            !takes("True", taint("control-plane", "NoSchedule")) && !takes("True", taint("x", "NoExecute"))
        );
        assert!(takes("True", taint("x", "PreferNoSchedule")));
        assert!(takes("True", taint(OF_A_CORDON, "NoSchedule")), "the cluster takes it away by itself");
    }

    #[test]
    fn the_last_node_is_known_among_those_that_take_none() {
        let all = [
            node("n1", "True", json!({})),
            node("n2", "True", json!({"unschedulable": true})),
            node("n3", "False", json!({})),
        ];
        assert!(Left::of(&all[..1], &all).takes_the_last());
        assert!(Left::of(&all[..1], &all).words().contains("NO NODE IS LEFT"));
        assert!(!Left::of(&all[2..], &all).takes_the_last());
        assert!(!Left::of(&all[1..], &all[1..]).takes_the_last(), "there was none before");
        let more = [node("n1", "True", json!({})), node("n2", "True", json!({}))];
        assert_eq!(Left::of(&more[..1], &more), Left { before: 2, after: 1, are_tainted: false });
        let pool =
            |name: &str| node(name, "True", json!({"taints": [{"key": "pool", "effect": "NoSchedule"}]}));
        let pools = [pool("n1"), pool("n2")];
        assert_eq!(
            Left::of(&pools[..1], &pools).words().split(',').next(),
            Some("1 of 2 open nodes are left")
        );
        let rest = [pool("n1"), node("n2", "True", json!({"unschedulable": true}))];
        assert!(Left::of(&rest[..1], &rest).takes_the_last(), "pods that tolerate it begin there");
    }
}
