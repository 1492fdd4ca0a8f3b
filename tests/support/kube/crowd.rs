//! Many pods in many deployments, of which some are made anew all the time, and deployments that fail.

use super::direct::{AT_ONCE, Direct, pod_path};
use super::{Cluster, kubelet};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long it may take until all pods run.
const GATHERED_WITHIN: Duration = Duration::from_secs(900);

/// How many there are.
#[derive(Clone, Copy)]
pub struct Shape {
    pub namespaces: usize,
    /// In each namespace: `d0`, `d1`, …
    pub deployments: usize,
    /// Of each deployment.
    pub pods: usize,
}

/// The pods of a cluster.
pub struct Crowd {
    pub namespaces: Vec<String>,
    shape: Shape,
    server: Direct,
}

/// Pods that are made anew, until it is dropped.
pub struct Churn(Arc<AtomicBool>);

impl Shape {
    pub fn all_pods(self) -> usize {
        self.namespaces * self.deployments * self.pods
    }

    /// The deployment that fails: none of its pods is made anew.
    pub fn failing(self) -> String {
        format!("d{}", self.deployments - 1)
    }
}

impl Crowd {
    /// Has them, and waits until all are ready.
    pub async fn gather(cluster: &Cluster, shape: Shape) -> Self {
        let namespaces: Vec<String> = (0..shape.namespaces).map(|_| cluster.namespace("crowd")).collect();
        for namespace in &namespaces {
            let of = |nth| deployment(namespace, &format!("d{nth}"), shape.pods);
            let all: Vec<Value> = (0..shape.deployments).map(of).collect();
            cluster.apply(&json!({"apiVersion": "v1", "kind": "List", "items": all}).to_string());
        }
        let crowd = Self { namespaces, shape, server: Direct::to(cluster.port) };
        let begun = Instant::now();
        while crowd.ready().await < shape.all_pods() as u64 {
            assert!(begun.elapsed() < GATHERED_WITHIN, "{} pods were never ready", shape.all_pods());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        crowd
    }

    /// How many pods the API server counts as ready.
    pub async fn ready(&self) -> u64 {
        let mut ready = 0;
        for namespace in &self.namespaces {
            let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
            let list = self.server.get(&path).await.unwrap_or_default();
            let items = list["items"].as_array().into_iter().flatten();
            ready += items.filter_map(|one| one["status"]["readyReplicas"].as_u64()).sum::<u64>();
        }
        ready
    }

    /// Says of all pods of a deployment that they are ready, or are not, and waits until the API server counts them so. The
    /// API server had it at most a few milliseconds before this is over.
    pub async fn say(&self, namespace: &str, deployment: &str, is_ready: bool) {
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app%3D{deployment}");
        let list = self.server.get(&path).await.unwrap_or_default();
        let status = json!({"status": {"conditions": kubelet::conditions(is_ready)}});
        let paths = list["items"].as_array().into_iter().flatten().map(|pod| pod_path(pod, "/status"));
        let say = |path: String| {
            let (server, status) = (&self.server, &status);
            async move { _ = server.merge(&path, status).await }
        };
        stream::iter(paths).for_each_concurrent(AT_ONCE, say).await;
        let wanted = if is_ready { self.shape.pods as u64 } else { 0 };
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}");
        let begun = Instant::now();
        loop {
            let object = self.server.get(&path).await;
            // A number that the API leaves out is 0; no answer is none.
            if object.is_some_and(|one| one["status"]["readyReplicas"].as_u64().unwrap_or(0) == wanted) {
                return;
            }
            assert!(
                begun.elapsed() < GATHERED_WITHIN,
                "{deployment} in {namespace} never had {wanted} ready"
            );
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    /// Deletes so many pods each second, in turn of all deployments but the one that fails.
    pub fn churn(&self, each_second: usize) -> Churn {
        let ends = Arc::new(AtomicBool::new(false));
        let (flag, server, namespaces) = (ends.clone(), self.server.clone(), self.namespaces.clone());
        let deployments = self.shape.deployments - 1;
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let all = || (0..deployments).flat_map(|nth| namespaces.iter().map(move |one| (nth, one)));
                for (nth, namespace) in std::iter::repeat_with(all).flatten() {
                    if flag.load(Ordering::Relaxed) {
                        return;
                    }
                    let second = tokio::time::sleep(Duration::from_secs(1));
                    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app%3Dd{nth}");
                    let list = server.get(&path).await.unwrap_or_default();
                    for pod in list["items"].as_array().into_iter().flatten().take(each_second) {
                        server.delete(&pod_path(pod, "")).await;
                    }
                    second.await;
                }
            });
        });
        Churn(ends)
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A deployment about as long as those that people write.
fn deployment(namespace: &str, name: &str, pods: usize) -> Value {
    let env: Vec<Value> = (0..12)
        .map(|nth| json!({"name": format!("SETTING_{nth}"), "value": format!("https://service-{nth}.example.com/v1")}))
        .collect();
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5});
    let template = json!({
        "metadata": {
            "labels": {"app": name, "app.kubernetes.io/name": name, "app.kubernetes.io/version": "1.42.0"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9090",
                            "checksum/config": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}},
        "spec": {"containers": [{
            "name": "main", "image": format!("registry.example.com/shop/{name}:1.42.0"), "env": env,
            "ports": [{"containerPort": 8080}, {"containerPort": 9090}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "readinessProbe": probe, "livenessProbe": probe}]}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": pods, "selector": {"matchLabels": {"app": name}}, "template": template}})
}
