//! How it stands: who knows, who answers for what, what has to be told.

use crate::base::text::ended;
use crate::base::units;
use crate::console::keymap::Action;
use crate::console::screens::View;
use crate::console::screens::paint::{cleaned, cut, labelled_with};
use crate::console::theme::Role;
use crate::console::widgets::State;
use crate::core::ask::escalation_status::{self, Awareness, Owed, SOON};
use crate::core::ask::oncall;
use crate::core::words::escalation::IncidentRole;
use ratatui::text::{Line, Span};

const INDENT: usize = 7;

/// The lines over the table.
pub fn lines(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let (state, role, text) = state(view);
    let label = styles.span(role, format!(" {}", styles.glyph(state.glyph())));
    let mut lines = labelled_with(styles, label, 3, role, &text, width);
    lines.extend(rotations(view, width));
    lines.extend(roles(view, width));
    lines.extend(owed(view, width));
    lines
}

/// The state in one sentence, with what a proposal waits for.
fn state(view: &View<'_>) -> (State, Role, String) {
    let model = view.model;
    let Some(escalation_status) = escalation_status::of(model, view.now) else {
        let text = match model.plan.policies.is_empty() {
            true => "Nothing to tell about. The plan has no escalation policies: nobody would be paged.",
            false => "Nothing to tell about: no incident is open and none is proposed.",
        };
        return (State::Ok, Role::Muted, text.into());
    };
    let mut text = ended(&escalation_status::sentence(model, &escalation_status, view.now));
    if let Some(proposal) = &model.durable.proposal {
        let ago = units::age(view.now.duration_since(proposal.at));
        let (declare, dismiss) = (view.key(Action::DeclareIncident), view.key(Action::Dismiss));
        text = format!(
            "{} PROPOSED {ago} ago and not declared: {} {declare} declares it, {dismiss} dismisses it. {text}",
            proposal.severity.as_str(),
            ended(&proposal.title)
        );
    }
    let (state, role) = match &escalation_status {
        Awareness::Acknowledged(_) => (State::Ok, Role::Ok),
        Awareness::Paging(paging) if paging.unreached.is_some() => (State::Failed, Role::Danger),
        Awareness::Paging(_) => (State::Critical, Role::Critical),
        Awareness::NoPolicy(_) => (State::Warn, Role::Warn),
        Awareness::Resolved | Awareness::NotBegun => (State::Unknown, Role::Muted),
    };
    (state, role, text)
}

/// What is wrong with who is on call: calendars of which not all counts, rotations in which nobody is.
fn rotations(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let line = |fault: oncall::Fault| {
        let text = format!("{} {}", styles.glyph(State::Warn.glyph()), fault.text);
        let label = styles.span(Role::Title, " CALL");
        cut(styles, labelled_with(styles, label, INDENT, Role::Warn, &text, width), 2, width)
    };
    oncall::faults(view.model, view.now).into_iter().flat_map(line).collect()
}

/// Who answers for what.
fn roles(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let Some(incident) = &view.model.durable.incident else { return Vec::new() };
    let holder = |role: IncidentRole| {
        let name = incident.holder(role).unwrap_or_else(|| "nobody".into());
        format!("{} {}", role.as_str(), cleaned(&name))
    };
    let text = IncidentRole::ALL.map(holder).join(", ");
    let label = view.styles.span(Role::Title, " ROLES");
    cut(&view.styles, labelled_with(&view.styles, label, INDENT, Role::Text, &text, width), 2, width)
}

/// The messages that are due, the most urgent first, and the next update.
fn owed(view: &View<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let mut told: Vec<(Role, String)> =
        escalation_status::owed(view.model).iter().map(|due| due_line(view, due)).collect();
    if let Some(next) = escalation_status::next_update(view.model) {
        let left = units::clock(next.left(view.now));
        told.push((
            Role::Muted,
            format!("{}: {} again, next update due in {left}", next.audience, next.title),
        ));
    }
    let mut lines = Vec::new();
    for (place, (role, text)) in told.into_iter().enumerate() {
        let label = if place == 0 { styles.span(Role::Title, " DUE") } else { Span::raw("") };
        lines.extend(cut(styles, labelled_with(styles, label, INDENT, role, &text, width), 2, width));
    }
    lines
}

/// `! Affected customers (PUBLIC): Initial activation, due in 8:12`.
fn due_line(view: &View<'_>, due: &Owed) -> (Role, String) {
    let left = due.left(view.now);
    let clock = units::clock(left);
    let (state, role, when) = match () {
        () if due.is_overdue(view.now) => (State::Critical, Role::Critical, format!("OVERDUE by {clock}")),
        () if left < SOON => (State::Warn, Role::Warn, format!("due in {clock}")),
        () => (State::Pending, Role::Text, format!("due in {clock}")),
    };
    let public = if due.public { " (PUBLIC)" } else { "" };
    let number = if due.number > 1 { format!(" number {}", due.number) } else { String::new() };
    let by_itself = if due.automatic { ", sent by itself" } else { "" };
    let glyph = view.styles.glyph(state.glyph());
    (role, format!("{glyph} {}{public}: {}{number}, {when}{by_itself}", due.audience, due.title))
}
