//! Readings of Kubernetes.

use super::files::sawtooth_s;
use super::managed::count;
use super::{Health, Moment};
use crate::base::words;
use crate::core::words::reading::Measurement;
use crate::world::later;
use jiff::SignedDuration;

/// How large a claim's volume is.
const VOLUME_BYTES: f64 = 107_374_182_400.0;

pub(super) fn api_server(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("connection refused");
    }
    Measurement::good("ready, v1.33.1")
        .with_value(moment.value(health, 40.0))
        .with_text("version", "v1.33.1".to_owned())
}

pub(super) fn workloads(moment: &Moment<'_>, health: Health) -> Measurement {
    let least = moment.spec.params.number("min_ready").unwrap_or(1.0);
    let names = moment.spec.params.texts("names").len().max(1) as f64;
    let wanted = (2.0 * names).max(least);
    if health == Health::Down {
        return Measurement::critical(format!("none of {wanted:.0} is ready"))
            .with_value(0.0)
            .with_number("ready", 0.0)
            .with_number("wanted", wanted)
            .with_number("workloads", names);
    }
    let ready = count(moment, health, wanted);
    let asked = if ready == 0.0 { 0.0 } else { ready.max(wanted) };
    let summary = match ready {
        0.0 => format!("{names:.0} workloads scaled to 0"),
        _ => format!("{ready:.0} of {asked:.0} ready"),
    };
    Measurement::good(summary)
        .with_value(ready)
        .with_number("ready", ready)
        .with_number("wanted", asked)
        .with_number("workloads", names)
        .with_number("restarts", 0.0)
        .with_number("crash_loops", 0.0)
        .with_number("image_pulls", 0.0)
}

pub(super) fn nodes(moment: &Moment<'_>, health: Health) -> Measurement {
    let usual = moment.spec.params.number("min_ready").unwrap_or(1.0).max(3.0);
    let (ready, verdict) = match health {
        Health::Down => (0.0, Measurement::critical("no node is ready")),
        _ => {
            let ready = count(moment, health, usual);
            (ready, Measurement::good(format!("{ready:.0} of {:.0} nodes ready", ready.max(usual))))
        }
    };
    verdict
        .with_value(ready)
        .with_number("ready", ready)
        .with_number("nodes", ready.max(usual))
        .with_number("cordoned", 0.0)
        .with_text("versions", "v1.33.1".to_owned())
}

/// A quiet namespace has no warnings.
pub(super) fn warnings(moment: &Moment<'_>, health: Health) -> Measurement {
    let within = moment.spec.params.duration("within").unwrap_or(SignedDuration::from_mins(15));
    let span = words::seconds(within.as_secs_f64());
    let (all, measured) = match health {
        Health::Down => (60.0, Measurement::critical(format!("60 warnings within {span}"))),
        Health::Value(all) => (all, Measurement::good(format!("{all:.0} warnings within {span}"))),
        Health::Normal | Health::Unreachable => (0.0, Measurement::good(format!("no warning within {span}"))),
    };
    measured.with_value(all).with_number("warnings", all).with_number("events", all.min(4.0))
}

pub(super) fn cron_job(moment: &Moment<'_>, health: Health) -> Measurement {
    let age_s = match health {
        Health::Value(age_s) => age_s,
        _ => sawtooth_s(moment, 24.0 * 3600.0),
    };
    let ago = format!("last success {} ago", words::seconds(age_s));
    let measured = match health {
        Health::Down => Measurement::critical("its last run failed")
            .with_text("failure", "BackoffLimitExceeded".to_owned()),
        Health::Normal | Health::Unreachable | Health::Value(_) => Measurement::good(ago),
    };
    let success = SignedDuration::try_from_secs_f64(-age_s).map(|back| later(moment.now, back).to_string());
    measured
        .with_value(age_s)
        .with_text("last_success", success.ok())
        .with_number("active", 0.0)
        .with_flag("suspended", false)
        .with_text("schedule", "0 2 * * *".to_owned())
}

pub(super) fn job(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("it failed: BackoffLimitExceeded")
            .with_text("state", "failed".to_owned())
            .with_text("failure", "BackoffLimitExceeded".to_owned());
    }
    let took_s = moment.value(health, 240.0);
    Measurement::good(format!("complete, took {}", words::seconds(took_s)))
        .with_value(took_s)
        .with_text("state", "complete".to_owned())
        .with_number("active", 0.0)
        .with_number("succeeded", 1.0)
        .with_number("failed", 0.0)
}

pub(super) fn claims(moment: &Moment<'_>, health: Health) -> Measurement {
    let all = moment.spec.params.texts("names").len().max(1) as f64;
    if health == Health::Down {
        return Measurement::critical("the volume is lost of data")
            .with_value(0.0)
            .with_number("claims", all)
            .with_number("bound", 0.0)
            .with_text("lost", "data".to_owned());
    }
    let bound = count(moment, health, all);
    let bytes = bound * VOLUME_BYTES;
    Measurement::good(format!("{bound:.0} of {:.0} claims bound, {}", bound.max(all), words::bytes(bytes)))
        .with_value(bound)
        .with_number("claims", bound.max(all))
        .with_number("bound", bound)
        .with_number("capacity_bytes", bytes)
}

/// A backup each night; where it is down, the newest one failed in part.
pub(super) fn cluster_backup(moment: &Moment<'_>, health: Health) -> Measurement {
    let age_s = match health {
        Health::Value(age_s) => age_s,
        _ => sawtooth_s(moment, 24.0 * 3600.0),
    };
    let of = moment.spec.params.text("schedule").unwrap_or("nightly");
    let (name, newest) = (format!("{of}-20260101020000"), format!("{of}-20260102020000"));
    let words = format!("{name} is complete and {} old", words::seconds(age_s));
    let measured = match health {
        Health::Down => Measurement::critical(format!("the newest one, {newest}, is PartiallyFailed"))
            .with_text("newest", newest)
            .with_text("phase", "PartiallyFailed".to_owned()),
        Health::Normal | Health::Unreachable | Health::Value(_) => Measurement::good(words)
            .with_text("newest", name.clone())
            .with_text("phase", "Completed".to_owned()),
    };
    let ago = |age_s: f64| {
        let back = SignedDuration::try_from_secs_f64(-age_s).ok()?;
        Some(later(moment.now, back).to_string())
    };
    measured
        .with_value(age_s)
        .with_text("name", name)
        .with_number("backups", 30.0)
        .with_number("running", 0.0)
        .with_number("warnings", 0.0)
        .with_number("errors", 0.0)
        .with_number("items", 412.0)
        .with_number("items_total", 412.0)
        .with_text("started", ago(age_s))
        .with_text("completed", ago((age_s - 300.0).max(0.0)))
        .with_text("location", "default".to_owned())
}
