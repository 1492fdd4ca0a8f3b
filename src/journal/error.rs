//! What can go wrong with a journal, in words for the person who has to act on it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// The first bad record of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// File name of the segment.
    pub segment: String,
    /// Line in that segment, from 1.
    pub line: u64,
    /// Sequence number that belongs there.
    pub seq: u64,
    /// What is wrong, in words.
    pub reason: String,
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "bad record in {} line {} (where seq {} belongs): {}",
            self.segment, self.line, self.seq, self.reason
        )
    }
}

/// Why the journal cannot be opened, written or read. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another writer holds the journal.
    #[error(
        "the journal in {dir} is already open for writing{holder}. A journal has one writer: attach to the engine \
         that runs (`lifeboat open`), or stop it (`lifeboat stop`; with --force where it cannot be reached) and start \
         again"
    )]
    Locked {
        /// The journal's folder.
        dir: PathBuf,
        /// ` by process N`, where the lock file tells.
        holder: String,
    },
    /// There is no journal in the folder.
    #[error("there is no journal in {dir}: it has no segment such as 000001.jsonl. Check the folder's name")]
    Missing {
        /// The folder that was asked for.
        dir: PathBuf,
    },
    /// The disk, the quota or the file size limit is used up.
    #[error(
        "{path} cannot grow: {why}. Free there: {free}. Make room in {dir}, or raise the quota or the file size limit; \
         nothing runs before that"
    )]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// Its folder.
        dir: PathBuf,
        /// What the system said.
        why: String,
        /// Free space of the file system for this user, for people.
        free: String,
    },
    /// A file or folder could not be used.
    #[error("cannot {what} {path}: {why}. {next}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        why: String,
        next: &'static str,
    },
    /// The open segment is no longer the file that the journal wrote to.
    #[error(
        "the journal was interfered with: {path} {why}. Nothing was acknowledged and nothing may run. Find out who did \
         it, keep a copy of the folder, and run `lifeboat journal verify` on it before the engine is started again"
    )]
    Interfered {
        /// The open segment.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// An earlier append failed; nothing is written until the journal is opened again.
    #[error(
        "the journal refuses to write since an earlier append failed ({why}). Start the engine again once that is solved"
    )]
    Closed {
        /// The earlier failure.
        why: String,
    },
    /// The journal holds a bad record.
    #[error(
        "{0}. A bad record is never repaired: keep the folder as evidence (copy it), look at it with \
         `lifeboat journal verify`, and restore it from a copy or start with a new journal folder"
    )]
    Bad(Bad),
    /// Every record that was read is good, and a last line without its newline follows.
    #[error("the last line of {} has no newline (record {}): {}", .0.segment, .0.seq, .0.reason)]
    Unfinished(Bad),
    /// An entry that cannot become a record.
    #[error("a record of `{action}` cannot be written: {why}. Nothing of the batch was recorded")]
    Entry {
        /// The entry's action.
        action: String,
        /// What is wrong with it.
        why: String,
    },
}

impl JournalError {
    /// Words for a failed call on a file of the journal.
    pub(super) fn io(what: &'static str, path: &Path, error: &io::Error) -> Self {
        let why = error.to_string();
        let path = path.to_owned();
        if is_full(error.kind()) {
            let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
            return Self::Full { free: free_space(&dir), path, dir, why };
        }
        Self::Io { what, path, why, next: next_step(error.kind()) }
    }
}

impl JournalError {
    /// Words for a file or folder that is not what it has to be: somebody else's, a link, a pipe.
    pub(super) fn unfit(what: &'static str, path: &Path, error: &io::Error) -> Self {
        if !matches!(error.kind(), ErrorKind::Other | ErrorKind::PermissionDenied) {
            return Self::io(what, path, error);
        }
        let next = "A journal is a folder of plain files, readable and writable for this user and its own or root's \
                    (look at `ls -l` and `lsattr`): find out who put it there, or choose another folder";
        Self::Io { what, path: path.to_owned(), why: error.to_string(), next }
    }
}

fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

fn next_step(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ReadOnlyFilesystem => {
            "The file system is read-only: remount it for writing, or choose another folder"
        }
        ErrorKind::PermissionDenied => {
            "Make it readable and writable for this user (check owner, mode and `lsattr`), or choose another folder"
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "Check the path: a part of it does not exist or is not a folder, or choose another folder"
        }
        _ => "Look at the system log for disk or file system errors, or choose another folder",
    }
}

fn free_space(dir: &Path) -> String {
    match rustix::fs::statvfs(dir) {
        Ok(status) => {
            let kibibytes = status.f_bavail.saturating_mul(status.f_frsize) / 1024;
            format!("{kibibytes} KiB and {} files", status.f_favail)
        }
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_how_much_is_free_and_where() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
            let error = JournalError::io("write", Path::new("/tmp/000001.jsonl"), &kind.into());
            let text = error.to_string();
            assert!(matches!(error, JournalError::Full { .. }), "{text}");
            assert!(text.contains("KiB") && text.contains("Make room in /tmp"), "{text}");
        }
    }

    #[test]
    fn a_read_only_file_system_says_what_to_do() {
        let error =
            JournalError::io("create", Path::new("/j/000001.jsonl"), &ErrorKind::ReadOnlyFilesystem.into());
        assert!(error.to_string().starts_with("cannot create /j/000001.jsonl: "), "{error}");
        assert!(error.to_string().contains("remount"), "{error}");
    }
}
