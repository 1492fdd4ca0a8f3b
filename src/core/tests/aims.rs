//! Where a run leads stands from its beginning: no plan of later, no step that is taken up again and no run under way
//! keeps the question of what serves from being asked, or answers it.

use super::carried_out::*;
use super::fixture::*;
use super::placement::*;
use super::proving::*;
use super::serving::{primary, standby, world};
use crate::core::ask::contradiction::{self, Kind};
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::Fact;
use crate::core::words::incident::Mode;
use crate::plan::{Plan, Severity, Step};
use std::sync::Arc;

pub(super) fn again(machine: &mut Machine, step: &str) {
    let run = machine.run();
    machine.ask(Ask::Retry { run, step: step.into(), reason: Some("once more".into()) }).unwrap();
}

fn take_back(machine: &mut Machine, step: &str) {
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: step.into(), how: "by hand".into(), stays: false }).unwrap();
}

/// The same journal under another plan.
fn under(machine: &Machine, change: impl FnOnce(&mut Plan)) -> Machine {
    let mut plan = (*machine.model.plan).clone();
    change(&mut plan);
    plan.digest = "1".repeat(64);
    Machine::resumed_under(Arc::new(plan), machine.log.clone(), machine.now)
}

/// The switch moved the region under such a plan, and its run is complete.
fn switched_under(change: impl FnOnce(&mut Plan)) -> Machine {
    let mut machine = with(change);
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    machine
}

/// The switch is verified in a run of which it was not recorded where it leads.
fn switched_by_a_journal_of_before() -> Machine {
    let mut machine = declared(Mode::Live);
    let (run, runbook) = ("before/1".into(), "switch-to-dr".into());
    let steps = vec!["switch".into(), "after".into()];
    machine.take(vec![Fact::RunStarted { run, runbook, steps, aim: None }]);
    do_step(&mut machine, "switch");
    machine
}

/// The switch moved the region, and was taken up again.
fn reopened() -> Machine {
    let mut machine = switched();
    again(&mut machine, "switch");
    machine
}

fn assert_asked(mut machine: Machine) {
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![("switch", Some("dr"))]));
    machine.pass(20, &broken());
    close(&mut machine);
    assert_eq!(left(&machine), [("switch", Some("dr"))], "also after the close");
    for region in ["dr", "primary"] {
        let mut machine = machine.clone();
        record(&mut machine, region);
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
        assert_refolds(&machine);
    }
}

#[test]
fn a_switch_that_is_taken_up_again_and_not_done_leaves_it_to_a_person_to_say_what_serves() {
    let mut machine = reopened();
    assert_eq!(left(&machine), [("switch", Some("dr"))], "at once");
    skip(&mut machine, "switch");
    let told = "\"switch\" was taken up again: whether somewhere still serves is not known. T";
    assert!(said(&machine).starts_with(told), "{}", said(&machine));
    complete(&mut machine);
    assert_asked(machine);
    let mut machine = reopened();
    abort(&mut machine);
    assert_asked(machine);
    let mut machine = reopened();
    lost(&mut machine, "switch");
    abort(&mut machine);
    assert_asked(machine);
}

#[test]
fn a_switch_that_was_taken_back_and_taken_up_again_is_no_less_asked_for() {
    let mut machine = switched();
    take_back(&mut machine, "switch");
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    again(&mut machine, "switch");
    abort(&mut machine);
    assert_asked(machine);
}

#[test]
fn a_switch_that_is_done_once_more_ends_the_question() {
    let mut machine = reopened();
    do_step(&mut machine, "switch");
    complete(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
}

#[test]
fn what_serves_may_be_recorded_once_the_run_that_moves_there_says_nothing_of_it_any_more() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    let to = |region: &str| Ask::RecordServing { region: region.into(), reason: "seen".into() };
    let refusal = machine.ask(to("dr")).unwrap_err();
    assert!(refusal.why.contains("a run that moves to dr is under way"), "{refusal:?}");
    skip(&mut machine, "switch");
    record(&mut machine, "dr");
    assert_eq!(serving(&machine), "dr");
}

