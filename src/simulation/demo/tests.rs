use super::rehearsal::Rehearsal;
use super::*;
use crate::core::ask::objectives::{overall_clock, overall_stopped};
use crate::core::ask::placement;
use crate::core::model::Status;
use crate::core::words::incident::Position;
use crate::core::words::signal::SignalState::{self, Critical, Ok as Good};
use crate::plan::{Plan, Severity};
use crate::simulation::scenario::GENERIC;
use std::sync::{Arc, LazyLock};

static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| Arc::new(crate::testing::demo()));

fn rehearse(name: &str) -> Rehearsal {
    Rehearsal::new(
        &PLAN,
        scenario(name).unwrap().resolve(&PLAN).unwrap_or_else(|problems| panic!("{problems}")),
    )
}

/// Lets a scenario run for a while, declares, and follows what is suggested.
fn outcome(name: &str, seconds: i64) -> (Rehearsal, String) {
    let mut rehearsal = rehearse(name);
    rehearsal.pass(seconds);
    rehearsal.declare();
    let outcome = match rehearsal.follow_suggestions() {
        Ok(Position::Runbook(id)) => id.to_string(),
        Ok(Position::Leaf(id)) => id.to_string(),
        Ok(Position::Question(id)) => id.to_string(),
        Err(why) => why,
    };
    (rehearsal, outcome)
}

#[test]
fn every_shipped_scenario_fits_the_demo_plan() {
    for shipped in SCENARIOS.iter().chain(GENERIC) {
        let scenario = shipped.resolve(&PLAN).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(scenario.name, shipped.name);
        assert!(!scenario.title.is_empty());
    }
    assert!(scenario(DEFAULT_SCENARIO).is_some());
    assert_eq!(SCENARIOS.len(), 11);
}

#[test]
fn a_healthy_hour_raises_no_signal_and_no_severity() {
    let mut rehearsal = rehearse("healthy");
    rehearsal.pass(15);
    for second in 0..3600 {
        rehearsal.pass(1);
        for id in PLAN.probes.keys() {
            assert_eq!(rehearsal.state(id.as_str()), Good, "{id} after {second} s");
        }
        assert_eq!(rehearsal.severity(), None);
    }
}

#[test]
fn scenarios_lead_to_different_ends_of_the_tree_and_severities() {
    for (name, severity, expected) in [
        ("healthy", None, "keep-monitoring"),
        ("default", Some(Severity::P0), "full-region-failover"),
        ("region-down", Some(Severity::P0), "full-region-failover"),
        ("both-regions", Some(Severity::P0), "repair-standby-first"),
        ("partial-outage", Some(Severity::P1), "selective-failover"),
        ("single-service", Some(Severity::P1), "service-recovery"),
        ("replica-lag", Some(Severity::P1), "repair-replication"),
        ("backup-stale", Some(Severity::P2), "fresh-backup"),
    ] {
        let (rehearsal, end) = outcome(name, 90);
        assert_eq!((end.as_str(), rehearsal.severity()), (expected, severity), "{name}");
    }
}

#[test]
fn signals_take_the_course_that_the_scenario_tells() {
    for (name, courses) in [
        ("healthy", &[("primary-db", "ok"), ("dr-replication", "ok"), ("backup-full", "ok")][..]),
        ("region-down", &[("primary-db", "ok critical"), ("public-api", "ok critical"), ("dr-db", "ok")]),
        (
            "replica-lag",
            &[("dr-replication", "ok warn critical"), ("primary-db", "ok"), ("public-api", "ok")],
        ),
        ("partial-outage", &[("primary-api", "ok critical"), ("primary-db", "ok"), ("primary-ledger", "ok")]),
        ("backup-stale", &[("backup-full", "ok critical"), ("backup-wal", "ok"), ("primary-db", "ok")]),
        ("flapping", &[("primary-api", "ok critical ok critical ok critical ok"), ("dr-db", "ok")]),
        ("single-service", &[("primary-checkout", "ok critical"), ("primary-api", "ok")]),
        ("both-regions", &[("dr-ledger", "ok critical"), ("primary-db", "ok critical"), ("dr-db", "ok")]),
    ] {
        let mut rehearsal = rehearse(name);
        rehearsal.pass(180);
        for (probe, course) in courses {
            assert_eq!(rehearsal.course(probe), *course, "{name}: {probe}");
        }
    }
}

#[test]
fn a_flapping_region_gets_no_suggestion_and_the_operator_can_let_it_settle() {
    let (mut rehearsal, why) = outcome("flapping", 130);
    assert!(why.starts_with("primary-down: region primary is flapping"), "{why}");
    assert_eq!(rehearsal.answer("primary-down", "it-comes-and-goes"), Position::Leaf("let-it-settle".into()));
}

