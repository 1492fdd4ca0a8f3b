//! Plans that were edited in the middle of an incident: what a step of now does and proves says nothing of one of before.

use super::aims::again;
use super::carried_out::*;
use super::doubted::*;
use super::fixture::*;
use super::ordered::still_runs;
use super::placement::*;
use super::proving::*;
use crate::core::ask::attested;
use crate::core::words::command::Ask;
use crate::core::words::incident::Mode;
use crate::core::words::status::StepStatus;
use crate::plan::Plan;
use crate::plan::condition::Condition;

/// The switch of its run is called another name.
fn renamed(plan: &mut Plan) {
    let steps = &mut plan.runbooks["switch-to-dr"].steps;
    let switch = steps.shift_remove("switch").unwrap();
    steps.insert("over".into(), crate::plan::Step { id: "over".into(), ..switch });
}

fn switching_over() -> Machine {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    start_step(&mut machine, "switch");
    machine
}

/// The doubt stays after a record of the other region.
fn assert_outlasts_records(machine: &Machine, words: &str) {
    assert!(said(machine).contains(words), "{}", said(machine));
    let mut machine = machine.clone();
    record(&mut machine, "primary");
    assert!(said(&machine).contains(words), "after the record: {}", said(&machine));
}

#[test]
fn a_step_that_the_plan_has_no_more_may_have_a_program_that_runs_and_no_record_answers_for_it() {
    let mut machine = under(switching_over(), renamed);
    assert_outlasts_records(&machine, "the step can be looked at no more");
    assert!(said(&machine).contains("The close of the incident ends this"), "{}", said(&machine));
    let mut seen = switching_over();
    seen = resumed(seen);
    still_runs(&mut seen, "switch");
    let seen = under(seen, renamed);
    assert_outlasts_records(&seen, "the step can be looked at no more");
    abort(&mut machine);
    assert_asked(&machine, "primary");
}

#[test]
fn what_a_program_that_outlived_its_engine_may_do_no_record_answers_for_before_it_was_looked_for() {
    let machine = resumed(switching_over());
    assert_outlasts_records(&machine, "may run still");
}

#[test]
fn a_program_that_may_run_still_is_said_after_the_abort_of_its_run_too() {
    let mut machine = resumed(switching_over());
    still_runs(&mut machine, "switch");
    abort(&mut machine);
    assert_outlasts_records(&machine, "may run still");
    let mut next = machine.clone();
    begin(&mut next, "undo");
    assert_outlasts_records(&next, "the step can be looked at no more");
    let mut machine = resumed(switching_over());
    still_runs(&mut machine, "switch");
    again(&mut machine, "switch");
    assert_outlasts_records(&machine, "may run still");
    abort(&mut machine);
    assert_outlasts_records(&machine, "the step can be looked at no more");
    close(&mut machine);
    assert_asked(&machine, "primary");
}

#[test]
fn a_switch_that_a_person_says_is_taken_back_while_it_runs_is_told_as_one_that_runs() {
    let mut machine = switching_over();
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
    assert_outlasts_records(&machine, "may run still");
}

#[test]
fn a_switch_that_is_done_again_after_it_was_taken_back_is_under_way() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    lost(&mut machine, "switch");
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
    assert!(said(&machine).contains("was taken back"), "{}", said(&machine));
    again(&mut machine, "switch");
    start_step(&mut machine, "switch");
    assert!(!said(&machine).contains("may run still"), "{}", said(&machine));
}

#[test]
fn a_plan_that_asks_for_another_proof_proves_no_word_of_before() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    let mut machine = under(machine, |plan| {
        plan.runbooks["switch-to-dr"].steps["switch"].verify =
            Some(Condition::parse("signals['primary-db'].state == 'ok'").unwrap());
    });
    machine.pass(10, &healthy());
    assert_eq!(serving(&machine), "primary");
    let words = attested::unshown_of_any(&machine.model, machine.now).unwrap().words();
    assert!(words.contains("CANNOT BE TOLD: the plan asked for another one when it was said"), "{words}");
    again(&mut machine, "switch");
    attest(&mut machine, "switch");
    machine.pass(10, &healthy());
    assert_eq!(serving(&machine), "dr", "it was said under the plan of now");
}

