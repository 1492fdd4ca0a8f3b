//! Opening: the lock, the check of what is there, and what happens to an unfinished last line.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::JournalError;
use super::lock::Lock;
use super::protection::AppendOnly;
use super::reader::Reader;
use super::record::Head;
use super::segment::{self, Segment, sync_folder};
use super::writer::{Journal, Options};

/// What was found when the journal was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Good records found.
    pub records: u64,
    /// Segments found; 0 for a journal that was just created.
    pub segments: u32,
    /// The last good record found.
    pub head: Head,
    /// The unfinished last line, if there was one. None of it had been acknowledged.
    pub torn: Option<TornTail>,
}

/// An unfinished last line, left by a crash or a full disk, that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// File name of the segment.
    pub segment: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where a copy of the bytes is kept.
    pub kept: PathBuf,
    /// Whether it was cut off. Where the append-only attribute forbids that, it stays in the closed segment and the
    /// next segment begins with a [`TORN_TAIL`](super::TORN_TAIL) record that accounts for it.
    pub cut: bool,
}

pub(super) fn open(dir: &Path, options: &Options) -> Result<(Journal, Recovery), JournalError> {
    create_folder(dir, options)?;
    let lock = Lock::take(dir, options)?;
    open_locked(dir, options, lock)
}

/// Opens again under a lock that was kept, or a new one where the folder is another one. A journal that held
/// records is not begun anew where it is gone.
pub(super) fn reopen(
    dir: &Path,
    options: &Options,
    lock: Lock,
    head: &Head,
) -> Result<(Journal, Recovery), JournalError> {
    let gone = !segment::list(dir).is_ok_and(|segments| segments.contains(&1));
    if gone && head.seq > 0 {
        let why = "is gone; put it back as it was".to_owned();
        return Err(JournalError::Interfered { path: dir.to_owned(), why });
    }
    if lock.is_of(dir) { open_locked(dir, options, lock) } else { open(dir, options) }
}

fn open_locked(dir: &Path, options: &Options, lock: Lock) -> Result<(Journal, Recovery), JournalError> {
    let mut reader = Reader::new(dir);
    while reader.next_line()?.is_some() {}

    let mut recovery = Recovery {
        records: reader.chain.head.seq,
        segments: reader.segment,
        head: reader.chain.head.clone(),
        torn: None,
    };
    let segment = match reader.segment {
        0 => Segment::create(dir, 1, options)?,
        number => Segment::open(dir, number, options)?,
    };
    let head = recovery.head.clone();
    let mut journal =
        Journal { dir: dir.to_owned(), options: options.clone(), segment, head, failed: None, lock };
    if !reader.unfinished().is_empty() {
        recovery.torn = Some(journal.set_tail_aside(&mut reader, cut)?);
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
        let mut torn = TornTail {
            segment: segment::name(self.segment.number),
            bytes: bytes.len() as u64,
            kept: keep_aside(&self.dir, self.head.seq + 1, &bytes, &self.options)?,
            cut: true,
        };
        match cut(&mut self.segment, reader.complete_bytes, &self.options) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                torn.cut = false;
                self.segment = Segment::create(&self.dir, self.segment.number + 1, &self.options)?;
                reader.next_line()?;
            }
            Err(error) => {
                return Err(JournalError::io("cut the unfinished line off", &self.segment.path, &error));
            }
        }
        Ok(torn)
    }
}

/// Shortens the segment, durably.
fn cut(segment: &mut Segment, length: u64, options: &Options) -> io::Result<()> {
    if segment.append_only == AppendOnly::Active && options.append_only {
        AppendOnly::clear(&segment.file)?;
    }
    segment.file.set_len(length)?;
    segment.file.sync_all()?;
    segment.length = length;
    if options.append_only {
        segment.append_only = AppendOnly::request(&segment.file);
    }
    Ok(())
}

/// Writes the unfinished bytes to a file of their own, durably.
fn keep_aside(dir: &Path, seq: u64, bytes: &[u8], options: &Options) -> Result<PathBuf, JournalError> {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%.9fZ");
    let path = dir.join(format!("torn-{seq}-{time}.bin"));
    let write = || -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(options.file_mode()).open(&path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| JournalError::io("keep an unfinished line in", &path, &error))?;
    sync_folder(dir)?;
    Ok(path)
}

fn create_folder(dir: &Path, options: &Options) -> Result<(), JournalError> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|folder| !folder.exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mode = options.folder_mode();
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(dir)
        .and_then(|()| fs::set_permissions(dir, fs::Permissions::from_mode(mode)))
        .map_err(|error| JournalError::io("create the journal's folder", dir, &error))?;
    missing.into_iter().filter_map(Path::parent).try_for_each(|parent| {
        let here = parent.as_os_str().is_empty();
        sync_folder(if here { Path::new(".") } else { parent })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Entry, TORN_TAIL, read, verify};

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

        let mut reader = Reader::new(dir);
        while reader.next_line().unwrap().is_some() {}
        let lock = Lock::take(dir, &options).unwrap();
        let mut journal = Journal {
            dir: dir.to_owned(),
            segment: Segment::open(dir, 1, &options).unwrap(),
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
