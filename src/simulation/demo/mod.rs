//! The demo plan and its scenarios, inside of the binary: `lifeboat demo` needs no files.

#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod tests;

use crate::simulation::scenario::Shipped;

/// The files of the demo plan: name and text, in the order in which a plan folder is read.
pub fn plan_files() -> &'static [(&'static str, &'static str)] {
    &[
        ("people.toml", include_str!("../../../plans/demo/people.toml")),
        ("plan.toml", include_str!("../../../plans/demo/plan.toml")),
        ("probes.toml", include_str!("../../../plans/demo/probes.toml")),
        ("runbooks.toml", include_str!("../../../plans/demo/runbooks.toml")),
        ("tree.toml", include_str!("../../../plans/demo/tree.toml")),
    ]
}

/// What `lifeboat demo` plays when it is not told: a healthy system that loses its primary region after a while.
pub const DEFAULT_SCENARIO: &str = "default";

/// The scenarios of the demo plan.
pub static SCENARIOS: &[Shipped] = &[
    Shipped { name: "default", text: include_str!("../../../plans/demo/scenarios/default.toml") },
    Shipped { name: "healthy", text: include_str!("../../../plans/demo/scenarios/healthy.toml") },
    Shipped { name: "region-down", text: include_str!("../../../plans/demo/scenarios/region-down.toml") },
    Shipped { name: "replica-lag", text: include_str!("../../../plans/demo/scenarios/replica-lag.toml") },
    Shipped {
        name: "partial-outage",
        text: include_str!("../../../plans/demo/scenarios/partial-outage.toml"),
    },
    Shipped { name: "backup-stale", text: include_str!("../../../plans/demo/scenarios/backup-stale.toml") },
    Shipped { name: "flapping", text: include_str!("../../../plans/demo/scenarios/flapping.toml") },
    Shipped {
        name: "single-service",
        text: include_str!("../../../plans/demo/scenarios/single-service.toml"),
    },
    Shipped { name: "both-regions", text: include_str!("../../../plans/demo/scenarios/both-regions.toml") },
    Shipped { name: "bad-promotion", text: include_str!("../../../plans/demo/scenarios/bad-promotion.toml") },
    Shipped { name: "split-brain", text: include_str!("../../../plans/demo/scenarios/split-brain.toml") },
];

/// The scenario of that name for the demo plan.
pub fn scenario(name: &str) -> Option<&'static Shipped> {
    SCENARIOS.iter().find(|shipped| shipped.name == name)
}
