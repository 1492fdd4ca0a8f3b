//! No server that accepts writes, or another one than is recorded.

use super::*;

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
        assert_ne!(severity(&machine), Some(Severity::P0), "{case}: not at the first look");
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
fn a_switchover_by_hand_that_takes_ten_seconds_is_a_warning_and_wakes_nobody() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    for second in 0..10 {
        machine.pass(1, &world(standby("a"), standby("b")));
        assert_eq!(kinds(&machine), [Kind::NobodyWrites], "it is shown at once");
        assert_ne!(severity(&machine), Some(Severity::P0));
        if second == 1 {
            assert_eq!(severity(&machine), Some(Severity::P3));
        }
    }
    machine.pass(2, &world(standby("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
    assert_eq!(severity(&machine), Some(Severity::P0), "two primaries wait for nothing");
}

#[test]
fn a_lasting_want_of_a_primary_stays_a_p0_when_one_of_the_servers_falls_silent() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(40, &world(standby("a"), standby("b")));
    assert_eq!(severity(&machine), Some(Severity::P0));
    for _ in 0..30 {
        machine.pass(1, &world(bad(), standby("b")));
        assert_eq!(severity(&machine), Some(Severity::P0));
    }
}

#[test]
fn servers_that_do_not_answer_are_not_said_to_accept_no_writes() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(60, &world(bad(), standby("b")));
    let what = &of(&machine.model)[0].contradiction.what;
    assert!(what.starts_with("NOBODY IS SEEN TO ACCEPT WRITES"), "{what}");
    let next = &of(&machine.model)[0].contradiction.next;
    assert!(next.contains("may accept writes all the same"), "{next}");
    machine.pass(60, &world(standby("a"), standby("b")));
    let what = &of(&machine.model)[0].contradiction.what;
    assert!(what.starts_with("NOBODY "), "{what}");
}

#[test]
fn a_severity_holds_over_a_restart_until_everything_was_looked_at() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    let before = machine.model.durable.severity.clone();
    assert!(before.is_some());
    let mut again = Machine::resumed(machine.log.clone(), machine.now);
    again.pass(1, &[("reference", good(None))]);
    assert_eq!(again.model.durable.severity, before, "nothing else was measured yet");
    again.pass(12, &split());
    assert_eq!(again.model.durable.severity.as_ref().map(|(s, ..)| *s), Some(Severity::P0));
    again.pass(60, &world(primary(1, "a"), standby("b2")));
    assert_eq!(again.model.durable.severity, None);
}

#[test]
fn another_region_that_serves_is_over_once_its_server_takes_no_writes_or_it_is_recorded() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(30, &world(standby("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere]);
    let read_only = || Ok(server("primary", 2, "b").with_flag("read_only", true));
    machine.pass(40, &world(standby("a"), read_only()));
    assert_eq!(kinds(&machine), [Kind::NobodyWrites]);
    let next = of(&machine.model)[0].contradiction.next.clone();
    assert!(next.contains("dr-db is a primary and read-only"), "{next}");
}

/// It answers that no connection is left.
fn full() -> Outcome {
    Ok(bad()?.with_flag(crate::core::ask::servers::FULL, true))
}

#[test]
fn a_server_that_lets_nobody_in_is_not_said_to_accept_no_writes() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(60, &world(full(), standby("b")));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Critical);
    assert!(!kinds(&machine).contains(&Kind::NobodyWrites), "{:?}", kinds(&machine));
    let mut failing = failing_over_with_a_fence();
    failing.pass(12, &world(full(), standby("b")));
    let runbook = &failing.model.plan.runbooks["failover"];
    let others =
        crate::core::ask::other_side::of(&failing.model, runbook, &runbook.steps["promote"], failing.now);
    assert_eq!(others[0].does, crate::core::ask::other_side::Does::Untold, "{others:?}");
    assert!(others[0].words().contains("is UP"), "{}", others[0].words());
}
