//! What a person confirms: a frozen bundle that owns the exact call it will run.

use crate::core::action::{Description, ManualCard};
use crate::core::signal::SignalState;
use crate::ids::{ConfirmationId, ProbeId, RunId, StepId};
use crate::plan::ConfirmLevel;
use crate::plan::condition::Truth;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A signal as it was when somebody decided.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The probe.
    pub probe: ProbeId,
    /// What people call it.
    pub title: String,
    /// Its state.
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
}

/// A guard as it was when the confirmation was made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GuardResult {
    /// The condition.
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

/// What would be lost if the failover happened now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LossEstimate {
    /// The probe that it comes from.
    pub probe: ProbeId,
    /// Time span of writes; none where it is not known.
    pub span: Option<SignedDuration>,
    /// Bytes of write-ahead log not yet received by the standby; none where it is not known.
    pub bytes: Option<u64>,
    /// How it was found, in words.
    pub basis: String,
    /// When it was measured; none where it never was.
    pub measured_at: Option<Timestamp>,
}

impl LossEstimate {
    /// `about 14 s, 3.2 MB not yet replicated`, or that it is not known.
    pub fn sentence(&self) -> String {
        match (self.span, self.bytes) {
            (None, None) => format!("not known: {}", self.basis),
            (Some(span), None) => format!("about {} not yet replicated", crate::units::duration(span)),
            (None, Some(bytes)) => format!("about {} not yet replicated", crate::units::bytes(bytes)),
            (Some(span), Some(0)) if span.is_zero() => {
                "nothing: everything that was written is replicated".into()
            }
            (Some(span), Some(bytes)) => {
                format!(
                    "about {}, {} not yet replicated",
                    crate::units::duration(span),
                    crate::units::bytes(bytes)
                )
            }
        }
    }

    /// Whether `now` is worse than what was confirmed by more than measuring noise: unknown where it was
    /// known, or over half as much again and over ten seconds or a megabyte more.
    pub fn is_materially_worse(&self, now: &Self) -> bool {
        let span_grew = match (self.span, now.span) {
            (Some(_), None) => true,
            (Some(then), Some(now)) => now > then + (then / 2).max(SignedDuration::from_secs(10)),
            (None, _) => false,
        };
        let bytes_grew = match (self.bytes, now.bytes) {
            (Some(_), None) => true,
            (Some(then), Some(now)) => now > then.saturating_add((then / 2).max(1_000_000)),
            (None, _) => false,
        };
        span_grew || bytes_grew
    }
}

/// The frozen bundle.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Confirmation {
    /// Its name; a new one each time that it is made.
    pub id: ConfirmationId,
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// How it is confirmed.
    pub level: ConfirmLevel,
    /// The exact call and its target.
    pub description: Description,
    /// What a person would do instead.
    pub manual: ManualCard,
    /// The guards.
    pub guards: Vec<GuardResult>,
    /// The signals that the guards read.
    pub evidence: Vec<Evidence>,
    /// What is lost; none where the runbook loses nothing.
    pub losses: Vec<LossEstimate>,
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
