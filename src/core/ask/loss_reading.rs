//! What one reading tells of a loss. The latest that counts is a durable fact, so that it outlives the engine that
//! measured it: a primary that is gone cannot be measured again.

use crate::base::ids::ProbeId;
use crate::base::{units, words};
use crate::core::model::Model;
use crate::core::words::loss::{LossEstimate, MeasuredStandby};
use crate::core::words::reading::{Field, Measurement, Reading};
use crate::core::words::signal::Recent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a basis says of a primary that nobody sees and nothing is known to keep from writing.
pub const MAY_WRITE: &str = "it may accept writes still";

/// How far a standby has the WAL of its primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Held {
    /// The timeline that it follows: on another one the same positions are other WAL.
    pub timeline: u32,
    /// The end of what it keeps if it is promoted.
    pub end: u64,
}

impl Held {
    fn of(measured: &Measurement) -> Option<Self> {
        let position = |name: &str| measured.text(name).and_then(words::position);
        let end = position("receive_lsn").max(position("replay_lsn"))?;
        Some(Self { timeline: measured.number("timeline")? as u32, end })
    }

    /// How much more WAL the other one has; none where the two cannot be compared.
    fn more_in(self, other: Self) -> Option<u64> {
        (self.timeline == other.timeline).then(|| other.end.saturating_sub(self.end))
    }
}

/// The last moment of which it is known that the primary committed then or later.
#[derive(Clone, Copy, Default, Debug)]
pub struct Commits {
    /// By its commits' own times, which rests on clocks of two servers and counts its own upkeep, or as below if that is later.
    pub told: Option<Timestamp>,
    /// By commits that go on to reach the standby for longer than upkeep.
    pub surely: Option<Timestamp>,
}

impl Commits {
    /// What both know.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { told: self.told.max(other.told), surely: self.surely.max(other.surely) }
    }
}

/// What a reading tells of a loss, by the fields `exposure_*`, `primary_heard_s` and `primary_writable_s`, and of which
/// standby, by `system_identifier` and `started_at`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LossReading {
    /// For when it holds: the begin of the run. The rest of it may have been spent on waiting for a primary that does
    /// not answer.
    pub at: Timestamp,
    /// Time span of writes, at most; none where it is not known.
    pub most: Option<SignedDuration>,
    /// Time span of writes, at least; none where it is not known.
    pub least: Option<SignedDuration>,
    /// Bytes, at most; none where it is not known.
    pub bytes: Option<u64>,
    /// Bytes, at least; none where it is not known.
    pub bytes_min: Option<u64>,
    /// When the primary was last heard of; none where the probe does not tell, or has not heard of it.
    pub heard_at: Option<Timestamp>,
    /// When the primary was last seen to accept writes; none where nobody looks at that, or saw it.
    pub writable_at: Option<Timestamp>,
    /// The last moment after which the primary surely committed, by what reached the standby and whatever the clocks of
    /// servers say; none where nothing shows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_after: Option<Timestamp>,
    /// The same by commits alone that went on for longer than upkeep of large tables does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transactions_after: Option<Timestamp>,
    /// The server that the standby streamed from, `host:port`, where that was known to be the primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_sender: Option<String>,
    /// How it was found, in words.
    pub basis: String,
    /// The standby that was measured, where the reading tells that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<MeasuredStandby>,
    /// How far that had the primary's WAL, where the reading tells that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// What was known before of a standby that had more, or may have had: it counts again once this one has as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_more: Option<Box<Self>>,
    /// The roles changed sides: the primary was the server that the plan calls the standby.
    #[serde(default)]
    pub reversed: bool,
}

