//! Contradictions by hand-made readings. The fixture's plan has no rule for any of them.

use super::*;
use crate::core::command::Ask;
use crate::core::fact::Fact;
use crate::core::incident::Mode;
use crate::core::reading::{Measurement, ProbeFailure};
use crate::core::tests::desk::{self, Telling};
use crate::core::tests::fixture::*;
use crate::core::tests::serving::{primary, server, standby, world};

type Outcome = Result<Measurement, ProbeFailure>;

fn fenced(started: &str) -> Outcome {
    Ok(server("primary", 1, started).with_flag("read_only", true))
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
fn two_primaries_are_a_p0_without_any_rule_of_the_plan() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
    let (severity, _, why) = machine.model.durable.severity.clone().unwrap();
    assert_eq!(severity, Severity::P0);
    assert!(why.contains("SPLIT BRAIN") && why.contains("primary-db") && why.contains("dr-db"), "{why}");
}

#[test]
fn what_is_no_split_brain_is_not_called_one() {
    let cases: [(&str, Outcome, Outcome); 4] = [
        ("one server behind two addresses", primary(2, "b"), primary(2, "b")),
        ("a primary that was just fenced", fenced("a"), primary(2, "b")),
        ("a primary that cannot be read", blind(), primary(2, "b")),
        (
            "another database",
            Ok(server("primary", 1, "a").with_text("system_identifier", "78".to_owned())),
            primary(2, "b"),
        ),
    ];
    for (case, one, other) in cases {
        let mut machine = Machine::new();
        machine.pass(60, &world(one, other));
        assert!(!kinds(&machine).contains(&Kind::TwoPrimaries), "{case}");
    }
}

#[test]
fn a_reading_of_before_the_promotion_makes_no_second_primary() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    // The old primary is silent from here on, its last reading still fresh when the other one is promoted.
    machine.pass(14, &world(blind(), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn a_primary_that_came_back_and_went_silent_again_stays_a_split_brain_until_it_is_seen_or_answered() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.pass(60, &world(bad(), primary(2, "b")));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![Kind::TwoPrimaries], Some(Severity::P0)));
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "powered off at the switch".into() }).unwrap();
    machine.pass(2, &world(bad(), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere], "what is left is that nobody recorded the move");
}

#[test]
fn a_split_brain_is_over_when_one_of_them_is_read_as_fenced() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.pass(3, &world(fenced("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    let ended = machine.log.iter().any(|event| matches!(event.fact, Fact::ContradictionEnded { .. }));
    assert!(ended);
}

#[test]
fn nobody_accepts_writes_when_both_are_standbys_or_the_only_primary_is_down() {
    for (case, one, other) in [
        ("demoted by its manager", standby("a"), standby("b")),
        ("the primary died", bad(), standby("b")),
        ("fenced and forgotten", fenced("a"), standby("b")),
    ] {
        let mut machine = Machine::new();
        machine.pass(20, &world(primary(1, "a"), standby("b")));
        machine.pass(5, &world(one.clone(), other.clone()));
        assert_eq!(kinds(&machine), [], "{case}: not at the first look");
        machine.pass(30, &world(one, other));
        assert_eq!(kinds(&machine), [Kind::NobodyWrites], "{case}");
        assert_eq!(severity(&machine), Some(Severity::P0), "{case}");
        machine.pass(6, &world(primary(3, "a"), standby("b")));
        assert_eq!(kinds(&machine), [], "{case}");
    }
}

#[test]
fn what_cannot_be_told_is_not_called_nobody() {
    let mut machine = Machine::new();
    machine.pass(60, &world(blind(), standby("b")));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn an_unanswered_split_brain_refuses_resolve_and_close_and_an_answer_is_good_for_that_one_only() {
    let mut machine = Machine::new();
    machine.ask(Ask::Declare { title: "odd".into(), mode: Mode::Live }).unwrap();
    machine.pass(12, &split());
    let refused = machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap_err();
    assert!(refused.why.contains("SPLIT BRAIN"), "{}", refused.why);
    machine.ask(Ask::Close { reason: "over".into() }).unwrap_err();
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id: id.clone(), reason: " ".into() }).unwrap_err();
    machine.ask(Ask::AnswerContradiction { id, reason: "a clone for tests".into() }).unwrap();
    machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap();
    // Another promotion: not the one that was answered.
    machine.pass(12, &world(primary(1, "a"), primary(3, "b")));
    machine.ask(Ask::Close { reason: "over".into() }).unwrap_err();
}

#[test]
fn a_contradiction_and_its_answer_are_the_fold_of_the_journal() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "a clone for tests".into() }).unwrap();
    let again = Machine::resumed(machine.log.clone(), machine.now);
    assert_eq!(of(&again.model), of(&machine.model));
}

#[test]
fn a_split_brain_pages_anew_although_a_p0_was_acknowledged_and_blocks_the_promotion() {
    let mut night = Telling::new(desk::plan());
    night.declare(Severity::P0, Mode::Live);
    night.acknowledge();
    night.pass(seconds(5));
    night.take_asked();
    for _ in 0..3 {
        night.machine.observe(&split());
        night.pass(seconds(3));
    }
    let paged = night.take_asked();
    assert!(paged.iter().any(|asked| asked.contains("page")), "{paged:?}");
    night.acknowledge();
    night.machine.observe(&split());
    night.pass(seconds(3));
    assert_eq!(night.take_asked(), Vec::<String>::new());
}

#[test]
fn a_split_brain_refuses_the_promotion_until_it_is_answered() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    let before = machine.executed.len();
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
    let confirm = |confirmation| Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) };
    let refused = machine.ask(confirm(id.clone())).unwrap_err();
    assert!(refused.why.contains("SPLIT BRAIN"), "{}", refused.why);
    assert_eq!(machine.executed.len(), before);
    let split = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id: split, reason: "b is a clone".into() }).unwrap();
    machine.ask(confirm(id)).unwrap();
}

#[test]
fn a_promotion_is_refused_while_the_primary_that_it_replaces_still_accepts_writes() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert_eq!(kinds(&machine), [Kind::PrimaryAlive]);
    let typed = || Some("target-of-promote".to_owned());
    let refused = machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap_err();
    assert!(refused.why.contains("makes two primaries"), "{}", refused.why);
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap();
}

#[test]
fn a_server_that_was_fenced_and_accepts_writes_again_is_a_p0_before_anybody_else_is_promoted() {
    let mut plan = (*plan()).clone();
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    steps.get_mut("check").unwrap().fences = vec!["primary-db".into()];
    let mut machine = Machine::failing_over_under(std::sync::Arc::new(plan));
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(severity(&machine), Some(Severity::P0));
    let id = machine.prepare("promote");
    let typed = Some("target-of-promote".to_owned());
    machine.ask(Ask::Confirm { confirmation: id, typed }).unwrap_err();
}
