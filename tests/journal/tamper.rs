//! The tamper corpus: every small change to a journal is generated, and verification finds each and names the place.

use std::fs;
use std::path::Path;

use lifeboat::journal::{Noted, Verification, verify, verify_against};

use crate::{journal_of, lines, segment};

const ACTIONS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// A journal of five records in three segments: two, two and one.
fn corpus(dir: &Path) -> Noted {
    let head = Noted::from(journal_of(dir, &ACTIONS).head());
    let sizes: Vec<usize> = (1..=3).map(|number| lines(dir, number).len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert!(verify_against(dir, &head).unwrap().is_good());
    head
}

/// Sequence number of the record that holds byte `at` of segment `number`.
fn seq_at(bytes: &[u8], at: usize, number: u32) -> u64 {
    let before = bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
    u64::from(number - 1) * 2 + before + 1
}

fn assert_found(found: &Verification, seq: u64, change: &str) {
    let Some(bad) = &found.bad else { panic!("not found: {change}") };
    assert_eq!((bad.seq, found.records), (seq, seq - 1), "{change}: {}", bad.reason);
}

/// Puts each of `changed` in the place of segment `number` and expects that the record with its number is found.
fn sweep(dir: &Path, number: u32, changes: impl Iterator<Item = (u64, Vec<u8>, String)>) {
    let path = segment(dir, number);
    let original = fs::read(&path).unwrap();
    for (seq, changed, change) in changes {
        fs::write(&path, changed).unwrap();
        assert_found(&verify(dir).unwrap(), seq, &format!("{change} in segment {number}"));
    }
    fs::write(&path, original).unwrap();
    assert!(verify(dir).unwrap().is_good());
}

#[test]
fn every_replaced_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    for number in 1..=3 {
        let bytes = fs::read(segment(folder.path(), number)).unwrap();
        let values = |byte: u8| {
            let flips = (0..8).map(move |bit| byte ^ (1 << bit));
            flips.chain(*b"\n\r\0 \"0}").filter(move |value| *value != byte)
        };
        let changes = (0..bytes.len()).flat_map(|at| values(bytes[at]).map(move |value| (at, value)));
        sweep(
            folder.path(),
            number,
            changes.map(|(at, value)| {
                let mut changed = bytes.clone();
                changed[at] = value;
                (seq_at(&bytes, at, number), changed, format!("byte {at} replaced by {value:#x}"))
            }),
        );
    }
}

#[test]
fn every_deleted_or_inserted_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    for number in 1..=3 {
        let bytes = fs::read(segment(folder.path(), number)).unwrap();
        let deleted = (0..bytes.len()).map(|at| {
            let mut changed = bytes.clone();
            changed.remove(at);
            (seq_at(&bytes, at, number), changed, format!("byte {at} deleted"))
        });
        sweep(folder.path(), number, deleted);
        let inserted = (0..=bytes.len()).flat_map(|at| b"\n\0 a}".iter().map(move |value| (at, *value)));
        // A newline before a newline is a newline after it, which is the next place.
        let inserted = inserted.filter(|(at, value)| *value != b'\n' || bytes.get(*at) != Some(value));
        sweep(
            folder.path(),
            number,
            inserted.map(|(at, value)| {
                let mut changed = bytes.clone();
                changed.insert(at, value);
                (seq_at(&bytes, at, number), changed, format!("{value:#x} inserted at {at}"))
            }),
        );
    }
}

#[test]
fn every_truncation_is_found_except_at_the_end_of_a_record_and_that_against_a_head() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let head = corpus(dir);
    for number in 1..=3 {
        let path = segment(dir, number);
        let bytes = fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let seq = seq_at(&bytes, length, number);
            let whole_records = length == 0 || bytes[length - 1] == b'\n';
            let change = format!("segment {number} cut to {length} bytes");
            if number == 3 && whole_records {
                assert!(verify(dir).unwrap().is_good(), "{change}");
            } else {
                assert_found(&verify(dir).unwrap(), seq, &change);
            }
            assert_found(&verify_against(dir, &head).unwrap(), seq, &change);
        }
        fs::write(&path, bytes).unwrap();
    }
}

/// All lines of the journal, to be put back in other orders into segments of the same number of lines.
fn all_lines(dir: &Path) -> Vec<Vec<u8>> {
    (1..=3).flat_map(|number| lines(dir, number)).collect()
}

fn write_lines(dir: &Path, lines: &[Vec<u8>]) {
    let mut rest = lines;
    for (number, count) in [(1, 2), (2, 2), (3, usize::MAX)] {
        let (mine, others) = rest.split_at(rest.len().min(count));
        fs::write(segment(dir, number), mine.concat()).unwrap();
        rest = others;
    }
}

#[test]
fn every_line_deleted_duplicated_or_swapped_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let head = corpus(dir);
    let original = all_lines(dir);
    for at in 0..original.len() {
        let seq = at as u64 + 1;
        let mut changed = original.clone();
        changed.remove(at);
        write_lines(dir, &changed);
        assert_found(&verify_against(dir, &head).unwrap(), seq, "line deleted");
        assert_eq!(verify(dir).unwrap().is_good(), at + 1 == original.len(), "only the tail can go unseen");

        changed = original.clone();
        changed.insert(at, original[at].clone());
        write_lines(dir, &changed);
        assert_found(&verify(dir).unwrap(), seq + 1, "line duplicated");

        if at + 1 < original.len() {
            changed = original.clone();
            changed.swap(at, at + 1);
            write_lines(dir, &changed);
            assert_found(&verify(dir).unwrap(), seq, "line swapped with the next");
        }
    }
}

#[test]
fn a_missing_segment_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let head = corpus(dir);
    for (number, seq) in [(1, 1), (2, 3), (3, 5)] {
        let path = segment(dir, number);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let found = verify_against(dir, &head).unwrap();
        assert_found(&found, seq, "segment deleted");
        assert_eq!(verify(dir).unwrap().is_good(), number == 3);
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn a_journal_that_was_written_anew_is_found_against_a_head() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let head = corpus(old.path());
    journal_of(new.path(), &["one", "two", "something else", "four", "five", "six"]);
    assert!(verify(new.path()).unwrap().is_good());
    let found = verify_against(new.path(), &head).unwrap();
    assert_found(&found, 5, "rewritten");
    assert!(found.bad.unwrap().reason.contains("rewritten"));
}
