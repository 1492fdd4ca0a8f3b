//! Opening: the lock, the check of what is there, and what happens to an unfinished last line.

use std::fs::DirBuilder;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags, fchmod};

use super::error::JournalError;
use super::line::begun;
use super::lock::{Lock, holder};
use super::reader::Reader;
use super::record::Head;
use super::segment::{self, Segment, sync_folder};
use super::writer::{Journal, Options};
use crate::base::folder::Folder;

/// What was found when the journal was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Good records found.
    pub records: u64,
    /// Segments found; 0 for a journal that was just created.
    pub segments: u32,
    /// The last good record found.
    pub head: Head,
    /// The unfinished last line, if there was one.
    pub torn: Option<TornTail>,
    /// The last record, where its newline was missing and was put back.
    pub ended: Option<EndedAgain>,
}

/// An unfinished last line that was set aside. A crash or a full disk leaves one before it is acknowledged, damage
/// afterwards: the bytes do not tell which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// File name of the segment.
    pub segment: String,
    /// Number of the record that it was to be.
    pub seq: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The action that it begins to record, as far as it tells.
    pub begun: Option<String>,
    /// Where a copy of the bytes is kept.
    pub kept: PathBuf,
    /// Whether it was cut off. Where the append-only attribute forbids that, it stays in the closed segment and the
    /// next segment begins with a [`TORN_TAIL`](super::TORN_TAIL) record that accounts for it.
    pub cut: bool,
}

/// A complete last record, with its checksum right, that no newline ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedAgain {
    /// File name of the segment.
    pub segment: String,
    /// The record's number.
    pub seq: u64,
    /// Where a copy of the line is kept, if another byte stood in the place of the newline.
    pub kept: Option<PathBuf>,
}

pub(super) fn open(dir: &Path, options: &Options) -> Result<(Journal, Recovery), JournalError> {
    let folder = own_folder(dir, options)?;
    let lock = Lock::take(&folder, options)?;
    let mut reader = read_all(&folder)?;
    let Some(length) = reader.record_without_newline() else {
        return open_locked(folder, options, lock, reader);
    };
    let ended = end_last_record(&folder, options, &reader, length)?;
    reader = read_all(&folder)?;
    let (journal, recovery) = open_locked(folder, options, lock, reader)?;
    Ok((journal, Recovery { ended: Some(ended), ..recovery }))
}

/// Opens again under a lock that was kept. A journal that held records is not begun anew where it is gone, and one that
/// does not end with `head` is another one, in which nothing is touched, nor its lock taken: it may be another engine's.
/// What follows the record that is known to be the last was not acknowledged, complete or not.
pub(super) fn reopen(
    dir: &Path,
    options: &Options,
    lock: Lock,
    head: &Head,
) -> Result<(Journal, Recovery), JournalError> {
    let found = Folder::follow(dir).and_then(|folder| segment::list(&folder));
    let gone = !found.is_ok_and(|segments| segments.contains(&1));
    let interfered = |why: String| Err(JournalError::Interfered { path: dir.to_owned(), why });
    if gone && head.seq > 0 {
        return interfered(lock.whereabouts(dir));
    }
    let folder = own_folder(dir, options)?;
    if lock.is_of(dir) {
        let reader = read_all(&folder)?;
        return open_locked(folder, options, lock, reader);
    }
    let found = read_all(&folder)?.chain.head;
    if found != *head {
        let who = holder(dir).map_or_else(String::new, |pid| format!(", which process {pid} writes"));
        let whereabouts = lock.whereabouts(dir);
        return interfered(format!("is another journal{who}; the one of this engine {whereabouts}"));
    }
    let lock = lock.take_again(&folder, options)?;
    let reader = read_all(&folder)?;
    open_locked(folder, options, lock, reader)
}

fn read_all(folder: &Folder) -> Result<Reader, JournalError> {
    let mut reader = Reader::new(folder.clone());
    while reader.next_line()?.is_some() {}
    Ok(reader)
}

