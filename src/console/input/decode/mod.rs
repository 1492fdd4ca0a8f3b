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
/// What comes before a control character of 8 bits in UTF-8.
const C1_IN_UTF8: &[u8] = &[0xc2];
const PASTE_END: &[u8] = b"\x1b[201~";
/// Longest escape sequence that is looked at, in bytes; what is longer is swallowed.
const MAX_SEQUENCE_BYTES: usize = 64;
/// Longest text taken from one paste, in bytes; the rest is swallowed.
const MAX_PASTE_BYTES: usize = 64 * 1024;
/// How long after Esc the rest of its sequence may still follow. A line over a satellite or a loaded bastion cuts
/// `ESC [ A` in two by 100 to 250 ms.
const AFTER_ESC: Duration = Duration::from_millis(300);
/// How long after an Esc that was taken for the key what introduces a sequence is still the rest of one that was cut
/// in two.
const LATE_AFTER_ESC: Duration = Duration::from_millis(700);
/// How long a letter that came alone after Esc, and may introduce a sequence, is held: its rest follows within what a
/// line cuts a sequence by, twice over, or it was a letter.
const HELD_LETTER: Duration = Duration::from_millis(500);
/// How long a sequence or paste that has begun may pause before the operator is told.
const INSIDE_SEQUENCE: Duration = Duration::from_secs(1);
/// How long after that the line must be silent until nothing more of it is expected.
const GIVE_UP: Duration = Duration::from_secs(5);

/// What the bytes said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decoded {
    /// A key, and whether the terminal itself reported it as a repetition.
    Key { chord: Chord, repeat: bool },
    /// A bracketed paste.
    Paste(String),
    /// A paste or sequence has begun and pauses: what comes belongs to it, and is no key.
    Unfinished,
    /// What had begun never ended; what came after the silence was dropped with it.
    GivenUp,
}

/// The state between two reads.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Bytes of an unfinished sequence or character.
    pending: Vec<u8>,
    /// The sequence began with a control character of 8 bits (ECMA-48's C1), so that it is swallowed: no terminal
    /// that this runs on sends one, and what follows it is no typing.
    eight_bit: bool,
    paste: Option<Paste>,
    wait: Wait,
    /// An Esc was just taken for the key.
    after_esc: bool,
    /// What may introduce a sequence came alone and apart from its Esc: it may as well be a key of a person.
    guess: Option<Guess>,
}

/// What became of the Esc before a letter that may introduce a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// It was taken for the key.
    EscTold,
    /// It is told with the letter.
    EscHeld,
}

