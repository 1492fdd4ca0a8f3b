//! What runs did of what serves and did not move: it is left to a person to record which region serves.

use crate::base::ids::{RegionId, ServiceId};
use crate::core::ask::placement;
use crate::core::ask::taken_back::{is_taken_back, taken_back_at};
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
    /// What did it.
    pub by: By<'m>,
    /// The region that would serve; none of a step that moves services by themselves.
    pub region: Option<&'m RegionId>,
    /// What is known of it.
    pub why: Why,
    /// What keeps it from taking effect.
    pub end: End,
}

/// What makes something serve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum By<'m> {
    /// A step that says so.
    Step(&'m Step),
    /// A run in which no step switches.
    Run(&'m Runbook),
}

impl<'m> By<'m> {
    /// What people call it.
    pub fn title(&self) -> &'m str {
        match self {
            Self::Step(step) => &step.title,
            Self::Run(runbook) => &runbook.title,
        }
    }
}

/// What is known of what makes something serve.
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
    /// The plan does not say which of its steps does it.
    Unsaid,
    /// It did, and was taken back since.
    TakenBack,
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

    /// Nobody did it.
    fn is_undone(self) -> bool {
        matches!(self, Self::LeftOut | Self::Exercise)
    }
}

/// What keeps it from taking effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The run was stopped.
    Abort,
    /// The incident was closed.
    Close,
    /// The run went to its end.
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
        match (self.region, self.by) {
            _ if self.why == Why::TakenBack => format!("{said}. {record} records which region does."),
            (Some(region), _) => {
                let serving = model.serving().filter(|serving| *serving != region);
                let other = serving.map_or_else(String::new, |serving| {
                    format!(", or that {} still does", name(model, serving))
                });
                format!("{said}. If {} serves now, {record} records it{other}.", name(model, region))
            }
            (None, By::Step(step)) => {
                let services = step.serves.iter().map(|(service, region)| {
                    let title = model.plan.services.get(service).map_or(service.as_str(), |spec| &spec.title);
                    format!("{title} from {}", name(model, region))
                });
                format!(
                    "{said}: {}. If that is so, begin its runbook again and attest it; {record} records that all serve \
                     with the region.",
                    services.collect::<Vec<_>>().join(", ")
                )
            }
            (None, By::Run(_)) => said,
        }
    }

    fn said(&self, model: &Model) -> String {
        let (title, end) = (self.by.title(), self.end.as_str());
        let region = || self.region.map_or_else(String::new, |region| name(model, region));
        match self.why {
            Why::Word => format!("\"{title}\" was attested before the {end}, and its own proof was not seen"),
            Why::Said if self.end == End::Run => {
                format!("\"{title}\" is attested, and its run moved nothing")
            }
            Why::Said => format!("\"{title}\" was attested, and moved nothing because of the {end}"),
            Why::Shown if self.end == End::Run => {
                format!("\"{title}\" is verified, and its run moved nothing")
            }
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
            Why::Unsaid => {
                let how = match self.end {
                    End::Abort => "was aborted",
                    End::Close => "was closed",
                    End::Run => "has ended",
                };
                format!(
                    "\"{title}\" {how}, and the plan does not say which step lets {} serve (`switches`)",
                    region()
                )
            }
            Why::TakenBack => {
                format!("\"{title}\" was taken back: whether {} still serves is not known", region())
            }
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
    let Some(runbook) = model.plan.runbooks.get(&run.runbook) else { return Vec::new() };
    let end = |why| match why {
        _ if run.is_aborted() => End::Abort,
        Why::Word | Why::Said | Why::Shown if is_closed => End::Close,
        _ if run.ended.is_none() => End::Close,
        _ => End::Run,
    };
    let is_over = is_closed || run.ended.is_some();
    let found = would_serve(model, runbook, run).into_iter().filter(|found| match found.why {
        // A run that is under way to another region says itself when that one serves.
        Why::TakenBack => model.moving().is_none_or(|(_, moving)| moving.activates.as_ref() == found.region),
        _ => is_over && is_left(found, runbook, run, is_closed),
    });
    found.map(|WouldServe { by, region, why }| Left { by, region, why, end: end(why) }).collect()
}

/// Nothing gives effect to it any more.
fn is_left(found: &WouldServe<'_>, runbook: &Runbook, run: &Run, is_closed: bool) -> bool {
    match found.why {
        Why::Doubt | Why::Unsaid | Why::TakenBack => true,
        why if why.is_undone() => !run.is_aborted() && is_begun(runbook, run),
        Why::Said | Why::Shown if found.region.is_some() => true,
        // What moves services by itself goes on to, as long as the incident is open; the word of an aborted run does not.
        Why::Word => is_closed || run.is_aborted(),
        _ => is_closed,
    }
}

/// Something of a run was done for real, or may have been, besides notes, waits and messages.
fn is_begun(runbook: &Runbook, run: &Run) -> bool {
    begun(runbook, run).next().is_some()
}

/// When what was done so, or may have been, was.
fn begun<'m>(runbook: &'m Runbook, run: &'m Run) -> impl Iterator<Item = Timestamp> + 'm {
    let is_real = |state: &StepRun| state.is_in_doubt() || (state.status.is_done() && !state.exercise);
    let changes = |step: &Step| step.is_by_hand() || step.acts() || step.is_fence();
    let done = run
        .steps
        .iter()
        .filter(move |(id, state)| is_real(state) && runbook.steps.get(*id).is_some_and(changes));
    done.filter_map(|(_, state)| state.ended_at.or(state.started_at))
}

/// Whether what somebody has to record is left anywhere, also where a proof may still come.
pub fn is_any(model: &Model) -> bool {
    let is_open = |found: &WouldServe<'_>| matches!(found.why, Why::Word | Why::Exercise);
    runs(model).any(|(_, run)| of_run(model, run).iter().any(is_open)) || !left(model).is_empty()
}

/// All runs but those of exercises that move nothing.
fn runs(model: &Model) -> impl Iterator<Item = (&Incident, &Run)> {
    let incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let real = incidents.filter(|incident| incident.mode != Mode::SafeDrill);
    real.flat_map(|incident| incident.runs.iter().map(move |run| (incident, run)))
}

/// Something that makes a region or services serve, and has not moved them.
pub struct WouldServe<'m> {
    /// What does it.
    pub by: By<'m>,
    /// The region that would serve; none of a step that moves services by themselves.
    pub region: Option<&'m RegionId>,
    /// What is known of it.
    pub why: Why,
}