#[test]
fn a_plan_of_later_moves_no_region_and_answers_no_question() {
    let over = |last: fn(&mut Machine, &str)| {
        let mut machine = to_dr(Mode::Live, |plan| {
            vec![switching(acting(plan, "dns")), by_hand(plan, "phone"), by_hand(plan, "tell")]
        });
        skip(&mut machine, "dns");
        attest(&mut machine, "phone");
        last(&mut machine, "tell");
        machine.pass(1, &[]);
        assert_eq!((serving(&machine), left(&machine)), ("primary", vec![("dns", Some("dr"))]));
        machine
    };
    let changes: [fn(&mut Plan); 4] = [
        |plan| {
            let steps = &mut plan.runbooks["to-dr"].steps;
            steps["dns"].switches = false;
            steps["phone"].switches = true;
        },
        |plan| {
            let runbook = plan.runbooks.shift_remove("to-dr").unwrap();
            plan.runbooks.insert("failover-to-dr".into(), runbook);
        },
        |plan| {
            plan.runbooks["to-dr"].steps.shift_remove("dns");
        },
        |plan| plan.runbooks["to-dr"].activates = Some("primary".into()),
    ];
    for change in changes {
        let mut machine = under(&over(attest), change);
        machine.pass(5, &rerouted());
        assert_eq!((serving(&machine), left(&machine)), ("primary", vec![("dns", Some("dr"))]));
        record(&mut machine, "dr");
        assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    }
}

#[test]
fn a_step_that_is_said_to_switch_after_its_run_ended_moves_nothing() {
    let machine = without_a_switching_step();
    let changes: [fn(&mut Plan); 2] = [
        |plan| plan.runbooks["to-dr"].steps["promote"].switches = true,
        |plan| {
            let step = Step { switches: true, ..plan.runbooks["to-dr"].steps["promote"].clone() };
            let step = Step { id: "new".into(), ..step };
            plan.runbooks["to-dr"].steps.insert("new".into(), step);
        },
    ];
    for change in changes {
        let mut machine = under(&machine, change);
        machine.pass(30, &rerouted());
        assert_eq!((serving(&machine), left(&machine)), ("primary", vec![("to-dr", Some("dr"))]));
    }
}

#[test]
fn a_move_that_was_told_late_does_not_move_again() {
    let mut machine = switched();
    let run = machine.run();
    record(&mut machine, "primary");
    machine.take(vec![Fact::RegionMoved { run, region: "dr".into() }]);
    assert_eq!(serving(&machine), "primary");
}

/// The same readings, with the databases as in this world.
fn measured(database: Readings) -> Readings {
    let mut readings = broken();
    readings.retain(|(probe, _)| !probe.ends_with("-db"));
    readings.extend(database.into_iter().filter(|(probe, _)| probe.ends_with("-db")));
    readings
}

#[test]
fn what_is_measured_to_serve_is_believed_while_a_run_is_open_that_does_not_say_it() {
    let steps: [fn(&Plan) -> Vec<Step>; 2] = [
        |plan| vec![switching(acting(plan, "dns")), by_hand(plan, "phone")],
        |plan| vec![acting(plan, "dns"), by_hand(plan, "phone")],
    ];
    for steps in steps {
        let mut machine = to_dr(Mode::Live, steps);
        skip(&mut machine, "dns");
        machine.pass(60, &measured(world(standby("a2"), primary(2, "b"))));
        assert_eq!(serving(&machine), "dr");
        let kinds: Vec<Kind> =
            contradiction::of(&machine.model).iter().map(|open| open.contradiction.kind).collect();
        assert_eq!(kinds, [Kind::ServesElsewhere]);
        record(&mut machine, "dr");
        assert_eq!(machine.model.durable.active, Some("dr".into()));
    }
}

