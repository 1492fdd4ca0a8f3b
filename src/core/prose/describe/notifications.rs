//! Telling people, as sentences.

use crate::base::ids::ContactId;
use crate::base::units;
use crate::core::words::notification::{Again, Attempted, Cause, Intent, Queued};
use crate::plan::{Plan, Shift};

/// How an attempt ended.
pub(super) fn ended(to: &str, attempted: &Attempted) -> String {
    match attempted {
        Attempted::Accepted(receipt) => {
            let cut = if receipt.cut.is_empty() { String::new() } else { format!("; {}", receipt.cut) };
            format!("Telling {to}: accepted, {}{cut}", receipt.answer)
        }
        Attempted::Failed { failure, retry_at: Some(at) } => {
            format!("Telling {to}: not sent, {}; again at {}", failure.why, at.strftime("%H:%M:%SZ"))
        }
        Attempted::Failed { failure, .. } if failure.again == Again::Maybe => {
            format!("Telling {to}: UNKNOWN whether it arrived, {}", failure.why)
        }
        Attempted::Failed { failure, .. } => format!("Telling {to}: NOT SENT, {}", failure.why),
    }
}

/// `Ana until 2026-03-09 08:00Z, then Bob until 2026-03-16 08:00Z`, and how many more.
pub(super) fn next_shifts(shifts: &[Shift], plan: &Plan) -> String {
    const TOLD: usize = 2;
    let name =
        |id: &ContactId| plan.contacts.get(id).map_or_else(|| id.to_string(), |contact| contact.name.clone());
    let told = shifts
        .iter()
        .take(TOLD)
        .map(|shift| format!("{} until {}", name(&shift.contact), shift.until.strftime("%Y-%m-%d %H:%MZ")));
    let told = told.collect::<Vec<_>>().join(", then ");
    match shifts.len() {
        0 => "nobody is on call by it from now on".into(),
        count if count > TOLD => format!("{told}, and {} more shifts", count - TOLD),
        _ => told,
    }
}

pub(super) fn queued(cause: &Cause, intent: Intent, to: &[Queued], plan: &Plan) -> String {
    let names: Vec<String> = to.iter().map(|queued| to_whom(queued, plan)).collect();
    let names =
        if names.is_empty() { "NOBODY: no way leads to anybody".to_owned() } else { names.join(", ") };
    let message = |id| plan.messages.get(id).map_or_else(|| format!("{id}"), |message| message.title.clone());
    match cause {
        Cause::Level { level, round: 0, .. } => format!("Paging level {}: {names}", level + 1),
        Cause::Level { level, round, .. } => {
            format!("Paging level {}, round {}: {names}", level + 1, round + 1)
        }
        Cause::Fallback { .. } => format!("The way before failed or was not answered; now {names}"),
        Cause::Message { message: id, number: 1 } => format!("{} goes to {names}", message(id)),
        Cause::Message { message: id, number } => {
            format!("{}, number {number}, goes to {names}", message(id))
        }
        Cause::ByHand => format!("Paging by hand: {names}"),
        Cause::Written => format!("A message goes to {names}"),
        Cause::Follow(_) => format!("To be {}d there too: {names}", intent.as_str()),
    }
}

/// `CTO by phone`; the channel alone where it has one destination of its own.
pub fn to_whom(queued: &Queued, plan: &Plan) -> String {
    let channel = plan.channels.get(&queued.way.channel);
    let title = channel.map_or_else(|| queued.way.channel.to_string(), |channel| channel.title.clone());
    match &queued.contact {
        Some(_) => format!("{} by {title}", queued.name),
        None => title,
    }
}

/// In how long something is due: `in 4 min`, or `now`.
pub fn in_how_long(left: jiff::SignedDuration) -> String {
    if left.is_positive() { format!("in {}", units::clock(left)) } else { "now".into() }
}
