//! That a primary goes on writing, by what reaches its standby: told without comparing the clocks of two servers.

use crate::base::moment::Moment;
use std::collections::VecDeque;
use std::time::Duration;

/// Ends of WAL that are waited for. While nothing is replayed each look adds one.
const MAX_MARKS: usize = 64;
/// Commits have to come at so many looks.
const LOOKS: usize = 3;
/// They have to go on without a longer pause than this, or two looks.
const PAUSE: Duration = Duration::from_secs(10);
/// And for so much longer than a round of upkeep takes, or two looks. A server that is read-only still commits what
/// autovacuum does, in a burst for each of its databases, one after the other: where they are many there is no pause.
const MARGIN: Duration = Duration::from_secs(15);
/// What speaks against a fence that was proven has to go on for so long: upkeep of many large tables takes minutes.
const LONG: Duration = Duration::from_secs(300);
/// No round counts for longer: in one of hours the pauses between databases are long.
const MAX_ROUND: Duration = Duration::from_secs(600);
/// So much WAL, while nothing is replayed, is more than a server writes by itself that nobody writes to (a checkpoint, its
/// running transactions).
const MIN_WAL_BYTES: u64 = 1 << 20;
/// No look counts for more of it: the end of WAL leaps to the next segment at the begin and the end of a base backup,
/// whether or not anything was written.
const MAX_LOOK_BYTES: u64 = MIN_WAL_BYTES / 4;

/// What reached the standby, and up to where the primary's WAL went at which moment.
#[derive(Debug, Default)]
pub struct Progress {
    marks: VecDeque<Mark>,
    last: Option<Last>,
    /// The latest looks that brought a commit of after a moment, with the last such moment.
    newer: VecDeque<Newer>,
    writes_after: Option<Moment>,
    commits_after: Option<Moment>,
}

/// The look before.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Moment,
    has: Has,
}

#[derive(Clone, Copy, Debug)]
struct Newer {
    look: Moment,
    after: Moment,
}

/// At that moment the primary's WAL had not gone beyond that end, as far as its sender told.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Moment,
    end: u64,
    /// The last commit, by the primary's clock, once all up to the end was replayed: one of later is a commit of after.
    replayed: Option<Option<f64>>,
    /// WAL that came since beyond the end, while nothing was replayed up to there.
    grown: u64,
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
    /// How long autovacuum takes to come to each database once.
    pub round: Duration,
}

impl Progress {
    /// Takes in what the standby has `now`; `heard` is when the primary last told where its WAL ends, and that end.
    pub fn learn(&mut self, now: Moment, has: Has, heard: Option<(Moment, u64)>) {
        let before = self.last.replace(Last { at: now, has });
        let news = before.is_some_and(|last| has.committed > last.has.committed);
        if news
            && let Some(after) =
                self.marks.iter().filter(|mark| mark.commits_on(has)).map(|mark| mark.at).max()
        {
            self.newer.push_back(Newer { look: now, after });
        }
        let apart = before.map_or(Duration::ZERO, |last| now.saturating_duration_since(last.at));
        let two_looks = apart.saturating_mul(2);
        let spread = has.round.min(MAX_ROUND) + MARGIN.max(two_looks);
        let (pause, long) = (PAUSE.max(two_looks), spread.max(LONG));
        self.newer.retain(|newer| now.saturating_duration_since(newer.look) <= long * 2);
        self.writes_after = self.writes_after.max(self.commits_on_and_on(pause, spread));
        self.commits_after = self.commits_after.max(self.commits_on_and_on(pause, long));
        for mark in &mut self.marks {
            mark.grow(before, has);
            if mark.grown >= MIN_WAL_BYTES {
                self.writes_after = self.writes_after.max(Some(mark.at));
            }
            if mark.replayed.is_none() && has.replayed >= Some(mark.end) {
                mark.replayed = Some(has.committed);
            }
        }
        let known = self.writes_after;
        self.marks.retain(|mark| known.is_none_or(|known| mark.at > known));
        if let Some((at, end)) = heard {
            self.mark(Mark { at, end: end.max(has.holds), replayed: None, grown: 0 }, has);
        }
    }

