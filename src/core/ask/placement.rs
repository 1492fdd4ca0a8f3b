//! Where each service serves from, where steps moved it away from the region that serves.

use crate::base::ids::{RegionId, RunId, RunbookId, ServiceId, StepId};
use crate::core::model::Model;
use crate::core::words::incident::{Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::{Plan, Runbook, Step};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many moves of one service are kept, so that the latest can be taken back; the journal has all of them.
const REMEMBERED: usize = 10;

/// A step moved a service to a region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Placement {
    /// The service.
    pub service: ServiceId,
    /// The region that it serves from.
    pub region: RegionId,
    /// The runbook of the step.
    pub runbook: RunbookId,
    /// The run of the step.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// Since when.
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
    let mut incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let run = incidents.find_map(|incident| incident.run(&placed.run));
    let done = run.and_then(|run| run.steps.get(&placed.step)?.ended_at);
    done.filter(|done| *done <= placed.since).unwrap_or(placed.since)
}

/// The services that serve from another region than the one that serves, in the plan's order.
pub fn elsewhere(model: &Model) -> Vec<&Placement> {
    let services = model.plan.services.keys().filter_map(|service| of(model, service));
    services.filter(|placed| Some(&placed.region) != model.serving()).collect()
}

/// `API gateway and Checkout are served from us-west-2`, one for each region; nothing where all serve with the region.
pub fn sentences(model: &Model) -> Vec<String> {
    let mut by_region: Vec<(&RegionId, Vec<&str>)> = Vec::new();
    for placed in elsewhere(model) {
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

/// Takes in that what a step did was taken back, in whatever run: its services serve from where they did before it.
/// Whether anything changed.
pub fn undone(model: &mut Model, run: &RunId, step: &StepId) -> bool {
    let mut incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let Some(runbook) = incidents.find_map(|incident| incident.run(run)).map(|run| run.runbook.clone())
    else {
        return false;
    };
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
    let plan = model.plan.clone();
    for (run, is_closed) in runs(model).filter(|(run, _)| Some(&run.id) != by) {
        overtake_services(&plan, run, is_closed, at);
        overtake_region(&plan, run, is_closed, at);
    }
    model.durable.placements.len() != before
}

/// Takes in that a region is measured to serve: what runs say of another one, and nothing has shown yet, is overtaken.
pub fn region_measured(model: &mut Model, region: &RegionId, at: Timestamp) {
    let plan = model.plan.clone();
    let leads_elsewhere = |run: &Run| {
        let runbook = plan.runbooks.get(&run.runbook);
        runbook.is_some_and(|runbook| runbook.activates.as_ref().is_some_and(|other| other != region))
    };
    for (run, is_closed) in runs(model).filter(|(run, _)| leads_elsewhere(run)) {
        overtake_region(&plan, run, is_closed, at);
    }
}

/// All runs, and whether their incident is closed.
fn runs(model: &mut Model) -> impl Iterator<Item = (&mut Run, bool)> {
    let incidents = model.durable.closed.iter_mut().chain(&mut model.durable.incident);
    incidents.flat_map(|incident| {
        let is_closed = incident.closed.is_some();
        incident.runs.iter_mut().map(move |run| (run, is_closed))
    })
}

/// What a run has said or may have done so far of where services serve counts no more. What an open one is yet to do
/// does, and so does what was only said in an exercise.
fn overtake_services(plan: &Plan, run: &mut Run, is_closed: bool, at: Timestamp) {
    let runbook = plan.runbooks.get(&run.runbook);
    let is_over = is_closed || run.ended.is_some();
    let is_stopped = is_closed || run.is_aborted();
    for (id, state) in &mut run.steps {
        let step = runbook.and_then(|runbook| runbook.steps.get(id));
        let says = step.is_none_or(|step| !step.serves.is_empty() || !step.undoes.is_empty());
        let is_said = (says && is_said(state, is_over)) || (is_stopped && state.is_in_doubt());
        if is_said || (says && has_ended_in_doubt(state)) {
            state.moved = state.moved.or(Some(at));
        }
    }
}

/// The same of the region that it is for.
fn overtake_region(plan: &Plan, run: &mut Run, is_closed: bool, at: Timestamp) {
    let is_over = is_closed || run.ended.is_some();
    let said = |_: &StepId, state: &StepRun| is_said(state, false) || has_ended_in_doubt(state);
    let has_said = moves_to(plan, run, said, |_, _| false).is_some();
    if !has_said && !is_over {
        return;
    }
    run.switched = run.switched.max(Some(at));
    let Some(runbook) = plan.runbooks.get(&run.runbook) else { return };
    let makes_serve = |id: &StepId| runbook.steps.get(id).is_some_and(|step| runbook.makes_serve(step));
    let is_word = |state: &StepRun| state.is_mere_word() && is_said(state, is_over);
    for (_, state) in run.steps.iter_mut().filter(|(id, state)| is_word(state) && makes_serve(id)) {
        state.moved = state.moved.or(Some(at));
    }
}

/// It is done; what was only said in an exercise is so once nobody can do it any more.
fn is_said(state: &StepRun, is_over: bool) -> bool {
    state.status.is_done() && (is_over || !state.exercise)
}

/// It ran, and is not proven.
fn has_ended_in_doubt(state: &StepRun) -> bool {
    matches!(state.status, StepStatus::Unknown | StepStatus::Finished)
}

/// The region that a run has made serve, by what is done of it so far. What it has taken back itself says nothing more.
pub fn moves_to<'p>(
    plan: &'p Plan,
    run: &Run,
    is_done: impl Fn(&StepId, &StepRun) -> bool,
    is_over: impl Fn(&StepId, &StepRun) -> bool,
) -> Option<&'p RegionId> {
    let runbook = plan.runbooks.get(&run.runbook)?;
    let is = |step: &Step, is: &dyn Fn(&StepId, &StepRun) -> bool| {
        run.steps.get(&step.id).is_some_and(|state| is(&step.id, state))
    };
    let moved = match runbook.steps.values().find(|step| step.switches) {
        Some(step) => is(step, &is_done),
        None => {
            let settled = |_: &StepId, state: &StepRun| state.status.is_settled();
            let [done, settled, over] = [&is_done as &dyn Fn(&StepId, &StepRun) -> bool, &settled, &is_over]
                .map(|known| move |step: &Step| is(step, known));
            was_carried_out(runbook, &done, &settled, &over)
        }
    };
    runbook.activates.as_ref().filter(|_| moved)
}

