//! The lock that makes a journal's writer the only one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;

use super::error::JournalError;
use super::writer::Options;
use crate::folder::Folder;

/// The file whose lock makes the writer the only one; it holds the writer's process id.
pub(super) const LOCK_FILE: &str = "lock";
/// More than any process id takes.
const LOCK_BYTES: usize = 32;

/// The right to write a journal. A copy of it kept while a failed journal is opened again lets nobody in between.
#[derive(Debug, Clone)]
pub struct Lock(Arc<Held>);

#[derive(Debug)]
struct Held(File);

impl Lock {
    /// Takes the lock of the journal in `folder`.
    pub(super) fn take(folder: &Folder, options: &Options) -> Result<Self, JournalError> {
        let path = folder.path().join(LOCK_FILE);
        let mut lock = folder
            .own_file(LOCK_FILE, OFlags::RDWR | OFlags::CREATE, options.file_mode())
            .map_err(|error| JournalError::unfit("lock", &path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(folder.path(), &lock)),
            Err(TryLockError::Error(error)) => return Err(JournalError::io("lock", &path, &error)),
        }
        if !holds_at_most_a_process_id(&lock) {
            let error =
                io::Error::other("it holds something else than a process id; nothing in it was changed");
            return Err(JournalError::unfit("lock", &path, &error));
        }
        lock.set_len(0).map_err(|error| JournalError::io("lock", &path, &error))?;
        // The process id only helps people and readers; the lock holds without it, even on a full disk.
        let _ = writeln!(lock, "{}", std::process::id());
        Ok(Self(Arc::new(Held(lock))))
    }

    /// Whether this is still the lock of the journal in `dir`: the folder may have been moved or deleted.
    pub(super) fn is_of(&self, dir: &Path) -> bool {
        let there = fs::metadata(dir.join(LOCK_FILE)).ok();
        let held = self.0.0.metadata().ok();
        there.zip(held).is_some_and(|(there, held)| (there.dev(), there.ino()) == (held.dev(), held.ino()))
    }
}

/// The process that has the journal in `dir` open for writing; none when nobody has.
pub fn holder(dir: &Path) -> Option<u32> {
    // Whatever lies in its place is not waited for, and nothing is done through a link.
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits() as i32;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(dir.join(LOCK_FILE)).ok()?;
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
        // An empty lock file tells readers that no writer is left to wait for.
        let _ = self.0.set_len(0);
        // Closing the file is not enough: a process forked at this moment holds a copy until it calls exec.
        let _ = self.0.unlock();
    }
}

fn locked(dir: &Path, lock: &File) -> JournalError {
    let pid = begin_of(lock).and_then(|text| text.trim().parse::<u32>().ok());
    let holder = pid.map(|pid| format!(" by process {pid}")).unwrap_or_default();
    JournalError::Locked { dir: dir.to_owned(), holder }
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
