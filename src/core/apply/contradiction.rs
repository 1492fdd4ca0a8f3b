//! Contradictions: found, answered, over; and the fences that they deny.

use crate::core::contradiction::{Answer, Contradiction, Kind, Open};
use crate::core::fact::{Event, Fact};
use crate::core::incident::{Split, StepRun};
use crate::core::model::Model;
use crate::core::status::StepStatus;
use jiff::Timestamp;

pub fn apply(model: &mut Model, event: &Event) {
    let open = &mut model.durable.contradictions;
    match &event.fact {
        Fact::ContradictionFound { contradiction } => {
            open.retain(|known| known.contradiction.id != contradiction.id);
            let contradiction = (**contradiction).clone();
            open.push(Open { contradiction: contradiction.clone(), since: event.at, answered: None });
            fences(model, &contradiction, |state| state.denied = state.denied.or(Some(event.at)));
            split(model, &contradiction, event.at);
        }
        Fact::ContradictionAnswered { id, reason, .. } => {
            let answer = Answer { at: event.at, by: event.by.to_string(), reason: reason.clone() };
            if let Some(known) = open.iter_mut().find(|known| known.contradiction.id == *id) {
                known.answered = Some(answer);
            }
        }
        Fact::ContradictionEnded { id, unseen, .. } => {
            let Some(place) = open.iter().position(|known| known.contradiction.id == *id) else { return };
            let (ended, left) = (open.remove(place).contradiction, open.clone());
            if !unseen {
                for split in model.durable.incident.iter_mut().flat_map(|incident| &mut incident.splits) {
                    split.until = split.until.or(Some(event.at).filter(|_| split.id == ended.id));
                }
                fences(model, &ended, |state| state.denied = None);
            }
            for known in left {
                let denied = |state: &StepRun| state.ended_at.is_none_or(|settled| known.since >= settled);
                fences(model, &known.contradiction, |state| {
                    state.denied = state.denied.or(Some(known.since).filter(|_| denied(state)));
                });
            }
        }
        _ => {}
    }
}

/// Two servers accept writes: what that costs stays with the incident.
pub(super) fn split(model: &mut Model, contradiction: &Contradiction, at: Timestamp) {
    if let Some(incident) = &mut model.durable.incident
        && contradiction.kind == Kind::TwoPrimaries
    {
        let (id, what) = (contradiction.id.clone(), contradiction.what.clone());
        incident.splits.push(Split { id, what, since: at, until: None });
    }
}

/// The settled steps that a contradiction denies; also those of incidents that are closed.
fn fences(model: &mut Model, contradiction: &Contradiction, with: impl Fn(&mut StepRun)) {
    let plan = model.plan.clone();
    let incidents = model.durable.closed.iter_mut().chain(model.durable.incident.as_mut());
    for run in incidents.flat_map(|incident| &mut incident.runs) {
        let Some(runbook) = plan.runbooks.get(&run.runbook) else { continue };
        for (id, state) in &mut run.steps {
            let settled = matches!(state.status, StepStatus::Verified | StepStatus::Attested);
            if runbook.steps.get(id).is_some_and(|step| settled && contradiction.denies_fence(&run.id, step))
            {
                with(state);
            }
        }
    }
}
