//! The overview: how bad it is and why, what to do next, regions by services, what would be lost, and every
//! signal with the worst first.

mod data;
mod matrix;
mod signals;
mod verdict;

pub use signals::{Row, rows};

use super::View;
use super::paint::put;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// From this width on, regions and data stand side by side.
const WIDE: u16 = 110;
/// Rows of the list of signals that nothing may take.
const SIGNAL_ROWS: usize = 5;

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let top = verdict::lines(view, area.width);
    let area = put_block(frame, area, view, top);
    let area = if view.ui.details { area } else { put_middle(frame, area, view) };
    signals::draw(frame, area, view);
}

/// Writes lines and returns what is left below them.
fn put_block(frame: &mut Frame<'_>, area: Rect, view: &View<'_>, lines: Vec<Line<'static>>) -> Rect {
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    put(frame, area, &view.look, lines);
    Rect { y: area.y + used, height: area.height - used, ..area }
}

/// Regions by services, replication and backups, in what the list of signals leaves.
fn put_middle(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) -> Rect {
    let room = usize::from(area.height).saturating_sub(SIGNAL_ROWS + 1);
    if area.width < WIDE {
        // What is replicated and backed up is short; the matrix takes the rest.
        let data = data::lines(view, area.width, (room / 3).max(2));
        let matrix = matrix::lines(view, area.width, room.saturating_sub(data.len()));
        let area = put_block(frame, area, view, matrix);
        return put_block(frame, area, view, data);
    }
    let left_width = area.width * 3 / 5;
    let matrix = matrix::lines(view, left_width - 2, room.min(usize::from(area.height) / 2));
    let data = data::lines(view, area.width - left_width, room.min(usize::from(area.height) / 2));
    let used = u16::try_from(matrix.len().max(data.len())).unwrap_or(u16::MAX).min(area.height);
    put(frame, Rect { width: left_width - 2, height: used, ..area }, &view.look, matrix);
    let right = Rect { x: area.x + left_width, width: area.width - left_width, height: used, ..area };
    put(frame, right, &view.look, data);
    Rect { y: area.y + used, height: area.height - used, ..area }
}
