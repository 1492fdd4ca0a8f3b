//! Readings of a database that an operator in a cluster runs: `cnpg-cluster`.

use super::managed::count;
use super::{Health, Moment};
use crate::core::ask::servers::ACCEPTS_WRITES;
use crate::core::words::reading::{Measurement, Verdict};
use crate::simulation::simulated::roles;
use crate::simulation::simulated::target::system_identifier;

pub(super) fn cluster(moment: &Moment<'_>, health: Health) -> Measurement {
    let name = moment.spec.params.text("name").unwrap_or("db");
    let namespace = moment.spec.params.text("namespace").unwrap_or_default();
    let named = moment.spec.params.text("context").and_then(|name| roles::region_named(moment.plan, name));
    let region = moment.spec.region.as_ref().or(named);
    // Whoever is demoted follows the other one.
    let is_replica = moment.state.role(moment.plan, region) == "standby" || moment.state.is_fenced(region);
    let role = if is_replica { "replica" } else { "primary" };
    let instances = count(moment, Health::Normal, 3.0).max(1.0);
    let ready = match health {
        Health::Down => 0.0,
        Health::Normal | Health::Unreachable => instances,
        Health::Value(ready) => ready.round().max(0.0),
    };
    let measured = judged(role, ready, instances);
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
        .with_flag("archiving", ready > 0.0)
        .with_flag("hibernated", false)
        .with_flag(ACCEPTS_WRITES, !is_replica && ready > 0.0)
        // Those of one name are one database.
        .with_text(
            "system_identifier",
            system_identifier(&format!("{} {namespace}/{name}", moment.plan.name)),
        )
}

/// As the real probe judges it.
fn judged(role: &str, ready: f64, instances: f64) -> Measurement {
    if ready == 0.0 {
        return Measurement::critical(format!("none of {instances:.0} instances is ready"));
    }
    let measured = Measurement::good(format!("{role}, {ready:.0} of {instances:.0} instances ready"));
    match ready < instances {
        true => measured.judged(Verdict::Warn(format!("{ready:.0} of {instances:.0} instances ready"))),
        false => measured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_instances_than_are_wanted_are_a_warning_and_none_is_critical() {
        let of = |ready| judged("primary", ready, 3.0).verdict;
        assert_eq!(of(3.0), Verdict::Good);
        assert_eq!(of(1.0), Verdict::Warn("1 of 3 instances ready".into()));
        assert_eq!(of(0.0), Verdict::Critical("none of 3 instances is ready".into()));
    }
}