    /// The last moment after which commits came for so long, without such a pause: all of them are of after it.
    fn commits_on_and_on(&self, pause: Duration, spread: Duration) -> Option<Moment> {
        let last = self.newer.back()?.look;
        let mut next = last;
        let on = self.newer.iter().rev().take_while(|newer| {
            let before = std::mem::replace(&mut next, newer.look);
            before.saturating_duration_since(newer.look) <= pause
        });
        let is_spread = |newer: &&Newer| last.saturating_duration_since(newer.look) >= spread;
        on.skip(LOOKS - 1).find(is_spread).map(|newer| newer.after)
    }

    /// The last moment after which the primary surely went on to commit, or to write what nobody replays; none where
    /// nothing shows that.
    pub fn writes_after(&self) -> Option<Moment> {
        self.writes_after
    }

    /// The same by commits alone, and such as go on for longer than upkeep of many large tables: what that of one writes may
    /// be much while nobody replays it.
    pub fn commits_after(&self) -> Option<Moment> {
        self.commits_after
    }

    /// Takes in that the primary was seen not to accept writes: what came before was its upkeep, or is over.
    pub fn ends(&mut self) {
        self.newer.clear();
        (self.writes_after, self.commits_after) = (None, None);
    }

    fn mark(&mut self, mark: Mark, has: Has) {
        let replayed = (has.replayed >= Some(mark.end)).then_some(has.committed);
        // A later moment at which it had not gone further says more.
        let says_less =
            |known: &Mark| known.end == mark.end || (replayed.is_some() && known.replayed.is_some());
        self.marks.retain(|known| !says_less(known));
        if self.marks.len() >= MAX_MARKS {
            // The oldest one stays: at a slow server it takes long until so much came.
            let mut place = 0;
            self.marks.retain(|_| {
                place += 1;
                place % 2 == 1
            });
        }
        self.marks.push_back(Mark { replayed, ..mark });
    }
}

impl Mark {
    /// Whether a commit came that was not among all that was written before this moment.
    fn commits_on(&self, has: Has) -> bool {
        self.replayed.is_some_and(|before| has.committed > before)
    }

