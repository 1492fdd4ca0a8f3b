//! Files that cannot be read, and files that should not be.

use crate::registry::registry;
use lifeboat::plan::{Diagnostics, load};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn problems(path: &Path) -> Diagnostics {
    load(path, &registry()).expect_err("the plan must not load")
}

#[track_caller]
fn assert_said(path: &Path, parts: &[&str]) {
    let said = problems(path).to_string();
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    fs::File::create(&path).unwrap().set_len(100_000_000).unwrap();
    assert_said(&path, &["100 MB", "limit is 4 MiB", "was not read"]);
}

#[test]
fn what_is_no_plan_is_said() {
    let folder = tempfile::tempdir().unwrap();
    assert_said(folder.path(), &["holds no .toml file"]);
    assert_said(&folder.path().join("absent"), &["there is no such file or folder"]);
    let looped = folder.path().join("loop.toml");
    symlink(&looped, &looped).unwrap();
    assert_said(&looped, &["symbolic links lead in a circle"]);
    assert_said(folder.path(), &["loop.toml", "circle"]);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.toml");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();
    assert_said(&path, &["not a regular file"]);
}

#[test]
fn an_unreadable_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    fs::write(&path, "[plan]").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        return; // root may read everything
    }
    assert_said(&path, &["plan.toml", "may not read"]);
}

#[test]
fn only_utf8_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    fs::write(&path, b"[plan]\nname = \"\xff\"").unwrap();
    assert_said(&path, &["not UTF-8", "line 2"]);
    fs::write(&path, b"\xff\xfe[\0p\0").unwrap();
    assert_said(&path, &["UTF-16"]);
}

#[test]
fn a_file_in_another_encoding_hides_no_other_error() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[plan]\nname = \"Ü\"\nstrategy = \"warm-stanby\"\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    fs::write(folder.path().join("b.toml"), "[services.api]\ntier = \"1\"\n").unwrap();
    for (bytes, encoding) in [
        ([&b"\xff\xfe"[..], &little].concat(), "UTF-16"),
        ([&b"\xfe\xff"[..], &big].concat(), "UTF-16"),
        (little, "UTF-16"),
        (big, "UTF-16"),
        (latin, "not UTF-8: the first bad byte is in line 2"),
    ] {
        fs::write(folder.path().join("a.toml"), bytes).unwrap();
        assert_said(
            folder.path(),
            &[
                encoding,
                "a.toml:3:12: error[bad-choice]",
                "did you mean `warm-standby`?",
                "b.toml:2:8: error[wrong-type]",
            ],
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_hides_no_mistake_of_spelling_and_makes_nothing_missing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a.toml")).unwrap();
    fs::write(folder.path().join("b.toml"), "[services.api]\ntier = = 1\nhealth.dr = [\"gone\"]\n").unwrap();
    let said = problems(folder.path()).to_string();
    assert!(said.contains("not a regular file") && said.contains("b.toml:2"), "{said}");
    assert!(!said.contains("gone"), "it may stand in the other file: {said}");
}

#[test]
fn a_thing_in_two_files_is_shown_in_both() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), "[plan]\nname = \"x\"\n[contacts.alice]\nname = \"A\"").unwrap();
    fs::write(folder.path().join("b.toml"), "[plan]\nname = \"y\"\n[contacts.alice]\nname = \"B\"").unwrap();
    assert_said(
        folder.path(),
        &[
            "b.toml:1:2: error[duplicate-table]: `plan` is in two files",
            "a.toml:1:2",
            "`contacts.alice` is in two files",
            "a.toml:3:11",
        ],
    );
}

#[test]
fn a_plan_with_thousands_of_problems_shows_some_and_counts_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    let rows: String = (0..3_000).map(|n| format!("[contacts.c{n}]\nnam = \"x\"\n")).collect();
    fs::write(&path, rows).unwrap();
    let problems = problems(&path);
    assert_eq!(problems.iter().count(), 100);
    assert!(problems.omitted() > 5_000);
    assert!(problems.to_string().contains("more problems"));
}
