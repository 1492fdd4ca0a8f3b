//! What steps left behind in the world stays listed until it is taken back.

use super::fixture::*;
use crate::core::ask::in_force::{self, InForce, Known};
use crate::core::words::action::Acted;
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::incident::{Mode, Outcome};
use crate::plan::kinds::Sees;
use crate::plan::{ConfirmLevel, Plan, Step};
use std::sync::Arc;

/// The plan of the other tests with a fence before the promotion, and a runbook that takes the fence back.
pub fn fencing_plan() -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    let failover = plan.runbooks.get_mut("failover").unwrap();
    let like = failover.steps["scale"].clone();
    let fence = Step { id: "fence".into(), title: "Stop writes".into(), ..like.clone() };
    let fence = of_kind(Step { needs: vec!["check".into()], ..fence }, "postgres-fence");
    failover.steps.shift_insert(1, "fence".into(), fence);
    failover.steps.get_mut("promote").unwrap().needs = vec!["fence".into()];
    failover.steps.get_mut("scale").unwrap().undo = Some("scale it down".into());
    let mut back = failover.clone();
    let unfence = Step { id: "unfence".into(), needs: Vec::new(), confirm: ConfirmLevel::Yes, ..like };
    let unfence = Step { undoes: vec!["fence".into()], ..unfence };
    back.steps = [("unfence".into(), unfence)].into_iter().collect();
    back.activates = None;
    plan.runbooks.insert("failback".into(), back);
    let partial = plan.tree.questions.get_mut("partial").unwrap();
    partial.answers["yes"].goto = crate::plan::Goto::Runbook("failback".into());
    Arc::new(plan)
}

fn failing_over() -> Machine {
    let mut machine = Machine::resumed_under(fencing_plan(), Vec::new(), start());
    machine.pass(20, &healthy());
    machine.pass(30, &down());
    declare_and_fail_over(&mut machine);
    machine
}

fn declare_and_fail_over(machine: &mut Machine) {
    machine.ask(Ask::Declare { title: "primary gone".into(), mode: Mode::Live }).unwrap();
    answer(machine, "primary-down", "yes", Some("yes"));
}

fn answer(machine: &mut Machine, question: &str, answer: &str, suggested: Option<&str>) {
    machine
        .ask(Ask::Answer {
            question: question.into(),
            answer: answer.into(),
            suggested: suggested.map(str::to_owned),
            reason: Some("so it is".into()),
        })
        .unwrap();
    machine.settle();
}

fn do_step(machine: &mut Machine, step: &str) {
    let confirmation = machine.prepare(step);
    let typed = Some(format!("target-of-{step}")).filter(|_| step == "promote");
    machine.ask(Ask::Confirm { confirmation, typed }).unwrap();
    machine.settle();
}

fn abort(machine: &mut Machine) {
    machine.ask(Ask::Abort { reason: "changed our mind".into() }).unwrap();
    machine.settle();
}

/// Aborted after the fence, and closed.
pub fn closed_with_a_fence() -> Machine {
    let mut machine = failing_over();
    do_step(&mut machine, "fence");
    abort(&mut machine);
    machine.ask(Ask::Close { reason: "by hand from here".into() }).unwrap();
    machine
}

fn steps(list: &[InForce]) -> Vec<&str> {
    list.iter().map(|left| left.step.as_str()).collect()
}

fn left_behind(machine: &Machine) -> Vec<String> {
    in_force::left_behind(&machine.model).iter().map(|left| left.step.to_string()).collect()
}

#[test]
fn a_fence_is_in_force_after_the_abort_and_after_the_close_and_after_a_crash() {
    let mut machine = failing_over();
    do_step(&mut machine, "fence");
    assert_eq!(left_behind(&machine), Vec::<String>::new(), "the run goes on with it");
    assert_eq!(steps(&in_force::of(&machine.model)), ["fence"], "checks and notes leave nothing");
    abort(&mut machine);
    let left = in_force::left_behind(&machine.model);
    assert_eq!(steps(&left), ["fence"]);
    assert_eq!((left[0].how, left[0].is_fence), (Known::Verified, true));
    machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    assert_eq!(left_behind(&machine), ["fence"]);
    let again = Machine::resumed_under(fencing_plan(), machine.log.clone(), machine.now);
    assert_eq!(left_behind(&again), ["fence"]);
}

#[test]
fn a_step_that_was_cut_off_may_be_in_force_also_once_it_is_left_out() {
    let mut machine = failing_over();
    let confirmation = machine.prepare("fence");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    let mut machine = Machine::resumed_under(fencing_plan(), machine.log, machine.now);
    let run = machine.run();
    let how = |machine: &Machine| {
        in_force::of(&machine.model).iter().map(|left| (left.step.to_string(), left.how)).collect::<Vec<_>>()
    };
    assert_eq!(how(&machine), [("fence".to_owned(), Known::Maybe)]);
    machine.ask(Ask::Skip { run, step: "fence".into(), reason: "no time".into() }).unwrap();
    assert_eq!(how(&machine), [("fence".to_owned(), Known::Maybe)]);
}

