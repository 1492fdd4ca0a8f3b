//! What steps did and was taken back since.

use crate::base::ids::StepId;
use crate::core::model::Model;
use crate::core::words::incident::{Run, StepRun};

/// Whether what a step did was taken back: a person says so, or a later step that is shown undoes it.
pub fn is_taken_back(model: &Model, run: &Run, id: &StepId, state: &StepRun) -> bool {
    let takes_it_back = |(other, step, by): (&Run, &StepId, &StepRun)| {
        by.is_shown()
            && !by.is_taken_back()
            && by.places.done() >= state.places.began
            && other.takes_back(&model.plan, step, (&run.runbook, id))
    };
    state.is_taken_back() || steps(model).any(takes_it_back)
}

/// All steps of all runs but those of exercises that change nothing.
fn steps(model: &Model) -> impl Iterator<Item = (&Run, &StepId, &StepRun)> {
    let runs = model.real_incidents().flat_map(|incident| &incident.runs);
    runs.flat_map(|run| run.steps.iter().map(move |(id, state)| (run, id, state)))
}
