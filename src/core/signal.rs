//! The judged state of a probe: thresholds, hysteresis, staleness.

use crate::core::reading::{Reading, Verdict};
use crate::plan::{ProbeSpec, Thresholds};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How something is. Unknown is never ok.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalState {
    /// Within its bounds.
    Ok,
    /// Past its first bound.
    Warn,
    /// Down, or past its second bound.
    Critical,
    /// Not measured, or too long ago.
    Unknown,
}

impl SignalState {
    /// `ok`, `warn`, `critical`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }

    /// Order of concern, for hysteresis and for lists with the worst first.
    pub fn concern(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warn => 1,
            Self::Unknown => 2,
            Self::Critical => 3,
        }
    }
}

/// How many changes a signal or region remembers; enough for flap detection and the screen.
pub const REMEMBERED_CHANGES: usize = 16;
/// How many values a sparkline remembers.
pub const REMEMBERED_VALUES: usize = 60;

/// The durable part of a signal: it changes only by `SignalChanged` and `EngineStarted`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Signal {
    /// How it is.
    pub state: SignalState,
    /// Since when.
    pub since: Timestamp,
    /// Why, in words.
    pub why: String,
}

/// What was measured lately; not durable.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Recent {
    /// The last run, also a failed one.
    pub latest: Option<Reading>,
    /// The last run that measured something.
    pub measured: Option<Reading>,
    /// How the last readings differ from the signal's state.
    pub streak: Streak,
    /// The last values, oldest first; none where a run gave no value.
    pub values: VecDeque<Option<f64>>,
}

impl Recent {
    /// Takes in a reading that was judged as `judged` while the signal was in `state`.
    pub fn push(&mut self, reading: Reading, state: SignalState, judged: SignalState) {
        self.streak = self.streak.with(state, judged);
        if self.values.len() == REMEMBERED_VALUES {
            self.values.pop_front();
        }
        self.values.push_back(reading.outcome.as_ref().ok().and_then(|measured| measured.value));
        if reading.outcome.is_ok() {
            self.measured = Some(reading.clone());
        }
        self.latest = Some(reading);
    }
}

/// Consecutive readings that are worse, or better, than the signal's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Streak {
    /// Consecutive worse ones.
    pub worse: u32,
    /// Consecutive better ones.
    pub better: u32,
}

impl Streak {
    /// The streak after one more reading.
    #[must_use]
    pub fn with(self, state: SignalState, judged: SignalState) -> Self {
        match judged.concern().cmp(&state.concern()) {
            std::cmp::Ordering::Greater => Self { worse: self.worse + 1, better: 0 },
            std::cmp::Ordering::Less => Self { worse: 0, better: self.better + 1 },
            std::cmp::Ordering::Equal => Self::default(),
        }
    }
}

/// Judges one reading by the probe's own verdict and the plan's thresholds; the worse counts.
pub fn judge(spec: &ProbeSpec, reading: &Reading) -> (SignalState, String) {
    let measurement = match &reading.outcome {
        Err(failure) => return (SignalState::Unknown, failure.why.clone()),
        Ok(measurement) => measurement,
    };
    let (by_value, bound) =
        measurement.value.map_or((SignalState::Ok, None), |v| compare(&spec.thresholds, v));
    let (by_probe, said) = match &measurement.verdict {
        Verdict::Good => (SignalState::Ok, &measurement.summary),
        Verdict::Warn(why) => (SignalState::Warn, why),
        Verdict::Critical(why) => (SignalState::Critical, why),
    };
    match bound {
        Some(bound) if by_value.concern() > by_probe.concern() => {
            let side = if spec.thresholds.below { "below" } else { "at or over" };
            (by_value, format!("{}, {side} {}", measurement.summary, crate::units::value(bound, spec.unit)))
        }
        _ => (by_probe, said.clone()),
    }
}

/// Where a value lies, and the bound that it passed. A value that is not a number is never ok.
fn compare(thresholds: &Thresholds, value: f64) -> (SignalState, Option<f64>) {
    if value.is_nan() {
        return (SignalState::Unknown, Some(value));
    }
    let passed = |bound: Option<f64>| {
        bound.filter(|&bound| if thresholds.below { value < bound } else { value >= bound })
    };
    if let Some(bound) = passed(thresholds.critical) {
        (SignalState::Critical, Some(bound))
    } else if let Some(bound) = passed(thresholds.warn) {
        (SignalState::Warn, Some(bound))
    } else {
        (SignalState::Ok, None)
    }
}

/// Whether a reading judged as `judged` moves the signal: after `fail_after` worse readings in a row or
/// `recover_after` better ones. The first good reading after a start counts at once; a first bad one
/// does not, the signal stays unknown until it is confirmed.
pub fn moves(spec: &ProbeSpec, state: SignalState, recent: &Recent, judged: SignalState) -> bool {
    let streak = recent.streak.with(state, judged);
    let first = recent.latest.is_none();
    let leaves_unknown_for_worse = state == SignalState::Unknown && judged == SignalState::Critical;
    if streak.worse > 0 || leaves_unknown_for_worse {
        streak.worse >= spec.fail_after
    } else {
        streak.better > 0 && (first || streak.better >= spec.recover_after)
    }
}

/// Whether the last measurement is too old to say anything.
pub fn is_stale(spec: &ProbeSpec, recent: &Recent, now: Timestamp) -> bool {
    recent.latest.as_ref().is_none_or(|reading| age(reading.at, now) > spec.stale_after)
}

/// How old something is; never negative, also when a clock jumped back.
pub fn age(at: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(at).max(SignedDuration::ZERO)
}
