//! What stands on a terminal that is too small for the screens.

use super::SMALLEST;
use super::paint::put;
use crate::console::theme::Role;
use crate::console::widgets::{Look, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Says how small the terminal is, what is needed, and what works all the same.
pub fn draw(frame: &mut Frame<'_>, area: Rect, look: &Look<'_>) {
    let (width, height) = SMALLEST;
    let text = format!(
        "The terminal is {}x{}; lifeboat needs {width}x{height}. `lifeboat status` prints the same as text.",
        area.width, area.height
    );
    let lines = wrap(&text, usize::from(area.width));
    put(frame, area, look, lines.into_iter().map(|line| Line::from(look.span(Role::Text, line))));
}
