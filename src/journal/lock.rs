//! The lock that makes a journal's writer the only one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::error::JournalError;
use super::writer::Options;

/// The file whose lock makes the writer the only one; it holds the writer's process id.
pub(super) const LOCK_FILE: &str = "lock";

/// The right to write a journal. A copy of it kept while a failed journal is opened again lets nobody in between.
#[derive(Debug, Clone)]
pub struct Lock(Arc<Held>);

#[derive(Debug)]
struct Held(File);

impl Lock {
    /// Takes the lock of the journal in `dir`, which exists.
    pub(super) fn take(dir: &Path, options: &Options) -> Result<Self, JournalError> {
        let path = dir.join(LOCK_FILE);
        let fail = |error: io::Error| JournalError::io("lock", &path, &error);
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false).mode(options.file_mode());
        let mut lock = open.open(&path).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(dir, &path)),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        lock.set_len(0).map_err(fail)?;
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

impl Drop for Held {
    fn drop(&mut self) {
        // An empty lock file tells readers that no writer is left to wait for.
        let _ = self.0.set_len(0);
        // Closing the file is not enough: a process forked at this moment holds a copy until it calls exec.
        let _ = self.0.unlock();
    }
}

fn locked(dir: &Path, path: &Path) -> JournalError {
    let pid = fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u32>().ok());
    let holder = pid.map(|pid| format!(" by process {pid}")).unwrap_or_default();
    JournalError::Locked { dir: dir.to_owned(), holder }
}