impl LossReading {
    fn of(reading: &Reading, measured: &Measurement) -> Self {
        let span = |name: &str| {
            measured.number(name).and_then(|s| SignedDuration::try_from_secs_f64(s.max(0.0)).ok())
        };
        let bytes = |name: &str| measured.number(name).map(|bytes| bytes.max(0.0) as u64);
        let at = reading.at.checked_sub(reading.took).unwrap_or(reading.at);
        let ago = |name: &str| span(name).and_then(|ago| at.checked_sub(ago).ok());
        let told = Self {
            at,
            most: span("exposure_s"),
            least: span("exposure_min_s"),
            bytes: bytes("exposure_bytes"),
            bytes_min: bytes("exposure_min_bytes"),
            heard_at: ago("primary_heard_s"),
            writable_at: ago("primary_writable_s"),
            committed_after: ago("primary_commits_s"),
            transactions_after: ago("primary_transactions_s"),
            matched_sender: None,
            basis: String::new(),
            standby: measured_standby(measured),
            held: Held::of(measured),
            of_more: None,
            reversed: measured.fields.get("reversed") == Some(&Field::Flag(true)),
        };
        // What a program printed is its own measurement, and no reason.
        let as_told = if told.is_known() { "as that probe measures it" } else { &measured.summary };
        let basis = measured.text("exposure_basis").unwrap_or(as_told).to_owned();
        let matched_sender = match is_matched(measured) {
            Some(is_matched) => sender(measured).filter(|_| is_matched),
            None => measured.text("known_sender").map(str::to_owned),
        };
        Self { basis, matched_sender, ..told }
    }

    /// The same with what was known before of the server that the standby streams from: an engine that began while the
    /// primary was out of sight cannot know whether it is that.
    fn knowing(self, kept: &Self, measured: &Measurement) -> Self {
        // While the primary is seen it is told anew whose stream that is: after a switchover it may be of one in between.
        let is_seen = measured.fields.get("primary_reachable") == Some(&Field::Flag(true));
        let known = kept.matched_sender.clone().filter(|_| kept.reversed == self.reversed && !is_seen);
        let is_it = is_matched(measured) == Some(false) && known.is_some() && sender(measured) == known;
        let after = |name: &str| {
            let ago = measured.number(name).filter(|_| is_it)?;
            self.at.checked_sub(SignedDuration::try_from_secs_f64(ago.max(0.0)).ok()?).ok()
        };
        let committed_after = self.committed_after.max(after("sender_commits_s"));
        let transactions_after = self.transactions_after.max(after("sender_transactions_s"));
        let matched_sender = self.matched_sender.clone().or(known);
        Self { committed_after, transactions_after, matched_sender, ..self }
    }

    /// Of the readings that were kept, the one whose standby had the most.
    fn of_most(&self) -> &Self {
        self.of_more.as_deref().unwrap_or(self)
    }

    /// Whether it holds of the standby that is `told` of: the same process, or one that has as much of the same WAL. One
    /// that was built from a backup since, or that has not yet replayed all that it has, may lack more.
    fn holds_of(&self, told: &Self) -> bool {
        let (Some(kept), Some(seen)) = (&self.standby, &told.standby) else { return true };
        let has_as_much = || told.held.zip(self.held).is_some_and(|(has, had)| has.more_in(had) == Some(0));
        kept == seen || (kept.system == seen.system && has_as_much())
    }

    /// The same of a standby that has more since: that much less is missing for certain, and nobody knows of how long.
    fn with_more(&self, told: &Self) -> Self {
        let came = self.held.zip(told.held).and_then(|(had, has)| had.more_in(has)).unwrap_or(0);
        if came == 0 {
            return self.clone();
        }
        let bytes_min = self.bytes_min.map(|missing| missing.saturating_sub(came));
        Self { least: self.least.map(|_| SignedDuration::ZERO), bytes_min, ..self.clone() }
    }

