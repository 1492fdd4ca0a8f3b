//! Invariant 3: a confirmation that expired, or whose evidence or target changed, cannot fire.

use super::fixture::*;
use crate::base::ids::ConfirmationId;
use crate::core::words::command::Ask;
use crate::core::words::fact::Fact;
use crate::core::words::status::StepStatus;
use proptest::prelude::*;

fn typed() -> Option<String> {
    Some("target-of-promote".into())
}

fn voided(machine: &mut Machine, id: ConfirmationId) -> String {
    let facts = machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap();
    let [Fact::ConfirmationWithdrawn { why, .. }] = &facts[..] else { panic!("{facts:?}") };
    why.clone()
}

#[test]
fn an_expired_confirmation_does_not_fire() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.now = machine.now.checked_add(seconds(120)).unwrap();
    assert_eq!(voided(&mut machine, id.clone()), "it expired");
    assert!(machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).is_err());
    assert!(machine.executed.iter().all(|effect| format!("{effect:?}").contains("check")));
}

#[test]
fn time_withdraws_a_confirmation_by_itself() {
    let mut machine = Machine::failing_over();
    machine.prepare("promote");
    machine.pass(121, &down());
    let (_, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
    assert_eq!(state.status, StepStatus::Ready);
}

#[test]
fn a_turned_signal_or_a_grown_loss_withdraws_it() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.pass(6, &[("dr-lag", lag(15.0, 60.0, 90_000_000.0))]);
    assert!(voided(&mut machine, id).contains("the loss grew from about 14 s, 3.2 MB"));

    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.pass(20, &[("dr-lag", lag(45.0, 14.0, 3_200_000.0)), ("reference", good(None))]);
    assert!(voided(&mut machine, id).contains("was ok and is warn now"));

    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.observe(&[("dr-lag", lag(70.0, 14.0, 3_200_000.0))]);
    assert!(voided(&mut machine, id).contains("came out differently"));
}

#[test]
fn a_guard_refuses_until_it_is_overridden_with_a_reason_and_the_loss_is_recorded() {
    let mut machine = Machine::failing_over();
    let run = machine.run();
    machine.pass(20, &[("dr-lag", lag(90.0, 90.0, 14_000_000.0)), ("reference", good(None))]);
    let id = machine.prepare("promote");
    let refusal = machine.ask(Ask::Confirm { confirmation: id.clone(), typed: typed() }).unwrap_err();
    assert!(refusal.why.contains("does not hold"), "{refusal}");
    let over = Ask::Override { run, step: "promote".into(), guard: 0, reason: "the board decided".into() };
    let facts = machine.ask(over).unwrap();
    let overridden = facts.iter().find_map(|fact| match fact {
        Fact::GuardOverridden { losses, .. } => Some(losses[0].sentence()),
        _ => None,
    });
    assert_eq!(overridden.as_deref(), Some("about 1 min 30 s, 14.0 MB not yet replicated"));
    assert!(
        machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).is_err(),
        "the old bundle is gone"
    );
    machine.settle();
    let (_, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
    let id = state.confirmation.as_ref().unwrap().id.clone();
    machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap();
}

#[test]
fn a_target_that_is_being_read_is_not_read_twice_so_that_no_bundle_is_taken_away_while_somebody_types() {
    let mut machine = Machine::failing_over();
    let (run, step) = (machine.run(), "promote".into());
    let prepare = || Ask::Prepare { run: run.clone(), step: crate::base::ids::StepId::from("promote") };
    assert!(matches!(machine.ask(prepare()).unwrap()[..], [Fact::StepPreparing { .. }]));
    assert!(machine.ask(prepare()).unwrap().is_empty());
    machine.settle();
    let (_, state) = machine.model.step(&run, &step).unwrap();
    assert_eq!((state.status, state.prepared), (StepStatus::Confirming, 1));
    assert!(
        matches!(machine.ask(prepare()).unwrap()[..], [Fact::StepPreparing { .. }]),
        "a newer one on request"
    );
}

#[test]
fn an_unknown_guard_does_not_hold() {
    let mut machine = Machine::failing_over();
    machine.pass(30, &[("dr-lag", blind()), ("reference", good(None))]);
    let id = machine.prepare("promote");
    let refusal = machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap_err();
    assert!(refusal.why.contains("cannot be told"), "{refusal}");
}

proptest! {
    /// Only the exact name of the target fires a typed confirmation.
    #[test]
    fn nothing_but_the_phrase_fires(text in "[a-z-]{0,20}|TARGET-OF-PROMOTE|target-of-promote.?") {
        let mut machine = Machine::failing_over();
        let id = machine.prepare("promote");
        let result = machine.ask(Ask::Confirm { confirmation: id, typed: Some(text.clone()) });
        prop_assert_eq!(result.is_ok(), text == "target-of-promote");
    }

    /// Whatever the world does between the bundle and the key: a start means that it still was as shown.
    #[test]
    fn a_start_means_that_the_world_was_as_shown(
        wait in 0i64..200, lag_s in 0.0f64..120.0, loss_s in 0.0f64..120.0, reachable: bool,
    ) {
        let mut machine = Machine::failing_over();
        let id = machine.prepare("promote");
        let shown = machine.now;
        let reading = if reachable { lag(lag_s, loss_s, 3_200_000.0) } else { blind() };
        machine.pass(wait, &[("dr-lag", reading), ("reference", good(None))]);
        let facts = machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap_or_default();
        if facts.iter().any(|fact| matches!(fact, Fact::StepStarted { .. })) {
            prop_assert!(machine.now.duration_since(shown) < seconds(120));
            if wait > 0 && reachable {
                prop_assert!(lag_s < 60.0 && loss_s <= 24.0);
            }
            let state = machine.model.state(&"dr-lag".into());
            prop_assert_eq!(state, crate::core::words::signal::SignalState::Ok);
        }
    }
}
