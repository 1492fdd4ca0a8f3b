//! Endpoints and commands: `http`, `tcp`, `exec`, and kinds that this file does not know.

use super::{Health, Moment};
use crate::core::words::reading::Measurement;

pub(super) fn http(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("no answer: the connection timed out");
    }
    let params = &moment.spec.params;
    let latency_ms = moment.value(health, 25.0 + 60.0 * moment.character());
    let status = accepted_status(params.text("status"));
    let secure = params.text("url").is_some_and(|url| url.starts_with("https:"));
    let json = params.text("json_equals");
    Measurement::good(format!("{status} in {latency_ms:.0} ms"))
        .with_value(latency_ms)
        .with_number("status", status)
        .with_text("json", json.map(str::to_owned))
        .with_number("json_number", json.and_then(|json| json.parse::<f64>().ok()))
        .with_number("tls_days_left", secure.then(|| 40.0 + (45.0 * moment.character()).round()))
}

/// The first of the statuses that a probe accepts (`200-299, 401`).
fn accepted_status(accepted: Option<&str>) -> f64 {
    let first = accepted.and_then(|accepted| accepted.split([',', '-']).next());
    first.and_then(|status| status.trim().parse().ok()).unwrap_or(200.0)
}

pub(super) fn tcp(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("connection refused");
    }
    let took_ms = moment.value(health, 1.0 + 8.0 * moment.character());
    Measurement::good(format!("connected in {took_ms:.0} ms"))
        .with_value(took_ms)
        .with_text("address", moment.spec.params.text("address").map(str::to_owned))
}

/// A program that prints a number prints a whole one where its bounds allow it: it usually counts something.
pub(super) fn exec(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("exit code 1").with_number("exit_code", 1.0);
    }
    let measured = |summary: String| Measurement::good(summary).with_number("exit_code", 0.0);
    if moment.spec.params.text("stdout").is_none_or(|stdout| stdout == "none") {
        return measured("exit code 0".into());
    }
    let value = match health {
        Health::Value(value) => value,
        _ => {
            let value = moment.clear_of_bounds(1.0);
            if value >= 1.0 { value.round() } else { value }
        }
    };
    measured(format!("{value}")).with_value(value)
}