/// What a run did so, also while it is open.
pub fn of_run<'m>(model: &'m Model, run: &'m Run) -> Vec<WouldServe<'m>> {
    let runbook = model.plan.runbooks.get(&run.runbook);
    runbook.map_or_else(Vec::new, |runbook| would_serve(model, runbook, run))
}

fn would_serve<'m>(model: &'m Model, runbook: &'m Runbook, run: &'m Run) -> Vec<WouldServe<'m>> {
    let of_step = |step: &'m Step| {
        let state = run.steps.get(&step.id)?;
        let why = Why::of(state)?;
        let said = state.ended_at.or(state.started_at)?;
        let region = region(model, runbook, run, said).filter(|_| step.switches);
        let moves = !why.is_undone() && state.moved.is_none() && moves_services(model, step, said);
        let is_open = (region.is_some() || moves) && !is_taken_back(model, run, &step.id, state);
        is_open.then_some(WouldServe { by: By::Step(step), region, why })
    };
    let steps = runbook.steps.values().filter_map(of_step);
    steps.chain(unsaid(model, runbook, run)).chain(taken_back(model, runbook, run)).collect()
}

/// A run for a region in which something was done, and no step says that the region serves.
fn unsaid<'m>(model: &'m Model, runbook: &'m Runbook, run: &'m Run) -> Option<WouldServe<'m>> {
    let done = begun(runbook, run).max().filter(|_| runbook.switching().is_none())?;
    let region = region(model, runbook, run, done)?;
    Some(WouldServe { by: By::Run(runbook), region: Some(region), why: Why::Unsaid })
}

/// The region that would serve because of what was done then. What began to serve since says more.
fn region<'m>(model: &Model, runbook: &'m Runbook, run: &Run, done: Timestamp) -> Option<&'m RegionId> {
    let region = runbook.activates.as_ref().filter(|_| is_after(run.switched, done))?;
    let is_told = model.durable.switches.iter().any(|switch| switch.at > done);
    (!is_told && model.serving() != Some(region)).then_some(region)
}

/// The step that switched, where its region serves on and what it did was taken back.
fn taken_back<'m>(model: &'m Model, runbook: &'m Runbook, run: &'m Run) -> Option<WouldServe<'m>> {
    let step = runbook.switching()?;
    let state = run.steps.get(&step.id)?;
    let at = taken_back_at(model, run, &step.id, state)?;
    let region = runbook.activates.as_ref().filter(|region| model.serving() == Some(*region))?;
    let is_told = model.durable.switches.iter().any(|switch| switch.at > at);
    let is_open = !is_told && run.switched.is_some_and(|moved| moved < at);
    is_open.then_some(WouldServe { by: By::Step(step), region: Some(region), why: Why::TakenBack })
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
