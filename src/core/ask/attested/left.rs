//! What runs did of what serves and did not move: it is left to a person to record which region serves.

use crate::base::ids::{RegionId, ServiceId, StepId};
use crate::core::ask::placement;
use crate::core::ask::taken_back::is_taken_back;
use crate::core::model::Model;
use crate::core::words::incident::{Incident, Mode, Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::{Runbook, Step};
use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What records which region serves, where no key can be named.
pub const RECORD: &str = "`lifeboat serves --record`";

/// Something that makes a region or services serve, and to which nothing gives effect any more: its run was aborted, or
/// went to its end without what moves the region, or its incident was closed. It ends with what is known to serve since.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Left<'m> {
    pub found: WouldServe<'m>,
    /// What keeps it from taking effect.
    pub end: End,
}

/// Something that makes a region or services serve, and has not moved them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WouldServe<'m> {
    /// What did it, a step or a run in which none switches: its name in the plan.
    pub id: &'m str,
    /// What people call it.
    pub title: &'m str,
    /// The region that would serve; none of a step that moves services by themselves.
    pub region: Option<&'m RegionId>,
    pub services: Option<&'m IndexMap<ServiceId, RegionId>>,
    /// What is known of it.
    pub why: Why,
}

/// What is known of what makes something serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// It did, and may have been taken back since: by a step that was begun, or that is on a person's word.
    MayBeTakenBack,
    /// It did, and was taken up again since.
    Reopened,
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
    /// It took effect, and that is not known to last.
    Doubt,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Close => "close",
            Self::Run | Self::Doubt => "end of its run",
        }
    }
}

impl Left<'_> {
    /// What is not known, and the way out; `record` is what records which region serves.
    pub fn sentence(&self, model: &Model, record: &str) -> String {
        let said = self.said(model);
        if self.end == End::Doubt {
            return format!("{said}. {record} records which region does.");
        }
        if let Some(region) = self.found.region {
            let serving = model.serving().filter(|serving| *serving != region);
            let other = serving
                .map_or_else(String::new, |serving| format!(", or that {} still does", name(model, serving)));
            return format!("{said}. If {} serves now, {record} records it{other}.", name(model, region));
        }
        let services = self.found.services.into_iter().flatten().map(|(service, region)| {
            let title = model.plan.services.get(service).map_or(service.as_str(), |spec| &spec.title);
            format!("{title} from {}", name(model, region))
        });
        format!(
            "{said}: {}. If that is so, begin its runbook again and attest it; {record} records that all serve with the \
             region.",
            services.collect::<Vec<_>>().join(", ")
        )
    }

    fn said(&self, model: &Model) -> String {
        let (title, end) = (self.found.title, self.end.as_str());
        let region = || self.found.region.map_or_else(String::new, |region| name(model, region));
        match self.found.why {
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
                    End::Close | End::Run | End::Doubt => "has ended",
                };
                format!(
                    "\"{title}\" {how}, and the plan does not say which step lets {} serve (`switches`)",
                    region()
                )
            }
            Why::TakenBack => {
                format!("\"{title}\" was taken back: whether {} still serves is not known", region())
            }
            Why::MayBeTakenBack => {
                format!(
                    "\"{title}\" may have been taken back: whether {} still serves is not known",
                    region()
                )
            }
            Why::Reopened => {
                format!("\"{title}\" was taken up again: whether {} still serves is not known", region())
            }
        }
    }
}

fn name(model: &Model, id: &RegionId) -> String {
    model.plan.regions.get(id).map_or(id.to_string(), |region| region.name.clone())
}

/// All that is left so, oldest first; what several runs left, once.
pub fn left(model: &Model) -> Vec<Left<'_>> {
    let mut kept: Vec<Left<'_>> = Vec::new();
    let of_runs = runs(model).flat_map(|(incident, run)| left_by(model, incident, run));
    for left in of_runs.chain(doubted(model)) {
        let same = |other: &Left<'_>| other.found == left.found && other.end == left.end;
        kept.retain(|other| !same(other));
        kept.push(left);
    }
    kept
}

/// Whether anything is.
pub fn is_left(model: &Model) -> bool {
    model.durable.doubt.is_some()
        || runs(model).any(|(incident, run)| !left_by(model, incident, run).is_empty())
}

