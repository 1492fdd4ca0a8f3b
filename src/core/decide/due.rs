//! What time brings in telling people: proposals, levels of the policy, messages of the plan, further attempts.
//! All of it is idempotent: what its facts lead to is not due again, also after a crash.

use super::escalate::{Addressed, Batch, current, number, subject};
use crate::core::escalation::{DueMessage, Escalation};
use crate::core::fact::Fact;
use crate::core::incident::Incident;
use crate::core::model::Model;
use crate::core::notification::{
    Again, Attempted, Cause, DeliveryStatus, Intent, Message, Notification, Undelivered,
};
use crate::core::recipients::{self, Recipient, Recipients};
use crate::core::{describe, lifecycle, message};
use crate::ids::*;
use crate::plan::{EscalationPolicy, MessageTemplate, Occasion, Severity, Tries};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// From this severity on a new problem reopens what was resolved.
const REOPENS: Severity = Severity::P1;

/// Everything that became due.
pub fn due(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut facts: Vec<Fact> = proposal(model, now).into_iter().collect();
    facts.extend(reopening(model));
    facts.extend(escalation(model, now));
    facts.extend(messages(model, now));
    facts.extend(following(model, now));
    facts.extend(passing_on(model, now));
    number_anew(model, &mut facts);
    facts.extend(attempts(model, now));
    facts
}

/// What is queued in one moment is numbered in its order: each part counted from what the model has.
fn number_anew(model: &Model, facts: &mut [Fact]) {
    let mut number = model.durable.notifications.len();
    for fact in facts {
        let Fact::NotificationsQueued { incident, to, .. } = fact else { continue };
        for queued in to {
            number += 1;
            let id = NotificationId::new(format!("{incident}/n{number}"));
            if let Some(stem) = queued.key.strip_suffix(queued.id.as_str()) {
                queued.key = format!("{stem}{id}");
            }
            queued.id = id;
        }
    }
}

/// A severity that lasts and of which nobody made an incident; or a proposal whose signals are well again.
fn proposal(model: &Model, now: Timestamp) -> Option<Fact> {
    let derived = model.durable.severity.as_ref();
    if let Some(proposal) = &model.durable.proposal {
        let why = "the signals are well again: no severity rule holds any more";
        return derived
            .is_none()
            .then(|| Fact::ProposalWithdrawn { id: proposal.id.clone(), why: why.into() });
    }
    let settings = &model.plan.notify;
    let (severity, since, why) = derived?;
    let bad_enough = settings.propose.is_some_and(|limit| *severity <= limit);
    let dismissed = model.durable.dismissed.is_some_and(|dismissed| *severity >= dismissed);
    let lasts = now.duration_since(*since) >= settings.propose_after;
    if model.durable.incident.is_some() || !bad_enough || dismissed || !lasts {
        return None;
    }
    let id = super::incident::incident_id(model, now);
    Some(Fact::IncidentProposed { id, title: why.clone(), severity: *severity })
}

/// What was called resolved and got bad again.
fn reopening(model: &Model) -> Option<Fact> {
    let (resolved_at, _) = model.durable.incident.as_ref()?.resolved.as_ref()?;
    let (severity, since, why) = model.durable.severity.as_ref()?;
    let again = since > resolved_at && *severity <= REOPENS;
    again.then(|| Fact::IncidentReopened { why: format!("{} again: {why}", severity.as_str()) })
}

/// The begin of an escalation, its next levels, its new begin.
fn escalation(model: &Model, now: Timestamp) -> Vec<Fact> {
    let Some(incident) = subject(model).filter(|_| !model.plan.policies.is_empty()) else {
        return Vec::new();
    };
    if model.durable.incident.as_ref().is_some_and(|incident| incident.resolved.is_some()) {
        return Vec::new();
    }
    let escalation = current(model);
    if let Some(severity) = new_severity(model, escalation) {
        let policy = model.plan.policies.iter().find(|(_, policy)| policy.severities.contains(&severity));
        let policy = policy.map(|(id, _)| id.clone());
        return vec![Fact::EscalationStarted { incident, severity, policy }];
    }
    let Some(escalation) = escalation else { return Vec::new() };
    let policy = escalation.policy.as_ref().and_then(|id| model.plan.policies.get(id));
    let Some(policy) = policy else { return Vec::new() };
    match &escalation.acknowledged {
        Some(taken) => {
            let silent = now.duration_since(escalation.active_at);
            let renews = policy.repage.is_some_and(|limit| silent >= limit);
            let why = || {
                format!(
                    "{} acknowledged by {} and gave no sign of life for {}",
                    taken.who,
                    taken.via,
                    crate::units::duration(silent)
                )
            };
            let renewed = renews.then(|| Fact::EscalationRenewed { incident, why: why() });
            renewed.into_iter().collect()
        }
        None => levels(model, escalation, policy, now),
    }
}

