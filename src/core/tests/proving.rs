//! What a person's word comes to: what proves it, what it moves, and what moves nothing any more.

use super::fixture::*;
use super::placement::*;
use super::readiness::dumps;
use crate::core::ask::attested;
use crate::core::ask::names::{Since, View};
use crate::core::ask::objectives::{overall_clock, overall_stopped};
use crate::core::model::Status;
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Mode, Outcome, StepRun};
use crate::core::words::status::StepStatus;
use crate::plan::condition::{Condition, Names, Reference};
use crate::plan::vocabulary::PROPERTIES;
use crate::plan::{Plan, Severity};
use std::sync::Arc;

/// The run that switches is open, and its switch is on a person's word.
pub(crate) fn switched_by_word() -> Machine {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    machine
}

/// The same once its proof was seen.
pub(crate) fn switched() -> Machine {
    let mut machine = switched_by_word();
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "dr");
    machine
}

pub(super) fn serving(machine: &Machine) -> &str {
    machine.model.serving().unwrap().as_str()
}

pub(super) fn skip(machine: &mut Machine, step: &str) {
    let run = machine.run();
    machine.ask(Ask::Skip { run, step: step.into(), reason: "no need".into() }).unwrap();
    machine.settle();
}

pub(crate) fn record(machine: &mut Machine, region: &str) {
    machine.ask(Ask::RecordServing { region: region.into(), reason: "seen".into() }).unwrap();
}

pub(super) fn close(machine: &mut Machine) {
    machine.ask(Ask::Close { reason: "they go on".into() }).unwrap();
}

/// What somebody has to record something for, by its name in the plan, and the region that would serve.
pub(super) fn left(machine: &Machine) -> Vec<(&str, Option<&str>)> {
    let left = attested::left(&machine.model);
    left.iter().map(|left| (left.found.id, left.found.region.map(|region| region.as_str()))).collect()
}

pub(super) fn state(machine: &Machine, step: &str) -> StepRun {
    machine.model.step(&machine.run(), &step.into()).unwrap().1.clone()
}

/// The run is complete; the next one of the incident may begin.
pub(crate) fn complete(machine: &mut Machine) {
    skip(machine, "after");
    machine.pass(1, &[]);
}

/// The incident was closed before the proof of its switch was seen, and all is well.
pub(crate) fn closed_by_word() -> Machine {
    let mut machine = switched_by_word();
    complete(&mut machine);
    close(&mut machine);
    machine.pass(30, &rerouted_and_well());
    machine
}

pub(super) fn with(change: impl FnOnce(&mut Plan)) -> Machine {
    with_mode(Mode::Live, change)
}

pub(super) fn with_mode(mode: Mode, change: impl FnOnce(&mut Plan)) -> Machine {
    let mut plan = (*plan_with_api()).clone();
    change(&mut plan);
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(20, &healthy());
    machine.pass(30, &broken());
    machine.ask(Ask::Declare { title: "API gone".into(), mode }).unwrap();
    machine
}

#[test]
fn a_word_that_was_taken_back_is_no_proof_when_another_step_is_settled() {
    let mut machine = {
        let mut plan = (*plan_with_api()).clone();
        plan.runbooks["switch-to-dr"].steps["switch"].undo = Some("put it back".into());
        let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
        machine.pass(20, &healthy());
        machine.pass(30, &broken());
        machine.ask(Ask::Declare { title: "API gone".into(), mode: Mode::Live }).unwrap();
        begin(&mut machine, "switch-to-dr");
        attest(&mut machine, "switch");
        machine
    };
    let run = machine.run();
    let how = "put back".to_owned();
    machine.ask(Ask::Undone { run, step: "switch".into(), how, stays: false }).unwrap();
    attest(&mut machine, "after");
    machine.pass(10, &broken());
    assert_eq!(serving(&machine), "primary", "customers are not served");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "primary", "nor by the proof of what was taken back");
}

#[test]
fn a_word_that_another_record_overtook_proves_nothing() {
    let mut machine = switched_by_word();
    machine.pass(5, &broken());
    record(&mut machine, "primary");
    attest(&mut machine, "after");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "primary");
    assert_kept(&machine);
}

#[test]
fn a_persons_record_stands_when_any_other_step_of_the_run_is_settled_later() {
    let settle: [fn(&mut Machine); 3] = [
        |machine| skip(machine, "after"),
        |machine| attest(machine, "after"),
        |machine| do_step(machine, "after"),
    ];
    for by in settle {
        let mut machine = switched();
        record(&mut machine, "primary");
        by(&mut machine);
        assert!(state(&machine, "after").status.is_settled());
        machine.pass(30, &rerouted());
        assert_eq!(serving(&machine), "primary");
        assert_eq!(machine.model.durable.switches.len(), 2, "to the other region, and back by the record");
        assert_kept(&machine);
    }
}

