//! Escalation: who is told next, until somebody acknowledges.

use crate::base::ids::*;
use crate::plan::Severity;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An incident that signals or alerts propose and nobody has declared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// The name that the incident gets when it is declared.
    pub id: IncidentId,
    /// What it is about.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// When it was proposed.
    pub at: Timestamp,
}

/// A person said of a severity that it is no incident: nobody is told of it until all is well, it gets worse, or there is
/// another reason for it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Dismissal {
    /// Only a worse one is proposed.
    pub severity: Severity,
    pub at: Timestamp,
    pub who: String,
    pub why: String,
    /// What the severity rested on then.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Dismissal {
    /// Whether it speaks of this severity, which rests on `reason`.
    pub fn covers(&self, severity: Severity, reason: &str) -> bool {
        let same = self.reason.as_ref().is_none_or(|known| known == reason);
        severity > self.severity || (severity == self.severity && same)
    }
}

/// The course of telling people about one incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Escalation {
    /// The incident, or the proposal of one.
    pub incident: IncidentId,
    /// The severity that it follows: the worst since it began.
    pub severity: Severity,
    /// The policy; none where the plan has none for the severity.
    pub policy: Option<PolicyId>,
    /// The titles of the policy's levels when it began: a plan that changes them makes it begin anew.
    #[serde(default)]
    pub levels: Vec<String>,
    /// When the severity last changed; none for never.
    #[serde(default)]
    pub severity_changed_at: Option<Timestamp>,
    /// How often it began anew, from 0: with a worse severity, or when the one who acknowledged fell silent.
    pub generation: u32,
    /// When this generation began.
    pub since: Timestamp,
    /// How often its levels were gone through before, from 0.
    pub round: u32,
    /// When this round began: the levels' times count from here.
    pub round_since: Timestamp,
    /// How many levels of this round were told.
    pub told: usize,
    /// Who took it on.
    pub acknowledged: Option<Acknowledgement>,
    /// When a person last gave a sign of life: acknowledged, noted, decided, sent an update.
    pub active_at: Timestamp,
}

/// Who took an escalation on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub at: Timestamp,
    /// Who, as the console or the provider names them.
    pub who: String,
    /// How: `console`, or the channel's title.
    pub via: String,
}

/// A message of the plan that has to be sent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DueMessage {
    pub message: MessageId,
    /// Which time, from 1.
    pub number: u32,
    /// Since when it is due: an automatic one is sent then.
    pub since: Timestamp,
    /// Until when it has to be sent.
    pub by: Timestamp,
}

/// What somebody answers for in an incident.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentRole {
    /// Decides.
    Commander,
    /// Tells people.
    Communications,
    /// Acts.
    Operations,
    /// Writes down.
    Scribe,
}

impl IncidentRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Commander, Self::Communications, Self::Operations, Self::Scribe];

    /// `commander`, `communications`, `operations`, `scribe`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commander => "commander",
            Self::Communications => "communications",
            Self::Operations => "operations",
            Self::Scribe => "scribe",
        }
    }
}

/// Where an incident is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The tree is being answered.
    Assess,
    /// A runbook runs.
    Mitigate,
    /// What had to be done is done; it has to be called resolved.
    Settle,
    /// Resolved, and watched for the plan's time.
    Monitor,
    /// Watched long enough: it can be closed.
    Close,
}

impl Phase {
    /// `assess`, `mitigate`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assess => "assess",
            Self::Mitigate => "mitigate",
            Self::Settle => "settle",
            Self::Monitor => "monitor",
            Self::Close => "close",
        }
    }
}
