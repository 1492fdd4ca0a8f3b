//! Clusters of CloudNativePG as their operator leaves them: `east` is the primary, `west` follows it.

use super::Postgres;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::object::Object;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The database that both are copies of.
pub const SYSTEM: &str = "7412345678901234567";

pub fn dr() -> Cluster {
    crate::providers::kube::testing::cluster()
}

pub fn is(value: Value) -> Postgres {
    let object = Object::at("/db".into(), "db".into(), &value);
    Postgres::of("shop", "db", object, value)
}

/// A token as CloudNativePG makes one.
pub fn token(timeline: u64, redo: &str) -> String {
    let held = json!({
        "latestCheckpointTimelineID": timeline.to_string(), "redoWalFile": "000000030000000000000006",
        "databaseSystemIdentifier": SYSTEM, "latestCheckpointREDOLocation": redo,
        "timeOfLatestCheckpoint": "Mon Nov 30 02:00:00 2026", "operatorVersion": "1.28.0"});
    STANDARD.encode(held.to_string())
}

fn cluster(own: &str, uid: &str, is_primary: bool) -> Value {
    let other = if own == "east" { "west" } else { "east" };
    json!({
        "metadata": {"name": "db", "namespace": "shop", "uid": uid, "generation": 4, "resourceVersion": "7",
                     "annotations": {}},
        "spec": {"instances": 2, "externalClusters": [{"name": "east"}, {"name": "west"}],
                 "replica": {"self": own, "primary": "east", "source": other}},
        "status": {
            "phase": super::seen::HEALTHY, "instances": 2, "readyInstances": 2, "currentPrimary": "db-1",
            "targetPrimary": "db-1", "timelineID": 3, "systemID": SYSTEM,
            "instancesStatus": {"healthy": ["db-1", "db-2"]},
            "instancesReportedState": {"db-1": {"isPrimary": is_primary, "timeLineID": 3},
                                       "db-2": {"isPrimary": false, "timeLineID": 3}},
            "conditions": [{"type": "ContinuousArchiving", "status": "True", "message": "it works"}]}})
}

/// `east`, the primary.
pub fn primary() -> Value {
    cluster("east", "u-east", true)
}

/// `west`, which follows it.
pub fn replica() -> Value {
    cluster("west", "u-db", false)
}

/// `west` after its promotion with this token; without one where it is empty.
pub fn promoted(token: &str) -> Value {
    let mut value = cluster("west", "u-db", true);
    value["spec"]["replica"]["primary"] = json!("west");
    if !token.is_empty() {
        value["spec"]["replica"]["promotionToken"] = json!(token);
        value["status"]["lastPromotionToken"] = json!(token);
    }
    value["status"]["instancesReportedState"]["db-1"]["timeLineID"] = json!(4);
    value
}

/// `east` after its demotion for `west`, with this token.
pub fn demoted(token: &str) -> Value {
    let mut value = cluster("east", "u-east", false);
    value["spec"]["replica"]["primary"] = json!("west");
    value["status"]["demotionToken"] = json!(token);
    value
}