#[test]
fn a_word_of_an_exercise_that_is_live_ends_with_the_record_of_what_serves_while_its_run_is_open() {
    for region in ["primary", "dr"] {
        let steps: fn(&Plan) -> Vec<Step> =
            |plan| vec![switching(by_hand(plan, "dns")), by_hand(plan, "phone")];
        let mut machine = super::exercised::said(steps, "dns");
        assert!(super::exercised::unshown(&machine).is_some());
        record(&mut machine, region);
        assert_eq!((serving(&machine), super::exercised::unshown(&machine)), (region, None));
        attest(&mut machine, "phone");
        machine.pass(1, &[]);
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
        assert_refolds(&machine);
    }
}

#[test]
fn a_safe_drill_is_no_run_that_moves_there() {
    let mut machine = to_dr(Mode::SafeDrill, |plan| vec![switching(acting(plan, "dns"))]);
    machine.pass(60, &measured(world(standby("a2"), primary(2, "b"))));
    assert_eq!(serving(&machine), "dr");
    record(&mut machine, "dr");
    assert_eq!(machine.model.durable.active, Some("dr".into()));
}

#[test]
fn the_question_stands_and_may_be_answered_while_another_run_is_under_way() {
    let back = |runbook: &str| {
        let mut machine = switched();
        take_back(&mut machine, "switch");
        complete(&mut machine);
        begin(&mut machine, runbook);
        assert_eq!(left(&machine), [("switch", Some("dr"))], "{runbook}");
        machine
    };
    for (runbook, step) in [("home", "all-home"), ("switch-to-dr", "switch")] {
        for region in ["dr", "primary"] {
            let mut machine = back(runbook);
            record(&mut machine, region);
            assert_eq!((serving(&machine), left(&machine)), (region, vec![]), "{runbook}");
        }
        let mut machine = back(runbook);
        do_step(&mut machine, step);
        machine.pass(1, &[]);
        assert_eq!(left(&machine), [], "{runbook} says it");
        assert_refolds(&machine);
    }
}

#[test]
fn a_switch_that_somebody_says_was_taken_back_is_asked_for() {
    let mut machine = with(|plan| {
        plan.runbooks["undo"].steps["back"].undoes = vec!["switch".into()];
    });
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    machine.pass(5, &rerouted());
    complete(&mut machine);
    begin(&mut machine, "undo");
    attest(&mut machine, "back");
    let told = "\"switch\" may have been taken back: whether somewhere still serves is not known. T";
    assert!(said(&machine).starts_with(told), "{}", said(&machine));
    machine.pass(30, &broken());
    close(&mut machine);
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    record(&mut machine, "dr");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn what_a_switch_moved_alone_stays_where_it_is_until_somebody_says_what_serves() {
    let mut machine = with(|plan| {
        plan.runbooks["switch-to-dr"].steps["switch"].serves.insert("api".into(), "primary".into());
        plan.runbooks["undo"].steps["back"].undoes = vec!["switch".into()];
    });
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    machine.pass(5, &rerouted());
    assert_eq!((serving(&machine), api(&machine).0), ("dr", "primary"));
    let mut by_hand = machine.clone();
    take_back(&mut by_hand, "switch");
    by_hand.pass(5, &rerouted());
    assert_eq!((api(&by_hand).0, left(&by_hand)), ("primary", vec![("switch", Some("dr"))]));
    complete(&mut machine);
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    machine.pass(5, &rerouted());
    assert_eq!((api(&machine).0, left(&machine)), ("primary", vec![("switch", Some("dr"))]));
    record(&mut machine, "primary");
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

#[test]
fn a_step_that_takes_the_switch_back_and_may_have_acted_leaves_the_question() {
    let undoes = vec!["switch".into()];
    let mut machine = switched_under(|plan| plan.runbooks["undo"].steps["back"].undoes = undoes);
    begin(&mut machine, "undo");
    lost(&mut machine, "back");
    skip(&mut machine, "back");
    machine.pass(1, &[]);
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    close(&mut machine);
    record(&mut machine, "dr");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
}

#[test]
fn a_switch_that_is_taken_up_again_before_its_move_was_told_leaves_the_question() {
    let mut machine = switched_by_word();
    while serving(&machine) == "primary" {
        machine.pass(1, &rerouted());
    }
    let told = |machine: &Machine| {
        machine.log.iter().filter(|event| matches!(event.fact, Fact::RegionMoved { .. })).count()
    };
    let before = told(&machine);
    again(&mut machine, "switch");
    machine.pass(5, &rerouted());
    assert!(told(&machine) >= before);
    skip(&mut machine, "switch");
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    assert_refolds(&machine);
}

#[test]
fn a_switch_that_the_plan_has_no_more_keeps_nothing_from_being_measured_or_recorded() {
    let mut machine = to_dr(Mode::Live, |plan| vec![switching(acting(plan, "dns")), by_hand(plan, "phone")]);
    machine.pass(1, &[]);
    let mut machine = under(&machine, |plan| {
        plan.runbooks["to-dr"].steps.shift_remove("dns");
    });
    record(&mut machine, "dr");
    assert_eq!(serving(&machine), "dr");
}

#[test]
fn a_switch_that_was_left_out_of_a_run_that_was_aborted_is_asked_for() {
    let mut machine = to_dr(Mode::Live, |plan| {
        vec![acting(plan, "scale"), switching(acting(plan, "dns")), by_hand(plan, "phone")]
    });
    do_step(&mut machine, "scale");
    skip(&mut machine, "dns");
    abort(&mut machine);
    assert_left(machine, "dns");
}

#[test]
fn a_journal_of_before_moves_by_what_it_says_itself_under_whatever_plan() {
    let mut machine = switched_by_a_journal_of_before();
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "primary", "nobody says that it moved");
    machine.take(vec![Fact::RegionMoved { run: "before/1".into(), region: "dr".into() }]);
    assert_eq!(serving(&machine), "dr");
    assert_refolds(&machine);
}

#[test]
fn a_word_that_was_taken_back_does_not_come_to_life_when_that_is_taken_up_again() {
    let mut machine = with(|plan| {
        let undo = &mut plan.runbooks["undo"].steps;
        (undo["back"].undoes, undo["back"].verify) = (vec!["switch".into()], None);
        let more = Step { id: "more".into(), undoes: Vec::new(), ..undo["back"].clone() };
        undo.insert("more".into(), more);
    });
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    complete(&mut machine);
    begin(&mut machine, "undo");
    attest(&mut machine, "back");
    again(&mut machine, "back");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "primary");
    assert_refolds(&machine);
}

