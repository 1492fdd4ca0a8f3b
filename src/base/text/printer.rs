//! The way out to a terminal or pipe: whatever a command prints, nothing in it can steer or disguise.

use super::{Sieve, Taken};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes text in which each hostile character is spelled as JSON does (`\u001b`): a person sees what it was, and a
/// JSON document stays one with the same meaning. Lines stay lines.
pub struct Printer<W> {
    out: W,
    sieve: Sieve,
    /// The bytes of a character whose rest has not been written yet.
    begun: Vec<u8>,
    /// Colours and modifiers (`ESC [ … m`) of our own pass.
    styled: bool,
}

impl<W: Write> Printer<W> {
    /// Everything that could act on a terminal is spelled.
    pub fn new(out: W) -> Self {
        Self { out, sieve: Sieve::default(), begun: Vec::new(), styled: false }
    }

    /// As [`Printer::new`], for what is drawn in colours: these pass, and nothing else does.
    pub fn styled(out: W) -> Self {
        Self { styled: true, ..Self::new(out) }
    }

    fn spell(&mut self, text: &str) -> String {
        let mut spelled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let colour = if self.styled && c == '\u{1b}' { colour_at(rest) } else { None };
            let length = match colour {
                Some(length) => {
                    spelled.push_str(&rest[..length]);
                    length
                }
                None => {
                    spell(c, &mut self.sieve, &mut spelled);
                    c.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        spelled
    }
}

/// A text in which each hostile character is spelled, as [`Printer`] does.
pub fn escaped(text: &str) -> String {
    let mut sieve = Sieve::default();
    let mut spelled = String::with_capacity(text.len());
    text.chars().for_each(|c| spell(c, &mut sieve, &mut spelled));
    spelled
}

fn spell(c: char, sieve: &mut Sieve, spelled: &mut String) {
    let taken = sieve.take(c);
    if matches!(c, '\n' | '\t') || taken == Taken::Whole {
        spelled.push(c);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _ = write!(spelled, "\\u{unit:04x}");
    }
}

/// The bytes of the colour or modifier (`ESC [ 38;5;210 m`) that the text begins with.
fn colour_at(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':')))?;
    numbers[end..].starts_with('m').then_some(2 + end + 1)
}

impl<W: Write> Write for Printer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let begun = std::mem::take(&mut self.begun);
        let mut rest = &begun[..];
        let mut spelled = String::with_capacity(rest.len());
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    spelled.push_str(&self.spell(text));
                    break;
                }
                Err(error) => {
                    let (text, after) = rest.split_at(error.valid_up_to());
                    spelled.push_str(&self.spell(&String::from_utf8_lossy(text)));
                    match error.error_len() {
                        Some(length) => {
                            spelled.push('\u{fffd}');
                            rest = &after[length..];
                        }
                        None => {
                            self.begun = after.to_vec();
                            break;
                        }
                    }
                }
            }
        }
        self.out.write_all(spelled.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(pieces: &[&[u8]], styled: bool) -> String {
        let mut out = Vec::new();
        let mut printer = if styled { Printer::styled(&mut out) } else { Printer::new(&mut out) };
        pieces.iter().for_each(|piece| printer.write_all(piece).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_could_act_on_a_terminal_is_spelled_and_lines_stay() {
        let text = "a\u{1b}]52;c;eA==\u{7}\tb\u{202e}\n\u{9b}31m \u{e0041}";
        assert_eq!(
            printed(&[text.as_bytes()], false),
            "a\\u001b]52;c;eA==\\u0007\tb\\u202e\n\\u009b31m \\udb40\\udc41"
        );
        assert_eq!(escaped("a\u{7f}"), "a\\u007f");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ "why": "x\u{202e}y\u{9b}\u{e0041}\u{2800}é" });
        let text = printed(&[format!("{value:#}").as_bytes()], false);
        assert!(!text.contains(|c: char| c != '\n' && crate::base::text::is_hostile(c)), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_character_in_two_pieces_is_one_and_bytes_that_are_none_are_marked() {
        let text = "ä\u{202e}".as_bytes();
        let pieces: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(printed(&pieces, false), "ä\\u202e");
        assert_eq!(printed(&[b"a\xffb"], false), "a\u{fffd}b");
    }

    #[test]
    fn of_escape_sequences_only_colours_pass_and_only_where_they_are_ours() {
        let text = b"\x1b[1;31mred\x1b[0m\x1b[2J\x1b]0;x\x07";
        assert_eq!(printed(&[text], true), "\u{1b}[1;31mred\u{1b}[0m\\u001b[2J\\u001b]0;x\\u0007");
        assert!(!printed(&[text], false).contains('\u{1b}'));
    }
}
