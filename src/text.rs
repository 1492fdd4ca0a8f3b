//! Text from outside is untrusted: what reaches a screen, a record or a message goes through here first.

/// Replaces control characters (escape sequences, carriage returns, bidirectional overrides) by a
/// visible mark and cuts the text to `max_chars`, saying so with an ellipsis. Newlines and tabs become spaces.
pub fn clean(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(max_chars));
    for (count, character) in text.chars().enumerate() {
        if count == max_chars {
            cleaned.push('…');
            break;
        }
        cleaned.push(visible(character));
    }
    cleaned
}

/// A character as it may be shown: itself, a space for a newline or tab, a mark for what could disguise text.
pub(crate) fn visible(character: char) -> char {
    match character {
        '\n' | '\t' => ' ',
        c if is_hostile(c) => '\u{fffd}',
        c => c,
    }
}

/// Whether a character could steer a terminal or disguise text.
pub fn is_hostile(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Bidirectional controls, zero-width and other format characters that can disguise text.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_direction_overrides_do_not_survive() {
        assert_eq!(clean("a\x1b[31mb\u{202e}c", 80), "a\u{fffd}[31mb\u{fffd}c");
        assert_eq!(clean("two\nlines\tand\u{9b}31m", 80), "two lines and\u{fffd}31m");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(clean("abcdef", 3), "abc…");
        assert_eq!(clean("abc", 3), "abc");
    }
}
