//! PostgreSQL servers: `postgres` and `postgres-backup`.

use super::files::sawtooth_s;
use super::{Health, Moment};
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::simulation::simulated::roles;
use crate::simulation::simulated::target::system_identifier;
use crate::world::later;
use jiff::SignedDuration;

const VERSION: &str = "17.6";
const WAL_SEGMENT_BYTES: f64 = 16_777_216.0;

pub(super) fn server(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("connection refused");
    }
    let region = moment.spec.region.as_ref();
    let role = moment.state.role(moment.plan, region);
    let fenced = moment.state.is_fenced(region);
    let timeline = moment.state.timeline(region);
    let took_ms = moment.value(health, 2.0 + 10.0 * moment.character());
    let up_before = SignedDuration::from_secs((86_400.0 * (3.0 + 40.0 * moment.character())) as i64);
    let up = match moment.state.rebuilt_at(region) {
        Some(rebuilt) => moment.now.duration_since(rebuilt),
        None => moment.now.duration_since(moment.start) + up_before,
    };
    Measurement::good(format!("{role}, PostgreSQL {VERSION}, timeline {timeline}, {took_ms:.0} ms"))
        .judged(judge_fence(fenced))
        .with_value(took_ms)
        .with_text("role", role.to_owned())
        .with_flag("in_recovery", role == "standby")
        .with_flag("read_only", fenced)
        .with_text("version", VERSION.to_owned())
        .with_number("timeline", f64::from(timeline))
        .with_text("system_identifier", system_identifier(&roles::database(moment.plan, moment.spec)))
        .with_text("started_at", later(moment.now, -up).to_string())
        .with_number("uptime_s", up.as_secs_f64())
        .with_number("sessions", (20.0 + 60.0 * moment.character()).round())
        .with_number("max_sessions", 400.0)
}

fn judge_fence(fenced: bool) -> Verdict {
    match fenced {
        true => Verdict::Warn("a primary that takes no writes: it is fenced".into()),
        false => Verdict::Good,
    }
}

pub(super) fn archiver(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("connection refused");
    }
    let (age_s, failing) = match health {
        Health::Value(age_s) => (age_s, true),
        _ => (sawtooth_s(moment, 60.0), false),
    };
    let behind = if failing { (age_s / 60.0).floor() } else { 0.0 };
    let archived = 48_000.0 + (moment.now.duration_since(moment.start).as_secs_f64() / 60.0).floor();
    Measurement::good(format!("last segment archived {} ago", words::seconds(age_s)))
        .with_value(age_s)
        .with_text("archive_mode", "on".to_owned())
        .with_number("last_archived_s", age_s)
        .with_number("archived_count", archived)
        .with_number("failed_count", behind)
        .with_flag("failing", failing)
        .with_number("waiting_segments", behind)
        .with_number("unarchived_bytes", behind * WAL_SEGMENT_BYTES)
}