#[test]
fn a_switch_that_is_done_again_moves_again() {
    let mut machine = switched();
    record(&mut machine, "primary");
    let run = machine.run();
    machine.ask(Ask::Retry { run, step: "switch".into(), reason: Some("once more".into()) }).unwrap();
    do_step(&mut machine, "switch");
    assert_eq!(serving(&machine), "dr");
    assert!(!state(&machine, "switch").unproven, "lifeboat did it this time");
}

#[test]
fn what_was_said_in_an_exercise_moves_nothing_once_it_is_live() {
    let mut machine = declared(Mode::SafeDrill);
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    let id = machine.model.durable.incident.as_ref().unwrap().id.clone();
    let now = machine.now;
    machine.take(vec![Fact::DrillTurnedLive {
        id,
        title: "for real".into(),
        detected_at: now,
        severity: Some(Severity::P1),
        proposal: None,
    }]);
    assert!(state(&machine, "switch").exercise, "nobody did it");
    assert_eq!(crate::core::ask::in_force::of(&machine.model).len(), 0);
    attest(&mut machine, "after");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "primary");
}

#[test]
fn an_aborted_run_moves_nothing_whatever_is_read_later() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    let confirmation = machine.prepare("switch");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    let run = machine.run();
    let outcome = Outcome::Done(crate::core::words::action::Done { summary: "done".into() });
    machine.report(Report::Executed { run, step: "switch".into(), attempt: 1, outcome }).unwrap();
    machine.effects.clear();
    machine.ask(Ask::Abort { reason: "the supplier refused it".into() }).unwrap();
    machine.settle();
    machine.pass(30, &rerouted());
    machine.settle();
    assert_eq!(serving(&machine), "primary");
}

#[test]
fn a_word_counts_by_readings_of_after_it_also_where_lifeboat_had_tried_the_step() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    let confirmation = machine.prepare("switch");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    let run = machine.run();
    let lost = crate::core::words::action::Failure {
        acted: crate::core::words::action::Acted::Maybe,
        ..Machine::failure()
    };
    machine
        .report(Report::Executed { run, step: "switch".into(), attempt: 1, outcome: Outcome::Failed(lost) })
        .unwrap();
    machine.effects.clear();
    machine.pass(10, &rerouted());
    attest(&mut machine, "switch");
    assert!(state(&machine, "switch").unproven);
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "primary", "that was measured before the word");
    machine.pass(4, &broken());
    assert_eq!(serving(&machine), "primary");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "dr");
}

#[test]
fn every_name_of_a_condition_asks_for_readings_of_after_the_step() {
    let mut plan = (*plan_with_api()).clone();
    plan.backups.insert("dump".into(), crate::plan::Backup { probe: "public-api".into(), ..dumps() });
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(20, &broken());
    machine.ask(Ask::Declare { title: "API gone".into(), mode: Mode::Live }).unwrap();
    machine.pass(20, &broken());
    let since = machine.now;
    let name = |root: &str| match root {
        "signals" => Some("public-api".to_owned()),
        "regions" => Some("primary".to_owned()),
        "services" => Some("api".to_owned()),
        "backups" => Some("dump".to_owned()),
        _ => None,
    };
    let properties = PROPERTIES.iter().map(|property| (property.root, property.field));
    let names: Vec<Reference> = properties
        .chain([("signals", "fields.anything"), ("signals", "fields.exposure_s")])
        .map(|(root, field)| Reference { root: root.into(), name: name(root), field: field.into() })
        .collect();
    let value = |machine: &Machine, reference: &Reference| {
        let view = View { model: &machine.model, now: machine.now };
        Since { view, since: Some(since), ahead: Vec::new() }.lookup(reference)
    };
    // What people did; nothing measures it.
    let is_done = |reference: &Reference| reference.root == "incident" && reference.field != "severity";
    for reference in names.iter().filter(|reference| !is_done(reference)) {
        let before = value(&machine, reference);
        let asks = before.as_ref().is_err_and(|why| why.contains("was not measured since"));
        assert!(asks, "{reference}: {before:?}");
    }
    machine.pass(2, &broken());
    for reference in &names {
        let view = View { model: &machine.model, now: machine.now };
        assert_eq!(value(&machine, reference), view.lookup(reference), "{reference}");
    }
}

