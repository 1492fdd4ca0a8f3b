//! Which runs move their region, and what they leave to a person to record.

use super::fixture::*;
use super::placement::*;
use super::proving::*;
use super::serving::{primary, standby, world};
use crate::core::ask::attested;
use crate::core::model::Model;
use crate::core::words::action::{Acted, Done, Failure, Proof};
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::status::StepStatus;
use crate::plan::kinds::Does;
use crate::plan::{ConfirmLevel, Plan, Step};

/// A step of this name that acts and needs one key.
pub(super) fn acting(plan: &Plan, id: &str) -> Step {
    let like = plan.runbooks["to-dr"].steps["all-to-dr"].clone();
    Step { id: id.into(), title: id.into(), switches: false, ..like }
}

/// The same, and its runbook's region serves because of it.
pub(super) fn switching(step: Step) -> Step {
    Step { switches: true, ..step }
}

pub(super) fn by_hand(plan: &Plan, id: &str) -> Step {
    of_kind(Step { changes: false, ..acting(plan, id) }, "manual")
}

fn waiting(plan: &Plan, id: &str) -> Step {
    let step = acting(plan, id);
    Step { changes: false, does: Does::Waits, action: "wait-for".into(), confirm: ConfirmLevel::None, ..step }
}

pub(super) fn no_return(plan: &Plan, id: &str) -> Step {
    Step { irreversible: true, ..acting(plan, id) }
}

/// A machine whose runbook `to-dr` has these steps, in an incident of this mode, with its run begun.
pub(super) fn to_dr(mode: Mode, steps: impl FnOnce(&Plan) -> Vec<Step>) -> Machine {
    let mut machine = with_mode(mode, |plan| {
        let steps = steps(plan);
        let runbook = plan.runbooks.get_mut("to-dr").unwrap();
        runbook.steps = steps.into_iter().map(|step| (step.id.clone(), step)).collect();
    });
    begin(&mut machine, "to-dr");
    machine
}

/// The step ran, and nobody saw its end.
pub(super) fn lost(machine: &mut Machine, step: &str) {
    executed(machine, step, Outcome::Failed(Failure { acted: Acted::Maybe, ..Machine::failure() }));
}

/// The step ran to its end; its proof is awaited.
pub(super) fn finished(machine: &mut Machine, step: &str) {
    executed(machine, step, Outcome::Done(Done { summary: "done".into() }));
    assert_eq!(state(machine, step).status, StepStatus::Finished);
}

fn executed(machine: &mut Machine, step: &str, outcome: Outcome) {
    let confirmation = machine.prepare(step);
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    let run = machine.run();
    machine.report(Report::Executed { run, step: step.into(), attempt: 1, outcome }).unwrap();
    machine.effects.clear();
}

/// The world shows what the first attempt at a step did.
pub(super) fn prove(machine: &mut Machine, step: &str) {
    let proof = Proof { evidence: vec!["seen".into()] };
    let (run, step) = (machine.run(), step.into());
    machine.report(Report::Checked { run, step, attempt: 1, result: Ok(proof) }).unwrap();
}

pub(super) fn recheck(machine: &mut Machine, step: &str) {
    let run = machine.run();
    machine.ask(Ask::Recheck { run, step: step.into() }).unwrap();
    machine.settle();
}

pub(super) fn abort(machine: &mut Machine) {
    machine.ask(Ask::Abort { reason: "the wrong one".into() }).unwrap();
}

pub(super) fn said(machine: &Machine) -> String {
    let left = attested::left(&machine.model);
    left.iter().map(|left| left.sentence(&machine.model, "T")).collect::<Vec<_>>().join(" ")
}

/// The journal alone gives the same, under the plan that it was written under.
pub(super) fn assert_refolds(machine: &Machine) {
    let mut model = Model::new(machine.model.plan.clone());
    machine.log.iter().for_each(|event| crate::core::apply::apply(&mut model, event));
    assert_eq!(model.durable.placements, machine.model.durable.placements);
    assert_eq!(model.durable.switches, machine.model.durable.switches);
    assert_eq!(model.durable.incident, machine.model.durable.incident);
    assert_eq!(model.durable.closed, machine.model.durable.closed);
}

