//! One table of a scenario file, read key by key so that every mistake in it is found.

use super::sheet::{Sheet, meant};
use crate::base::toml::Span;
use crate::base::toml::node::{Node, NodeValue, Table};
use crate::plan::units::parse_duration;
use jiff::SignedDuration;

/// A table and the place of its head.
pub(super) struct Entry<'t> {
    table: &'t Table,
    pub(super) span: Span,
}

/// A text with its place.
pub(super) type Text<'t> = (&'t str, Span);

impl<'t> Entry<'t> {
    /// Notes every key that is not among `known`.
    pub(super) fn new(
        table: &'t Table,
        span: Span,
        known: &'static [&'static str],
        sheet: &mut Sheet,
    ) -> Self {
        for (name, entry) in table {
            if !known.contains(&name.as_str()) {
                sheet.problem(
                    entry.key_place,
                    format!("there is no key `{name}` here"),
                    meant(name, known.iter().copied()),
                );
            }
        }
        Self { table, span }
    }

    fn get(&self, key: &str) -> Option<&'t Node> {
        self.table.get(key).map(|entry| &entry.node)
    }

    /// The place of a key's value; of the table where it is absent.
    pub(super) fn place(&self, key: &str) -> Span {
        self.get(key).map_or(self.span, |node| node.place)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text.
    pub(super) fn text(&self, key: &str, sheet: &mut Sheet) -> Option<Text<'t>> {
        let value = self.get(key)?;
        let text = value.text();
        if text.is_none() {
            wrong_type(key, value, "a text in quotes", sheet);
        }
        text.map(|text| (text, value.place))
    }

    /// A text that must be there.
    pub(super) fn require_text(&self, key: &str, sheet: &mut Sheet) -> Option<Text<'t>> {
        if !self.has(key) {
            sheet.problem(self.span, format!("the key `{key}` is missing"), "");
        }
        self.text(key, sheet)
    }

    /// A duration, as a plan has it.
    pub(super) fn duration(&self, key: &str, sheet: &mut Sheet) -> Option<SignedDuration> {
        let (text, span) = self.text(key, sheet)?;
        match parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                let help = error.help("a number with its unit: `30s`, `15m`, `1h 30m`");
                sheet.problem(span, error.message, help);
                None
            }
        }
    }

    /// A number, whole or not.
    pub(super) fn number(&self, key: &str, sheet: &mut Sheet) -> Option<f64> {
        let value = self.get(key)?;
        let number = match value.value {
            NodeValue::Integer(number) => Some(number as f64),
            NodeValue::Number(number) => Some(number),
            _ => None,
        };
        if number.is_none() {
            wrong_type(key, value, "a number", sheet);
        }
        number
    }

    /// A list of texts; empty where it is absent.
    pub(super) fn texts(&self, key: &str, sheet: &mut Sheet) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let NodeValue::List(list) = &value.value else {
            wrong_type(key, value, "a list of texts", sheet);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list {
            match item.text() {
                Some(text) => texts.push(text.to_owned()),
                None => wrong_type(key, item, "a text in quotes", sheet),
            }
        }
        texts
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)], sheet: &mut Sheet) -> Option<T> {
        let (word, span) = self.text(key, sheet)?;
        let found = choices.iter().find(|(name, _)| *name == word);
        if found.is_none() {
            let help = meant(word, choices.iter().map(|(name, _)| *name));
            sheet.problem(span, format!("`{key}` cannot be `{word}`"), help);
        }
        found.map(|(_, choice)| *choice)
    }
}

fn wrong_type(key: &str, value: &Node, expected: &str, sheet: &mut Sheet) {
    let found = value.describe();
    sheet.problem(value.place, format!("`{key}` takes {expected}, not {found}"), "");
}
