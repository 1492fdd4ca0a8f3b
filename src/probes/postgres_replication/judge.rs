//! From two looks to one measurement, with what is remembered of earlier ones. Pure.

use super::exposure::{Exposure, estimated, measured};
use super::history::{History, Sample};
use super::look::{Primary, PrimaryLook, Receiver, Standby};
use crate::core::reading::{Measurement, ProbeFailure, Verdict};
use crate::probes::words;
use std::time::{Duration, Instant};

/// What is remembered between two runs.
#[derive(Debug, Default)]
pub struct Memory {
    history: History,
    /// When the standby last heard from the primary, or when it was first seen without a stream.
    silent_since: Option<Instant>,
    /// When the first of the failing looks at the primary began.
    unreachable_since: Option<Instant>,
}

/// The state of the stream into the standby.
enum Stream {
    /// It flows; the last message came then, and told where the primary's WAL ends.
    Flows { heard: Instant, end: Option<u64> },
    /// It does not, and why.
    Stopped(String),
}

/// Judges a standby.
///
/// # Errors
/// When the role may not see the receiver: whether anything streams is then not known.
pub fn judge(
    memory: &mut Memory,
    standby: &Standby,
    primary: &PrimaryLook,
) -> Result<Measurement, ProbeFailure> {
    if let Some(wrong) = wrong_server(standby, primary) {
        *memory = Memory::default();
        return Ok(describe(standby, primary, Measurement::critical(wrong)));
    }
    if standby.receiver == Receiver::Hidden {
        return Err(ProbeFailure::new(
            "the WAL receiver's state is hidden from this role, so it is not known whether anything streams",
            "Grant it: `grant pg_monitor to ROLE` on the primary (it replicates).",
        ));
    }
    let stream = stream(standby);
    memory.learn(standby, primary, &stream);
    let Some(holds) = standby.holds() else {
        let why = "the standby has received nothing yet";
        return Ok(describe(standby, primary, Measurement::critical(why)));
    };
    let exposure = memory.exposure(standby, holds, primary, &stream);
    let replay_lag = memory.replay_lag(standby, holds, &exposure, primary, &stream);
    let measured = verdict(memory, standby, primary, &stream, &exposure, replay_lag);
    Ok(describe(standby, primary, measured)
        .with_number("replay_lag_s", replay_lag.map(|lag| lag.as_secs_f64()))
        .with_number(
            "replay_lag_bytes",
            standby.replayed.map(|replayed| holds.saturating_sub(replayed) as f64),
        )
        .with_number("exposure_s", exposure.span.map(|span| span.as_secs_f64()))
        .with_number("exposure_bytes", exposure.bytes.map(|bytes| bytes as f64))
        .with_text("exposure_basis", exposure.basis))
}

/// A server that is not the standby of that primary: no lag can be told.
fn wrong_server(standby: &Standby, primary: &PrimaryLook) -> Option<String> {
    if !standby.in_recovery {
        return Some(format!(
            "this server is not a standby: it was promoted (timeline {}) or never was one",
            standby.timeline
        ));
    }
    let PrimaryLook::Seen(primary) = primary else { return None };
    if primary.system != standby.system {
        return Some(format!(
            "standby and primary are different clusters (system identifiers {} and {})",
            standby.system, primary.system
        ));
    }
    (!primary.in_recovery && primary.timeline != standby.timeline).then(|| {
        format!(
            "the standby is on timeline {}, the primary on {}: it does not follow this primary",
            standby.timeline, primary.timeline
        )
    })
}

fn stream(standby: &Standby) -> Stream {
    let stopped = |why: String| Stream::Stopped(why);
    match &standby.receiver {
        Receiver::Seen { status, silent, end, .. } if status == "streaming" => {
            if *silent > standby.silence_limit() {
                return stopped(format!("no message for {}", words::seconds(silent.as_secs_f64())));
            }
            Stream::Flows { heard: standby.at.checked_sub(*silent).unwrap_or(standby.at), end: *end }
        }
        Receiver::Seen { status, .. } => stopped(format!("the WAL receiver is {status}")),
        Receiver::Hidden | Receiver::None => stopped("no WAL receiver runs".into()),
    }
}

