//! The begin of an escalation, its next levels, its new begin.

use super::super::escalate::{Batch, current, subject};
use crate::base::ids::{IncidentId, PolicyId};
use crate::base::text::ended;
use crate::core::ask::contradiction::{self, Kind, Open};
use crate::core::ask::lifecycle;
use crate::core::ask::recipients::{self, Recipients};
use crate::core::model::Model;
use crate::core::prose::message;
use crate::core::words::escalation::Escalation;
use crate::core::words::fact::Fact;
use crate::core::words::notification::{Cause, Intent};
use crate::plan::{EscalationLevel, EscalationPolicy, Plan, Severity};
use jiff::Timestamp;

/// What is due of the escalation; nothing where the plan has no policies, or once the incident is resolved.
pub fn escalation(model: &Model, now: Timestamp) -> Vec<Fact> {
    let Some(incident) = subject(model).filter(|_| !model.plan.policies.is_empty()) else {
        return Vec::new();
    };
    if lifecycle::open_and_told(model).is_some_and(|incident| incident.resolved.is_some()) {
        return Vec::new();
    }
    let escalation = current(model);
    if let Some(severity) = new_severity(model, escalation) {
        return vec![begin(&model.plan, incident, severity)];
    }
    let Some(escalation) = escalation else { return Vec::new() };
    if let Some(open) = unheard(model, escalation) {
        let why = open.contradiction.what.clone();
        return vec![Fact::EscalationRenewed { incident: escalation.incident.clone(), why }];
    }
    let policy = escalation.policy.as_ref().and_then(|id| model.plan.policies.get(id));
    match (&escalation.acknowledged, policy) {
        (Some(_), policy) => renewal(escalation, policy, now),
        (None, _) if is_of_another_plan(&model.plan, escalation) => {
            vec![begin(&model.plan, incident, escalation.severity)]
        }
        (None, Some(policy)) => levels(model, escalation, policy, now),
        (None, None) => Vec::new(),
    }
}

fn begin(plan: &Plan, incident: IncidentId, severity: Severity) -> Fact {
    let policy = policy_for(plan, severity);
    let levels = titles(policy.map(|(_, policy)| policy));
    Fact::EscalationStarted { incident, severity, policy: policy.map(|(id, _)| id.clone()), levels }
}

fn policy_for(plan: &Plan, severity: Severity) -> Option<(&PolicyId, &EscalationPolicy)> {
    plan.policies.iter().find(|(_, policy)| policy.severities.contains(&severity))
}

fn titles(policy: Option<&EscalationPolicy>) -> Vec<String> {
    policy.map_or_else(Vec::new, |policy| policy.levels.iter().map(|level| level.title.clone()).collect())
}

/// The plan was changed under the escalation: which levels were told does not mean the same any more.
fn is_of_another_plan(plan: &Plan, escalation: &Escalation) -> bool {
    let policy = policy_for(plan, escalation.severity);
    policy.map(|(id, _)| id) != escalation.policy.as_ref()
        || titles(policy.map(|(_, policy)| policy)) != escalation.levels
}

/// Whoever took it on gave no sign of life for too long.
fn renewal(escalation: &Escalation, policy: Option<&EscalationPolicy>, now: Timestamp) -> Vec<Fact> {
    let Some(taken) = &escalation.acknowledged else { return Vec::new() };
    let silent = now.duration_since(escalation.active_at);
    if policy.and_then(|policy| policy.repage).is_none_or(|limit| silent < limit) {
        return Vec::new();
    }
    let silence = crate::base::units::duration(silent);
    let why = format!("{} acknowledged by {} and gave no sign of life for {silence}", taken.who, taken.via);
    vec![Fact::EscalationRenewed { incident: escalation.incident.clone(), why }]
}

/// A contradiction as bad as can be that was found since the escalation began: whoever took on what was known before
/// has not taken on this. An exercise follows what a person set.
fn unheard<'a>(model: &'a Model, escalation: &Escalation) -> Option<&'a Open> {
    let exercise = lifecycle::open_and_told(model).is_some_and(|incident| incident.mode.is_drill());
    let counts = !exercise || model.live.simulation.is_some();
    let worst_since = model.durable.at_least_since.get(&Severity::P0);
    let is_news = |open: &Open| {
        open.contradiction.kind != Kind::NobodyWrites || worst_since.is_some_and(|since| *since >= open.since)
    };
    let is_new = |open: &&Open| {
        open.contradiction.severity == Severity::P0
            && open.answered.is_none()
            && open.since > escalation.since
            && is_news(open)
    };
    contradiction::of(model).iter().filter(|_| counts).find(is_new)
}

