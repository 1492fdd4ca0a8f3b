//! What is remembered between two runs, and what follows from it.

use super::exposure::{Exposure, Held, measured, unseen};
use super::history::{History, Sample};
use super::look::{Primary, PrimaryLook, Receiver, Standby};
use super::progress::{Has, Progress};
use super::synchronous::{Sender, waits_for};
use crate::base::moment::Moment;
use crate::base::words;
use crate::core::ask::loss_reading::MAY_WRITE;
use crate::core::words::reading::Measurement;
use std::time::Duration;

/// How old the sender's last word may be to count as a look at the primary. A busy one speaks all the time.
const RECENT: Duration = Duration::from_secs(10);

/// What two servers' clocks may seem apart although they are not: the way of the answers.
const CLOCKS: Duration = Duration::from_millis(200);

/// How long a message is on its way at most. What seems to be longer is a clock that was set.
const MAX_WAY: Duration = Duration::from_secs(120);

/// The name of a standby that was given none: several may have it.
const NAMELESS: &str = "walreceiver";

/// Whether a name tells standbys apart: PostgreSQL's own default does not, nor does what Debian calls each cluster
/// (`17/main`).
fn is_nameless(name: &str) -> bool {
    let is_version =
        |(version, _): (&str, &str)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    name == NAMELESS || name.split_once('/').is_some_and(is_version)
}

/// How much longer one answer may be on its way than another.
const ANSWERS: Duration = Duration::from_secs(2);

/// What is remembered between two runs.
#[derive(Debug, Default)]
pub struct Memory {
    /// Where the primary's WAL ended, by the primary's own word.
    pub history: History,
    /// When the standby last heard from the primary, or when it was first seen without a stream.
    pub silent_since: Option<Moment>,
    /// When the first of the failing looks at the primary began.
    pub unreachable_since: Option<Moment>,
    /// The cluster, and the timeline on which this standby was seen. Its control file lags behind until the next
    /// restartpoint, so that it alone would take the standby back to the timeline before a promotion.
    timeline: Option<(String, u32)>,
    /// How far the primary's clock is ahead of the standby's, in seconds.
    ahead_s: Option<f64>,
    /// The last commit that the standby had, by the primary's clock, and when it was first seen to have it.
    newest_commit: Option<(f64, Moment)>,
    /// That commit is younger by the clocks than it was seen to be: they are not what they were when they were compared.
    clocks_moved: bool,
    /// The primary's commits wait for this standby.
    synchronous: Option<Synchronous>,
    /// When the primary was last seen to accept writes.
    writable_at: Option<Moment>,
    /// How long its autovacuum takes to come to each database once, as it said last.
    upkeep_round: Option<Duration>,
    /// An end of the primary's WAL that the standby's sender told, which may be less than the primary had.
    claimed: Option<u64>,
    /// The first and the last look at a primary that this standby does not follow, and that is ahead of it since.
    apart: Option<(Sample, Sample)>,
    /// What the standby had replayed when it was first seen without a stream.
    unfed_at: Option<u64>,
    /// The end of what the standby held when it was last seen.
    held: Option<u64>,
    /// That the primary goes on, by what reaches the standby.
    progress: Progress,
    /// The same of the server that the standby receives from, whoever that is.
    of_sender: (Option<String>, Progress),
    /// Where the plan finds the primary, `host:port`.
    primary_address: Option<String>,
    /// The least that a message of that sender seemed to take: what another one takes beyond that, it was on its way.
    least_took_s: Option<f64>,
    /// The server from which the standby received when the primary was last seen, and said that it sends to it.
    primary_sender: Option<Option<String>>,
    /// The server from which the standby received last, `host:port`, where that is known to be the primary.
    known_sender: Option<String>,
    /// When the primary committed what the standby replayed last.
    committed_at: Option<Moment>,
    /// Which standby that was: cluster and start of its process.
    standby: Option<(String, String)>,
}

