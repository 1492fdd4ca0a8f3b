//! What acts on which region serves: its begin, its end and what is known of it. A region serves as soon as nothing leaves
//! that open.

use super::signals;
use crate::base::ids::{RegionId, RunId, StepId};
use crate::core::ask::known::View;
use crate::core::ask::left_running;
use crate::core::ask::placement;
use crate::core::model::Model;
use crate::core::words::act::{Act, Kind, Known};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Aim, Mode, Outcome, StepRun};
use jiff::Timestamp;

/// Takes in a fact of a step that may change what serves.
pub fn apply(model: &mut Model, event: &Event) {
    let mut at = event.at;
    match &event.fact {
        Fact::StepStarted { run, step, .. } if concerns(model, run, step) => {
            model.durable.acts.begin((run, step), Kind::Done);
        }
        Fact::StepFinished { run, step, outcome, .. } => finished(model, (run, step), outcome),
        Fact::StepVerified { run, step, .. } => {
            // It served from when its effect was there, not from when that had held for long enough.
            let held = model.step(run, step).and_then(|(_, state)| state.holding.as_ref());
            at = held.map_or(at, |held| held.since);
            ended(model, (run, step));
            change(model, (run, step), |act| act.known = Known::Shown);
            end_words(model, event.at, (run, step));
        }
        Fact::StepVerificationFailed { run, step, .. } => looked_in_vain(model, (run, step)),
        Fact::StepSkipped { run, step, .. } => ended(model, (run, step)),
        Fact::StepAttested { run, step, unproven, .. } => attested(model, event.at, (run, step), *unproven),
        Fact::StepUndone { run, step, stays: false, .. } => taken_back(model, (run, step)),
        _ => return,
    }
    settle(model, at);
}

/// Whether a step lets a region serve, or takes something back.
fn concerns(model: &Model, id: &RunId, step: &StepId) -> bool {
    model.run(id).is_some_and(|run| run.is_switch(step) || run.undoes_any(&model.plan, step))
}

fn finished(model: &mut Model, by: (&RunId, &StepId), outcome: &Outcome) {
    let known = match outcome {
        Outcome::Done(_) => Known::Finished,
        failed if failed.is_uncertain() => Known::Maybe,
        Outcome::Failed(_) => {
            let is_it = |act: &Act| act.known == Known::Running && act.is_of(by);
            return model.durable.acts.list.retain(|act| !is_it(act));
        }
    };
    let end = model.durable.acts.advance();
    change(model, by, |act| (act.known, act.ended) = (known, Some(end)));
}

/// Nothing shows that it acted. Where a program of it is seen to run still, it may act yet.
fn looked_in_vain(model: &mut Model, by: (&RunId, &StepId)) {
    let runs = model.run(by.0).and_then(|run| run.steps.get(by.1)).and_then(left_running::of).is_some();
    if runs && model.durable.acts.last_of(by).is_none() && concerns(model, by.0, by.1) {
        model.durable.acts.begin(by, Kind::Done);
    }
    ended(model, by);
    change(model, by, |act| {
        act.ended = act.ended.filter(|_| !runs);
        if act.known != Known::Shown {
            act.known = Known::Maybe;
        }
    });
}

fn attested(model: &mut Model, at: Timestamp, by: (&RunId, &StepId), unproven: bool) {
    // In an exercise that moves nothing nobody did it.
    if !concerns(model, by.0, by.1) || !is_real(model) {
        return;
    }
    let known = if unproven { Known::Word } else { Known::Shown };
    model.durable.acts.say(by, Kind::Done, known);
    if !unproven {
        end_words(model, at, by);
    }
}

fn taken_back(model: &mut Model, by: (&RunId, &StepId)) {
    if model.run_of_any(by.0).is_some_and(|run| run.is_switch(by.1)) {
        model.durable.acts.say(by, Kind::TakenBack, Known::Shown);
    }
}

/// Takes in that the proof of a person's word was seen.
pub fn proven(model: &mut Model, at: Timestamp, by: (&RunId, &StepId)) {
    change(model, by, |act| act.known = Known::Shown);
    end_words(model, at, by);
    settle(model, at);
}

/// Takes in that a settled step is to be done once more: where it is the switch, it may have been undone for that. Of one
/// that moved nothing yet nobody knows whether it acted.
pub fn reopened(model: &mut Model, id: &RunId, step: &StepId) {
    let Some(run) = model.run(id).filter(|run| is_real(model) && run.is_switch(step)) else { return };
    let may_have_acted = run.steps.get(step).is_some_and(|state| state.may_have_acted);
    let (has_moved, serves) = (run.has_moved, run.aim.region.as_ref() == model.serving());
    let known = match has_moved || (may_have_acted && serves) {
        true => Known::Reopened,
        false if may_have_acted => Known::Maybe,
        false => return,
    };
    let by = (id, step);
    // It acted before the last record, which says that its region serves.
    if model.durable.acts.last_of(by).is_none() && serves {
        model.durable.acts.say(by, Kind::Done, known);
    }
    change(model, by, |act| act.known = known);
}

/// Takes in that an exercise that moves nothing is real by now: what was proven in it moves nothing by itself.
pub fn of_exercise(model: &mut Model) {
    let runs: Vec<RunId> = open_runs(model);
    let its = model.durable.acts.list.iter_mut().filter(|act| runs.contains(&act.run));
    its.filter(|act| act.known == Known::Shown).for_each(|act| act.known = Known::Drilled);
}

