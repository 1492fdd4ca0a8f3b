//! A pod, as far as it tells what is wrong.
//! <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/>

use crate::providers::kube::client::Cluster;
use crate::providers::kube::said::text;
use jiff::Timestamp;
use serde_json::Value;

/// Reasons of a container that waits because its image cannot be had.
const IMAGE: [&str; 6] = [
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
    "ImageInspectError",
];

/// A word of the cluster.
const SAID_CHARS: usize = 120;

/// A pod.
#[derive(Clone, Debug)]
pub struct Pod {
    pub name: String,
    pub labels: Value,
    pub is_ready: bool,
    /// All restarts of its containers.
    pub restarts: u64,
    /// What keeps it from running.
    pub trouble: Option<Trouble>,
    /// Since when it is not ready; none where it is, has ended, or is about to go.
    pub unready_since: Option<Timestamp>,
}

/// What keeps a pod from running.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// A container ends again and again.
    CrashLoop,
    /// An image cannot be had.
    Image,
    /// No node takes it, in the scheduler's words.
    Unschedulable(String),
    /// The cluster does not let it begin (a config map that is not there).
    CannotBegin(String),
}

impl Pod {
    /// Of an object.
    pub fn of(object: &Value) -> Self {
        let (meta, status) = (&object["metadata"], &object["status"]);
        let condition = |kind: &str| status["conditions"].as_array()?.iter().find(|one| one["type"] == kind);
        let ready = condition("Ready");
        let is_ready = ready.is_some_and(|one| one["status"] == "True");
        let is_over = matches!(status["phase"].as_str(), Some("Succeeded" | "Failed"));
        let since = ready.map_or(&meta["creationTimestamp"], |one| &one["lastTransitionTime"]);
        // Of a job it has to end, not to be ready.
        let owners = meta["ownerReferences"].as_array().into_iter().flatten();
        let is_of_job =
            owners.filter(|owner| owner["controller"] == true).any(|owner| owner["kind"] == "Job");
        let is_awaited = !is_ready && !is_over && !is_of_job && meta["deletionTimestamp"].is_null();
        Self {
            name: text(&meta["name"]),
            labels: meta["labels"].clone(),
            is_ready,
            restarts: containers(object).filter_map(|one| one["restartCount"].as_u64()).sum(),
            trouble: containers(object).find_map(waits).or_else(|| {
                let one = condition("PodScheduled").filter(|one| one["status"] == "False")?;
                Some(Trouble::Unschedulable(text(&one["message"])))
            }),
            unready_since: since.as_str().filter(|_| is_awaited).and_then(|since| since.parse().ok()),
        }
    }
}

impl Trouble {
    /// What it is, after the pod's name.
    pub fn words(&self, cluster: &Cluster) -> String {
        match self {
            Self::CrashLoop => "ends again and again".to_owned(),
            Self::Image => "cannot have its image".to_owned(),
            Self::Unschedulable(said) => format!("no node takes it: {}", cluster.shown(said, SAID_CHARS)),
            Self::CannotBegin(said) => format!("cannot begin: {}", cluster.shown(said, SAID_CHARS)),
        }
    }
}

/// What a pod does, or what keeps it from that, after its name.
pub fn doing(cluster: &Cluster, object: &Value) -> String {
    let pod = Pod::of(object);
    if let Some(trouble) = pod.trouble {
        return trouble.words(cluster);
    }
    let status = &object["status"];
    match status["phase"].as_str() {
        Some("Running") if pod.is_ready => "runs".to_owned(),
        Some("Running") => "runs and is not ready".to_owned(),
        Some("Succeeded") => "ended well".to_owned(),
        Some("Failed") => {
            match containers(object).find_map(ended).or_else(|| status["reason"].as_str().map(str::to_owned))
            {
                Some(why) => format!("failed: {}", cluster.shown(&why, SAID_CHARS)),
                None => "failed".to_owned(),
            }
        }
        _ => "waits to begin".to_owned(),
    }
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["initContainerStatuses", "containerStatuses"];
    lists.into_iter().filter_map(|list| pod["status"][list].as_array()).flatten()
}

/// How a container ended that did not end well.
fn ended(container: &Value) -> Option<String> {
    let ended = &container["state"]["terminated"];
    let code = ended["exitCode"].as_i64().filter(|code| *code != 0)?;
    Some(format!("exit code {code} ({})", text(&ended["reason"])))
}

fn waits(container: &Value) -> Option<Trouble> {
    let waiting = &container["state"]["waiting"];
    match waiting["reason"].as_str()? {
        "CrashLoopBackOff" => Some(Trouble::CrashLoop),
        reason if IMAGE.contains(&reason) => Some(Trouble::Image),
        reason @ ("CreateContainerConfigError" | "CreateContainerError" | "RunContainerError") => {
            let said = waiting["message"].as_str().unwrap_or(reason);
            Some(Trouble::CannotBegin(said.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn waiting(reason: &str) -> Value {
        json!({"metadata": {"name": "web-1"}, "status": {"containerStatuses": [
            {"restartCount": 7, "state": {"waiting": {"reason": reason, "message": "secret \"db\" not found"}}}]}})
    }

    #[test]
    fn a_pod_says_what_keeps_it_from_running() {
        assert_eq!(Pod::of(&waiting("CrashLoopBackOff")).trouble, Some(Trouble::CrashLoop));
        assert_eq!(Pod::of(&waiting("ImagePullBackOff")).trouble, Some(Trouble::Image));
        let missing = Trouble::CannotBegin("secret \"db\" not found".into());
        assert_eq!(Pod::of(&waiting("CreateContainerConfigError")).trouble, Some(missing));
        assert_eq!(Pod::of(&waiting("ContainerCreating")).trouble, None, "it begins");
        assert_eq!(Pod::of(&waiting("CrashLoopBackOff")).restarts, 7);
        let nowhere = json!({"status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]}});
        let said = Trouble::Unschedulable("0/3 nodes are available".into());
        assert_eq!(Pod::of(&nowhere).trouble, Some(said));
    }

    #[test]
    fn a_pod_without_a_status_is_not_ready() {
        assert!(!Pod::of(&json!({"metadata": {"name": "web-1"}})).is_ready);
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert!(Pod::of(&ready).is_ready);
    }
}
