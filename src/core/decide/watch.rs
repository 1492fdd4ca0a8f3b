//! What a step made of its target, while it has to hold and afterwards.

use super::step;
use crate::base::ids::{RunId, StepId};
use crate::base::problem::Problem;
use crate::core::ask::watch::{Found, is_looked_at};
use crate::core::model::Model;
use crate::core::words::action::Proof;
use crate::core::words::fact::Fact;
use crate::core::words::status::StepStatus;
use jiff::SignedDuration;

/// A verification found the effect; from now on it has to hold.
pub fn holding(
    model: &Model,
    (run, id): (&RunId, &StepId),
    attempt: u32,
    proof: &Proof,
    found: &Found,
    hold: SignedDuration,
) -> Result<Vec<Fact>, Problem> {
    let (_, _, state) = step::find_any(model, run, id)?;
    if state.attempt != attempt || !matches!(state.status, StepStatus::Finished | StepStatus::Unknown) {
        let why = format!("attempt {attempt} of {} waits for no proof", model.step_title(run, id));
        return Err(Problem::new(why, "Nothing to do."));
    }
    let (run, step, proof, found) = (run.clone(), id.clone(), proof.clone(), found.clone());
    Ok(vec![Fact::StepHolding { run, step, proof, found, hold }])
}

/// The target of a step that was proven was looked at again: a fact where it is not what it was at the last look.
pub fn watched(model: &Model, run: &RunId, id: &StepId, found: &Found) -> Result<Vec<Fact>, Problem> {
    let (_, _, state) = step::find_any(model, run, id)?;
    let Some(holding) = state.holding.as_ref().filter(|_| is_looked_at(state)) else { return Ok(Vec::new()) };
    let last = state.seen.as_ref().map_or(&holding.found, |(_, seen)| seen);
    if last.is_same(found) {
        return Ok(Vec::new());
    }
    let target = state.confirmation.as_ref().map(|open| open.description.target.name.clone());
    Ok(vec![Fact::TargetChanged {
        run: run.clone(),
        step: id.clone(),
        target: target.unwrap_or_default(),
        from: last.clone(),
        to: found.clone(),
    }])
}
