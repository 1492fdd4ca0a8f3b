//! Which runs move their region: what has to be done for it, and what is left to record where it was not.

use super::fixture::*;
use super::placement::*;
use super::proving::*;
use super::serving::{primary, standby, world};
use crate::core::ask::attested;
use crate::core::model::Model;
use crate::core::words::action::{Acted, Done, Failure};
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::status::StepStatus;
use crate::plan::condition::Condition;
use crate::plan::kinds::Does;
use crate::plan::{ConfirmLevel, Plan, Step};

/// A step of this name that acts and needs one key.
pub(super) fn acting(plan: &Plan, id: &str) -> Step {
    Step { id: id.into(), title: id.into(), ..plan.runbooks["to-dr"].steps["all-to-dr"].clone() }
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
fn lost(machine: &mut Machine, step: &str) {
    executed(machine, step, Outcome::Failed(Failure { acted: Acted::Maybe, ..Machine::failure() }));
}

/// The step ran to its end; its proof is awaited.
fn finished(machine: &mut Machine, step: &str) {
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

fn recheck(machine: &mut Machine, step: &str) {
    let run = machine.run();
    machine.ask(Ask::Recheck { run, step: step.into() }).unwrap();
    machine.settle();
}

pub(super) fn abort(machine: &mut Machine) {
    machine.ask(Ask::Abort { reason: "the wrong one".into() }).unwrap();
}

fn said(machine: &Machine) -> String {
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
fn assert_left(mut machine: Machine, step: &str) {
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

/// The run is complete, its only acting step was skipped, and people told others.
pub(crate) fn without_its_switch() -> Machine {
    let mut machine = to_dr(Mode::Live, |plan| vec![acting(plan, "dns"), by_hand(plan, "phone")]);
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

#[test]
fn a_run_whose_only_acting_step_was_skipped_moves_nothing_whatever_people_told() {
    let machine = without_its_switch();
    let said = said(&machine);
    assert!(
        said.starts_with("\"dns\" was skipped: whether somewhere serves now is not known. If "),
        "{said}"
    );
    assert_left(machine, "dns");
}

#[test]
fn a_run_that_people_do_by_hand_moves_nothing_where_they_left_a_part_out() {
    let mut machine = to_dr(Mode::Live, |plan| vec![by_hand(plan, "phone"), by_hand(plan, "dns")]);
    attest(&mut machine, "phone");
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_left(machine, "dns");
}

#[test]
fn a_run_of_which_one_step_may_have_acted_and_was_left_out_moves_nothing() {
    let mut machine = to_dr(Mode::Live, |plan| vec![acting(plan, "scale"), acting(plan, "dns")]);
    do_step(&mut machine, "scale");
    lost(&mut machine, "dns");
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert!(said(&machine).starts_with("nobody knows whether \"dns\" acted before it was skipped. If "));
    assert_left(machine, "dns");
}

#[test]
fn a_point_of_no_return_that_was_skipped_is_told_and_moves_nothing() {
    let mut machine = to_dr(Mode::Live, |plan| vec![no_return(plan, "promote"), acting(plan, "dns")]);
    skip(&mut machine, "promote");
    do_step(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_left(machine, "promote");
}

#[test]
fn what_waits_and_what_fences_switches_nothing() {
    let mut machine = to_dr(Mode::Live, |plan| vec![waiting(plan, "wait"), by_hand(plan, "dns")]);
    machine.pass(1, &[]);
    machine.settle();
    assert_eq!(state(&machine, "wait").status, StepStatus::Verified);
    assert_eq!(serving(&machine), "primary", "nobody switched");
    attest(&mut machine, "dns");
    assert_eq!(serving(&machine), "dr");
    let fence = |plan: &Plan| Step { fences: vec!["primary-db".into()], ..acting(plan, "fence") };
    let mut machine = to_dr(Mode::Live, |plan| vec![fence(plan), acting(plan, "dns")]);
    do_step(&mut machine, "fence");
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![("dns", Some("dr"))]));
}

#[test]
fn a_run_of_which_nothing_was_done_leaves_nothing() {
    let mut machine = to_dr(Mode::Live, |plan| vec![acting(plan, "dns"), by_hand(plan, "phone")]);
    skip(&mut machine, "dns");
    skip(&mut machine, "phone");
    machine.pass(1, &[]);
    assert_eq!((serving(&machine), left(&machine)), ("primary", vec![]));
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
    let mut machine =
        to_dr(Mode::Live, |plan| vec![no_return(plan, "promote"), acting(plan, "start-the-apps")]);
    do_step(&mut machine, "promote");
    abort(&mut machine);
    assert_left(machine, "promote");
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
fn a_switch_by_hand_of_an_aborted_run_is_left_also_where_it_wants_no_proof() {
    let mut machine = switched_by_hand();
    abort(&mut machine);
    assert!(said(&machine).starts_with("\"dns\" was attested, and moved nothing because of the abort. If "));
    assert_left(machine, "dns");
}

#[test]
fn a_persons_record_stands_when_what_ran_before_the_abort_is_proven_after_it() {
    let mut machine = moving();
    finished(&mut machine, "reroute");
    abort(&mut machine);
    assert_eq!(left(&machine), [("reroute", None)], "it may have moved the API");
    record(&mut machine, "dr");
    record(&mut machine, "primary");
    let (run, step) = (machine.run(), "reroute".into());
    let proof = crate::core::words::action::Proof { evidence: vec!["seen".into()] };
    machine.report(Report::Checked { run, step, attempt: 1, result: Ok(proof) }).unwrap();
    assert_eq!(state(&machine, "reroute").status, StepStatus::Verified);
    machine.pass(10, &rerouted());
    assert_eq!(api(&machine).0, "primary");
    assert_kept(&machine);
}

#[test]
fn a_run_that_was_overtaken_leads_nowhere_and_its_region_may_be_recorded() {
    let proof = Some(Condition::parse("signals['public-api'].state == 'ok'").unwrap());
    let mut machine = to_dr(Mode::Live, |plan| {
        vec![Step { verify: proof, ..no_return(plan, "promote") }, by_hand(plan, "phone")]
    });
    attest(&mut machine, "promote");
    record(&mut machine, "primary");
    record(&mut machine, "dr");
    assert_eq!(serving(&machine), "dr");
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
    let prove = |machine: &mut Machine, attempt| {
        let proof = crate::core::words::action::Proof { evidence: vec!["seen".into()] };
        let (run, step) = (machine.run(), "reroute".into());
        machine.report(Report::Checked { run, step, attempt, result: Ok(proof) }).unwrap();
        machine.pass(5, &rerouted());
    };
    let recorded = || {
        let mut machine = moving();
        lost(&mut machine, "reroute");
        ["dr", "primary"].into_iter().for_each(|region| record(&mut machine, region));
        machine
    };
    let mut machine = recorded();
    prove(&mut machine, 1);
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
fn a_run_of_which_an_acting_step_was_left_out_leaves_it_to_a_person_to_say_what_serves() {
    let mut machine = to_dr(Mode::Live, |plan| vec![acting(plan, "snapshot"), acting(plan, "dns")]);
    do_step(&mut machine, "snapshot");
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_left(machine, "dns");
}

#[test]
fn what_is_done_anew_after_a_record_and_moves_nothing_is_told() {
    let mut machine = to_dr(Mode::Live, |plan| vec![no_return(plan, "promote"), by_hand(plan, "last")]);
    attest(&mut machine, "promote");
    record(&mut machine, "primary");
    machine.now += seconds(1);
    let run = machine.run();
    machine.ask(Ask::Retry { run, step: "promote".into(), reason: Some("it was not done".into()) }).unwrap();
    do_step(&mut machine, "promote");
    machine.pass(30, &rerouted());
    attest(&mut machine, "last");
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "primary", "the record stands");
    assert!(
        said(&machine).starts_with("\"promote\" is verified, and its run moved nothing"),
        "{}",
        said(&machine)
    );
    assert_left(machine, "promote");
}

#[test]
fn a_fence_that_cannot_be_undone_lets_no_region_serve() {
    let mut machine = to_dr(Mode::Live, |plan| {
        let kill = Step { fences: vec!["primary-db".into()], ..no_return(plan, "kill") };
        vec![kill, acting(plan, "dns"), by_hand(plan, "last")]
    });
    do_step(&mut machine, "kill");
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "primary");
    attest(&mut machine, "last");
    machine.pass(1, &[]);
    assert_left(machine, "dns");
}

#[test]
fn what_people_do_by_hand_counts_beside_what_acts() {
    let steps = |plan: &Plan| vec![acting(plan, "snapshot"), by_hand(plan, "dns")];
    let mut machine = to_dr(Mode::Live, steps);
    do_step(&mut machine, "snapshot");
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "primary", "nobody switched yet");
    attest(&mut machine, "dns");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "dr");
    let mut machine = to_dr(Mode::Live, steps);
    do_step(&mut machine, "snapshot");
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_left(machine, "dns");
}

#[test]
fn what_a_run_put_up_for_a_while_and_took_down_again_keeps_nothing_from_moving() {
    let mut machine = to_dr(Mode::Live, |plan| {
        let off = Step { undoes: vec!["on".into()], verify: None, ..acting(plan, "off") };
        let never = Some(Condition::parse("signals['primary-api'].state == 'ok'").unwrap());
        let on = Step { verify: never, ..acting(plan, "on") };
        vec![on, Step { verify: None, ..acting(plan, "dns") }, off]
    });
    attest(&mut machine, "on");
    do_step(&mut machine, "dns");
    machine.pass(5, &broken());
    assert_eq!(serving(&machine), "primary");
    do_step(&mut machine, "off");
    machine.pass(5, &broken());
    assert_eq!(serving(&machine), "dr");
}

#[test]
fn a_switch_that_its_own_run_took_back_moves_nothing() {
    let mut machine = to_dr(Mode::Live, |plan| {
        let back = Step { undoes: vec!["dns".into()], verify: None, ..acting(plan, "back") };
        vec![Step { verify: None, ..acting(plan, "dns") }, by_hand(plan, "wait"), back]
    });
    for step in ["dns", "back"] {
        do_step(&mut machine, step);
    }
    attest(&mut machine, "wait");
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "dr", "the step by hand is done, and is not taken back");
    let mut machine = to_dr(Mode::Live, |plan| {
        let back = Step { undoes: vec!["dns".into()], verify: None, ..acting(plan, "back") };
        vec![Step { verify: None, ..acting(plan, "dns") }, back]
    });
    for step in ["dns", "back"] {
        do_step(&mut machine, step);
    }
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "primary");
}

#[test]
fn a_run_that_only_waited_leaves_nothing_to_record() {
    let mut machine = to_dr(Mode::Live, |plan| {
        let dns = Step { switches: true, ..acting(plan, "dns") };
        vec![waiting(plan, "wait"), dns]
    });
    machine.settle();
    machine.pass(5, &rerouted());
    skip(&mut machine, "dns");
    machine.pass(1, &[]);
    assert_eq!(left(&machine), []);
}
