//! Escalation: who knows, who is told next, who answers for what, which messages are due, and what became of every
//! message.

mod detail;
mod standing;
mod table;

pub use detail::{paragraphs, texts};
pub use table::{count, rows};

use super::View;
use super::list::{no_match, window};
use super::paint::{cleaned, detailed, limited, put, put_list, rule, shown_by};
use crate::console::keymap::Action;
use crate::console::theme::Role;
use crate::console::ui::Screen;
use crate::core::decide::current_escalation;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Rows of the details, when there is room.
const DETAIL_ROWS: u16 = 14;
/// Rows of the table that what stands above it leaves.
const TABLE_ROWS: u16 = 6;

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let styles = &view.styles;
    let mut top = vec![title(view, area.width)];
    top.extend(standing::lines(view, area.width));
    let room = usize::from(area.height.saturating_sub(TABLE_ROWS)).max(2);
    let top = limited(styles, top, room, &shown_by(view, Action::Brief));
    let used = u16::try_from(top.len()).unwrap_or(u16::MAX).min(area.height);
    put(frame, area, styles, top);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    let rows = rows(view.model, &view.ui.filter);
    put(frame, below, styles, [table::title(view, &rows, below.width), table::heads(view, below.width)]);
    let below = Rect { y: below.y + 2.min(below.height), height: below.height.saturating_sub(2), ..below };
    if rows.is_empty() {
        let line = match view.model.durable.notifications.is_empty() {
            true => Line::from(styles.span(Role::Muted, " nobody was told anything yet")),
            false => no_match(view),
        };
        return put(frame, below, styles, [line]);
    }
    let details = if view.ui.details { DETAIL_ROWS.min(below.height * 3 / 4) } else { 0 };
    let list = Rect { height: below.height - details, ..below };
    let selected = view.ui.cursor(Screen::Escalation).selected.min(rows.len() - 1);
    let shown = window(view, selected, rows.len(), usize::from(list.height));
    let lines: Vec<Line<'static>> =
        shown.clone().map(|place| table::line(view, rows[place], place == selected, list.width)).collect();
    put_list(frame, list, styles, lines, Some(selected.saturating_sub(shown.start)));
    if details > 0 {
        let panel = Rect { y: list.bottom(), height: details, ..below };
        let lines = detail::lines(view, rows[selected], panel.width);
        put(frame, panel, styles, detailed(view, lines, usize::from(details)));
    }
}

/// `ESCALATION P0 by Critical incidents, begun 3 min ago`.
fn title(view: &View<'_>, width: u16) -> Line<'static> {
    let rest = match current_escalation(view.model) {
        None => "nothing is escalated".to_owned(),
        Some(escalation) => {
            let policy = escalation.policy.as_ref();
            let policy = policy.map(|id| view.model.plan.policies.get(id).map_or(id.as_str(), |p| &p.title));
            let policy = policy.map_or_else(String::new, |title| format!(" by \"{title}\""));
            let since = crate::base::units::age(view.now.duration_since(escalation.since));
            let again = match escalation.generation {
                0 => String::new(),
                1 => ", begun anew once".to_owned(),
                generation => format!(", begun anew {generation} times"),
            };
            format!("{}{policy}, for {since}{again}", escalation.severity.as_str())
        }
    };
    rule(&view.styles, "ESCALATION", cleaned(&rest), width)
}
