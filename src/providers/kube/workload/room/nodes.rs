//! What the nodes have left, by cpu, memory and number of pods.
//! <https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/>

use super::More;
use super::need::{Need, amount};
use crate::core::words::preflight::Check;
use crate::providers::kube::client::{Call, Cluster, NODES, PODS, Scope};
use crate::providers::kube::said::holds;
use serde_json::Value;
use std::collections::HashMap;

const WHAT: &str = "room on the nodes";

/// What a node has left.
#[derive(Clone, Copy, Debug)]
struct Room {
    cpu_cores: f64,
    memory_bytes: f64,
    pods: f64,
}

pub(super) async fn check(cluster: &Cluster, more: &[More<'_>]) -> Check {
    let list = async |permission: &'static str, resource| {
        let call = Call::new(permission, "of the cluster");
        cluster.list(&call, Scope::all(resource, None), cluster.deadline()).await.map(|(all, _)| all)
    };
    match tokio::join!(list("list nodes", NODES), list("list pods", PODS)) {
        (Ok(nodes), Ok(pods)) => judged(rooms(&nodes, &pods), more),
        (Err(error), _) | (_, Err(error)) => Check::not_checkable(WHAT, error.to_string()),
    }
}

/// What each node has left that is ready and takes pods.
fn rooms(nodes: &[Value], pods: &[Value]) -> Vec<Room> {
    let takes = |node: &&Value| node["spec"]["unschedulable"] != true && holds(node, "Ready").is_some();
    let mut rooms: HashMap<&str, Room> = HashMap::new();
    for node in nodes.iter().filter(takes) {
        let of = |name: &str| amount(&node["status"]["allocatable"][name]);
        let room = Room { cpu_cores: of("cpu"), memory_bytes: of("memory"), pods: of("pods") };
        rooms.insert(node["metadata"]["name"].as_str().unwrap_or_default(), room);
    }
    let runs = |pod: &&Value| !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    for pod in pods.iter().filter(runs) {
        if let Some(room) = pod["spec"]["nodeName"].as_str().and_then(|name| rooms.get_mut(name)) {
            room.take(&Need::of(&pod["spec"]));
        }
    }
    rooms.into_values().collect()
}

impl Room {
    fn take(&mut self, need: &Need) {
        self.cpu_cores -= need.cpu_cores;
        self.memory_bytes -= need.memory_bytes;
        self.pods -= 1.0;
    }

    fn holds(&self, need: &Need) -> bool {
        let enough = |left: f64, asked: f64| asked <= 0.0 || left >= asked;
        self.pods >= 1.0
            && enough(self.cpu_cores, need.cpu_cores)
            && enough(self.memory_bytes, need.memory_bytes)
    }
}

fn judged(mut rooms: Vec<Room>, more: &[More<'_>]) -> Check {
    let next = "Add nodes in a step before, or ask for less: where the cluster adds nodes by itself, that takes minutes.";
    if rooms.is_empty() {
        return Check::warn(WHAT, "no node is ready and takes pods", next);
    }
    let (nodes, mut short, mut asked) = (rooms.len(), Vec::new(), 0);
    for one in more.iter().filter(|one| one.pods > 0) {
        let mut placed = 0;
        while placed < one.pods {
            // The emptiest first, as the scheduler does by default.
            let free = rooms.iter_mut().filter(|room| room.holds(&one.need));
            let Some(room) = free.max_by(|a, b| a.cpu_cores.total_cmp(&b.cpu_cores)) else { break };
            room.take(&one.need);
            placed += 1;
        }
        asked += one.pods;
        if placed < one.pods {
            short.push(format!("{} gets {placed} of {} pods more", one.name, one.pods));
        }
    }
    let by = "by cpu, memory and number of pods, not by taints or affinity";
    match short.is_empty() {
        true => Check::pass(WHAT, format!("{asked} pods more fit on {nodes} nodes, {by}")),
        false => Check::warn(WHAT, format!("{}, {by}", short.join(", ")), next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(name: &str, ready: &str, unschedulable: bool) -> Value {
        json!({"metadata": {"name": name}, "spec": {"unschedulable": unschedulable}, "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"}}})
    }

    fn pod(node: &str, cpu: &str, phase: &str) -> Value {
        json!({"spec": {"nodeName": node, "containers": [{"resources": {"requests": {"cpu": cpu}}}]},
               "status": {"phase": phase}})
    }

    fn more(pods: i64, cpu_cores: f64) -> More<'static> {
        More { name: "web", pods, need: Need { cpu_cores, ..Need::default() } }
    }

    #[test]
    fn only_nodes_that_take_pods_have_room_and_what_ended_takes_none() {
        let nodes = [node("a", "True", false), node("b", "False", false), node("c", "True", true)];
        let pods = [pod("a", "500m", "Running"), pod("a", "1", "Succeeded"), pod("b", "1", "Running")];
        let rooms = rooms(&nodes, &pods);
        assert_eq!((rooms.len(), rooms[0].cpu_cores, rooms[0].pods), (1, 1.5, 9.0));
    }

    #[test]
    fn a_pod_has_to_fit_on_one_node() {
        let nodes = [node("a", "True", false), node("b", "True", false)];
        let pods = [pod("a", "1500m", "Running"), pod("b", "1500m", "Running")];
        let said = |of: More<'_>| judged(rooms(&nodes, &pods), &[of]).result;
        let fits = said(more(2, 0.5));
        assert_eq!((fits.word(), fits.seen().starts_with("2 pods more fit on 2 nodes")), ("pass", true));
        // One core is left, half of it on each.
        let short = said(more(1, 1.0));
        assert_eq!((short.word(), short.seen().starts_with("web gets 0 of 1 pods more")), ("warn", true));
        let many = said(more(19, 0.0));
        assert!(many.seen().starts_with("web gets 18 of 19 pods more"), "{many:?}");
        assert_eq!(judged(Vec::new(), &[more(1, 0.0)]).result.word(), "warn");
    }
}