/// Whether a run in which no step switches did what its runbook is for: all steps that make its region serve are done, and
/// shown where they are on a person's word. Which of them could be left out, only the plan can say, with `switches`. What
/// the run took back itself was meant for a while, and what else is left is for people to tell or note.
fn was_carried_out(
    runbook: &Runbook,
    is_done: &dyn Fn(&Step) -> bool,
    is_settled: &dyn Fn(&Step) -> bool,
    is_over: &dyn Fn(&Step) -> bool,
) -> bool {
    let (makes, rest): (Vec<&Step>, Vec<&Step>) =
        runbook.steps.values().partition(|step| runbook.makes_serve(step));
    makes.iter().any(|step| is_done(step))
        && makes.iter().all(|step| is_done(step) || is_over(step))
        && rest.iter().all(|step| step.is_for_people() || is_settled(step))
}

/// Where a step of a runbook moves services by itself, or moves them back by undoing what was done up to `at`.
pub fn moves(model: &Model, runbook: &RunbookId, step: &Step, at: Timestamp) -> Vec<(ServiceId, RegionId)> {
    let undone = model.plan.services.keys().filter_map(|service| {
        let is_undone =
            |placed: &&Placement| model.plan.takes_back((runbook, step), (&placed.runbook, &placed.step));
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
    let Some(runbook) = model.plan.runbooks.get(&run.runbook) else { return found };
    let Some(region) =
        runbook.activates.as_ref().filter(|_| run.switched.is_none() && leads(runbook, run, step))
    else {
        return found;
    };
    let is_own = |service: &ServiceId| of(model, service).is_some_and(|placed| placed.run == run.id);
    let others = model.plan.services.keys().filter(|service| !is_own(service));
    let others: Vec<_> = others.filter(|service| found.iter().all(|(known, _)| known != *service)).collect();
    found.extend(others.into_iter().map(|service| (service.clone(), region.clone())));
    found
}

/// Whether what a step has to be proven by is that its runbook's region serves: it switches; or it is, or comes after, what
/// cannot be undone; or it is the last one that is to do something. Before that a step means what serves now.
fn leads(runbook: &Runbook, run: &Run, step: &Step) -> bool {
    let is_any = |is: fn(&Step) -> bool| runbook.steps.values().any(is);
    if is_any(|step| step.switches) {
        return step.switches;
    }
    if is_any(|step| step.irreversible) {
        let mut before = runbook.before(step).into_iter().filter_map(|id| runbook.steps.get(id));
        return step.irreversible || before.any(|step| step.irreversible);
    }
    let settled = |step: &Step| run.steps.get(&step.id).is_some_and(|state| state.status.is_settled());
    let does = |step: &Step| runbook.makes_serve(step) || !step.is_for_people();
    let mut others = runbook.steps.values().filter(|other| other.id != step.id && does(other));
    does(step) && others.all(settled)
}
