//! The book's verification recipe, taken from the book and run with bash and standard tools only.

use std::fs;
use std::path::Path;
use std::process::Command;

use lifeboat::core::fact::RecordRef;
use lifeboat::core::witness;
use lifeboat::journal::{Entry, Journal};

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
        let wanted = RecordRef { seq: head.seq, checksum: head.checksum };
        let output = Command::new("sh")
            .args(["-c", &block("sh")])
            .env("JOURNAL", folder.path())
            .env("SEQ", wanted.seq.to_string())
            .output()
            .unwrap();
        let (said, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.trim_end(), witness::words(Some(&wanted)), "{errors}");
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
