//! A pod, as far as it tells a person why it is not well.
//! <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/>

use crate::providers::kube::said::{number, text, time};
use crate::providers::kube::workload::pods::{self, Trouble};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A pod that is ready counts as well once no container of it has ended badly for so long.
const LATELY: SignedDuration = SignedDuration::from_hours(1);

/// A pod.
pub(super) struct Pod {
    /// What a measurement sees of it.
    pub seen: pods::Pod,
    /// The host that it is on; empty where it is on none.
    pub node: String,
    pub containers: Vec<Container>,
    /// `Running`, `Failed`, …
    pub phase: String,
    /// Why it is in that phase (`Evicted`), and in the cluster's words.
    pub reason: String,
    pub message: String,
    pub is_being_deleted: bool,
}

/// A container of it.
pub(super) struct Container {
    pub name: String,
    pub is_running: bool,
    /// How the one before ended, or this one, where it has.
    pub ended: Option<Ended>,
    /// Whether one was there before this one.
    pub has_previous: bool,
}

/// How a container ended.
pub(super) struct Ended {
    pub code: i64,
    /// `OOMKilled`, `Error`, …
    pub reason: String,
    pub at: Option<Timestamp>,
}

impl Pod {
    /// Of an object.
    pub fn of(object: &Value) -> Self {
        let (meta, status) = (&object["metadata"], &object["status"]);
        let lists = ["initContainerStatuses", "containerStatuses"];
        let containers = lists.into_iter().filter_map(|list| status[list].as_array()).flatten();
        Self {
            seen: pods::Pod::of(object),
            node: text(&object["spec"]["nodeName"]),
            containers: containers.map(Container::of).collect(),
            phase: text(&status["phase"]),
            reason: text(&status["reason"]),
            message: text(&status["message"]),
            is_being_deleted: meta["deletionTimestamp"].is_string(),
        }
    }

    /// How bad it is, the worst most; 0 for one that is well.
    pub fn concern(&self, now: Timestamp) -> u8 {
        match &self.seen.trouble {
            _ if self.phase == "Failed" => 4,
            _ if self.seen.is_ready => u8::from(self.ended_badly_lately(now)),
            Some(Trouble::CrashLoop) => 7,
            Some(Trouble::CannotBegin(_)) => 6,
            Some(Trouble::Image) => 5,
            Some(Trouble::Unschedulable(_)) => 4,
            None if self.is_being_deleted => 1,
            None => 3,
        }
    }

    /// The container that ended last, as far as anybody told when.
    pub fn ended_last(&self) -> Option<(&Container, &Ended)> {
        let ended = self.containers.iter().filter_map(|one| Some((one, one.ended.as_ref()?)));
        ended.max_by_key(|(_, ended)| ended.at)
    }

    fn ended_badly_lately(&self, now: Timestamp) -> bool {
        self.containers
            .iter()
            .filter_map(|one| one.ended.as_ref())
            .any(|ended| ended.code != 0 && ended.at.is_none_or(|at| now.duration_since(at) <= LATELY))
    }
}

impl Container {
    fn of(status: &Value) -> Self {
        let (state, last) = (&status["state"], &status["lastState"]["terminated"]);
        let now = &state["terminated"];
        Self {
            name: text(&status["name"]),
            is_running: state["running"].is_object(),
            ended: Ended::of(now).or_else(|| Ended::of(last)),
            has_previous: last.is_object() || number(&status["restartCount"]) > 0,
        }
    }
}

impl Ended {
    fn of(terminated: &Value) -> Option<Self> {
        let code = terminated["exitCode"].as_i64()?;
        Some(Self { code, reason: text(&terminated["reason"]), at: time(&terminated["finishedAt"]) })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub const NOW: &str = "2026-11-30T12:00:00Z";

    /// A pod with one container in that state.
    pub fn pod(name: &str, is_ready: bool, container: Value) -> Pod {
        let mut container = container;
        container["name"] = json!("main");
        let ready = if is_ready { "True" } else { "False" };
        Pod::of(&json!({
            "metadata": {"name": name, "labels": {"app": "web"}}, "spec": {"nodeName": "n1"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}],
                       "containerStatuses": [container]}}))
    }

    /// A container that ended again and again, the last time then.
    pub fn crashed(at: &str) -> Value {
        json!({"restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
               "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": at}}})
    }

    #[test]
    fn one_that_is_ready_and_crashed_lately_is_not_called_well() {
        let now = NOW.parse().unwrap();
        let running = |at: &str| {
            let mut container = crashed(at);
            container["state"] = json!({"running": {}});
            pod("web-1", true, container).concern(now)
        };
        assert_eq!(running("2026-11-30T11:30:00Z"), 1);
        assert_eq!(running("2026-11-30T10:30:00Z"), 0, "that is long ago");
        assert_eq!(running(""), 1, "nobody tells when");
        assert_eq!(pod("web-1", true, json!({"state": {"running": {}}})).concern(now), 0);
    }

    #[test]
    fn the_worst_comes_first() {
        let now = NOW.parse().unwrap();
        let waiting = |reason: &str| json!({"state": {"waiting": {"reason": reason}}});
        let concern = |container: Value| pod("web-1", false, container).concern(now);
        let order = [
            concern(crashed(NOW)),
            concern(waiting("CreateContainerConfigError")),
            concern(waiting("ImagePullBackOff")),
            concern(waiting("ContainerCreating")),
        ];
        assert!(order.is_sorted_by(|a, b| a > b), "{order:?}");
        let gone = Pod::of(&json!({"status": {"phase": "Failed", "reason": "Evicted"}}));
        assert!(gone.concern(now) > concern(waiting("ContainerCreating")));
    }

    #[test]
    fn how_a_container_ended_is_found_in_both_places() {
        let ended = |container: Value| {
            let pod = pod("web-1", false, container);
            pod.ended_last().map(|(_, ended)| (ended.code, ended.reason.clone()))
        };
        assert_eq!(ended(crashed(NOW)), Some((137, "OOMKilled".into())));
        let now = json!({"state": {"terminated": {"exitCode": 1, "reason": "Error"}}});
        assert_eq!(ended(now), Some((1, "Error".into())));
        assert_eq!(ended(json!({"state": {"terminated": {}}})), None, "without a code nobody knows");
    }
}
