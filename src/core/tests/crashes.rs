//! Invariants 1 and 2: nothing runs without a durable record of its intent, and no step runs twice for one
//! confirmation, wherever the engine is cut off.

use super::fixture::*;
use crate::core::apply::apply;
use crate::core::model::Model;
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::status::StepStatus;
use crate::plan::Plan;
use std::collections::HashSet;

/// A whole failover with an override, a failure and a retry.
fn history() -> Vec<Event> {
    let mut machine = Machine::failing_over();
    for step in ["promote", "scale", "dns"] {
        let id = machine.prepare(step);
        let typed = Some(format!("target-of-{step}"));
        machine.ask(Ask::Confirm { confirmation: id, typed }).unwrap();
        machine.settle();
    }
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "tell".into(), how: "called".into() }).unwrap();
    machine.settle();
    machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    machine.log
}

fn starts(log: &[Event]) -> Vec<(String, u32)> {
    let start = |event: &Event| match &event.fact {
        Fact::StepStarted { confirmation, attempt, .. } => Some((confirmation.to_string(), *attempt)),
        _ => None,
    };
    log.iter().filter_map(start).collect()
}

#[test]
fn a_crash_after_any_fact_leads_to_no_second_execution() {
    let log = history();
    for cut in 0..=log.len() {
        let before: HashSet<_> = starts(&log[..cut]).into_iter().collect();
        let now = log[..cut].last().map_or(start(), |event| event.at);
        let mut machine = Machine::resumed(log[..cut].to_vec(), now);
        machine.settle();
        machine.pass(30, &down());
        machine.settle();
        let all = starts(&machine.log);
        let distinct: HashSet<_> = all.iter().cloned().collect();
        assert_eq!(distinct.len(), all.len(), "cut after {cut}: a confirmation started twice");
        for effect in &machine.executed {
            let Effect::Execute { step, attempt, .. } = effect else { unreachable!() };
            assert_eq!(step.as_str(), "check", "cut after {cut}: {step} ran without a person");
            let id = machine
                .model
                .step(&machine.run(), step)
                .unwrap()
                .1
                .confirmation
                .as_ref()
                .unwrap()
                .id
                .to_string();
            assert!(!before.contains(&(id, *attempt)), "cut after {cut}: {step} ran again");
        }
    }
}

#[test]
fn a_step_that_was_running_is_unknown_and_is_read_back_once() {
    let log = history();
    let promote = log.iter().position(
        |event| matches!(&event.fact, Fact::StepStarted { step, .. } if step.as_str() == "promote"),
    );
    let cut = promote.unwrap() + 1;
    let machine = Machine::resumed(log[..cut].to_vec(), log[cut - 1].at);
    let (_, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
    assert_eq!(state.status, StepStatus::Unknown);
    let expected = Effect::Verify { run: machine.run(), step: "promote".into(), attempt: 1, patient: false };
    assert_eq!(machine.effects, [expected]);
}

#[test]
fn every_execution_has_its_durable_start_before_it() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap();
    for effect in &machine.executed {
        let Effect::Execute { run, step, attempt, .. } = effect else { unreachable!() };
        let recorded = machine.log.iter().any(|event| match &event.fact {
            Fact::StepStarted { run: r, step: s, attempt: a, .. } => r == run && s == step && a == attempt,
            _ => false,
        });
        assert!(recorded, "{effect:?}");
    }
    assert!(!machine.executed.is_empty());
}

#[test]
fn a_confirmation_that_was_open_at_a_crash_is_withdrawn() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    let mut after = Machine::resumed(machine.log.clone(), machine.now);
    assert!(after.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).is_err());
}

/// The journal under another plan than the one that wrote it.
fn resumed_under(plan: Plan, log: &[Event]) -> Machine {
    let mut model = Model::new(std::sync::Arc::new(plan));
    for event in log {
        apply(&mut model, event);
    }
    let now = log.last().map_or(start(), |event| event.at);
    Machine { model, now, log: log.to_vec(), effects: Vec::new(), executed: Vec::new(), is_silent: false }
}

