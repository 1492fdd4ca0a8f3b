//! What is lost if the standby is promoted now.

use super::history::{History, Sample};
use crate::base::moment::Moment;
use crate::base::words;
use std::time::Duration;

/// What is lost if the standby is promoted now: one figure while the primary is seen, else a range, whose upper end
/// takes the primary to accept writes still and so grows.
#[derive(Clone, PartialEq, Debug)]
pub struct Exposure {
    /// Commits of at most the last so many seconds.
    pub span: Option<Duration>,
    /// WAL that the standby does not hold, at most. None while the primary is out of sight: a checkpoint makes it write
    /// many times what it wrote before, so no rate bounds it.
    pub bytes: Option<u64>,
    /// Commits of at least so many seconds, if the primary died when it was last heard of.
    pub span_min: Option<Duration>,
    /// WAL that is certainly missing.
    pub bytes_min: Option<u64>,
    /// What the figures rest on, for the operator.
    pub basis: String,
}

/// What is known of the standby besides where the primary was.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The end of the WAL that it keeps if it is promoted.
    pub position: u64,
    /// Age of the last commit that it replayed: everything that was committed before is held.
    pub commit_age: Option<Duration>,
    /// The two servers' clocks were compared, so that the age can be relied on.
    pub clocks_compared: bool,
}

impl Exposure {
    /// Nothing that was acknowledged is lost.
    pub fn nothing(basis: String) -> Self {
        Self::exactly(Duration::ZERO, 0, basis)
    }

    fn exactly(span: Duration, bytes: u64, basis: String) -> Self {
        Self { span: Some(span), bytes: Some(bytes), span_min: Some(span), bytes_min: Some(bytes), basis }
    }
}

/// From a known end of the primary's WAL.
pub fn measured(history: &History, end: Sample, held: Held, now: Moment, basis: String) -> Exposure {
    let bytes = end.end.saturating_sub(held.position);
    if bytes == 0 {
        return Exposure::nothing(basis);
    }
    if let Some(at) = history.time_at(held.position, end) {
        return Exposure::exactly(now.saturating_duration_since(at), bytes, basis);
    }
    let at_most = held.commit_age.filter(|age| !age.is_zero());
    let basis = match at_most {
        Some(_) => format!("{basis}; time by the last replayed commit"),
        None => {
            let watched = words::seconds(history.watched(now).as_secs_f64());
            format!("{basis}; behind since before it was first watched, at least {watched}")
        }
    };
    Exposure { span: at_most, bytes: Some(bytes), span_min: at_most, bytes_min: Some(bytes), basis }
}

