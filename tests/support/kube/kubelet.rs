//! A kubelet of the tests' own: it says of pods what one would, by the name of their image.

use serde_json::{Value, json};
use std::time::Duration;

/// Says of the pods of a cluster that they run, until this process ends.
pub fn start(port: u16, token: &'static str) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = client();
            loop {
                let root = format!("https://127.0.0.1:{port}/api/v1");
                let pending = client.get(format!("{root}/pods?fieldSelector=status.phase%3DPending"));
                if let Ok(answer) = pending.bearer_auth(token).send().await
                    && let Ok(list) = answer.json::<Value>().await
                {
                    for pod in list["items"].as_array().into_iter().flatten() {
                        let Some(status) = status(pod) else { continue };
                        let of = |name: &str| pod["metadata"][name].as_str().unwrap_or_default();
                        let url = format!("{root}/namespaces/{}/pods/{}/status", of("namespace"), of("name"));
                        let patch = client
                            .patch(url)
                            .bearer_auth(token)
                            .header("content-type", "application/merge-patch+json")
                            .body(json!({"status": status}).to_string());
                        let _ = patch.send().await;
                    }
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    });
}

/// A client for an API server of the tests' own.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
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
                "conditions": [
                    {"type": "Ready", "status": "True", "lastTransitionTime": now},
                    {"type": "ContainersReady", "status": "True", "lastTransitionTime": now}],
                "containerStatuses": running}))
        }
    }
}
