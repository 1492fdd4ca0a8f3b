//! Drills: what they may do, what is said of them, and when one was last done.

use crate::base::problem::Problem;
use crate::core::model::Model;
use crate::core::words::incident::{Incident, Mode, RunEnd};
use crate::core::words::signal::age;
use crate::plan::{Drill, Step};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The open exercise.
pub fn open(model: &Model) -> Option<&Incident> {
    model.durable.incident.as_ref().filter(|incident| incident.mode.is_drill())
}

/// What the open exercise does to the world, in words for every screen and confirmation; none where none is open.
pub fn words(model: &Model) -> Option<&'static str> {
    let drill = open(model)?;
    Some(match (model.live.simulation.is_some(), drill.mode) {
        (true, _) => "DRILL - SIMULATED",
        (false, Mode::SafeDrill) => "DRILL - safe steps only",
        (false, _) => "DRILL - ACTS FOR REAL",
    })
}

/// Whether the steps of the open exercise change what is real.
pub fn acts(model: &Model) -> bool {
    model.live.simulation.is_none() && open(model).is_some_and(|drill| drill.mode == Mode::Drill)
}

/// Why a step does not run in the open exercise; none where it may.
pub fn refusal(model: &Model, step: &Step) -> Option<Problem> {
    let kept = open(model)?.mode == Mode::SafeDrill && step.changes && !step.safe_to_drill;
    kept.then(|| {
        Problem::new(
            format!("this drill runs safe steps only, and the plan does not mark {} as safe", step.id),
            "Skip it with a reason, or say what you would do and attest it. `drill = \"safe\"` marks a step in the plan.",
        )
    })
}

/// Whether what the rules say is about the real world while an exercise is open: it is proposed and paged as without one.
pub fn real_counts(model: &Model) -> bool {
    model.live.simulation.is_none() && open(model).is_some()
}

/// How a drill stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DrillStatus {
    /// How long ago it was last done; none where that is not known to have happened.
    pub done: Option<SignedDuration>,
    /// How long until it is due; negative when it is overdue, zero where it was never done.
    pub due_in: SignedDuration,
}

impl DrillStatus {
    /// Whether it should have been done by now.
    pub fn is_due(&self) -> bool {
        self.due_in <= SignedDuration::ZERO
    }
}

/// How a drill stands now: the later of the plan's date and the last drill of this journal that completed its
/// runbook.
pub fn standing(model: &Model, drill: &Drill, now: Timestamp) -> DrillStatus {
    let written =
        drill.last.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
    let journaled = model.durable.closed.iter().filter_map(|incident| completed(incident, drill)).max();
    let done = [written, journaled].into_iter().flatten().max().map(|at| age(at, now));
    let due_in = done.map_or(SignedDuration::ZERO, |ago| drill.every.saturating_sub(ago));
    DrillStatus { done, due_in }
}

fn completed(incident: &Incident, drill: &Drill) -> Option<Timestamp> {
    if !incident.mode.is_drill() {
        return None;
    }
    let runs = incident.runs.iter().filter(|run| Some(&run.runbook) == drill.runbook.as_ref());
    runs.filter_map(|run| run.ended.as_ref())
        .filter(|(_, end)| *end == RunEnd::Completed)
        .map(|(at, _)| *at)
        .max()
}
