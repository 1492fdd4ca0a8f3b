//! Steps that a person says are done while what the plan wants as their proof does not show it.

use crate::base::ids::RegionId;
use crate::core::incident::{Incident, Mode, Run, StepRun};
use crate::core::model::Model;
use crate::core::names::{Since, View};
use crate::core::placement;
use crate::core::status::StepStatus;
use crate::plan::condition::Truth;
use crate::plan::{Runbook, Step};
use jiff::Timestamp;

/// A step whose own proof does not hold now.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unshown<'m> {
    /// Its runbook.
    pub runbook: &'m Runbook,
    /// Its place in the runbook, from 1.
    pub place: usize,
    /// The step.
    pub step: &'m Step,
    /// Whether that is known; else nobody can tell.
    pub is_false: bool,
}

impl<'m> Unshown<'m> {
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

    /// The region that serves once it is proven, or once a person records it.
    pub fn region(&self) -> Option<&'m RegionId> {
        self.runbook.activates.as_ref().filter(|_| self.runbook.makes_serve(self.step))
    }
}

/// The first attested step of a run whose own proof does not hold now; one that is known to be false comes first. What
/// was proven once, was taken back, or was overtaken by what serves since, is none.
pub fn unshown<'m>(model: &'m Model, run: &Run, now: Timestamp) -> Option<Unshown<'m>> {
    let runbook = model.plan.runbooks.get(&run.runbook)?;
    let found = runbook.steps.values().enumerate().filter_map(|(place, step)| {
        let state = run.steps.get(&step.id)?;
        let moves = !step.serves.is_empty() || runbook.makes_serve(step);
        let is_over = state.proven.is_some() || (state.moved.is_some() && (moves || state.undone.is_some()));
        if state.status != StepStatus::Attested || is_over {
            return None;
        }
        let is_false = match proof(model, run, step, state, now)? {
            Truth::True => return None,
            Truth::False => true,
            Truth::Unknown(_) => false,
        };
        Some(Unshown { runbook, place: place + 1, step, is_false })
    });
    found.min_by_key(|found| !found.is_false)
}

/// The same of all runs of the open incident, the latest first.
pub fn unshown_of_any(model: &Model, now: Timestamp) -> Option<Unshown<'_>> {
    let runs = model.durable.incident.iter().flat_map(|incident| incident.runs.iter().rev());
    runs.filter_map(|run| unshown(model, run, now)).min_by_key(|found| !found.is_false)
}

/// What records which region serves, where no key can be named.
pub const RECORD: &str = "`lifeboat serves --record`";

/// Something that makes a region or services serve, which is on a person's word or in doubt, and which no proof gives
/// effect to any more: its run was aborted, or its incident closed. It ends with what is known to serve since.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Left<'m> {
    /// The step.
    pub step: &'m Step,
    /// The region that would serve; none of a step that moves services by themselves.
    pub region: Option<&'m RegionId>,
    /// Its incident is closed; else its run was aborted.
    pub is_closed: bool,
    /// Nobody knows whether it acted; else a person says that it is done.
    pub is_doubtful: bool,
}

impl Left<'_> {
    /// What is not known, and the way out; `record` is what records which region serves.
    pub fn sentence(&self, model: &Model, record: &str) -> String {
        let name =
            |id: &RegionId| model.plan.regions.get(id).map_or(id.to_string(), |region| region.name.clone());
        let title = &self.step.title;
        let end = if self.is_closed { "close" } else { "abort" };
        let said = match self.is_doubtful {
            true => format!("nobody knows whether \"{title}\" acted before the {end}"),
            false => format!("\"{title}\" was attested before the {end}, and its own proof was not seen"),
        };
        match self.region {
            Some(region) => {
                let other = model
                    .serving()
                    .map_or_else(String::new, |serving| format!(", or that {} still does", name(serving)));
                format!("{said}. If {} serves now, {record} records it{other}.", name(region))
            }
            None => {
                let services = self.step.serves.iter().map(|(service, region)| {
                    let title = model.plan.services.get(service).map_or(service.as_str(), |spec| &spec.title);
                    format!("{title} from {}", name(region))
                });
                format!(
                    "{said}: {}. If that is so, begin its runbook again and attest it; {record} records that all serve \
                     with the region.",
                    services.collect::<Vec<_>>().join(", ")
                )
            }
        }
    }
}

