//! What nodes come to.

use super::Node;
use crate::base::units::counted;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use crate::providers::kube::told::told;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A selector of the plan, as it is shown.
const SELECTOR_CHARS: usize = 80;

/// Of all nodes that the plan asks for; `least` is how many of them have to be ready.
pub(super) fn judge(
    cluster: &Cluster,
    nodes: &[Arc<Node>],
    selector: Option<&str>,
    least: Option<u64>,
) -> Measurement {
    if nodes.is_empty() {
        let why = match selector {
            Some(selector) => format!("no node fits {}", cluster.shown(selector, SELECTOR_CHARS)),
            None => "the cluster has no node".to_owned(),
        };
        let none = Measurement::critical(why).with_value(0.0);
        return none.with_number("ready", 0.0).with_number("nodes", 0.0).with_number("cordoned", 0.0);
    }
    let ready = nodes.iter().filter(|node| node.is_ready()).count();
    let cordoned = nodes.iter().filter(|node| node.is_cordoned).count();
    let numbers = format!("{ready} of {} ready", counted(nodes.len(), "node"));
    let trouble = told(cluster, nodes.iter().filter_map(|node| node.trouble()));
    let pressure =
        told(cluster, nodes.iter().filter(|node| !node.pressure.is_empty()).map(|node| short(node)));
    let mut summary = match trouble.is_empty() {
        true => numbers.clone(),
        false => format!("{numbers}: {trouble}"),
    };
    if cordoned > 0 {
        summary.push_str(&format!(", {cordoned} cordoned"));
    }
    let names = nodes.iter().filter(|node| !node.is_ready()).map(|node| node.name.clone());
    let versions: BTreeSet<&str> =
        nodes.iter().map(|node| node.version.as_str()).filter(|version| !version.is_empty()).collect();
    Measurement::good(summary)
        .judged(of_the_ready(ready, nodes.len(), &trouble, least))
        .judged(of_the_rest(nodes, ready, &pressure))
        .with_value(ready as f64)
        .with_number("ready", ready as f64)
        .with_number("nodes", nodes.len() as f64)
        .with_number("cordoned", cordoned as f64)
        .with_text("not_ready", told(cluster, names))
        .with_text("pressure", pressure)
        .with_text("versions", told(cluster, versions.into_iter().map(str::to_owned)))
}

/// What it is short of, in words.
fn short(node: &Node) -> String {
    format!("{} is short of {}", node.name, node.pressure.join(" and "))
}

fn of_the_ready(ready: usize, all: usize, trouble: &str, least: Option<u64>) -> Verdict {
    match least {
        _ if ready == 0 => Verdict::Critical(format!("no node is ready: {trouble}")),
        Some(least) if (ready as u64) < least => {
            Verdict::Critical(format!("{} ready, at least {least} expected", counted(ready, "node")))
        }
        _ if ready < all => Verdict::Warn(format!("{} not ready: {trouble}", counted(all - ready, "node"))),
        Some(_) | None => Verdict::Good,
    }
}

fn of_the_rest(nodes: &[Arc<Node>], ready: usize, pressure: &str) -> Verdict {
    let takes_none = ready > 0 && nodes.iter().all(|node| !node.is_ready() || node.is_cordoned);
    match (pressure.is_empty(), takes_none) {
        (false, _) => Verdict::Warn(pressure.to_owned()),
        (true, true) => Verdict::Warn("no new pod can run: every node that is ready is cordoned".to_owned()),
        (true, false) => Verdict::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(name: &str, ready: &str, pressure: &str, cordoned: bool) -> Arc<Node> {
        Arc::new(Node::of(
            &json!({"metadata": {"name": name}, "spec": {"unschedulable": cordoned}, "status": {
            "nodeInfo": {"kubeletVersion": "v1.33.1"},
            "conditions": [{"type": "Ready", "status": ready}, {"type": "DiskPressure", "status": pressure}]}}),
        ))
    }

    fn judged(nodes: &[Arc<Node>], least: Option<u64>) -> Measurement {
        judge(&crate::testing::clients(&[]).kube.cluster("dr"), nodes, None, least)
    }

    #[test]
    fn a_node_that_is_silent_is_not_ready() {
        let nodes = [node("n1", "True", "False", false), node("n2", "Unknown", "Unknown", false)];
        let seen = judged(&nodes, None);
        assert_eq!(seen.verdict, Verdict::Warn("1 node not ready: n2 (its kubelet is silent)".into()));
        assert_eq!(
            (seen.value, seen.text("not_ready"), seen.text("versions")),
            (Some(1.0), Some("n2"), Some("v1.33.1"))
        );
        let seen = judged(&nodes, Some(2));
        assert_eq!(seen.verdict, Verdict::Critical("1 node ready, at least 2 expected".into()));
        let seen = judged(&nodes[1..], None);
        assert_eq!(seen.verdict, Verdict::Critical("no node is ready: n2 (its kubelet is silent)".into()));
    }

    #[test]
    fn a_cluster_without_a_node_is_critical() {
        let seen = judged(&[], None);
        assert_eq!(
            (seen.verdict, seen.value),
            (Verdict::Critical("the cluster has no node".into()), Some(0.0))
        );
    }

    #[test]
    fn a_cordon_is_told_and_a_warning_where_nothing_else_takes_pods() {
        let (open, shut) = (node("n1", "True", "False", false), node("n2", "True", "False", true));
        let seen = judged(&[open, shut.clone()], None);
        assert_eq!((&seen.verdict, &*seen.summary), (&Verdict::Good, "2 of 2 nodes ready, 1 cordoned"));
        assert!(matches!(judged(&[shut], None).verdict, Verdict::Warn(_)));
    }

    #[test]
    fn pressure_is_a_warning() {
        let seen = judged(&[node("n1", "True", "True", false)], None);
        assert_eq!(seen.verdict, Verdict::Warn("n1 is short of disk".into()));
    }
}