/// Takes in that an engine ended while a step ran: nobody knows whether it acted, nor, before a look, whether a program of
/// it still does.
pub fn lost(model: &mut Model, by: (&RunId, &StepId)) {
    change(model, by, |act| act.known = Known::Maybe);
}

/// Takes in that it was recorded or measured which region serves.
pub fn recorded(model: &mut Model, region: &RegionId) {
    model.durable.acts.record(region);
    prune(model);
}

/// Takes in which region served when a run began, where nothing recorded it before: a plan of later may say another one.
pub fn serves_first(model: &mut Model, at: Timestamp, aim: Option<&Aim>) {
    let from = aim.and_then(|aim| aim.from.as_ref()).filter(|_| model.durable.acts.region.is_none());
    let Some(from) = from else { return };
    model.durable.acts.region = Some(from.clone());
    if model.durable.active.as_ref() != Some(from) {
        model.durable.active = Some(from.clone());
        signals::recompute_all(model, at);
    }
}

/// Takes in that a run moved the region, where nothing else of the journal says so by the rules of now.
pub fn moved(model: &mut Model, id: &RunId) {
    let Some(switch) = model.run(id).and_then(|run| run.aim.switch.clone()) else { return };
    model.durable.acts.say((id, &switch), Kind::Done, Known::Shown).has_moved = true;
    prune(model);
}

/// Takes in that a run was stopped: what nobody saw to run on is over.
pub fn stopped(model: &mut Model, id: &RunId) {
    let Some(run) = model.run(id) else { return };
    let runs = |(_, state): &(&StepId, &StepRun)| left_running::of(state).is_some();
    let running: Vec<StepId> = run.steps.iter().filter(runs).map(|(step, _)| step.clone()).collect();
    let end = model.durable.acts.advance();
    let is_over =
        |act: &&mut Act| act.run == *id && act.known == Known::Maybe && !running.contains(&act.step);
    let over = model.durable.acts.list.iter_mut().filter(is_over);
    over.for_each(|act| act.ended = act.ended.or(Some(end)));
}

/// Takes in that the open incident closes: nobody looks any more at what its steps left running, and an exercise that moved
/// nothing leaves nothing.
pub fn closing(model: &mut Model) {
    if !is_real(model) {
        let runs = open_runs(model);
        model.durable.acts.list.retain(|act| !runs.contains(&act.run) || act.kind != Kind::Done);
    }
    let end = model.durable.acts.advance();
    model.durable.acts.list.iter_mut().for_each(|act| act.ended = act.ended.or(Some(end)));
}

/// Lets the region of a switch serve, once nothing leaves open that it does.
pub fn settle(model: &mut Model, at: Timestamp) {
    let standing = View::of(model).standing().filter(|act| !act.has_moved).cloned();
    let run = standing.as_ref().and_then(|act| model.run(&act.run));
    if let (Some(act), Some(region)) = (&standing, run.and_then(|run| run.aim.region.clone())) {
        let is_it = |other: &&mut Act| other.began == act.began;
        model.durable.acts.list.iter_mut().filter(is_it).for_each(|act| act.has_moved = true);
        super::incident::of_open_incident(model, &act.run, |run| {
            (run.switched, run.has_moved) = (Some(at), true);
        });
        if model.durable.active.as_ref() != Some(&region) {
            signals::activated(model, at, &region, Some(&act.run));
        } else if placement::region_serves(model, Some(&act.run), at) {
            signals::recompute_all(model, at);
        }
    }
    prune(model);
}

/// What acted before what is known matters no more.
fn prune(model: &mut Model) {
    let view = View::of(model);
    if view.is_closed() {
        let (since, by) = (view.since(), view.standing().map(|act| act.began));
        model.durable.acts.list.retain(|act| act.is_after(since) || Some(act.began) == by);
    }
}

fn open_runs(model: &Model) -> Vec<RunId> {
    let incident = model.durable.incident.iter();
    incident.flat_map(|incident| &incident.runs).map(|run| run.id.clone()).collect()
}

/// Whether what is done in the open incident, or was in those before, is done for real.
fn is_real(model: &Model) -> bool {
    model.durable.incident.as_ref().is_none_or(|incident| incident.mode != Mode::SafeDrill)
}

fn change(model: &mut Model, by: (&RunId, &StepId), with: impl FnOnce(&mut Act)) {
    if let Some(act) = model.durable.acts.last_of(by) {
        with(act);
    }
}

/// It goes on no more.
fn ended(model: &mut Model, by: (&RunId, &StepId)) {
    let end = model.durable.acts.advance();
    change(model, by, |act| act.ended = act.ended.or(Some(end)));
}

/// A word that was taken back after it was given moves nothing any more, whatever becomes of the step that did.
fn end_words(model: &mut Model, at: Timestamp, (id, step): (&RunId, &StepId)) {
    let Some(by) = model.run(id).filter(|_| is_real(model)).cloned() else { return };
    let done = by.steps.get(step).map_or(0, |state| state.places.done());
    let plan = model.plan.clone();
    let incidents = model.durable.closed.iter_mut().chain(&mut model.durable.incident);
    for run in incidents.flat_map(|incident| &mut incident.runs) {
        let of = run.runbook.clone();
        let is_before = |state: &StepRun| state.is_mere_word() && state.places.done() <= done;
        let words = run.steps.iter_mut();
        let words = words.filter(|(id, state)| is_before(state) && by.takes_back(&plan, step, (&of, id)));
        words.for_each(|(_, state)| state.moved = state.moved.or(Some(at)));
    }
}
