//! One chord: a key with its modifiers, as keymaps spell it (`ctrl-x`, `alt-v`, `shift-tab`, `f1`, `G`).

use std::fmt;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::console::input::introduces;

/// A key with its modifiers, in the one form that both keymap files and the terminal are brought to:
/// a character carries its own case, so Shift is dropped from it, and Shift with Tab is one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    pub code: KeyCode,
    /// Ctrl, Alt and Shift held with it.
    pub modifiers: KeyModifiers,
}

/// Keys with a name of their own. The first name of a key is the one that is shown.
const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("return", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("escape", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("page-up", KeyCode::PageUp),
    ("page-down", KeyCode::PageDown),
];

/// What terminals send for these is another key's byte, so a binding to them would be a lie.
const SAME_BYTE: &[(char, &str)] =
    &[('i', "tab"), ('m', "enter"), ('[', "esc"), ('j', "enter"), ('h', "backspace")];

impl Chord {
    /// A chord in canonical form.
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let mut modifiers = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = code;
        match code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                code = KeyCode::Char(c.to_ascii_lowercase());
                modifiers.remove(KeyModifiers::SHIFT);
            }
            KeyCode::Char(c) => {
                if modifiers.contains(KeyModifiers::SHIFT) {
                    code = KeyCode::Char(c.to_ascii_uppercase());
                }
                modifiers.remove(KeyModifiers::SHIFT);
            }
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => code = KeyCode::BackTab,
            _ => {}
        }
        if code == KeyCode::BackTab {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }

    /// A key without modifiers.
    pub fn plain(code: KeyCode) -> Self {
        Self::new(code, KeyModifiers::NONE)
    }

    /// Reads one chord as a keymap spells it; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        while let Some((modifier, after)) = split_modifier(rest) {
            if modifiers.contains(modifier) {
                return Err(format!("`{text}` names a modifier twice"));
            }
            modifiers |= modifier;
            rest = after;
        }
        let code = parse_key(rest).ok_or_else(|| format!("`{text}` is not a key"))?;
        if let KeyCode::Char(c) = code {
            reject_ambiguous(text, c, modifiers)?;
        }
        Ok(Self::new(code, modifiers))
    }

    /// The character it types, when it types one: no Ctrl or Alt is held.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// It moves about or leaves, and does nothing else.
    pub fn is_movement(self) -> bool {
        use KeyCode::{Down, End, Esc, Home, Left, PageDown, PageUp, Right, Up};
        let moves = matches!(self.code, Up | Down | Left | Right | PageUp | PageDown | Home | End | Esc);
        moves && self.modifiers.is_empty()
    }

    /// Enter or the space bar, with or without modifiers: what a tired hand presses to make a dialog go away.
    pub fn is_reflex(self) -> bool {
        matches!(self.code, KeyCode::Enter | KeyCode::Char(' '))
    }
}

fn split_modifier(text: &str) -> Option<(KeyModifiers, &str)> {
    [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)]
        .into_iter()
        .find_map(|(prefix, modifier)| {
            let rest = text.strip_prefix(prefix)?;
            (!rest.is_empty()).then_some((modifier, rest))
        })
}

fn parse_key(name: &str) -> Option<KeyCode> {
    let mut characters = name.chars();
    if let (Some(c), None) = (characters.next(), characters.next()) {
        return (!c.is_control() && c != ' ').then_some(KeyCode::Char(c));
    }
    if let Some((_, code)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    let number: u8 = name.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

fn reject_ambiguous(text: &str, c: char, modifiers: KeyModifiers) -> Result<(), String> {
    if modifiers.contains(KeyModifiers::SHIFT) {
        return Err(format!("`{text}`: write the character that Shift makes, as in `G` or `?`"));
    }
    if modifiers.contains(KeyModifiers::CONTROL) {
        let twin = SAME_BYTE.iter().find(|(same, _)| *same == c.to_ascii_lowercase());
        if let Some((_, key)) = twin {
            return Err(format!("`{text}` cannot be bound: terminals send the same byte for {key}"));
        }
        if !c.is_ascii_alphabetic() && !matches!(c, ' ' | '\\' | ']' | '^' | '_') {
            return Err(format!("`{text}` cannot be bound: terminals have no byte for it"));
        }
    }
    if modifiers == KeyModifiers::ALT && u8::try_from(c).is_ok_and(introduces) {
        return Err(format!("`{text}` cannot be bound: terminals begin other keys and answers with it"));
    }
    Ok(())
}

impl fmt::Display for Chord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, prefix) in [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-")] {
            if self.modifiers.contains(modifier) {
                formatter.write_str(prefix)?;
            }
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) || self.code == KeyCode::BackTab {
            formatter.write_str("shift-")?;
        }
        let named = if self.code == KeyCode::BackTab { KeyCode::Tab } else { self.code };
        match (NAMED.iter().find(|(_, code)| *code == named), self.code) {
            (Some((name, _)), _) => formatter.write_str(name),
            (None, KeyCode::Char(c)) => write!(formatter, "{c}"),
            (None, KeyCode::F(number)) => write!(formatter, "f{number}"),
            (None, other) => write!(formatter, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_reads_and_writes_itself() {
        for text in ["ctrl-x", "alt-v", "shift-tab", "f1", "f12", "space", "G", "g", "?", "-", "ctrl-alt-a"] {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text);
        }
        for text in ["esc", "enter", "page-up", "home", "ctrl-space", "alt--", "alt-<", "shift-up"] {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Chord::parse("return"), Chord::parse("enter"));
    }

    #[test]
    fn what_the_terminal_reports_equals_what_the_keymap_spells() {
        let reported = [
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::Char('g'), KeyModifiers::SHIFT, "G"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::Tab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::Char('X'), KeyModifiers::CONTROL | KeyModifiers::SHIFT, "ctrl-x"),
        ];
        for (code, modifiers, spelled) in reported {
            assert_eq!(Chord::new(code, modifiers), Chord::parse(spelled).unwrap(), "{spelled}");
        }
    }

    #[test]
    fn chords_that_terminals_cannot_tell_apart_are_refused() {
        for text in
            ["ctrl-m", "ctrl-i", "ctrl-[", "ctrl-j", "shift-g", "ctrl-1", "ctrl-ctrl-a", "hyper-x", "", "f13"]
                .into_iter()
                .chain(["alt-O", "alt-[", "alt-P", "alt-]", "alt-X"])
        {
            assert!(Chord::parse(text).is_err(), "{text}");
        }
    }
}