/// The journal's folder, made where it is missing; it must be this user's own or root's.
fn own_folder(dir: &Path, options: &Options) -> Result<Folder, JournalError> {
    let made = create_folder(dir, options)?;
    let unfit = |error: io::Error| JournalError::unfit("use the journal's folder", dir, &error);
    let folder = Folder::open(dir).map_err(unfit)?;
    folder.expect_own().map_err(unfit)?;
    if made {
        // The set-group-id bit stays, by which the files get the group of the folder.
        let inherited = folder.owner().map_err(unfit)?.mode & 0o2000;
        let mode = Mode::from_bits_truncate(options.folder_mode() | inherited);
        fchmod(&folder, mode)
            .map_err(|error| JournalError::io("create the journal's folder", dir, &error.into()))?;
    }
    Ok(folder)
}

/// Puts the newline back behind a last record that is complete and has the right checksum: it may have been
/// acknowledged, so it is never set aside.
fn end_last_record(
    folder: &Folder,
    options: &Options,
    reader: &Reader,
    length: u64,
) -> Result<EndedAgain, JournalError> {
    let mut segment = Segment::open(folder, reader.segment, options)?;
    let mut ended =
        EndedAgain { segment: segment::name(reader.segment), seq: reader.chain.head.seq + 1, kept: None };
    if reader.unfinished().len() as u64 > length {
        ended.kept = Some(keep_aside(folder, ended.seq, reader.unfinished(), options)?);
        segment.cut(reader.complete_bytes + length, options).map_err(|error| JournalError::Io {
            what: "put the newline back behind the last record of",
            path: segment.path.clone(),
            why: format!("another byte stands in its place and cannot be cut off ({error})"),
            next: "The record itself is complete and may have been acknowledged. Start the engine as root, or take \
                   the append-only attribute off as root (`chattr -a`) and start it again",
        })?;
    }
    segment.append(b"\n", options)?;
    Ok(ended)
}

fn open_locked(
    folder: Folder,
    options: &Options,
    lock: Lock,
    mut reader: Reader,
) -> Result<(Journal, Recovery), JournalError> {
    let mut recovery = Recovery {
        records: reader.chain.head.seq,
        segments: reader.segment,
        head: reader.chain.head.clone(),
        torn: None,
        ended: None,
    };
    let segment = match reader.segment {
        0 => Segment::create(&folder, 1, options)?,
        number => Segment::open(&folder, number, options)?,
    };
    let head = recovery.head.clone();
    let mut journal = Journal { folder, options: options.clone(), segment, head, failed: None, lock };
    if !reader.unfinished().is_empty() {
        recovery.torn = Some(journal.set_tail_aside(&mut reader, Segment::cut)?);
    }
    if !reader.chain.unaccounted.is_empty() {
        journal.append_any(&[reader.chain.account_entry(Timestamp::now())])?;
    }
    Ok((journal, recovery))
}

impl Journal {
    /// Copies the unfinished last line aside and cuts it off. Where it may not be cut off, the segment is closed
    /// and the chain is told what stays in it.
    fn set_tail_aside(
        &mut self,
        reader: &mut Reader,
        cut: fn(&mut Segment, u64, &Options) -> io::Result<()>,
    ) -> Result<TornTail, JournalError> {
        let bytes = reader.unfinished().to_owned();
        let seq = self.head.seq + 1;
        let mut torn = TornTail {
            segment: segment::name(self.segment.number),
            seq,
            bytes: bytes.len() as u64,
            begun: begun(&bytes),
            kept: keep_aside(&self.folder, seq, &bytes, &self.options)?,
            cut: true,
        };
        match cut(&mut self.segment, reader.complete_bytes, &self.options) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                torn.cut = false;
                self.segment = Segment::create(&self.folder, self.segment.number + 1, &self.options)?;
                reader.next_line()?;
            }
            Err(error) => {
                return Err(JournalError::io("cut the unfinished line off", &self.segment.path, &error));
            }
        }
        Ok(torn)
    }
}

/// Writes the unfinished bytes to a file of their own, durably.
fn keep_aside(folder: &Folder, seq: u64, bytes: &[u8], options: &Options) -> Result<PathBuf, JournalError> {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%.9fZ");
    let name = format!("torn-{seq}-{time}.bin");
    let path = folder.path().join(&name);
    let write = || -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = folder.own_file(&name, flags, options.file_mode())?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| JournalError::io("keep an unfinished line in", &path, &error))?;
    sync_folder(folder)?;
    Ok(path)
}

