//! What a failover would lose: one figure, or a range that grows until the old primary is fenced.

use crate::base::ids::ProbeId;
use crate::base::units;
use crate::core::words::action::{STARTED_AT, SYSTEM_IDENTIFIER, Target};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What an estimate may grow by before it counts as another one: less is noise of measuring.
const NOISE: SignedDuration = SignedDuration::from_secs(10);
const NOISE_BYTES: u64 = 1_000_000;
/// What the upper end may grow by while somebody reads and types, by nothing but the time that passes.
const WHILE_TYPING: SignedDuration = SignedDuration::from_secs(60);

/// A standby as a probe saw it, told apart from the other standbys of its cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeasuredStandby {
    /// Which database it is a copy of.
    pub system: String,
    /// When its process started, by its own word.
    pub started_at: String,
}

impl MeasuredStandby {
    /// The server that a target is, where its identity was read whole.
    pub fn of_target(target: &Target) -> Option<Self> {
        let property = |name| target.property(name).map(str::to_owned);
        Some(Self { system: property(SYSTEM_IDENTIFIER)?, started_at: property(STARTED_AT)? })
    }
}

/// A fence that a person says to be there and that nothing has shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OnWord {
    /// Who says so, where that is known.
    pub by: Option<String>,
    /// Time span of writes, at most, if the server is not fenced; it grows with the clock.
    pub most: SignedDuration,
    /// The moment for which that is right.
    pub from: Timestamp,
}

impl OnWord {
    fn at(&self, now: Timestamp) -> Self {
        let passed = now.duration_since(self.from).max(SignedDuration::ZERO);
        Self { most: self.most + passed, from: now, ..self.clone() }
    }

    fn sentence(&self) -> String {
        format!(
            " on {} word, NOT PROVEN: up to {} and growing if it takes writes",
            whose(self.by.as_deref()),
            units::duration(self.most)
        )
    }
}

/// How the reason begins of a word that nothing could break, and that closes nothing therefore.
pub const UNCHECKED: &str = "cannot be checked";

/// A person's word of a fence that closes no loss.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DoubtedWord {
    /// Whose it is, where that is known.
    pub by: Option<String>,
    /// What is with it, as the rest of the sentence: `cannot be checked: …`.
    pub why: String,
}

impl DoubtedWord {
    /// Whether it is doubted only as nobody can check it.
    pub fn is_unchecked(&self) -> bool {
        self.why.starts_with(UNCHECKED)
    }

    fn sentence(&self) -> String {
        format!("{} word {}", whose(self.by.as_deref()), self.why)
    }
}

fn whose(by: Option<&str>) -> String {
    by.map_or_else(|| "a person's".to_owned(), |by| format!("{by}'s"))
}

/// What would be lost if the failover happened now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LossEstimate {
    /// The probe that it comes from.
    pub probe: ProbeId,
    /// Time span of writes, at most; none where it is not known.
    pub span: Option<SignedDuration>,
    /// Bytes of write-ahead log not yet received by the standby, at most; none where it is not known, as while nobody
    /// sees the primary.
    pub bytes: Option<u64>,
    /// How it was found, in words.
    pub basis: String,
    /// When it was measured; none where it never was.
    pub measured_at: Option<Timestamp>,
    /// Time span of writes, at least: if the primary died when it was last heard of. None where `span` is the one figure.
    #[serde(default)]
    pub span_min: Option<SignedDuration>,
    /// Bytes, at least; none where `bytes` is the one figure.
    #[serde(default)]
    pub bytes_min: Option<u64>,
    /// When the primary was last heard of, by which `span_min` goes.
    #[serde(default)]
    pub heard_at: Option<Timestamp>,
    /// The moment for which `span` is right, where it grows with the clock from then on: nothing is known to keep the
    /// primary from accepting writes. None where it is closed.
    #[serde(default)]
    pub grows_from: Option<Timestamp>,
    /// When the old primary was fenced, by which a range is closed.
    #[serde(default)]
    pub fenced_at: Option<Timestamp>,
    /// That fence rests on a person's word alone: what holds if it is not so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_word: Option<OnWord>,
    /// A person's word that the primary is fenced, which does not close it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted: Option<DoubtedWord>,
    /// How many further probes that should tell a loss cannot: it may be worse than this.
    #[serde(default)]
    pub untold: usize,
    /// When the engine restarted that has not measured it itself: it rests on what was known before.
    #[serde(default)]
    pub restarted_at: Option<Timestamp>,
    /// The standby that it was measured of, where the probe tells that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<MeasuredStandby>,
}

