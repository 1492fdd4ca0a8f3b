//! The two clusters, and a plan that watches all of them.

use super::kube::{Cluster, Shape};
use std::fmt::Write;
use std::path::Path;

const NAMESPACES: usize = 5;
const DEPLOYMENTS: usize = 6;
const NODES: usize = 5;
/// Of both clusters: pods and warnings of each namespace, nodes, the API server.
pub const SIGNALS: usize = 2 * (2 * NAMESPACES + 2);

/// What each cluster has of so many pods in both.
pub fn shape(pods: usize) -> Shape {
    let pods = (pods / (2 * NAMESPACES * DEPLOYMENTS)).max(1);
    Shape { namespaces: NAMESPACES, deployments: DEPLOYMENTS, pods }
}

/// Has nodes, which say that they are ready as a kubelet does.
pub fn register_nodes(cluster: &Cluster) {
    let node = |nth: usize| {
        format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: n{nth}}}\n\
             status: {{conditions: [{{type: Ready, status: 'True', reason: R, message: m}}]}}\n"
        )
    };
    cluster.apply(&(0..NODES).map(node).collect::<Vec<_>>().join("---\n"));
}

const PLAN: &str = r#"[plan]
name = "Crowd"
[regions]
a = { role = "primary", kube_context = "east" }
b = { role = "standby", kube_context = "west" }
[tree]
root = "q"
[tree.q]
ask = "Down?"
answers.no = "wait"
[leaves.wait]
title = "Wait"
advice = "Wait."
"#;

/// The plan that watches them. Each probe is titled by its namespace, or its cluster's region.
pub fn plan(kubeconfigs: [&Path; 2], namespaces: [&[String]; 2]) -> String {
    let files = kubeconfigs.map(|path| format!("{:?}", path.display().to_string())).join(", ");
    let mut text = format!("{PLAN}[kube]\nkubeconfig = [{files}]\n");
    for (region, namespaces) in ["a", "b"].into_iter().zip(namespaces) {
        let mut add = |id: String, kind: &str, title: String, keys: String| {
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "[probes.{id}]\nkind = \"{kind}\"\ntitle = \"{title}\"\nregion = \"{region}\"\nevery = \"1s\"\n\
                 timeout = \"5s\"\nfail_after = 1\nrecover_after = 1\n{keys}\n"
            );
        };
        for name in namespaces {
            let keys = format!("namespace = \"{name}\"");
            add(name.clone(), "kube-workloads", format!("Pods of {name}"), keys.clone());
            add(format!("{name}-events"), "kube-events", format!("Warnings of {name}"), keys);
        }
        add(format!("{region}-nodes"), "kube-nodes", format!("Nodes of {region}"), String::new());
        add(format!("{region}-api"), "kube-api", format!("API server of {region}"), String::new());
    }
    text
}