    /// What this engine can tell of a standby of which what was kept does not hold: by its last commit, and no less than
    /// one with more would lose.
    fn beside(self, kept: &Self, measured: &Measurement) -> Self {
        let at_least = kept.most.map(|most| most + self.at.duration_since(kept.at));
        let system = |told: &Self| told.standby.as_ref().map(|standby| standby.system.clone());
        let comparable = self.held.zip(kept.held).filter(|_| system(&self) == system(kept));
        let lacks = comparable.and_then(|(has, had)| has.more_in(had));
        // It may have more WAL than it has replayed, which nobody can tell before it has.
        let is_all = measured.fields.get("at_end_of_wal") == Some(&Field::Flag(true));
        let kept_least = kept.least.filter(|_| lacks.is_some() && kept.is_range());
        let kept_missing = kept.bytes_min.or(kept.bytes).unwrap_or(0);
        let missing = lacks.map(|lacks| kept_missing.saturating_add(if is_all { lacks } else { 0 }));
        let basis = match lacks.is_some() && is_all {
            true => "it holds less than what was measured before the engine restarted",
            false => "it is not known to hold as much as what was measured before the engine restarted",
        };
        Self {
            most: self.most.map(|most| at_least.map_or(most, |least| most.max(least))),
            least: self.least.max(kept_least),
            bytes_min: self.bytes_min.max(missing),
            heard_at: kept.heard_at,
            writable_at: self.writable_at.max(kept.writable_at),
            basis: format!("{}; {basis}", self.basis),
            of_more: Some(Box::new(kept.clone())),
            ..self
        }
    }

    /// Moves all of its times to a clock that was set back by so much.
    pub fn set_back(&mut self, by: SignedDuration) {
        self.of_more.iter_mut().for_each(|kept| kept.set_back(by));
        let moved = |time: &mut Timestamp| *time = time.checked_sub(by).unwrap_or(Timestamp::MIN);
        moved(&mut self.at);
        let (heard, writable) = (&mut self.heard_at, &mut self.writable_at);
        let others = [heard, writable, &mut self.committed_after, &mut self.transactions_after];
        others.into_iter().flatten().for_each(moved);
    }

    /// Says that it is older than the clock would tell.
    pub fn say_older(&mut self, by: SignedDuration) {
        self.basis = format!(
            "{}; this host's clock was set back by {} while no engine ran, which is counted in",
            self.basis,
            units::duration(by)
        );
    }

    /// What is left of it once nobody knows how long ago it was measured, and by `when` it was: a loss that grows since then
    /// is not known.
    pub fn undated(&self, now: Timestamp, when: &str) -> Self {
        Self {
            at: now,
            most: None,
            least: None,
            bytes: None,
            bytes_min: None,
            heard_at: None,
            writable_at: None,
            committed_after: None,
            transactions_after: None,
            matched_sender: self.matched_sender.clone(),
            basis: format!("it was measured {when}, and nobody knows how long ago that is"),
            standby: self.standby.clone(),
            held: None,
            of_more: None,
            reversed: self.reversed,
        }
    }

    /// Whether it tells anything.
    pub fn is_known(&self) -> bool {
        self.most.is_some() || self.bytes.is_some()
    }

    /// Whether it is a range: the primary was not seen.
    pub fn is_range(&self) -> bool {
        self.least.zip(self.most).is_some_and(|(least, most)| least < most)
    }

    /// Up to when the standby surely holds what the primary wrote, by the primary's own commits.
    pub fn held_until(&self) -> Option<Timestamp> {
        self.at.checked_sub(self.most?).ok()
    }

    /// Up to when the primary committed, as far as it tells.
    pub fn commits(&self) -> Commits {
        Commits { told: self.held_until().max(self.committed_after), surely: self.transactions_after }
    }

    /// The loss at the moment of the reading.
    pub fn estimate(&self, probe: ProbeId) -> LossEstimate {
        let mut loss = LossEstimate {
            span: self.most,
            bytes: self.bytes,
            measured_at: Some(self.at),
            standby: self.standby.clone(),
            ..LossEstimate::unknown(probe, self.basis.clone())
        };
        if self.is_range() {
            (loss.span_min, loss.bytes_min) = (self.least, self.bytes_min);
            loss.bytes = None;
            loss.heard_at = self.heard_at;
        }
        loss
    }