#[test]
fn a_plan_that_changes_in_the_middle_of_a_run_is_noticed_and_changes_none_of_its_steps() {
    let machine = Machine::failing_over();
    let steps = |machine: &Machine| {
        let run = machine.model.durable.incident.as_ref().unwrap().open_run().unwrap();
        run.steps.keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(machine.model.durable.plan_changed_at, None);
    let started =
        || Report::EngineStarted { version: "test".into(), recovery: String::new(), since_boot: None };
    let mut same = resumed_under(Plan::clone(&plan()), &machine.log);
    same.report(started()).unwrap();
    assert_eq!(same.model.durable.plan_changed_at, None, "the same plan is no other plan");
    let mut other = Plan::clone(&plan());
    other.digest = "1".repeat(64);
    let added = other.runbooks["failover"].steps["scale"].clone();
    other.runbooks["failover"].steps.insert("added".into(), added);
    let mut resumed = resumed_under(other, &machine.log);
    resumed.report(started()).unwrap();
    assert_eq!(resumed.model.durable.plan_changed_at, Some(resumed.now));
    assert_eq!(steps(&resumed), steps(&machine));
    resumed.ask(Ask::Abort { reason: "the plan was changed".into() }).unwrap();
    resumed.ask(Ask::Close { reason: "over".into() }).unwrap();
    assert_eq!(resumed.model.durable.plan_changed_at, None, "the next incident begins under this plan");
}

#[test]
fn what_was_recorded_under_another_plan_is_not_lost_when_the_steps_wait_for_others_now() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap();
    let run = machine.run();
    let mut other = Plan::clone(&plan());
    other.digest = "1".repeat(64);
    let steps = &mut other.runbooks["failover"].steps;
    steps["promote"].needs = vec!["dns".into()];
    let resumed = resumed_under(other.clone(), &machine.log);
    let status = |machine: &Machine| machine.model.run(&run).unwrap().steps["promote"].status;
    assert_eq!(status(&resumed), StepStatus::Started, "it was running when the engine ended");
    other.runbooks["failover"].steps.shift_remove("promote");
    let mut without = resumed_under(other, &machine.log);
    without
        .report(Report::EngineStarted { version: "test".into(), recovery: String::new(), since_boot: None })
        .unwrap();
    assert_eq!(status(&without), StepStatus::Unknown, "nobody knows whether it acted, in the plan or not");
}

#[test]
fn a_run_of_a_runbook_that_the_plan_lost_is_never_completed() {
    let before = Machine::failing_over();
    let mut other = Plan::clone(&plan());
    let book = other.runbooks.swap_remove("failover").unwrap();
    other.runbooks.insert("renamed".into(), book);
    let mut machine = resumed_under(other, &before.log);
    machine.report(Report::Tick).unwrap();
    let incident = machine.model.durable.incident.as_ref().unwrap();
    assert!(incident.open_run().is_some(), "{:?}", incident.runs[0].ended);
    machine.ask(Ask::Abort { reason: "the plan was changed".into() }).unwrap();
}

#[test]
fn an_override_does_not_slip_to_another_guard_of_a_changed_plan() {
    let mut before = Machine::failing_over();
    let run = before.run();
    let over = Ask::Override { run: run.clone(), step: "promote".into(), guard: 0, reason: "go".into() };
    before.ask(over).unwrap();
    let overridden =
        |machine: &Machine| machine.model.step(&run, &"promote".into()).unwrap().1.overrides.len();
    assert_eq!(overridden(&before), 1);
    let mut other = Plan::clone(&plan());
    let promote = other.runbooks["failover"].steps.get_mut("promote").unwrap();
    promote.guard =
        vec![crate::plan::condition::Condition::parse("regions.primary.status == 'down'").unwrap()];
    assert_eq!(overridden(&resumed_under(other, &before.log)), 0);
}
