//! A TOML file as a tree in the order of the file, every key and value with its place.

use super::Span;
use super::{Diagnostic, Report};
use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Span,
    pub(crate) value: NodeValue,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeValue {
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    Date(jiff::civil::Date),
    /// A date with a time, a time alone, or a number that is out of range.
    Other(&'static str),
    List(Vec<Node>),
    Table(Table),
}

/// A key with its place, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key_place: Span,
    pub(crate) node: Node,
}

pub(crate) type Table = IndexMap<String, Entry>;

impl Node {
    /// What it is, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.value {
            NodeValue::Text(_) => "text",
            NodeValue::Integer(_) => "a whole number",
            NodeValue::Number(_) => "a number",
            NodeValue::Flag(_) => "true or false",
            NodeValue::Date(_) => "a date",
            NodeValue::Other(what) => what,
            NodeValue::List(_) => "a list",
            NodeValue::Table(_) => "a table",
        }
    }

    pub(crate) fn table(&self) -> Option<&Table> {
        if let NodeValue::Table(table) = &self.value { Some(table) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let NodeValue::Text(text) = &self.value { Some(text) } else { None }
    }
}

/// Parses one file. Every error of its syntax is reported; a file with errors has no table, because what is
/// left of it would only give misleading problems.
pub(crate) fn parse(file: usize, text: &str, report: &Report) -> Option<Table> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        let start = floor(text, span.start);
        let place = Span::new(file, start..floor(text, span.end).max(start));
        report.add(syntax_problem(place, error.message()));
    }
    errors.is_empty().then(|| convert_table(file, table.into_inner()))
}

fn syntax_problem(place: Span, message: &str) -> Diagnostic {
    let problem = Diagnostic::error("syntax", place, format!("TOML: {message}"));
    match message {
        message if message.contains("duplicate key") => {
            problem.help("each name may be given once; to add to a table, write its keys together")
        }
        message if message.contains("quot") || message.contains("string") => {
            problem.help("text is quoted: `title = \"…\"`")
        }
        _ => problem,
    }
}

fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn convert_table(file: usize, table: DeTable<'_>) -> Table {
    let mut entries: Vec<(String, Entry)> = table
        .into_iter()
        .map(|(key, value)| {
            let key_place = Span::new(file, key.span());
            let place = Span::new(file, value.span());
            let node = Node { place, value: convert(file, value.into_inner()) };
            (key.into_inner().into_owned(), Entry { key_place, node })
        })
        .collect();
    entries.sort_by_key(|(_, entry)| entry.key_place.start);
    entries.into_iter().collect()
}

fn convert(file: usize, value: DeValue<'_>) -> NodeValue {
    match value {
        DeValue::String(text) => NodeValue::Text(text.into_owned()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => NodeValue::Integer(integer),
            Err(_) => NodeValue::Other("a number that is too large"),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => NodeValue::Number(number),
            _ => NodeValue::Other("a number that is not finite"),
        },
        DeValue::Boolean(flag) => NodeValue::Flag(flag),
        DeValue::Datetime(date) => match (date.date, date.time, date.offset) {
            (Some(_), None, None) => match date.to_string().parse() {
                Ok(date) => NodeValue::Date(date),
                Err(_) => NodeValue::Other("a date that does not exist"),
            },
            _ => NodeValue::Other("a time"),
        },
        DeValue::Array(array) => NodeValue::List(
            array
                .into_iter()
                .map(|value| {
                    let place = Span::new(file, value.span());
                    Node { place, value: convert(file, value.into_inner()) }
                })
                .collect(),
        ),
        DeValue::Table(table) => NodeValue::Table(convert_table(file, table)),
    }
}

/// A value as it would stand in a file, all of it at one place.
pub(crate) fn parse_value(text: &str, place: Span) -> Option<NodeValue> {
    let value = DeValue::parse(text).ok()?;
    let mut converted = convert(place.file, value.into_inner());
    move_to(&mut converted, place);
    Some(converted)
}

fn move_to(value: &mut NodeValue, place: Span) {
    match value {
        NodeValue::List(list) => {
            for node in list {
                node.place = place;
                move_to(&mut node.value, place);
            }
        }
        NodeValue::Table(table) => {
            for entry in table.values_mut() {
                entry.key_place = place;
                entry.node.place = place;
                move_to(&mut entry.node.value, place);
            }
        }
        _ => {}
    }
}