/// The severity that the escalation has to follow, where that is another one than it does: what a person set, or
/// what the rules say where that is worse.
fn new_severity(model: &Model, escalation: Option<&Escalation>) -> Option<Severity> {
    let set = model.durable.incident.as_ref().and_then(|incident| incident.severity_override.as_ref());
    let derived = model.durable.severity.as_ref().map(|(severity, ..)| *severity);
    match (set, escalation) {
        (Some((set, _)), Some(escalation)) => (*set != escalation.severity).then_some(*set),
        (Some((set, _)), None) => Some(*set),
        (None, Some(escalation)) => derived.filter(|derived| *derived < escalation.severity),
        (None, None) => derived.or(model.durable.proposal.as_ref().map(|proposal| proposal.severity)),
    }
}

/// The levels of this round that are due, or the first one of the next round.
fn levels(model: &Model, escalation: &Escalation, policy: &EscalationPolicy, now: Timestamp) -> Vec<Fact> {
    if policy.quiet && is_quiet(model, now) {
        return Vec::new();
    }
    let passed = now.duration_since(escalation.round_since);
    let due =
        policy.levels.iter().enumerate().skip(escalation.told).take_while(|(_, level)| level.after <= passed);
    let mut places: Vec<(u32, usize)> = due.map(|(place, _)| (escalation.round, place)).collect();
    let last = policy.levels.last().map(|level| level.after).unwrap_or_default();
    let all_told = escalation.told >= policy.levels.len() && !policy.levels.is_empty();
    if let Some(repeat) = policy.repeat.filter(|_| all_told && escalation.round < policy.repeats)
        && passed >= last + repeat
    {
        places.push((escalation.round + 1, 0));
    }
    let fact = |(round, place): (u32, usize)| {
        let level = policy.levels.get(place)?;
        let found = recipients::resolve(model, &level.who, &level.methods, false, now);
        let extra = level_line(policy, place, round, &found);
        let batch = Batch {
            incident: escalation.incident.clone(),
            cause: Cause::Level { generation: escalation.generation, round, level: place },
            intent: Intent::Page,
            message: message::finish(model, message::page(model, now, &extra), &found.instead_of),
            tries: level.tries,
            next_after: level.next_after,
        };
        Some(batch.queue(model, now, &found))
    };
    places.into_iter().filter_map(fact).collect()
}

fn level_line(policy: &EscalationPolicy, place: usize, round: u32, found: &Recipients) -> String {
    let level = policy.levels.get(place).map_or("", |level| &level.title);
    let mut line = format!("Level {} of {}: {level}.", place + 1, policy.levels.len());
    if round > 0 {
        line.push_str(&format!(" Nobody acknowledged before; round {}.", round + 1));
    }
    if !found.missing.is_empty() {
        line.push_str(&format!(" Not told: {}.", found.missing.join("; ")));
    }
    line
}

/// Whether the plan's quiet hours are now.
pub fn is_quiet(model: &Model, now: Timestamp) -> bool {
    let settings = &model.plan.notify;
    settings.quiet.is_some_and(|(from, until)| {
        let time = settings.zone.to_datetime(now).time();
        if from <= until { from <= time && time < until } else { time >= from || time < until }
    })
}

/// Messages of the plan that became due, and automatic ones that are.
fn messages(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (id, template) in &model.plan.messages {
        let waiting = model.durable.due.iter().find(|due| due.message == *id);
        match waiting {
            Some(due) if template.automatic => facts.extend(automatic(model, id, template, due, now)),
            Some(_) => {}
            None => facts.extend(newly_due(model, id, template, now)),
        }
    }
    facts
}

fn newly_due(model: &Model, id: &MessageId, template: &MessageTemplate, now: Timestamp) -> Option<Fact> {
    let turn = model.durable.message_turns.get(id);
    let since = match turn {
        None => occasion(model, template)?,
        Some((_, last)) => {
            let open = model.durable.incident.as_ref().is_some_and(|incident| incident.resolved.is_none());
            let again = last.checked_add(template.every.filter(|_| open)?).ok()?;
            Some(again).filter(|again| *again <= now)?
        }
    };
    let by = since.checked_add(template.within).unwrap_or(since);
    let due = DueMessage { message: id.clone(), number: turn.map_or(1, |(number, _)| number + 1), since, by };
    Some(Fact::MessageDue { due })
}

