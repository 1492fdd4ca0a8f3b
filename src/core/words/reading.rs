//! What a probe returns.

use crate::base::problem::Problem;
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
    pub outcome: Result<Measurement, Problem>,
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

    /// A good measurement without a value.
    pub fn good(summary: impl Into<String>) -> Self {
        Self { verdict: Verdict::Good, value: None, fields: BTreeMap::new(), summary: summary.into() }
    }

    /// Down or unusable; why is also what the screen says.
    pub fn critical(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { verdict: Verdict::Critical(why.clone()), ..Self::good(why) }
    }

    /// With the value that thresholds bound, in the kind's unit. What is not a finite number is no value.
    pub fn with_value(mut self, value: f64) -> Self {
        self.value = Some(value).filter(|value| value.is_finite());
        self
    }

    /// With a number, where there is one; the name ends with its unit.
    pub fn with_number(mut self, name: &str, value: impl Into<Option<f64>>) -> Self {
        if let Some(value) = value.into().filter(|value| value.is_finite()) {
            self.fields.insert(name.to_owned(), Field::Number(value));
        }
        self
    }

    /// With a text, where there is one.
    pub fn with_text(mut self, name: &str, value: impl Into<Option<String>>) -> Self {
        if let Some(value) = value.into() {
            self.fields.insert(name.to_owned(), Field::Text(value));
        }
        self
    }

    /// With a flag.
    pub fn with_flag(mut self, name: &str, value: bool) -> Self {
        self.fields.insert(name.to_owned(), Field::Flag(value));
        self
    }

    /// With one more judgement; the worse one counts, and of two equally bad ones the first.
    pub fn judged(self, verdict: Verdict) -> Self {
        Self { verdict: self.verdict.or_worse(verdict), ..self }
    }
}

impl Verdict {
    fn rank(&self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Warn(_) => 1,
            Self::Critical(_) => 2,
        }
    }

    /// This judgement, or another one that is worse.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// Why it is not good.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Good => None,
            Self::Warn(why) | Self::Critical(why) => Some(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_judgement_counts_and_the_first_of_equals() {
        let twice = Measurement::good("x")
            .judged(Verdict::Warn("a".into()))
            .judged(Verdict::Warn("b".into()))
            .judged(Verdict::Good);
        assert_eq!(twice.verdict, Verdict::Warn("a".into()));
        assert_eq!(twice.judged(Verdict::Critical("c".into())).verdict.why(), Some("c"));
    }

    #[test]
    fn what_is_not_a_number_is_no_value() {
        let odd = Measurement::good("x").with_value(f64::NAN).with_number("a_s", f64::INFINITY);
        assert_eq!((odd.value, odd.fields.len()), (None, 0));
    }
}
