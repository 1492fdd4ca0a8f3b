//! What stays unknown, and a console that stays blind, reaches a person.

use super::fixture::*;
use super::people::with_people;
use crate::base::problem::Problem;
use crate::core::ask::untold::untold;
use crate::core::words::notification::Cause;
use crate::core::words::reading::Measurement;
use crate::plan::Severity;
use std::sync::Arc;

type Readings = Vec<(&'static str, Result<Measurement, Problem>)>;

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
        plan.policies.clear();
        // P1 alone is left, which is milder than what is proposed.
        plan.severity.retain(|rule| rule.level == Severity::P1);
        machine.pass(20 * 60, &without(&["primary-api", "primary-db"]));
        assert_eq!(untold(&machine.model, machine.now), None);
        assert_eq!(machine.model.durable.severity, None);
    }
}

#[test]
fn what_nobody_knows_pages_also_where_a_person_declares_what_is_known() {
    let mut machine = watching();
    Arc::make_mut(&mut machine.model.plan).notify.propose = None;
    machine.pass(18 * 60, &without(&["primary-api", "primary-db"]));
    let proposal = machine.model.durable.proposal.clone().expect("nobody is told");
    assert_eq!(proposal.severity, Severity::P1, "the mildest that has a policy");
    assert!(pages(&machine) > 0);
    machine.pass(60, &healthy());
    assert_eq!(machine.model.durable.proposal, None);
    machine.pass(10 * 60, &down());
    assert_eq!(machine.model.durable.severity.as_ref().map(|(severity, ..)| *severity), Some(Severity::P0));
    assert_eq!(machine.model.durable.proposal, None, "that a person declares");
}

/// Within two minutes, so that a restart comes soon.
fn impatient() -> Machine {
    let mut machine = watching();
    Arc::make_mut(&mut machine.model.plan).policy.unknown_after = seconds(120);
    machine
}

fn restarted(machine: Machine) -> Machine {
    let plan = machine.model.plan.clone();
    Machine::resumed_under(plan, machine.log, machine.now)
}

#[test]
fn a_restart_does_not_make_what_is_unknown_new_and_looks_for_itself_before_it_tells() {
    let mut machine = impatient();
    let unknown = without(&["primary-api", "primary-db"]);
    machine.pass(150, &unknown);
    let (_, before) = untold(&machine.model, machine.now).unwrap();
    let mut machine = restarted(machine);
    assert_eq!(untold(&machine.model, machine.now), None);
    machine.pass(50, &unknown);
    assert_eq!(untold(&machine.model, machine.now).unwrap().1, before, "since before the restart");
    let mut machine = restarted(machine);
    machine.pass(50, &healthy());
    assert_eq!(untold(&machine.model, machine.now), None, "it is known again");
    let mut machine = restarted(machine);
    machine.pass(100, &unknown);
    assert_eq!(untold(&machine.model, machine.now), None, "it was known until the restart");
}

#[test]
fn an_engine_that_restarts_all_the_time_tells_what_stays_unknown() {
    for unknown in [without(&["primary-api", "primary-db"]), without(&["reference"])] {
        let mut machine = impatient();
        for _ in 0..5 {
            machine = restarted(machine);
            machine.pass(50, &unknown);
        }
        assert!(untold(&machine.model, machine.now).is_some());
    }
}

#[test]
fn another_plan_begins_the_time_of_what_is_unknown_anew() {
    let mut machine = impatient();
    let unknown = without(&["primary-api", "primary-db"]);
    machine.pass(150, &unknown);
    let mut plan = machine.model.plan.clone();
    // A probe of that name may be another one.
    Arc::make_mut(&mut plan).digest = "another".into();
    let mut machine = Machine::resumed_under(plan, machine.log, machine.now);
    machine.pass(50, &unknown);
    assert_eq!(untold(&machine.model, machine.now), None);
    machine.pass(100, &unknown);
    assert!(untold(&machine.model, machine.now).is_some());
}