/// Nothing was switched, and it is told until somebody records which region serves.
pub(super) fn assert_left(mut machine: Machine, step: &str) {
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "primary", "nothing switched");
    assert_eq!(left(&machine), [(step, Some("dr"))]);
    for region in ["dr", "primary"] {
        let mut machine = machine.clone();
        record(&mut machine, region);
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
        assert_refolds(&machine);
    }
    close(&mut machine);
    assert_eq!(left(&machine), [(step, Some("dr"))], "also after the close");
}

/// The run is complete, its switch was skipped, and people told others.
pub(crate) fn without_its_switch() -> Machine {
    let steps = |plan: &Plan| vec![switching(acting(plan, "dns")), by_hand(plan, "phone")];
    let mut machine = to_dr(Mode::Live, steps);
    skip(&mut machine, "dns");
    attest(&mut machine, "phone");
    machine.pass(1, &[]);
    machine
}

/// The run is open, and people say that they switched by hand.
pub(crate) fn switched_by_hand() -> Machine {
    let mut machine = to_dr(Mode::Live, |plan| vec![by_hand(plan, "dns"), by_hand(plan, "phone")]);
    attest(&mut machine, "dns");
    machine
}

/// The run is complete, and the plan does not say which of its steps lets the region serve.
pub(crate) fn without_a_switching_step() -> Machine {
    let mut machine = to_dr(Mode::Live, |plan| vec![no_return(plan, "promote"), by_hand(plan, "phone")]);
    do_step(&mut machine, "promote");
    attest(&mut machine, "phone");
    machine.pass(1, &[]);
    machine
}

#[test]
fn a_run_whose_switch_was_skipped_moves_nothing_whatever_people_told() {
    let machine = without_its_switch();
    let said = said(&machine);
    assert!(
        said.starts_with("\"dns\" was skipped: whether somewhere serves now is not known. If "),
        "{said}"
    );
    assert_left(machine, "dns");
}

#[test]
fn a_run_of_which_nothing_was_done_leaves_nothing() {
    for change in [switching, |step| step] {
        let mut machine = to_dr(Mode::Live, |plan| vec![change(acting(plan, "dns")), by_hand(plan, "phone")]);
        skip(&mut machine, "dns");
        skip(&mut machine, "phone");
        machine.pass(1, &[]);
        assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
    }
}

#[test]
fn a_switch_that_turns_out_to_be_done_after_the_abort_is_left_until_somebody_records_what_serves() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    lost(&mut machine, "switch");
    abort(&mut machine);
    recheck(&mut machine, "switch");
    assert_eq!(state(&machine, "switch").status, StepStatus::Verified);
    assert!(
        said(&machine).starts_with("\"switch\" is verified, and moved nothing because of the abort. If ")
    );
    assert_left(machine, "switch");
}

#[test]
fn a_switch_whose_proof_was_awaited_at_the_abort_is_left_also_where_the_incident_is_closed() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    finished(&mut machine, "switch");
    assert_eq!(left(&machine), [], "its proof may come");
    abort(&mut machine);
    assert_left(machine, "switch");
}

#[test]
fn a_persons_record_stands_when_what_ran_before_the_abort_is_proven_after_it() {
    let mut machine = moving();
    finished(&mut machine, "reroute");
    abort(&mut machine);
    assert_eq!(left(&machine), [("reroute", None)], "it may have moved the API");
    record(&mut machine, "dr");
    record(&mut machine, "primary");
    prove(&mut machine, "reroute");
    assert_eq!(state(&machine, "reroute").status, StepStatus::Verified);
    machine.pass(10, &rerouted());
    assert_eq!(api(&machine).0, "primary");
    assert_kept(&machine);
}