/// Makes the folder, durably, where it is missing.
fn create_folder(dir: &Path, options: &Options) -> Result<bool, JournalError> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|folder| !folder.exists()).collect();
    let fail = |error| JournalError::io("create the journal's folder", dir, &error);
    DirBuilder::new().recursive(true).mode(options.folder_mode()).create(dir).map_err(fail)?;
    for parent in missing.iter().filter_map(|folder| folder.parent()) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        sync_folder(&Folder::follow(parent).map_err(fail)?)?;
    }
    Ok(!missing.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Entry, TORN_TAIL, read, verify};
    use std::fs::{self, OpenOptions};

    fn entry(action: &str) -> Entry {
        Entry {
            timestamp: Timestamp::UNIX_EPOCH,
            incident: None,
            operator: "ana".to_owned(),
            action: action.to_owned(),
            source: "console".to_owned(),
            destination: "db".to_owned(),
            status: "ok".to_owned(),
            detail: serde_json::Value::Null,
        }
    }

    /// A journal whose third line is unfinished, opened by someone who may not shorten the file.
    fn open_without_cutting(dir: &Path) -> (Journal, TornTail) {
        let options = Options { append_only: false, ..Options::default() };
        let (mut journal, _) = Journal::open(dir, &options).unwrap();
        journal.append(&[entry("one"), entry("two")]).unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(dir.join("000001.jsonl")).unwrap();
        file.write_all(b"{\"seq\":3,\"timest").unwrap();

        let folder = Folder::open(dir).unwrap();
        let mut reader = Reader::new(folder.clone());
        while reader.next_line().unwrap().is_some() {}
        let lock = Lock::take(&folder, &options).unwrap();
        let mut journal = Journal {
            segment: Segment::open(&folder, 1, &options).unwrap(),
            folder,
            options,
            head: reader.chain.head.clone(),
            failed: None,
            lock,
        };
        let torn =
            journal.set_tail_aside(&mut reader, |_, _, _| Err(ErrorKind::PermissionDenied.into())).unwrap();
        journal.append_any(&[reader.chain.account_entry(Timestamp::UNIX_EPOCH)]).unwrap();
        (journal, torn)
    }

    #[test]
    fn a_tail_that_may_not_be_cut_stays_and_is_accounted_for() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let (mut journal, torn) = open_without_cutting(dir);
        assert!(!torn.cut);
        assert_eq!(fs::read(&torn.kept).unwrap(), b"{\"seq\":3,\"timest");
        journal.append(&[entry("three")]).unwrap();

        let verification = verify(dir).unwrap();
        assert_eq!((verification.records, verification.bad), (4, None));
        let actions: Vec<String> = read(dir).unwrap().map(|record| record.unwrap().action).collect();
        assert_eq!(actions, ["one", "two", TORN_TAIL, "three"]);
    }

    #[test]
    fn what_stays_must_be_exactly_what_is_accounted_for() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        drop(open_without_cutting(dir));
        let path = dir.join("000001.jsonl");
        let whole = fs::read(&path).unwrap();
        for changed in [&whole[..whole.len() - 1], &[&whole[..], b"x"].concat(), &whole[..whole.len() - 16]] {
            fs::write(&path, changed).unwrap();
            let bad = verify(dir).unwrap().bad.unwrap();
            assert_eq!((bad.segment.as_str(), bad.line, bad.seq), ("000002.jsonl", 1, 3), "{}", bad.reason);
        }
    }

    #[test]
    fn a_crash_before_the_account_was_written_is_made_good_by_the_next_open() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        drop(open_without_cutting(dir));
        for rest in ["", "{\"seq\":3"] {
            fs::write(dir.join("000002.jsonl"), rest).unwrap();
            let bad = verify(dir).unwrap().bad.unwrap();
            assert_eq!(bad.segment, "000002.jsonl", "{}", bad.reason);
            let options = Options { append_only: false, ..Options::default() };
            let (journal, recovery) = Journal::open(dir, &options).unwrap();
            assert_eq!((recovery.records, journal.head().seq), (2, 3));
            assert_eq!(recovery.torn.is_some(), !rest.is_empty());
            assert!(verify(dir).unwrap().is_good());
        }
    }

    #[test]
    fn only_the_journal_accounts_for_torn_tails() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { append_only: false, ..Options::default() };
        let (mut journal, _) = Journal::open(folder.path(), &options).unwrap();
        assert!(journal.append(&[entry(TORN_TAIL)]).is_err());
        journal.append(&[entry("one")]).unwrap();
    }
}
