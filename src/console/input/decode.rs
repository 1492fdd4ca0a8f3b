//! Bytes from a terminal to keys and pastes.
//!
//! A byte-wise state machine, so that it does not matter where a slow line cuts a sequence. It is our own because
//! the decoders at hand either cannot be given bytes or lose track of a paste that arrives in pieces, and a
//! pasted `y` taken for a key is exactly what a confirmation must never see. Sequences: ECMA-48, xterm's
//! "ctlseqs", and the kitty keyboard protocol where a multiplexer has it on already.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::console::keymap::Chord;

const ESC: u8 = 0x1b;
const PASTE_END: &[u8] = b"\x1b[201~";
/// Longest escape sequence that is looked at, in bytes; what is longer is swallowed.
const MAX_SEQUENCE_BYTES: usize = 64;
/// Longest text taken from one paste, in bytes; the rest is swallowed.
const MAX_PASTE_BYTES: usize = 64 * 1024;
/// How long after Esc a sequence may still follow it.
const AFTER_ESC: Duration = Duration::from_millis(50);
/// How long a sequence or paste that has begun may pause.
const INSIDE_SEQUENCE: Duration = Duration::from_secs(1);

/// What the bytes said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decoded {
    /// A key, and whether the terminal itself reported it as a repetition.
    Key { chord: Chord, repeat: bool },
    /// A bracketed paste.
    Paste(String),
}

/// The state between two reads.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Bytes of an unfinished sequence or character.
    pending: Vec<u8>,
    paste: Option<Paste>,
}

#[derive(Debug, Default)]
struct Paste {
    text: Vec<u8>,
    /// How much of [`PASTE_END`] the last bytes match.
    matched: usize,
}

/// What a run of bytes is so far.
enum Step {
    Incomplete,
    /// Complete; a sequence that means nothing to us is `None`.
    Complete(Option<Decoded>),
    PasteStart,
}

impl Decoder {
    /// Takes the bytes of one read and appends what they completed.
    pub(super) fn feed(&mut self, bytes: &[u8], events: &mut Vec<Decoded>) {
        for byte in bytes {
            if let Some(paste) = &mut self.paste {
                if paste.push(*byte) {
                    events.extend(self.paste.take().map(Paste::finish));
                }
            } else {
                self.push(*byte, events);
            }
        }
    }

    /// How long to wait for more before calling [`Decoder::idle`]; `None` when nothing is unfinished.
    pub(super) fn patience(&self) -> Option<Duration> {
        match (&self.paste, self.pending.as_slice()) {
            (Some(_), _) => Some(INSIDE_SEQUENCE),
            (None, []) => None,
            (None, [ESC] | [ESC, _]) => Some(AFTER_ESC),
            (None, _) => Some(INSIDE_SEQUENCE),
        }
    }

    /// Nothing more came: a lone Esc was the key, Esc and a character were Alt with it, anything longer was a
    /// torn sequence and is dropped.
    pub(super) fn idle(&mut self, events: &mut Vec<Decoded>) {
        events.extend(self.paste.take().map(Paste::finish));
        match self.pending.as_slice() {
            [ESC] => events.push(key(KeyCode::Esc, KeyModifiers::NONE)),
            [ESC, byte @ b' '..=b'~'] => {
                events.push(key(KeyCode::Char(char::from(*byte)), KeyModifiers::ALT))
            }
            _ => {}
        }
        self.pending.clear();
    }

    fn push(&mut self, byte: u8, events: &mut Vec<Decoded>) {
        // A control character inside a sequence ends it: the sequence was torn, the character counts.
        let torn = self.pending.len() >= 2 && byte < b' ' && !in_string(&self.pending);
        if torn {
            self.pending.clear();
        } else if self.pending == [ESC] && byte == ESC {
            events.push(key(KeyCode::Esc, KeyModifiers::NONE));
            return;
        }
        self.pending.push(byte);
        match step(&self.pending) {
            Step::Incomplete => {
                if self.pending.len() > MAX_SEQUENCE_BYTES {
                    // Room is kept for the two bytes that can end a string.
                    let last = self.pending.len() - 2;
                    self.pending.remove(last - 1);
                }
            }
            Step::Complete(event) => {
                events.extend(event);
                self.pending.clear();
            }
            Step::PasteStart => {
                self.pending.clear();
                self.paste = Some(Paste::default());
            }
        }
    }
}

impl Paste {
    /// Takes a byte; true when the paste is complete.
    fn push(&mut self, byte: u8) -> bool {
        self.matched = match byte {
            byte if byte == PASTE_END[self.matched] => self.matched + 1,
            ESC => 1,
            _ => 0,
        };
        if self.text.len() < MAX_PASTE_BYTES {
            self.text.push(byte);
        }
        self.matched == PASTE_END.len()
    }

