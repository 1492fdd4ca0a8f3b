//! The book's verification recipe, taken from the book and run with bash and standard tools only.

use std::fs;
use std::path::Path;
use std::process::Command;

use lifeboat::journal::{Entry, Head, Journal, Verification, spoken, verify};

use crate::{entry, journal_of, options, segment};

/// The one block of the book's page in this language.
fn block(language: &str) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/journal.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks: Vec<&str> = page.split(&*fence).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 1, "the page has exactly one recipe in {language}");
    blocks[0].to_owned()
}

/// How a journal is verified.
fn recipe() -> String {
    block("bash")
}

fn run(recipe: &str, dir: &Path) -> (bool, String) {
    let output = Command::new("bash").args(["-c", recipe]).env("JOURNAL", dir).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// A name, and how the folder is made so.
type Case = (&'static str, fn(&Path));

#[test]
fn the_recipe_accepts_a_good_journal_and_prints_its_head() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(folder.path(), &options(800)).unwrap();
    let strange = Entry { operator: "\0\n\r\\ \"é\u{1F600},\"checksum\":\"".to_owned(), ..entry("strange") };
    for entry in [entry("one"), strange, entry("three"), entry("four")] {
        journal.append(&[entry]).unwrap();
    }
    let (good, text) = run(&recipe(), folder.path());
    assert!(good, "{text}");
    assert!(text.contains(&format!("GOOD: 4 records, head {}", journal.head())), "{text}");
}

#[test]
fn the_words_of_a_message_are_computed_with_a_shell_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(folder.path(), &options(800)).unwrap();
    let mut heads = journal.append(&[entry("one"), entry("two")]).unwrap();
    heads.extend(journal.append(&[entry("three")]).unwrap());
    for head in heads {
        let wanted = Head { seq: head.seq, checksum: head.checksum };
        let output = Command::new("sh")
            .args(["-c", &block("sh")])
            .env("JOURNAL", folder.path())
            .env("SEQ", wanted.seq.to_string())
            .output()
            .unwrap();
        let (said, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.trim_end(), spoken::words(Some(&wanted)), "{errors}");
    }
}

#[test]
fn the_recipe_finds_changed_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    journal_of(dir, &["one", "two", "three"]);
    let recipe = recipe();
    for number in [1, 2] {
        let path = segment(dir, number);
        let bytes = fs::read(&path).unwrap();
        let last_line = bytes.len() - 12..bytes.len();
        for at in (0..bytes.len()).step_by(37).chain(last_line) {
            for value in
                [bytes[at] ^ 0x20, bytes[at] ^ 1, 0, b'\n'].into_iter().filter(|value| *value != bytes[at])
            {
                let mut changed = bytes.clone();
                changed[at] = value;
                fs::write(&path, &changed).unwrap();
                let (good, text) = run(&recipe, dir);
                assert!(
                    !good && text.contains("BAD"),
                    "byte {at} of segment {number} made {value:#x}: {text}"
                );
            }
            let (before, after) = bytes.split_at(at);
            fs::write(&path, [before, b"\0", after].concat()).unwrap();
            assert!(!run(&recipe, dir).0, "NUL inserted at {at} of segment {number}");
        }
        fs::write(&path, bytes).unwrap();
    }
    fs::remove_file(segment(dir, 1)).unwrap();
    assert!(!run(&recipe, dir).0, "the first segment is missing");
}

#[test]
fn the_recipe_agrees_with_verify_on_files_that_are_missing_renamed_or_no_files() {
    let cases: [Case; 13] = [
        ("nothing changed", |_| {}),
        ("an emptied folder", |dir| {
            (1..=3).for_each(|number| fs::remove_file(segment(dir, number)).unwrap())
        }),
        ("the last segment renamed with a gap", |dir| rename(dir, "000003.jsonl", "000004.jsonl")),
        ("a million segments later", |dir| rename(dir, "000003.jsonl", "1000000.jsonl")),
        ("an empty segment after a gap", |dir| fs::write(dir.join("000005.jsonl"), "").unwrap()),
        ("an empty segment at the end", |dir| fs::write(dir.join("000004.jsonl"), "").unwrap()),
        ("all of it in 1.jsonl", |dir| {
            (2..=3).for_each(|number| fs::remove_file(segment(dir, number)).unwrap());
            rename(dir, "000001.jsonl", "1.jsonl");
        }),
        ("the second as 0000002.jsonl", |dir| rename(dir, "000002.jsonl", "0000002.jsonl")),
        ("foreign names beside it", |dir| {
            for name in ["0000002.jsonl", "2x.jsonl", "000000.jsonl", "1.jsonl", "000009.jsonl.old"] {
                fs::write(dir.join(name), "not a record").unwrap();
            }
        }),
        ("a link", |dir| {
            rename(dir, "000002.jsonl", "real");
            std::os::unix::fs::symlink("real", dir.join("000002.jsonl")).unwrap();
        }),
        ("a link to nowhere", |dir| std::os::unix::fs::symlink("nowhere", dir.join("000004.jsonl")).unwrap()),
        ("the last newline gone", |dir| {
            let bytes = fs::read(segment(dir, 3)).unwrap();
            fs::write(segment(dir, 3), &bytes[..bytes.len() - 1]).unwrap();
        }),
        ("the last record cut", |dir| {
            let bytes = fs::read(segment(dir, 3)).unwrap();
            fs::write(segment(dir, 3), &bytes[..bytes.len() - 50]).unwrap();
        }),
    ];
    let recipe = recipe();
    for (case, lay) in cases {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        drop(journal_of(dir, &["one", "two", "three", "four", "five", "six"]));
        lay(dir);
        let (good, text) = run(&recipe, dir);
        let verified = verify(dir);
        assert_eq!(good, verified.as_ref().is_ok_and(Verification::is_good), "{case}: {text} {verified:?}");
        if let Ok(found) = verified.as_ref()
            && good
        {
            assert!(
                text.contains(&format!("GOOD: {} records, head {}", found.records, found.head)),
                "{case}: {text}"
            );
        }
    }
}

fn rename(dir: &Path, from: &str, to: &str) {
    fs::rename(dir.join(from), dir.join(to)).unwrap();
}
