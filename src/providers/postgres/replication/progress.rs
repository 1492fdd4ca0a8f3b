//! That a primary goes on committing, by what reaches its standby: told without comparing the clocks of two servers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Ends of WAL that are waited for. While nothing is replayed each look adds one.
const MAX_MARKS: usize = 64;
/// Commits have to come at so many looks within [`WITHIN`]: a server that is read-only still commits what its own upkeep
/// does (autovacuum), in bursts a minute apart.
const LOOKS: usize = 3;
const WITHIN: Duration = Duration::from_secs(60);
/// So much WAL, while nothing is replayed, is more than a server writes by itself that nobody writes to (a checkpoint, its
/// running transactions).
const MIN_WAL_BYTES: u64 = 1 << 20;

/// What reached the standby, and up to where the primary's WAL went at which moment.
#[derive(Debug, Default)]
pub struct Progress {
    marks: VecDeque<Mark>,
    /// The last commit of the look before, by the primary's clock, and the latest looks at which there was a newer one.
    last: Option<Option<f64>>,
    newer: VecDeque<Instant>,
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
    /// Takes in what the standby has `now`; `heard` is when its sender last told where its WAL ends, and that end.
    pub fn learn(&mut self, now: Instant, has: Has, heard: Option<(Instant, u64)>) {
        let is_steady = self.is_steady(now, has);
        for mark in &mut self.marks {
            if mark.writes_on(has) || (is_steady && mark.commits_on(has)) {
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

    /// Whether commits come again and again.
    fn is_steady(&mut self, now: Instant, has: Has) -> bool {
        if self.last.is_some_and(|last| has.committed > last) {
            self.newer.push_back(now);
        }
        self.last = Some(has.committed);
        self.newer.retain(|at| now.saturating_duration_since(*at) <= WITHIN);
        self.newer.len() >= LOOKS
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
    /// Whether a commit came that was not among all that was written before this moment.
    fn commits_on(&self, has: Has) -> bool {
        self.replayed.is_some_and(|before| has.committed > before)
    }

    /// Whether more WAL came while that of before is still not replayed, so that nobody sees what it holds.
    fn writes_on(&self, has: Has) -> bool {
        let is_open = self.replayed.is_none() && has.replayed < Some(self.end);
        is_open && has.holds > self.end.saturating_add(MIN_WAL_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn has(holds: u64, replayed: u64, committed: f64) -> Has {
        Has { holds, replayed: Some(replayed), committed: Some(committed) }
    }

    /// A look each 5 s; each has all that its sender told, and this last commit.
    fn told(looks: &[f64]) -> (Instant, Progress) {
        let (start, mut progress) = (Instant::now(), Progress::default());
        for (number, committed) in (1..).zip(looks) {
            let (now, end) = (at(start, 5 * number), 100 * number);
            progress.learn(now, has(end, end, *committed), Some((now, end)));
        }
        (start, progress)
    }

    #[test]
    fn commits_that_come_look_after_look_were_made_after_the_moments_that_they_are_newer_than() {
        // Whatever the primary's clock says: it may go ahead, behind, or have been set back an hour.
        for clock in [1e3, 1e6, -1e6] {
            let looks = [0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0].map(|seconds| clock + seconds);
            let (_, twice) = told(&looks[..3]);
            assert_eq!(twice.committed_after(), None, "one commit may be the server's own");
            let (start, often) = told(&looks);
            assert_eq!(often.committed_after(), Some(at(start, 20)), "and it stopped");
        }
    }

    #[test]
    fn the_upkeep_of_a_server_that_is_read_only_is_no_commit_of_anybody() {
        let mut looks = vec![0.0; 4];
        for cycle in 1..4 {
            // Autovacuum: a burst over two looks, then nothing for the rest of a minute.
            looks.extend([cycle as f64, cycle as f64 + 0.5]);
            looks.extend([cycle as f64 + 0.5; 12]);
        }
        assert_eq!(told(&looks).1.committed_after(), None);
    }

    #[test]
    fn wal_without_a_commit_and_commits_of_before_that_come_late_show_nothing() {
        assert_eq!(told(&[1.0; 6]).1.committed_after(), None, "checkpoints of a server that is read-only");
        // The sender was far ahead when it was last heard: what comes until there is of before.
        let start = Instant::now();
        let mut late = Progress::default();
        late.learn(start, has(100, 100, 1.0), Some((start, 900)));
        for (place, end) in (1..).zip([300, 500, 600, 700, 900]) {
            late.learn(at(start, place), has(end, end, place as f64 + 1.0), None);
        }
        assert_eq!(late.committed_after(), None);
        // A receiver that has just begun was told of no end yet.
        let mut begun = Progress::default();
        for place in 1..6 {
            begun.learn(at(start, place), has(100 * place, 100 * place, place as f64), None);
        }
        assert_eq!(begun.committed_after(), None);
    }

    #[test]
    fn wal_that_grows_and_is_not_replayed_counts_as_going_on_and_a_checkpoint_does_not() {
        let start = Instant::now();
        let mut paused = Progress::default();
        for look in 0..200 {
            let end = (100 + 2 * look) * MB;
            paused.learn(at(start, look), has(end, 50, 1.0), Some((at(start, look), end)));
        }
        assert_eq!(paused.committed_after(), Some(at(start, 198)));
        assert!(paused.marks.len() <= 2, "{:?}", paused.marks);
        let mut idle = Progress::default();
        for look in 0..200 {
            let end = 100 * MB + 200 * look;
            idle.learn(at(start, look), has(end, 50, 1.0), Some((at(start, look), end)));
        }
        assert_eq!(idle.committed_after(), None);
    }

    #[test]
    fn the_first_commits_of_all_count_too() {
        let start = Instant::now();
        let mut progress = Progress::default();
        progress.learn(start, Has { holds: 100, replayed: Some(100), committed: None }, Some((start, 100)));
        for look in 1..4 {
            let end = 100 * (look + 1);
            progress.learn(at(start, look), has(end, end, look as f64), Some((at(start, look), end)));
        }
        assert_eq!(progress.committed_after(), Some(at(start, 2)));
    }
}
