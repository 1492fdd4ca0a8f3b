//! A kubelet of the tests' own: it says of pods what one would, by the name of their image.

use super::direct::{AT_ONCE, Direct, pod_path};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::time::Duration;

/// Says of the pods of a cluster that they run, until this process ends.
pub fn start(port: u16) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Direct::to(port);
            loop {
                say_what_becomes_of_the_pending(&server).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    });
}

async fn say_what_becomes_of_the_pending(server: &Direct) {
    let Some(list) = server.get("/api/v1/pods?fieldSelector=status.phase%3DPending").await else { return };
    let known = list["items"].as_array().into_iter().flatten();
    let said = known.filter_map(|pod| Some((pod_path(pod, "/status"), json!({"status": status(pod)?}))));
    let say = |(path, status): (String, Value)| async move { _ = server.merge(&path, &status).await };
    stream::iter(said).for_each_concurrent(AT_ONCE, say).await;
}

/// What becomes of a pod; none of one that it said already, or that waits.
fn status(pod: &Value) -> Option<Value> {
    let container = &pod["spec"]["containers"][0];
    let said = pod["status"]["containerStatuses"].is_array();
    let waiting = |reason: &str, restarts: u32| {
        let ended = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": jiff::Timestamp::now().to_string()}});
        json!({"phase": "Pending", "containerStatuses": [{
            "name": container["name"], "image": container["image"], "imageID": "", "ready": false,
            "restartCount": restarts, "state": {"waiting": {"reason": reason}},
            "lastState": if restarts > 0 { ended } else { json!({}) }}]})
    };
    match container["image"].as_str().unwrap_or_default() {
        _ if said => None,
        "waits" => None,
        "crashes" => Some(waiting("CrashLoopBackOff", 7)),
        "missing" => Some(waiting("ImagePullBackOff", 0)),
        // One that ends well at once.
        "ends" => Some(json!({"phase": "Succeeded"})),
        "fails" => Some(json!({"phase": "Failed"})),
        _ => {
            let now = jiff::Timestamp::now().to_string();
            let all = pod["spec"]["containers"].as_array().into_iter().flatten();
            let running: Vec<Value> = all
                .map(|container| {
                    json!({
                        "name": container["name"], "image": container["image"], "imageID": "", "ready": true,
                        "restartCount": 0, "state": {"running": {"startedAt": now}}})
                })
                .collect();
            Some(json!({
                "phase": "Running",
                "conditions": conditions(true),
                "containerStatuses": running}))
        }
    }
}

/// What is said of a pod that takes traffic, or does not.
pub fn conditions(is_ready: bool) -> Value {
    let now = jiff::Timestamp::now().to_string();
    let status = if is_ready { "True" } else { "False" };
    json!([{"type": "Ready", "status": status, "lastTransitionTime": now},
           {"type": "ContainersReady", "status": status, "lastTransitionTime": now}])
}