    fn finish(self) -> Decoded {
        let text = self.text.strip_suffix(PASTE_END).unwrap_or(&self.text);
        Decoded::Paste(String::from_utf8_lossy(text).into_owned())
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Decoded {
    Decoded::Key { chord: Chord::new(code, modifiers), repeat: false }
}

/// Whether the bytes are an OSC, DCS, SOS, PM or APC string: an answer to a question somebody else asked.
fn in_string(bytes: &[u8]) -> bool {
    matches!(bytes, [ESC, b']' | b'P' | b'X' | b'^' | b'_', ..])
}

fn step(bytes: &[u8]) -> Step {
    match bytes {
        [ESC] => Step::Incomplete,
        [ESC, b'[', rest @ ..] => control_sequence(rest),
        [ESC, b'O', rest @ ..] => match rest {
            [] => Step::Incomplete,
            // The keypad's Enter, in application mode.
            [b'M', ..] => Step::Complete(Some(key(KeyCode::Enter, KeyModifiers::NONE))),
            [last, ..] => Step::Complete(letter_key(*last).map(|code| key(code, KeyModifiers::NONE))),
        },
        _ if in_string(bytes) => match bytes {
            [.., 0x07 | 0x18 | 0x1a] => Step::Complete(None),
            [_, _, .., ESC, b'\\'] => Step::Complete(None),
            _ => Step::Incomplete,
        },
        [ESC, rest @ ..] => plain(rest, KeyModifiers::ALT),
        _ => plain(bytes, KeyModifiers::NONE),
    }
}

/// A character or control byte, with Alt when Esc came before it.
fn plain(bytes: &[u8], alt: KeyModifiers) -> Step {
    let control = |c: u8| (KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    let (code, modifiers) = match bytes {
        [b'\r' | b'\n'] => (KeyCode::Enter, KeyModifiers::NONE),
        [b'\t'] => (KeyCode::Tab, KeyModifiers::NONE),
        [0x08 | 0x7f] => (KeyCode::Backspace, KeyModifiers::NONE),
        [0] => control(b' '),
        [byte @ 0x01..=0x1a] => control(byte + b'a' - 1),
        [byte @ 0x1c..=0x1f] => control(byte + b'@'),
        _ => match std::str::from_utf8(bytes) {
            // C1 controls are control characters in two bytes; they are no keys.
            Ok(text) => match text.chars().next() {
                Some(c) if !c.is_control() => (KeyCode::Char(c), KeyModifiers::NONE),
                _ => return Step::Complete(None),
            },
            Err(error) if error.error_len().is_none() => return Step::Incomplete,
            Err(_) => return Step::Complete(None),
        },
    };
    Step::Complete(Some(key(code, modifiers | alt)))
}

/// What follows `ESC [`.
fn control_sequence(rest: &[u8]) -> Step {
    match rest {
        // The Linux console's F1 to F5.
        [b'['] => Step::Incomplete,
        [b'[', last] => {
            let number = (b'A'..=b'E').contains(last).then(|| last - b'A' + 1);
            Step::Complete(number.map(|number| key(KeyCode::F(number), KeyModifiers::NONE)))
        }
        // A mouse report of the oldest kind, left on by another program: three bytes follow.
        [b'M', ..] => {
            if rest.len() < 4 {
                Step::Incomplete
            } else {
                Step::Complete(None)
            }
        }
        [parameters @ .., last @ 0x40..=0x7e] => match std::str::from_utf8(parameters) {
            Ok("200") if *last == b'~' => Step::PasteStart,
            Ok(parameters) => Step::Complete(sequence_key(parameters, *last)),
            Err(_) => Step::Complete(None),
        },
        _ => Step::Incomplete,
    }
}

fn sequence_key(parameters: &str, last: u8) -> Option<Decoded> {
    let mut fields = parameters.split(';').map(|field| {
        let mut parts = field.split(':').map(|part| part.parse::<u32>().ok());
        (parts.next().flatten(), parts.next().flatten())
    });
    let number = match fields.next() {
        Some((Some(number), _)) => number,
        _ if parameters.is_empty() => 1,
        // Mouse reports, and answers about modes and features.
        _ => return None,
    };
    let (mask, kind) = fields.next().unwrap_or_default();
    let code = match last {
        // xterm's modifyOtherKeys: 27 ; modifiers ; character.
        b'~' if number == 27 => character(fields.next()?.0?)?,
        b'~' => numbered_key(number)?,
        b'u' => character(number)?,
        b'Z' => KeyCode::BackTab,
        // With any other first number, `R` is a report of the cursor's place.
        _ if number == 1 => letter_key(last)?,
        _ => return None,
    };
    const RELEASE: u32 = 3;
    const REPEAT: u32 = 2;
    (kind != Some(RELEASE))
        .then(|| Decoded::Key { chord: Chord::new(code, modifiers(mask)), repeat: kind == Some(REPEAT) })
}

/// Modifiers as xterm counts them: one more than a mask of Shift 1, Alt 2, Ctrl 4.
fn modifiers(parameter: Option<u32>) -> KeyModifiers {
    let mask = parameter.unwrap_or(1).saturating_sub(1);
    [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)]
        .into_iter()
        .filter(|(bit, _)| mask & bit != 0)
        .fold(KeyModifiers::NONE, |all, (_, modifier)| all | modifier)
}

fn character(codepoint: u32) -> Option<KeyCode> {
    match codepoint {
        9 => Some(KeyCode::Tab),
        10 | 13 => Some(KeyCode::Enter),
        27 => Some(KeyCode::Esc),
        8 | 127 => Some(KeyCode::Backspace),
        // The kitty protocol keeps keys without a character (media keys, lone modifiers) in a private area.
        0xe000..=0xf8ff => None,
        _ => char::from_u32(codepoint).filter(|c| !c.is_control()).map(KeyCode::Char),
    }
}

fn letter_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

fn numbered_key(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number as u8 - 10),
        17..=21 => KeyCode::F(number as u8 - 11),
        23 | 24 => KeyCode::F(number as u8 - 12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