#[test]
fn a_record_answers_for_a_switch_that_was_skipped_before_its_run_ended() {
    let mut machine = to_dr(Mode::Live, |plan| {
        vec![acting(plan, "scale"), switching(acting(plan, "dns")), by_hand(plan, "phone")]
    });
    do_step(&mut machine, "scale");
    skip(&mut machine, "dns");
    machine.take(vec![Fact::ServingRecorded { region: "primary".into(), reason: "seen".into() }]);
    attest(&mut machine, "phone");
    machine.pass(1, &[]);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
}

#[test]
fn a_primary_that_is_back_where_it_is_recorded_is_believed_while_a_run_moves_there() {
    let mut machine = switched();
    complete(&mut machine);
    machine.pass(60, &measured(world(primary(1, "a"), standby("b"))));
    assert_eq!(serving(&machine), "primary", "as measured");
    begin(&mut machine, "switch-to-dr");
    machine.pass(60, &measured(world(standby("a2"), primary(2, "b"))));
    assert_eq!(serving(&machine), "dr");
}

#[test]
fn that_nobody_writes_is_told_in_a_run_that_says_no_more_what_serves() {
    let mut machine = to_dr(Mode::Live, |plan| {
        vec![acting(plan, "fence"), switching(acting(plan, "dns")), by_hand(plan, "phone")]
    });
    let kinds = |machine: &Machine| -> Vec<Kind> {
        contradiction::of(&machine.model).iter().map(|open| open.contradiction.kind).collect()
    };
    let mut idle = machine.clone();
    idle.pass(60, &measured(world(standby("a2"), standby("b2"))));
    assert!(kinds(&idle).contains(&Kind::NobodyWrites), "nothing of the run is begun");
    do_step(&mut machine, "fence");
    machine.pass(60, &measured(world(standby("a2"), standby("b2"))));
    assert_eq!(contradiction::of(&machine.model), [], "between fence and promotion nobody does");
    skip(&mut machine, "dns");
    machine.pass(60, &measured(world(standby("a2"), standby("b2"))));
    assert!(kinds(&machine).contains(&Kind::NobodyWrites), "{:?}", kinds(&machine));
}

