//! Services that a step moved to a region: told once the step is done and what proves it holds.

use crate::base::ids::ServiceId;
use crate::core::ask::{attested, placement};
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::Step;
use crate::plan::condition::Truth;
use jiff::Timestamp;

/// A step of the open incident that is verified or attested.
struct Done<'m> {
    run: &'m Run,
    step: &'m Step,
    state: &'m StepRun,
    at: Timestamp,
    /// Its place among all of them, where two were done in one moment.
    place: usize,
    /// It says where services are for those that were done before it too: it is no word that nothing has shown.
    counts: bool,
}

/// Services that serve from another region from now on. What a person attests counts once the step's own proof holds by
/// a reading that began after it, for what no later step says otherwise of: one that is shown too, for until then what was
/// shown before it counts. A drill that runs safe steps only moves nothing.
pub fn moved(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut done = done(model);
    let proven: Vec<bool> = done.iter().map(|step| step.counts || is_proven(model, step, now)).collect();
    done.iter_mut().zip(proven).for_each(|(step, proven)| step.counts = proven);
    let waiting = done.iter().filter(|step| step.state.moved.is_none() && !is_overtaken(model, step, &done));
    let fact = |step: &Done<'_>| {
        let mut services = placement::moves(model, &step.run.runbook, step.step, step.at);
        services.retain(|(service, _)| !is_moved_later(step, service, &done));
        let is_due = (step.state.unproven || !services.is_empty()) && is_proven(model, step, now);
        is_due.then(|| Fact::ServicesMoved { run: step.run.id.clone(), step: step.step.id.clone(), services })
    };
    waiting.filter_map(fact).collect()
}

/// What runs of the open incident moved the region to and is not told yet.
pub fn region_moved(model: &Model) -> Vec<Fact> {
    let untold = model.durable.switches.iter().filter_map(|switch| {
        let run = switch.untold.clone().filter(|run| model.run(run).is_some())?;
        Some(Fact::RegionMoved { run, region: switch.region.clone() })
    });
    untold.collect()
}

fn done(model: &Model) -> Vec<Done<'_>> {
    let incident = model.durable.incident.as_ref().filter(|incident| incident.mode != Mode::SafeDrill);
    let runs = incident.into_iter().flat_map(|incident| &incident.runs);
    let steps = runs.flat_map(|run| {
        let runbook = model.plan.runbooks.get(&run.runbook);
        run.steps.iter().filter_map(move |(id, state)| Some((run, runbook?.steps.get(id)?, state)))
    });
    // No proof gives effect to the word of a run that was aborted: whoever stopped it says what serves. Nor to what was
    // only said in an exercise, or was taken back since.
    let is_void = |run: &Run, state: &StepRun| {
        (run.is_aborted() && state.is_mere_word()) || state.exercise || state.is_taken_back()
    };
    let found = steps.filter(|(run, _, state)| state.status.is_done() && !is_void(run, state)).enumerate();
    found
        .filter_map(|(place, (run, step, state))| {
            let counts = state.is_shown() || state.moved.is_some();
            Some(Done { run, step, state, at: state.acted_at()?, place, counts })
        })
        .collect()
}

/// Nothing is left of what a step says of what serves: a later one takes it back, or moves all of its services and the
/// step makes no region serve.
fn is_overtaken(model: &Model, done: &Done<'_>, all: &[Done<'_>]) -> bool {
    let takes_back = |other: &&Done<'_>| {
        other.run.takes_back(&model.plan, &other.step.id, (&done.run.runbook, &done.step.id))
    };
    let services = &done.step.serves;
    let moves_nothing = || services.keys().all(|service| is_moved_later(done, service, all));
    later(done, all).any(|other| takes_back(&other))
        || (!services.is_empty() && !done.run.is_switch(&done.step.id) && moves_nothing())
}

/// A step that was done later says where a service is.
fn is_moved_later(done: &Done<'_>, service: &ServiceId, all: &[Done<'_>]) -> bool {
    later(done, all).any(|other| other.step.serves.contains_key(service))
}

fn later<'a, 'm>(done: &Done<'m>, all: &'a [Done<'m>]) -> impl Iterator<Item = &'a Done<'m>> {
    let from = (done.at, done.place);
    all.iter().filter(move |other| other.counts && (other.at, other.place) > from)
}

fn is_proven(model: &Model, done: &Done<'_>, now: Timestamp) -> bool {
    let proof = || attested::proof(model, done.run, done.step, done.state, now);
    // What was to be proven when it was said is not so because the plan asks for no proof any more.
    done.state.status == StepStatus::Verified
        || proof().map_or(!done.state.unproven, |truth| truth == Truth::True)
}

/// Whether a step is done on a person's word, and what it says of services counts only once its proof holds.
pub fn waits_for_proof(model: &Model, run: &Run, step: &Step, state: &StepRun) -> bool {
    let done = done(model);
    let waiting = done.iter().find(|done| done.run.id == run.id && done.step.id == step.id);
    let waits = state.status == StepStatus::Attested && state.moved.is_none();
    waits && waiting.is_some_and(|step| !is_overtaken(model, step, &done)) && !step.serves.is_empty()
}
