//! The engine's socket: who connects, what they send, what they get.

use crate::core::actor::Operator;
use crate::engine::access::Group;
use crate::engine::lead::Input;
use crate::engine::protocol::{
    ASK_LIMIT_BYTES, MODEL_LIMIT_BYTES, PROTOCOL_VERSION, ToClient, ToEngine, framing,
};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

/// Frames that may wait for a slow client before it is let go.
const CLIENT_QUEUE_FRAMES: usize = 1_024;
/// How long a client may take for its first message.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take to read what it was sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// Binds the socket, 0600 or for a group 0660; a folder that is made for it is 0700, one that is there stays as it is and must be the
/// user's own or root's. A socket that a dead engine left is removed: the
/// caller holds the journal's lock, so there is no living one.
///
/// # Errors
/// When the folder or the socket cannot be made.
pub fn bind(path: &Path, group: Option<Group>) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Whoever owns the folder could put a socket of their own in the place of this one.
        let owner = std::fs::metadata(folder)?.uid();
        if owner != 0 && owner != rustix::process::getuid().as_raw() {
            return Err(io::Error::other(format!("the folder belongs to {}", name_of(owner))));
        }
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    group.map_or(Ok(()), |group| group.give(path, 0o660))?;
    Ok(listener)
}

/// Serves clients until the engine ends. With `for_group` whoever could connect is welcome: the socket's mode lets in
/// the engine's user, root and the members of its group.
pub async fn serve(listener: UnixListener, for_group: bool, inbox: UnboundedSender<Input>) {
    let mut client = 0;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                client += 1;
                tokio::spawn(attend(client, stream, for_group, inbox.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a client could not be accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn attend(client: u64, stream: UnixStream, for_group: bool, inbox: UnboundedSender<Input>) {
    let operator = operator_of(&stream, for_group);
    let (read, write) = stream.into_split();
    let mut reader = FramedRead::new(read, framing(ASK_LIMIT_BYTES));
    let mut writer = FramedWrite::new(write, framing(MODEL_LIMIT_BYTES));
    let admitted = match operator {
        Ok(operator) => greet(&mut reader).await.map(|()| operator),
        Err(why) => {
            Err((why, "Attach as the user that runs the engine, or have it started with --group.".to_owned()))
        }
    };
    let operator = match admitted {
        Ok(operator) => operator,
        Err((why, next)) => {
            if let Ok(bytes) = serde_json::to_vec(&ToClient::Goodbye { why, next }) {
                let _ = writer.send(Bytes::from(bytes)).await;
            }
            return;
        }
    };
    let (frames, queue) = mpsc::channel(CLIENT_QUEUE_FRAMES);
    let writing = tokio::spawn(write_all(queue, writer));
    let _ = inbox.send(Input::Attach { client, operator, frames });
    while let Some(Ok(frame)) = reader.next().await {
        let input = match serde_json::from_slice(&frame) {
            Ok(ToEngine::Ask { id, ask }) => Input::Ask { client, id, ask },
            Ok(ToEngine::Stop { force }) => Input::Stop { client: Some(client), force },
            Ok(ToEngine::Hello { .. }) | Err(_) => break,
        };
        if inbox.send(input).is_err() {
            break;
        }
    }
    let _ = inbox.send(Input::Detach { client });
    let _ = writing.await;
}

/// The first message must come soon and be of the same protocol.
async fn greet(reader: &mut FramedRead<OwnedReadHalf, LengthDelimitedCodec>) -> Result<(), (String, String)> {
    let frame = tokio::time::timeout(HELLO_TIMEOUT, reader.next()).await.ok().flatten().and_then(Result::ok);
    match frame.map(|frame| serde_json::from_slice(&frame)) {
        Some(Ok(ToEngine::Hello { version: PROTOCOL_VERSION })) => Ok(()),
        Some(Ok(ToEngine::Hello { version })) => Err((
            format!(
                "this client speaks version {version} of the protocol, the engine version {PROTOCOL_VERSION}"
            ),
            "Use the same version of lifeboat on both sides; the engine keeps running.".into(),
        )),
        _ => Err(("the first message was not understood".into(), "Use `lifeboat open`.".into())),
    }
}

async fn write_all(
    mut queue: mpsc::Receiver<Bytes>,
    mut writer: FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>,
) {
    while let Some(frame) = queue.recv().await {
        match tokio::time::timeout(WRITE_TIMEOUT, writer.send(frame)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// Who is at the other end, by the system's word.
fn operator_of(stream: &UnixStream, for_group: bool) -> Result<Operator, String> {
    let credential =
        stream.peer_cred().map_err(|error| format!("the system does not say who connects: {error}"))?;
    let uid = credential.uid();
    let own = rustix::process::getuid().as_raw();
    if uid != own && uid != 0 && !for_group {
        return Err(format!("user {uid} may not attach to the engine of user {own}"));
    }
    Ok(Operator { name: name_of(uid), uid })
}

/// The login name of a user, or the number where the system has no name for it.
pub fn name_of(uid: u32) -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid));
    user.ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
