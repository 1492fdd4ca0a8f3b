//! When a drill was last done, and whether it is due.

use crate::core::incident::{Incident, Mode, RunEnd};
use crate::core::model::Model;
use crate::core::signal::age;
use crate::plan::Drill;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How a drill stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DrillStanding {
    /// How long ago it was last done; none where that is not known to have happened.
    pub done: Option<SignedDuration>,
    /// How long until it is due; negative when it is overdue, zero where it was never done.
    pub due_in: SignedDuration,
}

impl DrillStanding {
    /// Whether it should have been done by now.
    pub fn is_due(&self) -> bool {
        self.due_in <= SignedDuration::ZERO
    }
}

/// How a drill stands now: the later of the plan's date and the last drill of this journal that completed its
/// runbook.
pub fn standing(model: &Model, drill: &Drill, now: Timestamp) -> DrillStanding {
    let written =
        drill.last.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
    let journaled = model.durable.closed.iter().filter_map(|incident| completed(incident, drill)).max();
    let done = [written, journaled].into_iter().flatten().max().map(|at| age(at, now));
    let due_in = done.map_or(SignedDuration::ZERO, |ago| drill.every.saturating_sub(ago));
    DrillStanding { done, due_in }
}

fn completed(incident: &Incident, drill: &Drill) -> Option<Timestamp> {
    if incident.mode != Mode::Drill {
        return None;
    }
    let runs = incident.runs.iter().filter(|run| Some(&run.runbook) == drill.runbook.as_ref());
    runs.filter_map(|run| run.ended.as_ref())
        .filter(|(_, end)| *end == RunEnd::Completed)
        .map(|(at, _)| *at)
        .max()
}