#[test]
fn a_service_without_probes_where_it_serves_is_proven_by_readings_of_after_the_word() {
    let mut plan = (*plan_with_api()).clone();
    plan.services["api"].health.shift_remove("dr");
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(20, &rerouted_and_well());
    record(&mut machine, "dr");
    let since = machine.now;
    let proof = Condition::parse("services.api.status == 'up'").unwrap();
    let holds = |machine: &Machine| {
        let view = View { model: &machine.model, now: machine.now };
        proof.evaluate(&Since { view, since: Some(since), ahead: Vec::new() })
    };
    assert!(matches!(holds(&machine), crate::plan::condition::Truth::Unknown(_)));
    machine.pass(2, &rerouted_and_well());
    assert_eq!(holds(&machine), crate::plan::condition::Truth::True);
}

#[test]
fn a_step_is_proven_by_its_service_where_it_moves_it_to() {
    let up = Condition::parse("services.api.status == 'up'").unwrap();
    for (runbook, step) in [("switch-to-dr", "switch"), ("selective", "reroute")] {
        let change = |plan: &mut Plan| plan.runbooks[runbook].steps[step].verify = Some(up.clone());
        let mut machine = with(change);
        begin(&mut machine, runbook);
        attest(&mut machine, step);
        let mut down = broken();
        down.retain(|(probe, _)| *probe != "dr-api");
        down.push(("dr-api", bad()));
        machine.pass(30, &down);
        assert_eq!(api(&machine), ("primary", Status::Down), "{runbook}: it does not work there either");
        // The region that it leaves stays dead.
        machine.pass(30, &broken());
        assert_eq!(api(&machine), ("dr", Status::Up), "{runbook}");
    }
}

#[test]
fn a_step_is_proven_where_a_step_that_undoes_another_moves_its_service_back_to() {
    let up = Condition::parse("services.api.status == 'up'").unwrap();
    let mut machine = with(|plan| plan.runbooks["undo"].steps["back"].verify = Some(up));
    begin(&mut machine, "selective");
    ["reroute", "rest"].into_iter().for_each(|step| do_step(&mut machine, step));
    machine.pass(10, &rerouted());
    begin(&mut machine, "undo");
    attest(&mut machine, "back");
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine).0, "dr", "the primary region is down still");
    machine.pass(30, &rerouted_and_well());
    assert_eq!(api(&machine), ("primary", Status::Up));
}

#[test]
fn a_switch_that_was_proven_is_not_called_unproven_when_it_breaks_later() {
    let mut machine = switched();
    machine.pass(30, &broken());
    assert_eq!(attested::unshown_of_any(&machine.model, machine.now), None);
}

#[test]
fn an_unproven_word_of_an_earlier_run_of_the_incident_is_told() {
    let mut machine = switched_by_word();
    complete(&mut machine);
    begin(&mut machine, "say");
    attest(&mut machine, "says");
    machine.pass(10, &broken());
    let unshown = attested::unshown_of_any(&machine.model, machine.now);
    assert_eq!(unshown.map(|unshown| unshown.step.id.as_str()), Some("switch"));
    close(&mut machine);
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
}

#[test]
fn a_word_of_an_aborted_or_closed_run_moves_nothing_and_is_left_until_somebody_records_what_serves() {
    for region in ["dr", "primary"] {
        let mut machine = switched_by_word();
        let run = machine.model.run(&machine.run()).unwrap().clone();
        assert_eq!(attested::of_run(&machine.model, &run).len(), 1, "what the form of the abort tells");
        assert_eq!(left(&machine), [], "its proof may come");
        machine.ask(Ask::Abort { reason: "it was never done".into() }).unwrap();
        assert_eq!(left(&machine), [("switch", Some("dr"))]);
        machine.pass(30, &rerouted_and_well());
        assert_eq!(serving(&machine), "primary", "nobody switched");
        close(&mut machine);
        machine.pass(30, &rerouted_and_well());
        assert_eq!((serving(&machine), left(&machine).len()), ("primary", 1));
        record(&mut machine, region);
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
        assert_kept(&machine);
    }
}

#[test]
fn what_is_left_of_a_word_outlives_other_incidents_and_does_not_come_back() {
    let mut machine = switched_by_word();
    complete(&mut machine);
    close(&mut machine);
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    machine.ask(Ask::Declare { title: "why".into(), mode: Mode::Live }).unwrap();
    close(&mut machine);
    assert_eq!(left(&machine), [("switch", Some("dr"))]);
    for region in ["dr", "primary"] {
        record(&mut machine, region);
        assert_eq!(left(&machine), [], "{region}");
    }
}

