//! What stands on the screen before the engine's first word.

use super::paint::{labelled, put};
use crate::base::units;
use crate::console::theme::Role;
use crate::console::widgets::Styles;
use jiff::SignedDuration;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// From here on the wait is worth a word.
const LONG_WAIT: SignedDuration = SignedDuration::from_secs(3);

/// Says what is waited for, for how long, and what stands in the way.
pub fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    styles: &Styles<'_>,
    plan: &str,
    waited: SignedDuration,
    problem: Option<&str>,
) {
    let ground = styles.style(Role::Background).patch(styles.style(Role::Text));
    frame.buffer_mut().set_style(area, ground);
    let mut lines = vec![
        Line::default(),
        Line::from(vec![styles.span(Role::Title, " lifeboat "), styles.span(Role::Text, plan.to_owned())]),
        Line::default(),
    ];
    let waiting = format!("Connecting to the engine, {} so far.", units::age(waited));
    lines.extend(labelled(styles, "", Role::Text, &waiting, area.width));
    if let Some(problem) = problem {
        lines.extend(labelled(styles, "", Role::Warn, problem, area.width));
    }
    if waited >= LONG_WAIT {
        let hint = "It is not answering yet. ctrl-c leaves; the engine, if it runs, goes on. \
                    `lifeboat status` says what it does.";
        lines.extend(labelled(styles, "", Role::Muted, hint, area.width));
    }
    put(frame, area, styles, lines);
}
