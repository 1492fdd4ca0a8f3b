//! The end of a journal: what is complete is kept, and what was cut is never called harmless.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use lifeboat::journal::{Journal, JournalError, Noted, export, read, verify, verify_against};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use crate::{entry, journal_of, options, segment};

fn actions(dir: &Path) -> Vec<String> {
    read(dir).unwrap().map(|record| record.unwrap().action).collect()
}

/// A journal of three records in one segment, its last newline replaced by these bytes.
fn ended_by(dir: &Path, end: &[u8]) -> Noted {
    let (mut journal, _) = Journal::open(dir, &options(1 << 20)).unwrap();
    journal.append(&[entry("one"), entry("two"), entry("acknowledged")]).unwrap();
    let head = Noted::from(journal.head());
    drop(journal);
    let mut bytes = fs::read(segment(dir, 1)).unwrap();
    bytes.pop();
    bytes.extend_from_slice(end);
    fs::write(segment(dir, 1), bytes).unwrap();
    head
}

#[test]
fn an_acknowledged_record_whose_newline_is_gone_or_another_byte_is_kept() {
    for end in [&b""[..], b"\x0b", b"\r", b"\0", b"}", b" "] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let head = ended_by(dir, end);
        let bad = verify(dir).unwrap().bad.unwrap();
        assert_eq!(bad.seq, 3);
        assert!(
            bad.reason.contains("complete") && bad.reason.contains("may have been acknowledged"),
            "{bad}"
        );

        let (mut journal, recovery) = Journal::open(dir, &options(1 << 20)).unwrap();
        assert_eq!((recovery.records, recovery.torn), (3, None), "{end:?}");
        let ended = recovery.ended.unwrap();
        assert_eq!((ended.seq, ended.segment.as_str()), (3, "000001.jsonl"));
        assert_eq!(
            ended.kept.is_some(),
            !end.is_empty(),
            "the line as it was is kept where a byte was changed"
        );
        assert!(verify_against(dir, &head).unwrap().is_good(), "{end:?}");
        journal.append(&[entry("after")]).unwrap();
        assert_eq!(actions(dir), ["one", "two", "acknowledged", "after"]);
    }
}

#[test]
fn a_record_that_was_cut_may_have_been_acknowledged_and_says_what_it_was_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let head = ended_by(dir, b"\n");
    let whole = fs::read(segment(dir, 1)).unwrap();
    let begin = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in [begin + 1, begin + 60, whole.len() - 3] {
        fs::write(segment(dir, 1), &whole[..length]).unwrap();
        let bad = verify(dir).unwrap().bad.unwrap();
        assert!(bad.reason.contains("cannot be told") && bad.reason.contains("--head"), "{bad}");
        assert!(!bad.reason.contains("othing acknowledged"), "{bad}");
        let (_, recovery) = Journal::open(dir, &options(1 << 20)).unwrap();
        let torn = recovery.torn.unwrap();
        assert_eq!((torn.seq, recovery.records), (3, 2));
        assert_eq!(torn.begun.is_some(), length > begin + 100, "{torn:?}");
        assert!(torn.begun.is_none_or(|begun| begun == "`acknowledged`" && bad.reason.contains(&begun)));
        let bad = verify_against(dir, &head).unwrap().bad.unwrap();
        assert!(bad.reason.contains("tail was cut off"), "the head that was noted tells: {bad}");
    }
}

#[test]
fn what_shows_or_exports_a_journal_does_not_leave_a_damaged_end_out_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    ended_by(dir, b"");
    let mut out = Vec::new();
    let ended = [export::csv(dir, &mut out), export::json(dir, &mut out)];
    for result in ended {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("may have been acknowledged"), "{error}");
    }
    let mut reader = read(dir).unwrap();
    assert_eq!(reader.by_ref().count(), 2);
    assert!(reader.finish().is_err());
    // Where it is being written it is nobody's fault.
    fs::write(dir.join("lock"), format!("{}\n", std::process::id())).unwrap();
    assert!(reader.finish().is_ok());
}

#[test]
fn verify_names_the_ends_that_were_set_aside_however_good_the_rest_is() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    ended_by(dir, b"\n");
    let whole = fs::read(segment(dir, 1)).unwrap();
    assert!(verify(dir).unwrap().set_aside.is_empty());
    fs::write(segment(dir, 1), &whole[..whole.len() - 9]).unwrap();
    drop(Journal::open(dir, &options(1 << 20)).unwrap());
    let found = verify(dir).unwrap();
    assert!(found.is_good() && found.set_aside.len() == 1, "{found:?}");
    assert!(found.set_aside[0].starts_with("torn-3-"), "{found:?}");
}

#[test]
fn a_complete_record_that_does_not_follow_is_not_taken_for_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    ended_by(dir, b"\n");
    let whole = fs::read(segment(dir, 1)).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    OpenOptions::new().append(true).open(segment(dir, 1)).unwrap().write_all(&whole[..first]).unwrap();
    let (_, recovery) = Journal::open(dir, &options(1 << 20)).unwrap();
    assert!(recovery.torn.is_some() && recovery.ended.is_none());
    assert_eq!(actions(dir), ["one", "two", "acknowledged"]);
}

#[test]
fn a_wrong_last_byte_of_an_append_only_file_stops_the_engine_and_loses_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    ended_by(dir, b"x");
    let file = File::open(segment(dir, 1)).unwrap();
    let Ok(flags) = ioctl_getflags(&file) else { return gone_newline_of(dir) };
    if ioctl_setflags(&file, flags | IFlags::APPEND).is_err() {
        return gone_newline_of(dir);
    }
    let before = fs::read(segment(dir, 1)).unwrap();
    let error = Journal::open(dir, &options(1 << 20)).unwrap_err();
    let after = fs::read(segment(dir, 1)).unwrap();
    ioctl_setflags(&file, flags - IFlags::APPEND).unwrap();
    assert_eq!(after, before);
    assert!(matches!(error, JournalError::Io { .. }) && error.to_string().contains("chattr -a"), "{error}");
    gone_newline_of(dir);
}

/// Where the attribute is not granted, or is off again, the engine mends it.
fn gone_newline_of(dir: &Path) {
    assert!(Journal::open(dir, &options(1 << 20)).unwrap().1.ended.is_some());
    assert_eq!(actions(dir), ["one", "two", "acknowledged"]);
}

#[test]
fn a_record_of_a_refused_batch_is_not_taken_for_an_acknowledged_one_by_the_engine_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let journal = journal_of(dir, &["one"]);
    let (head, lock) = (journal.head().clone(), journal.lock());
    drop(journal);
    // All of another record but its newline reached the disk before the write failed.
    let other = tempfile::tempdir().unwrap();
    drop(journal_of(other.path(), &["one", "two"]));
    let two = fs::read(segment(other.path(), 1)).unwrap();
    fs::write(segment(dir, 1), &two[..two.len() - 1]).unwrap();
    let (journal, recovery) = Journal::reopen(dir, &options(800), lock, &head).unwrap();
    assert_eq!(*journal.head(), head, "{recovery:?}");
    assert!(recovery.torn.is_some());
}