#[test]
fn a_move_that_a_record_ended_before_it_was_told_is_told_no_more() {
    let mut machine = switched_by_word();
    for _ in 0..60 {
        if serving(&machine) == "dr" {
            break;
        }
        machine.pass(1, &rerouted());
    }
    assert_eq!(serving(&machine), "dr");
    record(&mut machine, "primary");
    machine.pass(5, &rerouted());
    let told = machine.log.iter().any(|event| matches!(event.fact, Fact::RegionMoved { .. }));
    assert!(!told, "it would stand after the record");
    assert_refolds(&machine);
}

#[test]
fn what_may_have_acted_before_a_persons_record_moves_nothing_in_an_open_run_until_it_is_done_anew() {
    let recorded = || {
        let mut machine = moving();
        lost(&mut machine, "reroute");
        ["dr", "primary"].into_iter().for_each(|region| record(&mut machine, region));
        machine
    };
    let mut machine = recorded();
    prove(&mut machine, "reroute");
    machine.pass(5, &rerouted());
    assert_eq!((state(&machine, "reroute").status, api(&machine).0), (StepStatus::Verified, "primary"));
    assert_kept(&machine);
    let mut machine = recorded();
    let run = machine.run();
    machine.ask(Ask::Retry { run, step: "reroute".into(), reason: Some("once more".into()) }).unwrap();
    do_step(&mut machine, "reroute");
    machine.pass(5, &rerouted());
    assert_eq!(api(&machine).0, "dr", "it is done anew");
    let mut machine = recorded();
    attest(&mut machine, "reroute");
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine).0, "dr", "somebody says so anew");
}

#[test]
fn a_switch_that_may_have_acted_before_a_persons_record_does_not_overturn_it() {
    let recorded = || {
        let mut machine = declared(Mode::Live);
        begin(&mut machine, "switch-to-dr");
        lost(&mut machine, "switch");
        ["primary", "dr", "primary"].into_iter().for_each(|region| {
            machine.take(vec![Fact::ServingRecorded { region: region.into(), reason: "seen".into() }]);
        });
        machine
    };
    let mut machine = recorded();
    recheck(&mut machine, "switch");
    assert_eq!((state(&machine, "switch").status, serving(&machine)), (StepStatus::Verified, "primary"));
    let mut machine = recorded();
    let run = machine.run();
    machine.ask(Ask::Retry { run, step: "switch".into(), reason: Some("once more".into()) }).unwrap();
    do_step(&mut machine, "switch");
    assert_eq!(serving(&machine), "dr", "it is done anew");
    let mut machine = recorded();
    attest(&mut machine, "switch");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "dr", "somebody says so anew");
}

#[test]
fn an_open_word_ends_with_another_region_that_is_measured_to_serve_since() {
    let measured = |database: Readings| {
        let mut readings = broken();
        readings.retain(|(probe, _)| !probe.ends_with("-db"));
        readings.extend(database.into_iter().filter(|(probe, _)| probe.ends_with("-db")));
        readings
    };
    let unshown = |machine: &Machine| attested::unshown_of_any(&machine.model, machine.now).is_some();
    let mut machine = switched_by_word();
    complete(&mut machine);
    machine.pass(60, &measured(world(standby("a2"), primary(2, "b"))));
    assert_eq!(serving(&machine), "dr");
    assert!(unshown(&machine), "its proof does not hold");
    machine.pass(60, &measured(world(primary(3, "a3"), standby("b2"))));
    assert_eq!((serving(&machine), unshown(&machine), left(&machine)), ("primary", false, vec![]));
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "primary", "the proof of before moves nothing");
    assert_eq!(machine.model.durable.active.as_ref().unwrap().as_str(), "primary");
    assert_refolds(&machine);
}

#[test]
fn a_run_that_only_waited_leaves_nothing_to_record() {
    let mut machine = to_dr(Mode::Live, |plan| vec![waiting(plan, "wait"), switching(acting(plan, "dns"))]);
    machine.settle();
    machine.pass(5, &rerouted());
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_eq!(left(&machine), []);
}
