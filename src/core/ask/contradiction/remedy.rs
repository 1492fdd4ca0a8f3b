//! Which server must not accept writes, and which step of the incident keeps it from that.

use super::{Contradiction, Kind};
use crate::base::ids::ProbeId;
use crate::core::ask::fencing;
use crate::core::ask::servers::Server;
use crate::core::model::Model;
use crate::core::words::incident::{Run, RunEnd, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::Step;

/// The step that ends a contradiction.
#[derive(Clone, Copy, Debug)]
pub struct Remedy<'m> {
    pub run: &'m Run,
    /// Its place in the runbook, from 1.
    pub place: usize,
    pub step: &'m Step,
    /// How it stands.
    pub state: &'m StepRun,
}

/// The step of the incident's last run that fences a server which accepts writes and must not; none where no such step
/// can be begun any more. A run that was aborted begins no step.
pub fn remedy<'m>(model: &'m Model, contradiction: &Contradiction) -> Option<Remedy<'m>> {
    let run = model.durable.incident.as_ref()?.runs.last()?;
    if matches!(run.ended, Some((_, RunEnd::Aborted(_)))) {
        return None;
    }
    let runbook = model.plan.runbooks.get(&run.runbook)?;
    let fences = |step: &Step| match contradiction.kind {
        // To fence the last one is an outage of its own.
        _ if contradiction.is_last => false,
        Kind::TwoPrimaries | Kind::FencedWrites | Kind::PrimaryAlive => contradiction.is_about(step),
        Kind::Undone => contradiction.denies_fence(&run.id, step),
        Kind::NobodyWrites | Kind::ServesElsewhere => false,
    };
    let mut steps = run.steps.iter().enumerate();
    steps.find_map(|(place, (id, state))| {
        let step = runbook.steps.get(id).filter(|step| fences(step))?;
        Some(Remedy { run, place: place + 1, step, state })
    })
}

/// Of several servers that accept writes, the one that must not: the one that was fenced, or that the run is to fence,
/// or the only one outside of the region that serves.
pub(super) fn must_not_serve<'d, 'a>(
    model: &Model,
    servers: &[&'d Server<'a>],
    is_to_serve: impl Fn(&Server<'_>) -> bool,
) -> Option<&'d Server<'a>> {
    let only = |is_it: &dyn Fn(&Server<'_>) -> bool| {
        let mut found = servers.iter().filter(|server| is_it(server));
        let first = found.next()?;
        found.next().is_none().then_some(*first)
    };
    let to_fence = |probe: &ProbeId| {
        let run = model.durable.incident.as_ref().and_then(|incident| incident.open_run());
        let runbook = run.and_then(|run| model.plan.runbooks.get(&run.runbook));
        runbook.is_some_and(|runbook| runbook.steps.values().any(|step| step.fences.contains(probe)))
    };
    // Beside the one that lifeboat promoted, somebody promoted another.
    let is_promoted = |server: &Server<'_>| is_promoted(model, &server.probe.id);
    let beside = || only(&is_promoted).and_then(|_| only(&|server| !is_promoted(server)));
    only(&|server| fencing::raised(model, &server.probe.id).is_some() && !is_to_serve(server))
        .or_else(|| only(&|server| to_fence(&server.probe.id)))
        .or_else(beside)
        .or_else(|| only(&|server| server.region() != model.serving()))
}

/// A step of the open incident is known to have promoted the server that a probe watches.
fn is_promoted(model: &Model, probe: &ProbeId) -> bool {
    let runs = model.durable.incident.iter().flat_map(|incident| &incident.runs);
    runs.filter_map(|run| Some((run, model.plan.runbooks.get(&run.runbook)?))).any(|(run, runbook)| {
        let promotions =
            runbook.steps.values().filter(|step| step.promotes() && step.unfences.contains(probe));
        promotions
            .filter_map(|step| run.steps.get(&step.id))
            .any(|state| matches!(state.status, StepStatus::Verified | StepStatus::Attested))
    })
}
