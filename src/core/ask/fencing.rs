//! Which servers are kept from accepting writes, as far as steps that were verified or attested tell.

use crate::base::ids::{ProbeId, RunId, StepId};
use crate::core::ask::in_force;
use crate::core::model::Model;
use crate::core::words::action::STARTED_AT;
use crate::core::words::incident::{Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::kinds::Does;
use crate::plan::{ProbeSpec, Step};
use jiff::Timestamp;

/// A server was fenced, by a step of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fenced {
    /// Since when at the latest: when the step was proven, or a person said so.
    pub at: Timestamp,
    /// The same moment by the clock of now, where that was set since.
    pub by_clock_now: Timestamp,
    pub run: RunId,
    pub step: StepId,
    /// What people call the step.
    pub title: String,
    /// On whose word, where it was attested and that is known.
    pub by: Option<String>,
    /// Proven by reading the world back; else on a person's word alone.
    pub proven: bool,
    /// The world denies it: the server was seen to accept writes since.
    pub denied: bool,
}

/// Whether the server that a probe watches is fenced: the first proven fence, or else the first that was attested,
/// since anything let it accept writes again. Also of closed incidents, whose fences nobody lifted by closing them. A
/// fence that the world denies is none.
pub fn fenced(model: &Model, probe: &ProbeId) -> Option<Fenced> {
    counts(all(model, probe))
}

/// The same of the primary that a replication probe measured a standby against. Once the roles changed sides that is the
/// server which the plan calls the standby, and a fence around the other one says nothing of it.
pub fn fenced_primary(model: &Model, spec: &ProbeSpec, reversed: bool) -> Option<Fenced> {
    counts(around_primary(model, spec, reversed).into_iter())
}

/// The last fence around that primary, whether or not it holds.
pub fn raised_primary(model: &Model, spec: &ProbeSpec, reversed: bool) -> Option<Fenced> {
    around_primary(model, spec, reversed).into_iter().max_by_key(|fence| fence.at)
}

fn around_primary(model: &Model, spec: &ProbeSpec, reversed: bool) -> Vec<Fenced> {
    let (standby, primary) = (spec.params.get("dsn"), spec.params.get("primary"));
    let (here, there) = if reversed { (standby, primary) } else { (primary, standby) };
    let watches_it = |probes: &[ProbeId]| {
        let others = probes.iter().filter_map(|id| model.plan.probes.get(id));
        others
            .filter(|probe| probe.kind != spec.kind)
            .any(|probe| here.is_some() && probe.params.get("dsn") == here)
    };
    let acts_on_it = |step: &Step, does: &[Does]| {
        let server = step.server();
        server.is_some() && server == here && does.contains(&step.does)
    };
    // Who names the replication probe means its primary of now, unless the step says that it acts on the other server.
    let names_it = |step: &Step, probes: &[ProbeId]| {
        let server = step.params.get("dsn");
        probes.contains(&spec.id) && (server.is_none() || server != there)
    };
    let fences = |step: &Step| {
        watches_it(&step.fences) || acts_on_it(step, &[Does::Fences]) || names_it(step, &step.fences)
    };
    let lifts = |step: &Step| {
        watches_it(&step.unfences)
            || acts_on_it(step, &[Does::Unfences, Does::Promotes])
            || names_it(step, &step.unfences)
    };
    around(model, fences, lifts).collect()
}

/// Whether a step of lifeboat is proven to have made this process of a server read-only by its setting, and nothing lifted
/// that. What a probe cannot tell of that process the step has told; of the one that runs after a restart it has not.
pub fn set_read_only(model: &Model, probe: &ProbeId, process: &str) -> bool {
    let by_setting = |step: &Step| {
        let stops = step.params.text("method") == Some("stop");
        step.does == Does::Fences && !stops && step.fences.contains(probe)
    };
    let proven = |fence: &Fenced| fence.proven && !fence.denied;
    let mut fences = around(model, by_setting, |step| step.unfences.contains(probe)).filter(proven);
    fences.any(|fence| is_process(model, &fence, process))
}

