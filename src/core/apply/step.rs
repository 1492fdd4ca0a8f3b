//! The course of a step. A fact that the transition table does not allow leaves the step as it is: `decide`
//! never makes one, and a journal from elsewhere must not be able to bend the model.

use super::acts;
use super::incident::{of_open_incident, unblock};
use super::signals;
use crate::base::ids::{RunId, StepId};
use crate::core::ask::placement;
use crate::core::ask::watch::Holding;
use crate::core::model::{Model, OUTPUT_LENGTH, StepOutput};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Mode, StepRun};
use crate::core::words::status::{Move, StepStatus};
use jiff::{SignedDuration, Timestamp};

/// Takes in a fact of a step.
pub fn apply(model: &mut Model, event: &Event) {
    let at = event.at;
    match &event.fact {
        Fact::StepPreparing { run, step } => {
            model.live.preparing.insert((run.clone(), step.clone()));
        }
        Fact::StepPrepared { confirmation } => {
            let (run, step) = (confirmation.run.clone(), confirmation.step.clone());
            model.live.preparing.remove(&(run.clone(), step.clone()));
            moved(model, &run, &step, Move::Prepare, |state| {
                state.prepared += 1;
                state.obstacle = None;
                state.confirmation = Some((**confirmation).clone());
            });
        }
        Fact::StepPreparationFailed { run, step, failure, manual } => {
            model.live.preparing.remove(&(run.clone(), step.clone()));
            change(model, run, step, |state| state.obstacle = Some((failure.clone(), manual.clone())));
        }
        Fact::ConfirmationWithdrawn { run, step, .. } => moved(model, run, step, Move::Void, |_| {}),
        Fact::StepStarted { run, step, attempt, fingerprint, .. } => {
            let place = model.durable.acts.advance();
            model.live.preparing.remove(&(run.clone(), step.clone()));
            moved(model, run, step, Move::Start, |state| {
                (state.attempt, state.places.began) = (*attempt, place);
                state.fingerprint.clone_from(fingerprint);
                state.started_at = Some(at);
                state.ended_at = None;
                state.outcome = None;
                state.doubt = None;
                state.holding = None;
                state.seen = None;
            });
        }
        Fact::StepOutput { run, step, line } => output(model, at, run, step, line),
        Fact::StepFinished { run, step, outcome, .. } => {
            let place = model.durable.acts.advance();
            let by = match outcome {
                crate::core::words::incident::Outcome::Done(_) => Move::Finish,
                failed if failed.is_uncertain() => Move::Lose,
                _ => Move::Fail,
            };
            if by != Move::Fail {
                model.live.checking.insert((run.clone(), step.clone()));
                anew(model, run, step, by);
            }
            moved(model, run, step, by, |state| {
                state.outcome = Some(outcome.clone());
                if by != Move::Fail {
                    (state.acted, state.places.acted) = (Some(at), place);
                }
                (state.ended_at, state.clock_moved) = (Some(at), SignedDuration::ZERO);
                state.may_have_acted |= by == Move::Lose;
            });
        }
        Fact::StepVerified { run, step, proof } => {
            model.live.checking.remove(&(run.clone(), step.clone()));
            moved(model, run, step, Move::Verify, |state| {
                state.proof = Some(proof.clone());
                state.doubt = None;
                state.denied = None;
                (state.ended_at, state.clock_moved) = (Some(at), SignedDuration::ZERO);
            });
        }
        Fact::StepHolding { run, step, proof, found, hold } => change(model, run, step, |state| {
            state.seen = None;
            state.holding =
                Some(Holding { since: at, hold: *hold, found: found.clone(), proof: proof.clone() });
        }),
        Fact::TargetChanged { run, step, to, .. } => {
            change(model, run, step, |state| state.seen = Some((at, to.clone())));
        }
        Fact::StepVerificationFailed { run, step, failure } => {
            model.live.checking.remove(&(run.clone(), step.clone()));
            moved(model, run, step, Move::Lose, |state| state.may_have_acted = true);
            change(model, run, step, |state| {
                (state.doubt, state.doubted_at) = (Some(failure.clone()), Some(at));
            });
        }
        // What was let pass for one attempt is asked again for the next: the loss may be another by then.
        Fact::StepRetried { run, step, .. } => {
            let was = model.step(run, step).map(|(_, state)| state.status);
            moved(model, run, step, Move::Retry, |state| state.overrides.clear());
            if let Some(was) = was.filter(|was| was.is_settled()) {
                done_again(model, at, run, step, was);
            }
        }
        Fact::StepRechecked { run, step } => {
            model.live.checking.insert((run.clone(), step.clone()));
        }
        Fact::StepSkipped { run, step, reason } => {
            moved(model, run, step, Move::Skip, |state| settle(state, at, reason));
        }
        Fact::StepAttested { run, step, how, unproven, fingerprint } => {
            let place = model.durable.acts.advance();
            let mode = model.durable.incident.as_ref().map(|incident| incident.mode);
            anew(model, run, step, Move::Attest);
            moved(model, run, step, Move::Attest, |state| {
                settle(state, at, how);
                (state.acted, state.places.began, state.places.acted) = (Some(at), place, place);
                state.exercise = mode == Some(Mode::SafeDrill);
                state.unproven = *unproven;
                state.fingerprint.clone_from(fingerprint);
                state.attested_by = Some(event.by.to_string());
            });
        }
        Fact::StepUndone { run, step, how, stays } => undone(model, at, (run, step), how, *stays),
        // Under another plan the same place may be another guard.
        Fact::GuardOverridden { run, step, guard, condition, reason, .. }
            if guard_at(model, run, step, *guard) == Some(condition) =>
        {
            change(model, run, step, |state| {
                state.overrides.retain(|(place, _)| place != guard);
                state.overrides.push((*guard, reason.clone()));
            });
        }
        _ => {}
    }
    acts::apply(model, event);
}

