//! Contradictions: found, answered, over; and the fences that they deny.

use crate::core::contradiction::{Answer, Contradiction, Open};
use crate::core::fact::{Event, Fact};
use crate::core::incident::StepRun;
use crate::core::model::Model;
use crate::core::status::StepStatus;

pub fn apply(model: &mut Model, event: &Event) {
    let open = &mut model.durable.contradictions;
    match &event.fact {
        Fact::ContradictionFound { contradiction } => {
            open.retain(|known| known.contradiction.id != contradiction.id);
            let contradiction = (**contradiction).clone();
            open.push(Open { contradiction: contradiction.clone(), since: event.at, answered: None });
            fences(model, &contradiction, |state| state.denied = state.denied.or(Some(event.at)));
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