/// Since when a primary's commits wait for a standby, in positions of its WAL.
#[derive(Debug)]
struct Synchronous {
    /// Its end when that was first seen.
    from: u64,
    /// Up to where the standby of that name has told the primary that it holds everything, by which the primary goes.
    held: u64,
}

/// The state of the way by which WAL comes to the standby.
pub enum Stream {
    /// It flows; the last message came then, and told where the sender's WAL ends.
    Flows { heard: Moment, end: Option<u64> },
    /// It comes by `restore_command`; where it should stream, why it does not.
    Archive(Option<String>),
    /// It does not come, and why.
    Stopped(String),
}

impl Memory {
    /// Forgets all but the timeline and what went apart: positions of other servers do not compare.
    pub fn start_anew(&mut self) {
        *self = Self {
            timeline: self.timeline.take(),
            apart: self.apart.take(),
            primary_address: self.primary_address.take(),
            ..Self::default()
        };
    }

    /// Takes in where the plan finds the primary, `host:port`.
    pub fn learn_address(&mut self, address: Option<String>) {
        self.primary_address = address;
    }

    /// Takes in a primary that the standby does not follow: what that writes the standby will never hold.
    pub fn learn_apart(&mut self, primary: &PrimaryLook) {
        let Some(now) = source(primary) else { return };
        let first = self.apart.map(|(first, _)| first).filter(|first| first.end <= now.end);
        self.apart = Some((first.unwrap_or(now), now));
    }

    /// What is certainly missing of a primary that the standby did not follow when that was last seen.
    fn at_least(&self, exposure: Exposure) -> Exposure {
        let Some((first, last)) = self.apart.filter(|(first, last)| last.end > first.end) else {
            return exposure;
        };
        let span = last.at.saturating_duration_since(first.at);
        let bytes = last.end - first.end;
        Exposure {
            span: exposure.span.map(|most| most.max(span)),
            span_min: exposure.span_min.map(|least| least.max(span)),
            bytes_min: Some(exposure.bytes_min.unwrap_or(0).max(bytes)),
            basis: format!(
                "{}; the standby did not follow the primary, which was seen to write for {}",
                exposure.basis,
                words::seconds(span.as_secs_f64())
            ),
            ..exposure
        }
    }

    /// The timeline of the standby: the one on which it streams from this primary, else the highest that it was seen on
    /// since. One that was rewound after a wrong promotion is on a lower one than before.
    pub fn timeline(&mut self, standby: &Standby, primary: &PrimaryLook) -> u32 {
        let known = self.timeline.as_ref().filter(|(system, _)| *system == standby.system);
        let follows = standby.in_recovery && standby.streams() && may_be_its_sender(standby, primary);
        let timeline =
            known.filter(|_| !follows).map_or(standby.timeline, |(_, known)| standby.timeline.max(*known));
        self.timeline = Some((standby.system.clone(), timeline));
        timeline
    }

    /// Takes in whether the standby streams.
    pub fn learn_feed(&mut self, standby: &Standby) {
        self.unfed_at = match standby.streams() {
            true => None,
            false => self.unfed_at.or(standby.replayed),
        };
    }

    /// Whether something was replayed since it does not stream.
    pub fn is_fed(&self, standby: &Standby) -> bool {
        self.unfed_at.zip(standby.replayed).is_some_and(|(from, replayed)| replayed > from)
    }

