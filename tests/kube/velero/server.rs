//! Does with restores what Velero's server does, as far as their objects tell.
//! <https://github.com/vmware-tanzu/velero/blob/v1.17.0/pkg/controller/restore_controller.go>

use super::ago;
use crate::kube::Cluster;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A server of one namespace, until it is dropped.
pub struct Server {
    ends: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Each restore that passes its validation comes to this end.
    pub fn start(cluster: &'static Cluster, namespace: &str, end: Value) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let (stop, namespace) = (ends.clone(), namespace.to_owned());
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let list = cluster.kubectl(&["-n", &namespace, "get", "restores.velero.io", "-o", "json"]);
                let list: Value = serde_json::from_str(&list).unwrap();
                for restore in list["items"].as_array().unwrap() {
                    let Some(status) = next(cluster, &namespace, restore, &end) else { continue };
                    let name = restore["metadata"]["name"].as_str().unwrap();
                    let patch = json!({"status": status}).to_string();
                    // A test may delete it meanwhile.
                    let _ = cluster.try_kubectl(&[
                        "-n",
                        &namespace,
                        "patch",
                        "restores.velero.io",
                        name,
                        "--type=merge",
                        "-p",
                        &patch,
                    ]);
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        });
        Self { ends, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What becomes of a restore; none of one that is over.
fn next(cluster: &Cluster, namespace: &str, restore: &Value, end: &Value) -> Option<Value> {
    match restore["status"]["phase"].as_str().unwrap_or_default() {
        "" | "New" => Some(match fault(cluster, namespace, restore) {
            Some(fault) => json!({"phase": "FailedValidation", "validationErrors": [fault]}),
            None => json!({"phase": "InProgress", "startTimestamp": ago(0),
                           "progress": {"totalItems": 40, "itemsRestored": 4}}),
        }),
        "InProgress" => {
            Some(json!({"phase": "Finalizing", "progress": {"totalItems": 40, "itemsRestored": 40}}))
        }
        "Finalizing" => {
            let mut end = end.clone();
            end["completionTimestamp"] = ago(0).into();
            Some(end)
        }
        _ => None,
    }
}

fn fault(cluster: &Cluster, namespace: &str, restore: &Value) -> Option<String> {
    let name = restore["spec"]["backupName"].as_str().unwrap();
    let backup = format!("backups.velero.io/{name}");
    let get =
        cluster.try_kubectl(&["-n", namespace, "get", &backup, "-o", "jsonpath={.spec.storageLocation}"]);
    let Ok(location) = get else {
        return Some(format!("Error retrieving backup: can't find backup {namespace}/{name}"));
    };
    let phase =
        cluster.field(namespace, &format!("backupstoragelocations.velero.io/{location}"), "{.status.phase}");
    (phase != "Available").then(|| format!("The BSL {location} is unavailable, cannot retrieve the backup"))
}
