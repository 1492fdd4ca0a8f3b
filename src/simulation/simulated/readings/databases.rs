//! Managed databases and what is kept of them: `rds-instance`, `rds-cluster`, `rds-snapshots`, `aws-backup`.

use super::files::sawtooth_s;
use super::{Health, Moment};
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::world::later;
use jiff::SignedDuration;

/// RDS ships its log to the backup every five minutes.
const LOG_INTERVAL_S: f64 = 300.0;
const GIBIBYTE: f64 = 1_073_741_824.0;

pub(super) fn instance(moment: &Moment<'_>, health: Health) -> Measurement {
    let replica = role(moment) == "standby";
    let expected = moment.spec.params.text("expect_role");
    let role = if replica { "replica" } else { "primary" };
    let measured = database(moment, health, !replica);
    let measured = match expected {
        Some(expected) if expected != role => {
            measured.judged(Verdict::Critical(format!("it is a {role}, expected a {expected}")))
        }
        _ => measured,
    };
    measured
        .with_text("role", role.to_owned())
        .with_text("replication", replica.then(|| "replicating".to_owned()))
        .with_text("engine", "postgres".to_owned())
        .with_text("class", "db.r6g.large".to_owned())
}

/// A cluster of an Aurora global cluster: the standby side's has no writer.
pub(super) fn cluster(moment: &Moment<'_>, health: Health) -> Measurement {
    let secondary = role(moment) == "standby";
    let role = if secondary { "secondary" } else { "primary" };
    let name = moment.spec.params.text("cluster").unwrap_or("cluster");
    let readers = moment.spec.params.number("min_readers").unwrap_or(1.0).max(1.0);
    let measured = database(moment, health, true);
    let measured = match moment.spec.params.text("expect_role") {
        Some(expected) if expected != role => {
            measured.judged(Verdict::Critical(format!("it is a {role}, expected a {expected}")))
        }
        _ => measured,
    };
    measured
        .with_text("role", role.to_owned())
        .with_text("writer", (!secondary).then(|| format!("{name}-1")))
        .with_number("reader_count", readers)
        .with_text("engine", "aurora-postgresql".to_owned())
}

fn role(moment: &Moment<'_>) -> &'static str {
    moment.state.role(moment.plan, moment.spec.region.as_ref())
}

/// The value is the age of the latest restorable time, where there are backups or the plan bounds it.
fn database(moment: &Moment<'_>, health: Health, backed_up: bool) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("its status is failed").with_text("status", "failed".to_owned());
    }
    let bounds = moment.spec.thresholds;
    let measured = match health {
        Health::Value(age_s) => restorable(moment, age_s),
        _ if backed_up || bounds.warn.is_some() || bounds.critical.is_some() => {
            restorable(moment, sawtooth_s(moment, LOG_INTERVAL_S))
        }
        _ => Measurement::good("available").with_number("backup_retention_days", 0.0),
    };
    measured
        .with_text("status", "available".to_owned())
        .with_flag("multi_az", true)
        .with_flag("encrypted", true)
}

fn restorable(moment: &Moment<'_>, age_s: f64) -> Measurement {
    let age = SignedDuration::try_from_secs_f64(age_s).unwrap_or_default();
    Measurement::good(format!("available, restorable to {} ago", words::seconds(age_s)))
        .with_value(age_s)
        .with_number("backup_retention_days", 7.0)
        .with_text("latest_restorable", later(moment.now, -age).to_string())
}

/// The newest snapshot or recovery point, one a day.
pub(super) fn copy(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("nothing complete is kept of it").with_number("count", 0.0);
    }
    let age_s = match health {
        Health::Value(age_s) => age_s,
        _ => sawtooth_s(moment, 24.0 * 3600.0),
    };
    let bytes = (100.0 + (400.0 * moment.character()).round()) * GIBIBYTE;
    Measurement::good(format!("{}, {} old", words::bytes(bytes), words::seconds(age_s)))
        .with_value(age_s)
        .with_number("size_bytes", bytes)
        .with_flag("encrypted", true)
        .with_number("count", 7.0)
}
