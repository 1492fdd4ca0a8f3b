//! Segments: the numbered files of a journal, and the one that is open for writing.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::JournalError;
use super::protection::AppendOnly;
use super::writer::Options;

/// Space set aside on disk beyond the end of the open segment, without changing its length: an append then need
/// not allocate, and an incident's records still fit when something else fills the disk.
const RESERVED_BYTES: u64 = 4 << 20;

/// File name of segment `number`.
pub(super) fn name(number: u32) -> String {
    format!("{number:06}.jsonl")
}

/// Numbers of the segments in `dir`, ascending. Other files are not looked at.
pub(super) fn list(dir: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let file_name = entry?.file_name();
        let Some(text) = file_name.to_str() else { continue };
        let number = text.strip_suffix(".jsonl").and_then(|digits| digits.parse::<u32>().ok());
        numbers.extend(number.filter(|number| *number > 0 && name(*number) == text));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the entries of `dir` durable.
pub(super) fn sync_folder(dir: &Path) -> Result<(), JournalError> {
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| JournalError::io("sync", dir, &error))
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
    pub(super) fn create(dir: &Path, number: u32, options: &Options) -> Result<Self, JournalError> {
        let path = dir.join(name(number));
        let fail = |error: io::Error| JournalError::io("create", &path, &error);
        let mode = options.file_mode();
        let file = open_options().create_new(true).mode(mode).open(&path).map_err(fail)?;
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        sync_folder(dir)?;
        Self::of(file, path.clone(), number, options).map_err(fail)
    }

    /// Opens an existing segment. A symbolic link is refused.
    pub(super) fn open(dir: &Path, number: u32, options: &Options) -> Result<Self, JournalError> {
        let path = dir.join(name(number));
        let fail = |error: io::Error| JournalError::io("open", &path, &error);
        let file = open_options().open(&path).map_err(fail)?;
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

    /// Writes `bytes` in one write and makes them durable, or fails and leaves the segment as it was where the
    /// file can still be shortened.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        self.check_untouched()?;
        let grown = self.length + bytes.len() as u64;
        if let Err(error) = self.file.write_all(bytes) {
            // Where this fails too, the next open sets the unfinished bytes aside.
            let _ = self.file.set_len(self.length);
            return Err(JournalError::io("write", &self.path, &error));
        }
        self.file.sync_data().map_err(|error| {
            let _ = self.file.set_len(self.length);
            JournalError::io("make durable", &self.path, &error)
        })?;
        self.length = grown;
        self.check_untouched()
    }

    /// The path must still lead to the file that we hold, and no one else may have written to it.
    fn check_untouched(&self) -> Result<(), JournalError> {
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

fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    options
}
