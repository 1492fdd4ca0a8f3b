//! How bad it is and why, what it could be, and what to do next.

use crate::console::screens::View;
use crate::console::screens::next::{next, unwell};
use crate::console::screens::paint::labelled_with;
use crate::console::screens::words::clock_time;
use crate::console::theme::Role;
use crate::console::widgets::State;
use crate::core::severity::assess;
use crate::core::signal::{SignalState, age};
use crate::units;
use ratatui::text::{Line, Span};

const INDENT: usize = 7;

/// Rows of why and of what to do next.
const ROWS_EACH: usize = 3;

/// The lines at the top of the overview.
pub fn lines(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let look = &view.look;
    let label = |text: &str| look.span(Role::Title, format!(" {text}"));
    let (state, role, why) = why(view);
    let why = format!("{} {why}", look.glyph(state.glyph()));
    let mut lines = labelled_with(look, label("WHY"), INDENT, role, &why, width);
    lines.truncate(ROWS_EACH);
    if let Some((severity, because)) = worse(view) {
        let text =
            format!("{} could be {severity}: cannot tell, {because}", look.glyph(State::Unknown.glyph()));
        let mut more = labelled_with(look, Span::raw(""), INDENT, Role::Unknown, &text, width);
        more.truncate(2);
        lines.extend(more);
    }
    let next = next(view);
    let mut todo = labelled_with(look, label("NEXT"), INDENT, next.role, &next.text, width);
    todo.truncate(ROWS_EACH);
    lines.extend(todo);
    lines
}

fn why(view: &View<'_>) -> (State, Role, String) {
    let model = view.model;
    let derived = model.durable.severity.as_ref().map(|(severity, since, why)| {
        let lasts = units::age(age(*since, view.now));
        format!("{} since {} ({lasts}): {why}", severity.as_str(), clock_time(*since))
    });
    let set = model.durable.incident.as_ref().and_then(|incident| incident.severity_override.as_ref());
    if let Some((severity, reason)) = set {
        let rules = derived.unwrap_or_else(|| "none holds".into());
        return (
            State::Warn,
            Role::Warn,
            format!("{} set by hand: {reason}. The rules: {rules}", severity.as_str()),
        );
    }
    if let Some(derived) = derived {
        return (State::Critical, Role::Critical, derived);
    }
    let unknown = model.durable.signals.values().any(|signal| signal.state == SignalState::Unknown);
    match unwell(view) {
        None => (State::Ok, Role::Ok, "All is well: no severity rule holds and every signal is ok.".into()),
        Some(unwell) => {
            let state = if unknown { State::Unknown } else { State::Warn };
            (state, state.role(), format!("No severity rule holds, but {unwell}."))
        }
    }
}

/// A worse severity that cannot be told, and why.
fn worse(view: &View<'_>) -> Option<(&'static str, String)> {
    let (severity, because) = assess(view.model, view.now).possible?;
    let counts = view.model.severity().is_none_or(|now| severity < now);
    counts.then(|| (severity.as_str(), because))
}
