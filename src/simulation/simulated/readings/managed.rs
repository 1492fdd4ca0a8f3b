//! What AWS runs: `eks-nodegroup`, `msk-cluster`, `cloudfront-distribution`.

use super::{Health, Moment};
use crate::base::words;
use crate::core::words::reading::Measurement;

pub(super) fn nodegroup(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("it is degraded").with_text("status", "DEGRADED".to_owned());
    }
    let least = moment.spec.params.number("min_nodes").unwrap_or(1.0);
    let desired = count(moment, health, 3.0).max(least);
    Measurement::good(format!("active, {desired:.0} nodes wanted"))
        .with_value(desired)
        .with_text("status", "ACTIVE".to_owned())
        .with_number("desired", desired)
        .with_number("min", least.min(desired))
        .with_number("max", desired * 10.0)
        .with_number("issue_count", 0.0)
}

pub(super) fn kafka(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("it failed").with_text("state", "FAILED".to_owned());
    }
    let brokers = count(moment, health, 3.0);
    Measurement::good(format!("active, {brokers:.0} brokers, Kafka 3.6.0"))
        .with_value(brokers)
        .with_text("state", "ACTIVE".to_owned())
        .with_number("brokers", brokers)
}

/// A distribution that was changed long before, and fetches from where it should.
pub(super) fn distribution(moment: &Moment<'_>, health: Health) -> Measurement {
    if health == Health::Down {
        return Measurement::critical("it is disabled: it answers no viewer").with_flag("enabled", false);
    }
    let up_s = moment.now.duration_since(moment.start).as_secs_f64();
    let age_s = match health {
        Health::Value(age_s) => age_s,
        _ => moment.clear_of_bounds(86_400.0 * (3.0 + 40.0 * moment.character()) + up_s),
    };
    let expected = moment.spec.params.text("expect_origin");
    let origin = expected.unwrap_or("origin.example.com").to_owned();
    let summary = format!("deployed, fetches from {origin}, changed {} ago", words::seconds(age_s));
    let measured = Measurement::good(summary)
        .with_value(age_s)
        .with_text("status", "Deployed".to_owned())
        .with_flag("enabled", true)
        .with_text("origin", origin);
    match expected {
        Some(_) => measured.with_flag("as_expected", true),
        None => measured,
    }
}

/// A whole number of machines, which jitter does not change.
pub(super) fn count(moment: &Moment<'_>, health: Health, usual: f64) -> f64 {
    match health {
        Health::Value(value) => value,
        _ => moment.clear_of_bounds(usual).round(),
    }
}
