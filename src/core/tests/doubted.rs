//! Whether it is known which region serves, by what may have acted since that was known: no record, no proof and no run
//! under way answers for what acts after it.

use super::aims::again;
use super::carried_out::*;
use super::fixture::*;
use super::ordered::seen_in_vain;
use super::placement::*;
use super::proving::*;
use super::serving::{primary, standby, world};
use crate::base::problem::Problem;
use crate::core::ask::attested;
use crate::core::ask::contradiction::{self, Kind};
use crate::core::words::action::{Acted, Failure, SYSTEM_IDENTIFIER};
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::reading::Measurement;
use crate::core::words::status::StepStatus;
use crate::plan::kinds::Does;
use crate::plan::{Plan, ProbeSpec, Severity, Step};
use std::sync::Arc;

/// A plan whose runbook `undo` takes the switch back; its step may be proven as this says.
pub(super) fn with_undo(change: impl FnOnce(&mut Plan)) -> Machine {
    with(|plan| {
        let back = &mut plan.runbooks["undo"].steps["back"];
        (back.undoes, back.verify) = (vec!["switch".into()], None);
        change(plan);
    })
}

/// The switch moved the region, and the run that takes it back is begun.
fn to_be_undone() -> Machine {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    begin(&mut machine, "undo");
    machine
}

/// The switch is on a word whose proof is not seen, its run is complete, and the run that takes it back is begun.
fn said_and_to_be_undone(change: impl FnOnce(&mut Plan)) -> Machine {
    let mut machine = with_undo(change);
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    complete(&mut machine);
    machine.pass(5, &broken());
    begin(&mut machine, "undo");
    machine
}

pub(super) fn start_step(machine: &mut Machine, step: &str) {
    let confirmation = machine.prepare(step);
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.effects.clear();
    assert_eq!(state(machine, step).status, StepStatus::Started);
}

pub(super) fn end_step(machine: &mut Machine, step: &str, outcome: Outcome) {
    let run = machine.run();
    machine.report(Report::Executed { run, step: step.into(), attempt: 1, outcome }).unwrap();
    machine.effects.clear();
}

pub(super) fn done() -> Outcome {
    Outcome::Done(crate::core::words::action::Done { summary: "done".into() })
}

pub(super) fn assert_asked(machine: &Machine, region: &str) {
    assert_eq!((serving(machine), left(machine).len()), (region, 1), "{:?}", left(machine));
    for region in ["dr", "primary"] {
        let mut machine = machine.clone();
        record(&mut machine, region);
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
        assert_refolds(&machine);
    }
}

#[test]
fn a_record_does_not_answer_for_what_takes_the_switch_back_after_it() {
    let mut machine = to_be_undone();
    start_step(&mut machine, "back");
    assert!(said(&machine).starts_with("\"switch\" is being taken back: whether"), "{}", said(&machine));
    machine.pass(1, &[]);
    record(&mut machine, "dr");
    assert!(said(&machine).starts_with("\"switch\" is being taken back: whether"), "{}", said(&machine));
    machine.pass(5, &[]);
    end_step(&mut machine, "back", done());
    assert_asked(&machine, "dr");
    prove(&mut machine, "back");
    assert!(said(&machine).starts_with("\"switch\" was taken back: whether"), "{}", said(&machine));
    machine.pass(1, &[]);
    assert_asked(&machine, "dr");
}

#[test]
fn an_engine_that_ends_while_the_switch_is_taken_back_leaves_the_question_over_a_record() {
    let mut machine = to_be_undone();
    start_step(&mut machine, "back");
    record(&mut machine, "dr");
    let mut machine = Machine::resumed_under(machine.model.plan.clone(), machine.log, machine.now);
    assert_eq!(state(&machine, "back").status, StepStatus::Unknown);
    seen_in_vain(&mut machine, "back");
    assert_asked(&machine, "dr");
}

