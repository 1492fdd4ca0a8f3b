//! Contradictions: found, answered, over; and the fences that they deny.

use crate::core::ask::contradiction::{Answer, Contradiction, Kind, Open};
use crate::core::ask::divergence::Split;
use crate::core::model::Model;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Incident, Run, StepRun};
use crate::core::words::loss::LossEstimate;
use crate::core::words::status::StepStatus;
use crate::plan::Plan;
use jiff::Timestamp;

/// Takes in what was found of contradictions and said of them.
pub fn apply(model: &mut Model, event: &Event) {
    let open = &mut model.durable.contradictions;
    match &event.fact {
        Fact::ContradictionFound { contradiction } => {
            let contradiction = (**contradiction).clone();
            if let Some(known) = open.iter_mut().find(|known| known.contradiction.id == contradiction.id) {
                // What it is about stays; what to do about it turned.
                known.contradiction = contradiction;
                return;
            }
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
                for split in &mut model.durable.splits {
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
        Fact::DivergenceSettled { id, how, .. } => {
            let answer = Answer { at: event.at, by: event.by.to_string(), reason: how.clone() };
            let goes_on: Vec<String> = open.iter().map(|open| open.contradiction.id.clone()).collect();
            let over = |split: &&mut Split| split.id == *id && !goes_on.contains(id);
            for split in model.durable.splits.iter_mut().filter(over) {
                split.settled = split.settled.take().or(Some(answer.clone()));
            }
        }
        _ => {}
    }
}

/// Two servers accept writes: that their data went apart outlives it.
fn split(model: &mut Model, contradiction: &Contradiction, at: Timestamp) {
    if contradiction.kind != Kind::TwoPrimaries {
        return;
    }
    let incident = model.durable.incident.as_ref();
    let apart_since = incident.and_then(|incident| apart_since(&model.plan, incident, contradiction));
    model.durable.splits.push(Split {
        id: contradiction.id.clone(),
        what: contradiction.what.clone(),
        servers: contradiction.servers.clone(),
        since: at,
        until: None,
        apart_since,
        settled: None,
    });
}

/// Up to when two primaries surely held the same: by what was known to be lost when one of them was promoted, or by when
/// that promotion began. None where nothing promoted it in this incident.
fn apart_since(plan: &Plan, incident: &Incident, contradiction: &Contradiction) -> Option<Timestamp> {
    let regions: Vec<_> =
        contradiction.servers.iter().filter_map(|id| plan.probes.get(id)?.region.as_ref()).collect();
    let of_run = |run: &Run| {
        let runbook = plan.runbooks.get(&run.runbook)?;
        let concerns = runbook.activates.as_ref().is_some_and(|region| regions.contains(&region));
        run.promotions(plan).filter(|_| concerns).filter_map(promoted_from).min()
    };
    incident.runs.iter().filter_map(of_run).min()
}

fn promoted_from(state: &StepRun) -> Option<Timestamp> {
    let began = state.started_at?;
    let losses = state.confirmation.iter().flat_map(|confirmation| &confirmation.losses);
    losses.filter_map(LossEstimate::held_until).chain([began]).min()
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
