//! What stays unknown, and a console that stays blind, reaches a person.

use super::fixture::*;
use super::people::with_people;
use crate::core::notification::Cause;
use crate::core::reading::{Measurement, ProbeFailure};
use crate::core::untold::untold;
use crate::plan::Severity;
use std::sync::Arc;

type Readings = Vec<(&'static str, Result<Measurement, ProbeFailure>)>;

/// All is well and seen, under the plan with people: P1 is proposed after it lasted.
fn watching() -> Machine {
    let mut machine = with_people(Machine::new());
    machine.pass(20, &healthy());
    assert_eq!(machine.model.durable.severity, None);
    machine
}

/// All is well but these, of which nothing is known.
fn without(unknown: &[&str]) -> Readings {
    let readings = healthy().into_iter();
    readings.map(|(probe, good)| (probe, if unknown.contains(&probe) { blind() } else { good })).collect()
}

fn pages(machine: &Machine) -> usize {
    let known = machine.model.durable.notifications.values();
    known.filter(|known| matches!(known.cause, Cause::Level { .. })).count()
}

#[test]
fn a_rule_that_nobody_can_tell_for_too_long_pages_who_is_on_call() {
    let mut machine = watching();
    let unknown = without(&["primary-api", "primary-db"]);
    machine.pass(14 * 60, &unknown);
    assert_eq!((machine.model.durable.severity.clone(), pages(&machine)), (None, 0));
    machine.pass(4 * 60, &unknown);
    let proposal = machine.model.durable.proposal.clone().expect("nobody is told");
    assert_eq!(proposal.severity, Severity::P1, "the mildest that is proposed");
    let title = &proposal.title;
    assert!(
        title.contains("has been unknown since") && title.contains("nobody can tell whether it is P0"),
        "{title}"
    );
    let paged = pages(&machine);
    assert!(paged > 0);
    machine.pass(5 * 60, &unknown);
    assert_eq!(pages(&machine), paged, "told once for each level");
}

#[test]
fn a_console_that_stays_blind_pages_who_is_on_call() {
    let mut machine = watching();
    machine.pass(18 * 60, &without(&["reference"]));
    let proposal = machine.model.durable.proposal.clone().expect("nobody is told");
    assert!(proposal.title.starts_with("this console is blind"), "{}", proposal.title);
    assert!(pages(&machine) > 0);
}

#[test]
fn what_is_known_again_is_withdrawn_and_what_is_known_to_be_bad_is_told_as_that() {
    let mut machine = watching();
    let unknown = without(&["primary-api", "primary-db"]);
    machine.pass(18 * 60, &unknown);
    assert!(machine.model.durable.proposal.is_some());
    machine.pass(60, &healthy());
    assert_eq!(
        (machine.model.durable.proposal.clone(), machine.model.durable.severity.clone()),
        (None, None)
    );
    machine.pass(18 * 60, &unknown);
    machine.pass(60, &down());
    let (severity, _, why) = machine.model.durable.severity.clone().unwrap();
    assert_eq!(severity, Severity::P0);
    assert!(why.contains("regions.primary.status == 'down'"), "{why}");
}

#[test]
fn what_no_rule_asks_for_or_what_would_page_nobody_stays_on_the_screen() {
    let mut machine = watching();
    machine.pass(20 * 60, &without(&["dr-lag", "dr-db"]));
    assert_eq!(machine.model.durable.severity, None, "no rule needs it");
    for propose in [None, Some(Severity::P0)] {
        let mut machine = watching();
        let plan = Arc::make_mut(&mut machine.model.plan);
        plan.notify.propose = propose;
        // P1 alone is left, which is milder than what is proposed.
        plan.severity.retain(|rule| rule.level == Severity::P1);
        machine.pass(20 * 60, &without(&["primary-api", "primary-db"]));
        assert_eq!(untold(&machine.model, machine.now), None);
        assert_eq!(machine.model.durable.severity, None);
    }
}

#[test]
fn the_plan_says_how_long_and_a_new_engine_counts_from_its_start() {
    let mut machine = watching();
    Arc::make_mut(&mut machine.model.plan).policy.unknown_after = seconds(120);
    let unknown = without(&["primary-api", "primary-db"]);
    machine.pass(150, &unknown);
    assert!(untold(&machine.model, machine.now).is_some());
    let plan = machine.model.plan.clone();
    let mut machine = Machine::resumed_under(plan, machine.log, machine.now);
    assert_eq!(untold(&machine.model, machine.now), None);
    machine.pass(150, &unknown);
    assert!(untold(&machine.model, machine.now).is_some());
}
