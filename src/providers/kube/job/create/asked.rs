//! What is asked of the cluster: the job itself, and what its cron job did so far.

use super::CreateJob;
use super::template::beside;
use crate::base::words;
use crate::providers::kube::client::{Call, JOBS, KubeError, Method, Scope, Sent};
use crate::providers::kube::job::{CronJob, Job, State};
use crate::providers::kube::object::For;
use crate::providers::kube::said::text;
use jiff::Timestamp;
use serde_json::Value;

/// A word of the cluster.
const SAID_CHARS: usize = 160;

impl CreateJob {
    /// Asks the API server for the job, once.
    pub(super) async fn create(&self, namespace: &str, body: &Value, how: For) -> Result<Value, KubeError> {
        let cluster = &self.place.cluster;
        let call = Call::new("create jobs.batch", format!("of cronjob/{} in {namespace}", self.cron));
        let query = if how == For::Trial { vec![("dryRun", "All".to_owned())] } else { Vec::new() };
        let path = JOBS.path(Some(namespace), None);
        cluster
            .send(&call, Sent { method: Method::Post, path, query, body: Some(body) }, cluster.deadline())
            .await
    }

    /// All jobs of a namespace.
    pub(super) async fn jobs(&self, namespace: &str) -> Result<Vec<Value>, KubeError> {
        let call = Call::new("list jobs.batch", format!("in {namespace}"));
        let scope = Scope::all(JOBS, Some(namespace));
        Ok(self.place.cluster.list(&call, scope, self.place.cluster.deadline()).await?.0)
    }

    /// What the cron job did so far, and does now.
    pub(super) async fn notes(&self, namespace: &str, cron: &Value) -> Vec<String> {
        let cluster = &self.place.cluster;
        let seen = CronJob::of(cron);
        let held = if seen.is_suspended {
            "; it is suspended, and begins no job by the clock: this one runs all the same"
        } else {
            ""
        };
        let schedule = format!("Its schedule is {}{held}.", cluster.shown(&seen.schedule, SAID_CHARS));
        let jobs = match self.jobs(namespace).await {
            Ok(jobs) => jobs,
            Err(error) => {
                return vec![schedule, format!("Whether a job of it runs now is not known: {error}")];
            }
        };
        let own: Vec<(&Value, Job)> =
            jobs.iter().map(|one| (one, Job::of(one))).filter(|(_, job)| job.is_of(&seen.uid)).collect();
        let success = seen.succeeded.max(own.iter().filter_map(|(_, job)| job.completed()).max());
        let success = match success {
            Some(at) => {
                let age = Timestamp::now().duration_since(at).as_secs_f64();
                format!("Its last success was {} ago.", words::seconds(age))
            }
            None => "No success of it is known.".to_owned(),
        };
        let running = own.iter().filter(|(_, job)| job.state == State::Unfinished);
        let running = running.map(|(one, _)| text(&one["metadata"]["name"])).collect();
        [schedule, success].into_iter().chain(beside(cluster, cron, running)).collect()
    }
}
