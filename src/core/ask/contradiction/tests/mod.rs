//! Contradictions by hand-made readings. The fixture's plan has no rule for any of them.

mod addresses;
mod done_again;
mod nobody;
mod operated;
mod split_brain;
mod untold;
mod words;

use super::*;
use crate::base::problem::Problem;
use crate::core::ask::in_force::{self, Known};
use crate::core::ask::servers::READ_ONLY_HIDDEN;
use crate::core::model::Status;
use crate::core::tests::desk::{self, Telling};
use crate::core::tests::fixture::*;
use crate::core::tests::serving::{primary, server, standby, world};
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::Mode;
use crate::core::words::reading::Measurement;
use crate::core::words::signal::SignalState;
use crate::core::words::status::StepStatus;
use crate::plan::kinds::Does;
use crate::plan::{ConfirmLevel, Plan};
use std::sync::Arc;

type Outcome = Result<Measurement, Problem>;

fn fenced(started: &str) -> Outcome {
    Ok(server("primary", 1, started).with_flag("read_only", true))
}

/// It follows the server that was promoted, on its timeline.
fn rebuilt(started: &str) -> Outcome {
    Ok(server("standby", 2, started))
}

fn kinds(machine: &Machine) -> Vec<Kind> {
    of(&machine.model).iter().map(|open| open.contradiction.kind).collect()
}

fn severity(machine: &Machine) -> Option<Severity> {
    machine.model.severity()
}

/// The old primary came back after a failover.
fn split() -> Vec<(&'static str, Outcome)> {
    world(primary(1, "a"), primary(2, "b"))
}

#[test]
fn a_normal_day_has_no_contradiction() {
    let mut machine = Machine::new();
    machine.pass(60, &world(primary(1, "a"), standby("b")));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![], None));
}

#[test]
fn a_server_that_was_fenced_before_another_one_was_promoted_is_not_advised_to_write_again() {
    let mut plan = (*with_a_fence()).clone();
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    steps.get_mut("promote").unwrap().unfences = Vec::new();
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    let before = world(primary(1, "a"), standby("b"));
    machine.pass(20, &before);
    let fence = machine.prepare("check");
    machine.ask(Ask::Confirm { confirmation: fence, typed: None }).unwrap();
    machine.settle();
    // Nobody sees who was promoted: the probe goes on looking at a standby.
    let after = world(fenced("a"), standby("b"));
    machine.pass(6, &after);
    let promote = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: promote, typed: Some("target-of-promote".into()) }).unwrap();
    machine.settle();
    machine.pass(90, &after);
    let open = of(&machine.model);
    let nobody = open.iter().find(|open| open.contradiction.kind == Kind::NobodyWrites).unwrap();
    let next = &nobody.contradiction.next;
    assert!(next.contains("leave it fenced") && !next.contains("let it write"), "{next}");
}

/// The fixture's failover, whose first step fences the old primary.
fn with_a_fence() -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    let check = steps.get_mut("check").unwrap();
    (check.fences, check.confirm) = (vec!["primary-db".into()], ConfirmLevel::Yes);
    Arc::new(plan)
}

fn failing_over_with_a_fence() -> Machine {
    fenced_under(with_a_fence())
}

fn fenced_under(plan: Arc<Plan>) -> Machine {
    let mut machine = Machine::failing_over_under(plan);
    do_step(&mut machine, "check");
    machine
}

/// Fenced by a person's word, promoted by the run; then the old primary is back, writable.
fn back_after_the_promotion() -> Machine {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
    machine
}

fn do_step(machine: &mut Machine, step: &str) {
    let confirmation = machine.prepare(step);
    let typed = Some(format!("target-of-{step}"));
    machine.ask(Ask::Confirm { confirmation, typed }).unwrap();
    machine.settle();
}

fn again(machine: &mut Machine, reason: Option<&str>) -> Result<(), crate::base::problem::Problem> {
    let run = machine.run();
    let reason = reason.map(str::to_owned);
    machine.ask(Ask::Retry { run, step: "check".into(), reason }).map(|_| ())
}

fn status(machine: &Machine, step: &str) -> StepStatus {
    machine.model.step(&machine.run(), &step.into()).unwrap().1.status
}

#[test]
fn a_fenced_server_that_accepts_writes_is_over_when_it_is_recorded_to_serve() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    machine.ask(Ask::Abort { reason: "it was well".into() }).unwrap();
    machine.ask(Ask::RecordServing { region: "dr".into(), reason: "for a moment".into() }).unwrap();
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    machine.ask(Ask::RecordServing { region: "primary".into(), reason: "unfenced by hand".into() }).unwrap();
    machine.pass(2, &world(primary(1, "a"), standby("b")));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_server_that_was_fenced_and_accepts_writes_again_is_a_p0_before_anybody_else_is_promoted() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(severity(&machine), Some(Severity::P0));
    let id = machine.prepare("promote");
    let typed = Some("target-of-promote".to_owned());
    machine.ask(Ask::Confirm { confirmation: id, typed }).unwrap_err();
}

