//! What steps did and was taken back since.

use crate::base::ids::StepId;
use crate::core::model::Model;
use crate::core::words::incident::{Mode, Run, StepRun};
use crate::plan::Step;

/// Whether what a step did was taken back: a person says so, or a later step that is shown undoes it.
pub fn is_taken_back(model: &Model, run: &Run, id: &StepId, state: &StepRun) -> bool {
    let done = state.ended_at.or(state.started_at);
    let takes_it_back = |(other, step, by): (&Run, &Step, &StepRun)| {
        model.plan.takes_back((&other.runbook, step), (&run.runbook, id))
            && by.is_shown()
            && !by.is_taken_back()
            && by.ended_at >= done
    };
    state.is_taken_back() || steps(model).any(takes_it_back)
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
