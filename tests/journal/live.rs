//! Readers beside a writer.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lifeboat::journal::{Entry, Journal, read, verify};

use crate::{entry, journal_of, options, segment};

#[test]
fn a_journal_verifies_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (mut journal, _) = Journal::open(dir, &options(200_000)).unwrap();
    // Longer than a page, so that a reader can meet half a line.
    let long = Entry { status: "x".repeat(30_000), ..entry("long") };
    journal.append(std::slice::from_ref(&long)).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..300 {
                journal.append(&[entry("short"), long.clone()]).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        let mut seen = 0;
        while !done.load(Ordering::Acquire) {
            let verification = verify(dir).unwrap();
            assert_eq!(verification.bad, None);
            assert!(verification.records >= seen);
            seen = verification.records;
        }
    });
    let verification = verify(dir).unwrap();
    assert!(verification.is_good() && verification.segments > 10);
    assert_eq!(verification.records, 601);
}

#[test]
fn a_line_that_a_living_writer_has_begun_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    drop(journal_of(dir, &["one", "two"]));
    let whole = fs::read(segment(dir, 1)).unwrap();
    let (begun, rest) = whole.split_at(whole.len() - 100);
    fs::write(segment(dir, 1), begun).unwrap();
    assert_eq!(verify(dir).unwrap().records, 1, "no writer, nothing to wait for");

    fs::write(dir.join("lock"), format!("{}\n", std::process::id())).unwrap();
    thread::scope(|scope| {
        let verifier = scope.spawn(|| verify(dir).unwrap());
        // Whether the verifier meets half a line or the whole one, its verdict is the same.
        thread::sleep(Duration::from_millis(100));
        OpenOptions::new().append(true).open(segment(dir, 1)).unwrap().write_all(rest).unwrap();
        assert_eq!(verifier.join().unwrap().records, 2);
    });
}

#[test]
fn a_reader_is_not_confused_by_a_segment_that_closes_while_it_looks() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (mut journal, _) = Journal::open(dir, &options(800)).unwrap();
    let mut reader = read(dir).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..400 {
                journal.append(&[entry("short")]).unwrap();
            }
        });
        let mut records = 0;
        while records < 400 {
            let found: Vec<_> = reader.by_ref().collect::<Result<_, _>>().unwrap();
            records += found.len();
        }
    });
}

#[test]
fn a_reader_goes_on_when_the_journal_grows_into_new_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(folder.path(), &options(800)).unwrap();
    let mut reader = read(folder.path()).unwrap();
    assert!(reader.next().is_none());
    for action in ["one", "two", "three", "four", "five"] {
        journal.append(&[entry(action)]).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().action, action);
        assert!(reader.next().is_none());
    }
}
