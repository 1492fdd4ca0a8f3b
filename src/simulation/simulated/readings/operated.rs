//! Readings of a database that an operator in a cluster runs: `cnpg-cluster`.

use super::managed::count;
use super::{Health, Moment};
use crate::core::words::reading::Measurement;

pub(super) fn cluster(moment: &Moment<'_>, health: Health) -> Measurement {
    let name = moment.spec.params.text("name").unwrap_or("db");
    let is_replica = moment.state.role(moment.plan, moment.spec.region.as_ref()) == "standby";
    let role = if is_replica { "replica" } else { "primary" };
    let instances = count(moment, health, 3.0).max(1.0);
    let (ready, measured) = match health {
        Health::Down => (0.0, Measurement::critical(format!("none of {instances:.0} instances is ready"))),
        Health::Normal | Health::Unreachable | Health::Value(_) => {
            let summary = format!("{role}, {instances:.0} of {instances:.0} instances ready");
            (instances, Measurement::good(summary))
        }
    };
    let timeline = moment.state.timeline(moment.spec.region.as_ref());
    measured
        .with_value(ready)
        .with_number("ready", ready)
        .with_number("instances", instances)
        .with_number("timeline", f64::from(timeline))
        .with_text("phase", "Cluster in healthy state".to_owned())
        .with_text("role", role.to_owned())
        .with_text("primary", format!("{name}-1"))
        .with_text("target_primary", format!("{name}-1"))
        .with_flag("switching", false)
        .with_flag("archiving", health != Health::Down)
        .with_flag("hibernated", false)
}
