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

/// Rows of the list of signals that what is below the verdict leaves.
const SIGNAL_ROWS: usize = 5;
/// Rows of it that nothing may take.
const LEAST_SIGNAL_ROWS: usize = 2;
/// Rows in which services and what is replicated and backed up can say the least that they must: the worst, and how
/// many more there are.
const LEAST_MIDDLE_ROWS: usize = 5;

/// Rows of regions by services below which a small terminal leaves it out: its head, the regions, a service, and how many
/// more.
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
    put(frame, area, &view.styles, lines);
    Rect { y: area.y + used, height: area.height - used, ..area }
}

/// Regions by services, replication and backups, in what the list of signals leaves.
fn put_middle(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) -> Rect {
    let without = |signals: usize| usize::from(area.height).saturating_sub(signals + 1);
    let least = LEAST_MIDDLE_ROWS.min(without(LEAST_SIGNAL_ROWS));
    let tight = is_tight(frame.area());
    let room = without(SIGNAL_ROWS).max(if tight { 0 } else { least });
    // What is replicated and backed up is short; the matrix takes the rest.
    let least = if tight || room >= LEAST_MIDDLE_ROWS { 2 } else { 1 };
    let data = data::lines(view, area.width, (room / 3).max(least));
    let room = room.saturating_sub(data.len());
    let room = if tight && room < TABLE_ROWS { 0 } else { room };
    let matrix = matrix::lines(view, area.width, room);
    let area = put_block(frame, area, view, matrix);
    put_block(frame, area, view, data)
}