#[test]
fn the_undo_of_a_fence_is_told_with_what_it_would_make_once_another_server_serves() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(12, &world(fenced("a"), primary(2, "b")));
    let list = in_force::of(&machine.model);
    let mut fence = list.iter().find(|left| left.is_fence).unwrap().clone();
    fence.undo = vec!["alter system reset default_transaction_read_only".into()];
    let words = fence.undo_words();
    assert!(fence.guards_failover && words.starts_with("ONLY ONCE IT FOLLOWS"), "{words}");
}

#[test]
fn a_fence_whose_server_was_rebuilt_as_a_standby_is_in_force_no_more() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    let fences = |machine: &Machine| in_force::of(&machine.model).iter().filter(|left| left.is_fence).count();
    assert_eq!(fences(&machine), 1);
    let still_fenced = || Ok(server("standby", 2, "a2").with_flag("read_only", true));
    machine.pass(60, &world(still_fenced(), primary(2, "b")));
    assert_eq!(fences(&machine), 1, "a standby that took the setting with it");
    machine.pass(60, &world(rebuilt("a3"), primary(2, "b")));
    assert_eq!(fences(&machine), 0);
    // It is promoted later: nobody fenced it.
    machine.pass(60, &world(primary(3, "a3"), bad()));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn the_only_server_that_accepts_writes_is_not_told_to_be_fenced() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(30, &world(fenced("a"), bad()));
    machine.pass(30, &world(primary(1, "a"), bad()));
    let open = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::FencedWrites).unwrap();
    assert_eq!(open.contradiction.to_fence, None);
    assert!(open.contradiction.next.contains("DO NOT FENCE IT"), "{}", open.contradiction.next);
}

/// The old primary's fence was never lifted; the new one dies, and the old one is promoted by hand at once.
#[test]
fn a_fenced_server_is_not_named_while_no_other_one_is_seen_to_accept_writes() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    machine.ask(Ask::Abort { reason: "done".into() }).unwrap();
    // The other one is not even known to be down yet.
    machine.pass(6, &world(primary(3, "a"), bad()));
    let find = |machine: &Machine| {
        let known = of(&machine.model).iter().map(|open| open.contradiction.clone());
        known.filter(|known| known.kind == Kind::FencedWrites).collect::<Vec<_>>()
    };
    let found = find(&machine);
    assert!(matches!(&found[..], [known] if known.is_last && known.to_fence.is_none()), "{found:?}");
    assert!(remedy(&machine.model, &found[0]).is_none());
}

#[test]
fn what_to_do_about_a_broken_fence_turns_with_who_else_accepts_writes() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    let last = |machine: &Machine| {
        let mut known = of(&machine.model).iter().map(|open| &open.contradiction);
        known
            .find(|known| known.kind == Kind::FencedWrites)
            .map(|known| (known.is_last, known.to_fence.is_some()))
    };
    assert_eq!(last(&machine), Some((true, false)));
    machine.pass(2, &world(primary(1, "a"), standby("b")));
    assert_eq!(last(&machine), Some((true, false)));
}

/// `fence` names what watches the server, as a plan does by itself: a lag that is measured against it is among that.
fn with_a_fence_seen_by_a_lag() -> Arc<Plan> {
    use crate::plan::params::Param;
    let mut plan = (*with_a_fence()).clone();
    let fence = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("check").unwrap();
    fence.fences.push("dr-lag".into());
    for (probe, key, dsn) in [
        ("primary-db", "dsn", "a"),
        ("dr-db", "dsn", "b"),
        ("dr-lag", "dsn", "b"),
        ("dr-lag", "primary", "a"),
    ] {
        let params = &mut plan.probes.get_mut(probe).unwrap().params;
        params.0.insert(key.into(), Param::Text(format!("host={dsn}")));
    }
    Arc::new(plan)
}

/// A primary of which the probe's own session hides whether it is read-only.
fn hidden(timeline: u32, started: &str) -> Outcome {
    let mut measured = server("primary", timeline, started);
    measured.fields.remove("read_only");
    Ok(measured.with_text(READ_ONLY_HIDDEN, "by its role".to_owned()))
}

#[test]
fn a_fence_stays_in_force_around_a_standby_that_was_not_rewound_onto_the_timeline_of_the_one_that_serves() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    machine.pass(90, &world(standby("a2"), primary(2, "b")));
    assert_eq!(in_force::of(&machine.model).iter().filter(|left| left.is_fence).count(), 1);
}