    /// Takes in two looks at the same cluster.
    pub fn learn(&mut self, standby: &Standby, primary: &PrimaryLook, stream: &Stream) {
        if self.history.follow(&standby.system, standby.timeline) {
            (self.synchronous, self.claimed) = (None, None);
            (self.progress, self.of_sender) = Default::default();
        }
        if source(primary).is_some() {
            self.apart = None;
        }
        self.held = standby.holds().or(self.held);
        self.standby = Some((standby.system.clone(), standby.started_at.clone()));
        self.learn_silence(standby, stream);
        self.learn_primary(standby, primary);
        self.learn_clocks(standby);
        self.committed_at = self.commit_age(standby).and_then(|age| standby.at.checked_sub(age));
        self.learn_progress(standby, primary, stream);
        match (stream, &standby.receiver) {
            (Stream::Flows { heard, end: Some(end) }, _) if may_speak_for_itself(primary) => {
                self.history.push(Sample { at: *heard, end: *end });
            }
            (_, Receiver::Seen { end: Some(end), .. }) => self.claimed = self.claimed.max(Some(*end)),
            _ => {}
        }
    }

    fn learn_silence(&mut self, standby: &Standby, stream: &Stream) {
        match (stream, &standby.receiver) {
            (Stream::Flows { .. }, _) => self.silent_since = None,
            (_, Receiver::Seen { status, silent, .. }) if status == "streaming" => {
                let heard = standby.at.checked_sub(*silent).unwrap_or(standby.at);
                self.silent_since.get_or_insert(heard);
            }
            _ => {
                self.silent_since.get_or_insert(standby.at);
            }
        }
    }

    fn learn_progress(&mut self, standby: &Standby, primary: &PrimaryLook, stream: &Stream) {
        let Some(holds) = standby.holds() else { return };
        let longer = self.on_its_way(standby);
        let told = match stream {
            Stream::Flows { heard, end } => end.zip(heard.checked_sub(longer)).map(|(end, sent)| (sent, end)),
            _ => None,
        };
        let (replayed, committed) = (standby.replayed, standby.committed);
        let round = self.upkeep_round.unwrap_or_default().max(standby.upkeep_round);
        let has = Has { holds, replayed, committed, round };
        let by_primary = told.filter(|_| self.receives_from_primary(standby, primary));
        self.progress.learn(standby.at, has, by_primary);
        if let Receiver::Seen { sender, .. } = &standby.receiver {
            if self.of_sender.0 != *sender {
                self.of_sender = (sender.clone(), Progress::default());
            }
            self.of_sender.1.learn(standby.at, has, told);
        }
    }

    /// How much longer the sender's last message was on its way than the quickest one, whatever the clocks say.
    fn on_its_way(&mut self, standby: &Standby) -> Duration {
        let Receiver::Seen { took_s: Some(took), .. } = standby.receiver else { return Duration::ZERO };
        let least = self.least_took_s.map_or(took, |least| least.min(took));
        self.least_took_s = Some(least);
        Duration::try_from_secs_f64(took - least).unwrap_or_default().min(MAX_WAY)
    }

    /// Whether the standby's sender is the primary: by the address that the plan gives of it, or by what the primary said
    /// when it was last seen. A standby in between goes on sending what is of before when the primary is dead, and where it
    /// ends says nothing of when that was written.
    fn receives_from_primary(&self, standby: &Standby, primary: &PrimaryLook) -> bool {
        let Receiver::Seen { sender, .. } = &standby.receiver else { return may_speak_for_itself(primary) };
        let is_named = sender.is_some() && *sender == self.primary_address;
        may_speak_for_itself(primary) || is_named || self.primary_sender.as_ref() == Some(sender)
    }

    /// Tells whether the server that the standby streams from is known to be the primary. While that is seen nobody needs
    /// to know that it is not. Of one that is not known to be it, what it goes on to send: who knows more may count that.
    pub fn tell_sender(
        &mut self,
        measured: Measurement,
        standby: &Standby,
        primary: &PrimaryLook,
        stream: &Stream,
    ) -> Measurement {
        let is_matched = self.receives_from_primary(standby, primary);
        if let (Stream::Flows { .. }, Receiver::Seen { sender, .. }) = (stream, &standby.receiver) {
            self.known_sender = sender.clone().filter(|_| is_matched);
        }
        match stream {
            Stream::Flows { .. } if is_matched => measured.with_flag("sender_matched", true),
            Stream::Flows { .. } if source(primary).is_none() => {
                let ago = |after: Option<Moment>| after.map(|after| (standby.at - after).as_secs_f64());
                let of_sender = &self.of_sender.1;
                measured
                    .with_flag("sender_matched", false)
                    .with_number("sender_commits_s", ago(of_sender.writes_after()))
                    .with_number("sender_transactions_s", ago(of_sender.commits_after()))
            }
            Stream::Flows { .. } => measured,
            _ => measured.with_text("known_sender", self.known_sender.clone()),
        }
    }

