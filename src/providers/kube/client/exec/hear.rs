//! What is heard of a program in a container, and how it ended.

use crate::base::output::Stream;
use crate::providers::kube::client::Cluster;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

/// The channels that are heard.
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
/// Between two signs of life: balancers drop a connection that is silent for minutes.
const PING: Duration = Duration::from_secs(10);
/// A connection on which nothing is heard for so long, no answer to a ping either, is dead: as `kubectl` has it.
const SILENT: Duration = Duration::from_secs(60);
/// How long output may still come once it is known how the program ended.
const DRAIN: Duration = Duration::from_millis(500);
/// The largest message.
const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// What is shown of a word of the cluster.
pub(super) const SAID_CHARS: usize = 400;
/// By what a cluster says that a program did not even begin: its host was not reached, or the container does not have it.
const NOT_BEGUN: [&str; 4] = [
    "error dialing backend: dial ",
    "executable file not found",
    "container not found (",
    // Its node has none.
    "no preferred addresses found",
];

/// How a program in a container ended, as far as is known. Words are cleaned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// It did not begin.
    NotBegun(String),
    /// The cluster says that it failed, and not how.
    Failed(String),
    /// The connection ended before it, or without a word of how it ended.
    Lost(String),
    /// It did not end in time.
    Late,
}

impl Cluster {
    /// Hears a program until it ended.
    pub(super) async fn hear<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: S,
        until: Instant,
        mut on_chunk: impl FnMut(Stream, &[u8]) + Send,
    ) -> Ended {
        let bounds = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let mut socket = WebSocketStream::from_raw_socket(line, Role::Client, Some(bounds)).await;
        let (mut heard, mut ended, mut until) = (Instant::now(), None, until);
        let mut ping = interval_at(heard + PING, PING);
        let lost = |why: &str| Ended::Lost(self.shown(why, SAID_CHARS));
        loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    let message = match message {
                        Some(Ok(message)) => message,
                        Some(Err(error)) => {
                            return ended.unwrap_or_else(|| lost(&format!("the connection broke: {error}")));
                        }
                        None => {
                            let why = "the connection was closed without a word of how the program ended";
                            return ended.unwrap_or_else(|| lost(why));
                        }
                    };
                    let Message::Binary(message) = message else { continue };
                    match message.split_first() {
                        Some((&STDOUT, chunk)) => on_chunk(Stream::Stdout, chunk),
                        Some((&STDERR, chunk)) => on_chunk(Stream::Stderr, chunk),
                        Some((&STATUS, said)) if !said.is_empty() && ended.is_none() => {
                            ended = Some(self.ending(said));
                            until = until.min(heard + DRAIN);
                        }
                        _ => {}
                    }
                }
                _ = ping.tick() => {
                    if heard.elapsed() >= SILENT {
                        let why = format!("nothing was heard of it for {} s", SILENT.as_secs());
                        return ended.unwrap_or_else(|| lost(&why));
                    }
                    // One that cannot be sent is noticed by the silence.
                    let _ = timeout(PING, socket.send(Message::Ping(Vec::new().into()))).await;
                }
                () = sleep_until(until) => return ended.unwrap_or(Ended::Late),
            }
        }
    }

    /// How it ended, by the last word of the cluster.
    pub(super) fn ending(&self, status: &[u8]) -> Ended {
        let Ok(status) = serde_json::from_slice::<Value>(status) else {
            return Ended::Failed("how it ended is told in words that no cluster would use".to_owned());
        };
        if status["status"] == "Success" {
            return Ended::Exited(0);
        }
        let causes = status["details"]["causes"].as_array().into_iter().flatten();
        let code = causes
            .filter(|_| status["reason"] == "NonZeroExitCode")
            .find(|cause| cause["reason"] == "ExitCode")
            .and_then(|cause| cause["message"].as_str()?.parse().ok())
            .filter(|code| *code != 0);
        let said = status["message"].as_str().unwrap_or("it failed, and the cluster does not say how");
        match code {
            Some(code) => Ended::Exited(code),
            None if is_not_begun(said) => Ended::NotBegun(self.shown(said, SAID_CHARS)),
            None => Ended::Failed(self.shown(said, SAID_CHARS)),
        }
    }
}

/// Whether a cluster says that a program did not even begin.
pub(super) fn is_not_begun(said: &str) -> bool {
    NOT_BEGUN.iter().any(|words| said.contains(words))
}
