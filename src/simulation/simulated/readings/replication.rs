//! A streaming standby: `postgres-replication`.

use super::{Health, Moment};
use crate::base::words;
use crate::core::ask::loss_reading::MAY_WRITE;
use crate::core::words::reading::{Measurement, Verdict};
use crate::simulation::simulated::roles;
use crate::simulation::simulated::target::system_identifier;
use crate::world::later;
use jiff::{SignedDuration, Timestamp};

/// Part of the lag that is on the way to the standby; the rest waits there to be replayed.
const IN_FLIGHT: f64 = 0.6;

/// How much faster a standby replays than the primary wrote.
const REPLAY_SPEED: f64 = 4.0;

pub(super) fn standby(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("connection refused");
    }
    let region = moment.spec.region.as_ref();
    let timeline = moment.state.timeline(region);
    let upstream = roles::upstream(moment.plan, moment.spec);
    let cut = upstream.and_then(|up| moment.state.database_down_since(moment.plan, up, moment.now));
    let reversed = asks_primary(moment)
        && moment.state.role(moment.plan, region) == "primary"
        && moment.state.role(moment.plan, upstream) == "standby"
        && cut.is_none();
    let measured = if reversed {
        // The probe reads both servers, and the other one follows now.
        streaming(moment, moment.state.is_fenced(region)).with_flag("reversed", true)
    } else if moment.state.promoted_at(region).is_some() {
        Measurement::critical(format!("this server is not a standby: it was promoted (timeline {timeline})"))
    } else if let Some(cut) = cut {
        cut_off(moment, cut)
    } else {
        let streaming = streaming(moment, moment.state.is_fenced(upstream));
        look_at_primary(moment, moment.state.is_unreachable(upstream), streaming)
    };
    measured
        .with_flag("in_recovery", reversed || moment.state.role(moment.plan, region) == "standby")
        .with_flag("replay_paused", false)
        .with_number("timeline", f64::from(timeline))
        .with_text("system_identifier", system_identifier(&moment.plan.name))
}

fn streaming(moment: &Moment<'_>, nothing_is_written: bool) -> Measurement {
    let lag_s = if nothing_is_written { 0.0 } else { lag_s(moment, moment.now) };
    let written = written(moment, moment.now);
    let received = written_before(moment, moment.now, lag_s * IN_FLIGHT);
    let missing = written.saturating_sub(received) as f64;
    let summary = match nothing_is_written {
        true => "streaming, nothing missing".to_owned(),
        false => format!("streaming, {} behind", words::seconds(lag_s)),
    };
    positions(Measurement::good(summary), received, written_before(moment, moment.now, lag_s))
        .with_value(lag_s)
        .with_number("replay_lag_s", lag_s)
        .with_text("receiver_state", "streaming".to_owned())
        .with_number("receiver_silent_s", 0.2 + 0.1 * moment.character())
        .with_number("receive_lag_bytes", missing)
        .with_number("exposure_s", lag_s * IN_FLIGHT)
        .with_number("exposure_bytes", missing)
        .with_number("exposure_min_s", lag_s * IN_FLIGHT)
        .with_number("exposure_min_bytes", missing)
}

/// What a look at the primary adds, where the probe takes one.
fn look_at_primary(moment: &Moment<'_>, unreachable: bool, streaming: Measurement) -> Measurement {
    if !asks_primary(moment) || unreachable {
        let measured =
            streaming.with_text("exposure_basis", "what the primary last told the WAL receiver".to_owned());
        return match asks_primary(moment) {
            true => measured
                .with_flag("primary_reachable", false)
                .judged(Verdict::Warn("primary unreachable from here; the standby still hears it".into())),
            false => measured,
        };
    }
    let end = words::lsn(written(moment, moment.now));
    let missing = streaming.number("exposure_bytes");
    let fenced = moment.state.is_fenced(roles::upstream(moment.plan, moment.spec));
    streaming
        .with_text("exposure_basis", format!("measured: primary at {end}"))
        .with_flag("primary_read_only", fenced)
        .with_number("primary_heard_s", 0.0)
        .with_number("primary_writable_s", (!fenced).then_some(0.0))
        .with_flag("primary_reachable", true)
        .with_text("primary_lsn", end)
        .with_number("primary_timeline", 1.0)
        .with_number("primary_senders", 1.0)
        .with_number("unreplicated_bytes", missing)
}