/// The severity that the escalation has to follow, where that is another one than it does: what a person set, or
/// what the rules say where that is worse. The rules see what is real: an exercise follows what a person set.
fn new_severity(model: &Model, escalation: Option<&Escalation>) -> Option<Severity> {
    let incident = lifecycle::open_and_told(model);
    let set = incident.and_then(|incident| incident.severity_override.as_ref());
    let exercise = incident.is_some_and(|incident| incident.mode.is_drill());
    let rules_count = !exercise || model.live.simulation.is_some();
    let derived = model.durable.severity.as_ref().map(|(severity, ..)| *severity).filter(|_| rules_count);
    match (set, escalation) {
        (Some((set, _)), Some(escalation)) => (*set != escalation.severity).then_some(*set),
        (Some((set, _)), None) => Some(*set),
        (None, Some(escalation)) => derived.filter(|derived| *derived < escalation.severity),
        (None, None) => derived.or(model.durable.proposal.as_ref().map(|proposal| proposal.severity)),
    }
}

/// The levels of this round that are due, or the first one of the next round. Nobody waits for a level that reaches
/// nobody: the next one is due with it.
fn levels(model: &Model, escalation: &Escalation, policy: &EscalationPolicy, now: Timestamp) -> Vec<Fact> {
    if policy.quiet && is_quiet(model, now) {
        return Vec::new();
    }
    let passed = now.duration_since(escalation.round_since);
    let mut facts = Vec::new();
    let mut nobody = told_nobody(model, escalation, policy, now);
    for (place, level) in policy.levels.iter().enumerate().skip(escalation.told) {
        if level.after > passed && nobody.is_none() {
            break;
        }
        let found = recipients::resolve(model, &level.who, &level.methods, false, now);
        let of_round = Place { round: escalation.round, place, because: nobody.as_deref() };
        facts.push(tell(model, escalation, policy, level, &found, &of_round, now));
        nobody = (!found.reaches_somebody()).then(|| reaches_nobody(place, level, &found));
    }
    let last = policy.levels.last().map(|level| level.after).unwrap_or_default();
    let all_told = escalation.told >= policy.levels.len() && !policy.levels.is_empty();
    if let Some(repeat) = policy.repeat.filter(|_| all_told && escalation.round < policy.repeats)
        && passed >= last + repeat
        && let Some(level) = policy.levels.first()
    {
        let found = recipients::resolve(model, &level.who, &level.methods, false, now);
        let of_round = Place { round: escalation.round + 1, place: 0, because: None };
        facts.push(tell(model, escalation, policy, level, &found, &of_round, now));
    }
    facts
}

/// Which level is told, and why now.
struct Place<'a> {
    round: u32,
    place: usize,
    /// Why the level before reaches nobody, where this one is told for that.
    because: Option<&'a str>,
}

fn tell(
    model: &Model,
    escalation: &Escalation,
    policy: &EscalationPolicy,
    level: &EscalationLevel,
    found: &Recipients,
    place: &Place<'_>,
    now: Timestamp,
) -> Fact {
    let extra = level_line(policy, level, found, place);
    let batch = Batch {
        incident: escalation.incident.clone(),
        cause: Cause::Level { generation: escalation.generation, round: place.round, level: place.place },
        intent: Intent::Page,
        message: message::finish(model, message::page(model, now, &extra), &found.instead_of),
        tries: level.tries,
        next_after: level.next_after,
    };
    batch.queue(model, now, found)
}

/// Why the level that was told last reaches nobody; none where it reached somebody, or none was told in this round.
fn told_nobody(
    model: &Model,
    escalation: &Escalation,
    policy: &EscalationPolicy,
    now: Timestamp,
) -> Option<String> {
    let place = escalation.told.checked_sub(1)?;
    let level = policy.levels.get(place)?;
    let told = Cause::Level { generation: escalation.generation, round: escalation.round, level: place };
    if model.durable.notifications.values().any(|known| known.cause == told) {
        return None;
    }
    let found = recipients::resolve(model, &level.who, &level.methods, false, now);
    Some(reaches_nobody(place, level, &found))
}

fn reaches_nobody(place: usize, level: &EscalationLevel, found: &Recipients) -> String {
    let why = match found.missing.as_slice() {
        [] => "no way led to anybody".to_owned(),
        missing => missing.join("; "),
    };
    format!("level {} ({}) reached NOBODY: {why}", place + 1, level.title)
}

fn level_line(
    policy: &EscalationPolicy,
    level: &EscalationLevel,
    found: &Recipients,
    place: &Place<'_>,
) -> String {
    let mut line = format!("Level {} of {}: {}.", place.place + 1, policy.levels.len(), level.title);
    if place.round > 0 {
        line.push_str(&format!(" Nobody acknowledged before; round {}.", place.round + 1));
    }
    if let Some(because) = place.because {
        line.push_str(&format!(" Told because {}", ended(because)));
    }
    if !found.missing.is_empty() {
        line.push_str(&format!(" Not told: {}", ended(&found.missing.join("; "))));
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
