//! The layout of the code: its floors, and that every file belongs to the build.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The files below a folder, as paths from the root of the repository.
pub fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The floors, lowest first, as the doc of `src/lib.rs` lists them.
fn floors() -> Vec<String> {
    let library = text("src/lib.rs");
    let lines = library.lines().filter(|line| line.starts_with("//! - ") || line.starts_with("//!   "));
    let names = lines.flat_map(|line| line.split("[`").skip(1));
    names.map(|name| name.split('`').next().unwrap().to_owned()).collect()
}

/// The modules of this crate that a line of code names, by their first part: comments are no code.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        // A group would hide what it names.
        if rest.starts_with('{') { Some("{") } else { Some(&rest[..end]).filter(|name| !name.is_empty()) }
    })
}

/// What a file of a floor names that stands above it, with the line.
fn upward(floors: &[String], path: &str, text: &str) -> Vec<String> {
    // The tests' own kit is part of no build: all may use it, and it uses all.
    let height = |name: &str| match name {
        "testing" => Some(0),
        name => floors.iter().position(|floor| floor == name),
    };
    let Some(own) = path.split('/').nth(1).and_then(height) else { return vec![format!("{path}: no floor")] };
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let above = named(line).filter(|name| height(name).is_none_or(|height| height > own));
        found.extend(above.map(|name| format!("{path}:{}: {name}", number + 1)));
    }
    found
}

#[test]
fn a_floor_imports_only_floors_below_it() {
    let floors = floors();
    let folders: BTreeSet<String> = files_below("src")
        .iter()
        .filter(|path| path.matches('/').count() > 1 && is_of_a_floor(path))
        .map(|path| first(path))
        .collect();
    assert_eq!(folders, floors.iter().cloned().collect(), "floors of src/lib.rs");
    let mut found = Vec::new();
    for path in files_below("src").iter().filter(|path| is_of_a_floor(path)) {
        found.extend(upward(&floors, path, &text(path)));
    }
    assert!(found.is_empty(), "upward imports:\n{}", found.join("\n"));
    let upward =
        upward(&floors, "src/core/x.rs", "use crate::engine::Run;\nlet x = crate::plan::Plan; // crate::cli");
    assert_eq!(upward, ["src/core/x.rs:1: engine"]);
}

fn is_of_a_floor(path: &str) -> bool {
    !["src/lib.rs", "src/main.rs"].contains(&path) && !path.starts_with("src/testing/")
}

fn first(path: &str) -> String {
    path.split('/').nth(1).unwrap().to_owned()
}

/// Where a file's `mod` line can stand.
fn parents(path: &str) -> Vec<String> {
    let own = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap();
    let (folder, _) = own.rsplit_once('/').unwrap();
    ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .chain([format!("{folder}.rs")])
        .collect()
}

#[test]
fn every_file_is_named_by_a_module() {
    let roots = ["src/lib.rs", "src/main.rs"];
    let mut lost = Vec::new();
    let sources = files_below("src");
    let tests = files_below("tests").into_iter().filter(|path| path.matches('/').count() > 1);
    for path in sources.into_iter().chain(tests) {
        if roots.contains(&path.as_str()) || path.ends_with("/main.rs") || path.contains("/support/") {
            continue;
        }
        let name = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap();
        let name = name.rsplit_once('/').unwrap().1;
        let line = format!("mod {name};");
        let is_named = |parent: &String| {
            let text = fs::read_to_string(root().join(parent)).unwrap_or_default();
            text.lines()
                .any(|found| found.trim_start().ends_with(&line) && !found.trim_start().starts_with("//"))
        };
        if !parents(&path).iter().any(is_named) {
            lost.push(path);
        }
    }
    assert!(lost.is_empty(), "never compiled:\n{}", lost.join("\n"));
}

/// Whether it is part of no build but the tests'.
pub fn is_of_tests(path: &str) -> bool {
    ["/tests", "/testing"].iter().any(|name| path.contains(name))
}

/// Text in quotes on a line of code.
pub fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split("//").next().unwrap_or_default().split('"').skip(1).step_by(2)
}

