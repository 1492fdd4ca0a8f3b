//! Images that pods of a workload could not have lately, as far as events tell: they are kept for an hour.

use super::More;
use crate::core::words::preflight::Check;
use crate::providers::kube::client::{Call, Cluster, EVENTS, Scope};
use crate::providers::kube::said::text;
use serde_json::Value;

const WHAT: &str = "its image can be had";

/// One for each workload whose image could not be had.
pub(super) async fn checks(cluster: &Cluster, namespace: &str, more: &[More<'_>]) -> Vec<Check> {
    let call = Call::new("list events", format!("in {namespace}"));
    let scope = Scope::all(EVENTS, Some(namespace));
    match cluster.list_where(&call, scope, Some("type=Warning"), cluster.deadline()).await {
        Ok((events, _)) => more.iter().filter_map(|one| refused(cluster, one.name, &events)).collect(),
        Err(error) => vec![Check::not_checkable(WHAT, error.to_string())],
    }
}

fn refused(cluster: &Cluster, name: &str, events: &[Value]) -> Option<Check> {
    let is_of = |event: &&Value| {
        let about = &event["involvedObject"];
        let pod = about["name"].as_str().unwrap_or_default();
        about["kind"] == "Pod" && pod.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
    };
    let tells = |event: &&Value| event["message"].as_str().is_some_and(|said| said.contains("pull image"));
    let found =
        events.iter().filter(is_of).filter(tells).max_by_key(|event| text(&event["lastTimestamp"]))?;
    let said = cluster.shown(&text(&found["message"]), 160);
    let next = "See that the registry answers from that cluster and that its pull secret counts.";
    Some(Check::warn(WHAT, format!("a pod of {name} lately: {said}"), next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    #[test]
    fn the_newest_word_of_an_image_is_told_and_that_of_no_other_workload() {
        let event = |pod: &str, at: &str, message: &str| json!({"involvedObject": {"kind": "Pod", "name": pod}, "lastTimestamp": at, "message": message});
        let old = event("web-5d8f-abc", "2026-11-30T10:00:00Z", "Failed to pull image \"web:1\": not found");
        let new = event("web-5d8f-abd", "2026-11-30T11:00:00Z", "Failed to pull image \"web:2\": denied");
        let other = event("webhook-1", "2026-11-30T12:00:00Z", "Failed to pull image \"hook:1\"");
        let events = [old, new, other, event("web-1", "2026-11-30T13:00:00Z", "Back-off restarting")];
        let check = refused(&cluster(), "web", &events).unwrap();
        assert_eq!(check.result.seen(), "a pod of web lately: Failed to pull image \"web:2\": denied");
        assert!(refused(&cluster(), "api", &events).is_none());
    }
}
