//! The one writer of a journal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::error::JournalError;
use super::line::encode;
use super::lock::Lock;
use super::protection::Protection;
use super::record::{Entry, Head};
use super::segment::Segment;
use super::{TORN_TAIL, open};
use crate::base::folder::Folder;

/// How a journal is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Size in bytes beyond which a new segment is begun.
    pub segment_bytes: u64,
    /// Let the file's group read the journal: mode 0640 instead of 0600, folder 0750 instead of 0700.
    pub group_readable: bool,
    /// Ask for the append-only attribute on segments (granted to root or CAP_LINUX_IMMUTABLE). Such files can only
    /// be deleted after `chattr -a`. When false, the attribute is neither set nor cleared.
    pub append_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, group_readable: false, append_only: true }
    }
}

impl Options {
    pub(super) fn file_mode(&self) -> u32 {
        if self.group_readable { 0o640 } else { 0o600 }
    }

    pub(super) fn folder_mode(&self) -> u32 {
        if self.group_readable { 0o750 } else { 0o700 }
    }
}

/// The one writer of a journal. Its calls block for as long as the disk takes.
#[derive(Debug)]
pub struct Journal {
    pub(super) folder: Folder,
    pub(super) options: Options,
    pub(super) segment: Segment,
    pub(super) head: Head,
    /// Why the journal refuses to write, after a failure.
    pub(super) failed: Option<String>,
    /// Held for as long as the journal is open.
    pub(super) lock: Lock,
}

impl Journal {
    /// Opens the journal in `dir`, and creates it where there is none: takes the writer's lock, verifies every
    /// record, and sets an unfinished last line aside. A bad record elsewhere is refused, never repaired.
    pub fn open(dir: &Path, options: &Options) -> Result<(Self, open::Recovery), JournalError> {
        open::open(dir, options)
    }

    /// The right to write this journal, to keep while it is opened again.
    pub fn lock(&self) -> Lock {
        self.lock.clone()
    }

    /// Opens the journal in `dir` again under a lock that was kept since. `head` is the last record that it was
    /// known to hold: where there is one, a journal that is gone is an error and not begun anew.
    pub fn reopen(
        dir: &Path,
        options: &Options,
        lock: Lock,
        head: &Head,
    ) -> Result<(Self, open::Recovery), JournalError> {
        open::reopen(dir, options, lock, head)
    }

    /// Seals `entries` as the next records and makes them durable with one write and one fdatasync, all or
    /// nothing. Returns the head after each. After a failure every append fails until the journal is opened again.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<Head>, JournalError> {
        if let Some(entry) = entries.iter().find(|entry| entry.action == TORN_TAIL) {
            let why = "only the journal itself writes records of that name".to_owned();
            return Err(JournalError::Entry { action: entry.action.clone(), why });
        }
        self.append_any(entries)
    }

    /// As [`Journal::append`], for the journal's own records too.
    pub(super) fn append_any(&mut self, entries: &[Entry]) -> Result<Vec<Head>, JournalError> {
        if let Some(why) = &self.failed {
            return Err(JournalError::Closed { why: why.clone() });
        }
        let (bytes, heads) = encode_all(entries, &self.head)?;
        let Some(last) = heads.last() else { return Ok(heads) };
        match self.write(&bytes) {
            Ok(()) => {
                self.head = last.clone();
                Ok(heads)
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                Err(error)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let full = self.segment.length + bytes.len() as u64 > self.options.segment_bytes;
        if full && self.segment.length > 0 {
            self.segment = Segment::create(&self.folder, self.segment.number + 1, &self.options)?;
        }
        self.segment.append(bytes, &self.options)
    }

    /// Whether the journal is still where it was and as it was left. Nothing is written.
    ///
    /// # Errors
    /// When its folder, lock or open segment is gone, was replaced, or somebody else wrote to it.
    pub fn look(&self) -> Result<(), JournalError> {
        if !self.lock.is_of(self.folder.path()) {
            let why = self.lock.whereabouts(self.folder.path());
            return Err(JournalError::Interfered { path: self.folder.path().to_owned(), why });
        }
        self.segment.check_untouched()
    }

    /// How much more can be written on the journal's disk, or into its file, beside what is set aside for it; none where
    /// the system does not tell.
    pub fn room_bytes(&self) -> Option<u64> {
        self.segment.room_bytes()
    }

    /// Whether so many bytes more would find room.
    ///
    /// # Errors
    /// When they would not: the disk, the quota or the file size limit is used up.
    pub fn expect_room(&self, bytes: u64) -> Result<(), JournalError> {
        self.segment.expect_room(bytes).map_err(|error| JournalError::io("write", &self.segment.path, &error))
    }

    /// The last durable record.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Which protections are active now.
    pub fn protection(&self) -> Protection {
        let mode =
            |path: &Path| fs::symlink_metadata(path).map_or(0, |found| found.permissions().mode() & 0o7777);
        Protection {
            append_only: self.segment.append_only.clone(),
            file_mode: mode(&self.segment.path),
            folder_mode: mode(self.folder.path()),
        }
    }
}

fn encode_all(entries: &[Entry], head: &Head) -> Result<(Vec<u8>, Vec<Head>), JournalError> {
    let mut bytes = Vec::with_capacity(512 * entries.len());
    let mut heads: Vec<Head> = Vec::with_capacity(entries.len());
    for entry in entries {
        let previous = heads.last().unwrap_or(head);
        let next = encode(entry, previous, &mut bytes)
            .map_err(|why| JournalError::Entry { action: entry.action.clone(), why })?;
        heads.push(next);
    }
    Ok((bytes, heads))
}
