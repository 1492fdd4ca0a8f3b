//! What runs did of what serves and did not move: it is left to a person to record which region serves.

use crate::base::ids::{RegionId, ServiceId};
use crate::core::ask::placement;
use crate::core::ask::taken_back::is_taken_back;
use crate::core::model::Model;
use crate::core::words::incident::{Incident, Mode, Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::{Runbook, Step};
use jiff::Timestamp;

/// What records which region serves, where no key can be named.
pub const RECORD: &str = "`lifeboat serves --record`";

/// Something that makes a region or services serve, and to which nothing gives effect any more: its run was aborted, or
/// went to its end without what moves the region, or its incident was closed. It ends with what is known to serve since.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Left<'m> {
    /// The step.
    pub step: &'m Step,
    /// The region that would serve; none of a step that moves services by themselves.
    pub region: Option<&'m RegionId>,
    /// What is known of it.
    pub why: Why,
    end: End,
}

/// What is known of a step that makes something serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It is on a person's word, and its own proof was not seen.
    Word,
    /// It is on a person's word, and nothing else is asked for, or its proof was seen.
    Said,
    /// It is verified.
    Shown,
    /// Nobody knows whether it acted.
    Doubt,
    /// It was skipped.
    LeftOut,
    /// It was only said in an exercise.
    Exercise,
}

impl Why {
    fn of(state: &StepRun) -> Option<Self> {
        match state.status {
            StepStatus::Attested if state.exercise => Some(Self::Exercise),
            StepStatus::Attested if state.is_mere_word() => Some(Self::Word),
            StepStatus::Attested => Some(Self::Said),
            StepStatus::Verified => Some(Self::Shown),
            _ if state.is_in_doubt() => Some(Self::Doubt),
            StepStatus::Skipped => Some(Self::LeftOut),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        if self == Self::Shown { "verified" } else { "attested" }
    }

    /// It is done as far as anybody asks.
    fn is_done(self) -> bool {
        matches!(self, Self::Said | Self::Shown)
    }

    /// Nobody did it.
    fn is_undone(self) -> bool {
        matches!(self, Self::LeftOut | Self::Exercise)
    }
}

/// What keeps it from taking effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Abort,
    Close,
    Run,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Close => "close",
            Self::Run => "end of its run",
        }
    }
}

impl Left<'_> {
    /// What is not known, and the way out; `record` is what records which region serves.
    pub fn sentence(&self, model: &Model, record: &str) -> String {
        let said = self.said(model);
        match self.region {
            Some(region) => {
                let serving = model.serving();
                let other = serving.map_or_else(String::new, |serving| {
                    format!(", or that {} still does", name(model, serving))
                });
                format!("{said}. If {} serves now, {record} records it{other}.", name(model, region))
            }
            None => {
                let services = self.step.serves.iter().map(|(service, region)| {
                    let title = model.plan.services.get(service).map_or(service.as_str(), |spec| &spec.title);
                    format!("{title} from {}", name(model, region))
                });
                format!(
                    "{said}: {}. If that is so, begin its runbook again and attest it; {record} records that all serve \
                     with the region.",
                    services.collect::<Vec<_>>().join(", ")
                )
            }
        }
    }

    fn said(&self, model: &Model) -> String {
        let (title, end) = (&self.step.title, self.end.as_str());
        let region = || self.region.map_or_else(String::new, |region| name(model, region));
        match self.why {
            Why::Word => format!("\"{title}\" was attested before the {end}, and its own proof was not seen"),
            Why::Said | Why::Shown if self.end == End::Run => {
                format!("\"{title}\" is {}, and its run moved nothing", self.why.as_str())
            }
            Why::Said => format!("\"{title}\" was attested, and moved nothing because of the {end}"),
            Why::Shown => format!("\"{title}\" is verified, and moved nothing because of the {end}"),
            Why::Doubt if self.end == End::Run => {
                format!("nobody knows whether \"{title}\" acted before it was skipped")
            }
            Why::Doubt => format!("nobody knows whether \"{title}\" acted before the {end}"),
            Why::LeftOut => format!("\"{title}\" was skipped: whether {} serves now is not known", region()),
            Why::Exercise => format!(
                "\"{title}\" was only said in the exercise: whether {} serves now is not known",
                region()
            ),
        }
    }
}

fn name(model: &Model, id: &RegionId) -> String {
    model.plan.regions.get(id).map_or(id.to_string(), |region| region.name.clone())
}

/// All that is left so, oldest first.
pub fn left(model: &Model) -> Vec<Left<'_>> {
    runs(model).flat_map(|(incident, run)| left_by(model, incident, run)).collect()
}