    /// Takes in what came at one look while that of before is still not replayed, so that nobody sees what it holds.
    fn grow(&mut self, before: Option<Last>, has: Has) {
        let is_open = self.replayed.is_none() && has.replayed < Some(self.end);
        let from = before.map_or(self.end, |last| last.has.holds.max(self.end));
        if is_open {
            self.grown += has.holds.saturating_sub(from).min(MAX_LOOK_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;
    const ROUND: Duration = Duration::from_secs(60);

    fn at(start: Moment, seconds: u64) -> Moment {
        start + Duration::from_secs(seconds)
    }

    fn has(holds: u64, replayed: u64, committed: f64) -> Has {
        Has { holds, replayed: Some(replayed), committed: Some(committed), round: ROUND }
    }

    /// A look each 5 s; each has all that its sender told, and this last commit.
    fn told(looks: &[f64]) -> (Moment, Progress) {
        let (start, mut progress) = (Moment::now(), Progress::default());
        for (number, committed) in (1..).zip(looks) {
            let (now, end) = (at(start, 5 * number), 100 * number);
            progress.learn(now, has(end, end, *committed), Some((now, end)));
        }
        (start, progress)
    }

    #[test]
    fn a_slow_writer_is_found_out_however_long_its_wal_takes_while_nothing_is_replayed() {
        let (start, mut progress) = (Moment::now(), Progress::default());
        // 8 kB at each look of a second: a MiB takes more looks than there are marks.
        for second in 0..200 {
            let end = MB + 8192 * second;
            progress.learn(at(start, second), has(end, MB, 1.0), Some((at(start, second), end)));
        }
        let after = progress.writes_after().expect("it writes on");
        assert!(after >= start && after <= at(start, 70), "the oldest moments stay");
    }

    #[test]
    fn commits_speak_against_a_proven_fence_once_they_go_on_for_longer_than_upkeep_of_large_tables() {
        let looks: Vec<f64> = (0..90).map(f64::from).collect();
        let (_, minutes) = told(&looks[..50]);
        assert!(minutes.writes_after().is_some() && minutes.commits_after().is_none());
        let (_, longer) = told(&looks);
        assert!(longer.commits_after().is_some());
    }

    #[test]
    fn commits_that_come_look_after_look_were_made_after_the_moments_that_they_are_newer_than() {
        // Whatever the primary's clock says: it may go ahead, behind, or have been set back an hour.
        for clock in [1e3, 1e6, -1e6] {
            let looks: Vec<f64> = (0..20).map(|look| clock + f64::from(look)).collect();
            let (_, a_round) = told(&looks[..16]);
            assert_eq!(a_round.writes_after(), None, "commits of 70 s may be the server's own");
            let (start, longer) = told(&looks[..17]);
            assert_eq!(longer.writes_after(), Some(at(start, 5)), "all of them are of after it");
            let mut stopped = looks[..17].to_vec();
            stopped.extend([looks[16]; 10]);
            assert_eq!(told(&stopped).1.writes_after().map(|after| after > start), Some(true));
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
        assert_eq!(told(&looks).1.writes_after(), None);
    }

    #[test]
    fn commits_of_before_a_moment_do_not_make_one_of_after_it_count() {
        // Busy until it was fenced at 62 s, then autovacuum once.
        let mut looks: Vec<f64> = (1..=12).map(f64::from).collect();
        looks.extend([12.0; 6]);
        looks.extend([20.0, 20.0, 20.0, 20.0]);
        let (start, progress) = told(&looks);
        assert!(progress.writes_after() < Some(at(start, 62)), "{:?}", progress.newer);
    }

    #[test]
    fn a_burst_of_commits_is_no_sign_however_often_it_is_looked_at() {
        let (start, mut progress) = (Moment::now(), Progress::default());
        for look in 0..120 {
            let (now, end) = (at(start, look), 100 * look);
            let committed = (look as f64).clamp(30.0, 38.0);
            progress.learn(now, has(end, end, committed), Some((now, end)));
        }
        assert_eq!(progress.writes_after(), None, "autovacuum of many tables, for 8 s");
    }

    #[test]
    fn bursts_of_several_databases_are_no_sign_either() {
        let (start, mut progress) = (Moment::now(), Progress::default());
        for look in 0..180 {
            let (now, end) = (at(start, look), 100 * look);
            // Autovacuum, for 4 s in each of three databases a minute.
            let committed = (look - look % 20 + (look % 20).min(4)) as f64;
            progress.learn(now, has(end, end, committed), Some((now, end)));
        }
        assert_eq!(progress.writes_after(), None);
    }

    /// Looks at a server, one a second, up to one at which it is known to write on; each has the last of these commits.
    fn found_out(seconds: u64, commits: &[f64]) -> Option<u64> {
        let (start, mut progress) = (Moment::now(), Progress::default());
        (0..seconds).find(|second| {
            let last = commits.iter().copied().rfind(|commit| *commit <= *second as f64);
            let (now, end) = (at(start, *second), 100 * second);
            progress.learn(now, has(end, end, last.unwrap_or(-1.0)), Some((now, end)));
            progress.writes_after().is_some()
        })
    }

    #[test]
    fn a_round_of_autovacuum_through_many_databases_is_no_sign() {
        // Ten of twelve databases have something to do, each a twelfth of a minute after the one before.
        let round = [5, 10, 15, 20, 25, 40, 45, 50, 55, 60];
        let twice: Vec<f64> = round.iter().chain(&round.map(|at| at + 60)).map(|at| f64::from(*at)).collect();
        assert_eq!(found_out(240, &twice), None);
        // All ten have, and each takes its time; the next round comes after a minute in which there is nothing to do.
        for apart in [5.0, 5.5, 6.0] {
            let begins = [7.0, 7.0 + 120.0];
            let twice: Vec<f64> = begins
                .iter()
                .flat_map(|begin| {
                    (0..10).flat_map(move |one| [0.0, 4.0].map(|late| begin + apart * f64::from(one) + late))
                })
                .collect();
            assert_eq!(found_out(300, &twice), None, "{apart}");
        }
    }

    #[test]
    fn who_writes_all_the_time_is_found_out_within_80_seconds() {
        let often: Vec<f64> = (0..4000).map(|row| f64::from(row) / 20.0).collect();
        let after = found_out(200, &often);
        assert!(after.is_some_and(|after| after <= 80), "{after:?}");
        let now_and_then: Vec<f64> = (0..20).map(|row| f64::from(row) * 9.0).collect();
        assert!(found_out(200, &now_and_then).is_some_and(|after| after <= 100));
    }

    #[test]
    fn where_autovacuum_comes_round_sooner_so_it_is_found_out() {
        let (start, mut progress) = (Moment::now(), Progress::default());
        for look in 0..30 {
            let (now, end) = (at(start, look), 100 * look);
            let has = Has { round: Duration::from_secs(5), ..has(end, end, look as f64) };
            progress.learn(now, has, Some((now, end)));
        }
        assert!(progress.writes_after().is_some());
    }

    #[test]
    fn slow_looks_see_it_too() {
        let (start, mut progress) = (Moment::now(), Progress::default());
        for look in 0..5 {
            let (now, end) = (at(start, 120 * look), 100 * look);
            progress.learn(now, has(end, end, look as f64), Some((now, end)));
        }
        assert_eq!(progress.writes_after(), Some(start));
    }

    #[test]
    fn a_base_backup_of_a_server_that_is_read_only_is_no_write_of_anybody() {
        let (start, mut progress) = (Moment::now(), Progress::default());
        for look in 0..60 {
            // The end leaps to the next segment when it begins and when it ends.
            let leaps = 16 * MB * [20, 40].iter().filter(|leap| look >= **leap).count() as u64;
            let (now, end) = (at(start, look), 100 * MB + leaps);
            progress.learn(now, has(end, 50, 1.0), Some((now, end)));
        }
        assert_eq!(progress.writes_after(), None);
    }

    #[test]
    fn wal_without_a_commit_and_commits_of_before_that_come_late_show_nothing() {
        assert_eq!(told(&[1.0; 6]).1.writes_after(), None, "checkpoints of a server that is read-only");
        // The sender was far ahead when it was last heard: what comes until there is of before.
        let start = Moment::now();
        let mut late = Progress::default();
        late.learn(start, has(100, 100, 1.0), Some((start, 900)));
        for (place, end) in (1..).zip([300, 500, 600, 700, 900]) {
            late.learn(at(start, place), has(end, end, place as f64 + 1.0), None);
        }
        assert_eq!(late.writes_after(), None);
        // A receiver that has just begun was told of no end yet.
        let mut begun = Progress::default();
        for place in 1..6 {
            begun.learn(at(start, place), has(100 * place, 100 * place, place as f64), None);
        }
        assert_eq!(begun.writes_after(), None);
    }

    #[test]
    fn wal_that_grows_and_is_not_replayed_counts_as_going_on_and_a_checkpoint_does_not() {
        let start = Moment::now();
        let mut paused = Progress::default();
        for look in 0..200 {
            let end = (100 + 2 * look) * MB;
            paused.learn(at(start, look), has(end, 50, 1.0), Some((at(start, look), end)));
        }
        assert_eq!(paused.writes_after(), Some(at(start, 195)));
        assert!(paused.marks.len() <= 4, "{:?}", paused.marks);
        let mut idle = Progress::default();
        for look in 0..200 {
            let end = 100 * MB + 200 * look;
            idle.learn(at(start, look), has(end, 50, 1.0), Some((at(start, look), end)));
        }
        assert_eq!(idle.writes_after(), None);
    }

    #[test]
    fn the_first_commits_of_all_count_too() {
        let start = Moment::now();
        let mut progress = Progress::default();
        progress.learn(start, Has { committed: None, ..has(100, 100, 0.0) }, Some((start, 100)));
        for look in 1..17 {
            let (now, end) = (at(start, 5 * look), 100 * (look + 1));
            progress.learn(now, has(end, end, look as f64), Some((now, end)));
        }
        assert_eq!(progress.writes_after(), Some(start));
    }
}
