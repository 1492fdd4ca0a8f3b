//! One table of a scenario file, read key by key so that every mistake in it is found.

use super::problem::{Sheet, near_miss};
use crate::plan::units::parse_duration;
use jiff::SignedDuration;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table and the place of its head.
pub(super) struct Entry<'t> {
    table: &'t DeTable<'t>,
    pub(super) span: Range<usize>,
}

/// A text with its place.
pub(super) type Text<'t> = (&'t str, Range<usize>);

impl<'t> Entry<'t> {
    /// Notes every key that is not among `known`.
    pub(super) fn new(
        table: &'t DeTable<'t>,
        span: Range<usize>,
        known: &'static [&'static str],
        sheet: &mut Sheet,
    ) -> Self {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                sheet.problem(
                    key.span(),
                    format!("there is no key `{name}` here"),
                    near_miss(name, known.iter().copied()),
                );
            }
        }
        Self { table, span }
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// The place of a key's value; of the table where it is absent.
    pub(super) fn place(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text.
    pub(super) fn text(&self, key: &str, sheet: &mut Sheet) -> Option<Text<'t>> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            wrong_type(key, value, "a text in quotes", sheet);
        }
        text.map(|text| (text, value.span()))
    }

    /// A text that must be there.
    pub(super) fn require_text(&self, key: &str, sheet: &mut Sheet) -> Option<Text<'t>> {
        if !self.has(key) {
            sheet.problem(self.span.clone(), format!("the key `{key}` is missing"), "");
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
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            wrong_type(key, value, "a number", sheet);
        }
        number
    }

    /// A list of texts; empty where it is absent.
    pub(super) fn texts(&self, key: &str, sheet: &mut Sheet) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(list) = value.get_ref().as_array() else {
            wrong_type(key, value, "a list of texts", sheet);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str() {
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
            let help = near_miss(word, choices.iter().map(|(name, _)| *name));
            sheet.problem(span, format!("`{key}` cannot be `{word}`"), help);
        }
        found.map(|(_, choice)| *choice)
    }
}

fn wrong_type(key: &str, value: &Spanned<DeValue<'_>>, expected: &str, sheet: &mut Sheet) {
    let found = value.get_ref().type_str();
    sheet.problem(value.span(), format!("`{key}` takes {expected}, not {found}"), "");
}
