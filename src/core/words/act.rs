//! What acted on which region serves, in the order in which it did: times can be set, and a proof comes late.

use crate::base::ids::{RegionId, RunId, StepId};
use serde::{Deserialize, Serialize};

/// A place in the order of all acts and records.
pub type Order = u64;

/// An attempt at a step that lets a region serve or takes that back, or a person's word of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Act {
    pub run: RunId,
    pub step: StepId,
    pub kind: Kind,
    pub began: Order,
    /// None as long as it, or what it left running, may go on.
    pub ended: Option<Order>,
    pub known: Known,
    /// It has let its region serve.
    pub has_moved: bool,
}

/// What an act is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The step was done.
    Done,
    /// A person says that what the step did is taken back.
    TakenBack,
    /// What was done after the step may have taken it back: the plan of then said it, and it is another one by now.
    OtherPlan,
}

/// What is known of an act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// It is under way.
    Running,
    /// It says that it did it; its proof is awaited.
    Finished,
    /// It is on a person's word, and its own proof was not seen.
    Word,
    /// Nobody knows whether it acted.
    Maybe,
    /// It acted.
    Shown,
    /// It acted, and was taken up again since.
    Reopened,
    /// It acted in an exercise that moved nothing and is real by now.
    Drilled,
}

/// All that matters to what serves by now, and the last record.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Acts {
    last: Order,
    /// When it was recorded or measured last which region serves.
    pub recorded: Order,
    /// That region; none where that is the plan's.
    pub region: Option<RegionId>,
    /// In the order in which they began.
    pub list: Vec<Act>,
}

/// The places of a step in the order; 0 for what did not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Places {
    /// The begin of the last attempt, or the last word of it.
    pub began: Order,
    /// The end of the last attempt that may have acted, or the last word of it.
    pub acted: Order,
    /// The last word that it is taken back.
    pub undone: Order,
}

impl Places {
    /// When it was done: where nothing of it acted, when it began.
    pub fn done(&self) -> Order {
        if self.acted == 0 { self.began } else { self.acted }
    }
}

impl Acts {
    /// Takes in what an engine of before made of them. Nothing that comes later gets a place of before.
    pub fn replace(&mut self, noted: &Self) {
        let last = self.last.max(noted.last);
        *self = Self { last, ..noted.clone() };
    }

    /// The next place in the order.
    pub fn advance(&mut self) -> Order {
        self.last += 1;
        self.last
    }

    /// Takes in that it is known which region serves.
    pub fn record(&mut self, region: &RegionId) {
        (self.recorded, self.region) = (self.advance(), Some(region.clone()));
    }

    /// Takes in that something begins.
    pub fn begin(&mut self, (run, step): (&RunId, &StepId), kind: Kind) -> &mut Act {
        let (run, step, began) = (run.clone(), step.clone(), self.advance());
        // What an attempt before left running is over: else there was no other one.
        let before = self.list.iter_mut().filter(|act| kind == Kind::Done && act.is_of((&run, &step)));
        before.for_each(|act| act.ended = act.ended.or(Some(began)));
        let known = Known::Running;
        self.list.push(Act { run, step, kind, began, ended: None, known, has_moved: false });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Takes in something that is over as soon as it is said.
    pub fn say(&mut self, by: (&RunId, &StepId), kind: Kind, known: Known) -> &mut Act {
        let act = self.begin(by, kind);
        (act.ended, act.known) = (Some(act.began), known);
        act
    }

    /// The last attempt at a step, or word of it.
    pub fn last_of(&mut self, by: (&RunId, &StepId)) -> Option<&mut Act> {
        self.list.iter_mut().rev().find(|act| act.is_of(by))
    }
}

impl Act {
    /// Whether it is of that step.
    pub fn is_of(&self, (run, step): (&RunId, &StepId)) -> bool {
        self.kind == Kind::Done && self.run == *run && self.step == *step
    }

    /// Whether it may have acted after a place in the order.
    pub fn is_after(&self, place: Order) -> bool {
        self.ended.is_none_or(|ended| ended > place)
    }
}