#[test]
fn a_step_that_takes_back_and_surely_did_nothing_leaves_no_question() {
    let failed = || Outcome::Failed(Failure { acted: Acted::No, ..Machine::failure() });
    let mut machine = to_be_undone();
    machine.pass(5, &broken());
    start_step(&mut machine, "back");
    end_step(&mut machine, "back", failed());
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    let mut machine = to_be_undone();
    lost(&mut machine, "back");
    assert_asked(&machine, "dr");
    again(&mut machine, "back");
    let confirmation = machine.prepare("back");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.effects.clear();
    let run = machine.run();
    machine.report(Report::Executed { run, step: "back".into(), attempt: 2, outcome: failed() }).unwrap();
    assert_asked(&machine, "dr");
}

#[test]
fn the_proof_of_a_word_moves_nothing_over_what_took_the_switch_back_after_it() {
    let mut machine = said_and_to_be_undone(|_| {});
    finished(&mut machine, "back");
    machine.pass(30, &rerouted());
    assert_asked(&machine, "primary");
    prove(&mut machine, "back");
    machine.pass(30, &rerouted());
    assert_asked(&machine, "primary");
}

#[test]
fn of_two_words_the_proof_of_the_earlier_moves_nothing() {
    let mut machine = said_and_to_be_undone(|plan| {
        let proof = plan.runbooks["switch-to-dr"].steps["switch"].verify.clone();
        plan.runbooks["undo"].steps["back"].verify = proof;
    });
    machine.pass(5, &broken());
    attest(&mut machine, "back");
    machine.pass(30, &rerouted_and_well());
    assert_asked(&machine, "primary");
}

#[test]
fn a_word_that_was_taken_back_by_a_step_that_is_taken_up_again_is_asked_for_at_once() {
    let mut machine = said_and_to_be_undone(|plan| {
        let undo = &mut plan.runbooks["undo"].steps;
        let more = Step { id: "more".into(), undoes: Vec::new(), ..undo["back"].clone() };
        undo.insert("more".into(), more);
    });
    attest(&mut machine, "back");
    again(&mut machine, "back");
    skip(&mut machine, "back");
    machine.pass(30, &rerouted());
    assert_asked(&machine, "primary");
}

#[test]
fn a_failback_whose_switch_may_have_acted_is_asked_for_while_its_run_is_open() {
    let undoes = vec!["switch".into()];
    let mut machine = with(|plan| {
        let home = &mut plan.runbooks["home"].steps;
        home["all-home"].undoes = undoes;
        let more =
            Step { id: "more".into(), switches: false, undoes: Vec::new(), ..home["all-home"].clone() };
        home.insert("more".into(), more);
    });
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    machine.pass(5, &rerouted());
    begin(&mut machine, "home");
    start_step(&mut machine, "all-home");
    assert_eq!(left(&machine), [], "its run says it");
    end_step(
        &mut machine,
        "all-home",
        Outcome::Failed(Failure { acted: Acted::Maybe, ..Machine::failure() }),
    );
    let told = "nobody knows whether \"all-home\" acted: whether";
    assert!(said(&machine).starts_with(told), "{}", said(&machine));
    assert_asked(&machine, "dr");
    skip(&mut machine, "all-home");
    assert_asked(&machine, "dr");
    let mut again = {
        let mut machine = machine.clone();
        again(&mut machine, "all-home");
        machine
    };
    do_step(&mut again, "all-home");
    assert_eq!((serving(&again), left(&again)), ("primary", vec![]));
    assert_refolds(&again);
    abort(&mut machine);
    assert_asked(&machine, "dr");
}

/// A run that began when nobody recorded where it leads.
fn of_before() -> Machine {
    let mut machine = with_undo(|_| {});
    let (run, runbook) = ("before/1".into(), "switch-to-dr".into());
    let steps = vec!["switch".into(), "after".into()];
    machine.take(vec![Fact::RunStarted { run, runbook, steps, aim: None }]);
    machine
}

pub(super) fn resumed(machine: Machine) -> Machine {
    Machine::resumed_under(machine.model.plan.clone(), machine.log, machine.now)
}