    /// Whether this engine's own look counts in the place of what was `kept`: it has heard of the primary since, or
    /// shows that there is none to be heard of. A probe that began anew without its primary knows less than that.
    fn overrules(&self, kept: &Self, measured: &Measurement) -> bool {
        let is = |name: &str, flag: bool| measured.fields.get(name) == Some(&Field::Flag(flag));
        self.heard_at.is_some()
            || kept.heard_at.is_none()
            || is("primary_reachable", true)
            || is("in_recovery", false)
    }
}

fn measured_standby(measured: &Measurement) -> Option<MeasuredStandby> {
    let text = |name: &str| measured.text(name).map(str::to_owned);
    Some(MeasuredStandby { system: text("system_identifier")?, started_at: text("started_at")? })
}

/// The last moment after which the primary surely committed, by what reached the standby since this engine looks: no clock
/// of another server is asked, as it may be ahead, and a commit of before the word would break it.
pub fn committed_after(model: &Model, probe: &ProbeId) -> Option<Timestamp> {
    latest(model, probe)?.0.committed_after
}

/// The same by commits alone that went on for longer than upkeep of large tables does.
pub fn transactions_after(model: &Model, probe: &ProbeId) -> Option<Timestamp> {
    latest(model, probe)?.0.transactions_after
}

/// From whom a standby streams, where nobody sees the primary and that server is not known to be it: what the primary goes
/// on to commit would not be told from what a standby in between passes on.
pub fn unmatched_sender(model: &Model, probe: &ProbeId) -> Option<String> {
    let (told, measured) = latest(model, probe)?;
    let sender = sender(measured);
    let is_known = sender.is_some() && sender == told.matched_sender;
    let is_unmatched = is_matched(measured) == Some(false) && !is_known;
    is_unmatched.then(|| sender.unwrap_or_else(|| "a server that it does not name".to_owned()))
}

fn sender(measured: &Measurement) -> Option<String> {
    measured.text("sender").map(str::to_owned)
}

/// Whether the probe knows that the standby streams from the primary itself; none where it does not tell.
fn is_matched(measured: &Measurement) -> Option<bool> {
    match measured.fields.get("sender_matched") {
        Some(Field::Flag(is_matched)) => Some(*is_matched),
        _ => None,
    }
}

fn latest<'m>(model: &'m Model, probe: &ProbeId) -> Option<(LossReading, &'m Measurement)> {
    let reading = model.live.recent.get(probe).and_then(Recent::measured)?;
    let measured = reading.outcome.as_ref().ok()?;
    let told = LossReading::of(reading, measured);
    let told = match model.durable.losses.get(probe) {
        Some(kept) => told.knowing(kept, measured),
        None => told,
    };
    Some((told, measured))
}

/// What was known before this engine looked, as far as it holds of the standby that this engine sees.
pub fn kept(model: &Model, probe: &ProbeId) -> Option<LossReading> {
    let kept = model.durable.losses.get(probe)?;
    let most = kept.of_most();
    let told = latest(model, probe).map(|(told, _)| told).filter(|told| told.standby.is_some());
    let told = told.filter(|told| most.holds_of(told));
    Some(told.map_or_else(|| kept.clone(), |told| most.with_more(&told)))
}

/// Up to when this engine knows that the primary committed, by its latest reading, whether or not that counts.
pub fn commits(model: &Model, probe: &ProbeId) -> Commits {
    latest(model, probe).map_or_else(Commits::default, |(told, _)| told.commits())
}

/// Whether the roles have changed sides by the latest reading.
pub fn is_reversed(model: &Model, probe: &ProbeId) -> bool {
    latest(model, probe).is_some_and(|(told, _)| told.reversed)
}

/// What this engine measured last, where that counts; none where nothing was measured, or more was known before.
pub fn measured(model: &Model, probe: &ProbeId) -> Option<LossReading> {
    let (told, measured) = latest(model, probe)?;
    let Some(kept) = model.durable.losses.get(probe) else { return Some(told) };
    if told.overrules(kept, measured) {
        return Some(told);
    }
    let most = kept.of_most();
    (most.is_known() && !most.holds_of(&told)).then(|| told.beside(most, measured))
}
