//! The judged state of a probe: thresholds, hysteresis, staleness.

use crate::core::ask::roles::{self, Role};
use crate::core::ask::servers::Seen;
use crate::core::words::reading::{Reading, Verdict};
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
    pub state: SignalState,
    pub since: Timestamp,
    /// Since when it was seen to be nothing but critical; it goes on while nobody can tell, as over a restart.
    #[serde(default)]
    pub critical_since: Option<Timestamp>,
    /// Since when nobody can tell, where nobody can; it goes on over a restart.
    #[serde(default)]
    pub unknown_since: Option<Timestamp>,
    /// Why, in words.
    pub why: String,
}

impl Signal {
    /// Since when nobody can tell, restarts of the engine counted in; none of what is known.
    pub fn unknown_since(&self) -> Option<Timestamp> {
        (self.state == SignalState::Unknown).then(|| self.unknown_since.unwrap_or(self.since))
    }
}

/// What was measured lately; not durable.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Recent {
    /// The last run, also a failed one.
    pub latest: Option<Reading>,
    /// The last run that measured something, where the latest one did not.
    before: Option<Reading>,
    /// How the last readings were judged.
    pub streak: Streak,
    /// The last values, oldest first; none where a run gave no value.
    pub values: VecDeque<Option<f64>>,
    /// The role in which a database server was last seen; none once it answered without one, as when it is down.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// Which database that server is a copy of, also when it does not answer any more.
    #[serde(default)]
    pub database: Option<String>,
}

impl Recent {
    /// Takes in a reading that was judged as `judged`.
    pub fn push(&mut self, reading: Reading, judged: SignalState) {
        self.streak = self.streak.with(judged);
        if self.values.len() == REMEMBERED_VALUES {
            self.values.pop_front();
        }
        self.values.push_back(reading.outcome.as_ref().ok().and_then(|measured| measured.value));
        // A run that measured nothing says nothing: whoever accepted writes may go on.
        if let Ok(measured) = &reading.outcome {
            self.seen = Seen::of(measured, reading.at).map(|seen| seen.after(self.seen.as_ref()));
        }
        if let Some(database) = self.seen.as_ref().and_then(|seen| seen.database.as_ref()) {
            self.database = Some(database.clone());
        }
        if reading.outcome.is_ok() {
            self.before = None;
        } else if let Some(measured) = self.latest.take().filter(|latest| latest.outcome.is_ok()) {
            self.before = Some(measured);
        }
        self.latest = Some(reading);
    }

    /// The last run that measured something.
    pub fn measured(&self) -> Option<&Reading> {
        self.latest.as_ref().filter(|latest| latest.outcome.is_ok()).or(self.before.as_ref())
    }
}

/// For each state, by its concern, how many of the latest readings in a row were at least, and at most, as bad.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Streak {
    at_least: [u32; 4],
    at_most: [u32; 4],
}

impl Streak {
    /// The streak after one more reading.
    #[must_use]
    pub fn with(mut self, judged: SignalState) -> Self {
        let judged = usize::from(judged.concern());
        for (concern, count) in self.at_least.iter_mut().enumerate() {
            *count = if judged >= concern { count.saturating_add(1) } else { 0 };
        }
        for (concern, count) in self.at_most.iter_mut().enumerate() {
            *count = if judged <= concern { count.saturating_add(1) } else { 0 };
        }
        self
    }

    /// Whether the latest reading was judged worse than this.
    pub fn was_worse(&self, judged: SignalState) -> bool {
        // Every reading is at least as bad as ok: without one nothing was judged.
        self.at_least[0] > 0 && self.at_most[usize::from(judged.concern())] == 0
    }
}

/// Judges one reading by the probe's own verdict, the role that its server should have, and the plan's thresholds; the
/// worst counts. Where there are
/// thresholds and no value, a good verdict alone says nothing.
pub fn judge(spec: &ProbeSpec, expected: Option<Role>, reading: &Reading) -> (SignalState, String) {
    let measurement = match &reading.outcome {
        Err(failure) => return (SignalState::Unknown, failure.why.clone()),
        Ok(measurement) => measurement,
    };
    let (by_value, bound) =
        measurement.value.map_or((SignalState::Ok, None), |v| compare(&spec.thresholds, v));
    let verdict = measurement.verdict.clone().or_worse(roles::judge(expected, measurement));
    let (by_probe, said) = match &verdict {
        Verdict::Good if measurement.value.is_none() && spec.thresholds.exist() => {
            return (
                SignalState::Unknown,
                format!("{}, without a value for its bounds", measurement.summary),
            );
        }
        Verdict::Good => (SignalState::Ok, &measurement.summary),
        Verdict::Warn(why) => (SignalState::Warn, why),
        Verdict::Critical(why) => (SignalState::Critical, why),
    };
    match bound {
        Some(bound) if by_value.concern() > by_probe.concern() => {
            let side = if spec.thresholds.below { "below" } else { "at or over" };
            (
                by_value,
                format!("{}, {side} {}", measurement.summary, crate::base::units::value(bound, spec.unit)),
            )
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

/// The signal's state after one more reading: the worst that `fail_after` readings in a row were at least as bad
/// as, or the best that `recover_after` were at most as bad as. One reading alone decides only where it is the
/// first after a start and good; a first bad one does not, the signal stays unknown until it is confirmed.
pub fn next_state(
    (fail_after, recover_after): (u32, u32),
    state: SignalState,
    recent: &Recent,
    judged: SignalState,
) -> SignalState {
    use SignalState::{Critical, Ok, Unknown, Warn};
    let streak = recent.streak.with(judged);
    let worse = [Critical, Unknown, Warn].into_iter().filter(|to| to.concern() > state.concern());
    let better = [Ok, Warn, Unknown].into_iter().filter(|to| to.concern() < state.concern());
    let first = recent.latest.is_none();
    let mut worse = worse.filter(|to| streak.at_least[usize::from(to.concern())] >= fail_after);
    let mut better = better.filter(|to| {
        let needed = if first { 1 } else { recover_after };
        streak.at_most[usize::from(to.concern())] >= needed
    });
    worse.next().or_else(|| better.next()).unwrap_or(state)
}

/// How many of the latest readings in a row are worse than a signal says, and after how many it turns: `1 of 3`; none
/// where the latest is not.
pub fn failing(spec: &ProbeSpec, state: SignalState, recent: &Recent) -> Option<(u32, u32)> {
    let worse = usize::from(state.concern()) + 1;
    let count = recent.streak.at_least.get(worse).copied().filter(|count| *count > 0)?;
    Some((count.min(spec.fail_after), spec.fail_after))
}

/// How many of the latest readings in a row are better than a signal says, and after how many it turns; none where the
/// latest is not.
pub fn recovering(spec: &ProbeSpec, state: SignalState, recent: &Recent) -> Option<(u32, u32)> {
    let better = usize::from(state.concern().checked_sub(1)?);
    let count = recent.streak.at_most.get(better).copied().filter(|count| *count > 0)?;
    Some((count.min(spec.recover_after), spec.recover_after))
}

/// Whether the last measurement is too old to say anything; runs that failed since say nothing either.
pub fn is_stale(spec: &ProbeSpec, recent: &Recent, now: Timestamp) -> bool {
    recent.measured().is_none_or(|reading| age(reading.at, now) > spec.stale_after)
}

/// How old something is; never negative, also when a clock jumped back.
pub fn age(at: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(at).max(SignedDuration::ZERO)
}
