//! Which object it is, and whether anybody changed since what is asked of it.

use crate::base::problem::Problem;
use crate::providers::kube::client::{Call, Cluster, KubeError};
use crate::providers::kube::said::{number, text};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// What the API server or controllers write into the metadata: no wish of anybody.
const OWN: [&str; 7] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
    "deletionGracePeriodSeconds",
];
/// Where `kubectl apply` keeps a whole object, with the values of a secret.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Which template of a deployment is the newest: its controller notes it together with the status.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The uid; empty where there is none.
pub fn uid(object: &Value) -> String {
    text(&object["metadata"]["uid"])
}

/// The object that it is and its state, as the identity of a target keeps them. Objects whose changes the API does not count
/// are told by their version; those of them that have a status, which is written all the time, by what is asked of them.
pub fn state(object: &Value) -> String {
    let (uid, generation) = (uid(object), number(&object["metadata"]["generation"]));
    if generation > 0 {
        return format!("uid {uid}, generation {generation}");
    }
    match object["status"].is_null() {
        true => format!("uid {uid}, version {}", text(&object["metadata"]["resourceVersion"])),
        false => format!("uid {uid}, content {}", digest(&asked(object).to_string())),
    }
}

/// Which API server is asked: what another one has, or has not, says nothing.
///
/// # Errors
/// When nobody can sign in.
pub async fn server(cluster: &Cluster) -> Result<String, KubeError> {
    let until = Instant::now() + cluster.deadline();
    Ok(cluster.session(&Call::new("sign in", ""), until).await?.server)
}

/// Why an object is not changed that is about to go: the change would go with it.
pub fn going(words: &str, object: &Value) -> Option<Problem> {
    (!object["metadata"]["deletionTimestamp"].is_null()).then(|| {
        let why = format!("{words} is deleted already, and only still there");
        Problem::new(why, "Wait until it is gone, and look who deleted it; then confirm the step anew.")
    })
}

/// What somebody asks for in an object: without its status, and without what the API server writes.
pub fn asked(object: &Value) -> Value {
    let mut asked = object.clone();
    let Some(fields) = asked.as_object_mut() else { return asked };
    fields.remove("status");
    if let Some(meta) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        OWN.iter().for_each(|name| {
            meta.remove(*name);
        });
        if let Some(notes) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
            notes.remove(LAST_APPLIED);
            notes.remove(REVISION);
            if notes.is_empty() {
                meta.remove("annotations");
            }
        }
    }
    asked
}

/// All that may not change between a look and what is sent after it: what is asked for, labels and notes too, and who
/// decides over it. Only a status may, and what else its writer decides over is not looked at.
pub fn confirmed(object: &Value) -> (String, Value, Vec<Value>) {
    let managed = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut of_wishes: Vec<Value> =
        managed.filter(|one| one["fieldsV1"]["f:status"].is_null()).cloned().collect();
    of_wishes.iter_mut().filter_map(Value::as_object_mut).for_each(|one| {
        one.remove("time");
    });
    (state(object), asked(object), of_wishes)
}

/// A text in a few characters.
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_changes_with_what_is_asked_for() {
        let counted = json!({"metadata": {"uid": "u1", "generation": 4}, "status": {}});
        assert_eq!(state(&counted), "uid u1, generation 4");
        let settings = json!({"metadata": {"uid": "u1", "resourceVersion": "7"}, "data": {"a": "1"}});
        assert_eq!(state(&settings), "uid u1, version 7");
        let service = |ports: Value, status: Value| json!({"metadata": {"uid": "u1", "resourceVersion": status}, "spec": {"ports": ports}, "status": {"x": status}});
        assert_eq!(state(&service(json!([1]), json!("1"))), state(&service(json!([1]), json!("2"))));
        assert_ne!(state(&service(json!([1]), json!("1"))), state(&service(json!([2]), json!("1"))));
    }

    #[test]
    fn only_a_status_may_be_written_before_a_change_is_sent() {
        let of = |manager: &str, label: &str, status: &str| {
            let managed = json!([
                {"manager": manager, "operation": "Update", "time": status, "fieldsV1": {"f:spec": {}}},
                {"manager": "controller", "time": status, "fieldsV1": {"f:status": {status: {}}}}]);
            let meta = json!({"uid": "u1", "generation": 4, "resourceVersion": status,
                              "labels": {"team": label}, "managedFields": managed});
            let mut object = json!({"metadata": meta, "status": {"x": status}});
            if status == "2" {
                object["metadata"]["annotations"] = json!({REVISION: status});
            }
            confirmed(&object)
        };
        assert_eq!(of("ops", "a", "1"), of("ops", "a", "2"));
        assert_ne!(of("ops", "a", "1"), of("ops", "b", "1"));
        assert_ne!(of("ops", "a", "1"), of("pager", "a", "1"));
    }

    #[test]
    fn what_the_api_server_writes_is_nobodys_wish() {
        let object = json!({"kind": "ConfigMap", "data": {"a": "1"}, "status": {},
            "metadata": {"name": "a", "uid": "u", "resourceVersion": "1", "managedFields": [],
                         "annotations": {LAST_APPLIED: "{}"}}});
        let wish = json!({"kind": "ConfigMap", "data": {"a": "1"}, "metadata": {"name": "a"}});
        assert_eq!(asked(&object), wish);
        assert_eq!(asked(&json!("x")), json!("x"));
    }
}
