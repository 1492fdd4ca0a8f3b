//! What lets a region serve is taken back, or taken up again: whether it still serves is not known, before somebody records
//! it, something measures it, or a run switches anew.

use crate::base::ids::{RunId, RunbookId, StepId};
use crate::core::ask::attested::Why;
use crate::core::model::Model;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Doubt, Mode, Outcome, Run, StepRun};
use crate::plan::Plan;
use jiff::Timestamp;

/// Takes in a fact of a step that may change what serves.
pub fn apply(model: &mut Model, event: &Event) {
    let at = event.at;
    match &event.fact {
        Fact::StepUndone { run, step, stays: false, .. } => {
            let by = (run.clone(), step.clone());
            raise(model, at, Why::TakenBack, &by, |_, switched| {
                switched.id == *run && switched.is_switch(step)
            });
        }
        Fact::StepStarted { run, step, .. } => undone_by(model, at, (run, step), Why::BeingTakenBack),
        Fact::StepFinished { run, step, outcome: Outcome::Done(_), .. } => {
            undone_by(model, at, (run, step), Why::MayBeTakenBack);
        }
        Fact::StepFinished { run, step, outcome, .. } if outcome.is_uncertain() => {
            may_have_acted(model, at, (run, step));
        }
        Fact::StepFinished { run, step, .. } => did_not_act(model, (run, step)),
        // That it ran was told when it ended: what was recorded since stands.
        Fact::StepVerificationFailed { run, step, .. } => unproven(model, at, (run, step)),
        Fact::StepAttested { run, step, unproven, .. } => {
            let why = if *unproven { Why::MayBeTakenBack } else { Why::TakenBack };
            undone_by(model, at, (run, step), why);
            if !unproven {
                end_words(model, at, (run, step));
            }
        }
        Fact::StepVerified { run, step, .. } => {
            shown(model, (run, step));
            end_words(model, at, (run, step));
        }
        _ => {}
    }
}

/// Takes in that a settled step is to be done once more: where it is the switch, it may have been undone for that. Of one
/// that moved nothing yet nobody knows whether it acted.
pub fn reopened(model: &mut Model, at: Timestamp, id: &RunId, step: &StepId) {
    if !is_real(model) {
        return;
    }
    let by = (id.clone(), step.clone());
    let has_moved = model.run(id).is_some_and(|run| run.has_moved);
    let may_have_acted = || {
        let state = model.run(id).and_then(|run| run.steps.get(step));
        state.is_some_and(|state| state.may_have_acted)
    };
    let why = match has_moved {
        true => Why::Reopened,
        false if may_have_acted() => Why::Doubt,
        false => return,
    };
    raise(model, at, why, &by, |_, run| run.id == *id && run.is_switch(step));
}

/// Takes in that a step ended so that nobody knows whether it acted.
pub fn may_have_acted(model: &mut Model, at: Timestamp, (id, step): (&RunId, &StepId)) {
    undone_by(model, at, (id, step), Why::MayBeTakenBack);
    unproven(model, at, (id, step));
}

/// Takes in that nothing shows that a step acted: where it switches, its run does not say any more what serves.
fn unproven(model: &mut Model, at: Timestamp, (id, step): (&RunId, &StepId)) {
    if is_real(model) {
        let by = (id.clone(), step.clone());
        let is_it = |run: &Run| run.id == *id && run.is_switch(step) && run.switched.is_none();
        raise(model, at, Why::Doubt, &by, |_, run| is_it(run));
    }
}

/// Takes in that a step ended and surely changed nothing.
fn did_not_act(model: &mut Model, (id, step): (&RunId, &StepId)) {
    let is_its = |doubt: &Doubt| doubt.why == Why::BeingTakenBack && doubt.is_by(id, step);
    model.durable.doubts.retain(|doubt| !is_its(doubt));
}

/// Takes in that a step is proven: what it took back may be so no more. That it ran was told when it ended.
fn shown(model: &mut Model, (id, step): (&RunId, &StepId)) {
    let its = model.durable.doubts.iter_mut().filter(|doubt| doubt.is_by(id, step));
    for doubt in its.filter(|doubt| doubt.why == Why::MayBeTakenBack) {
        doubt.why = Why::TakenBack;
    }
}

