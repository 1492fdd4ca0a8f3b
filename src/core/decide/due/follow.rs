//! What follows from what was told: providers' own alerts, and the next way where one failed or was not answered.

use super::super::escalate::{Addressed, Batch, current, subject};
use super::is_quiet;
use crate::base::ids::IncidentId;
use crate::core::ask::lifecycle;
use crate::core::ask::recipients::{Recipient, Recipients};
use crate::core::model::Model;
use crate::core::prose::message;
use crate::core::words::fact::Fact;
use crate::core::words::notification::{Cause, DeliveryStatus, Intent, Message, Notification, Queued, Way};
use crate::plan::Fallbacks;
use jiff::Timestamp;
use std::collections::HashSet;

/// Alerts that providers keep are acknowledged and closed with the escalation.
pub fn following(model: &Model, now: Timestamp) -> Vec<Fact> {
    let notifications = &model.durable.notifications;
    let mut done: HashSet<(&Way, &str, Intent)> = notifications
        .values()
        .filter(|known| matches!(known.intent, Intent::Acknowledge | Intent::Resolve))
        .map(|known| (&known.queued.way, known.queued.key.as_str(), known.intent))
        .collect();
    let mut facts = Vec::new();
    for page in notifications.values().filter(|known| known.has_alert()) {
        let (way, key) = (&page.queued.way, page.queued.key.as_str());
        let Some(intent) = wanted(model, page) else { continue };
        if done.contains(&(way, key, Intent::Resolve)) || !done.insert((way, key, intent)) {
            continue;
        }
        let message = follow_up(model, intent);
        let (incident, cause) = (page.incident.clone(), Cause::Follow(intent));
        let batch = Batch { incident, cause, intent, message, tries: Fallbacks::All, next_after: None };
        let to = Addressed {
            contact: page.queued.contact.clone(),
            name: page.queued.name.clone(),
            way: way.clone(),
            then: Vec::new(),
        };
        let queued = batch.queued(model, now, 0, to);
        let to = vec![Queued { key: key.to_owned(), ..queued }];
        let Batch { incident, cause, intent, message, .. } = batch;
        facts.push(Fact::NotificationsQueued { incident, cause, intent, message, to });
    }
    facts
}

/// What a provider's alert has to follow; nothing while it is still wanted as it is.
fn wanted(model: &Model, page: &Notification) -> Option<Intent> {
    if is_over(model, &page.incident) {
        return Some(Intent::Resolve);
    }
    // A page by hand asks for one person, whoever took on what the policy asks for.
    let follows_policy = page.cause != Cause::ByHand;
    let escalation = current(model).filter(|_| follows_policy)?;
    if page.generation < escalation.generation {
        return Some(Intent::Resolve);
    }
    let elsewhere = escalation.acknowledged.is_some() && page.status != DeliveryStatus::Acknowledged;
    elsewhere.then_some(Intent::Acknowledge)
}

/// Whether what people were told about is closed, withdrawn or resolved.
pub fn is_over(model: &Model, incident: &IncidentId) -> bool {
    let resolved = lifecycle::open_and_told(model).is_some_and(|incident| incident.resolved.is_some());
    subject(model).as_ref() != Some(incident) || resolved
}

fn follow_up(model: &Model, intent: Intent) -> Message {
    let acknowledged =
        model.durable.escalation.as_ref().and_then(|escalation| escalation.acknowledged.as_ref());
    let body = match (intent, acknowledged) {
        (Intent::Acknowledge, Some(taken)) => format!("{} acknowledged by {}.", taken.who, taken.via),
        (Intent::Acknowledge, None) => "Acknowledged.".to_owned(),
        _ => message::doing_or_over(model),
    };
    let subject = format!("{}: {}", model.plan.name, body.trim_end_matches('.'));
    message::finish(model, message::Draft { subject, body }, &[])
}

/// Ways that failed, or that were not answered in time, give place to the next.
pub fn passing_on(model: &Model, now: Timestamp) -> Vec<Fact> {
    let open = current(model).filter(|escalation| {
        let policy = escalation.policy.as_ref().and_then(|id| model.plan.policies.get(id));
        let sleeps = policy.is_some_and(|policy| policy.quiet) && is_quiet(model, now);
        escalation.acknowledged.is_none() && !is_over(model, &escalation.incident) && !sleeps
    });
    let mut facts = Vec::new();
    let left = |known: &&Notification| !known.passed_on && !known.queued.then.is_empty();
    for known in model.durable.notifications.values().filter(left) {
        let unanswered = || {
            let waited = known.accepted_at.map(|at| now.duration_since(at));
            known.queued.next_after.zip(waited).is_some_and(|(limit, waited)| waited >= limit)
        };
        let failed = matches!(known.status, DeliveryStatus::Failed | DeliveryStatus::Unknown);
        // A page from before the escalation began anew has its successor.
        let wanted = open.is_some_and(|escalation| known.generation == escalation.generation);
        let passes = match known.intent {
            Intent::Page => wanted && (failed || unanswered()),
            _ => failed,
        };
        let Some(message) = model.durable.sent_messages.get(known.message).filter(|_| passes) else {
            continue;
        };
        let batch = Batch {
            incident: known.incident.clone(),
            cause: Cause::Fallback { of: known.queued.id.clone() },
            intent: known.intent,
            message: message.clone(),
            tries: Fallbacks::InTurn,
            next_after: known.queued.next_after,
        };
        let Queued { contact, name, then, .. } = known.queued.clone();
        let recipient = Recipient { contact, name, ways: then };
        let found = Recipients { people: vec![recipient], ..Recipients::default() };
        facts.push(batch.queue(model, now, &found));
    }
    facts
}
