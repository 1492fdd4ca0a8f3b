//! What an addition would forget without a word of the compiler.

use crate::house::{files_below, quoted, text, without_tests};
use lifeboat::plan::keys::{Key, Takes};
use lifeboat::plan::sections::{ADDRESSES, SECTIONS, Section};
use std::collections::BTreeSet;

/// The names of keys, with those of the tables within.
fn names(keys: &'static [Key]) -> Vec<&'static str> {
    let within = |key: &'static Key| match key.takes {
        Takes::Rows(keys) => names(keys),
        _ => Vec::new(),
    };
    keys.iter().flat_map(|key| [vec![key.name], within(key)].concat()).collect()
}

/// All that stands in quotes where a section is read: in the files of the loader that name it, or are named as it is.
fn read(section: &Section) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = ADDRESSES.iter().map(|name| (*name).to_owned()).collect();
    for path in files_below("src/plan/load") {
        let text = text(&path);
        let texts: BTreeSet<String> =
            without_tests(&text).lines().flat_map(quoted).map(str::to_owned).collect();
        if texts.contains(section.name) || path.ends_with(&format!("/{}.rs", section.name)) {
            found.extend(texts);
        }
    }
    found
}

/// A key that is declared is taken from every plan: where nobody reads it, it is accepted and means nothing.
#[test]
fn every_key_of_a_plan_is_read() {
    let mut lost = Vec::new();
    for section in SECTIONS {
        let read = read(section);
        let keys = [names(section.own), names(section.keys)].concat();
        lost.extend(
            keys.iter().filter(|key| !read.contains(**key)).map(|key| format!("{}.{key}", section.name)),
        );
    }
    assert!(lost.is_empty(), "nobody reads {}", lost.join(", "));
}

#[test]
fn every_file_of_a_subcommand_has_its_row() {
    let (files, rows) = (text("src/cli/commands/mod.rs"), text("src/cli/mod.rs"));
    let commands: Vec<&str> =
        files.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(commands.len() > 15, "{commands:?}");
    let lost: Vec<&&str> =
        commands.iter().filter(|command| !rows.contains(&format!("({command}::"))).collect();
    assert!(lost.is_empty(), "no command line leads to {lost:?}");
}
