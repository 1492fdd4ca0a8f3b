//! Escapes of mail, terminals and older languages, undone.

use super::view::{Meant, as_it_is, percent_decoded, unescaped};

/// With quoted-printable undone (RFC 2045, 6.7; also within a header, RFC 2047): `=21`, and `=` at a line's end.
pub(super) fn quoted_printable(text: &str) -> (Meant, usize) {
    let Some(rest) = text.strip_prefix('=') else { return as_it_is(text) };
    if let Some(after) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')) {
        return (Meant::Nothing, text.len() - after.len());
    }
    match rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => (Meant::Byte(byte), 3),
        None => as_it_is(text),
    }
}

/// Whether a text holds something that [`quoted_printable`] undoes.
pub(super) fn is_quoted_printable(text: &str) -> bool {
    text.match_indices('=').any(|(at, _)| !matches!(quoted_printable(&text[at..]), (Meant::Char(_), _)))
}

/// With what `cat -v` makes of bytes beyond ASCII undone: `M-C`, `M-^C`.
pub(super) fn meta_undone(text: &str) -> (Meant, usize) {
    let Some(rest) = text.strip_prefix("M-") else { return as_it_is(text) };
    match rest.as_bytes() {
        [b'^', b'?', ..] => (Meant::Byte(0xff), 4),
        [b'^', control @ b'@'..=b'_', ..] => (Meant::Byte((control - b'@') | 0x80), 4),
        [c @ b' '..=b'~', ..] => (Meant::Byte(c | 0x80), 3),
        _ => as_it_is(text),
    }
}

/// With escapes undone as `echo -e` and `printf %b` read them: four octal digits, the first of them a zero.
pub(super) fn echo_undone(text: &str) -> (Meant, usize) {
    let digits = text.strip_prefix("\\0").and_then(|rest| rest.get(..3));
    match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
        Some(byte) => (Meant::Byte(byte), 5),
        None => unescaped(text),
    }
}

/// With escapes undone whose digits are those of a code point, as Python writes them: `\xe4` is `ä`.
pub(super) fn points_unescaped(text: &str) -> (Meant, usize) {
    as_point(unescaped(text))
}

/// The same of `%E4`, and of `%u00E4` as JavaScript's `escape` writes it.
pub(super) fn points_percent_decoded(text: &str) -> (Meant, usize) {
    let unit = text.strip_prefix("%u").and_then(|rest| u32::from_str_radix(rest.get(..4)?, 16).ok());
    match unit.and_then(char::from_u32) {
        Some(c) => (Meant::Char(c), 6),
        None => as_point(percent_decoded(text)),
    }
}

/// The same of `=E4`.
pub(super) fn points_quoted_printable(text: &str) -> (Meant, usize) {
    as_point(quoted_printable(text))
}

fn as_point((meant, length): (Meant, usize)) -> (Meant, usize) {
    match meant {
        Meant::Byte(byte) => (Meant::Char(byte.into()), length),
        other => (other, length),
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::{Undo, View};
    use super::*;

    #[test]
    fn spellings_of_mail_terminals_and_older_languages_are_undone() {
        let cases: [(Undo, &str); 9] = [
            (quoted_printable, "=70=C3=A4=73s"),
            (quoted_printable, "p=C3=A4s=\r\ns"),
            (points_quoted_printable, "p=E4ss"),
            (points_unescaped, r"p\xe4ss"),
            (points_unescaped, r"p\344ss"),
            (points_percent_decoded, "p%E4ss"),
            (points_percent_decoded, "%u0070%u00E4ss"),
            (echo_undone, r"\0160\0303\0244\0163s"),
            (meta_undone, "pM-CM-$ss"),
        ];
        for (undo, text) in cases {
            assert_eq!(View::of(text, undo).text(), "p\u{e4}ss", "{text}");
        }
        assert!(
            is_quoted_printable("a=21") && is_quoted_printable("a=\nb") && !is_quoted_printable("lag=5 s")
        );
        assert!(!is_quoted_printable("a == b, \u{e4}=\u{fc}"));
    }
}