    fn learn_primary(&mut self, standby: &Standby, primary: &PrimaryLook) {
        match primary {
            PrimaryLook::Unreachable(_, began) => {
                self.unreachable_since.get_or_insert(*began);
            }
            PrimaryLook::Seen(seen) => {
                self.unreachable_since = None;
                self.learn_seen(standby, seen);
            }
            PrimaryLook::NotAsked | PrimaryLook::Unreadable(_) => {}
        }
    }

    fn learn_seen(&mut self, standby: &Standby, primary: &Primary) {
        if primary.in_recovery {
            return;
        }
        self.history.push(Sample { at: primary.at, end: primary.end });
        if let (Receiver::Seen { sender, .. }, Some(standbys)) = (&standby.receiver, &primary.standbys) {
            let is_it =
                |to: &&Sender| !is_nameless(&to.name) && to.name.eq_ignore_ascii_case(&standby.fed.name);
            self.primary_sender = (standbys.iter().filter(is_it).count() == 1).then(|| sender.clone());
        }
        self.upkeep_round = Some(primary.upkeep_round);
        match primary.read_only.known() {
            Some(false) => self.writable_at = Some(primary.at),
            Some(true) => [&mut self.progress, &mut self.of_sender.1].into_iter().for_each(Progress::ends),
            None => {}
        }
        let between = seconds_between(primary.at, standby.at);
        self.ahead_s = Some(primary.clock - standby.clock - between);
        self.clocks_moved = false;
        let standbys = primary.standbys.as_deref();
        let names = primary.synchronous.as_deref();
        self.synchronous =
            names.and_then(|names| waits_for(names, &standby.fed.name, standbys)).map(|held| {
                let before = self.synchronous.as_ref();
                let from = before.map_or(primary.end, |before| before.from);
                Synchronous { from, held: before.map_or(held, |before| before.held.max(held)) }
            });
    }

    /// What is lost if the standby is promoted now.
    pub fn exposure(
        &self,
        standby: &Standby,
        holds: u64,
        primary: &PrimaryLook,
        stream: &Stream,
    ) -> Exposure {
        let held = self.what_is_held(standby, holds);
        if let Some(end) = source(primary) {
            let at = format!("primary at {}, standby holds {}", words::lsn(end.end), words::lsn(holds));
            if end.end > holds && lacks_no_transaction(standby, primary) {
                return Exposure::nothing(format!("measured: {at}; no transaction has ended in between"));
            }
            return match self.is_synchronous(holds) {
                true => Exposure::nothing(format!(
                    "measured: {at}; synchronous, so that nothing is acknowledged before this standby has it"
                )),
                false => measured(&self.history, end, held, standby.at, format!("measured: {at}")),
            };
        }
        match stream {
            Stream::Flows { heard, end: Some(end) }
                if may_speak_for_itself(primary)
                    && standby.at.saturating_duration_since(*heard) <= RECENT =>
            {
                let ago = words::seconds((standby.at - *heard).as_secs_f64());
                let basis = format!("what the primary last told the WAL receiver, {ago} ago");
                measured(&self.history, Sample { at: *heard, end: *end }, held, standby.at, basis)
            }
            _ => self.at_least(unseen(
                &self.history,
                held,
                self.claimed,
                standby.at,
                &self.what_it_may_do(primary, holds),
            )),
        }
    }

