//! What runs did that makes a region or services serve, and has not moved them.

use crate::base::ids::{RegionId, ServiceId, StepId};
use crate::core::ask::known::View;
use crate::core::ask::placement;
use crate::core::ask::taken_back::is_taken_back;
use crate::core::model::Model;
use crate::core::words::incident::{Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::{Runbook, Step};
use indexmap::IndexMap;
use jiff::Timestamp;

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It is on a person's word, and its own proof was not seen.
    Word,
    /// It is on a person's word, and nothing else is asked for, or its proof was seen.
    Said,
    /// It is verified.
    Shown,
    /// It is verified, and another region was recorded while it ran.
    Overlaps,
    /// Nobody knows whether it acted.
    Doubt,
    /// Nobody knows whether it acted, and a program of it was seen to run still.
    StillRuns,
    /// A program of a step that takes it back was seen to run still.
    UndoStillRuns,
    /// A program of it, or of what takes it back, may run still, and the step can be looked at no more.
    Gone,
    /// The plan has no such region.
    NoRegion,
    /// It was skipped.
    LeftOut,
    /// It was only said in an exercise.
    Exercise,
    /// It was done in an exercise, for real, and moved nothing there.
    Drilled,
    /// The plan does not say which of its steps does it.
    Unsaid,
    /// It did, and was taken back since.
    TakenBack,
    /// It did, and a step is under way that takes it back.
    BeingTakenBack,
    /// It did, and may have been taken back since: by a step that ended, or that is on a person's word.
    MayBeTakenBack,
    /// It did, and was taken up again since.
    Reopened,
    /// It did, and something was done since of which only another plan says what it takes back.
    OtherPlan,
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

    /// No record answers for it before it is known that nothing of it runs any more.
    pub fn outlasts_records(self) -> bool {
        matches!(self, Self::StillRuns | Self::UndoStillRuns | Self::Gone)
    }

    /// Nobody did it.
    pub(super) fn is_undone(self) -> bool {
        matches!(self, Self::LeftOut | Self::Exercise)
    }
}

/// When what was done for real, or may have been, was: besides notes, waits and messages. Of a step that the plan has no
/// more nobody can tell what it was.
pub fn begun<'m>(model: &'m Model, run: &'m Run) -> impl Iterator<Item = Timestamp> + 'm {
    let runbook = model.plan.runbooks.get(&run.runbook);
    let is_real = |state: &StepRun| state.is_in_doubt() || (state.status.is_done() && !state.exercise);
    let changes = |step: &Step| step.is_by_hand() || step.acts() || step.is_fence();
    let step = move |id: &StepId| runbook.and_then(|runbook| runbook.steps.get(id));
    let done = run.steps.iter().filter(move |(id, state)| is_real(state) && step(id).is_none_or(changes));
    done.filter_map(|(_, state)| state.acted_at())
}

/// What a run did so, also while it is open.
pub fn of_run<'m>(model: &'m Model, run: &'m Run) -> Vec<WouldServe<'m>> {
    let steps = run.steps.iter().filter_map(|(id, state)| of_step(model, run, id, state));
    steps.chain(unsaid(model, run)).collect()
}

pub(super) fn planned<'m>(model: &'m Model, run: &Run) -> Option<&'m Runbook> {
    model.plan.runbooks.get(&run.runbook)
}

fn of_step<'m>(model: &'m Model, run: &'m Run, id: &'m StepId, state: &StepRun) -> Option<WouldServe<'m>> {
    let step = planned(model, run).and_then(|runbook| runbook.steps.get(id));
    let why = Why::of(state)?;
    let said = state.acted_at()?;
    let region = match why.is_undone() {
        _ if !run.is_switch(id) => None,
        true => region(model, run, said),
        false => run.aim.region.as_ref().filter(|_| View::of(model).is_open(&run.id, id)),
    };
    let moves = || step.is_some_and(|step| moves_services(model, step, said));
    let is_open = region.is_some() || (!why.is_undone() && state.moved.is_none() && moves());
    let title = step.map_or(id.as_str(), |step| &step.title);
    // Of what people did in the place of a step nobody knows what takes it back.
    let is_over = || why != Why::LeftOut && is_taken_back(model, run, id, state);
    (is_open && !is_over()).then_some(WouldServe {
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
