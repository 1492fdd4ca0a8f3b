//! Steps that a person says are done while what the plan wants as their proof does not show it.

use crate::base::ids::RegionId;
use crate::core::incident::{Run, StepRun};
use crate::core::model::Model;
use crate::core::names::{Since, View};
use crate::core::status::StepStatus;
use crate::plan::Step;
use crate::plan::condition::Truth;
use jiff::Timestamp;

/// A step whose own proof does not hold now.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unshown<'m> {
    /// Its place in the runbook, from 1.
    pub place: usize,
    /// The step.
    pub step: &'m Step,
    /// Whether that is known; else nobody can tell.
    pub is_false: bool,
}

impl Unshown<'_> {
    /// `step 7 "Switch traffic" is on a person's word, and its own proof DOES NOT HOLD: services.shop.up`.
    pub fn words(&self) -> String {
        let step = self.step;
        let condition = step.verify.as_ref().map_or("", |verify| verify.source());
        format!(
            "step {} \"{}\" is on a person's word, and its own proof {}: {condition}",
            self.place,
            step.title,
            self.how()
        )
    }

    /// `DOES NOT HOLD`, or `CANNOT BE TOLD`.
    pub fn how(&self) -> &'static str {
        if self.is_false { "DOES NOT HOLD" } else { "CANNOT BE TOLD" }
    }
}

/// The first attested step of a run whose own proof does not hold now; one that is known to be false comes first.
pub fn unshown<'m>(model: &'m Model, run: &Run, now: Timestamp) -> Option<Unshown<'m>> {
    let runbook = model.plan.runbooks.get(&run.runbook)?;
    let steps = runbook.steps.values().enumerate();
    let attested = steps.filter(|(_, step)| {
        run.steps.get(&step.id).is_some_and(|state| state.status == StepStatus::Attested)
    });
    let found = attested.filter_map(|(place, step)| {
        let state = run.steps.get(&step.id)?;
        let is_false = match proof(model, step, state, now)? {
            Truth::True => return None,
            Truth::False => true,
            Truth::Unknown(_) => false,
        };
        Some(Unshown { place: place + 1, step, is_false })
    });
    found.min_by_key(|found| !found.is_false)
}

/// The step of the last run before the last close that lets a region serve on a person's word, and that region, where its
/// proof was not seen: a proof that comes after the close moves nothing.
pub fn left_unproven(model: &Model) -> Option<(&Step, &RegionId)> {
    let run = model.durable.closed.last()?.runs.last()?;
    let runbook = model.plan.runbooks.get(&run.runbook)?;
    let region = runbook.activates.as_ref().filter(|region| model.serving() != Some(region))?;
    let is_left = |step: &&Step| {
        run.steps.get(&step.id).is_some_and(|state| {
            state.status == StepStatus::Attested && state.unproven && state.moved.is_none()
        })
    };
    runbook.steps.values().find(is_left).map(|step| (step, region))
}

/// What a step's own proof comes to, by readings of after it ran or was attested: what was measured before says nothing of
/// it. Of one that lifeboat did not run, and nobody attested, all readings count. None where the plan wants no proof.
pub fn proof(model: &Model, step: &Step, state: &StepRun, now: Timestamp) -> Option<Truth> {
    let view = View { model, now };
    let condition = step.verify.as_ref()?;
    Some(match state.ended_at.or(state.started_at) {
        Some(since) => condition.evaluate(&Since { view, since }),
        None => condition.evaluate(&view),
    })
}
