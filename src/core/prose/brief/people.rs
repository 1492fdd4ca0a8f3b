//! Who was told, who took it on, who answers for what, and what has still to be told.

use super::{clock_time, listed, short};
use crate::core::ask::{lifecycle, oncall};
use crate::core::decide::current_escalation;
use crate::core::model::Model;
use crate::core::prose::describe::{in_how_long, to_whom};
use crate::core::words::escalation::IncidentRole;
use crate::core::words::notification::{DeliveryStatus, Intent, Notification};
use jiff::Timestamp;

/// Who has heard of it, and who could not be reached.
pub(super) fn told(model: &Model) -> String {
    let Some(subject) = model.durable.escalation.as_ref().map(|escalation| &escalation.incident) else {
        return if lifecycle::told_about(model).is_some() { "nobody yet".into() } else { String::new() };
    };
    let meant = |known: &&Notification| {
        known.incident == *subject && matches!(known.intent, Intent::Page | Intent::Inform)
    };
    let all: Vec<&Notification> = model.durable.notifications.values().filter(meant).collect();
    let has =
        |name: &str| all.iter().any(|known| known.queued.name == name && known.status.is_with_provider());
    let mut reached: Vec<String> = Vec::new();
    let mut missed: Vec<String> = Vec::new();
    for known in &all {
        let name = &known.queued.name;
        let failed = matches!(known.status, DeliveryStatus::Failed | DeliveryStatus::Unknown);
        if has(name) {
            if !reached.contains(name) {
                reached.push(name.clone());
            }
        } else if failed {
            missed.push(format!("{} ({})", to_whom(&known.queued, &model.plan), known.status.as_str()));
        }
    }
    let reached = listed(reached).unwrap_or_else(|| "nobody reached yet".into());
    let missed = listed(missed).map(|missed| format!("NOT REACHED {missed}"));
    std::iter::once(reached).chain(missed).collect::<Vec<_>>().join("; ")
}

/// Who took it on, or who is told next because nobody did.
pub(super) fn acknowledged(model: &Model, now: Timestamp) -> String {
    let Some(escalation) = current_escalation(model) else { return String::new() };
    if let Some(taken) = &escalation.acknowledged {
        return format!("{} by {}, {}", short(&taken.who), taken.via, clock_time(taken.at, now));
    }
    let policy = escalation.policy.as_ref().and_then(|id| model.plan.policies.get(id));
    let next = policy.and_then(|policy| policy.levels.get(escalation.told));
    let next = next.and_then(|level| Some((level, escalation.round_since.checked_add(level.after).ok()?)));
    match (policy, next) {
        (None, _) => "NOBODY; the plan pages nobody for this severity".into(),
        (Some(_), Some((level, at))) => {
            format!("NOBODY; \"{}\" is told {}", short(&level.title), in_how_long(at.duration_since(now)))
        }
        (Some(_), None) => "NOBODY, and every level was told".into(),
    }
}

/// What is wrong with who is on call.
pub(super) fn on_call(model: &Model, now: Timestamp) -> String {
    oncall::faults(model, now).into_iter().map(|fault| fault.text).collect::<Vec<_>>().join("; ")
}

/// Who answers for what, and for what nobody does.
pub(super) fn roles(model: &Model) -> String {
    let Some(incident) = &model.durable.incident else { return String::new() };
    let (mut held, mut open) = (Vec::new(), Vec::new());
    for role in IncidentRole::ALL {
        match incident.holder(role) {
            Some(who) => held.push(format!("{} {}", role.as_str(), short(&who))),
            None => open.push(role.as_str()),
        }
    }
    if !open.is_empty() {
        held.push(format!("nobody for {}", open.join(", ")));
    }
    held.join("; ")
}

/// What the plan wants to be told to others and nobody has sent.
pub(super) fn due(model: &Model, now: Timestamp) -> String {
    let word = |due: &crate::core::words::escalation::DueMessage| {
        let title =
            model.plan.messages.get(&due.message).map_or(due.message.as_str(), |message| &message.title);
        let late = if due.by < now { "OVERDUE since" } else { "due by" };
        format!("\"{}\" {late} {}", short(title), clock_time(due.by, now))
    };
    listed(model.durable.due.iter().map(word).collect()).unwrap_or_default()
}
