//! Why a text is not a condition.

use std::ops::Range;

/// Why a text is not a condition, with the place in its source.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// What is wrong, in words.
    pub message: String,
    /// What would do.
    pub help: Option<String>,
    /// Where, in bytes of the source.
    pub range: Range<usize>,
}

impl ConditionError {
    /// An error about the first place where a word is written, or about the whole source.
    pub(super) fn at_word(source: &str, word: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, range: locate(source, word) }
    }

    /// An error about the whole source.
    pub(super) fn whole(source: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, range: 0..source.len() }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The first of the crate's errors, in its own words, cut to what a reader needs.
    pub(super) fn from_parser(source: &str, errors: &cel::ParseErrors) -> Self {
        let Some(first) = errors.errors.first() else {
            return Self::whole(source, "this is not a CEL expression");
        };
        let line = usize::try_from(first.pos.0.saturating_sub(1)).unwrap_or(0);
        let column = usize::try_from(first.pos.1.saturating_sub(1)).unwrap_or(0);
        let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = source.get(before..).unwrap_or("");
        let start = before + rest.chars().take(column).map(char::len_utf8).sum::<usize>();
        let width = source.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let message = first.msg.split(" expecting").next().unwrap_or_default().trim();
        let message = message.trim_start_matches("Syntax error: ").to_owned();
        let message = format!("this is not a CEL expression: {}", message.replace("'<EOF>'", "its end"));
        Self { message, help: Some(SYNTAX_HELP.into()), range: start..start + width }
    }
}

const SYNTAX_HELP: &str =
    "conditions look like `signals['dr-lag'].value_s < 60 && regions.primary.status == 'down'`";

/// Where a word stands in a source as a whole word, or the whole source.
pub(crate) fn locate(source: &str, word: &str) -> Range<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let whole_word = |start: usize| {
        let before = source.get(..start).and_then(|text| text.chars().next_back());
        let after = source.get(start + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    };
    if word.is_empty() {
        return 0..source.len();
    }
    let found = source.match_indices(word).map(|(start, _)| start);
    match found.clone().find(|start| whole_word(*start)).or(found.min()) {
        Some(start) => start..start + word.len(),
        None => 0..source.len(),
    }
}
