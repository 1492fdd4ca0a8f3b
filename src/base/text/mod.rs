//! Text from outside is untrusted: what reaches a screen, a record or a message goes through here first.

mod printer;

pub use printer::{Printer, escaped};

use unicode_width::UnicodeWidthChar;

/// The words of a cut and their number.
const COUNT_CHARS: usize = 32;
/// How many marks may stand on one letter: scripts that are read use up to four.
const MARKS_ON_A_LETTER: usize = 4;

/// Replaces control characters (escape sequences, carriage returns, bidirectional overrides) and invisible ones by a
/// visible mark and cuts the text to `max_chars`, saying so with an ellipsis. Newlines and tabs become spaces.
pub fn clean(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(max_chars));
    for (count, character) in shown(text).enumerate() {
        if count == max_chars {
            cleaned.push('…');
            break;
        }
        cleaned.push(character);
    }
    cleaned
}

/// As [`clean`], but the cut says how much is missing: `abc… (1234 characters more)`, which is no longer than
/// `max_chars` in all where these are enough for it.
pub fn clean_counted(text: &str, max_chars: usize) -> String {
    // One character is at least one byte: most texts need not be counted.
    let all = if text.len() > max_chars { shown(text).count() } else { 0 };
    if all <= max_chars.max(COUNT_CHARS) {
        return clean(text, max_chars);
    }
    let kept = max_chars.saturating_sub(COUNT_CHARS);
    format!("{} ({} characters more)", clean(text, kept), all - kept)
}

/// A text as a sentence that another one follows: with the full stop, exclamation or question mark that it has, or else
/// with a full stop. What people and other programs wrote may end either way.
pub fn ended(text: &str) -> String {
    let text = text.trim_end();
    match text.ends_with(['.', '!', '?', '…']) {
        true => text.to_owned(),
        false => format!("{text}."),
    }
}

/// The end of a text, of so many bytes at most.
pub(crate) fn tail(text: &str, bytes: usize) -> &str {
    let from = (text.len().saturating_sub(bytes)..text.len()).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or(text.len())..]
}

/// The characters of a text as they may be shown.
pub fn shown(text: &str) -> impl Iterator<Item = char> {
    let mut sieve = Sieve::default();
    text.chars().filter_map(move |c| match (c, sieve.take(c)) {
        ('\n' | '\t', _) => Some(' '),
        (c, Taken::Whole) => Some(c),
        (_, Taken::Marked) => Some('\u{fffd}'),
        (_, Taken::Left) => None,
    })
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

/// Bidirectional controls, zero-width and other format characters that can disguise text, letters and variation
/// selectors that show nothing, tags, and code points that are no characters.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}' | '\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What becomes of a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// It may be shown.
    Whole,
    /// Something else has to stand for it.
    Marked,
    /// What stands for the character before it stands for this one too.
    Left,
}

/// Takes the characters of a text one after the other: whether a mark may be shown depends on what it stands on.
#[derive(Default)]
pub(crate) struct Sieve {
    /// The letter that marks stand on; none at the beginning.
    letter: Option<char>,
    marks: usize,
}

impl Sieve {
    /// What becomes of the next character.
    pub(crate) fn take(&mut self, c: char) -> Taken {
        let selects = matches!(c, '\u{fe0e}' | '\u{fe0f}');
        if is_hostile(c) || (!selects && c.width() != Some(0)) {
            (self.letter, self.marks) = (Some(c), 0);
            return if is_hostile(c) { Taken::Marked } else { Taken::Whole };
        }
        self.marks += 1;
        let fits = match self.letter {
            Some(letter) if selects => self.marks == 1 && has_presentations(letter),
            Some(_) => self.marks <= MARKS_ON_A_LETTER,
            None => false,
        };
        match fits {
            true => Taken::Whole,
            false if self.marks > MARKS_ON_A_LETTER + 1 => Taken::Left,
            false => Taken::Marked,
        }
    }
}

/// Whether a variation selector chooses between text and emoji of this character: on others it shows nothing.
fn has_presentations(c: char) -> bool {
    matches!(c, '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
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
        assert_eq!(clean_counted("äöü", 3), "äöü");
        let cut = clean_counted(&"x".repeat(100), 40);
        assert_eq!(cut, "xxxxxxxx… (92 characters more)");
        assert_eq!(clean_counted(&cut, 40), cut, "a second time changes nothing");
    }

    #[test]
    fn a_text_that_is_a_sentence_already_gets_no_second_full_stop() {
        for (text, sentence) in [
            ("it is broken", "it is broken."),
            ("It is broken.", "It is broken."),
            ("It is broken. ", "It is broken."),
            ("Is it?", "Is it?"),
            ("No!", "No!"),
            ("and so on…", "and so on…"),
        ] {
            assert_eq!(ended(text), sentence);
        }
    }

    #[test]
    fn letters_that_show_nothing_do_not_survive() {
        for hidden in
            ["\u{2800}", "\u{115f}", "\u{1160}", "\u{3164}", "\u{ffa0}", "\u{fe0f}", "\u{fe01}", "\u{e0100}"]
        {
            assert_eq!(clean(&format!("a{hidden}b"), 80), "a\u{fffd}b", "{hidden:?}");
        }
        for hidden in ["\u{e0041}", "\u{fff9}", "\u{34f}", "\u{180e}", "\u{ffff}", "\u{200d}"] {
            assert_eq!(clean(&format!("a{hidden}b"), 80), "a\u{fffd}b", "{hidden:?}");
        }
    }

    #[test]
    fn a_letter_carries_no_tower_of_marks() {
        let tower = format!("e{}z", "\u{301}".repeat(240));
        assert_eq!(clean(&tower, 80), format!("e{}\u{fffd}z", "\u{301}".repeat(MARKS_ON_A_LETTER)));
        assert_eq!(clean("\u{301}x", 80), "\u{fffd}x", "nothing before the text carries its marks");
    }

    #[test]
    fn scripts_and_signs_that_people_read_stay_as_they_are() {
        for text in [
            "Ünïcödé",
            "ế e\u{302}\u{301}",
            "สวัสดี",
            "नमस्ते",
            "שָׁלוֹם",
            "각 \u{1100}\u{1161}\u{11a8}",
            "⚠\u{fe0f} hot",
        ] {
            assert_eq!(clean(text, 80), text);
        }
    }
}
