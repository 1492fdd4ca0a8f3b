//! A fence that does not hold is done again.

use super::*;

#[test]
fn a_settled_fence_is_done_again_by_a_person_with_a_reason_while_its_server_accepts_writes() {
    let mut machine = failing_over_with_a_fence();
    again(&mut machine, Some("I want to")).expect_err("the world does not deny it");
    let mut machine = back_after_the_promotion();
    let next = of(&machine.model)[0].contradiction.next.clone();
    assert!(next.contains("Fence probe primary-db"), "{next}");
    again(&mut machine, None).expect_err("it takes a reason");
    again(&mut machine, Some("the supplier restarted it")).unwrap();
    let retried = |event: &Event| matches!(&event.fact, Fact::StepRetried { reason: Some(why), .. } if why.contains("restarted"));
    assert!(machine.log.iter().any(retried));
    assert_eq!(status(&machine, "check"), StepStatus::Ready);
    let executed = machine.executed.len();
    do_step(&mut machine, "check");
    assert_eq!((status(&machine, "check"), machine.executed.len()), (StepStatus::Verified, executed + 1));
    let starts = machine.log.iter().filter_map(|event| match &event.fact {
        Fact::StepStarted { step, confirmation, attempt, .. } if step.as_str() == "check" => {
            Some((confirmation.clone(), *attempt))
        }
        _ => None,
    });
    let starts: Vec<_> = starts.collect();
    assert!(starts.len() == 2 && starts[0].0 != starts[1].0 && starts[1].1 == 2, "{starts:?}");
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    let resumed = Machine::resumed_under(with_a_fence(), machine.log.clone(), machine.now);
    assert_eq!(resumed.model.durable.incident, machine.model.durable.incident);
}

#[test]
fn a_fenced_server_that_writes_stays_a_p0_while_its_fence_is_done_again() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    again(&mut machine, Some("the supplier restarted it")).unwrap();
    machine.pass(6, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(severity(&machine), Some(Severity::P0));
    do_step(&mut machine, "check");
    machine.pass(6, &world(fenced("a"), standby("b")));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_crash_while_a_fence_is_done_again_runs_nothing_by_itself() {
    let mut machine = back_after_the_promotion();
    again(&mut machine, Some("it came back")).unwrap();
    let before = machine.log.len();
    do_step(&mut machine, "check");
    for cut in before..=machine.log.len() {
        let mut resumed = Machine::resumed_under(with_a_fence(), machine.log[..cut].to_vec(), machine.now);
        resumed.settle();
        resumed.pass(20, &split());
        resumed.settle();
        assert!(resumed.executed.is_empty(), "cut after {cut}: {:?}", resumed.executed);
    }
}

#[test]
fn what_needs_a_fence_waits_while_that_is_done_again() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    again(&mut machine, Some("it came back")).unwrap();
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), [], "only the step stands in the way");
    let run = machine.run();
    let refused = machine.ask(Ask::Prepare { run, step: "promote".into() }).unwrap_err();
    assert!(refused.why.contains("waits for check"), "{}", refused.why);
    do_step(&mut machine, "check");
    do_step(&mut machine, "promote");
    assert_eq!(status(&machine, "promote"), StepStatus::Verified);
}

#[test]
fn a_completed_run_goes_on_when_its_fence_is_done_again() {
    let mut machine = failing_over_with_a_fence();
    for step in ["promote", "scale", "dns"] {
        do_step(&mut machine, step);
    }
    let run = machine.run();
    machine.ask(Ask::Attest { run: run.clone(), step: "tell".into(), how: "called".into() }).unwrap();
    machine.settle();
    assert!(machine.model.run(&run).unwrap().ended.is_some());
    machine.pass(12, &split());
    again(&mut machine, Some("it came back")).unwrap();
    assert!(machine.model.run(&run).unwrap().ended.is_none());
    do_step(&mut machine, "check");
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert!(machine.model.run(&run).unwrap().ended.is_some());
}

#[test]
fn a_fence_that_readings_deny_is_no_longer_in_force_and_vouches_for_nothing() {
    let machine = back_after_the_promotion();
    let in_force =
        |machine: &Machine| in_force::of(&machine.model).into_iter().find(|left| left.is_fence).unwrap();
    let fenced_since =
        |machine: &Machine| crate::core::ask::fencing::fenced(&machine.model, &"primary-db".into());
    let left = in_force(&machine);
    assert_eq!((left.how, left.heading()), (Known::Denied, "FENCE DOES NOT HOLD, its server takes writes"));
    assert_eq!(fenced_since(&machine), None);
    let plan = machine.model.plan.clone();
    let other = |machine: &Machine| {
        let runbook = &plan.runbooks["failover"];
        let servers =
            crate::core::ask::other_side::of(&machine.model, runbook, &runbook.steps["promote"], machine.now);
        servers.into_iter().find(|server| server.probe.as_str() == "primary-db").unwrap()
    };
    assert_eq!(other(&machine).fenced, None);
    let brief = crate::core::prose::brief::lines(&machine.model, machine.now).join("\n");
    assert!(
        brief.contains("FENCE DOES NOT HOLD, its server takes writes") && !brief.contains("STILL IN FORCE"),
        "{brief}"
    );

    // A new engine knows it from the journal, also once a person answered and nobody sees the server.
    let mut machine = Machine::resumed_under(with_a_fence(), machine.log, machine.now);
    assert_eq!(in_force(&machine).how, Known::Denied);
    machine.pass(60, &world(blind(), primary(2, "b")));
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "powered off at the switch".into() }).unwrap();
    machine.pass(2, &world(blind(), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    assert_eq!((in_force(&machine).how, fenced_since(&machine)), (Known::Denied, None));

    // Read as read-only it is what the fence made of it.
    machine.pass(6, &split());
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert_eq!(in_force(&machine).how, Known::Verified);
}

#[test]
fn a_fence_that_is_raised_during_a_split_brain_and_does_not_hold_is_told_of_its_own() {
    let mut machine = back_after_the_promotion();
    again(&mut machine, Some("it came back")).unwrap();
    do_step(&mut machine, "check");
    let how = |machine: &Machine| in_force::of(&machine.model).iter().find(|left| left.is_fence).unwrap().how;
    assert_eq!(how(&machine), Known::Verified);
    machine.pass(12, &split());
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(how(&machine), Known::Denied);
    again(&mut machine, Some("it did not hold")).unwrap();
}
