//! From two looks to one measurement, with what is remembered of earlier ones. Pure.

use super::exposure::Exposure;
use super::look::{Primary, PrimaryLook, Receiver, Standby};
use super::memory::{Memory, Stream};
use crate::base::moment::Moment;
use crate::base::problem::Problem;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use std::time::Duration;

/// Judges a standby.
///
/// # Errors
/// When the role may not see the receiver: whether anything streams is then not known.
pub fn judge(memory: &mut Memory, standby: &Standby, primary: &PrimaryLook) -> Result<Measurement, Problem> {
    let known = Standby { timeline: memory.timeline(standby, primary), ..standby.clone() };
    let standby = &known;
    if let Some(wrong) = wrong_server(standby, primary) {
        memory.start_anew();
        return Ok(describe(standby, primary, Measurement::critical(wrong)));
    }
    if standby.receiver == Receiver::Hidden {
        return Err(Problem::new(
            "the WAL receiver's state is hidden from this role, so it is not known whether anything streams",
            "Grant it: `grant pg_monitor to ROLE` on the primary (it replicates).",
        ));
    }
    if let Some(astray) = astray(standby, primary) {
        if standby.receiver != Receiver::None {
            memory.start_anew();
        }
        if !may_follow(standby, primary) {
            memory.learn_apart(primary);
        }
        return Ok(describe(standby, primary, Measurement::critical(astray)));
    }
    memory.learn_feed(standby);
    let stream = stream(memory, standby, primary);
    memory.learn(standby, primary, &stream);
    let Some(holds) = standby.holds() else {
        let why = "the standby has received nothing yet";
        return Ok(describe(standby, primary, Measurement::critical(why)));
    };
    let exposure = memory.exposure(standby, holds, primary, &stream);
    let replay_lag = memory.replay_lag(standby, holds, &exposure, primary, &stream);
    let judged = verdict(memory, standby, primary, &stream, &exposure, replay_lag);
    let measured = describe(standby, primary, judged)
        .with_number("replay_lag_s", replay_lag.map(|lag| lag.as_secs_f64()))
        .with_number(
            "replay_lag_bytes",
            standby.replayed.map(|replayed| holds.saturating_sub(replayed) as f64),
        );
    let measured = memory.tell_sender(measured, standby, primary, &stream);
    Ok(memory.tell(measured, exposure, standby.at))
}

/// Whether a first look found something missing that it could not date by what it saw itself: the servers were read one
/// after the other, and a moment later the standby may have it all.
pub fn is_unsettled(measured: &Measurement) -> bool {
    let streams = !matches!(measured.verdict, Verdict::Critical(_));
    streams && measured.value.is_none_or(|lag| lag > SETTLES.as_secs_f64())
}

/// How long that takes.
pub const SETTLES: Duration = Duration::from_secs(1);

/// A standby that is down: what it held when it was last seen still tells what a promotion would lose at most.
pub fn down(memory: &mut Memory, why: &str, now: Moment, primary: &PrimaryLook) -> Measurement {
    let measured = Measurement::critical(format!("the standby is down: {why}"));
    match memory.exposure_without_standby(now, primary) {
        Some(exposure) => memory.tell_standby(memory.tell(measured, exposure, now)),
        None => measured,
    }
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
    None
}

/// Why a standby does not follow the primary that the plan names: another timeline.
fn astray(standby: &Standby, primary: &PrimaryLook) -> Option<String> {
    let PrimaryLook::Seen(primary) = primary else { return None };
    if primary.in_recovery || primary.timeline == standby.timeline {
        return None;
    }
    let (here, there) = (standby.timeline, primary.timeline);
    // Without a receiver only the control file tells, which is behind until the next restartpoint.
    Some(match (&standby.receiver, here < there) {
        (Receiver::None, true) => format!(
            "no WAL receiver runs, and the control file names timeline {here} while the primary is on {there}: whether \
             it follows this primary is not known before its next restartpoint"
        ),
        _ => format!(
            "the standby is on timeline {here}, the primary on {there}: it does not follow this primary"
        ),
    })
}

/// Whether only the control file tells the standby's timeline, which is behind until the next restartpoint.
fn may_follow(standby: &Standby, primary: &PrimaryLook) -> bool {
    let is_below = matches!(primary, PrimaryLook::Seen(seen) if standby.timeline < seen.timeline);
    standby.receiver == Receiver::None && is_below
}

fn stream(memory: &Memory, standby: &Standby, primary: &PrimaryLook) -> Stream {
    let stopped = match &standby.receiver {
        Receiver::Seen { status, silent, end, .. } if status == "streaming" => {
            if *silent <= standby.silence_limit() {
                let heard = standby.at.checked_sub(*silent).unwrap_or(standby.at);
                return Stream::Flows { heard, end: *end };
            }
            format!("no message for {}", words::seconds(silent.as_secs_f64()))
        }
        Receiver::Seen { status, .. } => format!("the WAL receiver is {status}"),
        Receiver::Hidden | Receiver::None => "no WAL receiver runs".into(),
    };
    let why = match cause(standby, primary) {
        Some(cause) => format!("{stopped}: {cause}"),
        None => stopped,
    };
    match (standby.fed.archive, standby.fed.wants_stream, primary) {
        (true, Some(false), _) => Stream::Archive(None),
        // Streaming broke, and the archive of a primary that is well goes on.
        (true, _, PrimaryLook::Seen(_)) => Stream::Archive(Some(why)),
        // Nobody tells of the primary, and what is replayed still comes from somewhere.
        (true, _, PrimaryLook::NotAsked | PrimaryLook::Unreadable(_)) if memory.is_fed(standby) => {
            Stream::Archive(Some(why))
        }
        _ => Stream::Stopped(why),
    }
}