#[test]
fn what_is_taken_up_again_in_a_drill_of_safe_steps_raises_no_question() {
    let mut machine =
        to_dr(Mode::SafeDrill, |plan| vec![switching(acting(plan, "dns")), by_hand(plan, "phone")]);
    skip(&mut machine, "dns");
    record(&mut machine, "dr");
    again(&mut machine, "dns");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
}

#[test]
fn a_switch_that_is_taken_back_after_the_question_of_before_was_answered_asks_anew() {
    let mut machine = reopened();
    record(&mut machine, "dr");
    assert_eq!(left(&machine), []);
    skip(&mut machine, "switch");
    take_back(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![("switch", Some("dr"))]));
    record(&mut machine, "dr");
    assert_eq!(left(&machine), []);
}

#[test]
fn a_switch_of_a_journal_of_before_that_is_taken_back_is_asked_for() {
    let mut machine = switched_by_a_journal_of_before();
    machine.take(vec![Fact::RegionMoved { run: "before/1".into(), region: "dr".into() }]);
    take_back(&mut machine, "switch");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![("switch", Some("dr"))]));
}

#[test]
fn a_record_stands_when_what_took_the_switch_back_before_it_is_proven_later() {
    let mut machine = switched_under(|plan| {
        let back = &mut plan.runbooks["undo"].steps["back"];
        (back.undoes, back.verify) = (vec!["switch".into()], None);
    });
    begin(&mut machine, "undo");
    finished(&mut machine, "back");
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    record(&mut machine, "dr");
    prove(&mut machine, "back");
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![]));
    assert_refolds(&machine);
}

#[test]
fn a_failback_that_goes_its_way_asks_nothing() {
    let undoes = vec!["switch".into()];
    let mut machine = switched_under(|plan| plan.runbooks["home"].steps["all-home"].undoes = undoes);
    begin(&mut machine, "home");
    finished(&mut machine, "all-home");
    assert_eq!(left(&machine), []);
    let mut proven = machine.clone();
    prove(&mut proven, "all-home");
    proven.pass(1, &[]);
    assert_eq!((serving(&proven), left(&proven)), ("primary", vec![]));
    abort(&mut machine);
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![("all-home", Some("primary"))]));
}

#[test]
fn a_planned_run_whose_promotion_lifeboat_does_not_know_as_one_is_no_alarm_that_nobody_writes() {
    let nobody = || measured(world(standby("a2"), standby("b2")));
    let is_told = |machine: &Machine| {
        let is_grave = |open: &contradiction::Open| open.contradiction.severity == Severity::P0;
        contradiction::of(&machine.model)
            .iter()
            .any(|open| open.contradiction.kind == Kind::NobodyWrites && is_grave(open))
    };
    let steps: [fn(&Plan) -> Vec<Step>; 3] = [
        |plan| vec![acting(plan, "fence"), switching(acting(plan, "promote")), by_hand(plan, "phone")],
        |plan| vec![acting(plan, "fence"), switching(acting(plan, "promote"))],
        |plan| vec![acting(plan, "fence"), acting(plan, "promote"), by_hand(plan, "phone")],
    ];
    for steps in steps {
        let mut machine = to_dr(Mode::Live, steps);
        do_step(&mut machine, "fence");
        machine.pass(60, &nobody());
        do_step(&mut machine, "promote");
        machine.report(Report::Tick).unwrap();
        assert!(!is_told(&machine), "it is looked at anew first");
        machine.pass(5, &measured(world(standby("a2"), primary(2, "b"))));
        assert!(!is_told(&machine));
    }
    let mut machine = to_dr(Mode::Live, steps[1]);
    do_step(&mut machine, "fence");
    do_step(&mut machine, "promote");
    machine.pass(60, &nobody());
    assert!(is_told(&machine), "it came of nothing");
}
