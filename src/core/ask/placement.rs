//! Where each service serves from, where steps moved it away from the region that serves.

use crate::base::ids::{RegionId, RunId, RunbookId, ServiceId, StepId};
use crate::core::model::Model;
use crate::core::words::incident::{Mode, Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::{Plan, Step};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many moves of one service are kept, so that the latest can be taken back; the journal has all of them.
const REMEMBERED: usize = 10;

/// A step moved a service to a region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Placement {
    pub service: ServiceId,
    /// The region that it serves from.
    pub region: RegionId,
    /// The runbook of the step.
    pub runbook: RunbookId,
    /// The run of the step.
    pub run: RunId,
    pub step: StepId,
    pub since: Timestamp,
}

/// The region that a service serves from: the one that a step moved it to last, else the one that serves.
pub fn region_of<'m>(model: &'m Model, service: &ServiceId) -> Option<&'m RegionId> {
    of(model, service).map(|placed| &placed.region).or_else(|| model.serving())
}

/// The last move of a service that holds; none where it serves with its region.
pub fn of<'m>(model: &'m Model, service: &ServiceId) -> Option<&'m Placement> {
    model.durable.placements.iter().rev().find(|placed| placed.service == *service)
}

/// When the step of a move was done: on a person's word that was before its proof was seen.
pub fn said_at(model: &Model, placed: &Placement) -> Timestamp {
    let run = model.run_of_any(&placed.run);
    let done = run.and_then(|run| run.steps.get(&placed.step)?.acted_at());
    done.filter(|done| *done <= placed.since).unwrap_or(placed.since)
}

/// The services that serve from another region than the one that serves, in the plan's order.
pub fn other_regions(model: &Model) -> Vec<&Placement> {
    let services = model.plan.services.keys().filter_map(|service| of(model, service));
    services.filter(|placed| Some(&placed.region) != model.serving()).collect()
}

/// `API gateway and Checkout are served from us-west-2`, one for each region; nothing where all serve with the region.
pub fn sentences(model: &Model) -> Vec<String> {
    let mut by_region: Vec<(&RegionId, Vec<&str>)> = Vec::new();
    for placed in other_regions(model) {
        let title = model.plan.services.get(&placed.service).map_or("", |service| &service.title);
        match by_region.iter_mut().find(|(region, _)| *region == &placed.region) {
            Some((_, titles)) => titles.push(title),
            None => by_region.push((&placed.region, vec![title])),
        }
    }
    let sentence = |(region, titles): (&RegionId, Vec<&str>)| {
        let name = model.plan.regions.get(region).map_or(region.as_str(), |region| &region.name);
        format!("{} from {name}", served(&titles))
    };
    by_region.into_iter().map(sentence).collect()
}

/// `A, B and C are served`.
pub fn served(titles: &[&str]) -> String {
    match titles {
        [] => "nothing is served".to_owned(),
        [one] => format!("{one} is served"),
        [first @ .., last] => format!("{} and {last} are served", first.join(", ")),
    }
}

/// Takes in that a step moved services.
pub fn moved(model: &mut Model, run: &RunId, step: &StepId, to: &[(ServiceId, RegionId)], at: Timestamp) {
    let Some(runbook) = model.run(run).map(|run| run.runbook.clone()) else { return };
    let placements = &mut model.durable.placements;
    for (service, region) in to {
        placements.push(Placement {
            service: service.clone(),
            region: region.clone(),
            runbook: runbook.clone(),
            run: run.clone(),
            step: step.clone(),
            since: at,
        });
        let of_service = |placed: &Placement| placed.service == *service;
        if placements.iter().filter(|placed| of_service(placed)).count() > REMEMBERED
            && let Some(oldest) = placements.iter().position(of_service)
        {
            placements.remove(oldest);
        }
    }
    let known = model.durable.incident.iter_mut().flat_map(|incident| &mut incident.runs);
    let state = known.into_iter().find(|known| known.id == *run).and_then(|run| run.steps.get_mut(step));
    if let Some(state) = state {
        state.moved = Some(at);
        state.proven = Some(at).filter(|_| state.unproven);
    }
}

/// Takes in that what a step did was taken back, in whatever run: its services serve from where they did before it. Of
/// the step that moved the region too nobody knows what serves then, before somebody records it. Whether anything changed.
pub fn undone(model: &mut Model, run: &RunId, step: &StepId) -> bool {
    let Some(run) = model.run_of_any(run).filter(|run| !run.is_switch(step)) else { return false };
    let runbook = run.runbook.clone();
    let before = model.durable.placements.len();
    model.durable.placements.retain(|placed| placed.runbook != runbook || placed.step != *step);
    model.durable.placements.len() != before
}

/// Takes in that a region serves, by a run or a person's word: all services do from there, but those that the same run
/// moved elsewhere. What other steps say of it, in whatever incident, and nothing has shown yet is overtaken. Whether
/// anything changed.
pub fn region_serves(model: &mut Model, by: Option<&RunId>, at: Timestamp) -> bool {
    let before = model.durable.placements.len();
    model.durable.placements.retain(|placed| Some(&placed.run) == by);
    let (plan, serving) = (model.plan.clone(), model.durable.active.clone());
    for (run, ending) in runs(model).filter(|(run, _)| Some(&run.id) != by) {
        overtake_services(&plan, run, ending, at);
        overtake_region(run, ending, serving.as_ref(), at);
    }
    model.durable.placements.len() != before
}

