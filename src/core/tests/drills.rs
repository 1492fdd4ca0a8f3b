//! What a drill may do, and that a confirmation says what it builds on.

use super::fixture::*;
use crate::core::ask::drill;
use crate::core::ask::other_side::Does;
use crate::core::words::command::Ask;
use crate::core::words::incident::Mode;
use crate::core::words::status::StepStatus;
use crate::plan::{Plan, Step};
use std::sync::Arc;

/// The usual plan, in which `scale` is safe to drill.
fn marked() -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    plan.runbooks.get_mut("failover").unwrap().steps.get_mut("scale").unwrap().safe_to_drill = true;
    Arc::new(plan)
}

fn drilling(plan: Arc<Plan>, mode: Mode) -> Machine {
    let mut machine = Machine::resumed_under(plan, Vec::new(), start());
    machine.pass(20, &healthy());
    machine.pass(30, &down());
    machine.ask(Ask::Declare { title: "an exercise".into(), mode }).unwrap();
    let suggested = Some("yes".to_owned());
    let (question, answer) = ("primary-down".into(), "yes".into());
    machine.ask(Ask::Answer { question, answer, suggested, reason: None }).unwrap();
    machine.settle();
    machine
}

#[test]
fn a_drill_of_safe_steps_refuses_what_the_plan_does_not_mark_and_runs_what_it_does() {
    let mut machine = drilling(marked(), Mode::SafeDrill);
    assert_eq!(drill::words(&machine.model), Some("DRILL - safe steps only"));
    let run = machine.run();
    let refusal = machine.ask(Ask::Prepare { run: run.clone(), step: "promote".into() }).unwrap_err();
    assert!(refusal.why.contains("safe steps only"), "{refusal}");
    machine
        .ask(Ask::Attest { run: run.clone(), step: "promote".into(), how: "would type its name".into() })
        .unwrap();
    let confirmation = machine.prepare("scale");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.settle();
    assert_eq!(machine.model.step(&run, &"scale".into()).unwrap().1.status, StepStatus::Verified);
    let executed = format!("{:?}", machine.executed);
    assert!(executed.contains("scale") && !executed.contains("promote"), "{executed}");
}

#[test]
fn a_drill_of_safe_steps_moves_nothing_and_what_was_only_said_is_not_in_force() {
    let mut machine = drilling(marked(), Mode::SafeDrill);
    let run = machine.run();
    for step in ["promote", "scale", "dns", "tell"] {
        let how = "said what we would do".into();
        machine.ask(Ask::Attest { run: run.clone(), step: step.into(), how }).unwrap();
    }
    machine.settle();
    assert_eq!(machine.model.durable.active, Some("primary".into()));
    assert_eq!(crate::core::ask::in_force::of(&machine.model), []);
}

#[test]
fn a_step_that_runs_by_itself_does_not_in_a_drill_of_safe_steps() {
    let mut plan = (*plan()).clone();
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    let check = steps["check"].clone();
    steps.insert("check".into(), of_kind(Step { changes: true, ..check }, "exec"));
    let machine = drilling(Arc::new(plan.clone()), Mode::SafeDrill);
    assert_eq!(machine.executed, []);
    assert_eq!(drilling(Arc::new(plan), Mode::Drill).executed.len(), 1, "it acts in a drill that acts");
}

#[test]
fn a_drill_that_acts_says_so_and_an_old_journal_s_drill_is_one() {
    let machine = drilling(marked(), Mode::Drill);
    assert_eq!(drill::words(&machine.model), Some("DRILL - ACTS FOR REAL"));
    assert_eq!(serde_json::from_str::<Mode>("\"drill\"").unwrap(), Mode::Drill);
}

#[test]
fn a_confirmation_lists_the_steps_before_it_that_nothing_has_proven() {
    let mut machine = Machine::failing_over();
    let run = machine.run();
    machine.ask(Ask::Skip { run: run.clone(), step: "promote".into(), reason: "in a hurry".into() }).unwrap();
    machine.prepare("dns");
    let (_, state) = machine.model.step(&run, &"dns".into()).unwrap();
    let before = &state.confirmation.as_ref().unwrap().before;
    assert_eq!(before.len(), 1, "the verified check is not one of them: {before:?}");
    assert_eq!((before[0].place, before[0].status), (2, StepStatus::Skipped));
    assert_eq!(before[0].reason, "in a hurry");
}

/// The failover whose step `scale` fences the old primary and has to come first.
fn with_a_fence() -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    let fence = steps.get_mut("scale").unwrap();
    (fence.fences, fence.needs) = (vec!["primary-db".into()], Vec::new());
    Arc::new(plan)
}

#[test]
fn a_fence_of_an_incident_that_is_closed_vouches_for_no_server_in_the_next_one() {
    let fenced = |machine: &mut Machine| {
        machine.prepare("promote");
        let (_, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
        let others = state.confirmation.as_ref().unwrap().other_side.clone();
        others.into_iter().find(|server| server.probe.as_str() == "primary-db").unwrap().fenced
    };
    let fence = |machine: &mut Machine| {
        let confirmation = machine.prepare("scale");
        machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
        machine.settle();
    };
    let mut machine = drilling(with_a_fence(), Mode::Live);
    fence(&mut machine);
    assert!(fenced(&mut machine).is_some_and(|(_, proven)| proven));
    machine.ask(Ask::Abort { reason: "it came back".into() }).unwrap();
    machine.ask(Ask::Close { reason: "it came back".into() }).unwrap();
    machine.pass(60, &down());
    machine.ask(Ask::Declare { title: "again".into(), mode: Mode::Live }).unwrap();
    let (question, answer) = ("primary-down".into(), "yes".into());
    machine.ask(Ask::Answer { question, answer, suggested: Some("yes".into()), reason: None }).unwrap();
    machine.settle();
    assert_eq!(fenced(&mut machine), None);
    // One of this incident does, whatever an earlier one did.
    fence(&mut machine);
    let at = machine.now;
    assert_eq!(fenced(&mut machine), Some((at, true)));
}

#[test]
fn a_promotion_says_that_the_old_primary_does_not_answer_and_is_not_fenced() {
    let mut machine = Machine::failing_over();
    machine.prepare("promote");
    let run = machine.run();
    let (_, state) = machine.model.step(&run, &"promote".into()).unwrap();
    let others = &state.confirmation.as_ref().unwrap().other_side;
    let seen: Vec<_> =
        others.iter().map(|server| (server.probe.as_str(), server.does, &server.fenced)).collect();
    assert_eq!(seen, [("primary-db", Does::Down, &None)]);
    assert!(others[0].words().contains("does not answer"), "{}", others[0].words());
}
