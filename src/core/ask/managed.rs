//! What a manager of a database server (Patroni, repmgr, a cloud provider) keeps lifeboat's own steps from, as far as a
//! step found that.

use crate::base::ids::{RunbookId, StepId};
use crate::core::model::Model;
use crate::core::words::action::{Failure, MANAGED};
use crate::core::words::incident::{Outcome, Run, StepRun};
use crate::core::words::preflight::Checked;

/// What works in the place of a step that its target's manager refuses; none where nothing is known to refuse it. The
/// latest that was found counts: a run's own look, or else the last preflight of this engine.
pub fn instead<'m>(model: &'m Model, runbook: &RunbookId, step: &StepId) -> Option<&'m str> {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let runs = incidents.flat_map(|incident| &incident.runs).filter(|run| run.runbook == *runbook);
    let looked = runs.filter_map(|run: &Run| look(run.steps.get(step)?)).next_back();
    match looked {
        Some(found) => found.map(|failure| &*failure.next),
        None => preflight(model, runbook, step),
    }
}

/// What a step found when it looked last: the failure by which a manager refuses it, or that none does. None where it has
/// not looked, or could not.
fn look(state: &StepRun) -> Option<Option<&Failure>> {
    let failed = match &state.outcome {
        Some(Outcome::Failed(failure)) => Some(failure),
        _ => None,
    };
    let obstacle = state.obstacle.as_ref().map(|(failure, _)| failure);
    match obstacle.or(failed) {
        Some(failure) if failure.is_managed() => Some(Some(failure)),
        Some(_) => None,
        None => state.confirmation.as_ref().map(|_| None),
    }
}

fn preflight<'m>(model: &'m Model, runbook: &RunbookId, step: &StepId) -> Option<&'m str> {
    let found = model.live.preflight.as_ref()?;
    let checked = found.steps.iter().find(|of| of.runbook == *runbook && of.step == *step)?;
    let refuses = |checked: &Checked| match checked {
        Checked::Fail(seen) | Checked::Warn(seen) => seen.contains(MANAGED),
        Checked::Pass(_) | Checked::NotCheckable(_) => false,
    };
    checked.checks.iter().find(|check| refuses(&check.result)).map(|check| &*check.next)
}