/// What was done, or is said to be done, comes after whatever overtook what it did before.
fn anew(model: &mut Model, id: &RunId, step: &StepId, by: Move) {
    let status = model.run(id).and_then(|run| run.steps.get(step)).map(|state| state.status);
    if status.is_some_and(|status| status.after(by).is_ok()) {
        overtakes(model, id, step);
    }
}

fn overtakes(model: &mut Model, id: &RunId, step: &StepId) {
    change(model, id, step, |state| state.moved = None);
    switches_anew(model, id, step);
}

/// A step that switches moves the region once more.
fn switches_anew(model: &mut Model, id: &RunId, step: &StepId) {
    of_open_incident(model, id, |run| {
        if run.is_switch(step) {
            run.switched = None;
        }
    });
}

fn guard_at<'a>(model: &'a Model, run: &RunId, step: &StepId, place: usize) -> Option<&'a str> {
    Some(model.step(run, step)?.0.guard.get(place)?.source())
}

/// A settled step is to be done once more: what it did the first time may still be there, and its run goes on.
fn done_again(model: &mut Model, at: Timestamp, id: &RunId, step: &StepId, was: StepStatus) {
    change(model, id, step, |state| {
        state.denied = state.denied.or(Some(at));
        // What was only said in an exercise nobody did.
        state.may_have_acted |= was != StepStatus::Skipped && !state.exercise;
        state.holding = None;
        state.proof = None;
        state.reason = None;
        (state.moved, state.exercise) = (None, false);
        (state.unproven, state.proven) = (false, None);
    });
    of_open_incident(model, id, |run| run.ended = None);
    acts::reopened(model, id, step);
    switches_anew(model, id, step);
}

fn settle(state: &mut StepRun, at: Timestamp, reason: &str) {
    state.reason = Some(reason.to_owned());
    (state.unproven, state.proven) = (false, None);
    state.denied = None;
    (state.ended_at, state.clock_moved) = (Some(at), SignedDuration::ZERO);
}

