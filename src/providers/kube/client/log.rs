//! The log of a container: its last lines, within bounds of time and size.
//! <https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.33/#read-log-pod-v1-core>

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use super::request::{Method, Sent};
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use kube::client::Body;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What is read of a log at most: the last lines of a talkative program, as the API server cuts them from their beginning on.
const MAX_READ_BYTES: usize = 1 << 20;
/// What is kept of it at most: its end.
const MAX_LOG_BYTES: usize = 64 << 10;

impl Cluster {
    /// The last lines of what a container said; where `previous`, of the container that ended before this one began. They
    /// are as they came: they are shown through `Cluster::shown` only.
    ///
    /// # Errors
    /// [`KubeErrorKind::Refused`] where there is no previous container, or this one has not begun.
    pub async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        lines: u32,
        within: Duration,
    ) -> Result<String, KubeError> {
        let until = Instant::now() + within;
        let call = Call::new("get pods/log", format!("of {container} in {pod} of {namespace}"));
        let mut query = vec![
            ("container", container.to_owned()),
            ("tailLines", lines.to_string()),
            ("limitBytes", MAX_READ_BYTES.to_string()),
        ];
        if previous {
            query.push(("previous", "true".to_owned()));
        }
        let path = self.part_of_pod(&call, (namespace, pod, container), "log")?;
        let sent = Sent { method: Method::Get, path, query, body: None };
        let answer = self.begin(&call, self.request(&call, &sent)?, until).await?;
        let content = answer.headers().get(CONTENT_TYPE);
        if content.is_some_and(|content| !content.as_bytes().starts_with(b"text/plain")) {
            let why = "what answered is no API server: the answer is no log";
            return Err(KubeError::new(&self.context, &call, KubeErrorKind::NotKubernetes, why));
        }
        let read = timeout_at(until, self.some(&call, answer.into_body())).await;
        let read = read.unwrap_or_else(|_| Err(self.late(&call, within)))?;
        Ok(end(&read).to_owned())
    }

    /// The beginning of a body, as much as is read.
    async fn some(&self, call: &Call, mut body: Body) -> Result<String, KubeError> {
        let mut read = Vec::new();
        while read.len() < MAX_READ_BYTES
            && let Some(frame) = body.frame().await
        {
            let frame = frame.map_err(|error| self.unanswered(call, &error))?;
            if let Ok(data) = frame.into_data() {
                let room = MAX_READ_BYTES - read.len();
                read.extend_from_slice(&data[..data.len().min(room)]);
            }
        }
        Ok(String::from_utf8_lossy(&read).into_owned())
    }
}

/// The end of a log, from the beginning of a line on.
fn end(log: &str) -> &str {
    let kept = crate::base::text::tail(log, MAX_LOG_BYTES);
    match kept.split_once('\n') {
        Some((_, lines)) if kept.len() < log.len() && !lines.is_empty() => lines,
        _ => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_log_is_kept_in_whole_lines() {
        assert_eq!((end(""), end("a\nb\n")), ("", "a\nb\n"));
        let long: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
        let kept = end(&long);
        assert!(kept.len() <= MAX_LOG_BYTES && kept.len() > MAX_LOG_BYTES - 20, "{}", kept.len());
        assert!(kept.starts_with("line ") && kept.ends_with("line 19999\n"));
        // One line that is longer than all that is kept.
        let one = format!("{}é\n", "x".repeat(MAX_LOG_BYTES));
        assert!(end(&one).ends_with("xé\n") && end(&one).len() <= MAX_LOG_BYTES);
    }
}
