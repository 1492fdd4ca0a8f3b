//! The overview: how bad it is and why, what to do next, regions by services, what would be lost, and every
//! signal with the worst first.

mod data;
mod matrix;
mod signals;
mod verdict;

pub use signals::{Row, count, rows};

use super::paint::put;
use super::{View, is_tight};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Rows of the list of signals that nothing may take.
const SIGNAL_ROWS: usize = 5;

/// Rows of regions by services below which it is left out: its head, the regions, a service, and how many more.
const TABLE_ROWS: usize = 4;

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let low = is_tight(frame.area()).then_some(usize::from(area.height));
    let top = verdict::lines(view, area.width, low);
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
    // What is replicated and backed up is short; the matrix takes the rest.
    let data = data::lines(view, area.width, (room / 3).max(2));
    let room = room.saturating_sub(data.len());
    // A table without a row says nothing.
    let room = if room < TABLE_ROWS { 0 } else { room };
    let matrix = matrix::lines(view, area.width, room);
    let area = put_block(frame, area, view, matrix);
    put_block(frame, area, view, data)
}