/// Whether a fence is known to have been raised around this process of a server, by when that started.
pub fn is_process(model: &Model, fence: &Fenced, process: &str) -> bool {
    steps(model).any(|(run, step, state)| {
        let target = state.confirmation.as_ref().map(|confirmation| &confirmation.description.target);
        let known = target.and_then(|target| target.property(STARTED_AT));
        run.id == fence.run && step.id == fence.step && known == Some(process)
    })
}

fn counts(fences: impl Iterator<Item = Fenced>) -> Option<Fenced> {
    fences.filter(|fence| !fence.denied).min_by_key(|fence| (!fence.proven, fence.at))
}

/// The last fence around the server that a probe watches, whether or not it holds.
pub fn raised(model: &Model, probe: &ProbeId) -> Option<Fenced> {
    all(model, probe).max_by_key(|fence| fence.at)
}

/// Whether a fence around the server that a probe watches was denied, and is done once more.
pub fn is_done_again(model: &Model, probe: &ProbeId) -> bool {
    steps(model).any(|(_, step, state)| {
        step.fences.contains(probe) && state.denied.is_some() && !state.status.is_settled()
    })
}

/// All that fenced the server that a probe watches since anything let it accept writes again.
pub fn all<'m>(model: &'m Model, probe: &'m ProbeId) -> impl Iterator<Item = Fenced> + 'm {
    around(model, |step| step.fences.contains(probe), |step| step.unfences.contains(probe))
}

/// All that fenced a server since anything let it accept writes again, by which steps do the one and the other.
fn around<'m>(
    model: &'m Model,
    fences: impl Fn(&Step) -> bool + 'm,
    lifts: impl Fn(&Step) -> bool,
) -> impl Iterator<Item = Fenced> + 'm {
    let lifted = steps(model).filter(|(_, step, _)| lifts(step));
    let lifted = lifted.filter_map(|(_, _, state)| lifted_at(state)).max();
    let fences = steps(model).filter(move |(_, step, _)| fences(step));
    // A person, or a step that the plan says undoes it, may have taken it back.
    let in_force = in_force::of(model);
    let stands = move |run: &Run, step: &Step| {
        in_force.iter().any(|left| left.is_fence && left.step == step.id && left.runbook == run.runbook)
    };
    let fences = fences.filter(move |(run, step, _)| stands(run, step));
    let fences = fences.filter_map(|(run, step, state)| fence(run, step, state));
    fences.filter(move |fence| lifted.is_none_or(|lifted| fence.at > lifted))
}

/// All steps of all runs that are known, with their plan.
fn steps(model: &Model) -> impl Iterator<Item = (&Run, &Step, &StepRun)> {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    incidents.flat_map(|incident| &incident.runs).flat_map(|run| {
        let planned = model.plan.runbooks.get(&run.runbook);
        run.steps.iter().filter_map(move |(id, state)| Some((run, planned?.steps.get(id)?, state)))
    })
}

fn fence(run: &Run, step: &Step, state: &StepRun) -> Option<Fenced> {
    let proven = match state.status {
        StepStatus::Verified => true,
        StepStatus::Attested if !state.exercise => false,
        _ => return None,
    };
    let at = state.ended_at?;
    Some(Fenced {
        at,
        by_clock_now: at.checked_add(state.clock_moved).unwrap_or(at),
        run: run.id.clone(),
        step: step.id.clone(),
        title: step.title.clone(),
        by: state.attested_by.clone().filter(|_| !proven),
        proven,
        denied: state.denied.is_some(),
    })
}

/// When a step may have let a server accept writes again: also one of which nobody knows whether it acted.
fn lifted_at(state: &StepRun) -> Option<Timestamp> {
    match state.status {
        StepStatus::Attested if state.exercise => None,
        StepStatus::Verified | StepStatus::Attested | StepStatus::Unknown | StepStatus::Finished => {
            state.ended_at.max(state.started_at)
        }
        StepStatus::Started => state.started_at,
        StepStatus::Pending
        | StepStatus::Ready
        | StepStatus::Confirming
        | StepStatus::Failed
        | StepStatus::Skipped => None,
    }
}
