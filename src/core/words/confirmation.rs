//! What a person confirms: a frozen bundle that owns the exact call it will run.

use crate::base::ids::{ConfirmationId, ProbeId, RunId, StepId};
use crate::core::ask::other_side::OtherServer;
use crate::core::words::action::{Description, ManualCard};
use crate::core::words::signal::SignalState;
use crate::core::words::status::StepStatus;

pub use crate::core::words::loss::LossEstimate;
use crate::plan::ConfirmLevel;
use crate::plan::condition::Truth;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A signal as it was when somebody decided.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub probe: ProbeId,
    /// What people call it.
    pub title: String,
    pub state: SignalState,
    /// The measured value, as the screen shows it; empty where there is none.
    pub value: String,
    /// The probe's own line, or why nothing was measured.
    pub summary: String,
    /// When it was measured; none where it never was.
    pub measured_at: Option<Timestamp>,
    /// Kind of probe and region (`postgres-replication, dr`).
    pub source: String,
    /// The bounds (`warn 30 s, critical 60 s`); empty where there are none.
    pub threshold: String,
    /// How many of its latest readings are worse than its state says, and after how many it turns.
    #[serde(default)]
    pub failing: Option<(u32, u32)>,
}

/// A guard as it was when the confirmation was made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GuardResult {
    pub condition: String,
    /// What it came to.
    pub truth: Truth,
    /// Why a person lets the step run all the same.
    pub overridden: Option<String>,
}

impl GuardResult {
    /// Whether it lets the step run.
    pub fn allows(&self) -> bool {
        self.truth == Truth::True || self.overridden.is_some()
    }
}

/// A step that this one needs and that was not proven: left out, or done on a person's word.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Unproven {
    /// Its place in the runbook, from 1.
    pub place: usize,
    /// What people call it.
    pub title: String,
    /// Skipped or attested.
    pub status: StepStatus,
    /// Why it was skipped, or how it was done by hand.
    pub reason: String,
}

/// The frozen bundle.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Confirmation {
    /// Its name; a new one each time that it is made.
    pub id: ConfirmationId,
    pub run: RunId,
    pub step: StepId,
    pub level: ConfirmLevel,
    /// The exact call and its target.
    pub description: Description,
    /// What a person would do instead.
    pub manual: ManualCard,
    pub guards: Vec<GuardResult>,
    /// The signals that the guards read.
    pub evidence: Vec<Evidence>,
    /// What is lost; none where the runbook loses nothing.
    pub losses: Vec<LossEstimate>,
    /// The steps before it that nothing in the world has proven.
    #[serde(default)]
    pub before: Vec<Unproven>,
    #[serde(default)]
    pub other_side: Vec<OtherServer>,
    /// When it was made.
    pub prepared_at: Timestamp,
    /// When it can no longer be used.
    pub expires_at: Timestamp,
}

impl Confirmation {
    /// What must be typed; none where a key is enough.
    pub fn phrase(&self) -> Option<&str> {
        (self.level == ConfirmLevel::Type).then_some(&*self.description.target.name)
    }

    /// The first guard that does not let the step run.
    pub fn blocking_guard(&self) -> Option<(usize, &GuardResult)> {
        self.guards.iter().enumerate().find(|(_, guard)| !guard.allows())
    }
}
