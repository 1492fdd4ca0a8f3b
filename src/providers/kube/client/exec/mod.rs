//! A program in a container of a pod, without a terminal and without input: over a WebSocket whose messages begin with the
//! number of their channel.
//! <https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.33/#podexecoptions-v1-core>

mod hear;

pub use hear::Ended;

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use super::request::{Method, Sent};
use crate::base::output::Stream;
use hear::{SAID_CHARS, is_not_begun};
use http::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The protocols that tell how a program ended, the newest first.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// A container, by its namespace, its pod and its name.
#[derive(Clone, Copy)]
pub struct Container<'a> {
    pub namespace: &'a str,
    pub pod: &'a str,
    pub name: &'a str,
}

impl Cluster {
    /// Runs a program, once, and hands over its output as it comes. It begins within the deadline of a call. Nothing ends it
    /// when this is dropped, or its time is over.
    ///
    /// # Errors
    /// [`KubeError`] where nobody knows that it began.
    pub async fn run_in(
        &self,
        container: Container<'_>,
        argv: &[String],
        until: Instant,
        on_chunk: impl FnMut(Stream, &[u8]) + Send,
    ) -> Result<Ended, KubeError> {
        let Container { namespace, pod, name } = container;
        let call = Call::new("get pods/exec", format!("in {name} of {pod} in {namespace}"));
        let mut query = vec![
            ("container", name.to_owned()),
            ("stdout", "true".to_owned()),
            ("stderr", "true".to_owned()),
        ];
        query.extend(argv.iter().map(|argument| ("command", argument.clone())));
        let path = self.part_of_pod(&call, (namespace, pod, name), "exec")?;
        let sent = Sent { method: Method::Get, path, query, body: None };
        let answered = until.min(Instant::now() + self.deadline());
        let answer = match self.switch(&call, self.request(&call, &sent)?, answered).await {
            Err(error) if is_not_begun(&error.message) => return Ok(Ended::NotBegun(error.message.into())),
            answer => answer?,
        };
        let line = match timeout_at(answered, hyper::upgrade::on(answer)).await {
            Ok(Ok(line)) => TokioIo::new(line),
            Ok(Err(error)) => return Ok(Ended::Lost(self.shown(&error.to_string(), SAID_CHARS))),
            Err(_) => return Ok(Ended::Late),
        };
        Ok(self.hear(line, until, on_chunk).await)
    }

    /// Sends a request that is to become a WebSocket; the answer to it is one.
    async fn switch(
        &self,
        call: &Call,
        mut request: http::Request<Body>,
        until: Instant,
    ) -> Result<http::Response<Body>, KubeError> {
        let key = generate_key();
        offer(request.headers_mut(), &key);
        match self.begin(call, request, until).await {
            Ok(answer) if is_switched(&answer, &key) => Ok(answer),
            Ok(_) => {
                let why = "what answered does not switch to the protocol in which programs are run";
                Err(KubeError::new(&self.context, call, KubeErrorKind::NotKubernetes, why))
            }
            Err(error) if error.kind == KubeErrorKind::Denied => {
                let hint = format!(
                    "Have `get pods/exec` and `create pods/exec` granted: API servers from 1.35 on ask for both; \
                     `kubectl --context {} auth can-i --list` shows what is.",
                    self.context
                );
                Err(error.with_hint(hint))
            }
            Err(error) => Err(error),
        }
    }
}

/// Asks for a WebSocket.
fn offer(headers: &mut http::HeaderMap, key: &str) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let values = [(SEC_WEBSOCKET_KEY, key.to_owned()), (SEC_WEBSOCKET_PROTOCOL, PROTOCOLS.join(", "))];
    for (name, value) in values {
        headers.extend(HeaderValue::from_str(&value).map(|value| (name, value)));
    }
}

/// Whether an answer switches to a WebSocket, for this very request, that tells how a program ended.
fn is_switched<B>(answer: &http::Response<B>, key: &str) -> bool {
    let is = |name, wanted: &str| {
        answer.headers().get(name).is_some_and(|value: &HeaderValue| value.as_bytes() == wanted.as_bytes())
    };
    answer.status() == http::StatusCode::SWITCHING_PROTOCOLS
        && is(SEC_WEBSOCKET_ACCEPT, &derive_accept_key(key.as_bytes()))
        && PROTOCOLS.iter().any(|protocol| is(SEC_WEBSOCKET_PROTOCOL, protocol))
}

#[cfg(test)]
mod tests;
