//! What a step made of a server has to hold, and is watched until its incident is closed.

use super::fixture::*;
use crate::core::ask::contradiction::{self, Kind};
use crate::core::ask::watch::Found;
use crate::core::words::action::{Done, Proof};
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Outcome;
use crate::core::words::status::StepStatus;
use crate::plan::Severity;

fn primary(timeline: u32) -> Found {
    Found::Primary { timeline, writable: true, system: "77".into() }
}

fn standby() -> Found {
    Found::Standby { timeline: 2, system: "77".into() }
}

fn proof() -> Proof {
    Proof { evidence: vec!["a row was committed".into()] }
}

/// The promotion ran and its first proof is there.
fn holding() -> Machine {
    let mut machine = Machine::failing_over();
    let confirmation = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) }).unwrap();
    machine.effects.clear();
    let (run, step) = (machine.run(), || "promote".into());
    let outcome = Outcome::Done(Done { summary: "done".into() });
    machine.report(Report::Executed { run: run.clone(), step: step(), attempt: 1, outcome }).unwrap();
    let (found, hold) = (primary(2), seconds(30));
    machine.report(Report::Holding { run, step: step(), attempt: 1, proof: proof(), found, hold }).unwrap();
    machine
}

fn check(machine: &mut Machine, result: Result<Proof, crate::core::words::action::Failure>) {
    let run = machine.run();
    machine.report(Report::Checked { run, step: "promote".into(), attempt: 1, result }).unwrap();
}

fn verified() -> Machine {
    let mut machine = holding();
    machine.pass(30, &down());
    check(&mut machine, Ok(proof()));
    machine
}

fn status(machine: &Machine) -> StepStatus {
    machine.model.step(&machine.run(), &"promote".into()).unwrap().1.status
}

fn seen(machine: &mut Machine, found: Found) -> Vec<Fact> {
    let run = machine.run();
    machine.report(Report::Watched { run, step: "promote".into(), found }).unwrap()
}

fn undone(machine: &Machine) -> Vec<(Severity, String)> {
    let open = contradiction::of(&machine.model).iter().map(|open| &open.contradiction);
    open.filter(|open| open.kind == Kind::Undone).map(|open| (open.severity, open.what.clone())).collect()
}

fn watches(machine: &Machine) -> usize {
    machine.effects.iter().filter(|effect| matches!(effect, Effect::Watch { .. })).count()
}

#[test]
fn a_promotion_that_has_to_hold_is_not_done_and_what_needs_it_waits() {
    let machine = holding();
    assert_eq!(status(&machine), StepStatus::Finished);
    let dns = machine.model.step(&machine.run(), &"dns".into()).unwrap().1.status;
    assert_eq!(dns, StepStatus::Pending);
}

#[test]
fn what_was_taken_back_while_it_had_to_hold_is_unknown_and_never_verified() {
    let mut machine = holding();
    check(&mut machine, Err(Machine::failure()));
    assert_eq!((status(&machine), watches(&machine)), (StepStatus::Unknown, 1), "it is looked at on");
}

#[test]
fn a_promotion_taken_back_within_its_hold_is_recorded_and_a_p0_at_once() {
    let mut machine = holding();
    assert!(matches!(&seen(&mut machine, standby())[..], [Fact::TargetChanged { .. }]));
    check(&mut machine, Err(Machine::failure()));
    machine.pass(1, &down());
    let said = undone(&machine);
    assert!(matches!(&said[..], [(Severity::P0, what)] if what.starts_with("TAKEN BACK")), "{said:?}");
    let again = Machine::resumed(machine.log.clone(), machine.now);
    assert_eq!(undone(&again).len(), 1, "the journal has it");
    // It is the primary after all: a new proof has to hold anew.
    let run = machine.run();
    machine.ask(Ask::Recheck { run: run.clone(), step: "promote".into() }).unwrap();
    let (found, hold) = (primary(2), seconds(30));
    machine
        .report(Report::Holding { run, step: "promote".into(), attempt: 1, proof: proof(), found, hold })
        .unwrap();
    machine.pass(1, &down());
    assert_eq!(undone(&machine), []);
}

