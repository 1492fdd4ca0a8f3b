//! What CloudNativePG's operator and its instances do with a change of the role, as far as they write it into the status:
//! `pkg/reconciler/replicaclusterswitch`, `internal/management/controller/instance_controller.go` of 1.30.

use crate::kube::{ADMIN, Cluster};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const HEALTHY: &str = "Cluster in healthy state";
pub const PROMOTING: &str = "Promoting to primary cluster";
pub const UNRECOVERABLE: &str = "Cluster is unrecoverable and needs manual intervention";
const SYSTEM: &str = "7412345678901234567";

/// A token as `pkg/utils/parser.go` makes one.
pub fn token(timeline: u64, redo: &str) -> String {
    let held = json!({
        "latestCheckpointTimelineID": timeline.to_string(), "redoWalFile": "000000010000000000000006",
        "databaseSystemIdentifier": SYSTEM, "latestCheckpointREDOLocation": redo,
        "timeOfLatestCheckpoint": "Mon Nov 30 02:00:00 2026", "operatorVersion": "1.28.0"});
    STANDARD.encode(held.to_string())
}

/// Where the clusters of one test are.
pub struct Api {
    client: reqwest::Client,
    root: String,
}

impl Api {
    pub fn of(cluster: &Cluster, namespace: &str) -> Self {
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let path = format!("apis/postgresql.cnpg.io/v1/namespaces/{namespace}/clusters/db");
        Self { client, root: format!("https://127.0.0.1:{}/{path}", cluster.port) }
    }

    async fn read(&self) -> Option<Value> {
        let answer = self.client.get(&self.root).bearer_auth(ADMIN).send().await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    /// A merge patch of the object or of its status.
    pub async fn patch(&self, part: &str, change: &Value) -> bool {
        let patch = self.client.patch(format!("{}{part}", self.root)).bearer_auth(ADMIN);
        let patch = patch.header("content-type", "application/merge-patch+json").body(change.to_string());
        patch.send().await.is_ok_and(|answer| answer.status().is_success())
    }

    pub async fn status(&self, status: Value) {
        assert!(self.patch("/status", &json!({ "status": status })).await);
    }
}

/// The status of a cluster with which its operator has nothing to do.
pub fn healthy(is_primary: bool, timeline: u64) -> Value {
    json!({
        "phase": HEALTHY, "phaseReason": "", "instances": 2, "readyInstances": 2, "currentPrimary": "db-1",
        "targetPrimary": "db-1", "systemID": SYSTEM, "instancesStatus": {"healthy": ["db-1", "db-2"]},
        "instancesReportedState": {"db-1": {"isPrimary": is_primary, "timeLineID": timeline},
                                   "db-2": {"isPrimary": false, "timeLineID": timeline}},
        "conditions": [{"type": "ContinuousArchiving", "status": "True", "message": "Continuous archiving is working"}]})
}

/// What all clusters of one database know of each other by their data.
struct Data {
    /// The timeline of the last that was promoted.
    timeline: u64,
    /// The token up to which the others replayed all.
    newest: String,
    demotions: u64,
}

/// Runs until it is dropped.
pub struct Operator {
    ends: Arc<AtomicBool>,
    rests: Arc<AtomicBool>,
    /// What its webhook would have refused.
    pub refused: Arc<Mutex<Vec<String>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Operator {
    /// Takes care of the cluster `db` of a namespace in each of these.
    pub fn start(clusters: &[&'static Cluster], namespace: &str) -> Self {
        let (ends, rests) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let refused = Arc::<Mutex<Vec<String>>>::default();
        let mut operator =
            Self { ends: ends.clone(), rests: rests.clone(), refused: refused.clone(), thread: None };
        let apis: Vec<Api> = clusters.iter().map(|cluster| Api::of(cluster, namespace)).collect();
        operator.thread = Some(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut data = Data { timeline: 1, newest: String::new(), demotions: 0 };
            runtime.block_on(async {
                while !ends.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    for api in apis.iter().filter(|_| !rests.load(Ordering::Relaxed)) {
                        let Some(seen) = api.read().await else { continue };
                        if is_replica(&seen) && seen["spec"]["replica"]["promotionToken"].is_string() {
                            let why = "promotionToken is only allowed for primary clusters";
                            refused.lock().unwrap().push(why.to_owned());
                        }
                        for (part, change) in next(&seen, &mut data) {
                            api.patch(part, &change).await;
                        }
                    }
                }
            });
        }));
        operator
    }

    pub fn rest(&self, rests: bool) {
        self.rests.store(rests, Ordering::Relaxed);
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn is_replica(seen: &Value) -> bool {
    seen["spec"]["replica"]["self"] != seen["spec"]["replica"]["primary"]
}

/// The next thing that it does, as patches of the object and of its status.
fn next(seen: &Value, data: &mut Data) -> Vec<(&'static str, Value)> {
    let status = &seen["status"];
    let first = &status["instancesReportedState"]["db-1"];
    let timeline = first["timeLineID"].as_u64().unwrap_or(1);
    let write = |status: Value| vec![("/status", json!({ "status": status }))];
    let fence =
        |fenced: Value| ("", json!({"metadata": {"annotations": {"cnpg.io/fencedInstances": fenced}}}));
    match (is_replica(seen), first["isPrimary"] == true) {
        (is_replica, _) if !status.is_object() => write(healthy(!is_replica, 1)),
        (true, true) if status["switchReplicaClusterStatus"]["inProgress"] != true => {
            let begun = json!({"switchReplicaClusterStatus": {"inProgress": true}});
            [vec![fence(json!(r#"["*"]"#))], write(begun)].concat()
        }
        (true, true) => {
            data.demotions += 1;
            data.newest = token(timeline, &format!("0/{}000028", data.demotions));
            let mut done = healthy(false, timeline);
            done["demotionToken"] = json!(data.newest);
            done["switchReplicaClusterStatus"] = json!({"inProgress": false});
            [write(done), vec![fence(Value::Null)]].concat()
        }
        (true, false) if timeline < data.timeline => write(healthy(false, data.timeline)),
        (true, false) => Vec::new(),
        (false, true) if status["demotionToken"].is_string() => write(json!({"demotionToken": null})),
        (false, true) => Vec::new(),
        (false, false) => promotion(seen, data),
    }
}

fn promotion(seen: &Value, data: &mut Data) -> Vec<(&'static str, Value)> {
    let write = |status: Value| vec![("/status", json!({ "status": status }))];
    let asked = &seen["spec"]["replica"]["promotionToken"];
    match seen["status"]["phase"].as_str() {
        Some(UNRECOVERABLE) => return Vec::new(),
        Some(PROMOTING) => {}
        _ if asked.is_string() => return write(json!({"phase": PROMOTING})),
        _ => {}
    }
    if asked.is_string() && *asked != data.newest {
        let why = "Promotion token content is not correct for current instance";
        return write(json!({"phase": UNRECOVERABLE, "phaseReason": why}));
    }
    data.timeline += 1;
    let mut done = healthy(true, data.timeline);
    done["lastPromotionToken"] = asked.clone();
    done["demotionToken"] = Value::Null;
    write(done)
}
