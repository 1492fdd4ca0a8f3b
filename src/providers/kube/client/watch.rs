//! A watch: what changes, as the API server tells it, from a version of a list on.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use super::request::{Method, Sent};
use super::resource::Scope;
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The API server ends a watch after this time; it is begun anew then. A connection that died without a word is noticed so.
const LASTS: Duration = Duration::from_secs(30);
/// How much longer than that nothing may be heard.
const GRACE: Duration = Duration::from_secs(8);
/// The longest line. An object has at most 1.5 MB in etcd; JSON and managed fields make it longer.
const MAX_LINE_BYTES: usize = 8 << 20;

/// What changed.
pub enum Change {
    /// An object is there, or is another.
    Is(Value),
    /// An object is gone.
    Gone(Value),
    /// Nothing; the version that the watch has reached.
    Reached(String),
}

/// A watch that goes on.
pub struct Events {
    cluster: Cluster,
    call: Call,
    body: Body,
    buffer: BytesMut,
}

impl Cluster {
    /// Begins a watch of a kind, from a version on.
    ///
    /// # Errors
    /// [`KubeErrorKind::Gone`] where the version is too old.
    pub async fn watch(
        &self,
        call: &Call,
        scope: Scope<'_>,
        version: &str,
        within: Duration,
    ) -> Result<Events, KubeError> {
        let mut query = vec![
            ("watch", "true".to_owned()),
            ("allowWatchBookmarks", "true".to_owned()),
            ("resourceVersion", version.to_owned()),
            ("timeoutSeconds", LASTS.as_secs().to_string()),
        ];
        query.extend(scope.selector.map(|selector| ("labelSelector", selector.to_owned())));
        let sent = Sent { method: Method::Get, path: scope.path(), query, body: None };
        let until = Instant::now() + within;
        let answer = self.begin(call, self.request(call, &sent)?, until).await?;
        Ok(Events {
            cluster: self.clone(),
            call: call.clone(),
            body: answer.into_body(),
            buffer: BytesMut::new(),
        })
    }
}

impl Events {
    /// The next change; none once the API server ended the watch, as it does after a while.
    ///
    /// # Errors
    /// When it broke, or the server says that it cannot go on.
    pub async fn next(&mut self) -> Result<Option<Change>, KubeError> {
        loop {
            while let Some(line) = self.line() {
                if let Some(change) = self.change(&line)? {
                    return Ok(Some(change));
                }
            }
            let error = |kind, why: String| Err(KubeError::new(&self.cluster.context, &self.call, kind, why));
            if self.buffer.len() > MAX_LINE_BYTES {
                let why = format!("one object has more than {} MB", MAX_LINE_BYTES >> 20);
                return error(KubeErrorKind::NotKubernetes, why);
            }
            match timeout(LASTS + GRACE, self.body.frame()).await {
                Err(_) => return error(KubeErrorKind::Broken, "nothing was heard of the watch".into()),
                Ok(None) => return Ok(None),
                Ok(Some(Err(cause))) => return Err(self.cluster.unanswered(&self.call, &cause)),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    fn line(&mut self) -> Option<Bytes> {
        let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
        let line = self.buffer.split_to(end).freeze();
        self.buffer.advance(1);
        Some(line)
    }

    fn change(&self, line: &[u8]) -> Result<Option<Change>, KubeError> {
        if line.is_empty() {
            return Ok(None);
        }
        let Ok(mut event) = serde_json::from_slice::<Value>(line) else {
            let why = "what the watch got is no JSON";
            return Err(KubeError::new(&self.cluster.context, &self.call, KubeErrorKind::NotKubernetes, why));
        };
        let object = event["object"].take();
        let version = || object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        Ok(match event["type"].as_str().unwrap_or_default() {
            "ADDED" | "MODIFIED" => Some(Change::Is(object)),
            "DELETED" => Some(Change::Gone(object)),
            "BOOKMARK" => Some(Change::Reached(version())),
            "ERROR" => return Err(self.cluster.refused_in_stream(&self.call, &object)),
            _ => None,
        })
    }
}
