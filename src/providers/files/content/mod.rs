//! What the bytes of a backup say of it: an archive with nothing in it, and one that was cut off. Only what no whole one
//! can be counts. What may not be read, or is of no kind that is known here, says nothing.

use super::look::Found;
use crate::core::words::reading::Verdict;
use flate2::bufread::GzDecoder;
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How much of a file's begin and end is looked at.
const END_BYTES: usize = 64 * 1024;
/// The largest compressed file that is decoded, and the most that may come out of it: what was cut off right at its begin
/// is small, whatever it should have been.
const MAX_DECODED_FILE_BYTES: u64 = 16 * 1024 * 1024;
const MAX_DECODED_BYTES: u64 = 512 * 1024 * 1024;
/// A header of tar, and what ends an archive together with a second one (POSIX, pax: "two 512-byte blocks of zeros").
const TAR_BLOCK_BYTES: usize = 512;
const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];

/// What was seen of the newest file: it is read once, and not with each look.
#[derive(Default)]
pub struct Seen(Mutex<Option<(PathBuf, u64, Timestamp, Verdict)>>);

impl Seen {
    /// What the file's bytes say.
    pub fn judge(&self, found: &Found) -> Verdict {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Some((path, bytes, modified, verdict))
                if (path, bytes, modified) == (&found.path, &found.bytes, &found.modified) =>
            {
                verdict.clone()
            }
            _ => {
                let verdict = of_file(&found.path).unwrap_or(Verdict::Good);
                *seen = Some((found.path.clone(), found.bytes, found.modified, verdict.clone()));
                verdict
            }
        }
    }
}

/// The begin and the end of some bytes.
#[derive(Default)]
struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    bytes: u64,
}

fn of_file(path: &Path) -> io::Result<Verdict> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(Verdict::Good);
    }
    let ends = Ends::of(&mut file, metadata.len())?;
    if !ends.head.starts_with(GZIP) || ends.bytes > MAX_DECODED_FILE_BYTES {
        return Ok(judge(&ends, is_tar(path)));
    }
    let mut coded = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_DECODED_FILE_BYTES).read_to_end(&mut coded)?;
    Ok(match decoded(&coded) {
        Ok(ends) if ends.bytes == 0 => nothing("a gzip file"),
        Ok(ends) if ends.bytes > MAX_DECODED_BYTES => Verdict::Good,
        Ok(ends) => judge(&ends, is_tar(path)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => cut("the gzip file"),
        Err(error) => Verdict::Critical(format!("the gzip file is damaged: {error}")),
    })
}

impl Ends {
    fn of(file: &mut File, bytes: u64) -> io::Result<Self> {
        let mut head = Vec::new();
        file.by_ref().take(END_BYTES as u64).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(bytes.saturating_sub(END_BYTES as u64)))?;
        let mut tail = Vec::new();
        file.by_ref().take(END_BYTES as u64).read_to_end(&mut tail)?;
        Ok(Self { head, tail, bytes })
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = END_BYTES - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.tail.extend_from_slice(bytes);
        self.tail.drain(..self.tail.len().saturating_sub(END_BYTES));
        self.bytes += bytes.len() as u64;
    }
}

/// All members of a gzip file; what follows the last one and is none is padding (RFC 1952 leaves it open).
fn decoded(mut coded: &[u8]) -> io::Result<Ends> {
    let mut ends = Ends::default();
    let mut buffer = vec![0; END_BYTES];
    while coded.starts_with(GZIP) {
        let mut member = GzDecoder::new(&mut coded);
        loop {
            let read = member.read(&mut buffer)?;
            ends.push(&buffer[..read]);
            if read == 0 || ends.bytes > MAX_DECODED_BYTES {
                break;
            }
        }
        if ends.bytes > MAX_DECODED_BYTES {
            break;
        }
    }
    Ok(ends)
}

fn is_tar(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    [".tar", ".tar.gz", ".tgz"].iter().any(|end| name.ends_with(end))
}