/// When the first of a message's occasions came.
fn occasion(model: &Model, template: &MessageTemplate) -> Option<Timestamp> {
    let closed = model.durable.closed.last();
    let open = model.durable.incident.as_ref();
    let severity = current(model).map(|escalation| escalation.severity).or(model.severity());
    let severities = &template.severities;
    let concerns = severities.is_empty() || severity.is_some_and(|severity| severities.contains(&severity));
    let run = |incident: &Incident| {
        let meant = |id: &RunbookId| template.runbooks.is_empty() || template.runbooks.contains(id);
        incident.runs.iter().find(|run| meant(&run.runbook)).map(|run| run.started_at)
    };
    let came = |occasion: &Occasion| match (occasion, open) {
        (Occasion::Declared, Some(incident)) => Some(incident.declared_at),
        (Occasion::Severity, Some(_)) => {
            current(model).filter(|escalation| escalation.generation > 0).map(|escalation| escalation.since)
        }
        (Occasion::Run, Some(incident)) => run(incident),
        (Occasion::Switched, Some(incident)) => {
            run(incident)?;
            model.durable.last_failover.filter(|at| *at >= incident.declared_at)
        }
        (Occasion::Resolved, Some(incident)) => incident.resolved.as_ref().map(|(at, _)| *at),
        // Of the last incident, once it is closed; its escalation is still known then.
        (Occasion::Closed, None) => closed
            .filter(|last| model.durable.escalation.as_ref().is_some_and(|e| e.incident == last.id))
            .and_then(|last| last.closed.as_ref().map(|(at, _)| *at)),
        _ => None,
    };
    // A closed incident's severity is not asked: its escalation followed it.
    let concerns = concerns || (open.is_none() && severities.is_empty());
    template.on.iter().filter_map(came).min().filter(|_| concerns)
}

fn automatic(
    model: &Model,
    id: &MessageId,
    template: &MessageTemplate,
    due: &DueMessage,
    now: Timestamp,
) -> Option<Fact> {
    let incident = lifecycle::told_about(model)?.id.clone();
    let audience = model.plan.audiences.get(&template.audience)?;
    let found = recipients::resolve(model, &audience.who, &audience.methods, audience.public, now);
    let draft = message::draft(model, id, now).ok()?;
    let mut message = message::finish(model, draft, &found.instead_of);
    message.page_status = template.page_status;
    message.component_status = template.component_status;
    let cause = Cause::Message { message: id.clone(), number: due.number };
    let batch =
        Batch { incident, cause, intent: Intent::Inform, message, tries: Tries::All, next_after: None };
    debug_assert_eq!(number(model, id), due.number);
    Some(batch.queue(model, now, &found))
}

/// Alerts that providers keep are acknowledged and closed with the escalation.
fn following(model: &Model, now: Timestamp) -> Vec<Fact> {
    let notifications = &model.durable.notifications;
    let mut done: HashSet<(&ChannelId, &Option<String>, &str, Intent)> = notifications
        .values()
        .filter(|known| matches!(known.intent, Intent::Acknowledge | Intent::Resolve))
        .map(|known| {
            (&known.queued.way.channel, &known.queued.way.address, known.queued.key.as_str(), known.intent)
        })
        .collect();
    let has_alert = |known: &&Notification| {
        let channel = model.plan.channels.get(&known.queued.way.channel);
        known.intent == Intent::Page
            && channel.is_some_and(|channel| channel.manner.has_alerts)
            && (known.status.is_with_provider() || known.status == DeliveryStatus::Unknown)
    };
    let mut facts = Vec::new();
    for page in notifications.values().filter(has_alert) {
        let way = (&page.queued.way.channel, &page.queued.way.address, page.queued.key.as_str());
        let Some(intent) = wanted(model, page) else { continue };
        if done.contains(&(way.0, way.1, way.2, Intent::Resolve))
            || !done.insert((way.0, way.1, way.2, intent))
        {
            continue;
        }
        let message = follow_up(model, intent);
        let (incident, cause) = (page.incident.clone(), Cause::Follow(intent));
        let batch = Batch { incident, cause, intent, message, tries: Tries::All, next_after: None };
        let to = Addressed {
            contact: page.queued.contact.clone(),
            name: page.queued.name.clone(),
            way: page.queued.way.clone(),
            then: Vec::new(),
        };
        let queued = batch.queued(model, now, 1, to);
        let to = vec![crate::core::notification::Queued { key: page.queued.key.clone(), ..queued }];
        let Batch { incident, cause, intent, message, .. } = batch;
        facts.push(Fact::NotificationsQueued { incident, cause, intent, message, to });
    }
    facts
}