fn left_by<'m>(model: &'m Model, incident: &Incident, run: &'m Run) -> Vec<Left<'m>> {
    let is_closed = incident.closed.is_some();
    let Some(runbook) = model.plan.runbooks.get(&run.runbook).filter(|_| is_closed || run.ended.is_some())
    else {
        return Vec::new();
    };
    let mut found = would_serve(model, runbook, run);
    if run.is_aborted() {
        // What moves services by itself goes on to, as long as the incident is open; a word does not.
        let is_taken_in = |step: &WouldServe<'_>| step.why.is_done() && step.region.is_none() && !is_closed;
        found.retain(|step| !step.why.is_undone() && !is_taken_in(step));
    } else {
        // What was left out says more than what was done, and a proof may come as long as the incident is open.
        let is_whole = found.iter().all(|step| step.region.is_none() || step.why.is_done());
        let was_begun = is_begun(runbook, run);
        found.retain(|step| match step.why {
            Why::Said | Why::Shown if step.region.is_some() => is_whole,
            Why::LeftOut | Why::Exercise => was_begun,
            Why::Doubt => true,
            Why::Word | Why::Said | Why::Shown => is_closed,
        });
    }
    let end = |why: Why| match why {
        _ if run.is_aborted() => End::Abort,
        Why::Word => End::Close,
        Why::Said | Why::Shown if is_closed => End::Close,
        _ => End::Run,
    };
    let left = |found: WouldServe<'m>| Left {
        step: found.step,
        region: found.region,
        why: found.why,
        end: end(found.why),
    };
    found.into_iter().map(left).collect()
}

/// Something of a run was done for real, or may have been, besides notes, waits and messages.
fn is_begun(runbook: &Runbook, run: &Run) -> bool {
    let is_real = |state: &StepRun| state.is_in_doubt() || (state.status.is_done() && !state.exercise);
    let mut acted = run.steps.iter().filter(|(_, state)| is_real(state));
    let changes = |step: &Step| step.is_by_hand() || step.acts() || step.is_fence();
    acted.any(|(id, _)| runbook.steps.get(id).is_some_and(changes))
}

/// Whether what somebody has to record is left anywhere, also where a proof may still come.
pub fn is_any(model: &Model) -> bool {
    let is_open = |why| matches!(why, Why::Word | Why::Exercise);
    runs(model).any(|(_, run)| of_run(model, run).into_iter().any(|(_, _, why)| is_open(why)))
        || !left(model).is_empty()
}

/// All runs but those of exercises that move nothing.
fn runs(model: &Model) -> impl Iterator<Item = (&Incident, &Run)> {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let real = incidents.filter(|incident| incident.mode != Mode::SafeDrill);
    real.flat_map(|incident| incident.runs.iter().map(move |run| (incident, run)))
}

/// The steps of a run that make something serve and have not moved it, with the region that would serve.
pub fn of_run<'m>(model: &'m Model, run: &'m Run) -> Vec<(&'m Step, Option<&'m RegionId>, Why)> {
    let runbook = model.plan.runbooks.get(&run.runbook);
    let found = runbook.map_or_else(Vec::new, |runbook| would_serve(model, runbook, run));
    found.into_iter().map(|found| (found.step, found.region, found.why)).collect()
}

struct WouldServe<'m> {
    step: &'m Step,
    region: Option<&'m RegionId>,
    why: Why,
}

fn would_serve<'m>(model: &'m Model, runbook: &'m Runbook, run: &'m Run) -> Vec<WouldServe<'m>> {
    let of_step = |step: &'m Step| {
        let state = run.steps.get(&step.id)?;
        let why = Why::of(state)?;
        let said = state.ended_at.or(state.started_at)?;
        let region = region(model, runbook, run, step, said);
        let moves = !why.is_undone() && state.moved.is_none() && moves_services(model, step, said);
        let is_open = (region.is_some() || moves) && !is_taken_back(model, run, &step.id, state);
        is_open.then_some(WouldServe { step, region, why })
    };
    runbook.steps.values().filter_map(of_step).collect()
}

/// The region that would serve because of a step. What began to serve since says more.
fn region<'m>(
    model: &Model,
    runbook: &'m Runbook,
    run: &Run,
    step: &Step,
    said: Timestamp,
) -> Option<&'m RegionId> {
    let region =
        runbook.activates.as_ref().filter(|_| is_after(run.switched, said) && runbook.makes_serve(step))?;
    let is_told = model.durable.switches.iter().any(|switch| switch.at > said);
    (!is_told && model.serving() != Some(region)).then_some(region)
}

/// Whether nothing was known of where a run leads, or only before a step was done.
fn is_after(switched: Option<Timestamp>, said: Timestamp) -> bool {
    switched.is_none_or(|at| said > at)
}

/// Whether a step says of a service what is not so, and nothing later does.
fn moves_services(model: &Model, step: &Step, said: Timestamp) -> bool {
    let is_elsewhere = |(service, region): (&ServiceId, &RegionId)| {
        let placed = placement::of(model, service);
        let is_last = placed.is_none_or(|placed| placement::said_at(model, placed) <= said);
        is_last && placement::region_of(model, service) != Some(region)
    };
    step.serves.iter().any(is_elsewhere)
}