/// The same journal under a plan in which this is other.
pub(super) fn under(machine: Machine, change: impl FnOnce(&mut Plan)) -> Machine {
    let mut plan = (*machine.model.plan).clone();
    change(&mut plan);
    plan.digest = "1".repeat(64);
    Machine::resumed_under(Arc::new(plan), machine.log, machine.now)
}

#[test]
fn an_open_run_of_a_journal_of_before_goes_on_under_the_plan_of_then() {
    let mut machine = resumed(of_before());
    do_step(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
    let mut machine = of_before();
    attest(&mut machine, "switch");
    let mut machine = resumed(machine);
    again(&mut machine, "switch");
    assert_eq!(serving(&machine), "primary");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
}

#[test]
fn a_switch_of_before_whose_move_was_not_written_yet_moves_with_the_next_engine() {
    let mut machine = of_before();
    do_step(&mut machine, "switch");
    assert_eq!(serving(&machine), "primary", "nobody recorded where it leads");
    let machine = resumed(machine);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
}

#[test]
fn an_open_run_of_a_journal_of_before_under_another_plan_leaves_it_to_a_person_at_once() {
    let mut machine = under(of_before(), |_| {});
    do_step(&mut machine, "switch");
    assert_eq!(machine.model.run(&machine.run()).unwrap().ended, None);
    assert_asked(&machine, "primary");
}

#[test]
fn a_run_of_before_moves_as_often_as_its_journal_says() {
    let mut machine = of_before();
    let moved = |region: &str| Fact::RegionMoved { run: "before/1".into(), region: region.into() };
    machine.take(vec![moved("dr")]);
    record(&mut machine, "primary");
    machine.take(vec![moved("dr")]);
    assert_eq!(serving(&resumed(machine)), "dr");
}

#[test]
fn where_a_run_of_before_leads_stands_from_the_first_engine_that_records_it() {
    let mut machine = of_before();
    do_step(&mut machine, "switch");
    machine.take(vec![Fact::RegionMoved { run: "before/1".into(), region: "dr".into() }]);
    let mut machine = resumed(machine);
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
    assert_asked(&machine, "dr");
    let machine = under(machine, |plan| {
        let runbook = plan.runbooks.shift_remove("switch-to-dr").unwrap();
        plan.runbooks.insert("over".into(), runbook);
    });
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    assert_asked(&machine, "dr");
}

#[test]
fn a_plan_that_lets_another_step_switch_asks_nothing_of_a_run_of_before() {
    let mut machine = of_before();
    skip(&mut machine, "switch");
    let mut machine = resumed(machine);
    record(&mut machine, "dr");
    record(&mut machine, "primary");
    attest(&mut machine, "after");
    close(&mut machine);
    let machine = under(machine, |plan| {
        let steps = &mut plan.runbooks["switch-to-dr"].steps;
        (steps["switch"].switches, steps["after"].switches) = (false, true);
    });
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

#[test]
fn a_word_in_a_run_whose_runbook_the_plan_has_no_more_is_told_while_the_run_is_open() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    let machine = under(machine, |plan| {
        plan.runbooks.shift_remove("switch-to-dr").unwrap();
    });
    assert_asked(&machine, "primary");
}

/// The kinds of the contradictions that are grave.
fn grave(machine: &Machine) -> Vec<Kind> {
    let open = contradiction::of(&machine.model).iter().map(|open| &open.contradiction);
    open.filter(|open| open.severity == Severity::P0).map(|open| open.kind).collect()
}

fn nobody() -> Readings {
    let mut readings = broken();
    readings.retain(|(probe, _)| !probe.ends_with("-db"));
    let databases = world(standby("a2"), standby("b2"));
    readings.extend(databases.into_iter().filter(|(probe, _)| probe.ends_with("-db")));
    readings
}

/// Fenced for a minute, then promoted by a program that lifeboat does not know as a promotion.
fn promoted() -> Machine {
    let mut machine =
        to_dr(Mode::Live, |plan| vec![acting(plan, "fence"), switching(acting(plan, "promote"))]);
    do_step(&mut machine, "fence");
    machine.pass(60, &nobody());
    do_step(&mut machine, "promote");
    machine.report(Report::Tick).unwrap();
    assert_eq!(grave(&machine), []);
    machine
}

#[test]
fn that_nobody_writes_is_no_alarm_when_the_next_run_begins_right_after_the_promotion() {
    let mut machine = promoted();
    begin(&mut machine, "selective");
    machine.report(Report::Tick).unwrap();
    assert_eq!(grave(&machine), []);
    let mut machine = promoted();
    close(&mut machine);
    machine.report(Report::Tick).unwrap();
    assert_eq!(grave(&machine), []);
    machine.pass(60, &nobody());
    assert_eq!(grave(&machine), [Kind::NobodyWrites], "it came of nothing");
}

#[test]
fn that_nobody_writes_is_an_alarm_where_the_run_that_moves_the_primary_rests() {
    let mut machine =
        to_dr(Mode::Live, |plan| vec![acting(plan, "fence"), switching(acting(plan, "promote"))]);
    do_step(&mut machine, "fence");
    machine.pass(4 * 60, &nobody());
    assert_eq!(grave(&machine), []);
    machine.pass(2 * 60, &nobody());
    assert_eq!(grave(&machine), [Kind::NobodyWrites]);
}

#[test]
fn what_was_taken_back_in_a_run_of_before_is_asked_for_under_every_plan_of_later() {
    let mut machine = of_before();
    do_step(&mut machine, "switch");
    machine.take(vec![Fact::RegionMoved { run: "before/1".into(), region: "dr".into() }]);
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
    let machine = resumed(machine);
    let changes: [fn(&mut Plan); 2] = [
        |plan| {
            let runbook = plan.runbooks.shift_remove("switch-to-dr").unwrap();
            plan.runbooks.insert("over".into(), runbook);
        },
        |plan| {
            let steps = &mut plan.runbooks["switch-to-dr"].steps;
            (steps["switch"].switches, steps["after"].switches) = (false, true);
        },
    ];
    for change in changes {
        let machine = under(machine.clone(), change);
        assert_eq!(left(&machine), [("switch", Some("dr"))]);
        assert_asked(&machine, "dr");
    }
}

/// A switch of before that moved the region, and a run of before in which something was done since.
fn of_before_and_done_since(mut machine: Machine) -> Machine {
    do_step(&mut machine, "switch");
    machine.take(vec![Fact::RegionMoved { run: "before/1".into(), region: "dr".into() }]);
    complete(&mut machine);
    let (run, runbook) = ("before/2".into(), "undo".into());
    let steps: Vec<_> = machine.model.plan.runbooks["undo"].steps.keys().cloned().collect();
    machine.take(vec![Fact::RunStarted { run, runbook, steps, aim: None }]);
    machine.pass(5, &broken());
    start_step(&mut machine, "back");
    end_step(&mut machine, "back", done());
    machine
}

#[test]
fn what_may_have_taken_the_switch_back_before_an_upgrade_is_asked_for_under_an_edited_plan() {
    let renamed = |plan: &mut Plan| {
        let runbook = plan.runbooks.shift_remove("undo").unwrap();
        plan.runbooks.insert("back-out".into(), runbook);
    };
    let edited = |plan: &mut Plan| plan.runbooks["undo"].steps["back"].undoes.clear();
    let changes: [&dyn Fn(&mut Plan); 2] = [&renamed, &edited];
    for change in changes {
        let mut machine = under(of_before_and_done_since(of_before()), change);
        assert_asked(&machine, "dr");
        assert!(attested::sentences(&machine.model, machine.now)[0].contains("ran under another plan"));
        assert_refolds(&machine);
        record(&mut machine, "dr");
        assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    }
}

#[test]
fn what_an_edited_plan_says_is_not_said_of_a_step_of_before_an_upgrade() {
    let mut machine = of_before();
    let mut plan = (*machine.model.plan).clone();
    plan.runbooks["undo"].steps["back"].undoes.clear();
    machine.model.plan = Arc::new(plan);
    let machine = under(of_before_and_done_since(machine), |plan| {
        plan.runbooks["undo"].steps["back"].undoes = vec!["switch".into()];
    });
    assert_asked(&machine, "dr");
    assert!(attested::sentences(&machine.model, machine.now)[0].contains("may have taken it back"));
}

#[test]
fn a_run_of_before_that_nothing_was_done_after_asks_nothing_under_an_edited_plan() {
    let mut machine = of_before();
    do_step(&mut machine, "switch");
    machine.take(vec![Fact::RegionMoved { run: "before/1".into(), region: "dr".into() }]);
    let machine = under(machine, |_| {});
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn the_late_proof_of_what_was_undone_does_not_end_a_word_that_was_given_after_it() {
    let mut machine = to_be_undone();
    lost(&mut machine, "back");
    let undo = machine.run();
    machine.pass(5, &broken());
    record(&mut machine, "primary");
    abort(&mut machine);
    begin(&mut machine, "switch-to-dr");
    machine.pass(5, &broken());
    attest(&mut machine, "switch");
    machine.pass(5, &broken());
    machine.ask(Ask::Recheck { run: undo.clone(), step: "back".into() }).unwrap();
    let proof = crate::core::words::action::Proof { evidence: vec!["seen".into()] };
    machine
        .report(Report::Checked { run: undo, step: "back".into(), attempt: 1, result: Ok(proof) })
        .unwrap();
    machine.pass(30, &rerouted());
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
}

#[test]
fn a_record_stands_when_what_ran_before_it_is_looked_at_in_vain() {
    let in_vain = |machine: &mut Machine, step: &str| {
        let run = machine.run();
        machine.ask(Ask::Recheck { run: run.clone(), step: step.into() }).unwrap();
        let result = Err(Machine::failure());
        machine.report(Report::Checked { run, step: step.into(), attempt: 1, result }).unwrap();
    };
    let mut machine = to_be_undone();
    lost(&mut machine, "back");
    record(&mut machine, "dr");
    for _ in 0..2 {
        in_vain(&mut machine, "back");
        assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    }
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    lost(&mut machine, "switch");
    for region in ["dr", "primary"] {
        let mut machine = machine.clone();
        record(&mut machine, region);
        in_vain(&mut machine, "switch");
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
    }
}

#[test]
fn a_second_attempt_that_surely_did_nothing_leaves_the_record_of_before_it() {
    let mut machine = with_undo(|_| {});
    begin(&mut machine, "switch-to-dr");
    lost(&mut machine, "switch");
    record(&mut machine, "primary");
    again(&mut machine, "switch");
    let confirmation = machine.prepare("switch");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.effects.clear();
    let run = machine.run();
    let outcome = Outcome::Failed(Failure { acted: Acted::No, ..Machine::failure() });
    machine.report(Report::Executed { run, step: "switch".into(), attempt: 2, outcome }).unwrap();
    assert_eq!(left(&machine), []);
    abort(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

/// A step that takes back the switch of its own runbook, and waits for nothing.
pub(super) fn unswitch(like: &Step) -> Step {
    Step {
        id: "unswitch".into(),
        undoes: vec!["switch".into()],
        switches: false,
        verify: None,
        needs: Vec::new(),
        ..like.clone()
    }
}

/// The run that switches has a step of its own that takes the switch back.
pub(super) fn with_own_undo() -> Machine {
    let mut machine = with(|plan| {
        let steps = &mut plan.runbooks["switch-to-dr"].steps;
        let undo = unswitch(&steps["after"]);
        steps.insert("unswitch".into(), undo);
    });
    begin(&mut machine, "switch-to-dr");
    machine
}

#[test]
fn no_look_at_the_switch_ends_the_question_of_what_took_it_back_after_it_began() {
    for begin in [finished, lost] {
        let mut machine = with_own_undo();
        begin(&mut machine, "switch");
        machine.pass(1, &broken());
        do_step(&mut machine, "unswitch");
        let run = machine.run();
        let result = Err(Machine::failure());
        machine.report(Report::Checked { run, step: "switch".into(), attempt: 1, result }).unwrap();
        assert!(said(&machine).starts_with("\"switch\" was taken back"), "{}", said(&machine));
        prove(&mut machine, "switch");
        machine.pass(30, &rerouted());
        assert_asked(&machine, "primary");
    }
}

#[test]
fn an_engine_that_ends_while_the_switch_runs_leaves_what_took_it_back_meanwhile() {
    let mut machine = with_own_undo();
    start_step(&mut machine, "switch");
    machine.pass(1, &broken());
    do_step(&mut machine, "unswitch");
    let mut machine = resumed(machine);
    prove(&mut machine, "switch");
    machine.pass(30, &rerouted());
    assert_asked(&machine, "primary");
}

#[test]
fn a_switch_that_somebody_took_back_is_moved_by_no_proof_of_later() {
    for begin in [finished, lost] {
        let mut machine = with_own_undo();
        begin(&mut machine, "switch");
        machine.pass(1, &broken());
        let run = machine.run();
        let undone = Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false };
        if machine.ask(undone).is_err() {
            continue;
        }
        machine.pass(1, &broken());
        prove(&mut machine, "switch");
        machine.pass(30, &rerouted());
        assert_asked(&machine, "primary");
    }
}

#[test]
fn a_failback_moves_whatever_of_it_takes_the_old_switch_back() {
    let mut machine = with(|plan| {
        let home = &mut plan.runbooks["home"].steps;
        let unpin = Step {
            id: "unpin".into(),
            undoes: vec!["switch".into()],
            switches: false,
            ..home["all-home"].clone()
        };
        home.insert("unpin".into(), unpin);
    });
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    machine.pass(5, &rerouted());
    begin(&mut machine, "home");
    finished(&mut machine, "all-home");
    machine.pass(1, &[]);
    do_step(&mut machine, "unpin");
    machine.pass(1, &[]);
    prove(&mut machine, "all-home");
    machine.pass(1, &[]);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
    assert_refolds(&machine);
}

#[test]
fn what_a_step_takes_back_stands_from_the_beginning_of_its_run() {
    let mut machine = to_be_undone();
    do_step(&mut machine, "back");
    close(&mut machine);
    let machine = under(machine, |plan| {
        let runbook = plan.runbooks.shift_remove("undo").unwrap();
        plan.runbooks.insert("take-back".into(), runbook);
    });
    assert_asked(&machine, "dr");
    let mut machine = with(|_| {});
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    begin(&mut machine, "say");
    do_step(&mut machine, "says");
    close(&mut machine);
    let undoes = vec!["switch".into()];
    let machine = under(machine, |plan| plan.runbooks["say"].steps["says"].undoes = undoes);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn a_word_of_a_drill_of_safe_steps_is_no_switch_that_is_taken_back() {
    let mut machine = with_mode(Mode::SafeDrill, |plan| {
        let back = &mut plan.runbooks["undo"].steps["back"];
        (back.undoes, back.verify) = (vec!["switch".into()], None);
    });
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    abort(&mut machine);
    close(&mut machine);
    machine.ask(Ask::Declare { title: "API gone".into(), mode: Mode::Live }).unwrap();
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

#[test]
fn the_late_proof_of_what_was_undone_takes_a_switch_of_later_not_out_of_force() {
    let mut machine = to_be_undone();
    lost(&mut machine, "back");
    let undo = machine.run();
    abort(&mut machine);
    machine.pass(5, &broken());
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    machine.pass(5, &rerouted());
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    machine.ask(Ask::Recheck { run: undo.clone(), step: "back".into() }).unwrap();
    let proof = crate::core::words::action::Proof { evidence: vec!["seen".into()] };
    machine
        .report(Report::Checked { run: undo, step: "back".into(), attempt: 1, result: Ok(proof) })
        .unwrap();
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
    assert_asked(&machine, "dr");
}

#[test]
fn that_nobody_writes_is_no_alarm_while_a_step_of_the_run_that_moves_the_primary_runs() {
    let mut machine =
        to_dr(Mode::Live, |plan| vec![acting(plan, "fence"), switching(acting(plan, "promote"))]);
    do_step(&mut machine, "fence");
    start_step(&mut machine, "promote");
    machine.pass(8 * 60, &nobody());
    assert_eq!(grave(&machine), []);
    end_step(&mut machine, "promote", done());
    machine.pass(6 * 60, &nobody());
    assert_eq!(grave(&machine), [Kind::NobodyWrites], "it has ended, and nothing came of it");
}

#[test]
fn that_nobody_writes_to_one_database_says_nothing_of_a_switchover_of_another() {
    let mut machine = with(|plan| {
        for (like, id) in [("primary-db", "cache-a"), ("dr-db", "cache-b")] {
            let cache =
                ProbeSpec { id: id.into(), database: Some("cache".into()), ..plan.probes[like].clone() };
            plan.probes.insert(id.into(), cache);
        }
        let steps = [acting(plan, "fence"), switching(acting(plan, "promote"))];
        plan.runbooks["to-dr"].steps = steps.into_iter().map(|step| (step.id.clone(), step)).collect();
    });
    let with_cache = |mut readings: Readings| {
        let cache =
            |started: &str| standby(started).map(|read| read.with_text("system_identifier", "88".to_owned()));
        readings.extend([("cache-a", cache("c")), ("cache-b", cache("d"))]);
        readings
    };
    machine.pass(60, &with_cache(world(primary(1, "a"), standby("b"))));
    assert_eq!(grave(&machine), [Kind::NobodyWrites], "the cache's");
    begin(&mut machine, "to-dr");
    do_step(&mut machine, "fence");
    machine.pass(60, &with_cache(nobody()));
    let open = contradiction::of(&machine.model).iter().map(|open| &open.contradiction);
    let servers: Vec<&str> = open.flat_map(|open| &open.servers).map(|server| server.as_str()).collect();
    assert_eq!(servers, ["cache-a", "cache-b"], "the other one is being moved");
}

/// Does a step whose confirmation read which database its server is a copy of.
fn promote(machine: &mut Machine, step: &str, system: &str) {
    let run = machine.run();
    machine.ask(Ask::Prepare { run: run.clone(), step: step.into() }).unwrap();
    let mut description = description(&step.into());
    description.target.identity.push((SYSTEM_IDENTIFIER.into(), system.into()));
    let result = Ok(description);
    machine.report(Report::Described { run, step: step.into(), result, manual: card() }).unwrap();
    machine.effects.clear();
    let confirmation = state(machine, step).confirmation.unwrap().id;
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.settle();
}

#[test]
fn the_promotion_of_one_database_does_not_end_the_switchover_of_another_in_the_same_run() {
    let mut machine = with(|plan| {
        for (like, id) in [("primary-db", "cache-a"), ("dr-db", "cache-b")] {
            let cache =
                ProbeSpec { id: id.into(), database: Some("cache".into()), ..plan.probes[like].clone() };
            plan.probes.insert(id.into(), cache);
        }
        let promoting = |id: &str| Step { does: Does::Promotes, ..acting(plan, id) };
        let (first, second) = (promoting("promote-cache"), promoting("promote"));
        let steps = [acting(plan, "fence"), first, second, switching(acting(plan, "dns"))];
        plan.runbooks["to-dr"].steps = steps.into_iter().map(|step| (step.id.clone(), step)).collect();
    });
    let with_cache = |mut readings: Readings, cache: Readings| {
        let of_cache = |read: Result<Measurement, Problem>| {
            read.map(|read| read.with_text("system_identifier", "88".to_owned()))
        };
        readings.extend(cache.into_iter().map(|(probe, read)| (probe, of_cache(read))));
        readings
    };
    let cache = || vec![("cache-a", primary(1, "c")), ("cache-b", standby("d"))];
    let moved = || vec![("cache-a", standby("c2")), ("cache-b", primary(2, "d"))];
    machine.pass(60, &with_cache(world(primary(1, "a"), standby("b")), cache()));
    begin(&mut machine, "to-dr");
    do_step(&mut machine, "fence");
    machine.pass(10, &with_cache(nobody(), cache()));
    promote(&mut machine, "promote-cache", "88");
    machine.pass(60, &with_cache(nobody(), moved()));
    assert_eq!(grave(&machine), [], "the other one is being moved still");
    promote(&mut machine, "promote", "77");
    machine.pass(60, &with_cache(nobody(), moved()));
    assert_eq!(grave(&machine), [Kind::NobodyWrites], "nothing came of it");
}

#[test]
fn a_switch_that_may_have_acted_is_asked_for_when_what_takes_it_back_surely_did_nothing() {
    let mut machine = with_own_undo();
    start_step(&mut machine, "switch");
    start_step(&mut machine, "unswitch");
    end_step(&mut machine, "switch", Outcome::Failed(Failure { acted: Acted::Maybe, ..Machine::failure() }));
    end_step(&mut machine, "unswitch", Outcome::Failed(Failure { acted: Acted::No, ..Machine::failure() }));
    assert_asked(&machine, "primary");
}

#[test]
fn a_switch_that_is_done_again_later_moves_the_region_again() {
    let mut machine = switched();
    machine.pass(5, &rerouted());
    again(&mut machine, "switch");
    machine.pass(5, &rerouted());
    let run = machine.run();
    let confirmation = machine.prepare("switch");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.effects.clear();
    machine.pass(5, &rerouted());
    machine
        .report(Report::Executed { run: run.clone(), step: "switch".into(), attempt: 1, outcome: done() })
        .unwrap();
    machine.effects.clear();
    machine.pass(5, &rerouted());
    let proof = crate::core::words::action::Proof { evidence: vec!["seen".into()] };
    machine.report(Report::Checked { run, step: "switch".into(), attempt: 1, result: Ok(proof) }).unwrap();
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
}

#[test]
fn what_takes_back_the_switch_to_one_region_leaves_the_question_of_another() {
    let mut machine = with(|plan| {
        let steps = &mut plan.runbooks["switch-to-dr"].steps;
        let undo = |id: &str, of: &str| Step {
            id: id.into(),
            undoes: vec![of.into()],
            switches: false,
            verify: None,
            needs: Vec::new(),
            ..steps["after"].clone()
        };
        let (unswitch, release) = (undo("unswitch", "switch"), undo("release", "all-home"));
        steps.insert("unswitch".into(), unswitch);
        steps.insert("release".into(), release);
    });
    begin(&mut machine, "home");
    do_step(&mut machine, "all-home");
    machine.pass(1, &[]);
    begin(&mut machine, "switch-to-dr");
    lost(&mut machine, "switch");
    machine.pass(1, &broken());
    finished(&mut machine, "unswitch");
    machine.pass(1, &broken());
    do_step(&mut machine, "release");
    machine.pass(1, &broken());
    prove(&mut machine, "switch");
    assert_eq!(serving(&machine), "primary");
    assert!(left(&machine).contains(&("switch", Some("dr"))), "{:?}", left(&machine));
}

#[test]
fn a_record_answers_for_a_switch_that_acted_before_it_whatever_becomes_of_its_step_later() {
    let lost_and_recorded = || {
        let mut machine = with_undo(|_| {});
        begin(&mut machine, "switch-to-dr");
        lost(&mut machine, "switch");
        machine.pass(5, &broken());
        record(&mut machine, "primary");
        machine.pass(5, &broken());
        machine
    };
    let mut machine = lost_and_recorded();
    machine.pass(5, &rerouted());
    prove(&mut machine, "switch");
    complete(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]), "proven later");
    let mut machine = lost_and_recorded();
    skip(&mut machine, "switch");
    complete(&mut machine);
    close(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]), "skipped later");
}
