//! Scenarios: what breaks in a simulated world, when, and how the operator's steps change it.
//!
//! A scenario is written in TOML and checked against the plan that it is played with, so that what is kept
//! here names only things that exist.

mod entry;
mod file;
mod select;
mod sheet;
#[cfg(test)]
mod tests;

use crate::base::ids::{ProbeId, RegionId, StepId};
use crate::base::toml::Diagnostics;
use crate::plan::Plan;
use jiff::SignedDuration;

/// A story for a simulated world, resolved against one plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Its name (`region-down`).
    pub name: String,
    /// One line for lists.
    pub title: String,
    /// How long a simulated step takes where nothing says otherwise; its own estimate where this is absent.
    pub steps_take: Option<SignedDuration>,
    /// What happens by itself.
    pub events: Vec<Event>,
    /// What follows from steps.
    pub reactions: Vec<Reaction>,
}

/// Something that happens by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Since the start of the world.
    pub after: SignedDuration,
    /// What changes then.
    pub changes: Vec<Change>,
}

/// Something that follows from a step.
#[derive(Clone, PartialEq, Debug)]
pub struct Reaction {
    /// Which steps.
    pub trigger: Trigger,
    /// How long the step takes, where the scenario says.
    pub takes: Option<SignedDuration>,
    /// Lines that the step prints.
    pub output: Vec<String>,
    /// How it goes wrong.
    pub fault: Option<Fault>,
    /// How long after the step's end the changes come.
    pub after: SignedDuration,
    /// What changes in the world.
    pub changes: Vec<Change>,
}

/// Which steps a reaction is about.
#[derive(Clone, PartialEq, Debug)]
pub enum Trigger {
    /// The step of that name, in any runbook.
    Step(StepId),
    /// Every step with that kind of action.
    Action(String),
}

/// How a step goes wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    pub attempts: Attempts,
    /// In which way.
    pub how: FaultKind,
    /// The reason that is shown.
    pub why: String,
}

/// At which attempts a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempts {
    /// At the first only: trying again works.
    First,
    /// At each.
    Always,
}

/// In which way a step goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The provider says no; nothing was done.
    Refused,
    /// No answer until the deadline; nothing was done, and nobody knows that.
    Hangs,
    /// It was done, and the answer was lost on the way.
    LostAnswer,
    /// The target is no longer the one that was confirmed.
    TargetChanged,
}

/// One change of the simulated world.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A whole region.
    Region(RegionId, RegionState),
    /// One probe's subject.
    Probe(ProbeId, ProbeState),
    /// Public traffic goes to this region from now on.
    Traffic(RegionId),
    /// What a public endpoint shows comes from this region from now on, wherever the other traffic goes.
    Routed(ProbeId, RegionId),
    /// The databases of this region take writes from now on.
    Promoted(RegionId),
    /// The databases of this region take no more writes.
    Fenced(RegionId),
    /// The databases of this region take writes again.
    Unfenced(RegionId),
    /// The databases of this region follow those of the region that was promoted last, as standbys.
    Rebuilt(RegionId),
}

/// How a region is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RegionState {
    /// Everything answers.
    Up,
    /// Nothing answers.
    Down,
    /// Every other endpoint is down; the databases work.
    Partial,
    /// Nothing in it can be measured from here.
    Unreachable,
    /// Down for half of the period, then up.
    Flapping(SignedDuration),
}

/// How the thing is that a probe looks at.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ProbeState {
    /// As on a good day.
    Normal,
    /// Measured, and down.
    Down,
    /// It cannot be measured: the signal becomes unknown.
    Unreachable,
    /// A value in the unit of the probe, moving with time.
    Value {
        /// At the moment of the change.
        value: f64,
        /// Growth for each second since.
        per_second: f64,
    },
    /// Down for half of the period, then normal.
    Flapping(SignedDuration),
}

impl Scenario {
    /// Reads a scenario file and checks it against a plan. `file` is its name in problems.
    pub fn parse(text: &str, file: &str, plan: &Plan) -> Result<Self, Diagnostics> {
        file::parse(text, file, plan)
    }
}

/// A scenario that comes with lifeboat.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// As in `--scenario NAME`.
    pub name: &'static str,
    /// Its TOML text.
    pub text: &'static str,
}

impl Shipped {
    /// What happens, in one line, as its file says.
    pub fn title(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Head {
            title: String,
        }
        // Every one of them is parsed by the tests.
        toml::from_str::<Head>(self.text).map(|head| head.title).unwrap_or_default()
    }

    /// Checks it against a plan.
    pub fn resolve(&self, plan: &Plan) -> Result<Scenario, Diagnostics> {
        Scenario::parse(self.text, &format!("{}.toml", self.name), plan)
    }
}

/// Scenarios for any plan: they name regions and probes by their part (`@primary`, `@replication`).
pub static GENERIC: &[Shipped] = &[
    Shipped { name: "healthy", text: include_str!("generic/healthy.toml") },
    Shipped { name: "region-down", text: include_str!("generic/region-down.toml") },
    Shipped { name: "replica-lag", text: include_str!("generic/replica-lag.toml") },
    Shipped { name: "partial-outage", text: include_str!("generic/partial-outage.toml") },
    Shipped { name: "backup-stale", text: include_str!("generic/backup-stale.toml") },
    Shipped { name: "flapping", text: include_str!("generic/flapping.toml") },
    Shipped { name: "blind", text: include_str!("generic/blind.toml") },
];

/// The scenario of that name for any plan.
pub fn generic(name: &str) -> Option<&'static Shipped> {
    GENERIC.iter().find(|shipped| shipped.name == name)
}
