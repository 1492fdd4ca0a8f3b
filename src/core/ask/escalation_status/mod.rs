//! Who knows of an incident, who is told next and when: the header, its screen and `lifeboat status` say the same.

mod declaring;
mod owed;
mod words;

pub use declaring::declaring;
pub use owed::{Owed, next_update, owed};
pub use words::{badge, sentence};

use crate::core::ask::{lifecycle, recipients};
use crate::core::decide::{current_escalation, escalation_subject, is_quiet};
use crate::core::model::Model;
use crate::core::words::escalation::{Acknowledgement, Escalation};
use crate::core::words::notification::{Cause, DeliveryStatus, Notification};
use crate::plan::{EscalationLevel, EscalationPolicy, Severity};
use jiff::{SignedDuration, Timestamp};

/// From this time before its end on a message is urgent.
pub const SOON: SignedDuration = SignedDuration::from_mins(5);
/// How many phone numbers are named where no message gets through.
const NUMBERS: usize = 3;
/// Kinds of addresses that a person can call.
const CALLED: [&str; 2] = ["phone", "sms"];

/// How far telling people about the incident, or the proposal of one, has come.
#[derive(Clone, PartialEq, Debug)]
pub enum Awareness {
    /// Somebody took it on.
    Acknowledged(Acknowledgement),
    /// Level after level is told.
    Paging(Paging),
    /// It was resolved before anybody acknowledged.
    Resolved,
    /// The plan has no policy for the severity.
    NoPolicy(Severity),
    /// There is no severity yet that a policy could be for.
    NotBegun,
}

/// An escalation that nobody has acknowledged.
#[derive(Clone, PartialEq, Debug)]
pub struct Paging {
    /// How many levels were told in this round.
    pub told: usize,
    /// How many there are.
    pub levels: usize,
    /// How often they were gone through before.
    pub round: u32,
    /// Which one is told next; none when the policy ends here.
    pub next: Option<NextLevel>,
    /// A level that no message got to, and whom to call.
    pub unreached: Option<Unreached>,
}

/// The level that is told next.
#[derive(Clone, PartialEq, Debug)]
pub struct NextLevel {
    /// Its place, from 0.
    pub level: usize,
    /// What people call it.
    pub title: String,
    pub at: Timestamp,
    /// It waits for the end of the quiet hours.
    pub quiet: bool,
    /// Who that is now, by name.
    pub people: Vec<String>,
    /// By which channels.
    pub ways: Vec<String>,
    /// Why somebody is missing.
    pub missing: Vec<String>,
}

/// A level of which every way to every person failed.
#[derive(Clone, PartialEq, Debug)]
pub struct Unreached {
    /// Its place, from 0.
    pub level: usize,
    /// What people call it.
    pub title: String,
    /// No level of this round was reached either.
    pub nobody: bool,
    /// Who can be called instead: name and number.
    pub call: Vec<(String, String)>,
}

/// How far telling people has come; none while there is nothing to tell about.
pub fn of(model: &Model, now: Timestamp) -> Option<Awareness> {
    escalation_subject(model)?;
    let Some(escalation) = current_escalation(model) else { return Some(Awareness::NotBegun) };
    if let Some(taken) = &escalation.acknowledged {
        return Some(Awareness::Acknowledged(taken.clone()));
    }
    if lifecycle::open_and_told(model).is_some_and(|incident| incident.resolved.is_some()) {
        return Some(Awareness::Resolved);
    }
    let policy = escalation.policy.as_ref().and_then(|id| model.plan.policies.get(id));
    let Some(policy) = policy else { return Some(Awareness::NoPolicy(escalation.severity)) };
    Some(Awareness::Paging(Paging {
        told: escalation.told,
        levels: policy.levels.len(),
        round: escalation.round,
        next: next_level(model, escalation, policy, now),
        unreached: unreached(model, escalation, policy, now),
    }))
}

