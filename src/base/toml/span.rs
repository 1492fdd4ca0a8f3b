//! Where something stands in files.

use std::ops::Range;
use std::sync::Arc;

/// A span of bytes in one of several files.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// Which of the [`Sources`].
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// One after the last byte.
    pub end: usize,
}

impl Span {
    /// A span of a file.
    pub fn new(file: usize, span: Range<usize>) -> Self {
        Self { file, start: span.start, end: span.end.max(span.start) }
    }
}

/// One file, as it was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As it was found, relative to where it was asked for.
    pub path: String,
    /// Its text, without a byte-order mark.
    pub text: Arc<str>,
}

/// Files, in the order in which they are merged.
#[derive(Clone, Debug, Default)]
pub struct Sources(pub Vec<SourceFile>);

/// A place for people: lines and columns from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
}

impl Sources {
    /// The file of a place.
    pub fn file(&self, place: Span) -> Option<&SourceFile> {
        self.0.get(place.file)
    }

    /// The text at a place.
    pub fn text(&self, place: Span) -> &str {
        self.file(place).and_then(|file| file.text.get(place.start..place.end)).unwrap_or("")
    }

    /// Lines and columns of a place.
    pub fn position(&self, place: Span) -> Position {
        let text = self.file(place).map_or("", |file| &*file.text);
        let (line, column) = line_and_column(text, place.start);
        let (end_line, end_column) = line_and_column(text, place.end);
        Position { line, column, end_line, end_column }
    }

    /// `plan.toml:12:5`.
    pub fn describe(&self, place: Span) -> String {
        let Position { line, column, .. } = self.position(place);
        format!("{}:{line}:{column}", self.file(place).map_or("", |file| &file.path))
    }

    /// The place of a part of a text value: within its quotes where the file has it letter by letter, the
    /// whole value where it has escapes.
    pub(crate) fn within(&self, value: Span, text: &str, part: Range<usize>) -> Span {
        let raw = self.text(value);
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        let inner = raw.get(quotes..raw.len().saturating_sub(quotes)).unwrap_or("");
        let skipped = inner.len() - inner.trim_start_matches(['\r', '\n']).len();
        let start = match inner {
            inner if inner == text => value.start + quotes,
            inner if inner.get(skipped..) == Some(text) => value.start + quotes + skipped,
            _ => return value,
        };
        Span { file: value.file, start: start + part.start, end: start + part.end }
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let sources = Sources(vec![SourceFile { path: "a.toml".into(), text: "x = 1\né = 'ab'\n".into() }]);
        let value = Span::new(0, 11..15);
        assert_eq!(sources.text(value), "'ab'");
        let inner = sources.within(value, "ab", 1..2);
        assert_eq!(sources.position(inner), Position { line: 2, column: 7, end_line: 2, end_column: 8 });
        assert_eq!(sources.within(value, "other", 0..1), value);
        assert_eq!(sources.describe(value), "a.toml:2:5");
    }
}
