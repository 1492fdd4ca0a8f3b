//! Preflights: can each step of the plan be done now.

use crate::core::actor::Actor;
use crate::core::divergence;
use crate::core::fact::{Fact, PREFLIGHT_NAMES};
use crate::core::model::Model;
use crate::core::preflight::{Check, Preflight};
use crate::core::refusal::Refusal;
use crate::core::signal::age;
use crate::ids::{RunbookId, StepId};
use jiff::{SignedDuration, Timestamp};

/// One that takes longer than this has lost its answer; every call in it has a shorter deadline.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(3);

pub fn begin(model: &Model, now: Timestamp) -> Result<Vec<Fact>, Refusal> {
    match &model.live.preflighting {
        Some((since, by)) if age(*since, now) < LOST_AFTER => Err(Refusal::new(
            format!("a preflight is under way already, {by} asked for it"),
            "Its results come by themselves.",
        )),
        _ => Ok(vec![Fact::PreflightStarted]),
    }
}

pub fn ended(model: &Model, found: &Preflight) -> Vec<Fact> {
    let mut found = found.clone();
    found.steps.iter_mut().for_each(|step| step.checks.extend(apart(model, &step.runbook, &step.step)));
    let asked_by = model.live.preflighting.as_ref().map_or(Actor::Engine, |(_, by)| by.clone());
    let mut failing = found.failing();
    failing.truncate(PREFLIGHT_NAMES);
    let simulated = found.simulated.is_some();
    vec![
        Fact::PreflightRan { asked_by, tally: found.tally(), failing, simulated },
        Fact::PreflightFound { preflight: Box::new(found) },
    ]
}

/// The data that went apart and that a step may throw away: nothing that a preflight can read says so.
fn apart(model: &Model, runbook: &RunbookId, step: &StepId) -> Vec<Check> {
    let step = model.plan.runbooks.get(runbook).and_then(|runbook| runbook.steps.get(step));
    let Some(step) = step else { return Vec::new() };
    let splits = divergence::open(model).into_iter().filter(|split| divergence::rebuilds(model, split, step));
    let next = "Compare both first, and record what became of the data (E in the console, or `lifeboat serves --answer`).";
    splits.map(|split| Check::warn("data that went apart is dealt with", split.sentence(), next)).collect()
}
