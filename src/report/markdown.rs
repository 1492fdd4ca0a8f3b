//! Markdown in which no text of the journal can mean more than itself.

use crate::base::text::clean;
use crate::core::prose::message;
use jiff::Timestamp;

/// The longest text within a line, in characters: the longest that a person can put into a record.
const TEXT_LIMIT_CHARS: usize = 4_400;

/// A text of the journal within a line: nothing in it is a heading, a link, a table's border or HTML.
pub fn text(text: &str) -> String {
    let text = clean(text.trim(), TEXT_LIMIT_CHARS);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().enumerate().peekable();
    while let Some((place, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let begins_block = match character {
            '#' | '-' | '+' | '=' => place == 0,
            // `1.` would begin a list.
            '.' | ')' => digits > 0 && place == digits,
            _ => false,
        };
        // What would become a link by itself.
        let links = (character == ':' && next == Some('/')) || (character == '.' && ends_in_www(&escaped));
        let special = matches!(
            character,
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$'
        );
        if begins_block || links || special {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn ends_in_www(text: &str) -> bool {
    text.len() >= 3
        && text.is_char_boundary(text.len() - 3)
        && text[text.len() - 3..].eq_ignore_ascii_case("www")
}

/// A section with its heading; what has nothing to tell says so.
pub fn section(title: &str, lines: Vec<String>) -> String {
    let body = if lines.is_empty() { "None.".to_owned() } else { lines.join("\n") };
    format!("## {title}\n\n{body}\n")
}

/// A list.
pub fn items(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("- {line}")).collect()
}

/// A table; cells are Markdown already. Nothing without rows.
pub fn table(columns: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let head = row(columns.iter().map(|column| (*column).to_owned()).collect());
    let rule = row(columns.iter().map(|_| "---".to_owned()).collect());
    [head, rule].into_iter().chain(rows.iter().cloned().map(row)).collect()
}

/// Texts of several lines, word for word, in a fence that they cannot end.
pub fn verbatim(parts: &[&str]) -> Vec<String> {
    let body = parts.iter().map(|part| message::clean_lines(part)).collect::<Vec<_>>().join("\n\n");
    let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    [format!("{fence}text"), body, fence].into()
}

/// `2026-03-01 03:00:20`, in UTC as the column says.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_journal_means_only_itself() {
        for (from, to) in [
            ("# no heading", "\\# no heading"),
            ("- no item", "\\- no item"),
            ("1. no list", "1\\. no list"),
            ("a | b", "a \\| b"),
            ("<img src=x onerror=y>", "\\<img src=x onerror=y\\>"),
            ("[click](javascript:x)", "\\[click\\](javascript:x)"),
            ("see https://evil.example", "see https\\://evil.example"),
            ("www.evil.example", "www\\.evil.example"),
            ("`code` *bold* _em_ ~gone~ &amp;", "\\`code\\` \\*bold\\* \\_em\\_ \\~gone\\~ \\&amp;"),
            ("one\n# two\u{1b}[31m", "one # two\u{fffd}\\[31m"),
            ("lag 0.4 s - fine", "lag 0.4 s - fine"),
        ] {
            assert_eq!(text(from), to);
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_it() {
        let lines = verbatim(&["a\n````\n# b\r\u{1b}", &"long ".repeat(800), "last"]);
        assert_eq!(lines[0], "`````text");
        assert_eq!(lines[2], "`````");
        assert!(!lines[1].contains('\u{1b}') && lines[1].ends_with("\n\nlast"), "each part is cut by itself");
    }
}
