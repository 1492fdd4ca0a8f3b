//! What other monitoring says: `cloudwatch-metric`, `cloudwatch-alarms` and `alertmanager`.

use super::{Health, Moment};
use crate::core::words::reading::Measurement;

/// AWS's own metrics come each minute and a little late.
const LATE_S: f64 = 60.0;

pub(super) fn metric(moment: &Moment<'_>, health: Health) -> Measurement {
    let name = moment.spec.params.text("preset").or(moment.spec.params.text("metric")).unwrap_or("metric");
    let is_lag = name.ends_with("-lag") && name != "oldest-replication-slot-lag";
    if health == Health::Down {
        return Measurement::critical(format!("nothing is replicated: {name} is -1"));
    }
    let value = match name {
        "msk-offline-partitions" if !matches!(health, Health::Value(_)) => 0.0,
        _ => moment.value(health, 0.5 + moment.character()),
    };
    let age_s = LATE_S + moment.now.as_second().rem_euclid(60) as f64;
    let value_s = match name {
        "rds-replica-lag" => Some(value),
        _ => Some(value / 1000.0).filter(|_| is_lag),
    };
    let basis = format!("{name}, {age_s:.0} s old");
    Measurement::good(format!("{value:.1} ({basis})"))
        .with_value(value)
        .with_number("age_s", age_s)
        .with_number("value_s", value_s)
        .with_number("value_bytes", Some(value).filter(|_| name == "oldest-replication-slot-lag"))
        .with_number("exposure_s", value_s)
        .with_text("exposure_basis", value_s.map(|_| format!("CloudWatch's {basis}")))
}

pub(super) fn alarms(moment: &Moment<'_>, health: Health) -> Measurement {
    let names = moment.spec.params.texts("names");
    let count = if names.is_empty() { 6.0 } else { names.len() as f64 };
    let ringing = match health {
        Health::Down => 1.0,
        Health::Value(value) => value.clamp(0.0, count),
        _ => 0.0,
    };
    let measured = match ringing > 0.0 {
        true => {
            Measurement::critical(format!("{ringing:.0} in ALARM: {}", names.first().unwrap_or(&"an alarm")))
        }
        false => Measurement::good(format!("{count:.0} of {count:.0} alarms OK")),
    };
    measured
        .with_value(ringing)
        .with_number("alarm_count", ringing)
        .with_number("ok_count", count - ringing)
        .with_number("insufficient_data_count", 0.0)
        .with_number("actions_disabled_count", 0.0)
}

pub(super) fn alertmanager(moment: &Moment<'_>, health: Health) -> Measurement {
    let firing = match health {
        Health::Down => 1.0,
        Health::Value(value) => value.max(0.0).round(),
        _ => 0.0,
    };
    let name = moment.spec.title.as_str();
    let bounded = moment.spec.thresholds.exist();
    let measured = match firing > 0.0 {
        true if bounded => Measurement::good(format!("{firing:.0} firing: {name}")),
        true => Measurement::critical(format!("{firing:.0} firing: {name}")),
        false => Measurement::good("no alert fires"),
    };
    measured
        .with_value(firing)
        .with_number("firing", firing)
        .with_number("critical", firing)
        .with_text("names", Some(name.to_owned()).filter(|_| firing > 0.0))
}
