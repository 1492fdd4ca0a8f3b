//! Services that a step moved to a region: told once the step is done and what proves it holds.

use crate::base::ids::{RegionId, ServiceId};
use crate::core::fact::Fact;
use crate::core::incident::{Mode, Run, StepRun};
use crate::core::model::Model;
use crate::core::names::{Since, View};
use crate::core::placement::{self, Placement};
use crate::core::status::StepStatus;
use crate::plan::Step;
use crate::plan::condition::Truth;
use jiff::Timestamp;

/// A step of the open incident that is verified or attested.
struct Done<'m> {
    run: &'m Run,
    step: &'m Step,
    state: &'m StepRun,
    at: Timestamp,
}

/// Services that serve from another region from now on. What a person attests counts once the step's own proof holds by
/// a reading that began after it. A drill that runs safe steps only moves nothing.
pub fn moved(model: &Model, now: Timestamp) -> Vec<Fact> {
    let done = done(model);
    let waiting = done.iter().filter(|step| step.state.moved.is_none() && !is_overtaken(step, &done));
    let fact = |step: &Done<'_>| {
        let services = services(model, step);
        let is_due = (step.state.unproven || !services.is_empty()) && is_proven(model, step, now);
        is_due.then(|| Fact::ServicesMoved { run: step.run.id.clone(), step: step.step.id.clone(), services })
    };
    waiting.filter_map(fact).collect()
}

fn done(model: &Model) -> Vec<Done<'_>> {
    let incident = model.durable.incident.as_ref().filter(|incident| incident.mode != Mode::SafeDrill);
    let runs = incident.into_iter().flat_map(|incident| &incident.runs);
    let steps = runs.flat_map(|run| {
        let runbook = model.plan.runbooks.get(&run.runbook);
        run.steps.iter().filter_map(move |(id, state)| Some((run, runbook?.steps.get(id)?, state)))
    });
    let found = steps.filter(|(.., state)| state.status.is_done());
    found.filter_map(|(run, step, state)| Some(Done { run, step, state, at: state.ended_at? })).collect()
}

/// Where the services are that a step moves, or that it moves back by undoing what another one did.
fn services(model: &Model, done: &Done<'_>) -> Vec<(ServiceId, RegionId)> {
    let undone = model.plan.services.keys().filter_map(|service| {
        let is_undone = |placed: &&Placement| done.step.undoes.contains(&placed.step);
        placement::of(model, service).filter(is_undone).filter(|placed| placed.since <= done.at)?;
        let mut earlier = model.durable.placements.iter().rev().filter(|placed| placed.service == *service);
        let before = earlier.find(|placed| !is_undone(placed)).map(|placed| &placed.region);
        Some((service.clone(), before.or_else(|| model.serving())?.clone()))
    });
    let own = done.step.serves.iter().map(|(service, region)| (service.clone(), region.clone()));
    undone.filter(|(service, _)| !done.step.serves.contains_key(service)).chain(own).collect()
}

/// A step that was done later says where one of its services is, or takes it back.
fn is_overtaken(done: &Done<'_>, all: &[Done<'_>]) -> bool {
    let says = |other: &Done<'_>| {
        other.step.undoes.contains(&done.step.id)
            || other.step.serves.keys().any(|service| done.step.serves.contains_key(service))
    };
    all.iter().any(|other| other.at > done.at && says(other))
}

fn is_proven(model: &Model, done: &Done<'_>, now: Timestamp) -> bool {
    let view = Since { view: View { model, now }, since: done.at };
    let holds = |proof: &crate::plan::condition::Condition| proof.evaluate(&view) == Truth::True;
    done.state.status == StepStatus::Verified || done.step.verify.as_ref().is_none_or(holds)
}

/// Whether a step is done on a person's word, and what it says of services counts only once its proof holds.
pub fn waits_for_proof(model: &Model, run: &Run, step: &Step, state: &StepRun) -> bool {
    let at = state.ended_at.filter(|_| state.status == StepStatus::Attested && state.moved.is_none());
    let done = done(model);
    at.is_some_and(|at| !is_overtaken(&Done { run, step, state, at }, &done)) && !step.serves.is_empty()
}