#[test]
fn a_second_attempt_that_certainly_did_nothing_says_nothing_about_the_first() {
    let mut machine = failing_over();
    let run = machine.run();
    let ends_with = |machine: &mut Machine, attempt, acted| {
        let confirmation = machine.prepare("fence");
        machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
        let outcome = Outcome::Failed(crate::core::words::action::Failure { acted, ..Machine::failure() });
        let (run, step) = (machine.run(), "fence".into());
        machine.effects.retain(|effect| !matches!(effect, Effect::Execute { .. }));
        machine.report(Report::Executed { run, step, attempt, outcome }).unwrap();
        machine.effects.clear();
    };
    ends_with(&mut machine, 1, Acted::Maybe);
    let reason = Some("looked, it is not there".to_owned());
    machine.ask(Ask::Retry { run, step: "fence".into(), reason }).unwrap();
    ends_with(&mut machine, 2, Acted::No);
    assert_eq!(steps(&in_force::of(&machine.model)), ["fence"]);
}

#[test]
fn a_fence_stands_though_the_promotion_shares_a_probe_of_the_lag_with_it() {
    let mut plan = (*fencing_plan()).clone();
    plan.probes["dr-lag"].sees = Sees::Standby;
    let steps_of = &mut plan.runbooks["failover"].steps;
    steps_of["fence"].fences = vec!["primary-db".into(), "dr-lag".into()];
    steps_of["promote"].unfences = vec!["dr-db".into(), "dr-lag".into()];
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(20, &healthy());
    machine.pass(30, &down());
    declare_and_fail_over(&mut machine);
    do_step(&mut machine, "fence");
    do_step(&mut machine, "promote");
    assert!(steps(&in_force::of(&machine.model)).contains(&"fence"), "{:?}", in_force::of(&machine.model));
}

#[test]
fn after_a_completed_failover_only_the_fence_is_left_to_look_at() {
    let mut machine = failing_over();
    for step in ["fence", "promote", "scale", "dns"] {
        do_step(&mut machine, step);
    }
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "tell".into(), how: "called everybody".into() }).unwrap();
    machine.settle();
    machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    assert_eq!(steps(&in_force::of(&machine.model)), ["fence", "promote", "scale", "dns"]);
    assert_eq!(left_behind(&machine), ["fence"]);
}

#[test]
fn a_later_step_that_takes_it_back_ends_it_once_it_is_verified() {
    let mut machine = failing_over();
    do_step(&mut machine, "fence");
    abort(&mut machine);
    machine.ask(Ask::Revisit { question: "partial".into() }).unwrap();
    answer(&mut machine, "partial", "yes", None);
    assert_eq!(left_behind(&machine), ["fence"]);
    machine.now = machine.now.checked_add(seconds(5)).unwrap();
    do_step(&mut machine, "unfence");
    assert_eq!(left_behind(&machine), Vec::<String>::new());
}

#[test]
fn a_person_records_that_it_was_taken_back_also_after_the_close() {
    let mut machine = failing_over();
    do_step(&mut machine, "fence");
    abort(&mut machine);
    machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    let left = in_force::left_behind(&machine.model).remove(0);
    let undone = |how: &str| Ask::Undone {
        run: left.run.clone(),
        step: left.step.clone(),
        how: how.into(),
        stays: false,
    };
    assert!(machine.ask(undone(" ")).is_err(), "it takes a reason");
    machine.ask(undone("reset by hand, a write worked")).unwrap();
    assert_eq!(left_behind(&machine), Vec::<String>::new());
    assert!(machine.ask(undone("again")).is_err(), "nothing is left to take back");
    let again = Machine::resumed_under(fencing_plan(), machine.log.clone(), machine.now);
    assert_eq!(left_behind(&again), Vec::<String>::new());
}

#[test]
fn what_was_fenced_anew_after_it_was_taken_back_is_in_force_again() {
    let mut machine = failing_over();
    do_step(&mut machine, "fence");
    abort(&mut machine);
    let left = in_force::left_behind(&machine.model).remove(0);
    machine.ask(Ask::Undone { run: left.run, step: left.step, how: "reset".into(), stays: false }).unwrap();
    machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    machine.now = machine.now.checked_add(seconds(60)).unwrap();
    declare_and_fail_over(&mut machine);
    do_step(&mut machine, "fence");
    abort(&mut machine);
    assert_eq!(left_behind(&machine), ["fence"]);
}

#[test]
fn a_fence_that_a_person_raised_by_hand_is_in_force_and_outlives_the_close() {
    let mut plan = (*fencing_plan()).clone();
    let fence = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("fence").unwrap();
    *fence = of_kind(Step { changes: false, ..fence.clone() }, "manual");
    fence.fences = vec!["primary-db".into()];
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(20, &healthy());
    machine.pass(30, &down());
    declare_and_fail_over(&mut machine);
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "fence".into(), how: "pulled the plug".into() }).unwrap();
    abort(&mut machine);
    machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    let left = in_force::left_behind(&machine.model);
    assert_eq!(steps(&left), ["fence"]);
    assert_eq!((left[0].how, left[0].is_fence), (Known::Attested, true));
    assert!(left[0].words().contains("done by hand"), "{}", left[0].words());
}

