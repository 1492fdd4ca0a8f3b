//! What an action finds when it looks whether it could be done right now.

use crate::base::ids::{RunbookId, StepId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long each question may take: reading a target, an action's own checks, a secret, a permission.
pub const DEADLINE: Duration = Duration::from_secs(15);

/// One thing that an action needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What is needed (`the record's TTL is low enough`).
    pub what: String,
    /// Whether it is there.
    pub result: Checked,
    /// What the operator can do about it; empty where nothing is wrong.
    pub next: String,
}

/// Whether something that is needed is there, and what was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// It is.
    Pass(String),
    /// It is, and something about it is worth a look.
    Warn(String),
    /// It is not.
    Fail(String),
    /// Nobody can tell without doing it.
    NotCheckable(String),
}

impl Check {
    /// It is there.
    pub fn pass(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::Pass(seen.into()), next: String::new() }
    }

    /// It is there, and worth a look.
    pub fn warn(what: impl Into<String>, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::Warn(seen.into()), next: next.into() }
    }

    /// It is not there.
    pub fn fail(what: impl Into<String>, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::Fail(seen.into()), next: next.into() }
    }

    /// Nobody can tell without doing it.
    pub fn not_checkable(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::NotCheckable(why.into()), next: String::new() }
    }
}

impl Checked {
    /// What was seen, or why nothing could be.
    pub fn seen(&self) -> &str {
        match self {
            Self::Pass(seen) | Self::Warn(seen) | Self::Fail(seen) | Self::NotCheckable(seen) => seen,
        }
    }

    /// `pass`, `warn`, `fail`, `not checkable`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass(_) => "pass",
            Self::Warn(_) => "warn",
            Self::Fail(_) => "fail",
            Self::NotCheckable(_) => "not checkable",
        }
    }

    /// Order of concern, for lists with the worst first.
    pub fn concern(&self) -> u8 {
        match self {
            Self::Pass(_) => 0,
            Self::NotCheckable(_) => 1,
            Self::Warn(_) => 2,
            Self::Fail(_) => 3,
        }
    }
}

/// What a preflight of a whole plan found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Preflight {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: SignedDuration,
    /// The scenario, where the world was simulated: it then says nothing of the real one.
    pub simulated: Option<String>,
    /// What concerns a whole region of the provider: who is calling there, and until when.
    pub regions: Vec<RegionChecks>,
    /// The steps, in the order of the plan.
    pub steps: Vec<StepChecks>,
}

/// What was checked in a region of the provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegionChecks {
    /// The provider's name of it (`us-west-2`).
    pub region: String,
    pub checks: Vec<Check>,
}

/// What was checked for a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepChecks {
    pub runbook: RunbookId,
    pub step: StepId,
    /// What people call it.
    pub title: String,
    /// The kind of its action.
    pub action: String,
    pub checks: Vec<Check>,
}

/// How many checks came to what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// There.
    pub pass: usize,
    /// There, and worth a look.
    pub warn: usize,
    /// Not there.
    pub fail: usize,
    /// Nobody can tell.
    pub not_checkable: usize,
}

impl Preflight {
    /// Every check, with what it belongs to (`full/promote`, `us-west-2`).
    pub fn checks(&self) -> impl Iterator<Item = (String, &Check)> {
        let regions =
            self.regions.iter().flat_map(|of| of.checks.iter().map(|check| (of.region.clone(), check)));
        let steps = self
            .steps
            .iter()
            .flat_map(|of| of.checks.iter().map(move |check| (format!("{}/{}", of.runbook, of.step), check)));
        regions.chain(steps)
    }

    /// How many checks came to what.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (_, check) in self.checks() {
            match check.result {
                Checked::Pass(_) => tally.pass += 1,
                Checked::Warn(_) => tally.warn += 1,
                Checked::Fail(_) => tally.fail += 1,
                Checked::NotCheckable(_) => tally.not_checkable += 1,
            }
        }
        tally
    }

    /// What fails, each once, in the order of the plan.
    pub fn failing(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (name, check) in self.checks() {
            if matches!(check.result, Checked::Fail(_)) && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} fail, {} warn, {} not checkable, {} pass",
            self.fail, self.warn, self.not_checkable, self.pass
        )
    }
}
