//! A text as it was before a tool coloured it, broke it into lines or escaped it, with the place of each byte.

use super::{entities, sequences};
use crate::base::text::is_hostile;
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// What is left of a text after something was undone.
#[derive(Default, Debug)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Where each byte stands in the text.
    pub(super) places: Vec<Range<usize>>,
}

/// What the beginning of a text stands for.
pub(super) enum Meant {
    Nothing,
    Char(char),
    Byte(u8),
    /// It takes back the character before it.
    Back,
}

/// Something that can be undone: what the beginning of a text, which is not empty, stands for, and its bytes.
pub(super) type Undo = fn(&str) -> (Meant, usize);

impl View {
    /// A text with something undone.
    pub(super) fn of(text: &str, undo: Undo) -> Self {
        Self::through(text, undo, |bytes| bytes)
    }

    /// The same once more. None where what was undone left no text.
    pub(super) fn then(&self, undo: Undo) -> Option<Self> {
        let text = std::str::from_utf8(&self.bytes).ok().filter(|text| !text.is_empty())?;
        Some(Self::over(text, &self.places, undo))
    }

    /// A text whose bytes stand at these places of another one, with something undone.
    pub(super) fn over(text: &str, places: &[Range<usize>], undo: Undo) -> Self {
        Self::through(text, undo, |bytes| places[bytes.start].start..places[bytes.end - 1].end)
    }

    /// As text; empty where it is none.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    fn through(text: &str, undo: Undo, place: impl Fn(Range<usize>) -> Range<usize>) -> Self {
        let (mut view, mut at) = (Self::default(), 0);
        while at < text.len() {
            let (meant, length) = undo(&text[at..]);
            view.push(meant, &place(at..at + length));
            at += length;
        }
        view
    }

    fn push(&mut self, meant: Meant, place: &Range<usize>) {
        match meant {
            Meant::Nothing => {}
            Meant::Char(c) => self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Meant::Byte(byte) => self.bytes.push(byte),
            Meant::Back => {
                let is_inside = |byte: Option<u8>| byte.is_some_and(|byte| byte & 0xc0 == 0x80);
                while is_inside(self.bytes.pop()) {}
                self.places.truncate(self.bytes.len());
            }
        }
        self.places.resize(self.bytes.len(), place.clone());
    }
}

/// What stands for itself.
pub(super) fn as_it_is(text: &str) -> (Meant, usize) {
    text.chars().next().map_or((Meant::Nothing, 1), |c| (Meant::Char(c), c.len_utf8()))
}

/// Without white space: tools break long encodings into lines.
pub(super) fn blanks_out(text: &str) -> (Meant, usize) {
    match as_it_is(text) {
        (Meant::Char(c), length) if c.is_whitespace() => (Meant::Nothing, length),
        other => other,
    }
}

/// Without line ends, the backslash with which a shell's line goes on, and what indents the next line.
pub(super) fn line_ends_out(text: &str) -> (Meant, usize) {
    let end = text.strip_prefix('\\').unwrap_or(text);
    match end.starts_with(['\n', '\r']) {
        true => (Meant::Nothing, text.len() - end.trim_start_matches(['\n', '\r', '\t', ' ']).len()),
        false => as_it_is(text),
    }
}

/// With one blank for each line end, as where a text was broken at its blanks.
pub(super) fn line_ends_to_blanks(text: &str) -> (Meant, usize) {
    match line_ends_out(text) {
        (Meant::Nothing, length) => (Meant::Char(' '), length),
        other => other,
    }
}

/// With the references of HTML and XML to characters undone.
pub(super) fn entities_undone(text: &str) -> (Meant, usize) {
    match entities::reference(text) {
        Some((c, length)) => (Meant::Char(c), length),
        None => as_it_is(text),
    }
}

/// Without what stands between the pairs of hexadecimal digits of a dump (`68:75`, `68 75`, `0x68, 0x75`, `6875 6e74`).
pub(super) fn hexadecimal_joined(text: &str) -> (Meant, usize) {
    match between_pairs(text) {
        Some(length) => (Meant::Nothing, length),
        None => as_it_is(text),
    }
}

/// Whether a text holds enough of what [`hexadecimal_joined`] takes out to be a dump.
pub(super) fn has_pairs(text: &str) -> bool {
    text.char_indices().filter(|(at, _)| between_pairs(&text[*at..]).is_some()).nth(2).is_some()
}

fn between_pairs(text: &str) -> Option<usize> {
    let rest = text.trim_start_matches([':', '-', ' ', ',']);
    let rest = if rest.len() < text.len() { rest.strip_prefix("0x").unwrap_or(rest) } else { return None };
    let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    matches!(digits, 2 | 4).then_some(text.len() - rest.len())
}

/// Without control sequences (colours, titles, links) and all that shows nothing, as a terminal shows it.
pub(super) fn sequences_out(text: &str) -> (Meant, usize) {
    match sequences::length(text) {
        Some(length) => (Meant::Nothing, length),
        None if text.starts_with('\u{8}') => (Meant::Back, 1),
        None => hidden_out(text),
    }
}

