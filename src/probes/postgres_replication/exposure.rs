//! What is lost if the standby is promoted now.

use super::history::{History, Sample};
use crate::probes::words;
use std::time::{Duration, Instant};

/// What is lost if the standby is promoted now.
#[derive(Clone, PartialEq, Debug)]
pub struct Exposure {
    /// Commits of at most the last so many seconds.
    pub span: Option<Duration>,
    /// WAL that the standby does not hold.
    pub bytes: Option<u64>,
    /// What the figures rest on, for the operator.
    pub basis: String,
}

/// From a known end of the primary's WAL. `commit_age`, of the last commit that the standby replayed, bounds the
/// span where the history does not reach back far enough; it compares the clocks of two servers.
pub fn measured(
    history: &History,
    end: Sample,
    holds: u64,
    now: Instant,
    commit_age: Option<Duration>,
    basis: String,
) -> Exposure {
    let bytes = end.end.saturating_sub(holds);
    if bytes == 0 {
        return Exposure { span: Some(Duration::ZERO), bytes: Some(0), basis };
    }
    match history.time_at(holds, end) {
        Some(held) => Exposure { span: Some(now.saturating_duration_since(held)), bytes: Some(bytes), basis },
        None => match commit_age.filter(|age| !age.is_zero()) {
            Some(age) => {
                let basis = format!("{basis}; time by the last replayed commit");
                Exposure { span: Some(age), bytes: Some(bytes), basis }
            }
            None => {
                let watched = words::seconds(history.watched(now).as_secs_f64());
                let basis = format!("{basis}; behind since before it was first watched, at least {watched}");
                Exposure { span: None, bytes: Some(bytes), basis }
            }
        },
    }
}

/// Without a known end: the primary is taken to have written on at its last rate until `horizon`.
pub fn estimated(history: &History, holds: u64, horizon: Instant, assumption: &str) -> Exposure {
    let Some((newest, end)) = history.newest().zip(history.projected(horizon).or_else(|| history.newest()))
    else {
        return Exposure {
            span: None,
            bytes: None,
            basis: "unknown: the primary has not been seen since the probe started".into(),
        };
    };
    let bytes = end.end.saturating_sub(holds);
    let held = match history.time_at(holds, end) {
        // It held everything when the primary was last seen, and what came after cannot be told from the rate.
        Some(held) if bytes == 0 => Some(held.min(newest.at)),
        held => held,
    };
    let rate = words::bytes(history.rate().unwrap_or(0.0));
    Exposure {
        span: held.map(|held| horizon.saturating_duration_since(held)),
        bytes: Some(bytes),
        basis: format!("estimate: the primary wrote {rate}/s when last seen, {assumption}"),
    }
}

impl Exposure {
    /// For the one-line summary (`at most 5 s, 3.2 MB`).
    pub fn words(&self) -> String {
        match (self.span, self.bytes) {
            (_, Some(0)) if self.span.is_some_and(|span| span.is_zero()) => "nothing".to_owned(),
            (Some(span), Some(bytes)) => {
                format!("{}, {}", words::seconds(span.as_secs_f64()), words::bytes(bytes as f64))
            }
            (None, Some(bytes)) => words::bytes(bytes as f64),
            _ => "an unknown amount".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn busy(start: Instant) -> History {
        let mut history = History::default();
        for look in 0..3 {
            history.push(Sample { at: start + seconds(5 * look), end: 5000 * look });
        }
        history
    }

    #[test]
    fn a_stream_that_went_on_after_the_last_look_shortens_the_loss() {
        let start = Instant::now();
        // Last look at 10 s and 10,000 B; the stream brought 3,000 B more; first failed look at 15 s.
        let exposure = estimated(&busy(start), 13_000, start + seconds(15), "");
        assert_eq!((exposure.span, exposure.bytes), (Some(seconds(2)), Some(2000)));
    }

    #[test]
    fn an_idle_primary_may_still_have_committed_since_it_was_last_seen() {
        let start = Instant::now();
        let mut history = History::default();
        history.push(Sample { at: start, end: 100 });
        history.push(Sample { at: start + seconds(5), end: 100 });
        let exposure = estimated(&history, 100, start + seconds(9), "");
        assert_eq!((exposure.span, exposure.bytes), (Some(seconds(4)), Some(0)));
    }

    #[test]
    fn never_having_seen_the_primary_is_not_zero() {
        let exposure = estimated(&History::default(), 100, Instant::now(), "");
        assert_eq!((exposure.span, exposure.bytes), (None, None));
        assert_eq!(exposure.words(), "an unknown amount");
    }

    #[test]
    fn behind_since_before_the_first_look_has_bytes_and_no_span() {
        let start = Instant::now();
        let mut history = History::default();
        history.push(Sample { at: start, end: 5000 });
        let end = Sample { at: start + seconds(5), end: 6000 };
        let exposure = measured(&history, end, 1000, end.at, None, "measured".into());
        assert_eq!((exposure.span, exposure.bytes), (None, Some(5000)));
        assert!(exposure.basis.contains("at least 5 s"), "{}", exposure.basis);
        let bounded = measured(&history, end, 1000, end.at, Some(seconds(9)), "measured".into());
        assert_eq!(bounded.span, Some(seconds(9)));
    }
}
