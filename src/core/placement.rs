//! Where each service serves from, where steps moved it away from the region that serves.

use crate::base::ids::{RegionId, RunId, RunbookId, ServiceId, StepId};
use crate::core::incident::Incident;
use crate::core::model::Model;
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
    if let Some(state) = incident(model)
        .and_then(|known| known.runs.iter_mut().find(|known| known.id == *run)?.steps.get_mut(step))
    {
        state.moved = Some(at);
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
/// moved elsewhere. What other steps say and nothing has proven yet is overtaken. Whether anything changed.
pub fn region_serves(model: &mut Model, by: Option<&RunId>, at: Timestamp) -> bool {
    let before = model.durable.placements.len();
    model.durable.placements.retain(|placed| Some(&placed.run) == by);
    let runs = incident(model).into_iter().flat_map(|incident| &mut incident.runs);
    let others = runs.filter(|run| Some(&run.id) != by);
    let settled = others.flat_map(|run| run.steps.values_mut()).filter(|state| state.status.is_done());
    settled.for_each(|state| state.moved = state.moved.or(Some(at)));
    model.durable.placements.len() != before
}

fn incident(model: &mut Model) -> Option<&mut Incident> {
    model.durable.incident.as_mut()
}
