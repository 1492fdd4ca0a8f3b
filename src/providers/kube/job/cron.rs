//! A cron job: what begins jobs by the clock.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/>

use crate::providers::kube::said::{text, time};
use jiff::Timestamp;
use serde_json::Value;

/// A cron job.
#[derive(Clone, Debug)]
pub struct CronJob {
    /// By which its jobs name it as their owner.
    pub uid: String,
    /// When it begins jobs, with its time zone where it has one.
    pub schedule: String,
    pub is_suspended: bool,
    /// Whether somebody deleted it: it begins no more jobs, and is only still there.
    pub is_going: bool,
    /// When a job of it last succeeded, where the cluster keeps it (Kubernetes 1.21 and later).
    pub succeeded: Option<Timestamp>,
}

impl CronJob {
    /// Of an object, of either version of the API.
    pub fn of(object: &Value) -> Self {
        let (meta, spec) = (&object["metadata"], &object["spec"]);
        let schedule = text(&spec["schedule"]);
        Self {
            uid: text(&meta["uid"]),
            schedule: match spec["timeZone"].as_str() {
                Some(zone) => format!("{schedule} ({zone})"),
                None => schedule,
            },
            is_suspended: spec["suspend"].as_bool().unwrap_or(false),
            is_going: meta["deletionTimestamp"].is_string(),
            succeeded: time(&object["status"]["lastSuccessfulTime"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cron_job_says_when_it_runs_and_whether_it_is_held() {
        let nightly =
            CronJob::of(&json!({"spec": {"schedule": "0 2 * * *", "timeZone": "Etc/UTC", "suspend": true}}));
        assert_eq!((&*nightly.schedule, nightly.is_suspended), ("0 2 * * * (Etc/UTC)", true));
        let bare = CronJob::of(&json!({"spec": {"schedule": "@daily"}}));
        assert_eq!((&*bare.schedule, bare.is_suspended, bare.succeeded), ("@daily", false, None));
    }
}
