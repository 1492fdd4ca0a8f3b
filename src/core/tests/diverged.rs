//! Data that went apart in a split brain is told until somebody says what became of it, or the loser was rebuilt.

use super::fixture::*;
use super::serving::{primary, server, standby, world};
use crate::core::ask::contradiction::of;
use crate::core::ask::divergence::{self, Split};
use crate::core::prose::brief;
use crate::core::prose::message;
use crate::core::words::command::Ask;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Mode;
use crate::plan::{Plan, Step};
use std::sync::Arc;

fn split(machine: &mut Machine) {
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
}

/// The old primary is stopped, and started as a standby that cannot follow: it is still on its own timeline.
fn end_it(machine: &mut Machine) {
    machine.pass(30, &world(standby("a2"), primary(2, "b")));
    assert!(of(&machine.model).iter().all(|open| !open.contradiction.id.starts_with("two-primaries")));
}

/// Declared, split, over, closed.
fn closed() -> Machine {
    closed_under(plan())
}

fn closed_under(plan: Arc<Plan>) -> Machine {
    let mut machine = Machine::resumed_under(plan, Vec::new(), start());
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.ask(Ask::Declare { title: "odd".into(), mode: Mode::Live }).unwrap();
    split(&mut machine);
    end_it(&mut machine);
    machine.ask(Ask::Close { reason: "one is left".into() }).unwrap();
    machine
}

fn told(machine: &Machine) -> String {
    let lines = brief::lines(&machine.model, machine.now);
    lines.into_iter().filter(|line| line.starts_with("DIVERGED")).collect::<Vec<_>>().join("\n")
}

fn first(machine: &Machine) -> Split {
    machine.model.durable.splits[0].clone()
}

#[test]
fn data_that_went_apart_is_told_after_the_close_and_a_restart_until_somebody_says_what_became_of_it() {
    let mut machine = closed();
    let brief = told(&machine);
    assert!(
        brief.contains("is missing on the other") && brief.contains(&first(&machine).window()),
        "{brief}"
    );
    machine = Machine::resumed(machine.log.clone(), machine.now);
    assert_eq!(told(&machine), brief);
    let id = first(&machine).id;
    machine.ask(Ask::AnswerContradiction { id: id.clone(), reason: " ".into() }).unwrap_err();
    machine
        .ask(Ask::AnswerContradiction { id: id.clone(), reason: "both compared, 3 rows moved".into() })
        .unwrap();
    assert_eq!(told(&machine), "");
    assert_eq!(first(&machine).settled.unwrap().reason, "both compared, 3 rows moved");
    machine.ask(Ask::AnswerContradiction { id, reason: "again".into() }).unwrap_err();
    assert_eq!(told(&Machine::resumed(machine.log.clone(), machine.now)), "");
}

#[test]
fn an_answer_to_a_split_brain_that_goes_on_says_nothing_of_its_data() {
    let mut machine = Machine::new();
    split(&mut machine);
    let id = first(&machine).id;
    machine.ask(Ask::AnswerContradiction { id, reason: "the old one gets no clients".into() }).unwrap();
    assert!(told(&machine).contains("is missing on the other"));
    end_it(&mut machine);
    assert!(told(&machine).contains("is missing on the other"));
}

#[test]
fn a_split_brain_outside_of_any_incident_is_told_as_well() {
    let mut machine = Machine::new();
    split(&mut machine);
    end_it(&mut machine);
    assert!(told(&machine).contains("SPLIT BRAIN"), "{}", told(&machine));
}

#[test]
fn each_time_that_data_went_apart_is_told() {
    let mut machine = closed();
    for timeline in [3, 4] {
        machine.pass(12, &world(primary(timeline, "a4"), primary(2, "b")));
        end_it(&mut machine);
    }
    let brief = told(&machine);
    let splits = &machine.model.durable.splits;
    assert!(splits.len() >= 3, "{splits:#?}");
    for split in splits {
        assert!(brief.contains(&split.window()), "{brief}\n{}", split.window());
    }
}

#[test]
fn a_loser_that_follows_on_the_winners_timeline_was_rebuilt_and_nobody_has_to_compare_any_more() {
    let mut machine = closed();
    machine.pass(60, &world(Ok(server("standby", 2, "a3")), primary(2, "b")));
    assert_eq!(told(&machine), "");
    let settled = first(&machine).settled.unwrap();
    assert_eq!(settled.by, "lifeboat");
    assert!(settled.reason.contains("was rebuilt and follows"), "{settled:?}");
}

#[test]
fn a_loser_on_its_own_timeline_or_of_an_unknown_one_was_not_rebuilt() {
    let mut machine = closed();
    machine.pass(120, &world(standby("a3"), primary(2, "b")));
    assert!(told(&machine).contains("is missing on the other"));
    let mut nameless = server("standby", 2, "a4");
    nameless.fields.remove("timeline");
    machine.pass(120, &world(Ok(nameless), primary(2, "b")));
    assert!(told(&machine).contains("is missing on the other"));
}