fn next_level(
    model: &Model,
    escalation: &Escalation,
    policy: &EscalationPolicy,
    now: Timestamp,
) -> Option<NextLevel> {
    let (place, after) = match policy.levels.get(escalation.told) {
        Some(level) => (escalation.told, level.after),
        None => {
            let repeat = policy.repeat.filter(|_| escalation.round < policy.repeats)?;
            (0, policy.levels.last()?.after + repeat)
        }
    };
    let level = policy.levels.get(place)?;
    let due = escalation.round_since.checked_add(after).ok()?.max(now);
    let waits = policy.quiet && is_quiet(model, due);
    let at = if waits { morning(model, due).unwrap_or(due) } else { due };
    let found = recipients::resolve(model, &level.who, &level.methods, false, now);
    let mut ways: Vec<String> = Vec::new();
    for way in found.people.iter().flat_map(|recipient| &recipient.ways) {
        let title = model.plan.channels.get(&way.channel).map_or(way.channel.as_str(), |c| &c.title);
        if !ways.iter().any(|known| known == title) {
            ways.push(title.to_owned());
        }
    }
    let told = found.people.into_iter().filter(|recipient| !recipient.ways.is_empty());
    Some(NextLevel {
        level: place,
        title: level.title.clone(),
        at,
        quiet: waits,
        people: told.map(|recipient| recipient.name).collect(),
        ways,
        missing: found.missing,
    })
}

/// When the quiet hours end that are at a moment.
fn morning(model: &Model, at: Timestamp) -> Option<Timestamp> {
    let settings = &model.plan.notify;
    let (_, until) = settings.quiet?;
    let wall = settings.zone.to_datetime(at);
    let today = wall.date().to_datetime(until);
    let end = if today > wall { today } else { wall.date().tomorrow().ok()?.to_datetime(until) };
    settings.zone.to_timestamp(end).ok()
}

/// The last level that was told, where no message got to anybody of it.
fn unreached(
    model: &Model,
    escalation: &Escalation,
    policy: &EscalationPolicy,
    now: Timestamp,
) -> Option<Unreached> {
    let place = escalation.told.checked_sub(1)?;
    let level = policy.levels.get(place)?;
    if is_reached(model, escalation, place) {
        return None;
    }
    let nobody = (0..place).all(|before| !is_reached(model, escalation, before));
    let others = policy.levels.iter().skip(place).chain(policy.levels.iter().take(place));
    Some(Unreached { level: place, title: level.title.clone(), nobody, call: numbers(model, others, now) })
}

/// Whether a message to a level is under way, arrived, or may have.
fn is_reached(model: &Model, escalation: &Escalation, level: usize) -> bool {
    let (generation, round) = (escalation.generation, escalation.round);
    let wanted = Cause::Level { generation, round, level };
    let mut pages = model.durable.notifications.values().filter(|known| *first_cause(model, known) == wanted);
    pages.any(|known| {
        known.status != DeliveryStatus::Failed || (!known.passed_on && !known.queued.then.is_empty())
    })
}

/// The cause of the first of the ways that were taken one after the other.
fn first_cause<'m>(model: &'m Model, known: &'m Notification) -> &'m Cause {
    let mut cause = &known.cause;
    // A way follows one that was queued before it, so that this ends; the bound is for a journal that says else.
    for _ in 0..model.durable.notifications.len() {
        let Cause::Fallback { of } = cause else { break };
        let Some(before) = model.durable.notifications.get(of) else { break };
        cause = &before.cause;
    }
    cause
}

/// The numbers of those who answer for the levels, and of anybody where these have none.
fn numbers<'m>(
    model: &'m Model,
    levels: impl Iterator<Item = &'m EscalationLevel>,
    now: Timestamp,
) -> Vec<(String, String)> {
    let named = levels.flat_map(|level| recipients::resolve(model, &level.who, &[], false, now).people);
    let named = named.filter_map(|recipient| model.plan.contacts.get(&recipient.contact?));
    let mut found: Vec<(String, String)> = Vec::new();
    for contact in named.chain(model.plan.contacts.values()) {
        let number = CALLED.iter().find_map(|kind| contact.addresses.get(*kind));
        if let Some(number) = number.filter(|number| !found.iter().any(|(_, known)| known == *number)) {
            found.push((contact.name.clone(), number.clone()));
        }
    }
    found.truncate(NUMBERS);
    found
}

/// What of closing an incident now is too early, in words.
pub fn unfinished(model: &Model, now: Timestamp) -> Vec<String> {
    let Some(incident) = &model.durable.incident else { return Vec::new() };
    let mut found = Vec::new();
    match (&incident.resolved, lifecycle::watch_left(&model.plan, incident, now)) {
        (None, _) => found.push("It was NOT called resolved.".to_owned()),
        (Some(_), Some(left)) => {
            found.push(format!("The watch is NOT over: {} left.", crate::base::units::duration(left)));
        }
        (Some(_), None) => {}
    }
    let due: Vec<String> = owed(model).iter().map(|owed| owed.title.clone()).collect();
    if !due.is_empty() {
        found.push(format!("Due and NOT sent: {}.", due.join(", ")));
    }
    found
}

#[cfg(test)]
pub(crate) mod tests;