/// Without what shows nothing and what stands for it where a text was cleaned already.
pub(super) fn hidden_out(text: &str) -> (Meant, usize) {
    match as_it_is(text) {
        (Meant::Char(c), length) if is_hidden(c) => (Meant::Nothing, length),
        other => other,
    }
}

/// Whether a text holds something that [`sequences_out`] or [`hidden_out`] takes out.
pub(super) fn hides(text: &str) -> bool {
    text.chars().any(is_hidden) || text.contains(sequences::CARET)
}

fn is_hidden(c: char) -> bool {
    !matches!(c, '\n' | '\r' | '\t') && (c == '\u{fffd}' || is_hostile(c) || c.width() == Some(0))
}

/// With the escapes of JSON, and of languages like it, undone, however a writer mixes them.
pub(super) fn unescaped(text: &str) -> (Meant, usize) {
    match text.starts_with('\\').then(|| escape(text)).flatten() {
        Some(meant) => meant,
        None => as_it_is(text),
    }
}

/// With `%xx` undone.
pub(super) fn percent_decoded(text: &str) -> (Meant, usize) {
    let digits = text.get(1..3).filter(|_| text.starts_with('%'));
    match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => (Meant::Byte(byte), 3),
        None => as_it_is(text),
    }
}

/// What an escape at the beginning of a text stands for, and its length in bytes.
fn escape(text: &str) -> Option<(Meant, usize)> {
    let simple = match text[1..].chars().next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'e' => '\u{1b}',
        'u' => return units(text),
        'x' => return Some((Meant::Byte(u8::from_str_radix(text.get(2..4)?, 16).ok()?), 4)),
        '0'..='3' => return Some((Meant::Byte(u8::from_str_radix(text.get(1..4)?, 8).ok()?), 4)),
        c if c.is_ascii_punctuation() => c,
        _ => return None,
    };
    Some((Meant::Char(simple), 2))
}

/// `\\u00e9`, or the two of a character beyond the first 65,536; `\\u{e9}`.
fn units(text: &str) -> Option<(Meant, usize)> {
    if let Some((digits, _)) = text.strip_prefix("\\u{").and_then(|rest| rest.split_once('}')) {
        let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        return Some((Meant::Char(c), 4 + digits.len()));
    }
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    let pair = [Some(first), unit(6)];
    let decoded = char::decode_utf16(pair.into_iter().flatten()).next()?.ok()?;
    Some((Meant::Char(decoded), 6 * decoded.len_utf16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_each_byte_knows_its_place() {
        let text = r#"a\u00e9\/\"\ud83d\udd11\q\x1b\033\u{e9}"#;
        let view = View::of(text, unescaped);
        assert_eq!(view.text(), "aé/\"🔑\\q\u{1b}\u{1b}é");
        assert_eq!((view.places[1].clone(), view.places[2].clone()), (1..7, 1..7));
        let quoted = serde_json::to_string(&serde_json::to_string("aé\"b").unwrap()).unwrap();
        let view = View::of(&quoted, unescaped).then(unescaped).unwrap();
        assert!(view.text().contains("aé\"b"), "{view:?}");
        assert_eq!(view.places[2].clone(), 3..4, "{quoted}");
        let view = View::of("p%C3%b6%", percent_decoded);
        assert_eq!((view.text(), view.places[2].clone()), ("pö%", 4..7));
    }

    #[test]
    fn line_ends_and_blanks_are_taken_out() {
        assert_eq!(View::of("a b\r\n  c", blanks_out).text(), "abc");
        assert_eq!(View::of("a b\r\n  c", line_ends_out).text(), "a bc");
        assert_eq!(View::of("a b\\\n  c\\d", line_ends_out).text(), "a bc\\d");
        assert_eq!(View::of("a b\r\n  c\n", line_ends_to_blanks).text(), "a b c ");
    }

    #[test]
    fn entities_and_dumps_are_undone() {
        let view = View::of("&#104;&#x75;&#X6E;&amp;&nothing;&#;&", entities_undone);
        assert_eq!(view.text(), "hun&&nothing;&#;&");
        assert_eq!(view.places[1].clone(), 6..12);
        for dump in
            ["68:75:6e:74", "68 75 6E 74", "0x68, 0x75, 0x6e, 0x74", "68-75-6e-74", "6875 6e74 6875 6e74"]
        {
            assert!(has_pairs(dump), "{dump}");
            let joined = View::of(dump, hexadecimal_joined);
            assert!(joined.text().to_lowercase().contains("68756e74"), "{dump}: {}", joined.text());
        }
        assert!(!has_pairs("10:42 on 3 of 12 hosts"));
    }

    #[test]
    fn what_a_terminal_would_not_show_is_taken_out() {
        for text in ["a\u{1b}[1;31mb", "a\u{200b}b", "ax\u{8}b", "a\u{1b}]0;t\u{7}b", "a^[[0mb", "a\u{301}b"]
        {
            assert!(hides(text), "{text:?}");
            assert_eq!(View::of(text, sequences_out).text(), "ab", "{text:?}");
        }
        let view = View::of("a\u{1b}[mb", sequences_out);
        assert_eq!(view.places[1], 4..5);
        assert_eq!(View::of("a\u{fffd}[31mb", hidden_out).text(), "a[31mb");
    }
}
