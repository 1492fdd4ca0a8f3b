//! Readers beside a writer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lifeboat::journal::{Entry, Journal, read, verify};

use crate::{entry, options};

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