/// The code of a file without its tests.
pub fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// Kinds that a line names. A name of one word is often another thing too: it counts where the kind of something is looked
/// at, as what a name begins or ends with does.
fn kinds_named<'l>(kinds: &BTreeSet<&str>, line: &'l str) -> Vec<&'l str> {
    let looks = [".action", ".kind"].iter().any(|field| line.contains(field));
    let matches = [".starts_with(", ".ends_with(", ".contains("].iter().any(|by| line.contains(by));
    let is_named = |text: &&str| {
        let whole = kinds.contains(text) && (looks || text.contains('-'));
        let part = looks && matches && text.len() > 2 && kinds.iter().any(|kind| kind.contains(text));
        whole || part
    };
    quoted(line).filter(is_named).collect()
}

/// What others than the kind itself have to know of it stands with its description (`Does`, `Sees`, `sets` and others), so
/// that whoever adds a kind is asked for it by the compiler.
#[test]
fn no_kind_is_named_outside_of_its_providers_folder() {
    use lifeboat::providers;
    let probes = providers::probes().map(|row| row.kind.name);
    let actions = providers::actions().map(|row| row.kind.name);
    let channels = providers::channels().map(|row| row.kind.name);
    let kinds: BTreeSet<&str> = probes.chain(actions).chain(channels).collect();
    assert!(kinds.len() > 25, "{kinds:?}");
    let is_outside = |path: &String| !path.starts_with("src/providers/") && !is_of_tests(path);
    let mut found = Vec::new();
    for path in files_below("src").iter().filter(|path| is_outside(path)) {
        let text = text(path);
        for (number, line) in without_tests(&text).lines().enumerate() {
            found.extend(
                kinds_named(&kinds, line).iter().map(|kind| format!("{path}:{}: {kind}", number + 1)),
            );
        }
    }
    assert!(found.is_empty(), "kinds by their names:\n{}", found.join("\n"));
    for (line, named) in [
        ("let x = spec.sees == Sees::Standby; // \"postgres-replication\"", 0),
        ("\"postgres-replication\" => 1,", 1),
        ("step.action == \"manual\"", 1),
        ("step.action.starts_with(\"rds-\")", usize::from(cfg!(feature = "aws"))),
        ("spec.kind.ends_with(\"fence\")", 1),
        ("(Action::Note, \"note\")", 0),
    ] {
        assert_eq!(kinds_named(&kinds, line).len(), named, "{line}");
    }
}

/// The public items of a file that no doc stands above, with their lines. A field says what it is by its name and type, where
/// it can, and a key of a plan by the text that it has for the reference.
fn undocumented(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect();
    let is_item = |line: &str| {
        let rest = line.trim_start().strip_prefix("pub ").unwrap_or_default();
        let rest = rest.trim_start_matches("async ").trim_start_matches("const ");
        ["fn ", "struct ", "enum ", "trait ", "type ", "static "].iter().any(|word| rest.starts_with(word))
            || (line.trim_start().starts_with("pub const ") && !line.contains(": Key ="))
    };
    let has_doc = |at: usize| {
        let mut is_inside = false;
        let attribute = |line: &&str| {
            is_inside = !line.starts_with("#[") && (is_inside || line.ends_with(")]"));
            is_inside || line.starts_with("#[") || line.starts_with("$(#[")
        };
        let mut above = lines[..at].iter().rev().map(|line| line.trim_start()).skip_while(attribute);
        above.next().is_some_and(|line| line.starts_with("///") || line.starts_with("//!"))
    };
    let items = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| is_item(line) && !line.contains("$name") && !has_doc(*at));
    items.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())).collect()
}

#[test]
fn every_public_item_says_what_it_is() {
    let files = files_below("src").into_iter().filter(|path| !is_of_tests(path));
    let found: Vec<String> = files.flat_map(|path| undocumented(&path, &text(&path))).collect();
    assert!(found.is_empty(), "without a doc:\n{}", found.join("\n"));
    let sample = "/// It is.\n#[must_use]\npub fn a() {}\n\npub async fn b() {}\n    pub field: u8,\npub const C: u8 = 1;\n";
    assert_eq!(undocumented("x", sample), ["x:5: pub async fn b() {}", "x:7: pub const C: u8 = 1;"]);
}