    /// What would be lost by what was last known of a standby that does not answer.
    pub fn exposure_without_standby(&mut self, now: Moment, primary: &PrimaryLook) -> Option<Exposure> {
        let position = self.held?;
        let commit_age = self.committed_at.map(|committed| now.saturating_duration_since(committed));
        let held = Held { position, commit_age, clocks_compared: self.ahead_s.is_some() };
        let timeline = self.timeline.as_ref().map(|(_, timeline)| *timeline);
        let seen = match primary {
            PrimaryLook::Seen(seen) if Some(seen.timeline) == timeline => source(primary),
            _ => None,
        };
        Some(match seen {
            Some(end) => {
                self.history.push(end);
                measured(
                    &self.history,
                    end,
                    held,
                    now,
                    "by what the standby held when it was last seen".into(),
                )
            }
            None => unseen(&self.history, held, self.claimed, now, &self.what_it_may_do(primary, position)),
        })
    }

    fn what_is_held(&self, standby: &Standby, position: u64) -> Held {
        let commit_age = self.commit_age(standby);
        Held { position, commit_age, clocks_compared: self.ahead_s.is_some() }
    }

    /// Notices a clock that was set since both were seen: a commit that the standby has had for a minute is no younger.
    fn learn_clocks(&mut self, standby: &Standby) {
        let Some(committed) = standby.committed else { return };
        let known = self.newest_commit.filter(|(known, _)| *known == committed);
        let (_, first) = *self.newest_commit.insert(known.unwrap_or((committed, standby.at)));
        let had = standby.at.saturating_duration_since(first).as_secs_f64();
        let age = standby.commit_age_s().unwrap_or_default() + self.ahead_s.unwrap_or_default();
        if age + ANSWERS.as_secs_f64() < had {
            (self.clocks_moved, self.ahead_s) = (true, None);
        }
    }