/// Why nothing streams, as far as the settings of both servers tell.
fn cause(standby: &Standby, primary: &PrimaryLook) -> Option<String> {
    if standby.fed.wants_stream == Some(false) {
        return Some("the standby has no primary_conninfo".into());
    }
    if let (PrimaryLook::Seen(primary), Some(wanted)) = (primary, &standby.fed.slot)
        && slot_status(primary, wanted).is_none()
    {
        return Some(format!("the primary has no replication slot `{wanted}`, which the standby wants"));
    }
    let (PrimaryLook::Seen(_), Some(upstream)) = (primary, &standby.fed.upstream) else { return None };
    Some(format!("it is to connect to {upstream}, and the standby's log says why it does not"))
}

/// Why streaming can never go on: the primary has removed WAL that the standby needs next, and no archive has it.
fn hopeless(standby: &Standby, primary: &PrimaryLook) -> Option<String> {
    let PrimaryLook::Seen(primary) = primary else { return None };
    if standby.fed.archive || standby.fed.wants_stream == Some(false) {
        return None;
    }
    let lost = standby.fed.slot.as_deref().filter(|slot| slot_status(primary, slot) == Some("lost"));
    let removed = primary.oldest.zip(standby.holds()).filter(|(oldest, holds)| holds < oldest);
    Some(match (lost, removed) {
        (Some(slot), _) => {
            format!("its replication slot `{slot}` is lost: the primary removed WAL that it needs")
        }
        (None, Some((oldest, holds))) => format!(
            "the primary removed WAL that it needs: it holds up to {}, the oldest there begins at {}",
            words::lsn(holds),
            words::lsn(oldest)
        ),
        (None, None) => return None,
    })
}

fn slot_status<'a>(primary: &'a Primary, slot: &str) -> Option<&'a str> {
    primary.slots.iter().find(|(name, _)| name == slot).map(|(_, status)| status.as_str())
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
        let since = words::seconds(since.as_secs_f64());
        let mut words = match hopeless(standby, primary) {
            Some(why) => format!(
                "can never catch up by streaming: {why}. It has to be built anew (pg_basebackup), or to get a \
                 restore_command where the archive has that WAL; not streaming for {since}"
            ),
            None => format!("not streaming for {since} ({why})"),
        };
        for more in [unreachable, paused].into_iter().flatten() {
            words = format!("{words}; {more}");
        }
        return Measurement::critical(words);
    }
    // A delay that somebody asked for is no lag.
    let unintended = replay_lag.map(|lag| lag.saturating_sub(standby.apply_delay));
    let lag = exposure.span.zip(unintended).map(|(span, lag)| span.max(lag));
    let behind = lag.map_or("an unknown time".to_owned(), |lag| words::seconds(lag.as_secs_f64()));
    let how = if matches!(stream, Stream::Archive(_)) { "fed by archive" } else { "streaming" };
    let summary = match lag {
        Some(Duration::ZERO) => format!("{how}, nothing missing"),
        _ => format!("{how}, {behind} behind"),
    };
    let summary = match standby.apply_delay {
        Duration::ZERO => summary,
        delay => format!("{summary}, replay delayed on purpose by {}", words::seconds(delay.as_secs_f64())),
    };
    let mut measured = Measurement::good(summary);
    if let Some(lag) = lag {
        measured = measured.with_value(lag.as_secs_f64());
    } else {
        measured = measured.judged(Verdict::Warn(
            "it is behind since before it was first watched: by how long is not known".into(),
        ));
    }
    let no_stream = match stream {
        Stream::Archive(Some(why)) => Some(format!("not streaming ({why})")),
        _ => None,
    };
    let warnings = [no_stream, paused, waiting_words(standby), unreachable];
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
    event
        .starts_with("RecoveryConflict")
        .then(|| format!("replay waits for a query on the standby to end ({event})"))
}

/// The fields that need no judgement.
fn describe(standby: &Standby, primary: &PrimaryLook, measured: Measurement) -> Measurement {
    let mut measured = measured
        .with_flag("in_recovery", standby.in_recovery)
        .with_flag("replay_paused", standby.paused)
        .with_number("timeline", f64::from(standby.timeline))
        .with_text("system_identifier", standby.system.clone())
        .with_text("started_at", standby.started_at.clone())
        .with_text("receive_lsn", standby.received.map(words::lsn))
        .with_text("replay_lsn", standby.replayed.map(words::lsn))
        .with_flag("at_end_of_wal", standby.is_at_end())
        .with_text("receiver_state", state(&standby.receiver));
    if let Receiver::Seen { slot, sender, silent, end, .. } = &standby.receiver {
        let missing = end.zip(standby.holds()).map(|(end, holds)| end.saturating_sub(holds) as f64);
        measured = measured
            .with_text("slot", slot.clone())
            .with_text("sender", sender.clone())
            .with_number("receiver_silent_s", silent.as_secs_f64())
            .with_number("receive_lag_bytes", missing);
    }
    let slot = standby.fed.slot.as_deref().or(match &standby.receiver {
        Receiver::Seen { slot, .. } => slot.as_deref(),
        Receiver::None | Receiver::Hidden => None,
    });
    match primary {
        PrimaryLook::Seen(seen) => {
            let status = slot.and_then(|slot| slot_status(seen, slot)).map(str::to_owned);
            seen_primary(seen, standby, measured).with_text("slot_status", status)
        }
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
    let measured = match primary.read_only.known() {
        Some(read_only) => measured.with_flag("primary_read_only", read_only),
        None => measured,
    };
    let measured = measured
        .with_text("synchronous_standby_names", primary.synchronous.clone().filter(|names| !names.is_empty()))
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
mod tests;
