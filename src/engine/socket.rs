//! The engine's socket as it lasts: it is made again where somebody removed or replaced it, and never in the folder of
//! another engine.

use crate::base::folder::Folder;
use crate::engine::access::{self, Group};
use crate::engine::dispatcher::Input;
use crate::engine::paths::StateFolder;
use crate::engine::seats::Seats;
use crate::engine::server;
use crate::journal;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::UnboundedSender;

/// Between two looks at the socket.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// An engine's socket. It is removed with the last of it.
pub struct Socket {
    state: StateFolder,
    group: Option<Group>,
    listener: UnixListener,
    /// The state folder, held: one that was moved away is somebody's doing and waited for, one that was deleted never
    /// comes back by itself.
    folder: Folder,
    name: String,
    /// Device and inode.
    id: (u64, u64),
}

impl Socket {
    /// Makes the socket of a state folder that is there.
    ///
    /// # Errors
    /// When the folder cannot be used, or the socket cannot be made.
    pub fn open(state: StateFolder, group: Option<Group>) -> io::Result<Self> {
        let path = state.socket();
        let (folder, name) = access::folder_of(&path)?;
        let listener = server::bind(&folder, name, group)?;
        let id = id_of(&folder.path_through(name)).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { name: name.to_owned(), state, group, listener, folder, id })
    }

    /// Serves clients until the engine ends. Whoever is attached, or comes by way of the folder's new place, is served
    /// also while the socket is not where it should be.
    pub async fn keep(mut self, inbox: UnboundedSender<Input>) {
        let (seats, mut client) = (Seats::default(), 0);
        loop {
            let again = tokio::select! {
                () = server::serve(&self.listener, self.group.is_some(), &inbox, &seats, &mut client) => return,
                again = self.until_made_again() => again,
            };
            self = again;
            tracing::warn!(socket = %self.state.socket().display(), "the socket was gone, and was made again");
        }
    }

    async fn until_made_again(&self) -> Self {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let there = self.folder.is_at(self.state.path()) && id_of(&self.state.socket()) == Some(self.id);
            if !there && let Ok(again) = self.make_again() {
                return again;
            }
        }
    }

    /// Only where nobody else's is: another engine's journal says whose the folder is.
    fn make_again(&self) -> io::Result<Self> {
        let path = self.state.path();
        let writer = journal::holder(&self.state.journal());
        if writer.is_some_and(|pid| pid != std::process::id()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        if !self.folder.is_at(path) {
            if std::fs::symlink_metadata(path).is_ok() || !self.folder.is_deleted() {
                return Err(io::ErrorKind::NotFound.into());
            }
            access::make_folder(path, self.group)?;
        }
        Self::open(self.state.clone(), self.group)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if id_of(&self.folder.path_through(&self.name)) == Some(self.id) {
            let _ = self.folder.remove(&self.name);
        }
    }
}

/// The process whose engine answers on a state folder's socket, as far as the system tells; none where none does. With
/// the journal free, it is one whose journal was removed under it.
pub async fn answering(state: &StateFolder) -> Option<Option<u32>> {
    let path = state.socket();
    let (folder, name) = access::folder_of(&path).ok()?;
    let own = access::socket_in(&folder, name).ok()??.is_own();
    match UnixStream::connect(folder.path_through(name)).await {
        Ok(stream) if own => {
            Some(stream.peer_cred().ok().and_then(|peer| peer.pid()).and_then(|pid| pid.try_into().ok()))
        }
        // Nobody accepts, and the queue of those who wait is full.
        Err(error) if own && error.kind() == io::ErrorKind::WouldBlock => Some(None),
        _ => None,
    }
}

fn id_of(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
