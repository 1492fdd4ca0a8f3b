//! The Kubernetes of both regions: two real clusters, and a line to the first one that can go silent.

use crate::forward::Forwarder;
use crate::kube::{ADMIN, Cluster, cluster};
use std::path::Path;

/// The clusters of a plan.
pub struct Clusters {
    line: Forwarder,
    pub west: &'static Cluster,
    namespace: &'static str,
}

impl Clusters {
    /// Both have the namespace; each deployment runs so many pods in the east, and so many in the west.
    pub fn start(namespace: &'static str, deployments: &[(&str, u32, u32)]) -> Self {
        let (east, west) = (cluster(0), cluster(1));
        for one in [east, west] {
            one.kubectl(&["create", "namespace", namespace]);
        }
        for (name, in_east, in_west) in deployments {
            east.deployment(namespace, name, *in_east, "runs");
            west.deployment(namespace, name, *in_west, "runs");
            for (one, pods) in [(east, *in_east), (west, *in_west)] {
                // A status without ready pods has no number.
                if pods > 0 {
                    one.wait_for_ready(namespace, name, pods);
                }
            }
        }
        Self { line: Forwarder::to(east.port), west, namespace }
    }

    /// Writes a kubeconfig with one context for each.
    pub fn write(&self, file: &Path, contexts: [&str; 2]) {
        let of = |name: &str, port: u16, folder: &Path| {
            let server = format!("https://127.0.0.1:{port}");
            let authority = folder.join("ca.pem").display().to_string();
            serde_json::json!({
                "cluster": {"name": name, "cluster": {"server": server, "certificate-authority": authority}},
                "context": {"name": name, "context": {"cluster": name, "user": "admin"}},
            })
        };
        let both = [
            of(contexts[0], self.line.port, cluster(0).folder.path()),
            of(contexts[1], self.west.port, self.west.folder.path()),
        ];
        let all = |part: &str| both.iter().map(|one| one[part].clone()).collect::<Vec<_>>();
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "clusters": all("cluster"), "contexts": all("context"),
            "users": [{"name": "admin", "user": {"token": ADMIN}}]});
        std::fs::write(file, config.to_string()).unwrap();
    }

    /// The east takes connections and does not answer.
    pub fn lose_east(&self) {
        self.line.go_silent();
    }

    /// How many pods a deployment of the west is set to, and how many are ready: by `kubectl`.
    pub fn runs_in_the_west(&self, name: &str) -> String {
        self.west.field(
            self.namespace,
            &format!("deployment/{name}"),
            "{.spec.replicas} {.status.readyReplicas}",
        )
    }
}
