//! Records, health checks and switches: `route53-record`, `route53-health-check`, `arc-routing-control`.

use super::{Health, Moment};
use crate::core::words::reading::{Measurement, Verdict};

/// On a good day the record points where the plan expects it, and resolvers agree.
pub(super) fn record(moment: &Moment<'_>, health: Health) -> Measurement {
    let params = &moment.spec.params;
    let name = params.text("name").unwrap_or("the record");
    if health == Health::Down {
        return Measurement::critical(format!("no record {name}")).with_number("records", 0.0);
    }
    let expected = params.texts("expect");
    let points_to = expected.first().map_or_else(|| "192.0.2.10".to_owned(), |place| (*place).to_owned());
    let left_s = if let Health::Value(value) = health { value } else { 0.0 };
    let summary = match left_s > 0.0 {
        true => format!("{points_to}; 192.0.2.53 answers another for {left_s:.0} s more"),
        false => format!("{points_to}; 2 of 2 resolvers agree"),
    };
    let measured = Measurement::good(summary)
        .with_value(left_s)
        .with_text("points_to", points_to)
        .with_number("records", 1.0)
        .with_number("ttl_s", 60.0)
        .with_number("resolvers", 2.0)
        .with_number("agree", if left_s > 0.0 { 1.0 } else { 2.0 });
    if expected.is_empty() { measured } else { measured.with_flag("as_expected", true) }
}

pub(super) fn health_check(_: &Moment<'_>, health: Health) -> Measurement {
    let percent = match health {
        Health::Value(value) => value.clamp(0.0, 100.0),
        Health::Down => 0.0,
        _ => 100.0,
    };
    let up = (percent * 0.16).round();
    let healthy = percent > 18.0;
    let measured = Measurement::good(format!("{up:.0} of 16 checkers reach it"))
        .with_value(percent)
        .with_number("up", up)
        .with_number("checkers", 16.0)
        .with_flag("healthy", healthy)
        .with_flag("inverted", false)
        .with_flag("disabled", false);
    if healthy {
        measured
    } else {
        measured.judged(Verdict::Critical("Route 53 takes it for unhealthy".into()))
    }
}

pub(super) fn routing_control(moment: &Moment<'_>, health: Health) -> Measurement {
    let expected = moment.spec.params.text("expect").unwrap_or("On");
    let on = match health {
        Health::Value(value) => value > 0.5,
        Health::Down => expected != "On",
        _ => expected == "On",
    };
    let state = if on { "On" } else { "Off" };
    let measured = Measurement::good(format!("it is {state}"))
        .with_value(if on { 1.0 } else { 0.0 })
        .with_text("state", state.to_owned())
        .with_flag("as_expected", state == expected);
    if state == expected {
        measured
    } else {
        measured.judged(Verdict::Warn(format!("it is {state}, expected {expected}")))
    }
}
