//! Reads a table against its keys: unknown and missing keys, defaults, values.

use super::ids::near_or_list;
use super::reader::{At, Reader};
use super::value::{Read, Value};
use crate::base::toml::node::{Entry, Node, NodeValue};
use crate::base::toml::{Diagnostic, Span};
use crate::plan::condition::Condition;
use crate::plan::keys::{Key, Need, Takes};
use crate::plan::params::Params;
use indexmap::IndexMap;
use jiff::SignedDuration;

/// The values of one table, by key.
pub(crate) struct Fields {
    pub(crate) place: Span,
    values: IndexMap<&'static str, Read>,
    /// Whether everything was there and right.
    pub(crate) complete: bool,
}

impl Fields {
    /// Reads a table. `place` is its header.
    pub(crate) fn read(reader: &Reader<'_>, keys: &[&'static [Key]], entry: &Entry, at: &At<'_>) -> Self {
        let mut fields = Self { place: entry.key_place, values: IndexMap::new(), complete: true };
        let Some(table) = entry.node.table() else {
            let message = format!("{} takes a table, this is {}", at.what, entry.node.describe());
            reader.report.add(Diagnostic::error("wrong-type", entry.node.place, message));
            return Self { complete: false, ..fields };
        };
        let all = || keys.iter().flat_map(|keys| keys.iter());
        for (name, value) in table {
            match all().find(|key| key.name == name) {
                Some(key) => fields.take(reader, key, &value.node, at),
                None => {
                    fields.complete = false;
                    reader.report.add(unknown_key(
                        name,
                        value.key_place,
                        &all().map(|key| key.name).collect::<Vec<_>>(),
                        at,
                    ));
                }
            }
        }
        for key in all().filter(|key| !table.contains_key(key.name)) {
            match key.need {
                Need::Required => {
                    fields.complete = false;
                    let message = format!("{} lacks `{}`", at.what, key.name);
                    let help = format!("{}: {}", key.takes.describe(), key.doc);
                    reader.report.add(Diagnostic::error("missing-key", entry.key_place, message).help(help));
                }
                Need::Default(value) => {
                    let node = default_node(key.takes, value, entry.key_place);
                    fields.take(reader, key, &node, at);
                }
                Need::Optional => {}
            }
        }
        fields
    }

    fn take(&mut self, reader: &Reader<'_>, key: &'static Key, node: &Node, at: &At<'_>) {
        match reader.value(key.takes, node, &At { key: key.name, ..*at }) {
            Some(value) if key.need == Need::Required && value.is_empty_list() => {
                self.complete = false;
                let message = format!("`{}` of {} is empty", key.name, at.what);
                reader.report.add(Diagnostic::error("empty-list", node.place, message).help(key.doc));
            }
            Some(value) => {
                self.values.insert(key.name, value);
            }
            None => self.complete = false,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Read> {
        self.values.get(key)
    }

    /// Reads the lists of tables among a kind's keys. Those of a section wait for the section.
    pub(crate) fn read_rows(&mut self, reader: &Reader<'_>, keys: &'static [Key], at: &At<'_>) {
        for key in keys {
            let (Takes::Rows(columns), Some(node)) = (key.takes, self.node(key.name)) else { continue };
            let NodeValue::List(rows) = node.value.clone() else { continue };
            let what = format!("`{}` of {}", key.name, at.what);
            let place = node.place;
            let rows = rows.into_iter().map(|node| {
                let entry = Entry { key_place: node.place, node };
                let row = Self::read(reader, &[columns], &entry, &At { what: &what, ..*at });
                self.complete &= row.complete;
                let row = row.values.into_iter().map(|(name, read)| (name.to_owned(), read)).collect();
                Read { value: Value::Table(row), place: entry.key_place }
            });
            let rows = Value::List(rows.collect());
            self.values.insert(key.name, Read { value: rows, place });
        }
    }

    pub(crate) fn place_of(&self, key: &str) -> Span {
        self.get(key).map_or(self.place, |read| read.place)
    }

    /// A text; empty where the plan is silent.
    pub(crate) fn text(&self, key: &str) -> String {
        self.get(key).and_then(Read::text).unwrap_or_default().to_owned()
    }

    pub(crate) fn text_or(&self, key: &str, default: &str) -> String {
        self.get(key).and_then(Read::text).unwrap_or(default).to_owned()
    }

    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        if let Value::Integer(value) = self.get(key)?.value { Some(value) } else { None }
    }

    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        if let Value::Number(value) = self.get(key)?.value { Some(value) } else { None }
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.get(key).map(|read| &read.value), Some(Value::Flag(true)))
    }

    pub(crate) fn duration(&self, key: &str) -> Option<SignedDuration> {
        if let Value::Duration(value) = self.get(key)?.value { Some(value) } else { None }
    }

    pub(crate) fn date(&self, key: &str) -> Option<jiff::civil::Date> {
        if let Value::Date(value) = self.get(key)?.value { Some(value) } else { None }
    }

    pub(crate) fn condition(&self, key: &str) -> Option<Condition> {
        if let Value::Condition(value) = &self.get(key)?.value { Some(value.clone()) } else { None }
    }

    /// The members of a list; none where the plan is silent.
    pub(crate) fn list(&self, key: &str) -> &[Read] {
        match self.get(key).map(|read| &read.value) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    /// The names of a list.
    pub(crate) fn names<T: for<'a> From<&'a str>>(&self, key: &str) -> Vec<T> {
        self.list(key).iter().filter_map(Read::text).map(T::from).collect()
    }

    pub(crate) fn table(&self, key: &str) -> impl Iterator<Item = (&String, &Read)> {
        let table = match self.get(key).map(|read| &read.value) {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        };
        table.into_iter().flatten()
    }

    pub(crate) fn node(&self, key: &str) -> Option<&Node> {
        if let Value::Node(node) = &self.get(key)?.value { Some(node) } else { None }
    }

    /// The values of a kind's keys.
    pub(crate) fn params(&self, keys: &[Key]) -> Params {
        let value = |key: &Key| Some((key.name.to_owned(), self.get(key.name)?.clone().into_param()?));
        Params(keys.iter().filter_map(value).collect())
    }
}