#[test]
fn the_undo_is_that_of_the_plan_where_nobody_read_one() {
    let mut machine = failing_over();
    let run = machine.run();
    for step in ["fence", "promote"] {
        machine.ask(Ask::Skip { run: run.clone(), step: step.into(), reason: "exercise".into() }).unwrap();
    }
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "by hand".into() }).unwrap();
    let list = in_force::of(&machine.model);
    assert_eq!(list[0].undo_words(), "scale it down");
    assert_eq!(list[0].how, Known::Attested);
}

/// Fenced by the run, then left.
fn aborted_after_the_fence() -> Machine {
    let mut plan = (*fencing_plan()).clone();
    let failover = plan.runbooks.get_mut("failover").unwrap();
    failover.steps.get_mut("fence").unwrap().fences = vec!["primary-db".into(), "dr-lag".into()];
    let mut probe = plan.probes["dr-lag"].clone();
    (probe.kind, probe.sees) = ("postgres-replication".into(), Sees::Standby);
    plan.probes.insert("dr-lag".into(), probe);
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(20, &healthy());
    machine.pass(30, &down());
    declare_and_fail_over(&mut machine);
    do_step(&mut machine, "fence");
    abort(&mut machine);
    machine
}

#[test]
fn a_fence_around_the_only_primary_is_not_said_to_guard_a_failover_that_never_was() {
    let machine = aborted_after_the_fence();
    let left = in_force::left_behind(&machine.model).remove(0);
    assert!(!left.guards_failover, "{left:?}");
    assert!(!left.undo_words().contains("ONLY ONCE IT FOLLOWS"), "{}", left.undo_words());
}

#[test]
fn what_is_recorded_as_undone_stays_listed_as_long_as_its_server_is_read_as_fenced() {
    use super::serving::{primary, server, standby, world};
    let mut machine = aborted_after_the_fence();
    let left = in_force::left_behind(&machine.model).remove(0);
    machine
        .ask(Ask::Undone { run: left.run, step: left.step, how: "reset by hand".into(), stays: false })
        .unwrap();
    let fenced = || Ok(server("primary", 1, "a").with_flag("read_only", true));
    machine.pass(20, &world(fenced(), standby("b")));
    let left = in_force::left_behind(&machine.model);
    let [still] = left.as_slice() else { panic!("{left:?}") };
    assert!(still.words().contains("as undone or to stay") && still.words().contains("READ-ONLY NOW"));
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    assert_eq!(left_behind(&machine), Vec::<String>::new());
}

#[test]
fn a_rebuild_on_a_persons_word_lifts_no_fence_that_its_server_still_shows() {
    use super::serving::{server, standby, world};
    let mut machine = aborted_after_the_fence();
    machine.ask(Ask::Revisit { question: "partial".into() }).unwrap();
    answer(&mut machine, "partial", "yes", None);
    machine.now = machine.now.checked_add(seconds(5)).unwrap();
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "unfence".into(), how: "rebuilt by hand".into() }).unwrap();
    machine.settle();
    assert_eq!(left_behind(&machine), Vec::<String>::new(), "nothing denies it");
    let fenced = || Ok(server("primary", 1, "a").with_flag("read_only", true));
    machine.pass(20, &world(fenced(), standby("b")));
    assert_eq!(left_behind(&machine), ["fence"]);
    machine.pass(20, &world(standby("a"), standby("b")));
    assert_eq!(left_behind(&machine), Vec::<String>::new());
}

#[test]
fn the_undo_of_a_fence_that_was_raised_by_hand_warns_of_two_primaries_too() {
    let mut machine = failing_over();
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "fence".into(), how: "pulled the plug".into() }).unwrap();
    machine.settle();
    let fence = |machine: &Machine| in_force::of(&machine.model).remove(0).undo_words();
    assert_eq!(fence(&machine), "by hand, as it was done");
    do_step(&mut machine, "promote");
    assert!(fence(&machine).starts_with("ONLY ONCE IT FOLLOWS"), "{}", fence(&machine));
}

#[test]
fn a_fence_that_makes_the_outage_is_told_with_how_it_is_taken_back() {
    use super::serving::{server, standby, world};
    let mut machine = aborted_after_the_fence();
    machine.pass(60, &world(Ok(server("primary", 1, "a").with_flag("read_only", true)), standby("b")));
    let open = crate::core::ask::contradiction::of(&machine.model);
    let next = open.iter().map(|open| open.contradiction.next.as_str()).collect::<Vec<_>>().join("\n");
    assert!(next.contains("To let it write again: ") && next.contains("nothing was promoted"), "{next}");
}
