//! The crash sweep: whatever the length at which the last write stopped, opening loses only what was unfinished.

use std::fs;

use lifeboat::journal::{Journal, read, verify};

use crate::{entry, journal_of, options, segment};

#[test]
fn a_journal_cut_at_any_byte_opens_and_loses_only_the_unfinished_record() {
    let source = tempfile::tempdir().unwrap();
    drop(journal_of(source.path(), &["one", "two", "three", "four"]));
    let first = fs::read(segment(source.path(), 1)).unwrap();
    let last = fs::read(segment(source.path(), 2)).unwrap();

    for length in 0..=last.len() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        fs::write(segment(dir, 1), &first).unwrap();
        fs::write(segment(dir, 2), &last[..length]).unwrap();
        // A record that lacks but its newline is complete, and may have been acknowledged.
        let lacks_newline = last.get(length) == Some(&b'\n');
        let complete =
            last[..length].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let newlines = last[..complete].iter().filter(|byte| **byte == b'\n').count() as u64;
        let records = 2 + newlines + u64::from(lacks_newline);

        let (mut journal, recovery) = Journal::open(dir, &options(1 << 20)).unwrap();
        assert_eq!((recovery.records, recovery.segments, recovery.head.seq), (records, 2, records));
        assert_eq!(recovery.ended.is_some(), lacks_newline, "at {length}");
        assert_eq!(recovery.torn.is_some(), complete < length && !lacks_newline, "at {length}");
        if let Some(torn) = recovery.torn {
            assert_eq!(fs::read(&torn.kept).unwrap(), last[complete..length], "at {length}");
            assert!(torn.cut && torn.segment == "000002.jsonl");
        }
        assert_eq!(verify(dir).unwrap().records, records);
        assert!(verify(dir).unwrap().is_good(), "at {length}");

        journal.append(&[entry("after")]).unwrap();
        assert_eq!(read(dir).unwrap().last().unwrap().unwrap().action, "after");
        assert!(verify(dir).unwrap().is_good(), "after an append, at {length}");
    }
}

#[test]
fn a_bad_record_that_is_not_an_unfinished_tail_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    drop(journal_of(dir, &["one", "two", "three"]));
    for (number, name) in [(1, "000001.jsonl line 1"), (2, "000002.jsonl line 1")] {
        let path = segment(dir, number);
        let good = fs::read(&path).unwrap();
        let mut changed = good.clone();
        changed[20] ^= 1;
        fs::write(&path, &changed).unwrap();
        let error = Journal::open(dir, &options(800)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("never repaired"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), changed);
        fs::write(&path, good).unwrap();
    }
    Journal::open(dir, &options(800)).unwrap();
}
