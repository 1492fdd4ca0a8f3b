//! Telling people: the course of an escalation and of its messages. A fact that does not fit leaves the model as it
//! is, as with steps.

use crate::base::ids::*;
use crate::core::model::Model;
use crate::core::words::actor::Actor;
use crate::core::words::escalation::{Acknowledgement, Dismissal, Escalation, Proposal};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::notification::{
    Again, Attempted, Cause, DeliveryMove, DeliveryStatus, Intent, Message, Notification, Queued, Tracked,
};
use crate::plan::{CalendarTrouble, Occasion, Severity};
use jiff::{SignedDuration, Timestamp};

/// Takes in who was told what, and who answered.
pub fn apply(model: &mut Model, event: &Event) {
    let at = event.at;
    match &event.fact {
        Fact::IncidentProposed { id, title, severity } => {
            begin(model, id);
            model.durable.proposal =
                Some(Proposal { id: id.clone(), title: title.clone(), severity: *severity, at });
        }
        Fact::ProposalWithdrawn { why, .. } => {
            let proposal = model.durable.proposal.take().map(|proposal| (proposal.severity, proposal.title));
            if matches!(event.by, Actor::Operator(_)) {
                dismissed(model, event, proposal, why);
            }
        }
        Fact::EscalationStarted { incident, severity, policy, levels } => {
            let begun = Begun { severity: *severity, policy: policy.clone(), levels: levels.clone() };
            started(model, at, incident, begun);
        }
        Fact::EscalationAcknowledged { who, via, .. } => change(model, |escalation| {
            escalation.acknowledged = Some(Acknowledgement { at, who: who.clone(), via: via.clone() });
            escalation.active_at = at;
        }),
        Fact::EscalationRenewed { .. } => anew(model, at),
        Fact::NotificationsQueued { incident, cause, intent, message, to } => {
            queued(model, at, &Batch { incident, cause, intent: *intent, message }, to);
        }
        Fact::NotificationStarted { id, attempt, .. } => moved(model, at, id, DeliveryMove::Send, |known| {
            known.attempt = *attempt;
            known.not_before = None;
        }),
        Fact::NotificationFinished { id, attempted, .. } => finished(model, at, id, attempted),
        Fact::NotificationTracked { id, tracked, .. } => match tracked {
            Tracked::Pending => {}
            Tracked::Delivered(how) => heard(model, at, id, DeliveryMove::Deliver, how),
            Tracked::Acknowledged(who) => heard(model, at, id, DeliveryMove::Acknowledge, who),
            Tracked::Failed(why) => heard(model, at, id, DeliveryMove::Fail, why),
        },
        Fact::MessageDue { due } => {
            model.durable.message_turns.insert(due.message.clone(), (due.number, due.since));
            model.durable.due.push(due.clone());
        }
        Fact::MessageSkipped { message, number, .. } => settled(model, at, message, *number),
        Fact::CalendarRead { rotation, shifts, left_out } => {
            let known = model.durable.calendars.entry(rotation.clone()).or_default();
            known.noted_at = at;
            match shifts {
                Err(why) => known.trouble = Some(CalendarTrouble::Unread(why.clone())),
                Ok(shifts) => {
                    (known.read_at, known.shifts) = (Some(at), shifts.clone());
                    let left_out = (!left_out.is_empty()).then(|| left_out.clone());
                    known.trouble = left_out.map(CalendarTrouble::LeftOut);
                }
            }
        }
        _ => {}
    }
}

/// Nobody is told of how bad it is now, nor of what was proposed, until it is well, worse, or so for another reason.
/// Where no severity holds it is as well as it gets: what comes next is told.
pub fn dismissed(model: &mut Model, event: &Event, proposed: Option<(Severity, String)>, why: &str) {
    let now = model.durable.severity.as_ref().map(|(severity, _, reason)| (*severity, reason.clone()));
    let worst = now
        .map(|now| proposed.into_iter().chain([now.clone()]).min_by_key(|(level, _)| *level).unwrap_or(now));
    model.durable.dismissed = worst.map(|(severity, reason)| Dismissal {
        severity,
        at: event.at,
        who: event.by.to_string(),
        why: why.into(),
        reason: Some(reason),
    });
}

/// What is told about another incident than before begins with nothing. What is still under way about others stays
/// until it is over.
pub fn begin(model: &mut Model, incident: &IncidentId) {
    model.durable.told = Some(incident.clone());
    if model.durable.escalation.as_ref().is_some_and(|before| before.incident != *incident) {
        model.durable.escalation = None;
    }
    let unfinished: Vec<IncidentId> = unfinished(model).cloned().collect();
    let stays = |of: &IncidentId| of == incident || unfinished.contains(of);
    model.durable.notifications.retain(|_, known| stays(&known.incident));
    if model.durable.notifications.is_empty() {
        model.durable.sent_messages.clear();
    }
    // Real trouble during a drill does not make the drill's messages due anew.
    if model.durable.incident.is_none() {
        model.durable.due.clear();
        model.durable.message_turns.clear();
    }
}