#[test]
fn the_default_demo_is_quiet_for_half_a_minute_and_then_the_region_goes() {
    let mut rehearsal = rehearse(DEFAULT_SCENARIO);
    rehearsal.pass(29);
    assert!(PLAN.probes.keys().all(|id| rehearsal.state(id.as_str()) == Good));
    rehearsal.pass(21);
    let critical: Vec<&str> = PLAN
        .probes
        .keys()
        .map(|id| id.as_str())
        .filter(|id| rehearsal.state(id) == SignalState::Critical)
        .collect();
    assert_eq!(
        critical,
        [
            "public-api",
            "public-checkout",
            "primary-lb",
            "primary-api",
            "primary-checkout",
            "primary-ledger",
            "primary-db",
            "primary-cache",
            "primary-queue",
            "primary-admin",
            "primary-reporting",
            "dr-replication",
            "backup-wal",
        ]
    );
}

fn complete(name: &str) -> (Rehearsal, Vec<(String, &'static str)>) {
    let (mut rehearsal, _) = outcome(name, 90);
    let steps = rehearsal.complete(600);
    (rehearsal, steps)
}

fn ended<'s>(steps: &'s [(String, &'static str)], step: &str) -> &'s str {
    steps.iter().find(|(id, _)| id == step).map(|(_, status)| *status).unwrap()
}

#[test]
fn the_full_failover_ends_with_customers_served_from_the_standby() {
    let (rehearsal, steps) = complete("region-down");
    for step in [
        "check-standby",
        "catch-up",
        "promote",
        "scale-api",
        "scale-workers",
        "switch-traffic",
        "verify-traffic",
        "record",
    ] {
        assert_eq!(ended(&steps, step), "verified", "{step}");
    }
    assert_eq!(ended(&steps, "fence-old-primary"), "attested", "the old primary does not answer");
    for probe in ["public-api", "public-checkout", "dr-db"] {
        assert_eq!(rehearsal.state(probe), Good, "{probe}");
    }
    assert_eq!(rehearsal.state("dr-replication"), Critical, "nothing replicates any more");
    assert_eq!(rehearsal.severity(), Some(Severity::P1), "one leg is left");
}

#[test]
fn the_failover_of_the_split_brain_does_its_steps_before_the_old_primary_is_back() {
    let (_, steps) = complete("split-brain");
    for step in ["promote", "scale-api", "scale-workers"] {
        assert_eq!(ended(&steps, step), "verified", "{step}");
    }
}

#[test]
fn a_failover_with_failing_steps_is_completed_too() {
    let (rehearsal, steps) = complete("bad-promotion");
    assert_eq!(ended(&steps, "promote"), "verified", "the answer was lost, the world shows that it was done");
    assert_eq!(ended(&steps, "switch-traffic"), "verified", "the second attempt worked");
    assert_eq!(rehearsal.state("public-api"), Good);
}

#[test]
fn the_other_runbooks_end_well_too() {
    for (name, probe) in [
        ("partial-outage", "public-api"),
        ("single-service", "primary-checkout"),
        ("replica-lag", "dr-replication"),
        ("backup-stale", "backup-full"),
    ] {
        let (mut rehearsal, steps) = complete(name);
        rehearsal.pass(30);
        assert!(
            steps.iter().all(|(_, status)| matches!(*status, "verified" | "attested")),
            "{name}: {steps:?}"
        );
        assert_eq!(rehearsal.state(probe), Good, "{name}");
    }
}

#[test]
fn services_that_moved_alone_are_served_and_no_clock_runs_on() {
    let (mut rehearsal, _) = complete("partial-outage");
    rehearsal.pass(30);
    rehearsal.model(|model, now| {
        for service in ["api", "checkout"] {
            let region = placement::region_of(model, &service.into());
            assert_eq!((region, model.durable.services[service].status), (Some(&"dr".into()), Status::Up));
        }
        assert_eq!(model.serving(), Some(&"primary".into()), "the database stays");
        assert_eq!(overall_clock(model, now), None);
        let stopped = overall_stopped(model, model.plan.services.keys()).unwrap();
        assert!(!stopped.left().is_negative(), "{stopped:?}");
    });
}

#[test]
fn a_generic_scenario_shows_at_its_public_endpoint_that_a_service_moved_alone() {
    let shipped = crate::simulation::scenario::generic("region-down").unwrap();
    let mut rehearsal = Rehearsal::new(&PLAN, shipped.resolve(&PLAN).unwrap());
    rehearsal.pass(90);
    assert_eq!(rehearsal.state("public-api"), Critical);
    rehearsal.act("selective-failover", "reroute-api");
    rehearsal.pass(30);
    assert_eq!(rehearsal.state("public-api"), Good);
    assert_eq!(rehearsal.state("public-checkout"), Critical);
}

#[test]
fn a_blind_console_calls_no_region_down() {
    let shipped = crate::simulation::scenario::generic("blind").unwrap();
    let mut rehearsal = Rehearsal::new(&PLAN, shipped.resolve(&PLAN).unwrap());
    rehearsal.pass(90);
    rehearsal.declare();
    let why = rehearsal.follow_suggestions().unwrap_err();
    assert!(why.contains("the console may be blind"), "{why}");
    assert_eq!(rehearsal.severity(), None);
}
