//! The files of a plan, merged.

use crate::base::toml::near::near_miss;
use crate::base::toml::node::{Entry, Node, NodeValue, Table, parse};
use crate::base::toml::{Diagnostic, Report, SourceFile, Sources, Span};
use crate::plan::sections::{self, SECTIONS, Section, Shape};
use indexmap::IndexMap;

/// A plan's tables, each with the places of the files it came from.
#[derive(Default)]
pub(crate) struct Document {
    single: IndexMap<&'static str, Entry>,
    named: IndexMap<&'static str, Table>,
}

impl Document {
    /// Nothing where a file has errors of syntax: what is left of it would only give misleading problems.
    pub(crate) fn merge(sources: &Sources, report: &Report) -> Option<Self> {
        let parse = |(file, source): (usize, &SourceFile)| parse(file, &source.text, report);
        let tables: Vec<Option<Table>> = sources.0.iter().enumerate().map(parse).collect();
        let mut document = Self::default();
        for table in tables.into_iter().collect::<Option<Vec<_>>>()? {
            for (name, entry) in table {
                match sections::find(&name) {
                    Some(section) => document.add(section, entry, report),
                    None => report.add(unknown_section(&name, entry.key_place)),
                }
            }
        }
        Some(document)
    }

    fn add(&mut self, section: &'static Section, entry: Entry, report: &Report) {
        let Shape::Named(_) = section.shape else { return self.add_single(section.name, entry, report) };
        let place = entry.key_place;
        let NodeValue::Table(things) = entry.node.value else {
            let example = format!("write a table for each: `[{}.name]`", section.name);
            let message = format!("`{}` takes tables, this is {}", section.name, entry.node.describe());
            return report.add(Diagnostic::error("wrong-type", place, message).help(example));
        };
        for (name, thing) in things {
            if section.own.iter().any(|key| key.name == name) {
                self.add_own(section, name, thing, report);
                continue;
            }
            let known = self.named.entry(section.name).or_default();
            match known.get(&name) {
                Some(first) => {
                    let message = format!("`{}.{name}` is in two files", section.name);
                    report.add(duplicate(message, thing.key_place, first.key_place));
                }
                None => {
                    known.insert(name, thing);
                }
            }
        }
    }

    fn add_single(&mut self, name: &'static str, entry: Entry, report: &Report) {
        match self.single.get(name) {
            Some(first) => {
                report.add(duplicate(format!("`{name}` is in two files"), entry.key_place, first.key_place));
            }
            None => {
                self.single.insert(name, entry);
            }
        }
    }

    /// A key of the section itself (`root` of the tree) is kept as a table under the section's name.
    fn add_own(&mut self, section: &'static Section, key: String, thing: Entry, report: &Report) {
        let holder = self.single.entry(section.name).or_insert_with(|| Entry {
            key_place: thing.key_place,
            node: Node { place: thing.key_place, value: NodeValue::Table(Table::default()) },
        });
        let NodeValue::Table(table) = &mut holder.node.value else { return };
        match table.get(&key) {
            Some(first) => {
                let message = format!("`{}.{key}` is in two files", section.name);
                report.add(duplicate(message, thing.key_place, first.key_place));
            }
            None => {
                table.insert(key, thing);
            }
        }
    }

    /// A section that is one table or list, or the own keys of one with things.
    pub(crate) fn single(&self, name: &str) -> Option<&Entry> {
        self.single.get(name)
    }

    /// The things of a section.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = (&String, &Entry)> {
        self.named.get(name).into_iter().flatten()
    }

    /// Every section with things.
    pub(crate) fn things(&self) -> impl Iterator<Item = (&'static str, &Table)> {
        self.named.iter().map(|(name, table)| (*name, table))
    }
}

fn duplicate(message: String, place: Span, first: Span) -> Diagnostic {
    Diagnostic::error("duplicate-table", place, message)
        .label("again here")
        .also(first, "first here")
        .help("keep one of them")
}

fn unknown_section(name: &str, place: Span) -> Diagnostic {
    let known = || SECTIONS.iter().map(|section| section.name);
    let help = near_miss(name, known())
        .unwrap_or_else(|| format!("a plan has the tables {}", known().collect::<Vec<_>>().join(", ")));
    let message = format!("unknown table `{}`", crate::base::text::clean(name, 80));
    Diagnostic::error("unknown-key", place, message).help(help)
}
