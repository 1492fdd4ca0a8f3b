//! What steps did and was taken back since.

use crate::base::ids::StepId;
use crate::core::model::Model;
use crate::core::words::incident::{Mode, Run, StepRun};
use crate::plan::Step;
use jiff::Timestamp;

/// Whether what a step did was taken back: a person says so, or a later step that is shown undoes it.
pub fn is_taken_back(model: &Model, run: &Run, id: &StepId, state: &StepRun) -> bool {
    taken_back_at(model, run, id, state).is_some()
}

/// When that was, at the latest.
pub fn taken_back_at(model: &Model, run: &Run, id: &StepId, state: &StepRun) -> Option<Timestamp> {
    let shown = taken_back_by(model, run, id, state, |_, by| by.is_shown());
    let said = state.undone.as_ref().filter(|_| state.is_taken_back()).map(|(at, _)| *at);
    shown.max(said)
}

/// When a person last said of a step that undoes it that it was done, which nothing has shown, and nothing will: its run
/// was aborted, or its incident closed.
pub fn said_to_be_taken_back_at(model: &Model, run: &Run, id: &StepId, state: &StepRun) -> Option<Timestamp> {
    let is_over = |by: &Run| by.is_aborted() || model.run(&by.id).is_none();
    taken_back_by(model, run, id, state, |other, by| by.is_mere_word() && is_over(other))
}

fn taken_back_by(
    model: &Model,
    run: &Run,
    id: &StepId,
    state: &StepRun,
    is_done: impl Fn(&Run, &StepRun) -> bool,
) -> Option<Timestamp> {
    let done = state.ended_at.or(state.started_at);
    let takes_it_back = |(other, step, by): &(&Run, &Step, &StepRun)| {
        model.plan.takes_back((&other.runbook, step), (&run.runbook, id))
            && is_done(other, by)
            && !by.is_taken_back()
            && by.ended_at >= done
    };
    steps(model).filter(takes_it_back).filter_map(|(_, _, by)| by.ended_at).max()
}

/// All steps of all runs but those of exercises that change nothing, with their plan.
fn steps(model: &Model) -> impl Iterator<Item = (&Run, &Step, &StepRun)> {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let real = incidents.filter(|incident| incident.mode != Mode::SafeDrill);
    real.flat_map(|incident| &incident.runs).flat_map(|run| {
        let planned = model.plan.runbooks.get(&run.runbook);
        run.steps.iter().filter_map(move |(id, state)| Some((run, planned?.steps.get(id)?, state)))
    })
}
