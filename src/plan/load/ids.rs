//! The names that a plan declares, collected before anything else is read so that every reference can be
//! checked where it stands.

use super::document::Document;
use crate::base::toml::near::near_miss;
use crate::base::toml::{Diagnostic, Report, Span};
use crate::plan::keys::Named;
use crate::plan::kinds::ProbeKind;
use crate::plan::registry::Registry;
use indexmap::{IndexMap, IndexSet};

/// Longest name.
const MAX_NAME: usize = 64;

/// Declared names with their places.
#[derive(Default)]
pub(crate) struct Ids {
    sections: IndexMap<&'static str, IndexMap<String, Span>>,
    /// The kind of each probe, where it names a known one.
    pub(crate) kinds: IndexMap<String, &'static ProbeKind>,
}

impl Ids {
    pub(crate) fn collect(document: &Document, registry: &Registry, report: &Report) -> Self {
        let mut ids = Self::default();
        for (section, things) in document.things() {
            let mut names = IndexMap::with_capacity(things.len());
            for (name, entry) in things {
                if !is_name(name) {
                    report.add(bad_name(name, entry.key_place));
                }
                names.insert(name.clone(), entry.key_place);
            }
            ids.sections.insert(section, names);
        }
        for (name, entry) in document.named("probes") {
            let kind = entry.node.table().and_then(|table| table.get("kind")?.node.text());
            if let Some(kind) = kind.and_then(|kind| registry.probe(kind)) {
                ids.kinds.insert(name.clone(), kind);
            }
        }
        let destinations = [("tree", "question"), ("runbooks", "runbook"), ("leaves", "leaf")];
        ids.check_shared(&destinations, "answers lead to names", report);
        ids.check_shared(&[("contacts", "contact"), ("rotations", "rotation")], "`who` takes names", report);
        ids
    }

    /// Where a name can mean a thing of several sections, it cannot be two of them.
    fn check_shared(&self, sections: &[(&str, &'static str)], why: &str, report: &Report) {
        let mut seen: IndexMap<&str, (Span, &str)> = IndexMap::new();
        for (section, what) in sections.iter().copied() {
            for (name, place) in self.section(section) {
                match seen.get(name.as_str()) {
                    Some((first, other)) => report.add(
                        Diagnostic::error(
                            "duplicate-name",
                            *place,
                            format!("`{name}` is a {other} and a {what}"),
                        )
                        .also(*first, format!("the {other}"))
                        .help(format!("{why}, so each may be used once: rename one of them")),
                    ),
                    None => {
                        seen.insert(name, (*place, what));
                    }
                }
            }
        }
    }

    pub(crate) fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Span)> {
        self.sections.get(name).into_iter().flatten()
    }

    pub(crate) fn has(&self, section: &str, name: &str) -> bool {
        self.sections.get(section).is_some_and(|names| names.contains_key(name))
    }

    /// Whether a name refers to something, given the steps of the runbook at hand.
    pub(crate) fn knows(&self, named: Named, name: &str, steps: Option<&IndexSet<String>>) -> bool {
        match named {
            Named::Step => steps.is_some_and(|steps| steps.contains(name)),
            _ => sections(named).iter().any(|section| self.has(section, name)),
        }
    }

    /// What to write instead of an unknown name.
    pub(crate) fn help(&self, named: Named, name: &str, steps: Option<&IndexSet<String>>) -> String {
        let declared = sections(named).iter().flat_map(|section| self.section(section)).map(|(name, _)| name);
        let known: Vec<&str> = match named {
            Named::Step => steps.into_iter().flatten().map(String::as_str).collect(),
            _ => declared.map(String::as_str).collect(),
        };
        near_or_list(name, &known, named.what())
    }
}

/// `did you mean …?`, or the known names when they are few.
pub(crate) fn near_or_list(word: &str, known: &[&str], what: &str) -> String {
    near_miss(word, known.iter().copied()).unwrap_or_else(|| match known.len() {
        0 => format!("the plan has no {what}"),
        1..=12 => format!("known: {}", known.join(", ")),
        count => format!("the plan has {count} others, none of a similar name"),
    })
}

fn sections(named: Named) -> &'static [&'static str] {
    match named {
        Named::Region => &["regions"],
        Named::Service => &["services"],
        Named::Probe => &["probes"],
        Named::Backup => &["backups"],
        Named::Runbook => &["runbooks"],
        Named::Contact => &["contacts"],
        Named::Channel => &["channels"],
        Named::Audience => &["audiences"],
        Named::Who => &["contacts", "rotations"],
        Named::Question => &["tree"],
        Named::Destination => &["tree", "runbooks", "leaves"],
        Named::Step => &[],
    }
}

/// Letters, digits, `-` and `_`, beginning with a letter or digit: names appear in conditions, on the command
/// line and in file names.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

pub(crate) fn bad_name(name: &str, place: Span) -> Diagnostic {
    let message = format!("`{}` cannot be a name", crate::base::text::clean(name, 80));
    Diagnostic::error("bad-name", place, message)
        .help(format!("use up to {MAX_NAME} letters, digits, `-` and `_`, beginning with a letter or digit"))
}