#[test]
fn a_rebuild_by_hand_ends_it_and_a_fence_that_is_only_lifted_does_not() {
    let machine = closed();
    let like = plan().runbooks["failover"].steps["scale"].clone();
    let rebuild = of_kind(Step { unfences: vec!["primary-db".into()], ..like }, "manual");
    let unfence = of_kind(rebuild.clone(), "postgres-unfence");
    let by = |machine: &Machine, step: &Step| {
        divergence::by_word(&machine.model, machine.now, step, "pg_rewind, it streams").len()
    };
    assert_eq!((by(&machine, &rebuild), by(&machine, &unfence)), (1, 0));
    // Its server is a primary: nobody rebuilt it.
    let mut machine = machine;
    machine.pass(12, &world(Ok(server("primary", 1, "a5").with_flag("read_only", true)), primary(2, "b")));
    assert_eq!(by(&machine, &rebuild), 0);
}

#[test]
fn a_preflight_warns_of_the_data_that_a_step_may_throw_away() {
    let mut machine = closed();
    let step = crate::core::words::preflight::StepChecks {
        runbook: "failover".into(),
        step: "promote".into(),
        title: "Promote".into(),
        action: "postgres-promote".into(),
        checks: Vec::new(),
    };
    let other = crate::core::words::preflight::StepChecks { step: "check".into(), ..step.clone() };
    let found = crate::core::words::preflight::Preflight {
        at: machine.now,
        took: seconds(1),
        simulated: None,
        regions: Vec::new(),
        steps: vec![step, other],
    };
    let facts = machine.report(crate::core::words::command::Report::Preflighted(Box::new(found))).unwrap();
    let Some(crate::core::words::fact::Fact::PreflightFound { preflight }) = facts.last() else {
        panic!("{facts:?}")
    };
    let warned: Vec<usize> = preflight.steps.iter().map(|step| step.checks.len()).collect();
    assert_eq!(warned, [1, 0]);
    assert!(preflight.steps[0].checks[0].result.seen().contains("is missing on the other"));
}

#[test]
fn a_page_of_another_incident_says_in_its_text_that_data_is_apart_and_not_in_its_title() {
    let mut machine = closed();
    machine.ask(Ask::Declare { title: "the disk is slow".into(), mode: Mode::Live }).unwrap();
    machine.model.durable.incident.as_mut().unwrap().detected_at = machine.now;
    let page = message::page(&machine.model, machine.now, "");
    assert!(!page.subject.contains("DIVERGED"), "{}", page.subject);
    assert!(page.body.contains("DIVERGED: SPLIT BRAIN"), "{}", page.body);
}

#[test]
fn a_rebuild_that_is_only_said_in_an_exercise_ends_nothing() {
    for (mode, is_told) in [(Mode::SafeDrill, true), (Mode::Live, false)] {
        let mut plan = (*plan()).clone();
        let rebuild = &mut plan.runbooks["failover"].steps["tell"];
        (rebuild.unfences, rebuild.needs) = (vec!["primary-db".into()], Vec::new());
        let mut machine = closed_under(Arc::new(plan));
        machine.ask(Ask::Declare { title: "again".into(), mode }).unwrap();
        let runbook = crate::base::ids::RunbookId::from("failover");
        let steps = machine.model.plan.runbooks[&runbook].steps.keys().cloned().collect();
        machine.take(vec![Fact::RunStarted { run: "exercise/1".into(), runbook, steps, aim: None }]);
        let how = "pg_rewind, it streams".into();
        machine.ask(Ask::Attest { run: "exercise/1".into(), step: "tell".into(), how }).unwrap();
        assert_eq!(!told(&machine).is_empty(), is_told, "{mode:?}");
    }
}

#[test]
fn a_step_that_takes_back_another_one_of_its_own_runbook_takes_back_no_fence_elsewhere() {
    let mut plan = (*plan()).clone();
    plan.runbooks["failover"].steps["scale"].fences = vec!["primary-db".into()];
    let like = plan.runbooks["failover"].clone();
    let mut own = like.clone();
    own.steps["scale"].fences = Vec::new();
    own.steps["dns"].undoes = vec!["scale".into()];
    let clean = own.steps["dns"].clone();
    plan.runbooks.insert("own".into(), own.clone());
    assert!(divergence::taken_back(&plan, &clean).is_empty(), "its own `scale` is meant");
    own.steps.shift_remove("scale");
    plan.runbooks.insert("own".into(), own);
    assert_eq!(divergence::taken_back(&plan, &clean), [&crate::base::ids::ProbeId::from("primary-db")]);
}
