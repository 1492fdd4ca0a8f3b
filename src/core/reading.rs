//! What a probe returns.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one probe run returned, or why it could not.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// When the run ended.
    pub at: Timestamp,
    /// How long it took.
    pub took: SignedDuration,
    /// The measurement, or why there is none.
    pub outcome: Result<Measurement, ProbeFailure>,
}

/// A measurement: also of something that is down.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// The probe's own judgement, before the plan's thresholds; the worse of both counts.
    pub verdict: Verdict,
    /// The value that thresholds bound, in the kind's unit; none where nothing could be measured
    /// (a lag while nothing streams is not a lag of zero).
    pub value: Option<f64>,
    /// What else was read, by name with its unit (`receive_lag_bytes`).
    pub fields: BTreeMap<String, Field>,
    /// One line for the screen.
    pub summary: String,
}

/// The probe's own judgement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing wrong with it.
    Good,
    /// Worth a look, and why.
    Warn(String),
    /// Down or unusable, and why.
    Critical(String),
}

/// A measured property.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// A number, in the unit that the name ends with.
    Number(f64),
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
}

/// Why nothing could be measured; the signal becomes unknown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct ProbeFailure {
    /// What failed, on what, and why.
    pub why: String,
    /// What the operator can do about it.
    pub next: String,
}

impl Measurement {
    /// A field that is a number.
    pub fn number(&self, field: &str) -> Option<f64> {
        match self.fields.get(field) {
            Some(Field::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A field that is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.fields.get(field) {
            Some(Field::Text(text)) => Some(text),
            _ => None,
        }
    }
}
