//! What speaks against a word that is given for a step.

use super::left;
use crate::base::ids::{RunId, StepId};
use crate::base::text::ended;
use crate::core::ask::{attested, promoting};
use crate::core::decide::{guards, target_of};
use crate::core::model::Model;
use crate::plan::condition::Truth;
use jiff::Timestamp;

/// What the readings say now against attesting that a step was done: its guards that do not hold, its own proof that
/// is not there, and what is lost by what it does.
pub(in crate::console) fn attesting(model: &Model, run: &RunId, id: &StepId, now: Timestamp) -> Vec<String> {
    let Some((plan, state)) = model.step(run, id) else { return Vec::new() };
    let mut lines = left::running(model, run, id);
    if let Some(proof) = &plan.verify
        && let Some(truth) = model.run(run).and_then(|run| attested::proof(model, run, plan, state, now))
    {
        let moves = plan.switches || plan.irreversible || !plan.serves.is_empty();
        let waits = moves && model.live.simulation.is_none();
        match against(&truth) {
            Some(how) => {
                let counts = if waits { " Who serves counts as changed only once that is seen." } else { "" };
                lines.push(format!("NOT SEEN: what proves it {how} now: {}.{counts}", proof.source()));
            }
            None if waits => lines.push(format!(
                "Who serves counts as changed only once readings of after your word show it: {}.",
                proof.source()
            )),
            None => {}
        }
    }
    // Also one that was overridden: that was for an attempt of lifeboat's own.
    for guard in guards(model, plan, state, now) {
        if let Some(how) = against(&guard.truth) {
            lines.push(format!("GUARD: what must hold before it is done {how}: {}.", guard.condition));
        }
    }
    let runbook = model.run(run).and_then(|run| model.plan.runbooks.get(&run.runbook));
    if let Some(runbook) = runbook.filter(|_| plan.promotes()) {
        let losses = promoting::losses(model, runbook, plan, target_of(state), now);
        lines.extend(losses.iter().map(|loss| format!("Lost by it: {}", ended(&loss.sentence()))));
    }
    lines
}

fn against(truth: &Truth) -> Option<String> {
    match truth {
        Truth::True => None,
        Truth::False => Some("does not hold".to_owned()),
        Truth::Unknown(why) => Some(format!("cannot be told ({why})")),
    }
}
