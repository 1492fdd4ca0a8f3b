//! What stands on a terminal that is too small for the screens.

use super::SMALLEST;
use super::paint::put;
use crate::console::keymap::{Action, Context, Keymap};
use crate::console::theme::Role;
use crate::console::widgets::{Look, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Says how small the terminal is, what is needed, and what works all the same.
pub fn draw(frame: &mut Frame<'_>, area: Rect, look: &Look<'_>, keymap: &Keymap) {
    let (width, height) = SMALLEST;
    // A letter may be part of a text that is being typed.
    let keys = keymap.keys(Context::Overview, Action::Quit);
    let key = keys.iter().find(|keys| keys.first.typed().is_none()).or(keys.first());
    let leave =
        key.map_or_else(String::new, |key| format!(" {key} closes this console; no other key works."));
    let text = format!(
        "The terminal is {}x{}; lifeboat needs {width}x{height}.{leave} `lifeboat status` prints the same as text.",
        area.width, area.height
    );
    let lines = wrap(&text, usize::from(area.width));
    put(frame, area, look, lines.into_iter().map(|line| Line::from(look.span(Role::Text, line))));
}