impl Memory {
    fn learn(&mut self, standby: &Standby, primary: &PrimaryLook, stream: &Stream) {
        self.history.follow(&standby.system, standby.timeline);
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
        match primary {
            PrimaryLook::Unreachable(_, began) => {
                self.unreachable_since.get_or_insert(*began);
            }
            PrimaryLook::Seen(_) => self.unreachable_since = None,
            PrimaryLook::NotAsked | PrimaryLook::Unreadable(_) => {}
        }
        if let Stream::Flows { heard, end: Some(end) } = stream {
            self.history.push(Sample { at: *heard, end: *end });
        }
        if let Some(sample) = source(primary) {
            self.history.push(sample);
        }
    }

    fn exposure(&self, standby: &Standby, holds: u64, primary: &PrimaryLook, stream: &Stream) -> Exposure {
        let now = standby.at;
        if let Some(end) = source(primary) {
            let basis =
                format!("measured: primary at {}, standby holds {}", words::lsn(end.end), words::lsn(holds));
            return measured(&self.history, end, holds, now, standby.commit_age, basis);
        }
        match (stream, self.unreachable_since) {
            (Stream::Flows { .. }, Some(_)) => estimated(
                &self.history,
                holds,
                now,
                "which cannot be reached from here; the standby may still hear it",
            ),
            (Stream::Flows { heard, end: Some(end) }, None) => {
                let age = words::seconds((now - *heard).as_secs_f64());
                let basis = format!("what the primary last told the WAL receiver, {age} ago");
                measured(
                    &self.history,
                    Sample { at: *heard, end: *end },
                    holds,
                    now,
                    standby.commit_age,
                    basis,
                )
            }
            (_, Some(unreachable)) => {
                let ended = self.silent_since.map_or(unreachable, |silent| silent.max(unreachable));
                let ago = words::seconds(now.saturating_duration_since(ended).as_secs_f64());
                let assumption = format!("taken to have accepted writes until contact was lost {ago} ago");
                estimated(&self.history, holds, ended, &assumption)
            }
            (_, None) => {
                estimated(&self.history, holds, now, "taken to accept writes still: nobody looks at it")
            }
        }
    }

    /// How far queries on the standby, or the start of promotion, are behind the primary; behind the last
    /// contact when nothing streams.
    fn replay_lag(
        &self,
        standby: &Standby,
        holds: u64,
        exposure: &Exposure,
        primary: &PrimaryLook,
        stream: &Stream,
    ) -> Option<Duration> {
        let replayed = standby.replayed?;
        if replayed >= holds && matches!(stream, Stream::Flows { .. }) {
            return exposure.span;
        }
        if replayed >= holds {
            return Some(Duration::ZERO);
        }
        let until = match (stream, source(primary)) {
            (Stream::Flows { .. }, _) | (_, Some(_)) => standby.at,
            _ => self.silent_since.unwrap_or(standby.at),
        };
        let end = self.history.newest().unwrap_or(Sample { at: until, end: holds });
        let end = Sample { end: end.end.max(holds), at: end.at.min(until) };
        match self.history.time_at(replayed, end) {
            Some(replayed) => Some(until.saturating_duration_since(replayed)),
            None => {
                let since = standby.at.saturating_duration_since(until);
                standby.commit_age.map(|age| age.saturating_sub(since))
            }
        }
    }
}

/// The primary's own word on where its WAL ends; a standby that the plan takes for a primary is none.
fn source(primary: &PrimaryLook) -> Option<Sample> {
    match primary {
        PrimaryLook::Seen(primary) if !primary.in_recovery => {
            Some(Sample { at: primary.at, end: primary.end })
        }
        _ => None,
    }
}

fn verdict(
    memory: &Memory,
    standby: &Standby,
    primary: &PrimaryLook,
    stream: &Stream,
    exposure: &Exposure,
    replay_lag: Option<Duration>,
) -> Measurement {
    let unreachable = unreachable_words(memory, standby, primary);
    let paused = paused_words(standby);
    if let Stream::Stopped(why) = stream {
        let since =
            memory.silent_since.map_or(Duration::ZERO, |since| standby.at.saturating_duration_since(since));
        let mut words = format!(
            "not streaming for {} ({why}); would lose {}",
            words::seconds(since.as_secs_f64()),
            exposure.words()
        );
        for more in [unreachable, paused].into_iter().flatten() {
            words = format!("{words}; {more}");
        }
        return Measurement::critical(words);
    }
    let lag = exposure.span.zip(replay_lag).map(|(span, lag)| span.max(lag));
    let behind = lag.map_or("an unknown time".to_owned(), |lag| words::seconds(lag.as_secs_f64()));
    let summary = match lag {
        Some(Duration::ZERO) => "streaming, nothing missing".to_owned(),
        _ => format!("streaming, {behind} behind, would lose {}", exposure.words()),
    };
    let mut measured = Measurement::good(summary);
    if let Some(lag) = lag {
        measured = measured.with_value(lag.as_secs_f64());
    } else {
        measured = measured.judged(Verdict::Warn(
            "it is behind since before it was first watched: by how long is not known".into(),
        ));
    }
    let warnings = [paused, waiting_words(standby), unreachable];
    warnings.into_iter().flatten().fold(measured, |measured, why| {
        let summary = format!("{}; {why}", measured.summary);
        Measurement { summary, ..measured }.judged(Verdict::Warn(why))
    })
}

