//! Which region serves by the order in which things acted, whenever that is proven, found out or told.

use super::aims::again;
use super::carried_out::*;
use super::doubted::*;
use super::exercised::turn_live;
use super::fixture::*;
use super::placement::*;
use super::proving::*;
use crate::core::ask::attested;
use crate::core::words::action::{Acted, Failure, STILL_RUNS};
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::status::StepStatus;
use crate::plan::{Plan, Step};
use jiff::{SignedDuration, Timestamp};

/// A plan in which `home` moves the region back, and its switch takes back that of `switch-to-dr`.
fn with_failback() -> Machine {
    with_undo(|plan| {
        let steps = &mut plan.runbooks["home"].steps;
        let back = Step { undoes: vec!["switch".into()], ..switching(steps["all-home"].clone()) };
        steps.insert("all-home".into(), back);
    })
}

/// A look at the step finds its program running.
pub(super) fn still_runs(machine: &mut Machine, step: &str) {
    let why = format!("the program of an earlier attempt {STILL_RUNS} 20233");
    looked_at(machine, step, Failure { why, ..Machine::failure() });
}

/// A look at the step finds no program of it, and nothing that it did.
pub(super) fn seen_in_vain(machine: &mut Machine, step: &str) {
    looked_at(machine, step, Machine::failure());
}

fn looked_at(machine: &mut Machine, step: &str, failure: Failure) {
    let run = machine.run();
    machine.ask(Ask::Recheck { run: run.clone(), step: step.into() }).unwrap();
    let attempt = state(machine, step).attempt;
    machine.report(Report::Checked { run, step: step.into(), attempt, result: Err(failure) }).unwrap();
    machine.effects.clear();
}

/// The region was switched, and that taken back, by a clock that was an hour ahead; and what it should have shown at first.
fn switched_and_back_by_a_clock_ahead() -> (Machine, Timestamp) {
    let mut machine = with_undo(|_| {});
    let right = machine.now;
    machine.now = right + SignedDuration::from_hours(1);
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    record(&mut machine, "primary");
    (machine, right)
}

fn fails() -> Outcome {
    Outcome::Failed(Failure { acted: Acted::No, ..Machine::failure() })
}

#[test]
fn the_late_proof_of_a_word_moves_nothing_over_a_failback_that_acted_since() {
    let mut machine = with_failback();
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    complete(&mut machine);
    machine.pass(5, &broken());
    begin(&mut machine, "home");
    finished(&mut machine, "all-home");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "primary", "the failback acted since");
    prove(&mut machine, "all-home");
    machine.pass(30, &rerouted());
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
    assert_refolds(&machine);
}

#[test]
fn a_switch_that_is_proven_while_it_is_taken_back_moves_nothing_and_is_asked_for() {
    let mut machine = with_own_undo();
    lost(&mut machine, "switch");
    start_step(&mut machine, "unswitch");
    prove(&mut machine, "switch");
    assert_eq!(serving(&machine), "primary");
    assert!(said(&machine).contains("is being taken back"), "{}", said(&machine));
    end_step(&mut machine, "unswitch", fails());
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]), "it was not taken back");
    assert_refolds(&machine);
}

#[test]
fn a_record_between_the_undo_and_the_end_of_the_switch_does_not_answer_for_what_that_did() {
    let mut machine = with_own_undo();
    start_step(&mut machine, "switch");
    do_step(&mut machine, "unswitch");
    record(&mut machine, "primary");
    end_step(&mut machine, "switch", done());
    prove(&mut machine, "switch");
    assert_asked(&machine, "primary");
    record(&mut machine, "dr");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn of_two_steps_that_take_back_the_sure_failure_of_one_leaves_the_question_of_the_other() {
    let mut machine = with_undo(|plan| {
        let runbook = &mut plan.runbooks["undo"];
        let other = Step { id: "other".into(), title: "other".into(), ..runbook.steps["back"].clone() };
        runbook.steps.insert("other".into(), other);
    });
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    begin(&mut machine, "undo");
    start_step(&mut machine, "back");
    start_step(&mut machine, "other");
    end_step(&mut machine, "back", fails());
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![("switch", Some("dr"))]));
    end_step(&mut machine, "other", fails());
    assert_eq!(
        (serving(&machine), left(&machine), said(&machine)),
        ("dr", vec![], String::new()),
        "{:?}",
        machine.model.durable.acts
    );
}

