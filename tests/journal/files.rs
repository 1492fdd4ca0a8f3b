//! What lies in the place of a journal's files: links, pipes, other people's, and names that are none of a segment.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lifeboat::journal::{Journal, JournalError, read, verify};
use rustix::fs::{CWD, Mode, mkfifoat};

use crate::{journal_of, options, segment};

/// A name, and how the folder is made so.
type Case = (&'static str, fn(&Path));

#[test]
fn a_pipe_or_a_link_in_the_place_of_a_segment_is_bad_and_holds_up_nobody() {
    let lay: [Case; 3] = [
        ("a pipe", |path| mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap()),
        ("a symbolic link", |path| symlink("/dev/null", path).unwrap()),
        ("a folder or a device", |path| fs::create_dir(path).unwrap()),
    ];
    for (kind, lay) in lay {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        drop(journal_of(dir, &["one", "two"]));
        lay(&segment(dir, 2));
        let bad = verify(dir).unwrap().bad.unwrap();
        assert_eq!((bad.segment.as_str(), bad.seq), ("000002.jsonl", 3));
        assert!(bad.reason.contains(kind), "{bad}");
        assert!(read(dir).unwrap().any(|record| record.is_err()));
        assert!(Journal::open(dir, &options(800)).unwrap_err().to_string().contains(kind));
    }
}

#[test]
fn a_segment_that_is_a_link_to_a_good_one_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    drop(journal_of(dir, &["one", "two"]));
    fs::rename(segment(dir, 1), dir.join("real")).unwrap();
    symlink("real", segment(dir, 1)).unwrap();
    assert!(verify(dir).unwrap().bad.unwrap().reason.contains("symbolic link"));
}

#[test]
fn what_is_no_lock_of_a_journal_is_not_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let precious = dir.with_extension("precious");
    fs::write(&precious, "keys").unwrap();
    for lay in [
        |lock: &Path, from: &Path| symlink(from, lock).unwrap(),
        |lock: &Path, from: &Path| {
            fs::hard_link(from, lock).unwrap();
        },
    ] {
        let lock = dir.join("lock");
        let _ = fs::remove_file(&lock);
        lay(&lock, &precious);
        let error = Journal::open(dir, &options(800)).unwrap_err();
        assert!(matches!(error, JournalError::Io { .. }), "{error}");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "keys");
    }
    fs::remove_file(&precious).unwrap();
}

#[test]
fn a_lock_keeps_its_room_for_the_next_process_id_and_tells_that_nobody_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock");
    drop(journal_of(folder.path(), &["one"]));
    assert_eq!(
        fs::read_to_string(&lock).unwrap(),
        "\n",
        "one byte keeps the block that a full disk would not give"
    );
    assert_eq!(
        (lifeboat::journal::holder(folder.path()), lifeboat::journal::is_held(folder.path())),
        (None, false)
    );
    fs::write(&lock, "1234567890\n").unwrap();
    let (_journal, _) = Journal::open(folder.path(), &options(800)).unwrap();
    assert_eq!(fs::read_to_string(&lock).unwrap(), format!("{}\n", std::process::id()));
    assert_eq!(lifeboat::journal::holder(folder.path()), Some(std::process::id()));
}

#[test]
fn a_folder_that_is_a_link_is_read_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    drop(journal_of(&real, &["one"]));
    symlink(&real, &link).unwrap();
    assert!(verify(&link).unwrap().is_good());
    let error = Journal::open(&link, &options(800)).unwrap_err().to_string();
    assert!(error.contains("symbolic link") && error.contains(link.to_str().unwrap()), "{error}");
}