fn unreachable_words(memory: &Memory, standby: &Standby, primary: &PrimaryLook) -> Option<String> {
    match primary {
        PrimaryLook::Unreachable(why, _) => {
            let since = memory
                .unreachable_since
                .map_or(Duration::ZERO, |since| standby.at.saturating_duration_since(since));
            Some(format!("primary unreachable for {} ({why})", words::seconds(since.as_secs_f64())))
        }
        PrimaryLook::Unreadable(why) => Some(format!("the primary cannot be read ({why})")),
        PrimaryLook::Seen(primary) if primary.in_recovery => {
            Some("the server named as `primary` is itself a standby".into())
        }
        PrimaryLook::Seen(_) | PrimaryLook::NotAsked => None,
    }
}

fn paused_words(standby: &Standby) -> Option<String> {
    let waiting = standby.holds()?.saturating_sub(standby.replayed?);
    standby.paused.then(|| {
        format!(
            "replay is paused, {} received but not replayed (a promotion replays it first; a lost stream does not \
             come back before replay resumes)",
            words::bytes(waiting as f64)
        )
    })
}

fn waiting_words(standby: &Standby) -> Option<String> {
    let event = standby.waits_for.as_deref()?;
    if event.starts_with("RecoveryConflict") {
        return Some(format!("replay waits for a query on the standby to end ({event})"));
    }
    (event == "RecoveryApplyDelay").then(|| {
        format!("replay is delayed on purpose by {}", words::seconds(standby.apply_delay.as_secs_f64()))
    })
}

/// The fields that need no judgement.
fn describe(standby: &Standby, primary: &PrimaryLook, measured: Measurement) -> Measurement {
    let mut measured = measured
        .with_flag("in_recovery", standby.in_recovery)
        .with_flag("replay_paused", standby.paused)
        .with_number("timeline", f64::from(standby.timeline))
        .with_text("system_identifier", standby.system.clone())
        .with_text("receive_lsn", standby.received.map(words::lsn))
        .with_text("replay_lsn", standby.replayed.map(words::lsn))
        .with_text("receiver_state", state(&standby.receiver));
    if let Receiver::Seen { slot, sender, silent, end, .. } = &standby.receiver {
        let missing = end.zip(standby.holds()).map(|(end, holds)| end.saturating_sub(holds) as f64);
        measured = measured
            .with_text("slot", slot.clone())
            .with_text("sender", sender.clone())
            .with_number("receiver_silent_s", silent.as_secs_f64())
            .with_number("receive_lag_bytes", missing);
    }
    match primary {
        PrimaryLook::Seen(seen) => seen_primary(seen, standby, measured),
        PrimaryLook::Unreachable(..) => measured.with_flag("primary_reachable", false),
        PrimaryLook::NotAsked | PrimaryLook::Unreadable(_) => measured,
    }
}

fn seen_primary(primary: &Primary, standby: &Standby, measured: Measurement) -> Measurement {
    let comparable =
        !primary.in_recovery && primary.system == standby.system && primary.timeline == standby.timeline;
    let missing =
        standby.holds().filter(|_| comparable).map(|holds| primary.end.saturating_sub(holds) as f64);
    let measured = measured
        .with_flag("primary_reachable", true)
        .with_number("primary_senders", f64::from(primary.senders))
        .with_number("unreplicated_bytes", missing);
    if primary.in_recovery {
        return measured;
    }
    let measured = measured
        .with_text("primary_lsn", words::lsn(primary.end))
        .with_number("primary_timeline", f64::from(primary.timeline));
    match missing {
        // The primary's own word is newer than what it last told the receiver.
        Some(bytes) => measured.with_number("receive_lag_bytes", bytes),
        None => measured,
    }
}

fn state(receiver: &Receiver) -> String {
    match receiver {
        Receiver::None => "not running".into(),
        Receiver::Hidden => "hidden".into(),
        Receiver::Seen { status, .. } => status.clone(),
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