#[test]
fn a_record_does_not_answer_for_a_program_that_is_seen_to_run_still() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    start_step(&mut machine, "switch");
    let mut machine = Machine::resumed_under(machine.model.plan.clone(), machine.log, machine.now);
    assert_eq!(state(&machine, "switch").status, StepStatus::Unknown);
    still_runs(&mut machine, "switch");
    record(&mut machine, "primary");
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![("switch", Some("dr"))]));
    assert!(said(&machine).contains("may run still") && said(&machine).contains("Look at the step again"));
    machine.pass(1, &[]);
    let run = machine.run();
    machine.ask(Ask::Recheck { run, step: "switch".into() }).unwrap();
    prove(&mut machine, "switch");
    assert_asked(&machine, "primary");
}

#[test]
fn a_switch_of_a_drill_that_may_have_acted_is_asked_for_once_the_drill_is_live() {
    let mut machine = to_dr(Mode::SafeDrill, |plan| {
        vec![Step { safe_to_drill: true, ..switching(acting(plan, "switch")) }, by_hand(plan, "phone")]
    });
    lost(&mut machine, "switch");
    assert_eq!(left(&machine), []);
    turn_live(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![("switch", Some("dr"))]));
    record(&mut machine, "primary");
    assert_eq!(left(&machine), []);
}

#[test]
fn an_edit_of_the_plan_takes_no_word_of_before_back() {
    let mut machine = with_undo(|plan| plan.runbooks["undo"].steps["back"].undoes.clear());
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    complete(&mut machine);
    machine.pass(5, &broken());
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    let mut machine = under(machine, |plan: &mut Plan| {
        plan.runbooks["undo"].steps["back"].undoes = vec!["switch".into()];
    });
    machine.pass(30, &rerouted());
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn what_a_clock_that_was_ahead_put_into_the_future_overrules_nothing_that_is_done_later() {
    let (mut machine, right) = switched_and_back_by_a_clock_ahead();
    close(&mut machine);
    let mut machine = Machine::resumed_under(machine.model.plan.clone(), machine.log, right);
    machine.pass(20, &healthy());
    machine.pass(30, &broken());
    machine.ask(Ask::Declare { title: "again".into(), mode: Mode::Live }).unwrap();
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert!(attested::sentences(&machine.model, machine.now).is_empty());
}

#[test]
fn what_takes_back_a_switch_that_a_record_answered_for_asks_anew() {
    let begun: [fn(&mut Machine); 2] =
        [|machine| lost(machine, "switch"), |machine| attest(machine, "switch")];
    for begin_switch in begun {
        let mut machine = with_undo(|_| {});
        begin(&mut machine, "switch-to-dr");
        begin_switch(&mut machine);
        record(&mut machine, "dr");
        let mut by_hand = machine.clone();
        let run = by_hand.run();
        by_hand.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
        assert_asked(&by_hand, "dr");
        abort(&mut machine);
        begin(&mut machine, "undo");
        do_step(&mut machine, "back");
        assert_asked(&machine, "dr");
    }
}

#[test]
fn a_switch_that_is_taken_up_again_after_a_record_of_its_region_is_asked_for() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "dr");
    record(&mut machine, "primary");
    record(&mut machine, "dr");
    again(&mut machine, "switch");
    assert_asked(&machine, "dr");
    do_step(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn another_attempt_ends_what_the_one_before_left_running() {
    let mut machine = with_failback();
    begin(&mut machine, "switch-to-dr");
    start_step(&mut machine, "switch");
    let mut machine = Machine::resumed_under(machine.model.plan.clone(), machine.log, machine.now);
    still_runs(&mut machine, "switch");
    again(&mut machine, "switch");
    let confirmation = machine.prepare("switch");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.settle();
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    complete(&mut machine);
    begin(&mut machine, "home");
    do_step(&mut machine, "all-home");
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

#[test]
fn a_word_that_is_proven_while_the_next_switch_runs_moves_and_one_while_that_waits_for_its_proof_is_asked_for()
 {
    let mut machine = with_failback();
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    complete(&mut machine);
    machine.pass(5, &broken());
    begin(&mut machine, "home");
    let mut waits = machine.clone();
    start_step(&mut machine, "all-home");
    machine.pass(30, &rerouted());
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]), "the failback has done nothing yet");
    finished(&mut waits, "all-home");
    waits.pass(30, &rerouted());
    assert_eq!((serving(&waits), left(&waits)), ("primary", vec![("all-home", Some("primary"))]));
}

