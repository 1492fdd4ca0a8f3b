//! The engine's socket as it lasts: it is made again where somebody removed it.

use crate::engine::access::{self, Group};
use crate::engine::lead::Input;
use crate::engine::server;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::mpsc::UnboundedSender;

/// Between two looks at the socket.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// An engine's socket.
pub struct Socket {
    path: PathBuf,
    group: Option<Group>,
    listener: UnixListener,
    /// Its folder, held: one that was moved away is somebody's doing and waited for, one that was deleted never
    /// comes back by itself.
    folder: Option<File>,
}

impl Socket {
    /// Makes the socket at `path`.
    ///
    /// # Errors
    /// When the folder or the socket cannot be made.
    pub fn open(path: PathBuf, group: Option<Group>) -> io::Result<Self> {
        let listener = server::bind(&path, group)?;
        let folder = path.parent().and_then(|folder| File::open(folder).ok());
        Ok(Self { path, group, listener, folder })
    }

    /// Serves clients until the engine ends.
    pub async fn keep(mut self, inbox: UnboundedSender<Input>) {
        let mut client = 0;
        loop {
            tokio::select! {
                () = server::serve(&self.listener, self.group.is_some(), &inbox, &mut client) => return,
                () = until_gone(&self.path) => {}
            }
            if self.make_again().is_err() {
                // The folder is not there either; it may come back.
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// Only where nothing is in its place: a socket there is another engine's.
    fn make_again(&mut self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        if !folder.exists() {
            if !self.folder.as_ref().is_some_and(is_deleted) {
                return Err(io::ErrorKind::NotFound.into());
            }
            access::make_folder(folder, self.group)?;
        }
        *self = Self::open(self.path.clone(), self.group)?;
        tracing::warn!(socket = %self.path.display(), "the socket was gone, and was made again");
        Ok(())
    }
}

/// A folder without a name has no links left.
fn is_deleted(folder: &File) -> bool {
    folder.metadata().is_ok_and(|found| found.nlink() == 0)
}

async fn until_gone(path: &Path) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if matches!(std::fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return;
        }
    }
}
