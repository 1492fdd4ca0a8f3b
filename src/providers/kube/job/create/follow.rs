//! The way of the created job to its end, and what keeps it from getting there.

use super::template::completions;
use crate::core::words::action::{Done, Failure};
use crate::kinds::action::Context;
use crate::kinds::action::wait::{Progress, Unseen, wait};
use crate::providers::kube::client::{Call, Cluster, EVENTS, JOBS, KubeError, KubeErrorKind, PODS, Scope};
use crate::providers::kube::job::{Job, State};
use crate::providers::kube::said::text;
use crate::providers::kube::told::told;
use crate::providers::kube::workload::doing;
use jiff::SignedDuration;
use serde_json::Value;

/// Between two looks at the job.
const PAUSE: SignedDuration = SignedDuration::from_secs(3);
/// A word of the cluster.
const SAID_CHARS: usize = 200;

/// The job that an attempt made.
pub struct Made<'a> {
    pub cluster: &'a Cluster,
    pub namespace: &'a str,
    pub name: &'a str,
    /// What made it, for failures.
    pub what: &'a str,
}

impl Made<'_> {
    /// Follows the job of that unique id until it is complete.
    ///
    /// # Errors
    /// When it failed, is gone, or its time is over.
    pub async fn follow(&self, uid: &str, context: &Context) -> Result<Done, Failure> {
        let late = |seen: String| {
            let next =
                "It goes on by itself: look at its pods and events, and verify the step until it is through.";
            self.maybe(format!("job/{} is not at its end: {seen}", self.name), next)
        };
        wait(context, PAUSE, late, || self.progress(uid)).await
    }

    /// The job as it is now.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn read(&self) -> Result<Value, KubeError> {
        let call = Call::new("get jobs.batch", format!("{} in {}", self.name, self.namespace));
        let path = JOBS.path(Some(self.namespace), Some(self.name));
        self.cluster.get(&call, path, self.cluster.deadline()).await
    }

    async fn progress(&self, uid: &str) -> Result<Progress<Done>, Unseen> {
        let object = match self.read().await {
            Err(error) if error.kind == KubeErrorKind::NotFound => return Ok(Progress::Lost(self.gone())),
            read => read?,
        };
        if object["metadata"]["uid"] != uid {
            return Ok(Progress::Lost(self.gone()));
        }
        Ok(match Job::of(&object).state {
            State::Complete { .. } => {
                Progress::Reached(Done { summary: format!("job/{} is complete", self.name) })
            }
            State::Failed { why, .. } => Progress::Lost(self.failed(&why)),
            State::Suspended => Progress::Waiting("somebody suspended it: no pod of it runs".into()),
            State::Unfinished => Progress::Waiting(self.missing(&object).await),
        })
    }

    /// How far a job is that goes on, with what its pods do.
    pub async fn missing(&self, object: &Value) -> String {
        let job = Job::of(object);
        let ended = format!("{} of {} pods ended well", job.succeeded, completions(object));
        let failed = if job.failed > 0 { format!(", {} failed", job.failed) } else { String::new() };
        let pods = match self.pods().await {
            Ok(pods) if pods.is_empty() => self.why_no_pod(&text(&object["metadata"]["uid"])).await,
            Ok(pods) => pods,
            Err(error) => format!("its pods cannot be read: {error}"),
        };
        format!("{ended}{failed}; {pods}")
    }

    async fn pods(&self) -> Result<String, KubeError> {
        let selector = format!("job-name={}", self.name);
        let scope = Scope { resource: PODS, namespace: Some(self.namespace), selector: Some(&selector) };
        let call = Call::new("list pods", format!("of job/{} in {}", self.name, self.namespace));
        let (pods, _) = self.cluster.list(&call, scope, self.cluster.deadline()).await?;
        let words = |pod: &Value| format!("{} {}", text(&pod["metadata"]["name"]), doing(self.cluster, pod));
        Ok(told(self.cluster, pods.iter().map(words)))
    }

    /// What the cluster says of a job that has no pod: a quota is used up, an admission webhook refuses.
    async fn why_no_pod(&self, uid: &str) -> String {
        let call = Call::new("list events", format!("of job/{} in {}", self.name, self.namespace));
        let fields = format!("type=Warning,involvedObject.uid={uid}");
        let scope = Scope::all(EVENTS, Some(self.namespace));
        match self.cluster.list_where(&call, scope, Some(&fields), self.cluster.deadline()).await {
            Ok((events, _)) => match events.last() {
                Some(last) => {
                    format!(
                        "no pod of it could be made: {}",
                        self.cluster.shown(&text(&last["message"]), SAID_CHARS)
                    )
                }
                None => "no pod of it is there yet".to_owned(),
            },
            Err(error) => format!("no pod of it is there, and why cannot be read: {error}"),
        }
    }

    /// It came to its end, and not to the right one.
    pub fn failed(&self, why: &str) -> Failure {
        let why = match self.cluster.shown(why, SAID_CHARS) {
            none if none.is_empty() => format!("job/{} failed", self.name),
            why => format!("job/{} failed: {why}", self.name),
        };
        let next = format!(
            "What it did until then stays: read its logs (`kubectl -n {} logs job/{}`), then retry, which makes another job.",
            self.namespace, self.name
        );
        self.maybe(why, &next)
    }

    /// It was there, and is there no more.
    pub fn gone(&self) -> Failure {
        let why = format!(
            "job/{} is not there in {}: whether it came to its end is not known",
            self.name, self.namespace
        );
        let next = "The cluster deletes jobs after their end, or somebody did, or it was never made: look at what it was \
                    to do, then attest the step or retry it.";
        self.maybe(why, next)
    }

    fn maybe(&self, why: String, next: &str) -> Failure {
        Failure::maybe_done(self.what, why, next)
    }
}