#[test]
fn a_plan_in_which_the_regions_swap_their_roles_answers_nothing_of_a_run_of_before() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    lost(&mut machine, "switch");
    let swapped = |plan: &mut Plan| {
        let roles: Vec<_> = plan.regions.values().map(|region| region.role).collect();
        plan.regions.values_mut().zip(roles.into_iter().rev()).for_each(|(region, role)| region.role = role);
    };
    let machine = under(machine, swapped);
    assert_asked(&machine, "primary");
}

#[test]
fn a_record_in_a_drill_answers_for_what_was_done_in_it_before() {
    let mut machine = to_dr(Mode::SafeDrill, |plan| {
        vec![Step { safe_to_drill: true, ..switching(acting(plan, "switch")) }, by_hand(plan, "phone")]
    });
    let mut verified = machine.clone();
    do_step(&mut verified, "switch");
    turn_live(&mut verified);
    assert!(
        said(&verified).starts_with("\"switch\" was done in the exercise: whether"),
        "{}",
        said(&verified)
    );
    lost(&mut machine, "switch");
    record(&mut machine, "dr");
    record(&mut machine, "primary");
    turn_live(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
    let run = machine.run();
    machine.ask(Ask::Recheck { run, step: "switch".into() }).unwrap();
    prove(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

#[test]
fn a_switch_that_the_plan_has_no_more_is_asked_for_while_its_run_is_open() {
    let ends: [fn(&mut Machine); 2] =
        [|machine| attest(machine, "switch"), |machine| finished(machine, "switch")];
    for end in ends {
        let mut machine = with_undo(|_| {});
        begin(&mut machine, "switch-to-dr");
        end(&mut machine);
        let machine = under(machine, |plan| {
            let steps = &mut plan.runbooks["switch-to-dr"].steps;
            let switch = steps.shift_remove("switch").unwrap();
            steps.shift_insert(0, "other".into(), Step { id: "other".into(), ..switch });
        });
        assert_asked(&machine, "primary");
    }
}

#[test]
fn a_plan_that_asks_for_no_proof_any_more_proves_no_word() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    let mut machine = under(machine, |plan| plan.runbooks["switch-to-dr"].steps["switch"].verify = None);
    machine.pass(10, &broken());
    assert_eq!(serving(&machine), "primary");
    assert!(attested::sentences(&machine.model, machine.now)[0].contains("CANNOT BE TOLD"));
}

#[test]
fn a_switch_back_of_what_people_did_and_recorded_is_asked_for() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    skip(&mut machine, "switch");
    record(&mut machine, "dr");
    complete(&mut machine);
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    assert_asked(&machine, "dr");
}

#[test]
fn a_drill_that_acts_for_real_doubts_nothing_when_it_turns_live() {
    let mut machine =
        to_dr(Mode::Drill, |plan| vec![switching(acting(plan, "switch")), by_hand(plan, "phone")]);
    do_step(&mut machine, "switch");
    turn_live(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn a_switch_that_a_person_says_is_taken_back_while_it_runs_is_asked_for_once_it_ended() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    start_step(&mut machine, "switch");
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
    record(&mut machine, "primary");
    end_step(&mut machine, "switch", done());
    prove(&mut machine, "switch");
    assert_asked(&machine, "primary");
}

#[test]
fn a_clock_that_was_set_back_while_the_engine_ran_lets_no_undo_of_before_take_back_a_word() {
    let (mut machine, right) = switched_and_back_by_a_clock_ahead();
    machine.now = right;
    machine.pass(5, &broken());
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    machine.pass(5, &broken());
    let word = |machine: &Machine| attested::sentences(&machine.model, machine.now);
    assert_eq!(word(&machine).len(), 1, "{:?}", word(&machine));
    let mut machine = resumed(machine);
    machine.pass(5, &broken());
    assert_eq!(word(&machine).len(), 1, "the undo was before the word: {:?}", word(&machine));
}

#[test]
fn a_record_of_another_region_while_a_switch_runs_is_not_overturned_by_its_end() {
    let mut machine = with_failback();
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    complete(&mut machine);
    machine.pass(5, &broken());
    begin(&mut machine, "home");
    start_step(&mut machine, "all-home");
    record(&mut machine, "dr");
    end_step(&mut machine, "all-home", done());
    prove(&mut machine, "all-home");
    assert_asked(&machine, "dr");
    assert!(said(&machine).contains("ran while it was recorded that"), "{}", said(&machine));
}

#[test]
fn a_record_of_its_own_region_while_a_switch_runs_asks_nothing() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    start_step(&mut machine, "switch");
    machine.take(vec![Fact::ServingRecorded { region: "dr".into(), reason: "by hand".into() }]);
    end_step(&mut machine, "switch", done());
    prove(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}
