use super::*;

/// One problem as somebody reads it.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// `file:line`.
    pub place: String,
    pub message: String,
    pub help: Option<String>,
}

impl Told {
    pub fn all(problems: &Diagnostics) -> Vec<Self> {
        let told = |problem: &Diagnostic| {
            let place = problem.place.as_ref().map(|(place, _)| problems.sources().describe(*place));
            let place = place.map(|place| place.rsplit_once(':').unwrap().0.to_owned());
            let place = place.or_else(|| problem.file.clone()).unwrap_or_default();
            Self { place, message: problem.message.clone(), help: problem.help.clone() }
        };
        problems.iter().map(told).collect()
    }
}

const BUILT_IN: &[(&str, &str)] = &[("base", ""), ("leaf", "inherits = 'base'")];

#[test]
fn a_user_file_shadows_the_built_in_and_may_inherit_from_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("base.toml"), "inherits = 'base'").unwrap();
    let layers = Layers::collect("theme", BUILT_IN, Some(folder.path()));
    assert_eq!(layers.names(), ["base", "leaf"]);
    let report = Report::default();
    let lineage = layers.lineage(layers.find("leaf").unwrap(), &report);
    let origins: Vec<_> = lineage.iter().map(|i| layers.sources()[*i].origin.clone()).collect();
    assert_eq!(report.errors(), 0);
    assert_eq!(origins[0], Origin::BuiltIn);
    assert!(matches!(origins[1], Origin::File(_)));
    assert_eq!(lineage.len(), 3);
}

#[test]
fn a_cycle_and_a_missing_parent_are_named_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one.toml"), "\ninherits = 'two'").unwrap();
    std::fs::write(folder.path().join("two.toml"), "inherits = 'one'").unwrap();
    std::fs::write(folder.path().join("three.toml"), "inherits = 'bsae'").unwrap();
    let layers = Layers::collect("theme", BUILT_IN, Some(folder.path()));
    let report = Report::default();
    layers.lineage(layers.find("one").unwrap(), &report);
    layers.lineage(layers.find("three").unwrap(), &report);
    let mut problems = Told::all(&report.finish(layers.texts(), |_| None));
    problems.sort_by_key(|problem| !problem.place.ends_with("two.toml:1"));
    assert!(problems[0].place.ends_with("two.toml:1"), "{:?}", problems[0]);
    assert!(problems[0].message.contains("one -> two -> one"));
    assert_eq!(problems[1].help.as_deref(), Some("did you mean `base`?"));
}

#[test]
fn unreadable_files_are_reported_and_do_not_hide_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("binary.toml"), [0xff, 0xfe]).unwrap();
    std::fs::write(folder.path().join("huge.toml"), vec![b'#'; 300 * 1024]).unwrap();
    let layers = Layers::collect("theme", BUILT_IN, Some(folder.path()));
    assert_eq!(layers.names(), ["base", "leaf"]);
    let messages: Vec<_> = layers.unreadable().iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["cannot be read: not UTF-8 text", "cannot be read: larger than 262144 bytes"]);
}

#[test]
fn a_missing_folder_is_an_empty_one() {
    let layers = Layers::collect("theme", BUILT_IN, Some(Path::new("/nonexistent/lifeboat")));
    assert_eq!(layers.unreadable(), []);
}
