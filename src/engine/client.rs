//! The client's end of the socket.

use crate::base::folder::name_of;
use crate::base::ids::ProbeId;
use crate::base::problem::Problem;
use crate::base::text::{clean, clean_counted};
use crate::core::words::command::Ask;
use crate::engine::access::{folder_of, socket_in, trusted};
use crate::engine::protocol::{
    ASK_LIMIT_BYTES, MODEL_LIMIT_BYTES, PROTOCOL_VERSION, ToClient, ToEngine, framing,
};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

/// How long an engine may take for an answer that should be at once.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest words of an engine that are shown, in characters.
const WORDS_LIMIT_CHARS: usize = 2_000;

/// Why an engine cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No engine runs.
    #[error("no engine runs for this plan (socket {}): start it with `lifeboat open`", .0.display())]
    NotRunning(PathBuf),
    /// The socket is there and cannot be used.
    #[error("the engine's socket {} cannot be used: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The engine went away.
    #[error("the engine closed the connection; `lifeboat open` attaches again or starts it")]
    Closed,
    /// The engine is there and does not answer.
    #[error(
        "the engine{} is there and does not answer: it hangs, or its disk does; until it answers nobody is paged by \
         it. Look at that process and at engine.log in its state folder", of_process(*.0)
    )]
    Silent(Option<u32>),
    /// The engine sent something that this version does not know.
    #[error(
        "the engine's message cannot be understood ({0}): use the same version of lifeboat on both sides"
    )]
    Garbled(String),
}

/// `(process 4711)`, where the system says which.
pub fn of_process(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// A connection to an engine.
pub struct Client {
    pid: Option<u32>,
    reader: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    writer: Sender,
    of_another: Option<String>,
}

/// The sending half of a connection.
pub struct Sender {
    pid: Option<u32>,
    writer: FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>,
    next_id: u64,
}

/// The receiving half of a connection.
pub struct Receiver(FramedRead<OwnedReadHalf, LengthDelimitedCodec>);

impl Client {
    /// Connects and says hello; the engine's first message is its welcome or its goodbye.
    ///
    /// # Errors
    /// When no engine runs or its socket cannot be used.
    pub async fn connect(path: &Path) -> Result<Self, ClientError> {
        let unusable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ClientError::NotRunning(path.to_owned())
            }
            // Nobody accepts, and the queue of those who wait is full.
            io::ErrorKind::WouldBlock => ClientError::Silent(None),
            _ => ClientError::Socket { path: path.to_owned(), source },
        };
        let (folder, name) = folder_of(path).map_err(unusable)?;
        let socket = socket_in(&folder, name).map_err(unusable)?;
        let socket = socket.ok_or_else(|| ClientError::NotRunning(path.to_owned()))?;
        let stream = UnixStream::connect(folder.path_through(name)).await.map_err(unusable)?;
        let peer = stream.peer_cred().map_err(unusable)?;
        let (user, pid) = (peer.uid(), peer.pid().and_then(|pid| pid.try_into().ok()));
        let own = rustix::process::getuid().as_raw();
        trusted(user, own, &folder, socket).map_err(unusable)?;
        let of_another = (user != own).then(|| name_of(user));
        let (read, write) = stream.into_split();
        let writer = FramedWrite::new(write, framing(ASK_LIMIT_BYTES));
        let reader = FramedRead::new(read, framing(MODEL_LIMIT_BYTES));
        let mut client = Self { pid, reader, writer: Sender { pid, writer, next_id: 0 }, of_another };
        client.writer.send(&ToEngine::Hello { version: PROTOCOL_VERSION }).await?;
        Ok(client)
    }

    /// Who runs the engine, where that is another user than this one.
    pub fn of_another(&self) -> Option<&str> {
        self.of_another.as_deref()
    }

    /// The next message, which should come at once.
    ///
    /// # Errors
    /// When the engine is gone, silent or of another version.
    pub async fn answer(&mut self) -> Result<ToClient, ClientError> {
        tokio::time::timeout(ANSWER_TIMEOUT, receive(&mut self.reader))
            .await
            .map_err(|_| ClientError::Silent(self.pid))?
    }

    /// The engine's process, as the system says it.
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Asks the engine to end.
    ///
    /// # Errors
    /// When the engine is gone.
    pub async fn stop(&mut self, force: bool) -> Result<(), ClientError> {
        self.writer.send(&ToEngine::Stop { force }).await
    }

    /// Both halves, for two tasks.
    pub fn split(self) -> (Sender, Receiver) {
        (self.writer, Receiver(self.reader))
    }
}

impl Sender {
    /// Asks for something; the reply carries the returned number.
    ///
    /// # Errors
    /// When the engine is gone.
    pub async fn ask(&mut self, ask: Ask) -> Result<u64, ClientError> {
        self.next_id += 1;
        self.send(&ToEngine::Ask { id: self.next_id, ask }).await?;
        Ok(self.next_id)
    }

    /// Asks what is behind a signal.
    ///
    /// # Errors
    /// When the engine is gone.
    pub async fn diagnose(&mut self, probe: ProbeId) -> Result<(), ClientError> {
        self.send(&ToEngine::Diagnose { probe }).await
    }

    async fn send(&mut self, message: &ToEngine) -> Result<(), ClientError> {
        let bytes = serde_json::to_vec(message).map_err(|error| ClientError::Garbled(error.to_string()))?;
        let sent = tokio::time::timeout(ANSWER_TIMEOUT, self.writer.send(Bytes::from(bytes))).await;
        sent.map_err(|_| ClientError::Silent(self.pid))?.map_err(|_| ClientError::Closed)
    }
}

impl Receiver {
    /// The next message, whenever it comes.
    ///
    /// # Errors
    /// When the engine is gone or of another version.
    pub async fn next(&mut self) -> Result<ToClient, ClientError> {
        receive(&mut self.0).await
    }
}

async fn receive(
    reader: &mut FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
) -> Result<ToClient, ClientError> {
    let frame = reader.next().await.ok_or(ClientError::Closed)?.map_err(|_| ClientError::Closed)?;
    let message = serde_json::from_slice(&frame)
        .map_err(|error| ClientError::Garbled(clean(&error.to_string(), 400)))?;
    Ok(harmless(message))
}

/// An engine's words are text from outside: who is at the other end of a socket can be somebody else. What stands in
/// the model and in events is cleaned where it is drawn or printed.
fn harmless(message: ToClient) -> ToClient {
    let clean = |text: String| clean_counted(&text, WORDS_LIMIT_CHARS);
    match message {
        ToClient::Goodbye { why, next } => ToClient::Goodbye { why: clean(why), next: clean(next) },
        ToClient::Reply { id, result } => ToClient::Reply {
            id,
            result: result.map_err(|no| Problem { why: clean(no.why), next: clean(no.next) }),
        },
        other => other,
    }
}
