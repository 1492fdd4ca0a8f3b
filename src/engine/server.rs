//! The engine's socket: who connects, what they send, what they get.

use crate::base::folder::{Folder, name_of};
use crate::core::words::actor::Operator;
use crate::engine::access::Group;
use crate::engine::dispatcher::Input;
use crate::engine::protocol::{
    ASK_LIMIT_BYTES, MODEL_LIMIT_BYTES, PROTOCOL_VERSION, ToClient, ToEngine, framing,
};
use crate::engine::seats::{Goodbye, Seat, Seats};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use rustix::fs::{AtFlags, Mode, chmodat, chownat};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

/// Frames that may wait for a slow client before it is let go.
const CLIENT_QUEUE_FRAMES: usize = 1_024;
/// How long a client may take for its first message.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take to read what it was sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client that leaves, or is let go, has for what is still on its way to it.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How many are told at the same time why they are turned away.
const REFUSALS: usize = 16;

/// Binds the socket, 0600 or for a group 0660, in a folder that is this user's own. Whatever lies in its place is
/// removed: the caller holds the journal's lock, so no living engine has it.
///
/// # Errors
/// When the folder is somebody else's, or the socket cannot be made.
pub fn bind(folder: &Folder, name: &str, group: Option<Group>) -> io::Result<UnixListener> {
    // Whoever owns the folder could put a socket of their own in the place of this one.
    folder.expect_own()?;
    folder.remove(name)?;
    let listener = UnixListener::bind(folder.path_through(name))?;
    chmodat(folder, name, Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
    if let Some(group) = group {
        chownat(folder, name, None, Some(group.id()), AtFlags::SYMLINK_NOFOLLOW)?;
        chmodat(folder, name, Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP, AtFlags::empty())?;
    }
    Ok(listener)
}

/// Serves clients until the engine ends. With `for_group` whoever could connect is welcome: the socket's mode lets in
/// the engine's user, root and the members of its group.
/// `client` is the number of the last one that came; it and `seats` go on when a socket is made anew.
pub async fn serve(
    listener: &UnixListener,
    for_group: bool,
    inbox: &UnboundedSender<Input>,
    seats: &Seats,
    client: &mut u64,
) {
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let mut said = false;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => {
                said = false;
                stream
            }
            Err(error) => {
                // Without a free file it fails until there is one.
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!(%error, "a client could not be accepted");
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        *client += 1;
        let (client, refusals, inbox) = (*client, refusals.clone(), inbox.clone());
        match operator_of(&stream, for_group) {
            Ok(operator) => {
                let place = seats.take(operator.uid);
                tokio::spawn(async move { attend(client, operator, stream, inbox, place, &refusals).await });
            }
            Err(refused) => {
                let (reader, writer) = frames_of(stream);
                tokio::spawn(async move { take_leave(reader, writer, refused, &refusals).await });
            }
        }
    }
}

fn frames_of(
    stream: UnixStream,
) -> (FramedRead<OwnedReadHalf, LengthDelimitedCodec>, FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>) {
    let (read, write) = stream.into_split();
    (FramedRead::new(read, framing(ASK_LIMIT_BYTES)), FramedWrite::new(write, framing(MODEL_LIMIT_BYTES)))
}

/// Takes leave of a connection that is not served, and lets it read that: it may still be writing its first message.
/// Beyond so many nobody is told why: whoever knocks that often must not fill the memory.
async fn take_leave(
    mut reader: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    mut writer: FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>,
    (why, next): Goodbye,
    refusals: &Semaphore,
) {
    let Ok(_permit) = refusals.try_acquire() else { return };
    let Ok(bytes) = serde_json::to_vec(&ToClient::Goodbye { why, next }) else { return };
    let _ = tokio::time::timeout(LAST_WORDS, async {
        let _ = writer.send(Bytes::from(bytes)).await;
        while let Some(Ok(_)) = reader.next().await {}
    })
    .await;
}

/// Serves one client, until it leaves, is let go, or gives its place up.
async fn attend(
    client: u64,
    operator: Operator,
    stream: UnixStream,
    inbox: UnboundedSender<Input>,
    (seat, mut given_up): (Seat, oneshot::Receiver<Goodbye>),
    refusals: &Semaphore,
) {
    let (mut reader, writer) = frames_of(stream);
    let greeted = tokio::select! {
        greeted = greet(&mut reader) => greeted,
        Ok(goodbye) = &mut given_up => Err(goodbye),
    };
    if let Err(refused) = greeted {
        take_leave(reader, writer, refused, refusals).await;
        return;
    }
    seat.reads();
    let (frames, queue) = mpsc::channel(CLIENT_QUEUE_FRAMES);
    let last_word = frames.downgrade();
    let mut writing = tokio::spawn(write_all(queue, writer));
    tokio::select! {
        () = talk(client, reader, &inbox, Input::Attach { client, operator, frames }, &seat) => {}
        // It does not read, or was let go.
        _ = &mut writing => {}
        Ok((why, next)) = &mut given_up => {
            let goodbye = serde_json::to_vec(&ToClient::Goodbye { why, next });
            if let (Some(frames), Ok(goodbye)) = (last_word.upgrade(), goodbye) {
                let _ = frames.try_send(goodbye.into());
            }
        }
    }
    // With the last sender dropped what is left is written, for a moment.
    let _ = inbox.send(Input::Detach { client });
    if !writing.is_finished() && tokio::time::timeout(LAST_WORDS * 2, &mut writing).await.is_err() {
        // The loop hangs and holds a sender still.
        writing.abort();
    }
}

/// Takes what a client sends. Its next frame is read once the one before was taken, so that what waits is one frame for
/// each client, whatever it sends, and everybody has their turn.
async fn talk(
    client: u64,
    mut reader: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    inbox: &UnboundedSender<Input>,
    attach: Input,
    seat: &Seat,
) {
    let mut input = attach;
    while take_turn(client, input, inbox).await {
        let frame = reader.next().await;
        input = match frame.map(|frame| frame.map(|frame| serde_json::from_slice(&frame))) {
            Some(Ok(Ok(ToEngine::Ask { id, ask }))) => Input::Ask { client, id, ask },
            Some(Ok(Ok(ToEngine::Diagnose { probe }))) => Input::Diagnose { client, probe },
            Some(Ok(Ok(ToEngine::Stop { force }))) => Input::Stop { client: Some(client), force },
            _ => return,
        };
        seat.asks();
    }
}

/// Hands an input over and waits until it was taken; not for a client that was let go meanwhile.
async fn take_turn(client: u64, input: Input, inbox: &UnboundedSender<Input>) -> bool {
    let (taken, turn) = oneshot::channel();
    let sent = inbox.send(input).is_ok() && inbox.send(Input::Turn { client, taken }).is_ok();
    sent && turn.await.is_ok()
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

/// Writes what is sent to a client. What is left for one that was let go, or when the engine ends, gets a moment.
async fn write_all(
    mut queue: mpsc::Receiver<Bytes>,
    mut writer: FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>,
) {
    let mut end = None;
    while let Some(frame) = queue.recv().await {
        if queue.is_closed() {
            end.get_or_insert_with(|| Instant::now() + LAST_WORDS);
        }
        let until = end.unwrap_or_else(|| Instant::now() + WRITE_TIMEOUT);
        match tokio::time::timeout_at(until, writer.send(frame)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// Who is at the other end, by the system's word.
fn operator_of(stream: &UnixStream, for_group: bool) -> Result<Operator, (String, String)> {
    let refuse = |why: String| {
        let next = "Attach as the user that runs the engine, or have it started with --group.";
        Err((why, next.to_owned()))
    };
    let uid = match stream.peer_cred() {
        Ok(credential) => credential.uid(),
        Err(error) => return refuse(format!("the system does not say who connects: {error}")),
    };
    let own = rustix::process::getuid().as_raw();
    if uid != own && uid != 0 && !for_group {
        return refuse(format!("user {uid} may not attach to the engine of user {own}"));
    }
    Ok(Operator { name: name_of(uid), uid })
}