fn unknown_key(name: &str, place: Span, known: &[&str], at: &At<'_>) -> Diagnostic {
    let message = format!("unknown key `{}` in {}", crate::base::text::clean(name, 80), at.what);
    Diagnostic::error("unknown-key", place, message).help(match near_or_list(name, known, "key") {
        help if help.starts_with("did") => help,
        _ => format!("its keys are {}", known.join(", ")),
    })
}

/// A default as if it were written in the file. What is written as text in a file is text here.
fn default_node(takes: Takes, value: &str, place: Span) -> Node {
    let bare = match takes {
        Takes::Integer(..) => value.parse().ok().map(NodeValue::Integer),
        Takes::Number | Takes::Threshold => value.parse().ok().map(NodeValue::Number),
        Takes::Flag => value.parse().ok().map(NodeValue::Flag),
        Takes::List(_) if value == "[]" => Some(NodeValue::List(Vec::new())),
        Takes::Table(_) | Takes::TableBy(..) if value == "{}" => Some(NodeValue::Table(IndexMap::new())),
        _ => None,
    };
    let structured = || crate::base::toml::node::parse_value(value, place);
    let value = match takes {
        Takes::List(_) | Takes::Table(_) | Takes::TableBy(..) => bare.or_else(structured),
        _ => bare,
    }
    .unwrap_or_else(|| NodeValue::Text(value.to_owned()));
    Node { place, value }
}

/// A table that is not in the files: all defaults.
pub(crate) fn absent() -> Entry {
    let place = Span { file: 0, start: 0, end: 0 };
    Entry { key_place: place, node: Node { place, value: NodeValue::Table(IndexMap::new()) } }
}