#[test]
fn a_service_that_a_word_moved_is_left_after_the_close_and_an_exercise_leaves_nothing() {
    for (mode, expected) in [(Mode::Live, 1), (Mode::SafeDrill, 0)] {
        let mut machine = declared(mode);
        begin(&mut machine, "selective");
        attest(&mut machine, "reroute");
        attest(&mut machine, "rest");
        machine.pass(1, &[]);
        close(&mut machine);
        assert_eq!(left(&machine).len(), expected, "{mode:?}");
        if expected == 1 {
            record(&mut machine, "primary");
            assert_eq!(left(&machine), []);
        }
    }
}

#[test]
fn readings_count_after_a_word_that_a_clock_put_into_the_future() {
    let machine = switched_by_word();
    let log: Vec<Event> = machine.log.clone();
    // The next engine has the right time, which is ten minutes earlier.
    let right = machine.now.checked_sub(seconds(600)).unwrap();
    let mut machine = Machine::resumed_under(plan_with_api(), log, right);
    assert_eq!(state(&machine, "switch").status, StepStatus::Attested);
    machine.pass(10, &broken());
    let clock = overall_clock(&machine.model, machine.now).expect("it does not work");
    assert!(!clock.elapsed.is_negative() && clock.elapsed <= seconds(10), "{clock:?}");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "dr");
    let services = machine.model.durable.services.keys();
    let stopped = overall_stopped(&machine.model, services).expect("it was broken in this incident");
    assert!(stopped.elapsed.is_positive(), "{stopped:?}");
}

#[test]
fn a_region_that_a_run_moved_is_told_once() {
    let mut machine = switched();
    let told = |machine: &Machine| {
        let moved = machine.log.iter().filter(|event| matches!(event.fact, Fact::RegionMoved { .. }));
        moved.count()
    };
    assert_eq!(told(&machine), 1);
    record(&mut machine, "primary");
    attest(&mut machine, "after");
    machine.pass(30, &rerouted());
    assert_eq!(told(&machine), 1, "a record tells of itself");
}

#[test]
fn a_word_whose_service_a_later_step_moves_still_moves_the_region_and_the_rest() {
    // The switch says where the API is, and so does the step after it, before the proof of either was seen.
    let serves = |region: &str| [("api".into(), region.into())].into_iter().collect();
    let mut machine = with(|plan| {
        let steps = &mut plan.runbooks["switch-to-dr"].steps;
        steps["switch"].serves = serves("dr");
        steps["after"].serves = serves("dr");
    });
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    attest(&mut machine, "after");
    assert_eq!(serving(&machine), "primary", "nothing has shown it");
    machine.pass(30, &rerouted());
    assert_eq!(serving(&machine), "dr");
    assert_eq!(api(&machine).0, "dr");
    assert_kept(&machine);
}

#[test]
fn a_step_takes_back_the_one_of_its_own_runbook_and_none_of_that_name_elsewhere() {
    let mut machine = with(|plan| {
        let own = plan.runbooks["selective"].steps["reroute"].clone();
        let back = &mut plan.runbooks["undo"];
        back.steps.insert("reroute".into(), crate::plan::Step { serves: Default::default(), ..own });
    });
    begin(&mut machine, "selective");
    do_step(&mut machine, "reroute");
    do_step(&mut machine, "rest");
    machine.pass(1, &rerouted());
    assert_eq!(api(&machine).0, "dr");
    run_through(&mut machine, "undo", "back");
    assert_eq!(api(&machine).0, "dr", "its own `reroute` is meant, which moved nothing");
}

#[test]
fn a_switch_that_nobody_knows_of_is_left_after_the_abort_and_the_close_until_somebody_records_what_serves() {
    for region in ["dr", "primary"] {
        let mut machine = declared(Mode::Live);
        begin(&mut machine, "switch-to-dr");
        let confirmation = machine.prepare("switch");
        machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
        let mut machine = Machine::resumed_under(plan_with_api(), machine.log, machine.now);
        assert_eq!(state(&machine, "switch").status, StepStatus::Unknown);
        machine.pass(30, &broken());
        assert_eq!(
            left(&machine),
            [("switch", Some("dr"))],
            "its proof, or a person, says what became of it"
        );
        machine.ask(Ask::Abort { reason: "nobody knows".into() }).unwrap();
        assert_eq!(left(&machine), [("switch", Some("dr"))]);
        let said = attested::left(&machine.model)[0].sentence(&machine.model, "T");
        assert!(said.starts_with("nobody knows whether \"switch\" acted before the abort. If "), "{said}");
        close(&mut machine);
        machine.pass(30, &rerouted_and_well());
        assert_eq!((serving(&machine), left(&machine).len()), ("primary", 1));
        record(&mut machine, region);
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
        assert_kept(&machine);
    }
}
