//! Steps that a person says are done while what the plan wants as their proof does not show it.

mod left;
mod would_serve;

pub use left::{Left, RECORD, is_any, is_left, left};
pub use would_serve::{Why, WouldServe, begun, of_run};

use crate::base::ids::RegionId;
use crate::core::ask::names::{Since, View};
use crate::core::ask::placement;
use crate::core::ask::taken_back::is_taken_back;
use crate::core::model::Model;
use crate::core::words::incident::{Mode, Run, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::condition::Truth;
use crate::plan::{Runbook, Step};
use jiff::Timestamp;

/// How a word is called that was given in an exercise.
pub const EXERCISE: &str = "ONLY SAID IN THE EXERCISE";

/// Why the plan of now proves no step of before.
const ANOTHER_PROOF: &str = "the plan asked for another one when it was said";

/// A step whose own proof does not hold now, or that was only said in an exercise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unshown<'m> {
    pub runbook: &'m Runbook,
    /// Its place in the runbook, from 1.
    pub place: usize,
    pub step: &'m Step,
    /// Whether that is known; else nobody can tell.
    pub is_false: bool,
    /// The plan asked for another proof when it was said.
    pub is_another: bool,
    /// It was only said in an exercise that moves nothing.
    pub is_exercise: bool,
    /// The region that serves once it is proven, or once a person records it.
    pub region: Option<&'m RegionId>,
}

impl<'m> Unshown<'m> {
    /// `step 7 "Switch traffic" is on a person's word, and its own proof DOES NOT HOLD: services.shop.up`.
    pub fn words(&self) -> String {
        let step = self.step;
        if self.is_exercise {
            let (place, title) = (self.place, &step.title);
            return format!("step {place} \"{title}\" was {EXERCISE}: nobody did it for real");
        }
        let asked = step.verify.as_ref().filter(|_| !self.is_another);
        let condition = asked.map_or(ANOTHER_PROOF, |verify| verify.source());
        format!(
            "step {} \"{}\" is on a person's word, and its own proof {}: {condition}",
            self.place,
            step.title,
            self.how()
        )
    }

    /// `it was attested, and its own proof DOES NOT HOLD`.
    pub fn why(&self) -> String {
        match self.is_exercise {
            true => format!("it was {EXERCISE}"),
            false => format!("it was attested, and its own proof {}", self.how()),
        }
    }

    fn how(&self) -> &'static str {
        if self.is_false { "DOES NOT HOLD" } else { "CANNOT BE TOLD" }
    }
}

/// The first attested step of a run whose own proof does not hold now, or that nobody did for real; one that is known to
/// be false comes first. What was proven once, was taken back, or was overtaken by what serves since, is none.
pub fn unshown<'m>(model: &'m Model, run: &'m Run, now: Timestamp) -> Option<Unshown<'m>> {
    let runbook = model.plan.runbooks.get(&run.runbook)?;
    let found = runbook.steps.values().enumerate().filter_map(|(place, step)| {
        let state = run.steps.get(&step.id)?;
        let moves = !step.serves.is_empty() || run.is_switch(&step.id);
        let is_over = state.proven.is_some() || (state.moved.is_some() && (moves || state.undone.is_some()));
        if state.status != StepStatus::Attested || is_over {
            return None;
        }
        let is_exercise = is_only_said(model, run, state);
        let region = run.aim.region.as_ref().filter(|_| run.is_switch(&step.id));
        let (place, is_another) = (place + 1, !state.is_of(step));
        let found = |is_false| Unshown { runbook, place, step, is_false, is_another, is_exercise, region };
        if is_exercise {
            // Of a run that was aborted nobody does it any more.
            return (!run.is_aborted()).then(|| found(moves || !step.is_for_people()));
        }
        let is_false = match proof(model, run, step, state, now) {
            Some(Truth::True) => return None,
            None if !state.unproven => return None,
            Some(Truth::False) => true,
            // Of a plan that asks for no proof any more nobody can tell.
            Some(Truth::Unknown(_)) | None => false,
        };
        (!is_taken_back(model, run, &step.id, state)).then(|| found(is_false))
    });
    found.min_by_key(|found| (!found.is_false, found.region.is_none()))
}

/// Whether a step was only said in an exercise that moves nothing and is real by now. While it goes on that is what it is
/// for.
pub fn is_only_said(model: &Model, run: &Run, state: &StepRun) -> bool {
    let drills = model.durable.incident.iter().filter(|incident| incident.mode == Mode::SafeDrill);
    state.exercise && drills.into_iter().all(|incident| incident.run(&run.id).is_none())
}

/// The same of all runs of the open incident, the latest first.
pub fn unshown_of_any(model: &Model, now: Timestamp) -> Option<Unshown<'_>> {
    let runs = model.durable.incident.iter().flat_map(|incident| incident.runs.iter().rev());
    runs.filter_map(|run| unshown(model, run, now)).min_by_key(|found| !found.is_false)
}

/// What people say was moved and nothing has proven, and what is left to record, with the command that does.
pub fn sentences(model: &Model, now: Timestamp) -> Vec<String> {
    let waiting = unshown_of_any(model, now).map(|unshown| format!("{}.", unshown.words()));
    let left = left(model);
    let left = left.iter().map(|left| left.sentence(model, RECORD));
    waiting.into_iter().chain(left).collect()
}

/// What a step's own proof comes to, by readings of after it ran or was attested: what was measured before says nothing of
/// it. Of one that lifeboat did not run, and nobody attested, all readings count. What it moves is looked at where it moves
/// it to. None where the plan wants no proof.
pub fn proof(model: &Model, run: &Run, step: &Step, state: &StepRun, now: Timestamp) -> Option<Truth> {
    let view = View { model, now };
    if !state.is_of(step) {
        return state.unproven.then(|| Truth::Unknown(ANOTHER_PROOF.into()));
    }
    let condition = step.verify.as_ref()?;
    let since = state.ended_at.or(state.started_at);
    let ahead = placement::ahead(model, run, step);
    Some(condition.evaluate(&Since { view, since, ahead }))
}
