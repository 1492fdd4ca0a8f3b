//! Runs for a region in which no step switches: they move nothing, and leave it to a person to record what serves.

use super::carried_out::*;
use super::fixture::*;
use super::placement::*;
use super::proving::*;
use super::serving::{primary, standby, world};
use crate::core::ask::attested;
use crate::core::ask::placement;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Mode;
use crate::plan::{Plan, Step};

/// What the console says of a run that ended so.
const ENDED: &str =
    "\"to-dr\" has ended, and the plan does not say which step lets somewhere serve (`switches`). If ";

fn fence(plan: &Plan) -> Step {
    Step { fences: vec!["primary-db".into()], ..no_return(plan, "fence") }
}

fn dump(plan: &Plan) -> Step {
    acting(plan, "dump")
}

#[test]
fn it_moves_nothing_whatever_its_steps_are_and_is_told_until_somebody_records_what_serves() {
    let steps: [fn(&Plan) -> Vec<Step>; 5] = [
        |plan| vec![no_return(plan, "promote"), acting(plan, "dns")],
        |plan| vec![by_hand(plan, "promote"), by_hand(plan, "dns")],
        |plan| vec![fence(plan), dump(plan), by_hand(plan, "promote"), by_hand(plan, "dns")],
        |plan| vec![fence(plan), dump(plan), no_return(plan, "promote"), by_hand(plan, "dns")],
        |plan| {
            let off = Step { undoes: vec!["promote".into()], ..acting(plan, "dns") };
            vec![acting(plan, "promote"), off]
        },
    ];
    for steps in steps {
        for last in [skip as fn(&mut Machine, &str), attest] {
            let mut machine = to_dr(Mode::Live, steps);
            for step in ["fence", "dump"] {
                if machine.model.step(&machine.run(), &step.into()).is_some() {
                    do_step(&mut machine, step);
                }
            }
            attest(&mut machine, "promote");
            last(&mut machine, "dns");
            machine.pass(1, &[]);
            assert!(said(&machine).starts_with(ENDED), "{}", said(&machine));
            assert_left(machine, "to-dr");
        }
    }
}

#[test]
fn so_it_is_where_it_was_aborted_also_when_a_step_is_proven_after_that() {
    let mut machine = to_dr(Mode::Live, |plan| vec![no_return(plan, "promote"), acting(plan, "dns")]);
    lost(&mut machine, "promote");
    abort(&mut machine);
    recheck(&mut machine, "promote");
    let told =
        "\"to-dr\" was aborted, and the plan does not say which step lets somewhere serve (`switches`). If ";
    assert!(said(&machine).starts_with(told), "{}", said(&machine));
    assert_left(machine, "to-dr");
}

#[test]
fn nobody_knowing_whether_one_acted_is_enough() {
    let mut machine = to_dr(Mode::Live, |plan| vec![acting(plan, "dns")]);
    lost(&mut machine, "dns");
    skip(&mut machine, "dns");
    machine.pass(5, &rerouted());
    assert_left(machine, "to-dr");
}

#[test]
fn what_was_said_in_an_exercise_alone_leaves_nothing() {
    let mut machine = to_dr(Mode::SafeDrill, |plan| vec![no_return(plan, "promote"), by_hand(plan, "phone")]);
    ["promote", "phone"].into_iter().for_each(|step| attest(&mut machine, step));
    machine.pass(1, &[]);
    let id = machine.model.durable.incident.as_ref().unwrap().id.clone();
    let (title, detected_at) = ("for real".into(), machine.now);
    machine.take(vec![Fact::DrillTurnedLive { id, title, detected_at, severity: None, proposal: None }]);
    close(&mut machine);
    assert_eq!(left(&machine), []);
}

#[test]
fn a_person_may_record_what_serves_in_the_middle_of_it_and_that_stands() {
    let mut machine = to_dr(Mode::Live, |plan| vec![no_return(plan, "promote"), acting(plan, "dns")]);
    do_step(&mut machine, "promote");
    record(&mut machine, "dr");
    assert_eq!(serving(&machine), "dr");
    do_step(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    record(&mut machine, "primary");
    machine.pass(30, &rerouted());
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
    assert_refolds(&machine);
}

#[test]
fn what_is_measured_to_serve_ends_the_question() {
    let measured = |database: Readings| {
        let mut readings = broken();
        readings.retain(|(probe, _)| !probe.ends_with("-db"));
        readings.extend(database.into_iter().filter(|(probe, _)| probe.ends_with("-db")));
        readings
    };
    let mut machine = without_a_switching_step();
    assert_eq!(left(&machine), [("to-dr", Some("dr"))]);
    machine.pass(60, &measured(world(standby("a2"), primary(2, "b"))));
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    machine.pass(60, &measured(world(primary(3, "a3"), standby("b2"))));
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]), "it moved on since");
}

#[test]
fn services_in_its_proofs_are_those_of_where_they_serve_now() {
    let machine = to_dr(Mode::Live, |plan| vec![no_return(plan, "promote"), acting(plan, "dns")]);
    let run = machine.model.run(&machine.run()).unwrap();
    for step in ["promote", "dns"] {
        let (step, _) = machine.model.step(&run.id, &step.into()).unwrap();
        assert_eq!(placement::ahead(&machine.model, run, step), []);
    }
}

#[test]
fn what_a_rule_of_before_took_for_a_switch_stands() {
    let mut machine = without_a_switching_step();
    let run = machine.run();
    machine.take(vec![Fact::RegionMoved { run, region: "dr".into() }]);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    let since = machine.model.durable.switches.last().map(|switch| (switch.at, switch.untold.clone()));
    assert_eq!(since, Some((machine.now, None)));
    assert!(attested::unshown_of_any(&machine.model, machine.now).is_none());
    assert_refolds(&machine);
}
