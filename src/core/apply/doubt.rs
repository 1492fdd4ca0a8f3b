//! What lets a region serve is taken back, or taken up again: whether it still serves is not known, before somebody records
//! it, something measures it, or a run switches anew.

use crate::base::ids::{RunId, RunbookId, StepId};
use crate::core::ask::attested::Why;
use crate::core::model::{Doubt, Model};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Mode, Run};
use crate::plan::Plan;
use jiff::Timestamp;

/// Takes in a fact of a step that may undo what let the region serve.
pub fn apply(model: &mut Model, event: &Event) {
    match &event.fact {
        Fact::StepUndone { run, step, stays: false, .. } => {
            raise(model, Why::TakenBack, |_, switched| switched.id == *run && switched.is_switch(step));
        }
        Fact::StepStarted { run, step, .. } | Fact::StepAttested { run, step, unproven: true, .. } => {
            undone_by(model, event.at, (run, step), Why::MayBeTakenBack);
        }
        Fact::StepAttested { run, step, .. } => undone_by(model, event.at, (run, step), Why::TakenBack),
        Fact::StepVerified { run, step, .. } => {
            // What was recorded since it ran stands: that it ran was told then.
            let was_answered = model.durable.doubt.is_none();
            undone_by(model, event.at, (run, step), Why::TakenBack);
            if was_answered {
                model.durable.doubt = None;
            }
        }
        _ => {}
    }
}

/// Takes in that a step is done once more, or is to be: where it is the switch, it may have been undone for that.
pub fn reopened(model: &mut Model, id: &RunId, step: &StepId) {
    if !is_real(model) {
        return;
    }
    raise(model, Why::Reopened, |_, run| run.id == *id && run.is_switch(step) && run.has_moved);
}

/// A step that takes back the switch of a run.
fn undone_by(model: &mut Model, at: Timestamp, (id, step): (&RunId, &StepId), why: Why) {
    let Some(runbook) = model.run(id).filter(|_| is_real(model)).map(|run| run.runbook.clone()) else {
        return;
    };
    let Some(planned) = model.step(id, step).map(|(planned, _)| planned.clone()) else { return };
    let undoes =
        |plan: &Plan, of: &RunbookId, other: &StepId| plan.takes_back((&runbook, &planned), (of, other));
    // Of a step that switches itself its own run says what became of it.
    let is_switch = model.run(id).is_some_and(|run| run.is_switch(step));
    raise(model, why, |model, run| {
        !is_switch && run.aim.switch.as_ref().is_some_and(|switch| undoes(&model.plan, &run.runbook, switch))
    });
    if why == Why::MayBeTakenBack {
        return;
    }
    // A word that was taken back moves nothing any more, whatever becomes of the step that did.
    let plan = model.plan.clone();
    let incidents = model.durable.closed.iter_mut().chain(&mut model.durable.incident);
    for run in incidents.flat_map(|incident| &mut incident.runs) {
        let of = run.runbook.clone();
        let words = run.steps.iter_mut().filter(|(id, state)| state.is_mere_word() && undoes(&plan, &of, id));
        words.for_each(|(_, state)| state.moved = state.moved.or(Some(at)));
    }
}

/// What is done in the open incident is done for real.
fn is_real(model: &Model) -> bool {
    model.durable.incident.as_ref().is_some_and(|incident| incident.mode != Mode::SafeDrill)
}

/// Says so of the last run that is meant, where its region serves because of it.
fn raise(model: &mut Model, why: Why, is_meant: impl Fn(&Model, &Run) -> bool) {
    let has_moved = |run: &Run| run.has_moved || run.switched.is_some();
    let serves = |run: &&Run| has_moved(run) && run.aim.region.as_ref() == model.serving();
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let runs = incidents.flat_map(|incident| &incident.runs).filter(serves);
    let doubt = runs.filter(|run| is_meant(model, run)).last().and_then(|run| {
        let (region, step) = (run.aim.region.clone()?, run.aim.switch.clone()?);
        Some(Doubt { region, run: run.id.clone(), step, why })
    });
    model.durable.doubt = doubt.or(model.durable.doubt.take());
}
