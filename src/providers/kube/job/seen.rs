//! A job: one run to an end.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/>

use crate::providers::kube::said::{holds, number, said, text, time};
use jiff::Timestamp;
use serde_json::Value;

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    pub state: State,
    /// When it was begun.
    pub started: Option<Timestamp>,
    pub created: Option<Timestamp>,
    /// Pods that run or wait for a node.
    pub active: u64,
    /// Pods that ended well.
    pub succeeded: u64,
    /// Pods that failed.
    pub failed: u64,
    /// The unique ids of what owns it.
    owners: Vec<String>,
}

/// How far a job is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It did all that it is for.
    Complete {
        /// When that was.
        at: Option<Timestamp>,
    },
    /// It is given up.
    Failed {
        /// When that was.
        at: Option<Timestamp>,
        /// Why, in the controller's words.
        why: String,
    },
    /// Somebody holds it.
    Suspended,
    /// It is not at its end: its pods run, or are yet to.
    Unfinished,
}

impl Job {
    /// Of an object.
    pub fn of(object: &Value) -> Self {
        let (meta, status) = (&object["metadata"], &object["status"]);
        let created = time(&meta["creationTimestamp"]);
        let ended = |condition: &Value| time(&condition["lastTransitionTime"]).or(created);
        let state = if let Some(complete) = holds(object, "Complete") {
            State::Complete { at: time(&status["completionTime"]).or_else(|| ended(complete)) }
        } else if let Some(failed) = holds(object, "Failed") {
            State::Failed { at: ended(failed), why: said(failed) }
        } else if object["spec"]["suspend"].as_bool().unwrap_or(false) {
            State::Suspended
        } else {
            State::Unfinished
        };
        let owners = meta["ownerReferences"].as_array().into_iter().flatten();
        Self {
            state,
            started: time(&status["startTime"]),
            created,
            active: number(&status["active"]),
            succeeded: number(&status["succeeded"]),
            failed: number(&status["failed"]),
            owners: owners.map(|owner| text(&owner["uid"])).collect(),
        }
    }

    /// Whether what has this unique id owns it.
    pub fn is_of(&self, uid: &str) -> bool {
        !uid.is_empty() && self.owners.iter().any(|owner| owner == uid)
    }

    /// When it completed, where it did.
    pub fn completed(&self) -> Option<Timestamp> {
        match self.state {
            State::Complete { at } => at,
            State::Failed { .. } | State::Suspended | State::Unfinished => None,
        }
    }

    /// When it failed and why, where it did.
    pub fn failure(&self) -> Option<(Timestamp, &str)> {
        match &self.state {
            State::Failed { at, why } => at.map(|at| (at, why.as_str())),
            State::Complete { .. } | State::Suspended | State::Unfinished => None,
        }
    }

    /// Since when it is there, as far as anybody told.
    pub fn since(&self) -> Option<Timestamp> {
        self.started.or(self.created)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(condition: &str, status: &str) -> Job {
        let one = json!({"type": condition, "status": status, "reason": "BackoffLimitExceeded",
                         "lastTransitionTime": "2026-11-30T02:10:00Z"});
        Job::of(&json!({
            "metadata": {"name": "backup-1", "creationTimestamp": "2026-11-30T02:00:00Z",
                         "ownerReferences": [{"uid": "u1"}]},
            "status": {"conditions": [one], "startTime": "2026-11-30T02:00:01Z", "failed": 7}}))
    }

    #[test]
    fn only_a_condition_that_holds_ends_a_job() {
        assert_eq!(with("Complete", "True").completed(), "2026-11-30T02:10:00Z".parse::<Timestamp>().ok());
        let failed = with("Failed", "True");
        assert_eq!(failed.failure().map(|(_, why)| why), Some("BackoffLimitExceeded"));
        assert_eq!((failed.failed, failed.completed()), (7, None));
        assert_eq!(with("Complete", "False").state, State::Unfinished);
        assert_eq!(with("FailureTarget", "True").state, State::Unfinished, "its pods are still to end");
    }

    #[test]
    fn a_job_knows_whose_it_is() {
        assert!(with("Complete", "True").is_of("u1") && !with("Complete", "True").is_of("u2"));
        assert!(!Job::of(&json!({"metadata": {"ownerReferences": [{}]}})).is_of(""));
    }

    #[test]
    fn a_job_that_was_suspended_after_its_end_has_ended() {
        let complete = json!({"type": "Complete", "status": "True"});
        let at = |conditions: Value| {
            Job::of(&json!({"spec": {"suspend": true}, "status": {"conditions": conditions}}))
        };
        assert_eq!(at(json!([])).state, State::Suspended);
        assert_eq!(at(json!([complete])).state, State::Complete { at: None });
    }
}
