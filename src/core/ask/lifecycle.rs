//! Where an incident is in its life: assess, mitigate, settle, monitor, close.

use crate::core::model::Model;
use crate::core::words::escalation::Phase;
use crate::core::words::incident::{Incident, Position};
use crate::plan::Plan;
use jiff::{SignedDuration, Timestamp};

/// The phase of an open incident.
pub fn phase(plan: &Plan, incident: &Incident, now: Timestamp) -> Phase {
    if incident.resolved.is_some() {
        return match watch_left(plan, incident, now) {
            Some(_) => Phase::Monitor,
            None => Phase::Close,
        };
    }
    match (&incident.position, incident.open_run()) {
        (_, Some(_)) => Phase::Mitigate,
        (Position::Question(_), None) => Phase::Assess,
        (Position::Runbook(_) | Position::Leaf(_), None) => Phase::Settle,
    }
}

/// The incident that people are told about: the open one, or the last one that was closed.
pub fn told_about(model: &Model) -> Option<&Incident> {
    let told = model.durable.told.as_ref();
    let closed = || model.durable.closed.last().filter(|last| told == Some(&last.id));
    match &model.durable.proposal {
        Some(_) => None,
        None => model.durable.incident.as_ref().or_else(closed),
    }
}

/// The open incident, where people are told about it: real trouble that is proposed during a drill comes first.
pub fn open_and_told(model: &Model) -> Option<&Incident> {
    model.durable.incident.as_ref().filter(|_| model.durable.proposal.is_none())
}

/// How long a resolved incident has still to be watched; none when that is over or it is not resolved.
pub fn watch_left(plan: &Plan, incident: &Incident, now: Timestamp) -> Option<SignedDuration> {
    let (resolved_at, _) = incident.resolved.as_ref()?;
    let left = plan.policy.monitor - now.duration_since(*resolved_at);
    left.is_positive().then_some(left)
}
