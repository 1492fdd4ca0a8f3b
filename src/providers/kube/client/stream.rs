//! A call whose answer goes on: it is read piece by piece, by whoever asked.

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use super::resource::{PODS, is_name};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use tokio::time::{Instant, timeout_at};

/// The longest refusal.
const MAX_REFUSAL_BYTES: usize = 1 << 20;

impl Cluster {
    /// Sends it, once, and gives the answer as soon as it begins.
    ///
    /// # Errors
    /// When there is none until then, or it is a refusal.
    pub(super) async fn begin(
        &self,
        call: &Call,
        request: http::Request<Body>,
        until: Instant,
    ) -> Result<http::Response<Body>, KubeError> {
        let within = until.saturating_duration_since(Instant::now());
        let late = |_| self.late(call, within);
        let session = self.session(call, until).await?;
        let answer = timeout_at(until, session.client.send(request)).await.map_err(late)?;
        let answer = answer.map_err(|error| self.unanswered(call, &error))?;
        let status = answer.status();
        if status.is_success() || status == http::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        if status == http::StatusCode::UNAUTHORIZED {
            self.renew(&session);
        }
        let said = Limited::new(answer.into_body(), MAX_REFUSAL_BYTES).collect();
        let said = timeout_at(until, said).await.map_err(late)?;
        let said = said.map(|body| body.to_bytes()).unwrap_or_default();
        Err(self.refused(call, status.as_u16(), &said))
    }

    /// The path of a part of a pod (`log`).
    ///
    /// # Errors
    /// Where what is to be a name is none: it would lead elsewhere.
    pub(super) fn part_of_pod(
        &self,
        call: &Call,
        (namespace, pod, container): (&str, &str, &str),
        part: &str,
    ) -> Result<String, KubeError> {
        if [namespace, pod, container].into_iter().all(is_name) {
            return Ok(format!("{}/{part}", PODS.path(Some(namespace), Some(pod))));
        }
        let why = "namespace, pod or container is no name as Kubernetes gives them";
        Err(KubeError::new(&self.context, call, KubeErrorKind::Refused, why))
    }

    /// That there was no answer within a time.
    pub(super) fn late(&self, call: &Call, within: std::time::Duration) -> KubeError {
        let why = format!("no answer within {} s", within.as_secs_f32().ceil());
        KubeError::new(&self.context, call, KubeErrorKind::Timeout, why)
    }
}