/// The primary is gone: the standby replays what it has received, and what it had not yet is lost if it is
/// promoted. That is what was missing when the primary was last seen, or all that it may have written since.
fn cut_off(moment: &Moment<'_>, cut: Timestamp) -> Measurement {
    let lag_s = lag_s(moment, cut);
    let received = written_before(moment, cut, lag_s * IN_FLIGHT);
    let silent_s = moment.now.duration_since(cut).as_secs_f64();
    let caught_up = (silent_s * REPLAY_SPEED * rate(moment)) as u64;
    let replayed = written_before(moment, cut, lag_s).saturating_add(caught_up).min(received);
    let seen_before_s = 0.5 + 2.0 * moment.character();
    let heard_s = silent_s + seen_before_s;
    let most_s = lag_s * IN_FLIGHT + silent_s;
    let least_s = (lag_s * IN_FLIGHT - seen_before_s).max(0.0);
    let bytes = |span_s: f64| (span_s * rate(moment)).round();
    let (silent, heard) = (words::seconds(silent_s), words::seconds(heard_s));
    let why = format!("not streaming for {silent} (no WAL receiver runs); primary unreachable for {silent}");
    let rate = words::bytes(rate(moment));
    let measured = positions(Measurement::critical(why), received, replayed)
        .with_number("replay_lag_s", if replayed == received { 0.0 } else { lag_s * (1.0 - IN_FLIGHT) })
        .with_text("receiver_state", "not running".to_owned())
        .with_number("exposure_s", most_s)
        .with_number("exposure_min_s", least_s)
        .with_number("exposure_min_bytes", bytes(least_s))
        .with_number("primary_heard_s", heard_s)
        .with_text(
            "exposure_basis",
            format!("estimate: the primary was last seen {heard} ago and wrote {rate}/s; {MAY_WRITE}"),
        );
    if asks_primary(moment) {
        measured.with_flag("primary_reachable", false).with_number("primary_writable_s", heard_s)
    } else {
        measured
    }
}

/// Whether the probe reads the primary as well.
fn asks_primary(moment: &Moment<'_>) -> bool {
    moment.spec.params.get("primary").is_some()
}

fn positions(measured: Measurement, received: u64, replayed: u64) -> Measurement {
    measured
        .with_text("receive_lsn", words::lsn(received))
        .with_text("replay_lsn", words::lsn(replayed))
        .with_number("replay_lag_bytes", received.saturating_sub(replayed) as f64)
}

/// How far the standby was behind at a time. It cannot fall behind faster than time passes.
fn lag_s(moment: &Moment<'_>, at: Timestamp) -> f64 {
    let usual_s = |at| moment.clear_of_bounds(0.45) * moment.jitter(at);
    match moment.state.health(moment.plan, moment.spec, at) {
        Health::Value(lag_s) => {
            let since = moment.state.changed_at(&moment.spec.id).unwrap_or(moment.start);
            lag_s.min(usual_s(since) + at.duration_since(since).as_secs_f64())
        }
        _ => usual_s(at),
    }
}

/// Bytes of WAL that the primary writes in a second.
fn rate(moment: &Moment<'_>) -> f64 {
    180_000.0 + 120_000.0 * moment.character()
}

/// The primary's WAL position at a time.
fn written(moment: &Moment<'_>, at: Timestamp) -> u64 {
    const AT_START: u64 = 0x2a_1000_0000;
    let since_start_s = at.duration_since(moment.start).as_secs_f64();
    AT_START.saturating_add_signed((since_start_s * rate(moment)) as i64)
}

fn written_before(moment: &Moment<'_>, at: Timestamp, seconds: f64) -> u64 {
    let back = SignedDuration::try_from_secs_f64(-seconds).unwrap_or_default();
    written(moment, later(at, back))
}
