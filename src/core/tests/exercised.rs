//! What was only said in an exercise that moves nothing, once that turned live.

use super::carried_out::*;
use super::fixture::*;
use super::placement::*;
use super::proving::*;
use crate::core::ask::{attested, in_force};
use crate::core::words::command::Ask;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Mode;
use crate::plan::{Plan, Severity, Step};

pub(super) fn turn_live(machine: &mut Machine) {
    let id = machine.model.durable.incident.as_ref().unwrap().id.clone();
    let (title, detected_at) = ("for real".into(), machine.now);
    let severity = Some(Severity::P1);
    machine.take(vec![Fact::DrillTurnedLive { id, title, detected_at, severity, proposal: None }]);
}

fn again(machine: &mut Machine, step: &str) {
    let run = machine.run();
    let reason = Some("for real".into());
    machine.ask(Ask::Retry { run, step: step.into(), reason }).unwrap();
}

fn promotion(plan: &Plan) -> Vec<Step> {
    vec![switching(no_return(plan, "promote")), by_hand(plan, "phone")]
}

pub(super) fn unshown(machine: &Machine) -> Option<String> {
    attested::unshown_of_any(&machine.model, machine.now).map(|unshown| unshown.words())
}

/// A word for this step was given in the exercise, which is live now.
pub(crate) fn said(steps: fn(&Plan) -> Vec<Step>, step: &str) -> Machine {
    let mut machine = to_dr(Mode::SafeDrill, steps);
    attest(&mut machine, step);
    turn_live(&mut machine);
    machine
}

/// The promotion was said in the exercise, the rest was done since.
pub(crate) fn complete_but_for_the_promotion() -> Machine {
    let mut machine = said(promotion, "promote");
    attest(&mut machine, "phone");
    machine.pass(1, &[]);
    machine
}

#[test]
fn a_step_that_is_done_for_real_after_an_exercise_moves_the_region() {
    let mut machine = said(promotion, "promote");
    again(&mut machine, "promote");
    do_step(&mut machine, "promote");
    attest(&mut machine, "phone");
    machine.pass(10, &rerouted());
    assert_eq!((serving(&machine), unshown(&machine)), ("dr", None));
    assert_refolds(&machine);
}

#[test]
fn also_where_somebody_recorded_what_serves_in_between() {
    let mut machine = said(promotion, "promote");
    record(&mut machine, "primary");
    again(&mut machine, "promote");
    do_step(&mut machine, "promote");
    assert_eq!(serving(&machine), "dr");
}

#[test]
fn a_word_of_an_exercise_is_told_as_such_until_somebody_records_what_serves() {
    let mut machine = said(promotion, "promote");
    let told = unshown(&machine);
    assert_eq!(
        told.as_deref(),
        Some("step 1 \"promote\" was ONLY SAID IN THE EXERCISE: nobody did it for real")
    );
    attest(&mut machine, "phone");
    machine.pass(10, &rerouted());
    assert_eq!(serving(&machine), "primary");
    assert_eq!(unshown(&machine), told, "the run is complete");
    assert_eq!(left(&machine), [("promote", Some("dr"))]);
    record(&mut machine, "primary");
    assert_eq!((unshown(&machine), left(&machine)), (None, vec![]));
    assert_refolds(&machine);
}

#[test]
fn a_word_of_an_exercise_for_a_part_that_people_do_by_hand_is_told_and_keeps_the_region() {
    let hands = |plan: &Plan| vec![by_hand(plan, "phone"), switching(by_hand(plan, "dns"))];
    let mut machine = said(hands, "dns");
    attest(&mut machine, "phone");
    machine.pass(10, &rerouted());
    assert_eq!(serving(&machine), "primary");
    assert!(unshown(&machine).is_some_and(|told| told.contains("\"dns\" was ONLY SAID")));
    assert_eq!(left(&machine), [("dns", Some("dr"))]);
    let mut machine = said(hands, "dns");
    again(&mut machine, "dns");
    ["phone", "dns"].into_iter().for_each(|step| attest(&mut machine, step));
    assert_eq!(serving(&machine), "dr");
}

#[test]
fn a_word_of_an_exercise_that_is_taken_up_again_may_not_have_acted() {
    let mut machine = said(promotion, "promote");
    again(&mut machine, "promote");
    assert!(!state(&machine, "promote").may_have_acted);
    abort(&mut machine);
    assert_eq!(in_force::pending(&machine.model), []);
    assert_eq!(left(&machine), []);
}

#[test]
fn an_exercise_of_which_nothing_was_done_for_real_leaves_nothing_after_the_close() {
    let mut machine = to_dr(Mode::SafeDrill, promotion);
    ["promote", "phone"].into_iter().for_each(|step| attest(&mut machine, step));
    machine.pass(1, &[]);
    turn_live(&mut machine);
    assert!(unshown(&machine).is_some());
    close(&mut machine);
    assert_eq!(left(&machine), []);
}

#[test]
fn what_is_said_in_an_exercise_ends_nothing_that_is_in_force() {
    let in_force = |machine: &Machine| in_force::pending(&machine.model).len();
    let mut machine = moving();
    do_step(&mut machine, "reroute");
    abort(&mut machine);
    machine.pass(60, &rerouted_and_well());
    close(&mut machine);
    assert_eq!(in_force(&machine), 1);
    machine.ask(Ask::Declare { title: "an exercise".into(), mode: Mode::SafeDrill }).unwrap();
    let (runbook, steps) = ("undo".into(), vec!["back".into()]);
    machine.take(vec![Fact::RunStarted { run: "exercise/1".into(), runbook, steps, aim: None }]);
    attest(&mut machine, "back");
    machine.pass(30, &rerouted_and_well());
    assert_eq!((in_force(&machine), api(&machine).0), (1, "dr"));
    close(&mut machine);
    assert_eq!((in_force(&machine), api(&machine).0), (1, "dr"));
    assert_refolds(&machine);
}

#[test]
fn an_exercise_is_not_told_as_one_while_it_goes_on() {
    let mut machine = to_dr(Mode::SafeDrill, promotion);
    attest(&mut machine, "promote");
    assert_eq!(unshown(&machine), None);
}

#[test]
fn a_switch_that_a_drill_verified_on_a_copy_is_left_once_the_run_ends_for_real() {
    let mut machine = to_dr(Mode::SafeDrill, |plan| {
        let switch = Step { safe_to_drill: true, ..switching(acting(plan, "switch")) };
        vec![switch, by_hand(plan, "phone")]
    });
    do_step(&mut machine, "switch");
    turn_live(&mut machine);
    let mut recorded = machine.clone();
    record(&mut recorded, "dr");
    assert_eq!(serving(&recorded), "dr", "the run leads nowhere any more");
    attest(&mut machine, "phone");
    machine.pass(1, &[]);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![("switch", Some("dr"))]));
    let said = attested::left(&machine.model)[0].sentence(&machine.model, "T");
    assert!(said.starts_with("\"switch\" is verified, and its run moved nothing. If "), "{said}");
    record(&mut machine, "dr");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}
