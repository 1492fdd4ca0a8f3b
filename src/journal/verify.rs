//! Verifies a journal: where it has the first bad record, if any, and which head it ends with.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::{Bad, JournalError};
use super::line::begun;
use super::lock::LOCK_FILE;
use super::noted::Noted;
use super::reader::{Reader, read};
use super::record::Head;
use crate::journal::spoken;

/// How long a line that is being written may take to be finished.
const WRITE_PATIENCE: Duration = Duration::from_secs(1);

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Good records before the first bad one, or all.
    pub records: u64,
    /// Segments looked at.
    pub segments: u32,
    /// Bytes of the complete lines looked at.
    pub bytes: u64,
    /// The last record that the chain leads to.
    pub head: Head,
    /// The first bad record.
    pub bad: Option<Bad>,
    /// Files with copies of ends that were cut off, or mended, when an engine started.
    pub set_aside: Vec<String>,
}

impl Verification {
    /// Whether every record is good.
    pub fn is_good(&self) -> bool {
        self.bad.is_none()
    }
}

/// Verifies every record in `dir`. That the tail was cut off at a record's end, or that all of it was rewritten,
/// cannot be seen without a head that was noted before: see [`verify_against`].
pub fn verify(dir: &Path) -> Result<Verification, JournalError> {
    check(dir, None)
}

/// Verifies every record in `dir`, and that the record named by `noted` is among them.
pub fn verify_against(dir: &Path, noted: &Noted) -> Result<Verification, JournalError> {
    check(dir, Some(noted))
}

fn check(dir: &Path, noted: Option<&Noted>) -> Result<Verification, JournalError> {
    let mut reader = read(dir)?;
    let result = scan(&mut reader, dir, noted);
    let bad = match result {
        Ok(()) => None,
        Err(JournalError::Bad(bad)) => Some(bad),
        Err(error) => return Err(error),
    };
    let head = reader.chain.head.clone();
    let records = bad.as_ref().map_or(head.seq, |bad| bad.seq - 1);
    let (segments, bytes, set_aside) = (reader.segment, reader.total_bytes, reader.set_aside()?);
    Ok(Verification { records, segments, bytes, head, bad, set_aside })
}

fn scan(reader: &mut Reader, dir: &Path, noted: Option<&Noted>) -> Result<(), JournalError> {
    let deadline = Instant::now() + WRITE_PATIENCE;
    loop {
        while reader.next_line()?.is_some() {
            check_noted(reader, noted)?;
        }
        let waiting = !reader.unfinished().is_empty() && has_writer(dir) && Instant::now() < deadline;
        if !waiting {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    if !reader.unfinished().is_empty() {
        return Err(reader.bad(unfinished(reader)));
    }
    if !reader.chain.unaccounted.is_empty() {
        return Err(reader.bad(reader.chain.unaccounted_reason()));
    }
    match noted {
        Some(noted) if reader.chain.head.seq < noted.seq => Err(reader.bad(format!(
            "the journal ends here, but record {} was noted before: its tail was cut off",
            noted.seq
        ))),
        _ => Ok(()),
    }
}

impl Reader {
    /// Whether what was read is all that the journal holds.
    ///
    /// # Errors
    /// When a last line follows without a newline, and nobody is left who is writing it.
    pub fn finish(&self) -> Result<(), JournalError> {
        if self.unfinished().is_empty() || has_writer(self.folder.path()) {
            return Ok(());
        }
        Err(match self.bad(unfinished(self)) {
            JournalError::Bad(bad) => JournalError::Unfinished(bad),
            other => other,
        })
    }

    fn set_aside(&self) -> Result<Vec<String>, JournalError> {
        let names = self.folder.names();
        let mut names = names.map_err(|error| JournalError::io("read", self.folder.path(), &error))?;
        names.retain(|name| name.starts_with("torn-") && name.ends_with(".bin"));
        names.sort_unstable();
        Ok(names)
    }
}

/// What is known of a last line without a newline, and what is not.
fn unfinished(reader: &Reader) -> String {
    let bytes = reader.unfinished();
    if reader.record_without_newline().is_some() {
        return "it is complete and its checksum is right, but no newline ends it. It may have been acknowledged: the \
                engine keeps it and puts the newline back when it starts"
            .to_owned();
    }
    format!(
        "it is unfinished: {} bytes without a newline{}. Whether it had been acknowledged cannot be told from them: a \
         crash leaves such an end before that, damage after it. A head noted elsewhere tells (--head); the engine keeps \
         a copy of the bytes and cuts them off when it starts",
        bytes.len(),
        begun(bytes).map_or_else(String::new, |what| format!(", begun as {what}")),
    )
}

fn check_noted(reader: &Reader, noted: Option<&Noted>) -> Result<(), JournalError> {
    let head = &reader.chain.head;
    match noted {
        Some(noted) if noted.seq == head.seq && !noted.is(head) => Err(reader.bad_head(format!(
            "record {} has checksum {}{}, but {noted} was noted before: the journal was rewritten",
            head.seq,
            head.checksum,
            in_words(noted, head)
        ))),
        _ => Ok(()),
    }
}

/// The same checksum as it is spoken, beside a noted one that is.
fn in_words(noted: &Noted, head: &Head) -> String {
    let spoken = || format!(" ({})", spoken::spoken(&head.checksum));
    noted.partial_bits().map_or_else(String::new, |_| spoken())
}

/// Whether a process that opened this journal for writing still lives.
fn has_writer(dir: &Path) -> bool {
    let Ok(text) = fs::read_to_string(dir.join(LOCK_FILE)) else { return false };
    let pid = text.trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    // A signal that may not be sent was still meant for a living process.
    pid.is_some_and(|pid| !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}