/// How long what has begun is overdue.
#[derive(Debug, Default, PartialEq, Eq)]
enum Wait {
    #[default]
    Fresh,
    /// It pauses, and this was told.
    Late,
    /// Nothing more of it is expected; the next bytes only show that the line is there.
    GivenUp,
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
        if bytes.is_empty() {
            return;
        }
        if self.wait == Wait::GivenUp {
            *self = Self::default();
            events.push(Decoded::GivenUp);
            return;
        }
        let guess = match (self.after_esc, self.pending.as_slice()) {
            (true, []) => Some(Guess::EscTold),
            (_, [ESC]) if !self.eight_bit => Some(Guess::EscHeld),
            _ => None,
        };
        match (self.pending.as_slice(), bytes[0]) {
            // Bytes that came apart from Esc are keys of their own, but for those that begin a sequence.
            ([ESC], ESC) => {}
            ([ESC], byte) if introduces(byte) => {}
            ([ESC], _) if !self.eight_bit => self.give_esc(events),
            ([], byte) if self.after_esc && introduces(byte) => self.pending.push(ESC),
            _ => {}
        }
        let may_be_typed = bytes.len() == 1 && introduces(bytes[0]) && bytes[0] != b'[';
        if let Some(guess) = guess {
            self.guess = may_be_typed.then_some(guess);
        }
        self.after_esc = false;
        for byte in bytes {
            if let Some(paste) = &mut self.paste {
                if paste.push(*byte) {
                    events.extend(self.paste.take().map(Paste::finish));
                    self.wait = Wait::Fresh;
                }
            } else {
                self.push(*byte, events);
            }
        }
    }

    /// How long to wait for more before calling [`Decoder::idle`]; `None` when nothing is unfinished.
    pub(super) fn patience(&self) -> Option<Duration> {
        match (&self.paste, self.pending.as_slice()) {
            (None, []) => self.after_esc.then_some(LATE_AFTER_ESC),
            (None, [ESC]) if !self.eight_bit => Some(AFTER_ESC),
            (None, [ESC, _]) if self.guess.is_some() => Some(HELD_LETTER),
            _ => match self.wait {
                Wait::Fresh => Some(INSIDE_SEQUENCE),
                Wait::Late => Some(GIVE_UP),
                Wait::GivenUp => None,
            },
        }
    }

    /// Nothing more came in that time. A lone Esc was the key, and so was a letter that came alone after it. What
    /// introduces a sequence together with its Esc is waited for, and no Alt key can be told from it: its rest must
    /// never be taken for keys.
    pub(super) fn idle(&mut self, events: &mut Vec<Decoded>) {
        match (&self.paste, self.pending.as_slice()) {
            (None, []) => self.after_esc = false,
            (None, [ESC]) if !self.eight_bit => {
                self.give_esc(events);
                self.after_esc = true;
            }
            (None, [ESC, letter]) if let Some(guess) = self.guess => {
                let letter = KeyCode::Char(char::from(*letter));
                if guess == Guess::EscHeld {
                    events.push(key(KeyCode::Esc, KeyModifiers::NONE));
                }
                events.push(key(letter, KeyModifiers::NONE));
                self.forget();
            }
            // More came, and not its end: nobody knows what of it was typed.
            (None, [ESC, ..]) if self.guess.is_some() => {
                self.forget();
                events.push(Decoded::GivenUp);
            }
            _ if self.wait == Wait::Fresh => {
                self.wait = Wait::Late;
                events.push(Decoded::Unfinished);
            }
            _ => self.wait = Wait::GivenUp,
        }
    }

    fn give_esc(&mut self, events: &mut Vec<Decoded>) {
        events.push(key(KeyCode::Esc, KeyModifiers::NONE));
        self.pending.clear();
    }

    fn push(&mut self, byte: u8, events: &mut Vec<Decoded>) {
        if is_control_of_8_bits(byte) && !self.expects(byte) {
            return self.begin_8_bit(byte);
        }
        // A control character inside a sequence ends it: the sequence was torn, the character counts.
        let torn = self.pending.len() >= 2 && byte < b' ' && !in_string(&self.pending);
        if torn {
            self.forget();
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
                // The end of what was late may as well be a key that somebody pressed meanwhile: it is neither.
                events.extend(event.filter(|_| !self.eight_bit && self.wait == Wait::Fresh));
                self.forget();
            }
            Step::PasteStart => {
                self.forget();
                self.paste = Some(Paste::default());
            }
        }
    }

    fn forget(&mut self) {
        self.pending.clear();
        self.guess = None;
        self.eight_bit = false;
        self.wait = Wait::Fresh;
    }

    /// Whether a byte from 0x80 to 0x9f goes on with what has begun: a character of UTF-8, or a string.
    fn expects(&self, byte: u8) -> bool {
        const END_OF_STRING: u8 = 0x9c;
        if in_string(&self.pending) {
            return !(self.eight_bit && byte == END_OF_STRING);
        }
        let character = self.pending.strip_prefix(&[ESC]).unwrap_or(&self.pending);
        // The same control character as UTF-8 writes it: xterm sends it so where it sends 8 bits.
        if character == C1_IN_UTF8 && introduces(byte - 0x40) {
            return false;
        }
        let longer = [character, &[byte]].concat();
        !character.is_empty()
            && match std::str::from_utf8(&longer) {
                Ok(_) => true,
                Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
            }
    }

    /// A control character of 8 bits is Esc and the character 0x40 below it (ECMA-48, 5.3).
    fn begin_8_bit(&mut self, byte: u8) {
        let introducer = byte - 0x40;
        self.forget();
        if introduces(introducer) {
            self.pending = vec![ESC, introducer];
            self.eight_bit = true;
        }
    }
}

/// Whether Esc and this byte begin a sequence: CSI, a shift of one character (SS2, SS3), or a string.
pub(in crate::console) fn introduces(byte: u8) -> bool {
    matches!(byte, b'[' | b'N' | b'O') || in_string(&[ESC, byte])
}

fn is_control_of_8_bits(byte: u8) -> bool {
    (0x80..=0x9f).contains(&byte)
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
        [ESC, b'N'] => Step::Incomplete,
        [ESC, b'N', ..] => Step::Complete(None),
        [ESC, b'O', rest @ ..] => shifted(rest),
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
                _ => return Step::Complete(Some(Decoded::GivenUp)),
            },
            Err(error) if error.error_len().is_none() => return Step::Incomplete,
            // No keyboard sends this: what comes with it is no key of a person either.
            Err(_) => return Step::Complete(Some(Decoded::GivenUp)),
        },
    };
    Step::Complete(Some(key(code, modifiers | alt)))
}

/// What follows `ESC O`. Some terminals put modifiers before the letter, as after `ESC [`.
fn shifted(rest: &[u8]) -> Step {
    match rest {
        [.., b'0'..=b'9' | b';'] | [] => Step::Incomplete,
        // The keypad's Enter, in application mode.
        [b'M'] => Step::Complete(Some(key(KeyCode::Enter, KeyModifiers::NONE))),
        [parameters @ .., last] => {
            let mask = parameters.rsplit(|byte| *byte == b';').next().unwrap_or_default();
            let mask = std::str::from_utf8(mask).ok().and_then(|mask| mask.parse().ok());
            Step::Complete(letter_key(*last).map(|code| key(code, modifiers(mask))))
        }
    }
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