/// What was told about a proposal was told about the incident that takes its place.
pub fn carried_over(model: &mut Model, from: &IncidentId, to: &IncidentId) {
    model.durable.escalation =
        model.durable.escalation.take().filter(|escalation| escalation.incident == *from);
    change(model, |escalation| escalation.incident = to.clone());
    for known in model.durable.notifications.values_mut().filter(|known| known.incident == *from) {
        known.incident = to.clone();
    }
}

/// Incidents of which a message is under way, or a provider keeps an alert that was not closed.
fn unfinished(model: &Model) -> impl Iterator<Item = &IncidentId> {
    let notifications = &model.durable.notifications;
    let closed = |page: &Notification| {
        notifications.values().any(|other| {
            other.intent == Intent::Resolve
                && other.queued.key == page.queued.key
                && other.queued.way == page.queued.way
                && !matches!(other.status, DeliveryStatus::Queued | DeliveryStatus::Sent)
        })
    };
    let open = move |known: &&Notification| match known.status {
        DeliveryStatus::Queued | DeliveryStatus::Sent => true,
        _ => known.has_alert() && !closed(known),
    };
    notifications.values().filter(open).map(|known| &known.incident)
}

/// It was not over: what was due or sent because it was over is due again when it is.
pub fn reopened(model: &mut Model) {
    let only_at_the_end = |id: &MessageId| {
        let on = model.plan.messages.get(id).map_or(&[][..], |template| &template.on);
        !on.is_empty() && on.iter().all(|occasion| matches!(occasion, Occasion::Resolved | Occasion::Closed))
    };
    let ended: Vec<MessageId> =
        model.plan.messages.keys().filter(|id| only_at_the_end(id)).cloned().collect();
    model.durable.due.retain(|due| !ended.contains(&due.message));
    model.durable.message_turns.retain(|id, _| !ended.contains(id));
}

/// A sign of life of a person.
pub fn active(model: &mut Model, at: Timestamp) {
    change(model, |escalation| escalation.active_at = at);
}

/// The escalation begins anew: nobody has taken it on, the first level is told again.
pub fn anew(model: &mut Model, at: Timestamp) {
    change(model, |escalation| {
        *escalation = Escalation {
            generation: escalation.generation + 1,
            since: at,
            round: 0,
            round_since: at,
            told: 0,
            acknowledged: None,
            active_at: at,
            ..escalation.clone()
        };
    });
}

/// Messages whose sending nobody saw the end of: sent again where the provider knows them, else unknown.
pub fn lose_all(model: &mut Model, at: Timestamp) {
    let sending =
        model.durable.notifications.values_mut().filter(|known| known.status == DeliveryStatus::Sent);
    for known in sending {
        let by = if known.queued.capabilities.repeatable { DeliveryMove::Retry } else { DeliveryMove::Lose };
        known.status = known.status.after(by).unwrap_or(known.status);
        known.may_have_arrived = true;
        known.changed_at = at;
    }
}

/// Times that a clock set wrong put into the future would hold everybody up until then.
pub fn set_back(model: &mut Model, at: Timestamp) {
    change(model, |escalation| {
        for time in [&mut escalation.since, &mut escalation.round_since, &mut escalation.active_at] {
            *time = (*time).min(at);
        }
    });
    for known in model.durable.notifications.values_mut() {
        known.not_before = known.not_before.map(|time| time.min(at));
        known.accepted_at = known.accepted_at.map(|time| time.min(at));
    }
}

/// The clock was set ahead, and nobody waited for longer: what comes after a while is put off by as much.
pub fn put_off(model: &mut Model, by: SignedDuration) {
    let moved = |time: &mut Timestamp| *time = time.checked_add(by).unwrap_or(*time);
    change(model, |escalation| {
        moved(&mut escalation.round_since);
        moved(&mut escalation.active_at);
    });
    for known in model.durable.notifications.values_mut() {
        known.not_before.iter_mut().chain(&mut known.accepted_at).for_each(moved);
        moved(&mut known.queued.give_up_at);
    }
    let signals = model.durable.signals.values_mut();
    signals.filter_map(|signal| signal.unknown_since.as_mut()).for_each(moved);
}

struct Begun {
    severity: Severity,
    policy: Option<PolicyId>,
    levels: Vec<String>,
}

