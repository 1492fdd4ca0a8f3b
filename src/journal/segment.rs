//! Segments: the numbered files of a journal, and the one that is open for writing.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::error::JournalError;
use super::protection::AppendOnly;
use super::writer::Options;
use crate::base::folder::Folder;

/// Space set aside on disk beyond the end of the open segment, without changing its length: an append then need
/// not allocate, and an incident's records still fit when something else fills the disk.
const RESERVED_BYTES: u64 = 4 << 20;

/// File name of segment `number`.
pub(super) fn name(number: u32) -> String {
    format!("{number:06}.jsonl")
}

/// Numbers of the segments in `folder`, ascending. Files of other names are not looked at.
pub(super) fn list(folder: &Folder) -> io::Result<Vec<u32>> {
    let number = |text: &String| {
        let number = text.strip_suffix(".jsonl").and_then(|digits| digits.parse::<u32>().ok());
        number.filter(|number| *number > 0 && name(*number) == *text)
    };
    let mut numbers: Vec<u32> = folder.names()?.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the entries of `folder` durable.
pub(super) fn sync_folder(folder: &Folder) -> Result<(), JournalError> {
    folder.sync().map_err(|error| JournalError::io("sync", folder.path(), &error))
}

/// The segment that is open for writing.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) append_only: AppendOnly,
    /// Length up to which every byte was written by us or checked, and is durable.
    pub(super) length: u64,
    device: u64,
    inode: u64,
}

impl Segment {
    /// Creates the segment, durably.
    pub(super) fn create(folder: &Folder, number: u32, options: &Options) -> Result<Self, JournalError> {
        let path = folder.path().join(name(number));
        let fail = |error: io::Error| JournalError::io("create", &path, &error);
        let mode = options.file_mode();
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL;
        let file = folder.own_file(&name(number), flags, mode).map_err(fail)?;
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        sync_folder(folder)?;
        Self::of(file, path.clone(), number, options).map_err(fail)
    }

    /// Opens an existing segment, which must be a plain file and this user's own or root's.
    pub(super) fn open(folder: &Folder, number: u32, options: &Options) -> Result<Self, JournalError> {
        let path = folder.path().join(name(number));
        let fail = |error: io::Error| JournalError::unfit("open", &path, &error);
        let file = folder.own_file(&name(number), OFlags::WRONLY | OFlags::APPEND, 0).map_err(fail)?;
        Self::of(file, path.clone(), number, options).map_err(fail)
    }

    fn of(file: File, path: PathBuf, number: u32, options: &Options) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let append_only =
            if options.append_only { AppendOnly::request(&file) } else { AppendOnly::current(&file) };
        let segment = Self {
            number,
            path,
            append_only,
            length: metadata.len(),
            device: metadata.dev(),
            inode: metadata.ino(),
            file,
        };
        segment.reserve();
        Ok(segment)
    }

    /// Sets disk space aside. Not every file system can; nothing depends on it.
    fn reserve(&self) {
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fallocate(
            &self.file,
            rustix::fs::FallocateFlags::KEEP_SIZE,
            self.length,
            RESERVED_BYTES,
        );
    }

    /// How much more can be written beside what is set aside; none where the file system does not tell.
    pub(super) fn room_bytes(&self) -> Option<u64> {
        let space = rustix::fs::fstatvfs(&self.file).ok()?;
        let allowed = getrlimit(Resource::Fsize).current.map(|allowed| allowed.saturating_sub(self.length));
        let left = space.f_bavail.saturating_mul(space.f_frsize);
        Some(allowed.map_or(left, |allowed| allowed.min(left)))
    }

    /// Whether `bytes` more would find room.
    pub(super) fn expect_room(&self, bytes: u64) -> io::Result<()> {
        let allowed = getrlimit(Resource::Fsize).current;
        if allowed.is_some_and(|allowed| allowed < self.length + bytes) {
            return Err(Errno::FBIG.into());
        }
        #[cfg(target_os = "linux")]
        match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::KEEP_SIZE, self.length, bytes) {
            Err(full @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => return Err(full.into()),
            Ok(()) => return Ok(()),
            // This file system sets nothing aside.
            Err(_) => {}
        }
        let space = rustix::fs::fstatvfs(&self.file)?;
        if space.f_bavail.saturating_mul(space.f_frsize) < bytes {
            return Err(Errno::NOSPC.into());
        }
        Ok(())
    }

    /// Writes `bytes` in one write and makes them durable, or fails and leaves the segment as it was where the
    /// file can still be shortened.
    pub(super) fn append(&mut self, bytes: &[u8], options: &Options) -> Result<(), JournalError> {
        self.check_untouched()?;
        let grown = self.length + bytes.len() as u64;
        let written =
            self.file.write_all(bytes).map_err(|error| JournalError::io("write", &self.path, &error));
        let durable = written.and_then(|()| {
            self.file.sync_data().map_err(|error| JournalError::io("make durable", &self.path, &error))
        });
        if let Err(error) = durable {
            // Where this fails too, the next open sets the unfinished bytes aside.
            let _ = self.cut(self.length, options);
            return Err(error);
        }
        self.length = grown;
        self.check_untouched()
    }

    /// Shortens the segment, durably; for that the append-only attribute is taken off where it may be.
    pub(super) fn cut(&mut self, length: u64, options: &Options) -> io::Result<()> {
        if self.append_only == AppendOnly::Active && options.append_only {
            AppendOnly::clear(&self.file)?;
        }
        let cut = self.file.set_len(length).and_then(|()| self.file.sync_all());
        if options.append_only {
            self.append_only = AppendOnly::request(&self.file);
        }
        cut?;
        self.length = length;
        Ok(())
    }

    /// The path must still lead to the file that we hold, and no one else may have written to it.
    pub(super) fn check_untouched(&self) -> Result<(), JournalError> {
        let interfered = |why: String| Err(JournalError::Interfered { path: self.path.clone(), why });
        let found: Metadata = match fs::symlink_metadata(&self.path) {
            Ok(found) => found,
            Err(error) => return interfered(format!("is gone or out of reach ({error})")),
        };
        if (found.dev(), found.ino()) != (self.device, self.inode) {
            return interfered("was replaced by another file".to_owned());
        }
        if found.len() != self.length {
            return interfered(format!("has {} bytes where {} were written", found.len(), self.length));
        }
        Ok(())
    }
}
