//! The lock that makes a journal's writer the only one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;

use super::error::JournalError;
use super::writer::Options;
use crate::base::folder::{Folder, place_of};

/// The file whose lock makes the writer the only one; it holds the writer's process id.
pub(super) const LOCK_FILE: &str = "lock";
/// More than any process id takes.
const LOCK_BYTES: usize = 32;

/// The right to write a journal. A copy of it kept while a failed journal is opened again lets nobody in between.
#[derive(Debug, Clone)]
pub struct Lock(Arc<Held>);

#[derive(Debug)]
struct Held {
    file: File,
    /// The lock on the folder itself: whoever removes the file lets nobody else in. None where the file system locks no
    /// folders.
    folder: Option<Arc<HeldFolder>>,
}

#[derive(Debug)]
struct HeldFolder(File);

impl Lock {
    /// Takes the lock of the journal in `folder`.
    pub(super) fn take(folder: &Folder, options: &Options) -> Result<Self, JournalError> {
        let place = folder.again().map_err(|error| JournalError::io("open", folder.path(), &error))?;
        let held = match place.try_lock() {
            Ok(()) => Some(Arc::new(HeldFolder(place))),
            Err(TryLockError::WouldBlock) => return Err(locked(folder)),
            Err(TryLockError::Error(_)) => None,
        };
        Self::take_within(folder, options, held)
    }

    /// Takes the lock of the journal in `folder` beside this one, of the same journal or of the folder that it is in now.
    pub(super) fn take_again(&self, folder: &Folder, options: &Options) -> Result<Self, JournalError> {
        match &self.0.folder {
            Some(held) if is_at(&held.0, folder.path()) => {
                Self::take_within(folder, options, Some(held.clone()))
            }
            _ => Self::take(folder, options),
        }
    }

    fn take_within(
        folder: &Folder,
        options: &Options,
        held: Option<Arc<HeldFolder>>,
    ) -> Result<Self, JournalError> {
        let path = folder.path().join(LOCK_FILE);
        let lock = folder
            .own_file(LOCK_FILE, OFlags::RDWR | OFlags::CREATE, options.file_mode())
            .map_err(|error| JournalError::unfit("lock", &path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(folder)),
            Err(TryLockError::Error(error)) => return Err(JournalError::io("lock", &path, &error)),
        }
        if !holds_at_most_a_process_id(&lock) {
            let error =
                io::Error::other("it holds something else than a process id; nothing in it was changed");
            return Err(JournalError::unfit("lock", &path, &error));
        }
        sign(&lock, &format!("{}\n", std::process::id()))
            .map_err(|error| JournalError::io("lock", &path, &error))?;
        Ok(Self(Arc::new(Held { file: lock, folder: held })))
    }

    /// Whether this is still the lock of the journal in `dir`: the folder may have been moved or deleted.
    pub(super) fn is_of(&self, dir: &Path) -> bool {
        let same_folder = self.0.folder.as_ref().is_none_or(|folder| is_at(&folder.0, dir));
        same_folder && is_at(&self.0.file, &dir.join(LOCK_FILE))
    }

    /// What became of the journal that was in `dir`, in words that follow its name.
    pub(super) fn whereabouts(&self, dir: &Path) -> String {
        let folder = self.0.folder.as_ref().and_then(|folder| place_of(&folder.0));
        let place = folder.or_else(|| place_of(&self.0.file)?.parent().map(Path::to_owned));
        match place.filter(|place| place != dir) {
            Some(place) => {
                let state = place.parent().unwrap_or(&place);
                format!(
                    "is gone: it is {} now. Move it back as it was, or end this engine with `lifeboat stop --state {}`",
                    place.display(),
                    state.display()
                )
            }
            None => "is gone, or another folder is in its place; move it back, or put a copy there and start the engine again".to_owned(),
        }
    }
}

/// What a lock file holds that no writer has: the room for a process id, which a full disk would not give again.
const UNSIGNED: &str = "\n";

/// Writes over what the lock file holds, in its place. The process id only helps people and readers; the lock holds
/// without it, where even that finds no room.
fn sign(lock: &File, text: &str) -> io::Result<()> {
    // All of what stood there at once: half of a process id would be another one.
    let over = format!("{text:width$}", width = LOCK_BYTES - 1);
    match lock.write_all_at(over.as_bytes(), 0) {
        Ok(()) => lock.set_len(text.len() as u64),
        Err(_) => lock.set_len(0),
    }
}

/// Whether a process has the journal in `dir` open for writing, also one that could not write its process id.
pub fn is_held(dir: &Path) -> bool {
    let lock = open_lock(dir);
    lock.is_some_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn open_lock(dir: &Path) -> Option<File> {
    // Whatever lies in its place is not waited for, and nothing is done through a link.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits() as i32;
    fs::OpenOptions::new().read(true).custom_flags(flags).open(dir.join(LOCK_FILE)).ok()
}

/// Whether an open file or folder is the one at `path`.
fn is_at(open: &File, path: &Path) -> bool {
    let there = fs::metadata(path).ok();
    let held = open.metadata().ok();
    there.zip(held).is_some_and(|(there, held)| (there.dev(), there.ino()) == (held.dev(), held.ino()))
}

/// The process that has the journal in `dir` open for writing; none when nobody has.
pub fn holder(dir: &Path) -> Option<u32> {
    let file = open_lock(dir)?;
    let written = || begin_of(&file)?.trim().parse::<u32>().ok();
    let before = written()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => written().filter(|now| *now == before),
        // What is written there is of a writer that died.
        _ => None,
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A lock file without a process id tells readers that no writer is left to wait for.
        let _ = sign(&self.file, UNSIGNED);
        // Closing the file is not enough: a process forked at this moment holds a copy until it calls exec.
        let _ = self.file.unlock();
    }
}

impl Drop for HeldFolder {
    fn drop(&mut self) {
        // As above.
        let _ = self.0.unlock();
    }
}

fn locked(folder: &Folder) -> JournalError {
    let lock = folder.file(LOCK_FILE, OFlags::RDONLY, 0).ok();
    let pid = lock.and_then(|lock| begin_of(&lock)?.trim().parse::<u32>().ok());
    let holder = pid.map(|pid| format!(" by process {pid}")).unwrap_or_default();
    JournalError::Locked { dir: folder.path().to_owned(), holder }
}

/// Whether the file is one that a writer of a journal may have left: another is not emptied.
fn holds_at_most_a_process_id(lock: &File) -> bool {
    begin_of(lock)
        .is_some_and(|text| text.len() < LOCK_BYTES && text.trim().bytes().all(|b| b.is_ascii_digit()))
}

fn begin_of(lock: &File) -> Option<String> {
    let mut bytes = [0; LOCK_BYTES];
    let length = lock.read_at(&mut bytes, 0).ok()?;
    std::str::from_utf8(&bytes[..length]).ok().map(str::to_owned)
}
