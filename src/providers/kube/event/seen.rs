//! A warning among a cluster's events. The API has had two forms of them; an object may have the times of either.
//! <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>

use crate::providers::kube::said::{text, time};
use jiff::Timestamp;
use serde_json::Value;

/// An event of the type `Warning`: one thing that happened, once or again and again.
#[derive(Clone, Debug)]
pub struct Warning {
    /// Why, in one word (`BackOff`).
    pub reason: String,
    pub message: String,
    /// The kind of object that it happened to, in small letters (`pod`).
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// How often it happened.
    pub count: u64,
    /// When it happened last.
    pub last: Option<Timestamp>,
}

impl Warning {
    /// Of an object.
    pub fn of(object: &Value) -> Self {
        let (about, series) = (&object["involvedObject"], &object["series"]);
        let times = [
            &object["lastTimestamp"],
            &series["lastObservedTime"],
            &object["eventTime"],
            &object["firstTimestamp"],
        ];
        Self {
            reason: text(&object["reason"]),
            message: text(&object["message"]),
            kind: text(&about["kind"]).to_lowercase(),
            name: text(&about["name"]),
            count: series["count"].as_u64().max(object["count"].as_u64()).unwrap_or(1).max(1),
            // The newest of them: one that goes on keeps the time at which it began as well.
            last: times
                .into_iter()
                .filter_map(time)
                .max()
                .or_else(|| time(&object["metadata"]["creationTimestamp"])),
        }
    }

    /// As `kubectl` names what it happened to (`pod/web-1`).
    pub fn object(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_time_is_found_in_both_forms() {
        let last = |object: Value| Warning::of(&object).last.map(|at| at.to_string()).unwrap_or_default();
        let (early, late) = ("2026-11-30T11:00:00Z", "2026-11-30T12:00:00Z");
        assert_eq!(last(json!({"firstTimestamp": early, "lastTimestamp": late})), late);
        assert_eq!(last(json!({"eventTime": early, "lastTimestamp": null})), early);
        assert_eq!(last(json!({"eventTime": early, "series": {"lastObservedTime": late, "count": 4}})), late);
        assert_eq!(last(json!({"firstTimestamp": early})), early);
        assert_eq!(last(json!({"metadata": {"creationTimestamp": early}})), early);
        assert_eq!(last(json!({})), "");
    }

    #[test]
    fn what_has_no_count_happened_once() {
        let count = |object: Value| Warning::of(&object).count;
        assert_eq!([count(json!({})), count(json!({"count": 0})), count(json!({"count": 7}))], [1, 1, 7]);
        assert_eq!(count(json!({"series": {"count": 4}})), 4);
    }
}