/// What is not compressed, or was.
fn judge(ends: &Ends, named_tar: bool) -> Verdict {
    let Ends { head, tail, bytes } = ends;
    let has = |text: &str| position(tail, text.as_bytes()).is_some();
    let begins = |text: &str| position(&head[..head.len().min(2048)], text.as_bytes()).is_some();
    if named_tar && head.iter().all(|byte| *byte == 0) {
        return nothing("a tar archive");
    }
    if head.starts_with(b"PGDMP") {
        return custom_dump(head, *bytes);
    }
    // What begins with these comments ends with one; who leaves comments out leaves out both. One dump may follow another.
    if begins("-- PostgreSQL database dump\n") || begins("-- PostgreSQL database cluster dump\n") {
        let ends = ["-- PostgreSQL database dump complete", "-- PostgreSQL database cluster dump complete"];
        return if ends.into_iter().any(has) { Verdict::Good } else { cut("the dump") };
    }
    // Its last line has the time, and some take it out so that equal dumps are equal files.
    if begins("-- MySQL dump ") || begins("-- MariaDB dump ") {
        let why = "it does not end with `Dump completed`: it may be cut off";
        return if has("-- Dump completed") { Verdict::Good } else { Verdict::Warn(why.into()) };
    }
    if head.get(257..262) == Some(b"ustar") {
        let ended = tail.iter().rev().take_while(|byte| **byte == 0).count() >= TAR_BLOCK_BYTES;
        let why = "it does not end as a tar archive does: it may be cut off";
        return if ended { Verdict::Good } else { Verdict::Warn(why.into()) };
    }
    if head.starts_with(b"\xfd7zXZ\0") {
        let padding = tail.iter().rev().take_while(|byte| **byte == 0).count();
        return if tail[..tail.len() - padding].ends_with(b"YZ") {
            Verdict::Good
        } else {
            cut("the xz file")
        };
    }
    if head.starts_with(b"PK\x03\x04") {
        return if has("PK\x05\x06") { Verdict::Good } else { cut("the zip file") };
    }
    Verdict::Good
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn cut(what: &str) -> Verdict {
    Verdict::Critical(format!("{what} is cut off: its end is missing"))
}

fn nothing(what: &str) -> Verdict {
    Verdict::Critical(format!("{what} with nothing in it: what was to be backed up failed"))
}

/// The begin of `pg_dump -Fc`: its head, and how many entries the table of contents after it has. The format is that of
/// `ReadHead` in PostgreSQL's `pg_backup_archiver.c`, from version 1.12 (PostgreSQL 9.0) on.
fn custom_dump(head: &[u8], bytes: u64) -> Verdict {
    const KNOWN: std::ops::RangeInclusive<u8> = 12..=16;
    /// Numbers and lengths of texts alone take more.
    const LEAST_ENTRY_BYTES: u64 = 60;
    let mut rest = Header { rest: head };
    let read = |rest: &mut Header<'_>| {
        rest.take(5)?;
        let version: [u8; 2] = rest.take(2)?.try_into().ok()?;
        let int = usize::from(rest.take(2)?[1]);
        rest.take(2)?;
        if version[0] != 1 || !KNOWN.contains(&version[1]) {
            return Some(None);
        }
        // How it is compressed, and the time.
        rest.take(if version[1] >= 15 { 1 } else { 1 + int })?;
        rest.take(7 * (1 + int))?;
        // The database's name, the server's version, and that of `pg_dump`.
        for _ in 0..3 {
            let length = rest.number(int)?;
            rest.take(usize::try_from(length).unwrap_or(0))?;
        }
        rest.number(int).map(Some)
    };
    let whole = head.len() as u64 == bytes;
    match read(&mut rest) {
        Some(Some(entries)) if entries <= 0 => nothing("a dump"),
        Some(Some(entries)) => {
            let after = bytes - (head.len() - rest.rest.len()) as u64;
            let least = entries.unsigned_abs().saturating_mul(LEAST_ENTRY_BYTES);
            if after < least { cut("the dump") } else { Verdict::Good }
        }
        None if whole => cut("the dump"),
        Some(None) | None => Verdict::Good,
    }
}

struct Header<'a> {
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// A sign, then so many bytes from the lowest on.
    fn number(&mut self, bytes: usize) -> Option<i64> {
        let (sign, digits) = self.take(1 + bytes)?.split_first()?;
        let value = digits
            .iter()
            .rev()
            .try_fold(0_i64, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()))?;
        Some(if *sign == 0 { value } else { -value })
    }
}

#[cfg(test)]
mod tests;
