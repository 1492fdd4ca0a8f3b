//! Control sequences of terminals (ECMA-48, and xterm's), as they are, and as they are left where a text was cleaned.

/// The escape character as `cat -v` shows it.
pub(super) const CARET: &str = "^[";
/// The longest string of a title, a link, a clipboard.
const MAX_STRING_BYTES: usize = 4_096;

/// The bytes of the control sequence that the text begins with; none where it begins with another text.
pub(super) fn length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let before = match first {
        '\u{1b}' | '\u{fffd}' => first.len_utf8(),
        '^' if text.starts_with(CARET) => CARET.len(),
        '\u{9b}' => return control(&text[2..]).map(|length| 2 + length),
        '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => return string(&text[2..]).map(|length| 2 + length),
        _ => return None,
    };
    let kind = text[before..].chars().next()?;
    // It stands for any character that was cleaned away: only what looks like nothing else is taken for a sequence, for
    // what is taken too much is missing from a secret that begins there.
    if first == '\u{fffd}' && kind.is_ascii_digit() {
        let length = before + control(&text[before..])?;
        return text[..length].ends_with(|c: char| c == 'm' || c.is_ascii_uppercase()).then_some(length);
    }
    if first == '\u{fffd}' && !"[]P^_".contains(kind) {
        return None;
    }
    let rest = &text[before + kind.len_utf8()..];
    let length = match kind {
        '[' => control(rest),
        ']' | 'P' | 'X' | '^' | '_' => string(rest),
        // Character sets and the like: intermediate bytes, then one more.
        ' '..='/' => {
            let between = rest.len() - rest.trim_start_matches(|c: char| (' '..='/').contains(&c)).len();
            rest[between..].starts_with(|c: char| ('0'..='~').contains(&c)).then_some(between + 1)
        }
        '7' | '8' | '=' | '>' | 'c' | 'M' => Some(0),
        _ => None,
    };
    length.map(|length| before + kind.len_utf8() + length)
}

/// The rest of a control sequence: parameters, intermediate bytes, a final one.
fn control(rest: &str) -> Option<usize> {
    let end = rest.find(|c: char| !(' '..='?').contains(&c))?;
    rest[end..].starts_with(|c: char| ('@'..='~').contains(&c)).then_some(end + 1)
}

/// The rest of a string of a device or operating system, which BEL or ST ends.
fn string(rest: &str) -> Option<usize> {
    let ends = |c: char| matches!(c, '\u{7}' | '\u{9c}' | '\u{1b}' | '\u{fffd}');
    let (end, last) =
        rest.char_indices().take_while(|(at, _)| *at <= MAX_STRING_BYTES).find(|(_, c)| ends(*c))?;
    let after = end + last.len_utf8();
    Some(after + usize::from(rest[after..].starts_with('\\')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_as_long_as_a_terminal_takes_it() {
        for (text, rest) in [
            ("\u{1b}[1;31mrest", "rest"),
            ("\u{1b}[?25hrest", "rest"),
            ("\u{9b}31mrest", "rest"),
            ("\u{1b}]8;;http://x\u{1b}\\rest", "rest"),
            ("\u{1b}]0;title\u{7}rest", "rest"),
            ("\u{1b}(Brest", "rest"),
            ("\u{fffd}[31mrest", "rest"),
            ("\u{fffd}31mrest", "rest"),
            ("^[[31mrest", "rest"),
        ] {
            assert_eq!(length(text).map(|length| &text[length..]), Some(rest), "{text:?}");
        }
        for text in [
            "rest",
            "[31m",
            "\u{1b}]never ends",
            "\u{fffd}a",
            "^",
            "\u{fffd}  hunter2",
            "\u{fffd}correct horse",
            "\u{fffd}12hunter2",
        ] {
            assert_eq!(length(text), None, "{text:?}");
        }
    }
}
