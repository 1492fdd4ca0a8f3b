//! Where the primary's WAL ended, and when: what turns positions into times, and what is left to estimate
//! from once the primary is gone.

use crate::base::moment::Moment;
use std::collections::VecDeque;
use std::time::Duration;

/// Samples kept. At one every 5 s of a busy primary that is more than two hours.
const MAX_SAMPLES: usize = 2048;

/// The write rate is taken over this much of the newest samples.
const RATE_WINDOW: Duration = Duration::from_secs(60);

/// The end of the primary's WAL over time, oldest first.
#[derive(Debug, Default)]
pub struct History {
    samples: VecDeque<Sample>,
    of: Option<(String, u32)>,
}

/// At that time the primary's WAL ended there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    /// On this host's clock.
    pub at: Moment,
    /// WAL position.
    pub end: u64,
}

impl History {
    /// Forgets everything when it was of another cluster or timeline, and says so: positions do not compare.
    pub fn follow(&mut self, system: &str, timeline: u32) -> bool {
        let of = (system.to_owned(), timeline);
        let other = self.of.as_ref() != Some(&of);
        if other {
            self.samples.clear();
            self.of = Some(of);
        }
        other
    }

    /// Takes a sample. Late news (the receiver's last message, older than a look at the primary) is passed over.
    pub fn push(&mut self, sample: Sample) {
        if self.newest().is_some_and(|newest| sample.at <= newest.at || sample.end < newest.end) {
            return;
        }
        let unchanged =
            self.samples.len() >= 2 && self.samples.iter().rev().take(2).all(|known| known.end == sample.end);
        if unchanged {
            self.samples.pop_back();
        }
        self.samples.push_back(sample);
        if self.samples.len() > MAX_SAMPLES {
            self.samples.pop_front();
        }
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<Sample> {
        self.samples.back().copied()
    }

    /// Bytes per second that the primary wrote lately; none until it was seen twice.
    pub fn rate(&self) -> Option<f64> {
        let newest = self.newest()?;
        let from = self
            .samples
            .iter()
            .rev()
            .skip(1)
            .take_while(|sample| newest.at - sample.at <= RATE_WINDOW)
            .last()
            .or_else(|| self.samples.iter().rev().nth(1))?;
        Some((newest.end - from.end) as f64 / (newest.at - from.at).as_secs_f64())
    }

    /// The last time at which the primary's WAL ended at or before a position, between samples in proportion.
    /// `upto` is a further, newest sample. None when that was before the first sample.
    pub fn time_at(&self, position: u64, upto: Sample) -> Option<Moment> {
        let mut later = upto;
        if position >= later.end {
            return Some(later.at);
        }
        for earlier in self.samples.iter().rev() {
            if earlier.end <= position {
                let share = (position - earlier.end) as f64 / (later.end - earlier.end) as f64;
                return Some(earlier.at + (later.at.saturating_duration_since(earlier.at)).mul_f64(share));
            }
            later = *earlier;
        }
        None
    }

    /// The last look until which all of the primary's WAL ended at or before a position: whoever holds it holds
    /// everything that was committed until then. None when that was before the first sample.
    pub fn held_until(&self, position: u64) -> Option<Moment> {
        self.samples.iter().rev().find(|sample| sample.end <= position).map(|sample| sample.at)
    }

    /// The first look at which the primary's WAL reached beyond a position.
    pub fn beyond_since(&self, position: u64) -> Option<Moment> {
        self.samples.iter().find(|sample| sample.end > position).map(|sample| sample.at)
    }

    /// How long the primary has been watched until then.
    pub fn watched(&self, until: Moment) -> Duration {
        self.samples.front().map_or(Duration::ZERO, |first| until.saturating_duration_since(first.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn steady(start: Moment, looks: u64, step: u64) -> History {
        let mut history = History::default();
        for look in 0..looks {
            history.push(Sample { at: start + seconds(5 * look), end: 1000 + step * look });
        }
        history
    }

    #[test]
    fn positions_between_two_looks_have_a_time_in_proportion() {
        let start = Moment::now();
        let history = steady(start, 3, 500);
        let now = Sample { at: start + seconds(11), end: 2000 };
        assert_eq!(history.time_at(1250, now), Some(start + Duration::from_millis(2500)));
        assert_eq!(history.time_at(2000, now), Some(now.at));
        assert_eq!(history.time_at(999, now), None);
    }

    #[test]
    fn an_idle_primary_is_two_samples_and_a_burst_is_dated_after_the_idle_time() {
        let start = Moment::now();
        let mut history = steady(start, 1000, 0);
        assert_eq!(history.samples.len(), 2);
        let burst = Sample { at: start + seconds(5000), end: 9000 };
        history.push(burst);
        assert_eq!(history.time_at(1000, burst), Some(start + seconds(4995)));
    }

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let start = Moment::now();
        let mut history = steady(start, 100, 0);
        for look in 1..=13 {
            history.push(Sample { at: start + seconds(495 + 5 * look), end: 1000 + 5000 * look });
        }
        assert_eq!(history.rate().map(f64::round), Some(1000.0));
        assert_eq!(steady(start, 1, 0).rate(), None);
    }

    #[test]
    fn another_timeline_or_cluster_starts_anew_and_late_news_is_passed_over() {
        let start = Moment::now();
        let mut history = steady(start, 3, 500);
        history.follow("1", 1);
        assert_eq!(history.newest(), None);
        history.push(Sample { at: start + seconds(20), end: 50 });
        history.push(Sample { at: start + seconds(15), end: 60 });
        history.push(Sample { at: start + seconds(25), end: 40 });
        history.follow("1", 1);
        assert_eq!(history.newest(), Some(Sample { at: start + seconds(20), end: 50 }));
    }
}
