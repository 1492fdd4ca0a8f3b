//! The two commands of the README are those that are tested.

use crate::page::{Page, root};
use std::path::Path;

const DEMO: &str = "cargo run --no-default-features -- demo";
const TESTS: &str = "tests/all.sh";

#[test]
fn its_two_commands_are_what_the_tests_run() {
    let readme = Page::read(Path::new("README.md"));
    let shell = readme.blocks.iter().filter(|block| block.language == "sh");
    let lines: Vec<&str> = shell.flat_map(|block| &block.lines).map(String::as_str).collect();
    for command in [DEMO, TESTS] {
        assert!(
            lines.iter().any(|line| line.split('#').next().unwrap().trim() == command),
            "{command}: {lines:?}"
        );
    }
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    assert!(read(".ci/run").contains(TESTS), "the checks of every change run {TESTS}");
    // `cargo test` makes the program in the profile of `cargo run`; once more with the features of the README.
    assert!(read(".ci/run").contains("cargo test --locked --no-default-features --test tty the_demo"));
    assert!(read(TESTS).contains("cargo test --locked --no-fail-fast --lib --bins --tests"));
    assert!(read("tests/tty/console.rs").contains("\"demo\""), "the demo is walked in a pseudo-terminal");
    assert!(read("tests/tty/console.rs").contains("fn the_demo_"), "and that test has the name that is run");
}

#[test]
fn its_picture_is_80_columns_and_says_that_it_is_simulated() {
    let readme = Page::read(Path::new("README.md"));
    let picture = readme.blocks.iter().find(|block| block.lines.len() == 24).unwrap();
    assert!(picture.lines[0].contains("SIMULATED"), "{}", picture.lines[0]);
    assert!(picture.lines.iter().all(|line| line.chars().count() <= 80));
}