#[test]
fn an_undo_of_what_people_did_and_recorded_before_the_run_left_it_out_is_asked_for() {
    let left_out: [fn(&mut Machine); 2] = [
        |machine| {
            // It is recorded before the run begins.
            record(machine, "dr");
            begin(machine, "switch-to-dr");
            skip(machine, "switch");
        },
        |machine| {
            // It is taken up, and left out, once more after the record.
            begin(machine, "switch-to-dr");
            skip(machine, "switch");
            record(machine, "dr");
            again(machine, "switch");
            skip(machine, "switch");
        },
    ];
    for leave_out in left_out {
        let mut machine = with_undo(|_| {});
        leave_out(&mut machine);
        abort(&mut machine);
        close(&mut machine);
        machine.pass(5, &broken());
        machine.ask(Ask::Declare { title: "again".into(), mode: Mode::Live }).unwrap();
        begin(&mut machine, "undo");
        do_step(&mut machine, "back");
        assert_asked(&machine, "dr");
    }
}

#[test]
fn an_undo_takes_no_question_away_of_what_people_did_in_the_place_of_the_switch() {
    let mut machine = with_undo(|plan| {
        plan.runbooks["switch-to-dr"].steps.retain(|id, _| ["switch", "after"].contains(&id.as_str()));
    });
    begin(&mut machine, "switch-to-dr");
    skip(&mut machine, "switch");
    do_step(&mut machine, "after");
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    assert_asked(&machine, "primary");
}

fn with_spaces(condition: &Condition) -> Condition {
    Condition::parse(&condition.source().replace(' ', "  ")).unwrap()
}

#[test]
fn what_people_read_of_a_step_by_hand_is_no_other_step() {
    let machine = with_undo(|_| {});
    let mut by_hand = machine.model.plan.runbooks["switch-to-dr"].steps["switch"].clone();
    by_hand.does = crate::plan::kinds::Does::ByHand;
    let before = by_hand.fingerprint();
    by_hand.params.0.clear();
    assert_eq!(by_hand.fingerprint(), before);
    by_hand.verify = None;
    assert_ne!(by_hand.fingerprint(), before);
}

#[test]
fn a_step_is_told_apart_by_what_it_does_and_proves() {
    let machine = switching_over();
    let step = |change: fn(&mut crate::plan::Step)| {
        let mut step = machine.model.plan.runbooks["switch-to-dr"].steps["switch"].clone();
        change(&mut step);
        state(&machine, "switch").is_of(&step)
    };
    assert_eq!(state(&machine, "switch").status, StepStatus::Started);
    assert!(step(|step| step.title = "another title".into()));
    assert!(step(|step| step.verify = Some(with_spaces(step.verify.as_ref().unwrap()))));
    assert!(!step(|step| step.verify = None));
    assert!(!step(|step| step.action = "manual".into()));
    assert!(!step(|step| step.params.0.clear()));
}

#[test]
fn a_region_that_serves_and_that_the_plan_has_no_more_is_asked_for() {
    let mut machine = switching_over();
    end_step(&mut machine, "switch", done());
    prove(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    let mut machine = under(machine, |plan| {
        plan.regions.shift_remove("dr");
    });
    assert!(
        said(&machine).contains("\"dr\" serves by the last that is known, and the plan has no such region")
    );
    assert!(attested::is_left(&machine.model));
    record(&mut machine, "primary");
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

#[test]
fn a_service_that_was_moved_to_a_region_that_the_plan_has_no_more_is_asked_for() {
    let mut machine = moving();
    do_step(&mut machine, "reroute");
    machine.pass(5, &rerouted());
    assert_eq!((api(&machine).0, left(&machine)), ("dr", vec![]));
    let mut machine = under(machine, |plan| {
        plan.regions.shift_remove("dr");
    });
    let told = "is served from \"dr\", and the plan has no such region";
    assert!(said(&machine).contains(told), "{}", said(&machine));
    record(&mut machine, "primary");
    assert_eq!(left(&machine), []);
}
