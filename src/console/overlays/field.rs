//! A field of text: a reason, a note, a filter, the phrase of a confirmation.

use crate::base::text::clean;
use crate::console::keymap::Chord;
use crate::core::decide::TEXT_LIMIT_CHARS;
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

/// One paragraph of text with a cursor. Line breaks become spaces: Enter finishes the text.
#[derive(Clone, Debug)]
pub struct Field {
    area: TextArea<'static>,
}

impl Default for Field {
    fn default() -> Self {
        Self::new("")
    }
}

impl Field {
    /// A field that holds `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![clean(text, TEXT_LIMIT_CHARS)]);
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_max_histories(0);
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// The widget, for drawing.
    pub fn area(&self) -> &TextArea<'static> {
        &self.area
    }

    /// The place of the cursor, in characters.
    pub fn cursor(&self) -> usize {
        self.area.cursor().1
    }

    /// Takes pasted text, cleaned.
    pub fn paste(&mut self, text: &str) {
        let room = TEXT_LIMIT_CHARS.saturating_sub(self.text().chars().count());
        // Terminals send a carriage return for each line end of what is pasted.
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        self.area.insert_str(clean(&lines, room));
    }

    /// Takes a key; false when it means nothing in a field.
    pub fn press(&mut self, chord: Chord) -> bool {
        if let Some(character) = chord.typed() {
            if self.text().chars().count() < TEXT_LIMIT_CHARS {
                self.area.insert_char(character);
            }
            return true;
        }
        edit(&mut self.area, chord)
    }
}

/// Moves or deletes where the cursor is; false when the key means nothing in a text.
pub(in crate::console) fn edit(area: &mut TextArea<'static>, chord: Chord) -> bool {
    match (chord.code, chord.modifiers) {
        (KeyCode::Backspace, KeyModifiers::NONE) => drop(area.delete_char()),
        (KeyCode::Delete, KeyModifiers::NONE) => drop(area.delete_next_char()),
        (KeyCode::Char('w'), KeyModifiers::CONTROL) | (KeyCode::Backspace, KeyModifiers::ALT) => {
            area.delete_word();
        }
        (KeyCode::Char('u'), KeyModifiers::CONTROL) => drop(area.delete_line_by_head()),
        (KeyCode::Char('k'), KeyModifiers::CONTROL) => drop(area.delete_line_by_end()),
        (KeyCode::Left, KeyModifiers::NONE) => area.move_cursor(CursorMove::Back),
        (KeyCode::Right, KeyModifiers::NONE) => area.move_cursor(CursorMove::Forward),
        (KeyCode::Left, _) => area.move_cursor(CursorMove::WordBack),
        (KeyCode::Right, _) => area.move_cursor(CursorMove::WordForward),
        (KeyCode::Home, _) | (KeyCode::Char('a'), KeyModifiers::CONTROL) => {
            area.move_cursor(CursorMove::Head);
        }
        (KeyCode::End, _) | (KeyCode::Char('e'), KeyModifiers::CONTROL) => {
            area.move_cursor(CursorMove::End);
        }
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> String {
        let mut field = Field::new("dns down");
        for key in keys {
            assert!(field.press(Chord::parse(key).unwrap()), "{key}");
        }
        field.text().to_owned()
    }

    #[test]
    fn keys_edit_where_the_cursor_is() {
        assert_eq!(typed(&["!"]), "dns down!");
        assert_eq!(typed(&["backspace", "backspace", "é"]), "dns doé");
        assert_eq!(typed(&["home", "X", "right", "delete"]), "Xds down");
        assert_eq!(typed(&["ctrl-w"]), "dns ");
        assert_eq!(typed(&["ctrl-u"]), "");
        assert_eq!(typed(&["ctrl-left", "ctrl-k", "u", "p"]), "dns up");
    }

    #[test]
    fn pasted_text_is_cleaned_and_stays_one_paragraph() {
        let mut field = Field::default();
        field.paste("two\nlines\x1b[2J");
        assert_eq!(field.text(), "two lines\u{fffd}[2J");
        let mut field = Field::default();
        field.paste("one\rtwo\r\nthree");
        assert_eq!(field.text(), "one two three");
    }

    #[test]
    fn it_does_not_grow_without_bounds() {
        let mut field = Field::default();
        field.paste(&"x".repeat(2 * TEXT_LIMIT_CHARS));
        field.press(Chord::parse("y").unwrap());
        assert!(field.text().chars().count() <= TEXT_LIMIT_CHARS + 1);
    }

    #[test]
    fn keys_that_mean_nothing_here_are_left_to_others() {
        assert!(!Field::default().press(Chord::parse("ctrl-y").unwrap()));
        assert!(!Field::default().press(Chord::parse("enter").unwrap()));
    }
}
