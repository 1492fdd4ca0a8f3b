//! Reads a journal from its first record, checking the chain on the way. No lock is taken: a live journal can be
//! read and followed, and so can a copy that belongs to someone else.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use rustix::fs::OFlags;

use super::chain::{Chain, LeftBehind};
use super::error::{Bad, JournalError};
use super::line::{Line, MAX_LINE_BYTES, sha256_text};
use super::record::Record;
use super::segment;
use crate::base::folder::Folder;

const BUFFER_BYTES: usize = 256 << 10;

/// Opens the journal in `dir` for reading, in order, over all segments.
pub fn read(dir: &Path) -> Result<Reader, JournalError> {
    let fail = |error| JournalError::io("read", dir, &error);
    let folder = Folder::follow(dir).map_err(fail)?;
    if segment::list(&folder).map_err(fail)?.is_empty() {
        return Err(JournalError::Missing { dir: dir.to_owned() });
    }
    Ok(Reader::new(folder))
}

/// Yields the records of a journal. After the first error it ends. When the end is reached it yields `None`, and
/// goes on when it is asked again after the journal has grown.
#[derive(Debug)]
pub struct Reader {
    pub(super) folder: Folder,
    pub(super) chain: Chain,
    /// Number of the segment being read; 0 before the first.
    pub(super) segment: u32,
    file: Option<BufReader<File>>,
    /// The line last read, as far as it was there.
    line: Vec<u8>,
    /// Complete lines of this segment so far.
    lines: u64,
    /// Bytes of this segment in complete lines.
    pub(super) complete_bytes: u64,
    /// Bytes of all complete lines.
    pub(super) total_bytes: u64,
    stopped: bool,
}

impl Iterator for Reader {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped {
            return None;
        }
        let item = match self.next_line() {
            Ok(None) => return None,
            Ok(Some(line)) => line.record().map_err(|reason| self.bad_head(reason)),
            Err(error) => Err(error),
        };
        self.stopped = item.is_err();
        Some(item)
    }
}

impl Reader {
    /// A reader of a folder that may still be empty.
    pub(super) fn new(folder: Folder) -> Self {
        Self {
            folder,
            chain: Chain::new(),
            segment: 0,
            file: None,
            line: Vec::new(),
            lines: 0,
            complete_bytes: 0,
            total_bytes: 0,
            stopped: false,
        }
    }

    /// The next complete line, checked, or `None` at what is the end now.
    pub(super) fn next_line(&mut self) -> Result<Option<Line<'_>>, JournalError> {
        if !self.advance()? {
            return Ok(None);
        }
        match self.chain.accept(&self.line) {
            Ok(line) => Ok(Some(line)),
            Err(reason) => {
                Err(JournalError::Bad(bad(self.segment, self.lines, self.chain.head.seq + 1, reason)))
            }
        }
    }

    /// Bytes after the last complete line of the last segment.
    pub(super) fn unfinished(&self) -> &[u8] {
        if self.line.ends_with(b"\n") { &[] } else { &self.line }
    }

    /// How many bytes of the unfinished last line are a complete record that follows, with its checksum: what ends it
    /// is not a newline but nothing, or one other byte.
    pub(super) fn record_without_newline(&self) -> Option<u64> {
        let bytes = self.unfinished();
        let is_record = |length: &usize| {
            let line = [&bytes[..*length], b"\n"].concat();
            self.chain.clone().accept(&line).is_ok()
        };
        let lengths = [Some(bytes.len()), bytes.len().checked_sub(1)];
        lengths.into_iter().flatten().find(is_record).map(|length| length as u64)
    }

    /// Says that what follows the last good record is bad.
    pub(super) fn bad(&self, reason: String) -> JournalError {
        let line = self.lines + u64::from(!self.unfinished().is_empty());
        JournalError::Bad(bad(self.segment, line, self.chain.head.seq + 1, reason))
    }

    /// Says that the record just read, though it follows, is not the right one.
    pub(super) fn bad_head(&self, reason: String) -> JournalError {
        JournalError::Bad(bad(self.segment, self.lines, self.chain.head.seq, reason))
    }

    /// Reads on to the next complete line, into the next segment where there is one.
    fn advance(&mut self) -> Result<bool, JournalError> {
        loop {
            if self.read_line()? {
                return Ok(true);
            }
            if !self.has_next_segment()? {
                return Ok(false);
            }
            // The writer may have added to this segment between our last look and its opening of the next.
            if self.read_line()? {
                return Ok(true);
            }
            self.enter_next_segment()?;
        }
    }

    /// Reads up to the newline; `false` if it is not there yet.
    fn read_line(&mut self) -> Result<bool, JournalError> {
        let unfinished = !self.unfinished().is_empty();
        let Some(file) = &mut self.file else { return Ok(false) };
        self.line.clear();
        // What was unfinished may have been cut off and written anew since.
        let found = if unfinished { file.seek(SeekFrom::Start(self.complete_bytes)) } else { Ok(0) };
        found
            .and_then(|_| file.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut self.line))
            .map_err(|error| {
                JournalError::io("read", &self.folder.path().join(segment::name(self.segment)), &error)
            })?;
        if self.line.ends_with(b"\n") {
            self.lines += 1;
            self.complete_bytes += self.line.len() as u64;
            self.total_bytes += self.line.len() as u64;
            return Ok(true);
        }
        if self.line.len() == MAX_LINE_BYTES {
            return Err(self.bad(format!("it is longer than {MAX_LINE_BYTES} bytes")));
        }
        Ok(false)
    }

    fn has_next_segment(&self) -> Result<bool, JournalError> {
        let numbers = segment::list(&self.folder)
            .map_err(|error| JournalError::io("read", self.folder.path(), &error))?;
        let next = self.segment + 1;
        match numbers.into_iter().find(|number| *number >= next) {
            None => Ok(false),
            Some(number) if number == next => Ok(true),
            // A folder that grows while it is listed shows a later name and not yet an earlier one.
            Some(_) if self.folder.look_at(&segment::name(next)).is_ok_and(|found| found.is_some()) => {
                Ok(true)
            }
            Some(number) => Err(JournalError::Bad(bad(
                next,
                1,
                self.chain.head.seq + 1,
                format!("{} is missing though {} exists", segment::name(next), segment::name(number)),
            ))),
        }
    }

    fn enter_next_segment(&mut self) -> Result<(), JournalError> {
        let unfinished = self.unfinished();
        if !unfinished.is_empty() {
            let left = LeftBehind {
                segment: segment::name(self.segment),
                bytes: unfinished.len() as u64,
                sha256: sha256_text(unfinished),
            };
            self.chain.unaccounted.push(left);
        }
        self.segment += 1;
        self.line.clear();
        self.lines = 0;
        self.complete_bytes = 0;
        let name = segment::name(self.segment);
        match self.folder.file(&name, OFlags::RDONLY, 0) {
            Ok(file) => self.file = Some(BufReader::with_capacity(BUFFER_BYTES, file)),
            Err(error) if error.kind() == ErrorKind::Other => {
                return Err(JournalError::Bad(bad(
                    self.segment,
                    1,
                    self.chain.head.seq + 1,
                    error.to_string(),
                )));
            }
            Err(error) => return Err(JournalError::io("read", &self.folder.path().join(name), &error)),
        }
        Ok(())
    }
}

fn bad(segment: u32, line: u64, seq: u64, reason: String) -> Bad {
    Bad { segment: segment::name(segment), line, seq, reason }
}
