//! That a primary goes on committing, by what reaches its standby: told without comparing the clocks of two servers.

use std::collections::VecDeque;
use std::time::Instant;

/// Ends of WAL that are waited for. While nothing is replayed each look adds one.
const MAX_MARKS: usize = 64;

/// What reached the standby, and up to where the primary's WAL went at which moment.
#[derive(Debug, Default)]
pub struct Progress {
    marks: VecDeque<Mark>,
    committed_after: Option<Instant>,
}

/// At that moment the primary's WAL had not gone beyond that end, as far as its sender told.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    end: u64,
    /// The last commit, by the primary's clock, once all up to the end was replayed: one of later is a commit of after.
    replayed: Option<Option<f64>>,
}

/// What a standby has at one look.
#[derive(Clone, Copy, Debug)]
pub struct Has {
    /// The end of what it would keep.
    pub holds: u64,
    /// The end of what its queries see.
    pub replayed: Option<u64>,
    /// When the last commit was made that it replayed, by the primary's clock, in seconds since 1970.
    pub committed: Option<f64>,
}

impl Progress {
    /// Takes in what the standby has; `heard` is when its sender last told where its WAL ends, and that end.
    pub fn learn(&mut self, has: Has, heard: Option<(Instant, u64)>) {
        for mark in &mut self.marks {
            if mark.goes_on(has) {
                self.committed_after = self.committed_after.max(Some(mark.at));
            }
            if mark.replayed.is_none() && has.replayed >= Some(mark.end) {
                mark.replayed = Some(has.committed);
            }
        }
        let known = self.committed_after;
        self.marks.retain(|mark| known.is_none_or(|known| mark.at > known));
        if let Some((at, end)) = heard {
            self.mark(Mark { at, end: end.max(has.holds), replayed: None }, has);
        }
    }

    /// The last moment after which the primary surely committed, or wrote what nobody replays; none where nothing shows
    /// that.
    pub fn committed_after(&self) -> Option<Instant> {
        self.committed_after
    }

    fn mark(&mut self, mark: Mark, has: Has) {
        let replayed = (has.replayed >= Some(mark.end)).then_some(has.committed);
        // A later moment at which it had not gone further says more.
        let says_less =
            |known: &Mark| known.end == mark.end || (replayed.is_some() && known.replayed.is_some());
        self.marks.retain(|known| !says_less(known));
        if self.marks.len() >= MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { replayed, ..mark });
    }
}

impl Mark {
    /// Whether what the standby has now shows that the primary went on after this moment: a commit that was not among all
    /// that was written before, or more WAL while that before is still not replayed, so that nobody sees what it holds.
    fn goes_on(&self, has: Has) -> bool {
        match self.replayed {
            Some(before) => has.committed > before,
            None => has.replayed < Some(self.end) && has.holds > self.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn has(holds: u64, replayed: u64, committed: f64) -> Has {
        Has { holds, replayed: Some(replayed), committed: Some(committed) }
    }

    #[test]
    fn a_commit_that_is_newer_than_all_that_was_there_at_a_moment_was_made_after_it() {
        let start = Instant::now();
        // Whatever the primary's clock says: it may go ahead, behind, or have been set back an hour.
        for clock in [0.0, 1e6, -1e6] {
            let mut progress = Progress::default();
            progress.learn(has(100, 100, clock), Some((start, 100)));
            progress.learn(has(100, 100, clock), Some((at(start, 5), 100)));
            assert_eq!(progress.committed_after(), None, "nothing came");
            progress.learn(has(200, 200, clock + 1.0), Some((at(start, 10), 200)));
            assert_eq!(progress.committed_after(), Some(at(start, 5)));
            progress.learn(has(200, 200, clock + 1.0), None);
            progress.learn(has(200, 200, clock + 1.0), None);
            assert_eq!(progress.committed_after(), Some(at(start, 5)), "it stopped");
        }
    }

    #[test]
    fn wal_without_a_commit_and_commits_of_before_that_come_late_show_nothing() {
        let start = Instant::now();
        let mut progress = Progress::default();
        progress.learn(has(100, 100, 1.0), Some((start, 100)));
        progress.learn(has(160, 160, 1.0), Some((at(start, 5), 160)));
        assert_eq!(progress.committed_after(), None, "a checkpoint of a server that is read-only");
        // The sender was far ahead when it was last heard: what comes until there is of before.
        let mut late = Progress::default();
        late.learn(has(100, 100, 1.0), Some((start, 900)));
        for (end, committed) in [(300, 2.0), (600, 3.0), (900, 4.0)] {
            late.learn(has(end, end, committed), None);
        }
        assert_eq!(late.committed_after(), None);
    }

    #[test]
    fn what_is_received_and_not_replayed_counts_as_going_on() {
        let start = Instant::now();
        let mut paused = Progress::default();
        for look in 0..200 {
            paused.learn(has(100 + look, 50, 1.0), Some((at(start, look), 100 + look)));
        }
        assert_eq!(paused.committed_after(), Some(at(start, 198)));
        assert!(paused.marks.len() <= 2, "{:?}", paused.marks);
        // Nothing more comes.
        paused.learn(has(299, 50, 1.0), None);
        assert_eq!(paused.committed_after(), Some(at(start, 198)));
    }

    #[test]
    fn the_first_commit_of_all_counts_too() {
        let start = Instant::now();
        let mut progress = Progress::default();
        progress.learn(Has { holds: 100, replayed: Some(100), committed: None }, Some((start, 100)));
        progress.learn(has(200, 200, 1.0), Some((at(start, 5), 200)));
        assert_eq!(progress.committed_after(), Some(start));
    }
}
