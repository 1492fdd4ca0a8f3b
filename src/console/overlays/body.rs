//! A text of several lines: what a message says.

use super::field::edit;
use crate::console::keymap::Chord;
use crate::core::prose::message::clean_lines;
use crate::plan::BODY_LIMIT_CHARS;
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

/// Lines of text with a cursor. Enter begins a new line; line breaks of what is pasted are kept.
#[derive(Clone, Debug)]
pub struct Body {
    area: TextArea<'static>,
}

impl Body {
    /// A text with the cursor at its begin: it is read from there.
    pub fn new(text: &str) -> Self {
        let lines: Vec<String> = clean_lines(text).lines().map(str::to_owned).collect();
        let mut area = TextArea::new(lines);
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_max_histories(0);
        Self { area }
    }

    /// What it holds.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// The widget, for drawing.
    pub fn area(&self) -> &TextArea<'static> {
        &self.area
    }

    fn room_chars(&self) -> usize {
        let used: usize = self.area.lines().iter().map(|line| line.chars().count() + 1).sum();
        BODY_LIMIT_CHARS.saturating_sub(used)
    }

    /// Takes pasted text, cleaned; its lines stay lines.
    pub fn paste(&mut self, text: &str) {
        // Terminals send a carriage return for each line end of what is pasted.
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        let end = if lines.ends_with('\n') { "\n" } else { "" };
        let cleaned = clean_lines(&lines) + end;
        let kept: String = cleaned.chars().take(self.room_chars()).collect();
        self.area.insert_str(kept);
    }

    /// Begins a new line.
    pub fn break_line(&mut self) {
        if self.room_chars() > 0 {
            self.area.insert_newline();
        }
    }

    /// Takes a key; false when it means nothing in a text.
    pub fn press(&mut self, chord: Chord) -> bool {
        if let Some(character) = chord.typed() {
            if self.room_chars() > 0 {
                self.area.insert_char(character);
            }
            return true;
        }
        match (chord.code, chord.modifiers) {
            (KeyCode::Up, KeyModifiers::NONE) => self.area.move_cursor(CursorMove::Up),
            (KeyCode::Down, KeyModifiers::NONE) => self.area.move_cursor(CursorMove::Down),
            _ => return edit(&mut self.area, chord),
        }
        true
    }

    /// Moves by lines.
    pub fn step(&mut self, by: isize) {
        let towards = if by < 0 { CursorMove::Up } else { CursorMove::Down };
        for _ in 0..by.unsigned_abs() {
            self.area.move_cursor(towards);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines_and_what_could_steer_a_terminal_does_not() {
        let mut body = Body::new("");
        body.paste("one\rtwo\r\nthree\x1b[2J");
        assert_eq!(body.text(), "one\ntwo\nthree\u{fffd}[2J");
        body.break_line();
        body.press(Chord::parse("x").unwrap());
        assert_eq!(body.text(), "one\ntwo\nthree\u{fffd}[2J\nx");
    }

    #[test]
    fn a_paste_that_ends_a_line_does_not_glue_the_next_one_to_it() {
        let mut body = Body::new("");
        body.paste("one\n");
        body.paste("two");
        assert_eq!(body.text(), "one\ntwo");
    }

    #[test]
    fn the_arrows_go_between_lines_and_backspace_joins_them() {
        let mut body = Body::new("one\ntwo");
        for key in ["down", "home", "backspace", "!"] {
            assert!(body.press(Chord::parse(key).unwrap()), "{key}");
        }
        assert_eq!(body.text(), "one!two");
    }

    #[test]
    fn it_does_not_grow_without_bounds() {
        let mut body = Body::new("");
        body.paste(&"x\n".repeat(2 * BODY_LIMIT_CHARS));
        body.press(Chord::parse("y").unwrap());
        assert!(body.text().chars().count() <= BODY_LIMIT_CHARS);
    }
}
