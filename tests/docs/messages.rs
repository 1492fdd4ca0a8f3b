//! What engine and console say to each other, against the version of it.

use crate::house::{files_below, is_of_tests, text, without_tests};
use lifeboat::engine::protocol::PROTOCOL_VERSION;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The version, and a digest of the types that such messages are made of.
const KNOWN: (u32, &str) = (12, "70ef078ef6319324");

/// Where such types stand: whole models travel, so nearly all of it can. What only the journal or a command line writes
/// is among it, and asks once too often.
const PLACES: [&str; 6] =
    ["src/base", "src/core", "src/journal", "src/plan", "src/secrets", "src/engine/protocol.rs"];

/// The types that can be written, without their comments: a moved or explained one is the same.
fn written(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim_end());
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let mut found = BTreeSet::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("#[derive("))
    {
        let indent = line.len() - line.trim_start().len();
        let is_last = |line: &&str| {
            let own = &line[indent.min(line.len())..];
            !own.starts_with([' ', '#', ')']) && own.ends_with(['}', ';'])
        };
        let item = &lines[at..=at + lines[at..].iter().position(is_last).unwrap()];
        let item: Vec<&str> = item.iter().map(|line| line.trim()).collect();
        if item.join(" ").split(")]").next().is_some_and(|derived| derived.contains("Serialize")) {
            found.insert(item.join("\n"));
        }
    }
    found
}

#[test]
fn a_change_of_what_engine_and_console_exchange_asks_for_its_version() {
    let is_sent = |path: &String| PLACES.iter().any(|place| path.starts_with(place)) && !is_of_tests(path);
    let files = files_below("src").into_iter().filter(is_sent);
    let types: BTreeSet<String> = files.flat_map(|path| written(without_tests(&text(&path)))).collect();
    assert!(types.len() > 120, "{}", types.len());
    let digest = Sha256::digest(types.into_iter().collect::<Vec<_>>().join("\n"));
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (PROTOCOL_VERSION, digest.as_str()),
        KNOWN,
        "Types changed that engine and console exchange. Where one that does not know the change cannot read the other, or \
         reads something else, PROTOCOL_VERSION grows (src/engine/protocol.rs). Then write what is left here."
    );
}

#[test]
fn a_type_is_found_whole_and_without_comments() {
    let sample = "/// A.\n#[derive(Debug, Serialize)]\n#[serde(rename_all = \"kebab-case\")]\npub enum A {\n    /// One.\n    \
                  One { a: u8 }, // Here.\n}\n#[derive(Debug)]\npub struct No;\nmod x {\n    #[derive(\n        Clone,\n        \
                  Serialize,\n    )]\n    pub struct B(u8);\n}\n";
    let found: Vec<String> = written(sample).into_iter().collect();
    assert_eq!(
        found,
        [
            "#[derive(\nClone,\nSerialize,\n)]\npub struct B(u8);",
            "#[derive(Debug, Serialize)]\n#[serde(rename_all = \"kebab-case\")]\npub enum A {\nOne { a: u8 },\n}",
        ]
    );
}
