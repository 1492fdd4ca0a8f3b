//! All that is known of one message: what became of it, and what it says.

use super::table::{status, way, what, why};
use crate::base::units;
use crate::console::screens::View;
use crate::console::screens::paint::{cleaned, labelled_with, rule};
use crate::console::screens::words::{clock_time, date_time};
use crate::console::theme::Role;
use crate::core::model::Model;
use crate::core::words::notification::{Cause, DeliveryStatus, Message, Notification};
use jiff::Timestamp;
use ratatui::text::Line;

const INDENT: usize = 13;

/// The lines of the panel: first what became of it, then the text.
pub fn lines(view: &View<'_>, known: &Notification, width: u16) -> Vec<Line<'static>> {
    let styles = &view.styles;
    let to = crate::core::prose::describe::to_whom(&known.queued, &view.model.plan);
    let mut lines = vec![rule(styles, cleaned(&to), known.queued.id.as_str(), width)];
    for (label, text) in paragraphs(view.model, known, view.now) {
        let role = if label == "status" { status(known.status).1 } else { Role::Text };
        let label = styles.span(Role::Muted, format!(" {label}"));
        lines.extend(labelled_with(styles, label, INDENT, role, &text, width));
    }
    for text in texts(view.model, known) {
        let label = styles.span(Role::Muted, " |");
        lines.extend(labelled_with(styles, label, 3, Role::Text, &text, width));
    }
    lines
}

/// What became of a message, each with its name.
pub fn paragraphs(model: &Model, known: &Notification, now: Timestamp) -> Vec<(&'static str, String)> {
    let queued = &known.queued;
    let state = status(known.status).2;
    let since = units::age(now.duration_since(known.changed_at));
    let because = match why(known) {
        why if why.is_empty() => why,
        why => format!(": {why}"),
    };
    let mut found = vec![("status", format!("{state} for {since}{because}"))];
    if let Some(failure) = &known.failure {
        if known.status != DeliveryStatus::Failed && known.status != DeliveryStatus::Unknown {
            found.push(("last failure", failure.why.clone()));
        }
        if !failure.next.is_empty() {
            found.push(("what to do", failure.next.clone()));
        }
    }
    found.push(("why", cause(model, known)));
    let address = queued.way.address.as_deref().map_or_else(String::new, |address| format!(", {address}"));
    found.push(("to", format!("{}, {}{address}", queued.name, way(model, known))));
    let again = match (known.status, known.not_before) {
        (DeliveryStatus::Queued, Some(at)) => format!(", again at {}", clock_time(at)),
        _ => String::new(),
    };
    let until = clock_time(queued.give_up_at);
    found.push(("attempts", format!("{}{again}; none after {until}", known.attempt)));
    let left = queued.then.iter().map(|way| {
        model.plan.channels.get(&way.channel).map_or_else(|| way.channel.to_string(), |c| c.title.clone())
    });
    let left: Vec<String> = left.collect();
    if !left.is_empty() && !known.passed_on {
        found.push(("then", left.join(", ")));
    }
    found.push(("queued", date_time(known.queued_at)));
    if let Some(receipt) = &known.receipt {
        let id = if receipt.id.is_empty() { "gave no id" } else { receipt.id.as_str() };
        found.push(("provider", format!("{id}; {}", receipt.answer)));
        if !receipt.cut.is_empty() {
            found.push(("CUT", receipt.cut.clone()));
        }
    }
    found
}

fn cause(model: &Model, known: &Notification) -> String {
    let what = what(known);
    match &known.cause {
        Cause::Level { level, round: 0, .. } => format!("{what}: level {} was due", level + 1),
        Cause::Level { level, round, .. } => {
            format!("{what}: level {} was due, round {}", level + 1, round + 1)
        }
        Cause::Fallback { of } => format!("{what}: the way before ({of}) failed or was not answered"),
        Cause::Message { message, number } => {
            let title = model.plan.messages.get(message).map_or(message.as_str(), |template| &template.title);
            format!("{what}: {title}, number {number}")
        }
        Cause::ByHand => format!("{what}: a person paged"),
        Cause::Written => format!("{what}: a person wrote it"),
        Cause::Follow(_) => format!("{what}: the provider's own alert follows the escalation"),
    }
}

/// What the message says, a line each, with its subject first and the journal's head last.
pub fn texts(model: &Model, known: &Notification) -> Vec<String> {
    let Some(message) = model.durable.sent_messages.get(known.message) else { return Vec::new() };
    lines_of(message)
}

/// A message as it is sent, a line each.
pub fn lines_of(message: &Message) -> Vec<String> {
    let mut lines = vec![message.subject.clone()];
    lines.extend(message.body.lines().map(str::to_owned));
    lines.push(message.witness.clone());
    lines
}
