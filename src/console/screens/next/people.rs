//! What to do next for people: take it on, tell those who wait for word, resolve, watch, close.

use super::{Next, say};
use crate::base::text::ended;
use crate::base::units;
use crate::console::keymap::Action;
use crate::console::screens::View;
use crate::console::theme::Role;
use crate::core::ask::escalation_status::{self, Awareness, SOON};
use crate::core::ask::lifecycle;
use crate::core::words::escalation::Proposal;
use crate::core::words::incident::Incident;

/// What signals or alerts propose.
pub fn proposed(view: &View<'_>, proposal: &Proposal) -> Next {
    let (declare, dismiss) = (view.key(Action::DeclareIncident), view.key(Action::Dismiss));
    let title = proposal.title.trim_end_matches('.');
    let severity = proposal.severity.as_str();
    say(
        Role::Critical,
        format!("{severity} is proposed: {} {declare} declares it, {dismiss} dismisses it.", ended(title)),
    )
}

/// What comes before going on with the incident: nobody took it on, or somebody waits for word.
pub fn first(view: &View<'_>, incident: &Incident) -> Option<Next> {
    not_taken(view, incident).or_else(|| waiting(view))
}

fn not_taken(view: &View<'_>, incident: &Incident) -> Option<Next> {
    if incident.resolved.is_some() {
        return None;
    }
    let Some(Awareness::Paging(paging)) = escalation_status::of(view.model, view.now) else { return None };
    let key = view.key(Action::Acknowledge);
    Some(match paging.unreached {
        Some(_) => {
            let text =
                format!("Messages do not get through: call people. {key} acknowledges if you take it.");
            say(Role::Critical, text)
        }
        None => say(Role::Warn, format!("Nobody has acknowledged: {key} acknowledges if you take it.")),
    })
}

/// Who waits for word that is due soon or should have come.
pub fn waiting(view: &View<'_>) -> Option<Next> {
    let owed = escalation_status::owed(view.model);
    // What is sent by itself and is overdue could not be.
    let first = owed.iter().find(|owed| !owed.automatic || owed.is_overdue(view.now))?;
    let left = first.left(view.now);
    let send = view.key(Action::SendMessage);
    let clock = units::clock(left);
    let whom = format!("{} ({})", first.audience, first.title);
    if first.is_overdue(view.now) {
        let text = format!("{whom} should have been told {clock} ago: {send} writes it.");
        return Some(say(Role::Critical, text));
    }
    (left < SOON).then(|| say(Role::Warn, format!("{whom} have to be told in {clock}: {send} writes it.")))
}

/// It is mended: watched, then closed.
pub fn resolved(view: &View<'_>, incident: &Incident) -> Next {
    let (close, reopen) = (view.key(Action::CloseIncident), view.key(Action::Reopen));
    if let Some(left) = lifecycle::watch_left(&view.model.plan, incident, view.now) {
        let left = units::age(left);
        return say(
            Role::Accent,
            format!("Resolved. Watch for {left} more, then {close} closes; {reopen} reopens it."),
        );
    }
    let due = escalation_status::owed(view.model);
    let open = match due.as_slice() {
        [] => String::new(),
        [one] => format!(" Not sent yet: {}.", one.title),
        more => format!(" Not sent yet: {} messages.", more.len()),
    };
    say(Role::Accent, format!("Resolved and watched long enough: {close} closes the incident.{open}"))
}
