//! A text as it was before a tool broke it into lines or escaped it, with the place of each byte.

use std::ops::Range;

/// What is between the ends of a text's bytes after something was undone; empty where nothing was to undo.
#[derive(Default, Debug)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Where each byte stands in the text.
    pub(super) places: Vec<Range<usize>>,
}

impl View {
    /// Without white space, marks of what was cleaned and escaped line ends: tools break long encodings into lines.
    pub(super) fn without_line_ends(text: &str) -> Self {
        let mut view = Self::default();
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && chars.next_if(|(_, next)| matches!(next, 'n' | 'r')).is_some() {
                continue;
            }
            if !c.is_whitespace() && c != '\u{fffd}' {
                view.keep(text, at, c);
            }
        }
        view
    }

    /// With the escapes of JSON, and of languages like it, undone, however a writer mixes them.
    pub(super) fn unescaped(text: &str) -> Self {
        let mut view = Self::default();
        if !text.contains('\\') {
            return view;
        }
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let (meant, length) = match c {
                '\\' => escape(&text[at..]).unwrap_or((c, 1)),
                c => (c, c.len_utf8()),
            };
            view.push(meant, at..at + length);
            at += length;
        }
        view
    }

    /// The same once more: JSON within JSON, as a log or a reply that quotes another one holds it. None where nothing
    /// is escaped any more.
    pub(super) fn unescaped_again(&self) -> Option<Self> {
        let mut view = Self::unescaped(std::str::from_utf8(&self.bytes).ok()?);
        if view.bytes.is_empty() {
            return None;
        }
        for place in &mut view.places {
            *place = self.places[place.start].start..self.places[place.end - 1].end;
        }
        Some(view)
    }

    /// With `%xx` undone.
    pub(super) fn percent_decoded(text: &str) -> Self {
        let mut view = Self::default();
        if !text.contains('%') {
            return view;
        }
        let mut at = 0;
        while at < text.len() {
            let digits = text.get(at + 1..at + 3).filter(|_| text.as_bytes()[at] == b'%');
            let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let length = if escaped.is_some() { 3 } else { 1 };
            view.bytes.push(escaped.unwrap_or(text.as_bytes()[at]));
            view.places.push(at..at + length);
            at += length;
        }
        view
    }

    fn keep(&mut self, text: &str, at: usize, c: char) {
        let bytes = at..at + c.len_utf8();
        self.bytes.extend_from_slice(&text.as_bytes()[bytes.clone()]);
        self.places.extend(bytes.map(|byte| byte..byte + 1));
    }

    fn push(&mut self, c: char, place: Range<usize>) {
        let bytes = c.encode_utf8(&mut [0; 4]).len();
        self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        self.places.extend(std::iter::repeat_n(place, bytes));
    }
}

/// What an escape at the beginning of a text stands for, and its length in bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = match text[1..].chars().next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return units(text),
        c if c.is_ascii_punctuation() => c,
        _ => return None,
    };
    Some((simple, 2))
}

/// `\\u00e9`, or the two of a character beyond the first 65,536.
fn units(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    let pair = [Some(first), unit(6)];
    let decoded = char::decode_utf16(pair.into_iter().flatten()).next()?.ok()?;
    Some((decoded, 6 * decoded.len_utf16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_each_byte_knows_its_place() {
        let text = r#"a\u00e9\/\"\ud83d\udd11\q"#.replace("\\\\", "\\");
        let view = View::unescaped(&text);
        assert_eq!(std::str::from_utf8(&view.bytes).unwrap(), "aé/\"🔑\\q");
        assert_eq!((view.places[1].clone(), view.places[2].clone()), (1..7, 1..7));
        let quoted = serde_json::to_string(&serde_json::to_string("aé\"b").unwrap()).unwrap();
        let view = View::unescaped(&quoted).unescaped_again().unwrap();
        assert!(String::from_utf8_lossy(&view.bytes).contains("aé\"b"), "{view:?}");
        assert_eq!(view.places[2].clone(), 3..4, "{quoted}");
        let view = View::percent_decoded("p%C3%b6%");
        assert_eq!((&view.bytes[..], view.places[2].clone()), ("pö%".as_bytes(), 4..7));
        assert_eq!(View::without_line_ends("a b\r\n\\nc").bytes, b"abc");
    }
}
