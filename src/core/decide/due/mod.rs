//! What time brings in telling people: proposals, levels of the policy, messages of the plan, further attempts.
//! All of it is idempotent: what its facts lead to is not due again, also after a crash.

mod attempts;
mod follow;
mod levels;
mod messages;

pub use levels::is_quiet;
pub use messages::not_told;

use crate::base::ids::NotificationId;
use crate::core::ask::contradiction::{Open, of};
use crate::core::ask::drill;
use crate::core::ask::severity::assess;
use crate::core::ask::untold::untold;
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use crate::plan::Severity;
use jiff::{SignedDuration, Timestamp};

/// From this severity on a new problem reopens what was resolved.
const REOPENS: Severity = Severity::P1;

/// Everything that became due.
pub fn due(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut facts: Vec<Fact> = proposal(model, now).into_iter().collect();
    facts.extend(reopening(model));
    facts.extend(levels::escalation(model, now));
    facts.extend(messages::messages(model, now));
    facts.extend(follow::following(model, now));
    facts.extend(follow::passing_on(model, now));
    number_anew(model, &mut facts);
    facts.extend(attempts::attempts(model, now));
    facts
}

/// What is queued in one moment is numbered in its order: each part counted from what the model has.
fn number_anew(model: &Model, facts: &mut [Fact]) {
    let mut number = model.durable.queued_messages;
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
        // What cannot be told is no sign that all is well.
        let is_well = derived.is_none() && assess(model, now).possible.is_none();
        return is_well.then(|| Fact::ProposalWithdrawn { id: proposal.id.clone(), why: why.into() });
    }
    let (severity, _, why) = derived?;
    if !proposed_in(model, now)?.is_zero() {
        return None;
    }
    let id = super::incident::incident_id(model, now);
    Some(Fact::IncidentProposed { id, title: why.clone(), severity: *severity })
}

/// In how long the severity that the rules give would be proposed and paged, if it lasts; none where it would not.
/// One that alternates with a worse one lasts all the same.
pub fn proposed_in(model: &Model, now: Timestamp) -> Option<SignedDuration> {
    let (severity, _, why) = model.durable.severity.as_ref()?;
    let dismissed =
        model.durable.dismissed.as_ref().is_some_and(|dismissed| dismissed.covers(*severity, why));
    let covered = model.durable.incident.is_some() && !drill::real_counts(model);
    if covered || dismissed || model.durable.proposal.is_some() {
        return None;
    }
    let settings = &model.plan.notify;
    // What nobody can tell is proposed also where the plan leaves what is known to a person.
    let by_untold = || untold(model, now).filter(|(_, what)| what == why).map(|(level, _)| level);
    let since = model.durable.at_least_since.get(&settings.propose.or_else(by_untold)?)?;
    Some((settings.propose_after - now.duration_since(*since)).max(SignedDuration::ZERO))
}

/// What was called resolved and got bad again. Getting better from worse is no new problem; what cannot be right is
/// one, however bad it was before.
fn reopening(model: &Model) -> Option<Fact> {
    // What is real does not reopen an exercise: it is proposed.
    let incident = model.durable.incident.as_ref().filter(|_| !drill::real_counts(model))?;
    let (resolved_at, _) = incident.resolved.as_ref()?;
    let (severity, _, why) = model.durable.severity.as_ref()?;
    let mut since = model.durable.at_least_since.iter();
    let again = since.any(|(level, since)| *level <= REOPENS && since > resolved_at);
    let is_new = |open: &Open| open.contradiction.severity <= REOPENS && open.since > *resolved_at;
    (again || of(model).iter().any(is_new))
        .then(|| Fact::IncidentReopened { why: format!("{} again: {why}", severity.as_str()) })
}