    /// Age of the last replayed commit, by what the two servers' clocks were apart when both were seen. None for one of
    /// the future: those clocks are not what they were then, or were never compared, and such an age bounds nothing.
    fn commit_age(&self, standby: &Standby) -> Option<Duration> {
        let seconds = standby.commit_age_s().filter(|_| !self.clocks_moved)?
            + self.ahead_s.unwrap_or(0.0)
            + CLOCKS.as_secs_f64();
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Whether the primary's commits wait for this standby, and did for all that it holds. What the primary was told of
    /// beyond that, another standby of the same name has.
    fn is_synchronous(&self, holds: u64) -> bool {
        self.synchronous.as_ref().is_some_and(|known| holds >= known.from && holds >= known.held)
    }

    fn what_it_may_do(&self, primary: &PrimaryLook, holds: u64) -> String {
        match primary {
            _ if self.is_synchronous(holds) => {
                "its commits waited for this standby when it was last seen: nothing that was acknowledged is lost, unless \
                 that was turned off there since"
                    .to_owned()
            }
            PrimaryLook::NotAsked => format!("nobody looks at it, and {MAY_WRITE}"),
            PrimaryLook::Seen(_) => {
                format!("the server named as `primary` is itself a standby; whoever the primary is, {MAY_WRITE}")
            }
            PrimaryLook::Unreachable(..) | PrimaryLook::Unreadable(_) => MAY_WRITE.to_owned(),
        }
    }

    /// How far queries on the standby, or the start of promotion, are behind the primary; behind the last
    /// contact when nothing streams.
    pub fn replay_lag(
        &self,
        standby: &Standby,
        holds: u64,
        exposure: &Exposure,
        primary: &PrimaryLook,
        stream: &Stream,
    ) -> Option<Duration> {
        let replayed = standby.replayed?;
        let comes = matches!(stream, Stream::Flows { .. } | Stream::Archive(_));
        if replayed >= holds {
            return if comes { exposure.span } else { Some(Duration::ZERO) };
        }
        if comes && lacks_no_transaction(standby, primary) {
            return Some(Duration::ZERO);
        }
        let until = match source(primary) {
            None if !comes => self.silent_since.unwrap_or(standby.at),
            _ => standby.at,
        };
        let end = self.history.newest().unwrap_or(Sample { at: until, end: holds });
        let end = Sample { end: end.end.max(holds), at: end.at.min(until) };
        match self.history.time_at(replayed, end) {
            Some(replayed) => Some(until.saturating_duration_since(replayed)),
            None => {
                let since = standby.at.saturating_duration_since(until);
                self.commit_age(standby).map(|age| age.saturating_sub(since))
            }
        }
    }

    /// The standby by which something is told that does not answer now.
    pub fn tell_standby(&self, measured: Measurement) -> Measurement {
        let (system, started_at) = self.standby.clone().unzip();
        measured.with_text("system_identifier", system).with_text("started_at", started_at)
    }

    /// The fields of an exposure.
    pub fn tell(&self, measured: Measurement, exposure: Exposure, now: Moment) -> Measurement {
        let ago = |at: Option<Moment>| at.map(|at| now.saturating_duration_since(at).as_secs_f64());
        measured
            .with_number("exposure_s", exposure.span.map(|span| span.as_secs_f64()))
            .with_number("exposure_bytes", exposure.bytes.map(|bytes| bytes as f64))
            .with_number("exposure_min_s", exposure.span_min.map(|span| span.as_secs_f64()))
            .with_number("exposure_min_bytes", exposure.bytes_min.map(|bytes| bytes as f64))
            .with_text("exposure_basis", exposure.basis)
            .with_number("primary_heard_s", ago(self.history.newest().map(|newest| newest.at)))
            .with_number("primary_writable_s", ago(self.writable_at))
            .with_number("primary_commits_s", ago(self.progress.writes_after()))
            .with_number("primary_transactions_s", ago(self.progress.commits_after()))
    }
}

/// The primary's own word on where its WAL ends; a standby that the plan takes for a primary is none.
pub fn source(primary: &PrimaryLook) -> Option<Sample> {
    match primary {
        PrimaryLook::Seen(primary) if !primary.in_recovery => {
            Some(Sample { at: primary.at, end: primary.end })
        }
        _ => None,
    }
}

/// Whether both servers know the same transactions, all of which have ended: what WAL lies between them holds no commit.
/// An idle primary writes some now and then, which an archive keeps back until its segment is full.
fn lacks_no_transaction(standby: &Standby, primary: &PrimaryLook) -> bool {
    matches!(primary, PrimaryLook::Seen(seen) if seen.complete_to.is_some() && seen.complete_to == standby.complete_to)
}

/// Whether the standby's sender may be taken for the primary. Where the plan names the primary and it was not seen, the
/// sender may be a standby in between, which goes on speaking while the primary is dead.
fn may_speak_for_itself(primary: &PrimaryLook) -> bool {
    matches!(primary, PrimaryLook::NotAsked)
}

/// Whether a standby that streams may do so from this primary: its timeline is the primary's, or nobody looks there.
fn may_be_its_sender(standby: &Standby, primary: &PrimaryLook) -> bool {
    match primary {
        PrimaryLook::Seen(seen) => {
            !seen.in_recovery && seen.system == standby.system && seen.timeline == standby.timeline
        }
        PrimaryLook::NotAsked => true,
        PrimaryLook::Unreachable(..) | PrimaryLook::Unreadable(_) => false,
    }
}

/// From `earlier` to `later`; negative the other way round.
fn seconds_between(later: Moment, earlier: Moment) -> f64 {
    match later.checked_duration_since(earlier) {
        Some(ahead) => ahead.as_secs_f64(),
        None => -earlier.saturating_duration_since(later).as_secs_f64(),
    }
}