#[test]
fn nobody_accepts_writes_is_a_p0_once_a_promotion_was_taken_back_although_the_run_is_open() {
    use crate::core::tests::serving::{server, standby as standby_of, world};
    let fenced = Ok(server("primary", 1, "a").with_flag("read_only", true));
    let mut machine = holding();
    machine.pass(5, &world(fenced.clone(), standby_of("b")));
    seen(&mut machine, standby());
    check(&mut machine, Err(Machine::failure()));
    machine.pass(40, &world(fenced, standby_of("b")));
    let open = contradiction::of(&machine.model).iter().map(|open| &open.contradiction);
    let nobody: Vec<_> = open.filter(|open| open.kind == Kind::NobodyWrites).collect();
    assert!(matches!(nobody[..], [open] if open.severity == Severity::P0), "{nobody:?}");
}

#[test]
fn what_was_verified_is_watched_and_by_the_next_engine_too() {
    let machine = verified();
    assert_eq!((status(&machine), watches(&machine)), (StepStatus::Verified, 1));
    let machine = Machine::resumed(machine.log, machine.now);
    assert_eq!(watches(&machine), 1);
}

#[test]
fn a_promotion_taken_back_is_recorded_once_and_a_p0_until_it_is_put_right() {
    let mut machine = verified();
    assert_eq!(seen(&mut machine, primary(2)), []);
    assert!(matches!(&seen(&mut machine, standby())[..], [Fact::TargetChanged { .. }]));
    assert_eq!(seen(&mut machine, standby()), []);
    machine.pass(2, &down());
    let said = undone(&machine);
    assert!(
        matches!(&said[..], [(Severity::P0, what)] if what.starts_with("TAKEN BACK, not by lifeboat: target-of-promote is a standby")),
        "{said:?}"
    );
    assert_eq!(machine.model.severity(), Some(Severity::P0));

    // A new engine knows it from the journal.
    let mut machine = Machine::resumed(machine.log, machine.now);
    assert_eq!(undone(&machine).len(), 1);
    seen(&mut machine, primary(2));
    machine.pass(2, &down());
    assert_eq!(undone(&machine), []);
}

#[test]
fn a_server_that_is_out_of_sight_neither_opens_nor_ends_anything() {
    let mut machine = verified();
    let gone = |why: &str| Found::Unread { why: why.into() };
    assert_eq!(seen(&mut machine, gone("refused")).len(), 1);
    assert_eq!(seen(&mut machine, gone("no answer")), []);
    machine.pass(2, &down());
    assert_eq!(undone(&machine), []);
    seen(&mut machine, standby());
    machine.pass(2, &down());
    seen(&mut machine, gone("refused"));
    machine.pass(2, &down());
    assert_eq!(undone(&machine).len(), 1);
}

#[test]
fn a_primary_on_another_timeline_was_promoted_by_somebody_else() {
    let mut machine = verified();
    seen(&mut machine, primary(3));
    machine.pass(2, &down());
    let said = undone(&machine);
    assert!(matches!(&said[..], [(Severity::P1, what)] if what.contains("timeline 3")), "{said:?}");
}

#[test]
fn the_region_serves_from_when_the_promotion_was_proven_not_from_when_it_had_held() {
    let mut machine = holding();
    let proven = machine.now;
    machine.pass(30, &down());
    check(&mut machine, Ok(proof()));
    let holding = machine.model.step(&machine.run(), &"promote".into()).unwrap().1.holding.clone().unwrap();
    assert_eq!(holding.since, proven);
}

#[test]
fn a_look_at_a_step_that_nobody_watches_says_nothing() {
    let mut machine = Machine::failing_over();
    assert_eq!(seen(&mut machine, standby()), []);
}

#[test]
fn who_is_promoted_after_a_promotion_was_taken_back_serves_although_the_run_is_open() {
    use crate::core::tests::serving::{primary as primary_of, standby as standby_of, world};
    let mut machine = holding();
    seen(&mut machine, standby());
    check(&mut machine, Err(Machine::failure()));
    assert_eq!(status(&machine), StepStatus::Unknown);
    machine.pass(20, &world(primary_of(3, "a"), standby_of("b2")));
    assert_eq!(machine.model.serving().map(|region| region.as_str()), Some("primary"));
    // Its manager makes it the primary after all.
    machine.pass(20, &world(bad(), primary_of(4, "b2")));
    assert_eq!(machine.model.serving().map(|region| region.as_str()), Some("dr"));
    let service = &machine.model.durable.services["postgresql"];
    assert_ne!(service.status, crate::core::model::Status::Down);
}