/// What a provider's alert has to follow; nothing while the escalation is open.
fn wanted(model: &Model, page: &Notification) -> Option<Intent> {
    let live = current(model).filter(|escalation| escalation.incident == page.incident);
    let resolved = model.durable.incident.as_ref().is_some_and(|incident| incident.resolved.is_some());
    let Some(escalation) = live.filter(|_| !resolved) else { return Some(Intent::Resolve) };
    // An alert from before it began anew is over.
    if page.queued_at < escalation.since {
        return Some(Intent::Resolve);
    }
    let elsewhere = escalation.acknowledged.is_some() && page.status != DeliveryStatus::Acknowledged;
    elsewhere.then_some(Intent::Acknowledge)
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
fn passing_on(model: &Model, now: Timestamp) -> Vec<Fact> {
    let open = current(model).filter(|escalation| escalation.acknowledged.is_none());
    let mut facts = Vec::new();
    for known in model.durable.notifications.values().filter(|known| !known.passed_on) {
        let Some((next, rest)) = known.queued.then.split_first() else { continue };
        let unanswered = || {
            let waited = known.accepted_at.map(|at| now.duration_since(at));
            known.queued.next_after.zip(waited).is_some_and(|(limit, waited)| waited >= limit)
        };
        let failed = matches!(known.status, DeliveryStatus::Failed | DeliveryStatus::Unknown);
        // A page from before the escalation began anew has its successor.
        let wanted = open.is_some_and(|escalation| known.queued_at >= escalation.since);
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
            tries: Tries::InTurn,
            next_after: known.queued.next_after,
        };
        let ways = std::iter::once(next).chain(rest).cloned().collect();
        let recipient =
            Recipient { contact: known.queued.contact.clone(), name: known.queued.name.clone(), ways };
        let found = Recipients { people: vec![recipient], ..Recipients::default() };
        facts.push(batch.queue(model, now, &found));
    }
    facts
}

/// Attempts that can begin: not more at once than a channel takes, one after the other where messages hang together.
/// A page that somebody acknowledged before it went out is not sent.
fn attempts(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut under_way: HashMap<&ChannelId, u32> = HashMap::new();
    for known in model.durable.notifications.values().filter(|known| known.status == DeliveryStatus::Sent) {
        *under_way.entry(&known.queued.way.channel).or_default() += 1;
    }
    let mut busy = HashSet::new();
    let mut facts = Vec::new();
    for (id, known) in &model.durable.notifications {
        let way = &known.queued.way;
        let Some(channel) = model.plan.channels.get(&way.channel) else {
            if known.status == DeliveryStatus::Queued {
                facts.push(given_up(
                    model,
                    known,
                    "the plan has no such channel any more",
                    "Put it back, or tell them otherwise.",
                ));
            }
            continue;
        };
        match known.status {
            DeliveryStatus::Sent => {
                busy.insert(way);
                continue;
            }
            DeliveryStatus::Queued => {}
            _ => continue,
        }
        if let Some(why) = overtaken(model, known) {
            facts.push(given_up(model, known, &why, ""));
            continue;
        }
        let free = under_way.entry(&way.channel).or_default();
        let in_order = channel.manner.threads && busy.contains(way);
        let waits = known.not_before.is_some_and(|at| at > now);
        if channel.manner.threads {
            busy.insert(way);
        }
        if in_order || waits || *free >= channel.parallel {
            continue;
        }
        *free += 1;
        let to = describe::to_whom(&known.queued, &model.plan);
        facts.push(Fact::NotificationStarted { id: id.clone(), to, attempt: known.attempt + 1 });
    }
    facts
}

/// Why a page need not go out any more.
fn overtaken(model: &Model, known: &Notification) -> Option<String> {
    let follows_policy = matches!(known.cause, Cause::Level { .. } | Cause::Fallback { .. });
    if known.intent != Intent::Page || !follows_policy {
        return None;
    }
    let Some(escalation) = current(model).filter(|escalation| escalation.incident == known.incident) else {
        return Some("it was over before this was sent".into());
    };
    if model.durable.incident.as_ref().is_some_and(|incident| incident.resolved.is_some()) {
        return Some("the incident was resolved before this was sent".into());
    }
    if known.queued_at < escalation.since {
        return Some("the escalation began anew before this was sent".into());
    }
    let taken = escalation.acknowledged.as_ref()?;
    Some(format!("{} acknowledged before this was sent", taken.who))
}

fn given_up(model: &Model, known: &Notification, why: &str, next: &str) -> Fact {
    let failure = Undelivered { why: why.into(), next: next.into(), again: Again::Never };
    let to = describe::to_whom(&known.queued, &model.plan);
    Fact::NotificationFinished {
        id: known.queued.id.clone(),
        to,
        attempt: 0,
        attempted: Attempted::Failed { failure, retry_at: None },
    }
}