/// Without a look at the primary: from nothing but what was seen of it, up to what it may have written since.
/// `claimed` is an end of its WAL that the standby's sender told and that may be less than the primary had.
pub fn unseen(history: &History, held: Held, claimed: Option<u64>, now: Moment, why: &str) -> Exposure {
    let newest = history.newest();
    let by_look = history.held_until(held.position);
    let by_commit = held.commit_age.and_then(|age| now.checked_sub(age));
    let until = match (by_look, held.clocks_compared) {
        (Some(_), false) => by_look,
        _ => by_look.max(by_commit),
    };
    let reached = newest.map(|newest| newest.end).max(claimed.filter(|_| newest.is_some()));
    let missing = |end: u64| end.saturating_sub(held.position);
    let beyond = newest.zip(history.beyond_since(held.position));
    let least = beyond.map_or(Duration::ZERO, |(newest, since)| newest.at.saturating_duration_since(since));
    let most = until.map(|until| now.saturating_duration_since(until).max(least));
    let seen = match newest {
        Some(newest) => {
            let ago = words::seconds(now.saturating_duration_since(newest.at).as_secs_f64());
            let rate = words::bytes(history.rate().unwrap_or(0.0));
            format!("the primary was last seen {ago} ago and wrote {rate}/s")
        }
        None => "the primary has not been seen since the probe started".into(),
    };
    let basis = match (until, newest) {
        (None, _) => format!("unknown: {seen}"),
        (Some(_), None) => {
            let clocks =
                if held.clocks_compared { "" } else { ", by clocks of two servers that nobody compared" };
            format!("estimate: {seen}; time by the last commit that the standby replayed{clocks}; {why}")
        }
        (Some(_), Some(_)) => format!("estimate: {seen}; {why}"),
    };
    Exposure {
        span: most,
        bytes: None,
        span_min: most.map(|_| least),
        bytes_min: reached.map(missing),
        basis,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn held(position: u64) -> Held {
        Held { position, commit_age: None, clocks_compared: false }
    }

    fn busy(start: Moment) -> History {
        let mut history = History::default();
        for look in 0..3 {
            history.push(Sample { at: start + seconds(5 * look), end: 5000 * look });
        }
        history
    }

    #[test]
    fn out_of_sight_the_loss_lies_between_what_was_seen_and_what_may_have_been_written() {
        let start = Moment::now();
        // Last look at 10 s and 10,000 B; the standby holds 7,000 B.
        let exposure = unseen(&busy(start), held(7_000), None, start + seconds(40), "");
        assert_eq!((exposure.span_min, exposure.span), (Some(seconds(0)), Some(seconds(35))));
        assert_eq!(
            (exposure.bytes_min, exposure.bytes),
            (Some(3_000), None),
            "no rate bounds what it writes"
        );
        let stalled = unseen(&busy(start), held(1_000), None, start + seconds(40), "");
        assert_eq!((stalled.span_min, stalled.span), (Some(seconds(5)), Some(seconds(40))));
    }

    #[test]
    fn an_idle_primary_may_still_have_committed_since_it_was_last_seen() {
        let start = Moment::now();
        let mut history = History::default();
        history.push(Sample { at: start, end: 100 });
        history.push(Sample { at: start + seconds(5), end: 100 });
        let exposure = unseen(&history, held(100), None, start + seconds(9), "");
        assert_eq!((exposure.span_min, exposure.span), (Some(seconds(0)), Some(seconds(4))));
        assert_eq!((exposure.bytes_min, exposure.bytes), (Some(0), None));
    }

    #[test]
    fn a_commit_that_the_standby_replayed_bounds_the_loss_where_clocks_were_compared() {
        let start = Moment::now();
        let replayed =
            |compared| Held { commit_age: Some(seconds(3)), clocks_compared: compared, ..held(13_000) };
        let span = |held| unseen(&busy(start), held, None, start + seconds(40), "").span;
        assert_eq!(span(replayed(true)), Some(seconds(3)));
        assert_eq!(span(replayed(false)), Some(seconds(30)));
    }

    #[test]
    fn never_having_seen_the_primary_is_not_zero() {
        let now = Moment::now();
        let exposure = unseen(&History::default(), held(100), Some(100), now, "");
        assert_eq!((exposure.span, exposure.bytes, exposure.span_min), (None, None, None));
        let replayed = Held { commit_age: Some(seconds(90)), ..held(100) };
        assert_eq!(unseen(&History::default(), replayed, None, now + seconds(100), "").bytes, None);
    }

    #[test]
    fn behind_since_before_the_first_look_has_bytes_and_no_span() {
        let start = Moment::now();
        let mut history = History::default();
        history.push(Sample { at: start, end: 5000 });
        let end = Sample { at: start + seconds(5), end: 6000 };
        let exposure = measured(&history, end, held(1000), end.at, "measured".into());
        assert_eq!((exposure.span, exposure.bytes), (None, Some(5000)));
        assert!(exposure.basis.contains("at least 5 s"), "{}", exposure.basis);
        let bounded = Held { commit_age: Some(seconds(9)), ..held(1000) };
        assert_eq!(measured(&history, end, bounded, end.at, "measured".into()).span, Some(seconds(9)));
    }
}