/// A step that takes back the switch of a run. Of one that switches itself its own run says what became of it, unless
/// nobody recorded where that leads.
fn undone_by(model: &mut Model, at: Timestamp, (id, step): (&RunId, &StepId), why: Why) {
    let Some(undoes) = takes_back(model, id, step) else { return };
    let is_switch = model.run(id).is_some_and(|run| run.aim.is_recorded && run.is_switch(step));
    if !is_switch {
        let by = (id.clone(), step.clone());
        raise(model, at, why, &by, |model, run| {
            run.aim.switch.as_ref().is_some_and(|switch| undoes(&model.plan, &run.runbook, switch))
        });
    }
}

/// A word that was taken back after it was given moves nothing any more, whatever becomes of the step that did.
fn end_words(model: &mut Model, at: Timestamp, (id, step): (&RunId, &StepId)) {
    let Some(undoes) = takes_back(model, id, step) else { return };
    let acted = model.run(id).and_then(|run| run.steps.get(step)).and_then(StepRun::acted_at);
    let plan = model.plan.clone();
    let incidents = model.durable.closed.iter_mut().chain(&mut model.durable.incident);
    for run in incidents.flat_map(|incident| &mut incident.runs) {
        let of = run.runbook.clone();
        let is_before = |state: &StepRun| state.is_mere_word() && state.ended_at <= acted;
        let words = run.steps.iter_mut().filter(|(id, state)| is_before(state) && undoes(&plan, &of, id));
        words.for_each(|(_, state)| state.moved = state.moved.or(Some(at)));
    }
}

/// Which steps a step of a run takes back; none of one that is done for nothing.
fn takes_back(
    model: &Model,
    id: &RunId,
    step: &StepId,
) -> Option<impl Fn(&Plan, &RunbookId, &StepId) -> bool + use<>> {
    let run = model.run(id).filter(|_| is_real(model))?.clone();
    let step = step.clone();
    Some(move |plan: &Plan, of: &RunbookId, other: &StepId| run.takes_back(plan, &step, (of, other)))
}

/// What is done in the open incident is done for real.
fn is_real(model: &Model) -> bool {
    model.durable.incident.as_ref().is_some_and(|incident| incident.mode != Mode::SafeDrill)
}

/// Says so of the last run that is meant, where its region serves because of it, or may.
fn raise(
    model: &mut Model,
    at: Timestamp,
    why: Why,
    by: &(RunId, StepId),
    is_meant: impl Fn(&Model, &Run) -> bool,
) {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let real = incidents.filter(|incident| incident.mode != Mode::SafeDrill);
    let runs = real.flat_map(|incident| &incident.runs);
    let doubt = runs.filter(|run| may_serve(model, run) && is_meant(model, run)).last().and_then(|run| {
        let (region, step) = (run.aim.region.clone()?, run.aim.switch.clone()?);
        Some(Doubt { region, run: run.id.clone(), step, why, by: Some(by.clone()), at })
    });
    let Some(doubt) = doubt else { return };
    let doubts = &mut model.durable.doubts;
    let is_same = |known: &Doubt| (&doubt.run, &doubt.step) == (&known.run, &known.step);
    // What was begun may still come to nothing, and that nobody knows whether a switch acted says less than what took it
    // back since.
    let says_more = |known: &Doubt| match why {
        Why::BeingTakenBack => is_same(known),
        Why::Doubt => is_same(known) && known.why != Why::BeingTakenBack,
        _ => false,
    };
    if doubts.iter().any(says_more) {
        return;
    }
    doubts.retain(|known| !is_same(known));
    doubts.push(doubt);
}

/// Whether the region of a run serves because of it, or its switch may have acted and nothing has told what came of it.
fn may_serve(model: &Model, run: &Run) -> bool {
    let serves = run.aim.region.as_ref() == model.serving() && (run.has_moved || run.switched.is_some());
    let is_done = |switch: &StepRun| switch.is_mere_word() && !switch.exercise;
    let is_open = || run.switch().is_some_and(|switch| is_done(switch) || switch.is_in_doubt());
    serves || (run.switched.is_none() && is_open())
}