/// Takes in that a region is measured to serve: what runs say of another one, and nothing has shown yet, is overtaken.
pub fn region_measured(model: &mut Model, region: &RegionId, at: Timestamp) {
    let leads_elsewhere = |run: &Run| run.aim.region.as_ref().is_some_and(|other| other != region);
    for (run, ending) in runs(model).filter(|(run, _)| leads_elsewhere(run)) {
        overtake_region(run, ending, Some(region), at);
    }
}

/// What may still come of a run.
#[derive(Clone, Copy)]
struct Ending {
    /// Its incident is closed.
    is_closed: bool,
    /// It goes on as an exercise that moves nothing.
    is_exercise: bool,
}

/// All runs.
fn runs(model: &mut Model) -> impl Iterator<Item = (&mut Run, Ending)> {
    let incidents = model.durable.closed.iter_mut().chain(&mut model.durable.incident);
    incidents.flat_map(|incident| {
        let is_closed = incident.closed.is_some();
        let is_exercise = !is_closed && incident.mode == Mode::SafeDrill;
        incident.runs.iter_mut().map(move |run| (run, Ending { is_closed, is_exercise }))
    })
}

/// What a run has said or may have done so far of where services serve counts no more. What an open one is yet to do
/// does, and so does what is said in an exercise as long as that goes on.
fn overtake_services(plan: &Plan, run: &mut Run, ending: Ending, at: Timestamp) {
    let runbook = plan.runbooks.get(&run.runbook);
    let is_stopped = ending.is_closed || run.is_aborted();
    let is_over = ending.is_closed || run.ended.is_some();
    for (id, state) in &mut run.steps {
        let step = runbook.and_then(|runbook| runbook.steps.get(id));
        let says = step.is_none_or(|step| !step.serves.is_empty() || !step.undoes.is_empty());
        let is_said = (says && is_said(state, is_over, ending)) || (is_stopped && state.is_in_doubt());
        if is_said || (says && has_ended_in_doubt(state)) {
            state.moved = state.moved.or(Some(at));
        }
    }
}

/// The same of the region that it is for. A run in which no step switches says nothing of it before its end, but that it
/// is to move where something serves by now.
fn overtake_region(run: &mut Run, ending: Ending, serving: Option<&RegionId>, at: Timestamp) {
    let is_there = run.aim.region.as_ref() == serving;
    let is_over = ending.is_closed || run.ended.is_some() || (run.aim.switch.is_none() && is_there);
    let state = run.aim.switch.as_ref().and_then(|switch| run.steps.get_mut(switch));
    let says = |state: &&mut StepRun| {
        let is_left_out = state.status == StepStatus::Skipped && !ending.is_exercise;
        is_said(state, false, ending) || has_ended_in_doubt(state) || is_left_out
    };
    if !is_over && !state.as_ref().is_some_and(says) {
        return;
    }
    run.switched = run.switched.max(Some(at));
    let is_word = |state: &&mut StepRun| state.is_mere_word() && is_said(state, is_over, ending);
    if let Some(state) = state.filter(is_word) {
        state.moved = state.moved.or(Some(at));
    }
}

/// It is done; what is said in an exercise that goes on is so once nobody can do it any more.
fn is_said(state: &StepRun, is_over: bool, ending: Ending) -> bool {
    state.status.is_done() && (is_over || !state.exercise || !ending.is_exercise)
}

/// It ran, and is not proven.
fn has_ended_in_doubt(state: &StepRun) -> bool {
    matches!(state.status, StepStatus::Unknown | StepStatus::Finished)
}

/// Where a step of a runbook moves services by itself, or moves them back by undoing what was done up to `at`.
pub fn moves(model: &Model, runbook: &RunbookId, step: &Step, at: Timestamp) -> Vec<(ServiceId, RegionId)> {
    let undone = model.plan.services.keys().filter_map(|service| {
        let is_undone = |placed: &&Placement| {
            let switched = || model.run_of_any(&placed.run).is_some_and(|run| run.is_switch(&placed.step));
            model.plan.takes_back((runbook, step), (&placed.runbook, &placed.step)) && !switched()
        };
        of(model, service).filter(is_undone).filter(|placed| said_at(model, placed) <= at)?;
        let mut earlier = model.durable.placements.iter().rev().filter(|placed| placed.service == *service);
        let before = earlier.find(|placed| !is_undone(placed)).map(|placed| &placed.region);
        Some((service.clone(), before.or_else(|| model.serving())?.clone()))
    });
    let own = step.serves.iter().map(|(service, region)| (service.clone(), region.clone()));
    undone.filter(|(service, _)| !step.serves.contains_key(service)).chain(own).collect()
}

/// Where services have to work for a step to be proven, as far as they do not serve from there yet: what it moves works
/// where it moves it to.
pub fn ahead(model: &Model, run: &Run, step: &Step) -> Vec<(ServiceId, RegionId)> {
    let mut found = moves(model, &run.runbook, step, Timestamp::MAX);
    let region = run.aim.region.as_ref().filter(|_| run.is_switch(&step.id) && run.switched.is_none());
    let Some(region) = region else { return found };
    let is_own = |service: &ServiceId| of(model, service).is_some_and(|placed| placed.run == run.id);
    let others = model.plan.services.keys().filter(|service| !is_own(service));
    let others: Vec<_> = others.filter(|service| found.iter().all(|(known, _)| known != *service)).collect();
    found.extend(others.into_iter().map(|service| (service.clone(), region.clone())));
    found
}
