//! What is known of servers that were fenced.

use super::fixture::*;
use crate::core::ask::fencing::{Fenced, fenced};
use crate::core::words::command::Ask;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Mode;
use crate::plan::Plan;
use std::sync::Arc;

/// The fixture's failover, whose step `scale` fences the primary and whose step `dns` lets it write again; promoted.
fn promoted() -> Machine {
    let mut plan = Plan::clone(&plan());
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    steps.get_mut("scale").unwrap().fences = vec!["dr-lag".into()];
    steps.get_mut("dns").unwrap().unfences = vec!["dr-lag".into()];
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    let promote = machine.prepare("promote");
    let typed = Some("target-of-promote".to_owned());
    machine.ask(Ask::Confirm { confirmation: promote, typed }).unwrap();
    machine.settle();
    machine
}

fn run(machine: &mut Machine, step: &str) {
    machine.pass(1, &down());
    let confirmation = machine.prepare(step);
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.settle();
}

fn of(machine: &Machine) -> Option<Fenced> {
    fenced(&machine.model, &"dr-lag".into())
}

#[test]
fn a_server_is_fenced_from_the_proof_of_the_step_on_until_a_step_lets_it_write_again() {
    let mut machine = promoted();
    assert_eq!(of(&machine), None);
    run(&mut machine, "scale");
    let fence = of(&machine).unwrap();
    assert_eq!((fence.at, fence.step.as_str(), fence.proven), (machine.now, "scale", true));
    assert_eq!(fenced(&machine.model, &"dr-db".into()), None, "another server");
    run(&mut machine, "dns");
    assert_eq!(of(&machine), None);
}

#[test]
fn a_promotion_ends_the_fence_of_the_server_that_it_promotes() {
    let mut plan = Plan::clone(&plan());
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    steps.get_mut("scale").unwrap().fences = vec!["dr-db".into()];
    steps.get_mut("scale").unwrap().needs = Vec::new();
    steps.get_mut("promote").unwrap().unfences = vec!["dr-db".into()];
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    let is_fenced = |machine: &Machine| fenced(&machine.model, &"dr-db".into()).is_some();
    run(&mut machine, "scale");
    assert!(is_fenced(&machine));
    machine.pass(1, &down());
    let confirmation = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) }).unwrap();
    machine.settle();
    assert!(!is_fenced(&machine));
    let left = crate::core::ask::in_force::of(&machine.model);
    assert!(left.iter().all(|left| !left.is_fence), "{left:?}");
}

#[test]
fn a_fence_on_a_persons_word_is_told_from_one_that_was_proven() {
    let mut machine = promoted();
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    assert!(!of(&machine).unwrap().proven);
}

#[test]
fn a_fence_outlives_its_run_its_incident_and_the_engine() {
    let mut machine = promoted();
    run(&mut machine, "scale");
    let fence = of(&machine);
    machine.ask(Ask::Abort { reason: "enough".into() }).unwrap();
    machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    assert_eq!(of(&machine), fence);
    let resumed = Machine::resumed_under(machine.model.plan.clone(), machine.log.clone(), machine.now);
    assert_eq!(of(&resumed), fence);
}

#[test]
fn a_server_that_may_have_been_let_write_again_is_not_called_fenced() {
    let mut machine = promoted();
    run(&mut machine, "scale");
    machine.pass(1, &down());
    let confirmation = machine.prepare("dns");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    assert_eq!(of(&machine), None, "it runs");
    let lost = Machine::resumed_under(machine.model.plan.clone(), machine.log.clone(), machine.now);
    assert_eq!(of(&lost), None, "nobody knows whether it acted");
}

#[test]
fn a_fence_is_not_lifted_by_what_is_only_said_in_an_exercise() {
    let mut machine = promoted();
    run(&mut machine, "scale");
    let fence = of(&machine);
    machine.ask(Ask::Abort { reason: "enough".into() }).unwrap();
    machine.ask(Ask::Close { reason: "enough".into() }).unwrap();
    machine.take(vec![Fact::IncidentDeclared {
        id: "exercise".into(),
        title: "an exercise".into(),
        mode: Mode::SafeDrill,
        detected_at: machine.now,
        severity: None,
    }]);
    let runbook = crate::base::ids::RunbookId::from("failover");
    let steps = ["check", "promote", "dns"];
    machine.take(vec![Fact::RunStarted {
        run: "exercise/1".into(),
        runbook,
        steps: steps.map(Into::into).to_vec(),
        aim: None,
    }]);
    let how = || "as one would".to_owned();
    machine.take(
        steps
            .map(|step| Fact::StepAttested {
                run: "exercise/1".into(),
                step: step.into(),
                how: how(),
                unproven: false,
                fingerprint: None,
            })
            .to_vec(),
    );
    assert_eq!(
        machine.model.durable.incident.as_ref().unwrap().runs[0].steps["dns"].status.as_str(),
        "attested"
    );
    assert_eq!(of(&machine), fence);
    machine.ask(Ask::Close { reason: "done".into() }).unwrap_err();
    machine.ask(Ask::Abort { reason: "done".into() }).unwrap();
    machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    assert_eq!(of(&machine), fence);
}