fn left_by<'m>(model: &'m Model, incident: &Incident, run: &'m Run) -> Vec<Left<'m>> {
    let is_closed = incident.closed.is_some();
    let end = |why| match why {
        _ if run.is_aborted() => End::Abort,
        Why::Word | Why::Said | Why::Shown if is_closed => End::Close,
        _ => End::Run,
    };
    let is_over = is_closed || run.ended.is_some();
    let is_left = |found: &WouldServe<'_>| is_over && has_no_effect(model, found, run, is_closed);
    let found = of_run(model, run).into_iter().filter(is_left);
    found.map(|found| Left { end: end(found.why), found }).collect()
}

/// Nothing gives effect to it any more.
fn has_no_effect(model: &Model, found: &WouldServe<'_>, run: &Run, is_closed: bool) -> bool {
    match found.why {
        Why::Doubt | Why::Unsaid => true,
        why if why.is_undone() => begun(model, run).next().is_some(),
        Why::Said | Why::Shown if found.region.is_some() => true,
        // What moves services by itself goes on to, as long as the incident is open; the word of an aborted run does not.
        Why::Word => is_closed || run.is_aborted(),
        _ => is_closed,
    }
}

/// When what was done for real, or may have been, was: besides notes, waits and messages. Of a step that the plan has no
/// more nobody can tell what it was.
fn begun<'m>(model: &'m Model, run: &'m Run) -> impl Iterator<Item = Timestamp> + 'm {
    let runbook = model.plan.runbooks.get(&run.runbook);
    let is_real = |state: &StepRun| state.is_in_doubt() || (state.status.is_done() && !state.exercise);
    let changes = |step: &Step| step.is_by_hand() || step.acts() || step.is_fence();
    let step = move |id: &StepId| runbook.and_then(|runbook| runbook.steps.get(id));
    let done = run.steps.iter().filter(move |(id, state)| is_real(state) && step(id).is_none_or(changes));
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

/// What a run did so, also while it is open.
pub fn of_run<'m>(model: &'m Model, run: &'m Run) -> Vec<WouldServe<'m>> {
    let steps = run.steps.iter().filter_map(|(id, state)| of_step(model, run, id, state));
    steps.chain(unsaid(model, run)).collect()
}

fn planned<'m>(model: &'m Model, run: &Run) -> Option<&'m Runbook> {
    model.plan.runbooks.get(&run.runbook)
}

fn of_step<'m>(model: &'m Model, run: &'m Run, id: &'m StepId, state: &StepRun) -> Option<WouldServe<'m>> {
    let step = planned(model, run).and_then(|runbook| runbook.steps.get(id));
    let why = Why::of(state)?;
    let said = state.ended_at.or(state.started_at)?;
    let region = region(model, run, said).filter(|_| run.is_switch(id));
    let moves = || step.is_some_and(|step| moves_services(model, step, said));
    let is_open = region.is_some() || (!why.is_undone() && state.moved.is_none() && moves());
    let title = step.map_or(id.as_str(), |step| &step.title);
    (is_open && !is_taken_back(model, run, id, state)).then_some(WouldServe {
        id: id.as_str(),
        title,
        region,
        services: step.map(|step| &step.serves),
        why,
    })
}

/// A run for a region in which something was done, and no step says that the region serves.
fn unsaid<'m>(model: &'m Model, run: &'m Run) -> Option<WouldServe<'m>> {
    let done = begun(model, run).max().filter(|_| run.aim.switch.is_none())?;
    let region = Some(region(model, run, done)?);
    let title = planned(model, run).map_or(run.runbook.as_str(), |runbook| &runbook.title);
    Some(WouldServe { id: run.runbook.as_str(), title, region, services: None, why: Why::Unsaid })
}

/// The region that would serve because of what was done then. What began to serve since says more.
fn region<'m>(model: &Model, run: &'m Run, done: Timestamp) -> Option<&'m RegionId> {
    let region = run.aim.region.as_ref().filter(|_| is_after(run.switched, done))?;
    let is_told = model.durable.switches.iter().any(|switch| switch.at > done);
    (!is_told && model.serving() != Some(region)).then_some(region)
}

/// The step that let the region serve which may do so no more.
fn doubted(model: &Model) -> Option<Left<'_>> {
    let doubt = model.durable.doubt.as_ref()?;
    let mut incidents = model.durable.closed.iter().chain(&model.durable.incident);
    let runbook = incidents.find_map(|incident| incident.run(&doubt.run)).and_then(|run| planned(model, run));
    let step = runbook.and_then(|runbook| runbook.steps.get(&doubt.step));
    let found = WouldServe {
        id: doubt.step.as_str(),
        title: step.map_or(doubt.step.as_str(), |step| &step.title),
        region: Some(&doubt.region),
        services: None,
        why: doubt.why,
    };
    Some(Left { found, end: End::Doubt })
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