impl LossEstimate {
    /// Of which nothing is known.
    pub fn unknown(probe: ProbeId, basis: impl Into<String>) -> Self {
        Self {
            probe,
            span: None,
            bytes: None,
            basis: basis.into(),
            measured_at: None,
            span_min: None,
            bytes_min: None,
            heard_at: None,
            grows_from: None,
            fenced_at: None,
            on_word: None,
            doubted: None,
            untold: 0,
            restarted_at: None,
            standby: None,
        }
    }

    /// What it tells of the promotion of a server: nothing where another standby of the same database was measured.
    #[must_use]
    pub fn of_promoting(self, promoted: &MeasuredStandby) -> Self {
        let Some(measured) = self.standby.as_ref().filter(|_| self.measured_another(promoted)) else {
            return self;
        };
        let basis = format!(
            "`{}` measured another standby, or this one before it was restarted (started at {} there)",
            self.probe, measured.started_at
        );
        Self { measured_at: self.measured_at, standby: self.standby, ..Self::unknown(self.probe, basis) }
    }

    /// Whether another standby of the same database was measured than this one.
    pub fn measured_another(&self, promoted: &MeasuredStandby) -> bool {
        let measured = self.standby.as_ref().filter(|measured| measured.system == promoted.system);
        measured.is_some_and(|measured| measured.started_at != promoted.started_at)
    }

    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        self.span.is_some() || self.bytes.is_some()
    }

    /// Up to when the standby surely held what the primary wrote, to a few seconds; none where the span is not known.
    pub fn held_until(&self) -> Option<Timestamp> {
        let end = self.grows_from.or(self.fenced_at).or(self.measured_at)?;
        end.checked_sub(self.span?).ok()
    }

    /// The one that counts of several that one failover would lose: the worst of those that are known.
    pub fn worst(losses: impl IntoIterator<Item = Self>) -> Option<Self> {
        let losses: Vec<Self> = losses.into_iter().collect();
        let unknown = losses.iter().filter(|loss| !loss.is_known()).count();
        let worst = losses.into_iter().max_by_key(|loss| (loss.is_known(), loss.span, loss.bytes))?;
        let untold = if worst.is_known() { unknown } else { 0 };
        Some(Self { untold, ..worst })
    }

    /// The same at a later moment, grown by the time that passed.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        let on_word = self.on_word.as_ref().map(|word| word.at(now));
        let Some(from) = self.grows_from else { return Self { on_word, ..self.clone() } };
        let passed = now.duration_since(from).max(SignedDuration::ZERO);
        Self { span: self.span.map(|span| span + passed), grows_from: Some(now), on_word, ..self.clone() }
    }

    /// `about 14 s, 3.2 MB not yet replicated`, a range with what decides within it, or that it is not known.
    pub fn sentence(&self) -> String {
        let mut sentence = self.amount_sentence();
        if let Some(at) = self.restarted_at.filter(|_| self.is_known()) {
            sentence += &format!("; by what was known before the engine restarted at {}", clock(at));
        }
        match self.untold {
            0 => sentence,
            1 => format!("{sentence}; another probe cannot tell its part"),
            untold => format!("{sentence}; {untold} other probes cannot tell their part"),
        }
    }

    fn amount_sentence(&self) -> String {
        let Some(amount) = self.amount() else { return format!("not known: {}", self.basis) };
        match (self.grows_from, self.span_min) {
            (Some(_), Some(least)) => {
                let heard = self.heard_at.map_or_else(String::new, |at| format!(" ({})", clock(at)));
                format!(
                    "{} if the primary died when last heard of{heard}, up to {} if it still takes writes; {}",
                    self.words(least, self.bytes_min),
                    self.most(),
                    self.until()
                )
            }
            (Some(_), None) if self.doubted.is_some() => format!("up to {}; {}", self.most(), self.until()),
            (Some(_), None) => format!("up to {}, and growing: it is not seen any more", self.most()),
            (None, Some(least)) => {
                format!("between {} and {}{}", self.words(least, self.bytes_min), self.most(), self.fence())
            }
            (None, None) if self.on_word.is_some() => format!("about {amount}{}", self.fence()),
            (None, None) if self.span == Some(SignedDuration::ZERO) && self.bytes == Some(0) => {
                "nothing: everything that was written is replicated".into()
            }
            (None, None) => format!("about {amount} not yet replicated"),
        }
    }

    /// What ends its growth.
    fn until(&self) -> String {
        match &self.doubted {
            Some(word) => format!("grows until its fence is PROVEN: {}", word.sentence()),
            None => "grows until it is fenced".to_owned(),
        }
    }

    /// What has closed it.
    fn fence(&self) -> String {
        let Some(at) = self.fenced_at else { return String::new() };
        let word = self.on_word.as_ref().map_or_else(String::new, OnWord::sentence);
        format!(": fenced at {}{word}", clock(at))
    }

    /// That the primary is fenced, as far as that is known where something has closed it.
    pub fn fence_words(&self) -> &'static str {
        match self.on_word {
            Some(_) => "It is fenced on a word",
            None => "The primary is fenced",
        }
    }

    /// The upper end.
    fn most(&self) -> String {
        match (self.span, self.bytes) {
            (Some(span), bytes) => self.words(span, bytes.filter(|bytes| *bytes > 0)),
            (None, bytes) => bytes.map_or_else(|| "an unknown amount".into(), units::bytes),
        }
    }

    fn words(&self, span: SignedDuration, bytes: Option<u64>) -> String {
        match bytes {
            Some(0) | None if span.is_zero() => "nothing".into(),
            Some(bytes) => format!("{}, {}", units::duration(span), units::bytes(bytes)),
            None => units::duration(span),
        }
    }

    /// `14 s`, `0 s to 48 s`: the figure that stands on every screen, in time where that is known. None where nothing
    /// is.
    pub fn short(&self) -> Option<String> {
        match (self.span_min, self.span, self.bytes) {
            (Some(least), Some(span), _) => {
                Some(format!("{} to {}", units::duration(least), units::duration(span)))
            }
            (None, Some(span), _) => Some(units::duration(span)),
            (_, None, bytes) => bytes.map(units::bytes),
        }
    }

    fn amount(&self) -> Option<String> {
        match (self.span, self.bytes) {
            (None, None) => None,
            (Some(span), None) => Some(units::duration(span)),
            (None, Some(bytes)) => Some(units::bytes(bytes)),
            (Some(span), Some(bytes)) => Some(format!("{}, {}", units::duration(span), units::bytes(bytes))),
        }
    }

    /// Whether `found`, at `now`, is worse than this one, which was confirmed: unknown where it was known, or larger by
    /// more than measuring noise. Of what grows by the clock alone only a minute, or half as much again, is more than
    /// whoever types saw on the way: the screen counts with them.
    pub fn is_materially_worse(&self, found: &Self, now: Timestamp) -> bool {
        let expected = self.at(now);
        let grew = |then: Option<SignedDuration>, now: Option<SignedDuration>, slack: SignedDuration| match (
            then, now,
        ) {
            (Some(_), None) => true,
            (Some(then), Some(now)) => now > then + (then / 2).max(slack),
            (None, _) => false,
        };
        let least = |loss: &Self| loss.span_min.or(loss.span);
        let bytes_grew = |then: Option<u64>, now: Option<u64>| match (then, now) {
            (Some(_), None) => true,
            (Some(then), Some(now)) => now > then.saturating_add((then / 2).max(NOISE_BYTES)),
            (None, _) => false,
        };
        let bytes = |loss: &Self| loss.bytes_min.or(loss.bytes);
        grew(expected.span, found.span, NOISE)
            || grew(self.span, found.span, WHILE_TYPING)
            || grew(least(self), least(found).or(found.span), NOISE)
            || bytes_grew(bytes(self), bytes(found))
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}