/// All words that are left so, oldest first.
pub fn left(model: &Model) -> Vec<Left<'_>> {
    let left = runs(model).filter(|(incident, run)| is_over(incident, run)).flat_map(|(incident, run)| {
        let left = move |is_doubtful: bool| {
            move |(step, region)| Left { step, region, is_closed: incident.closed.is_some(), is_doubtful }
        };
        words(model, run).map(left(false)).chain(doubts(model, run).map(left(true)))
    });
    left.collect()
}

/// Nothing that is read later gives effect to what the run did.
fn is_over(incident: &Incident, run: &Run) -> bool {
    incident.closed.is_some() || run.is_aborted()
}

/// Whether a word that nothing has proven stands anywhere, also where its proof may still come, or a doubt is left.
pub fn is_any(model: &Model) -> bool {
    runs(model).any(|(_, run)| words(model, run).next().is_some()) || !left(model).is_empty()
}

/// All runs but those of exercises that move nothing.
fn runs(model: &Model) -> impl Iterator<Item = (&Incident, &Run)> {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let real = incidents.filter(|incident| incident.mode != Mode::SafeDrill);
    real.flat_map(|incident| incident.runs.iter().map(move |run| (incident, run)))
}

/// The steps of a run that move what serves on a person's word that nothing has proven, with the region that would serve.
pub fn words<'m>(model: &'m Model, run: &'m Run) -> impl Iterator<Item = (&'m Step, Option<&'m RegionId>)> {
    would_serve(model, run, StepRun::is_mere_word)
}

/// The same of steps of which nobody knows whether they acted.
fn doubts<'m>(model: &'m Model, run: &'m Run) -> impl Iterator<Item = (&'m Step, Option<&'m RegionId>)> {
    would_serve(model, run, |state| state.status == StepStatus::Unknown)
}

fn would_serve<'m>(
    model: &'m Model,
    run: &'m Run,
    is_open: impl Fn(&StepRun) -> bool,
) -> impl Iterator<Item = (&'m Step, Option<&'m RegionId>)> {
    let runbook = model.plan.runbooks.get(&run.runbook);
    let steps =
        runbook.into_iter().flat_map(|runbook| runbook.steps.values().map(move |step| (runbook, step)));
    steps.filter_map(move |(runbook, step)| {
        let state = run.steps.get(&step.id)?;
        if !is_open(state) || state.moved.is_some() {
            return None;
        }
        let region = runbook.activates.as_ref().filter(|_| runbook.makes_serve(step));
        // What began to serve since says more than the word.
        let said = state.ended_at.or(state.started_at)?;
        let is_told = model.durable.switches.iter().any(|switch| switch.at > said);
        let region = region.filter(|region| !is_told && model.serving() != Some(region));
        let is_elsewhere = |service| placement::of(model, service).is_none_or(|placed| placed.since <= said);
        let moves_services = step.serves.keys().any(is_elsewhere);
        (region.is_some() || moves_services).then_some((step, region))
    })
}

/// What a step's own proof comes to, by readings of after it ran or was attested: what was measured before says nothing of
/// it. Of one that lifeboat did not run, and nobody attested, all readings count. What it moves is looked at where it moves
/// it to. None where the plan wants no proof.
pub fn proof(model: &Model, run: &Run, step: &Step, state: &StepRun, now: Timestamp) -> Option<Truth> {
    let view = View { model, now };
    let condition = step.verify.as_ref()?;
    let since = state.ended_at.or(state.started_at);
    let ahead = placement::ahead(model, run, step);
    Some(condition.evaluate(&Since { view, since, ahead }))
}
