//! What stands on a terminal that is too small for the screens.

use super::next::next;
use super::paint::{labelled_with, put};
use super::words::clock_time;
use super::{SMALLEST, View};
use crate::base::units;
use crate::console::keymap::{Action, Context};
use crate::console::theme::Role;
use crate::core::ask::drill;
use crate::core::words::signal::age;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Says how bad it is and since when, how small the terminal is and what works all the same, and what is next.
pub fn draw(frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
    let (styles, next) = (&view.styles, next(view));
    let (role, standing) = standing(view);
    let lines =
        [(role, standing), (Role::Text, leaving(view, area)), (next.role, format!("NEXT {}", next.text))]
            .into_iter()
            .flat_map(|(role, text)| labelled_with(styles, Span::raw(""), 0, role, &text, area.width));
    put(frame, area, styles, lines);
}

fn standing(view: &View<'_>) -> (Role, String) {
    let durable = &view.model.durable;
    let mode = match &durable.incident {
        Some(_) => drill::words(view.model).unwrap_or("LIVE"),
        None if durable.proposal.is_some() => "PROPOSED",
        None => "no incident",
    };
    match &durable.severity {
        Some((severity, since, _)) => {
            let lasts = units::age(age(*since, view.now));
            let since = clock_time(*since);
            (Role::Critical, format!("{} for {lasts}, since {since}; {mode}.", severity.as_str()))
        }
        None => (Role::Text, format!("No severity; {mode}.")),
    }
}

fn leaving(view: &View<'_>, area: Rect) -> String {
    let (width, height) = SMALLEST;
    // A letter may be part of a text that is being typed.
    let keys = view.keymap.keys(Context::Overview, Action::Quit);
    let key = keys.iter().find(|keys| keys.first.typed().is_none()).or(keys.first());
    let leave =
        key.map_or_else(String::new, |key| format!(" {key} closes this console, no other key works."));
    format!("{}x{} is too small, keys work from {width}x{height} on.{leave}", area.width, area.height)
}
