//! Servers of which their probe cannot tell whether they accept writes.

use super::*;

#[test]
fn a_primary_whose_probe_cannot_tell_is_not_called_read_only() {
    let mut machine = Machine::new();
    machine.pass(60, &world(hidden(1, "a"), standby("b")));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![], None));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Ok);
}

#[test]
fn a_primary_that_came_back_and_whose_probe_cannot_tell_is_no_proof_of_its_fence() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(30, &world(bad(), standby("b")));
    machine.pass(12, &world(hidden(1, "a2"), standby("b")));
    let known = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::FencedWrites).unwrap();
    assert!(known.contradiction.what.contains("may accept writes although it was fenced"), "{known:?}");
    let other = |machine: &Machine| {
        let runbook = machine.model.plan.runbooks["failover"].clone();
        let found = crate::core::ask::other_side::of(
            &machine.model,
            &runbook,
            &runbook.steps["promote"],
            machine.now,
        );
        found.into_iter().find(|other| other.probe.as_str() == "primary-db").unwrap().words()
    };
    assert!(other(&machine).contains("CANNOT BE TOLD"), "{}", other(&machine));
}

/// The proof of the step, over a session of its own, says more than the probe can.
#[test]
fn a_server_that_lifeboat_made_read_only_is_no_second_primary_where_its_probe_cannot_tell() {
    let mut plan = (*with_a_fence()).clone();
    let fence = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("check").unwrap();
    *fence = of_kind(fence.clone(), "postgres-fence");
    fence.changes = true;
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    machine.pass(12, &world(hidden(1, "a"), standby("b")));
    let run = machine.run();
    machine.ask(Ask::Prepare { run: run.clone(), step: "check".into() }).unwrap();
    let mut description = description(&"check".into());
    description.target.identity.push((crate::core::words::action::STARTED_AT.into(), "a".into()));
    machine.effects.clear();
    machine
        .report(Report::Described {
            run: run.clone(),
            step: "check".into(),
            result: Ok(description),
            manual: card(),
        })
        .unwrap();
    let confirmation =
        machine.model.step(&run, &"check".into()).unwrap().1.confirmation.as_ref().unwrap().id.clone();
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-check".into()) }).unwrap();
    machine.settle();
    assert_eq!(status(&machine, "check"), StepStatus::Verified);
    machine.pass(30, &world(hidden(1, "a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    do_step(&mut machine, "promote");
    machine.pass(30, &world(hidden(1, "a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    // After a restart nobody has looked whether the setting is still there.
    machine.pass(12, &world(hidden(1, "a2"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}