/// Also in incidents that are closed: what they left behind outlives them.
fn undone(model: &mut Model, at: Timestamp, (id, step): (&RunId, &StepId), how: &str, stays: bool) {
    let place = model.durable.acts.advance();
    let incidents = model.durable.closed.iter_mut().chain(model.durable.incident.as_mut());
    let run = incidents.flat_map(|incident| &mut incident.runs).find(|run| run.id == *id);
    if let Some(state) = run.and_then(|run| run.steps.get_mut(step)) {
        (state.undone, state.stays, state.places.undone) = (Some((at, how.to_owned())), stays, place);
        if !stays {
            state.moved = state.moved.or(Some(at));
        }
    }
    if !stays && placement::undone(model, id, step) {
        signals::recompute_all(model, at);
    }
}

/// Steps that were running when the engine ended: nobody knows whether they acted. What a clock that was ahead put into
/// the future was before the engine's start all the same, and what is measured from here on comes after it.
pub fn lose_all(model: &mut Model, at: Timestamp) {
    for switch in &mut model.durable.switches {
        switch.at = switch.at.min(at);
    }
    for run in model.durable.closed.iter_mut().flat_map(|incident| &mut incident.runs) {
        run.switched = run.switched.map(|time| time.min(at));
        run.steps.values_mut().for_each(|state| state.clamp(at));
    }
    let place = model.durable.acts.advance();
    let Some(incident) = model.durable.incident.as_mut() else { return };
    incident.detected_at = incident.detected_at.min(at);
    let mut lost = Vec::new();
    let steps = incident.runs.iter_mut().flat_map(|run| run.steps.iter_mut().map(|step| (&run.id, step)));
    for (run, (id, state)) in steps {
        state.clamp(at);
        match state.status {
            StepStatus::Started => {
                state.status = state.status.after(Move::Lose).unwrap_or(state.status);
                (state.ended_at, state.clock_moved) = (Some(at), SignedDuration::ZERO);
                (state.may_have_acted, state.acted, state.places.acted) = (true, Some(at), place);
                lost.push((run.clone(), id.clone()));
            }
            StepStatus::Confirming => state.status = state.status.after(Move::Void).unwrap_or(state.status),
            _ => {}
        }
    }
    for (run, step) in lost {
        overtakes(model, &run, &step);
        acts::lost(model, (&run, &step));
    }
}

fn output(model: &mut Model, at: Timestamp, run: &RunId, step: &StepId, line: &str) {
    let output = &mut model.live.output;
    let of_step = |kept: &&StepOutput| kept.run == *run && kept.step == *step;
    if output.iter().filter(of_step).count() >= OUTPUT_LENGTH
        && let Some(oldest) = output.iter().position(|kept| of_step(&kept))
    {
        output.remove(oldest);
    }
    output.push(StepOutput { run: run.clone(), step: step.clone(), at, line: line.to_owned() });
}

fn change(model: &mut Model, run: &RunId, step: &StepId, with: impl FnOnce(&mut StepRun)) {
    // A step that was taken out of the plan since is not forgotten: what is recorded of it happened.
    of_open_incident(model, run, |run| with(run.steps.entry(step.clone()).or_insert_with(StepRun::ready)));
}

/// Moves a step, then changes it, then lets the steps that waited for it go.
fn moved(model: &mut Model, run: &RunId, step: &StepId, by: Move, with: impl FnOnce(&mut StepRun)) {
    // Recorded under another plan, in which the step may have waited for others than in this one, or been there at all.
    let digest = model.durable.plan_digest.as_ref();
    let under_another_plan = digest.is_some_and(|digest| *digest != model.plan.digest);
    change(model, run, step, |state| {
        if under_another_plan && state.status == StepStatus::Pending {
            state.status = state.status.after(Move::Unblock).unwrap_or(state.status);
        }
        if let Ok(status) = state.status.after(by) {
            state.status = status;
            with(state);
        }
    });
    let plan = model.plan.clone();
    of_open_incident(model, run, |run| {
        if run.ended.is_none() {
            unblock(&plan, run);
        }
    });
}