fn started(model: &mut Model, at: Timestamp, incident: &IncidentId, begun: Begun) {
    let Begun { severity, policy, levels } = begun;
    let before = model.durable.escalation.take().filter(|before| before.incident == *incident);
    let lowered = before.as_ref().is_some_and(|before| severity > before.severity);
    let changed = before.as_ref().is_some_and(|before| severity != before.severity);
    let changed_before = before.as_ref().and_then(|before| before.severity_changed_at);
    model.durable.escalation = Some(Escalation {
        incident: incident.clone(),
        severity,
        policy,
        levels,
        severity_changed_at: if changed { Some(at) } else { changed_before },
        generation: before.as_ref().map_or(0, |before| before.generation + u32::from(!lowered)),
        since: before.as_ref().filter(|_| lowered).map_or(at, |before| before.since),
        round: 0,
        round_since: at,
        told: 0,
        acknowledged: before.filter(|_| lowered).and_then(|before| before.acknowledged),
        active_at: at,
    });
}

struct Batch<'a> {
    incident: &'a IncidentId,
    cause: &'a Cause,
    intent: Intent,
    message: &'a Message,
}

fn queued(model: &mut Model, at: Timestamp, batch: &Batch<'_>, to: &[Queued]) {
    let messages = &mut model.durable.sent_messages;
    let place = messages.iter().position(|known| known == batch.message).unwrap_or_else(|| {
        messages.push(batch.message.clone());
        messages.len() - 1
    });
    let escalation = model.durable.escalation.as_ref().filter(|told| told.incident == *batch.incident);
    let generation = escalation.map_or(0, |escalation| escalation.generation);
    model.durable.queued_messages += to.len();
    for queued in to {
        let notification = Notification {
            queued: queued.clone(),
            incident: batch.incident.clone(),
            cause: batch.cause.clone(),
            generation,
            intent: batch.intent,
            message: place,
            queued_at: at,
            status: DeliveryStatus::Queued,
            attempt: 0,
            changed_at: at,
            accepted_at: None,
            not_before: None,
            receipt: None,
            failure: None,
            heard: None,
            may_have_arrived: false,
            passed_on: false,
        };
        model.durable.notifications.insert(queued.id.clone(), notification);
    }
    match batch.cause {
        Cause::Level { generation, round, level } => change(model, |escalation| {
            if escalation.generation != *generation {
                return;
            }
            if escalation.round != *round {
                escalation.round = *round;
                escalation.round_since = at;
                escalation.told = 0;
            }
            escalation.told = escalation.told.max(level + 1);
        }),
        Cause::Fallback { of } => {
            if let Some(known) = model.durable.notifications.get_mut(of) {
                known.passed_on = true;
            }
        }
        Cause::Message { message, number } => settled(model, at, message, *number),
        Cause::ByHand | Cause::Written | Cause::Follow(_) => {}
    }
}

/// A message of the plan was sent, or a person did without it.
fn settled(model: &mut Model, at: Timestamp, message: &MessageId, number: u32) {
    model.durable.due.retain(|due| due.message != *message);
    model.durable.message_turns.insert(message.clone(), (number, at));
}

fn finished(model: &mut Model, at: Timestamp, id: &NotificationId, attempted: &Attempted) {
    match attempted {
        Attempted::Accepted(receipt) => moved(model, at, id, DeliveryMove::Accept, |known| {
            known.receipt = Some(receipt.clone());
            known.accepted_at = Some(at);
            known.failure = None;
        }),
        Attempted::Failed { failure, retry_at } => {
            let known = model.durable.notifications.get(id);
            let maybe = failure.again == Again::Maybe || known.is_some_and(|known| known.may_have_arrived);
            let by = match retry_at {
                Some(_) => DeliveryMove::Retry,
                None if maybe => DeliveryMove::Lose,
                None => DeliveryMove::Fail,
            };
            moved(model, at, id, by, |known| {
                known.failure = Some(failure.clone());
                known.may_have_arrived = maybe;
                known.not_before = *retry_at;
            });
        }
    }
}

fn heard(model: &mut Model, at: Timestamp, id: &NotificationId, by: DeliveryMove, what: &str) {
    moved(model, at, id, by, |known| known.heard = Some(what.to_owned()));
}

fn moved(
    model: &mut Model,
    at: Timestamp,
    id: &NotificationId,
    by: DeliveryMove,
    with: impl FnOnce(&mut Notification),
) {
    let Some(known) = model.durable.notifications.get_mut(id) else { return };
    if let Some(status) = known.status.after(by) {
        known.status = status;
        known.changed_at = at;
        with(known);
    }
}

fn change(model: &mut Model, with: impl FnOnce(&mut Escalation)) {
    if let Some(escalation) = model.durable.escalation.as_mut() {
        with(escalation);
    }
}
