//! Which standby a loss was measured of, and which one is promoted.

use super::*;

/// A streaming standby that lacks nothing, as the process that started then.
fn streaming(started_at: &str) -> Outcome {
    let measured = lag(0.0, 0.0, 0.0)?;
    Ok(measured
        .with_text("system_identifier", "77".to_owned())
        .with_text("started_at", started_at.to_owned()))
}

/// The losses of the bundle in which the promotion of the standby that started at `started_at` is confirmed.
fn promoting(machine: &mut Machine, started_at: &str) -> Vec<LossEstimate> {
    let mut description = description(&"promote".into());
    let identity = [("system identifier", "77"), ("started at", started_at)];
    description.target.identity = identity.map(|(name, value)| (name.into(), value.into())).to_vec();
    let (run, step) = (machine.run(), "promote".into());
    let report = Report::Described { run: run.clone(), step, result: Ok(description), manual: card() };
    machine.report(report).unwrap();
    let (_, state) = machine.model.step(&run, &"promote".into()).unwrap();
    state.confirmation.as_ref().unwrap().losses.clone()
}

#[test]
fn nothing_is_said_of_the_loss_when_another_standby_is_promoted_than_the_one_that_was_measured() {
    let mut machine = Machine::failing_over_under(plan_with_fence());
    machine.observe(&[("dr-lag", streaming("09:00"))]);
    let measured = promoting(&mut machine, "09:00");
    assert!(measured[0].sentence().starts_with("nothing"), "{}", measured[0].sentence());
    let another = promoting(&mut machine, "08:00");
    assert!(!another[0].is_known());
    assert!(another[0].sentence().contains("measured another standby"), "{}", another[0].sentence());
}

#[test]
fn a_confirmation_is_withdrawn_when_the_probe_measures_another_standby_since() {
    let mut machine = Machine::failing_over_under(plan_with_fence());
    machine.observe(&[("dr-lag", streaming("09:00"))]);
    promoting(&mut machine, "09:00");
    machine.observe(&[("dr-lag", streaming("08:00"))]);
    let (_, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
    let open = state.confirmation.as_ref().unwrap();
    let ask = Ask::Confirm { confirmation: open.id.clone(), typed: open.phrase().map(str::to_owned) };
    let facts = machine.ask(ask).unwrap();
    let withdrawn = |fact: &Fact| matches!(fact, Fact::ConfirmationWithdrawn { why, .. } if why.contains("another standby"));
    assert!(matches!(&facts[..], [fact] if withdrawn(fact)), "{facts:?}");
}

/// The roles changed sides: what the plan calls the standby, `b`, is the primary. `scale` fences the server at `server`.
fn failing_back(server: &str) -> Machine {
    let mut plan = Plan::clone(&plan_with_fence());
    let lag = plan.probes.get_mut("dr-lag").unwrap();
    for (key, at) in [("dsn", "b"), ("primary", "a")] {
        lag.params.0.insert(key.into(), Param::Text(at.into()));
    }
    let scale = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("scale").unwrap();
    *scale = of_kind(scale.clone(), "postgres-fence");
    scale.params.0.insert("dsn".into(), Param::Text(server.into()));
    scale.fences = if server == "a" { vec!["dr-lag".into()] } else { Vec::new() };
    Machine::failing_over_under(Arc::new(plan))
}

/// The primary is seen, was last seen to accept writes so many seconds ago, and the other lacks its last `lost_s` seconds.
fn turned(lost_s: f64, writable_s: f64) -> Outcome {
    let measured = lag(lost_s, lost_s, 168_000.0)?;
    Ok(measured.with_flag("reversed", true).with_number("primary_writable_s", writable_s))
}

#[test]
fn in_a_failback_the_fence_around_the_primary_of_now_ends_the_loss() {
    let mut machine = failing_back("b");
    machine.observe(&[("dr-lag", turned(39.0, 0.0))]);
    fence(&mut machine);
    for passed in [6, 20, 60] {
        later(&mut machine, passed);
        let since = machine.now.duration_since(shown(&machine).fenced_at.unwrap()).as_secs_f64();
        machine.observe(&[("dr-lag", turned(39.0 + since, since))]);
        let loss = shown(&machine);
        assert_eq!((loss.span, loss.bytes, loss.grows_from), (span(39), Some(168_000), None));
        assert_eq!(guard(&machine, "signals['dr-lag'].fields.exposure_s < 60.0"), Truth::True);
    }
}

#[test]
fn in_a_failback_a_fence_around_the_old_primary_ends_no_loss() {
    let mut machine = failing_back("a");
    fence(&mut machine);
    let gone = |seconds_ago| Ok(out_of_sight(seconds_ago)?.with_flag("reversed", true));
    machine.observe(&[("dr-lag", gone(5.0))]);
    later(&mut machine, 30);
    let loss = shown(&machine);
    assert_eq!(loss.span, span(35));
    assert!(loss.grows_from.is_some(), "{loss:?}");
}

/// Whether the first guard of the promotion holds in its confirmation.
fn guard_of(machine: &Machine) -> &Truth {
    let (_, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
    &state.confirmation.as_ref().unwrap().guards[0].truth
}

#[test]
fn a_guard_on_the_loss_does_not_pass_on_what_another_standby_would_lose() {
    for (guard, passes) in [
        ("signals['dr-lag'].fields.exposure_s < 60.0", false),
        ("signals['dr-lag'].value_s < 60.0 && signals['dr-db'].state == 'ok'", false),
        // Nothing of how far behind it is; and a comparison of all that are known.
        ("signals['dr-lag'].state == 'ok'", true),
        ("signals['other-lag'].fields.exposure_s <= signals['dr-lag'].fields.exposure_s", true),
    ] {
        let mut plan = Plan::clone(&plan_with_fence());
        let mut other = plan.probes["dr-lag"].clone();
        other.id = "other-lag".into();
        plan.probes.insert("other-lag".into(), other);
        plan.runbooks["failover"].steps["promote"].guard = vec![Condition::parse(guard).unwrap()];
        let mut machine = Machine::failing_over_under(Arc::new(plan));
        for _ in 0..3 {
            machine.observe(&[("dr-lag", streaming("09:00")), ("other-lag", streaming("08:00"))]);
        }
        promoting(&mut machine, "09:00");
        assert_eq!(guard_of(&machine), &Truth::True, "{guard}: it is measured");
        promoting(&mut machine, "08:00");
        match guard_of(&machine) {
            Truth::True => assert!(passes, "{guard}"),
            Truth::Unknown(why) => assert!(!passes && why.contains("another standby"), "{guard}: {why}"),
            Truth::False => panic!("{guard}"),
        }
    }
}

#[test]
fn a_guard_that_is_ready_knows_the_promoted_standby_by_the_probe_on_its_address() {
    let mut plan = Plan::clone(&plan_with_fence());
    let address = || Param::Text("host=b".into());
    plan.probes["dr-db"].params.0.insert("dsn".into(), address());
    let promote = &mut plan.runbooks["failover"].steps["promote"];
    promote.params.0.insert("dsn".into(), address());
    promote.guard = vec![Condition::parse("signals['dr-lag'].fields.exposure_s < 60.0").unwrap()];
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    for (started_at, expected) in [("09:00", true), ("08:00", false)] {
        let server = super::super::serving::standby(started_at);
        machine.observe(&[("dr-lag", streaming("09:00")), ("dr-db", server)]);
        let (step, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
        let guards = crate::core::decide::guards(&machine.model, step, state, machine.now);
        assert_eq!(guards[0].allows(), expected, "{guards:?}");
    }
}

/// A third server serves: what a standby of the old primary lacks of that one is not what a failover loses.
#[test]
fn a_loss_measured_against_another_server_than_the_one_that_serves_is_not_known() {
    use crate::core::tests::serving::{primary, standby, world};
    let mut plan = Plan::clone(&plan());
    for (probe, key, server) in [
        ("primary-db", "dsn", "a"),
        ("dr-db", "dsn", "b"),
        ("dr-lag", "dsn", "c"),
        ("dr-lag", "primary", "a"),
    ] {
        let params = &mut plan.probes.get_mut(probe).unwrap().params;
        params.0.insert(key.into(), Param::Text(server.into()));
    }
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    let known = |machine: &Machine| evidence::exposure(&machine.model, machine.now).unwrap().is_known();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    assert!(known(&machine));
    machine.pass(30, &world(bad(), standby("b")));
    assert!(known(&machine), "nobody serves, and what was known of the old one counts");
    machine.pass(30, &world(bad(), primary(2, "b")));
    assert!(!known(&machine));
}

/// A standby as the process that started then, which has WAL up to there and waits for more.
fn process(started_at: &str, end: &str, measured: Outcome) -> Outcome {
    Ok(measured?
        .with_text("system_identifier", "77".to_owned())
        .with_text("started_at", started_at.to_owned())
        .with_number("timeline", 1.0)
        .with_text("receive_lsn", end.to_owned())
        .with_flag("at_end_of_wal", true))
}

/// Killed in the night after the look that found the primary gone, with the standby at 0/5000000, and begun again.
fn after_the_look() -> (Machine, LossEstimate) {
    let mut machine = night(5.0);
    machine.observe(&[("dr-lag", process("09:00", "0/5000000", out_of_sight(5.0)))]);
    machine.report(Report::Tick).unwrap();
    later(&mut machine, 10);
    machine.observe(&[("dr-lag", process("09:00", "0/5000000", out_of_sight(15.0)))]);
    let before = shown(&machine);
    (restarted(machine), before)
}

#[test]
fn a_loss_of_before_does_not_hold_of_a_standby_that_was_built_from_an_older_backup() {
    let (mut machine, _) = after_the_look();
    let older = |ago: f64| process("10:00", "0/4000000", by_last_commit(ago));
    later(&mut machine, 10);
    machine.observe(&[("dr-lag", older(90.0))]);
    let loss = shown(&machine);
    assert_eq!((loss.span, loss.grows_from), (span(90), Some(machine.now)), "{loss:?}");
    assert_eq!(loss.bytes_min, Some(0x100_0000), "what the other one held, it lacks for certain");
    let sentence = loss.sentence();
    assert!(sentence.starts_with("0 s, 16.8 MB if the primary died when last heard of ("), "{sentence}");
    assert!(loss.basis.contains("holds less than what was measured before"), "{}", loss.basis);
    assert_eq!(guard(&machine, "signals['dr-lag'].fields.exposure_s < 60.0"), Truth::False);
    // It is so while nobody can measure, and to an engine that begins then.
    machine.settle();
    later(&mut machine, 30);
    machine.observe(&[("dr-lag", blind())]);
    assert!(shown(&machine).span >= span(120), "{:?}", shown(&machine));
    let mut machine = restarted(machine);
    later(&mut machine, 10);
    assert!(shown(&machine).span >= span(130), "{:?}", shown(&machine));
    machine.observe(&[("dr-lag", older(130.0))]);
    assert_eq!(shown(&machine).span, span(130), "{:?}", shown(&machine));
    // Replaying on it lacks less, and with all that the other one held what was known of that one counts.
    machine.observe(&[("dr-lag", process("10:00", "0/4800000", by_last_commit(100.0)))]);
    assert_eq!((shown(&machine).span, shown(&machine).bytes_min), (span(100), Some(0x80_0000)));
    machine.observe(&[("dr-lag", process("10:00", "0/5000000", by_last_commit(100.0)))]);
    assert!(shown(&machine).span < span(80), "{:?}", shown(&machine));
}

#[test]
fn a_loss_is_not_known_of_another_standby_that_cannot_tell_its_own() {
    let (mut machine, _) = after_the_look();
    let silent = || process("10:00", "0/4000000", without_memory());
    machine.observe(&[("dr-lag", silent())]);
    assert!(!shown(&machine).is_known(), "{:?}", shown(&machine));
    machine.settle();
    let mut machine = restarted(machine);
    assert!(!shown(&machine).is_known(), "also before the first look: {:?}", shown(&machine));
    machine.observe(&[("dr-lag", silent())]);
    assert!(!shown(&machine).is_known());
    let mut elsewhere = machine.clone();
    let other = |measured: Outcome| measured.map(|seen| seen.with_number("timeline", 2.0));
    elsewhere.observe(&[("dr-lag", other(process("11:00", "0/7000000", without_memory())))]);
    assert!(!shown(&elsewhere).is_known(), "positions on another timeline compare with none");
    machine.observe(&[("dr-lag", process("11:00", "0/5000000", without_memory()))]);
    assert!(shown(&machine).is_known(), "what was known of the one that held it is not lost");
}

#[test]
fn a_standby_that_merely_restarted_changes_nothing_of_the_loss_that_was_known() {
    let (mut machine, before) = after_the_look();
    let restart = machine.now;
    let is_as_before = |machine: &Machine| {
        let loss = shown(machine);
        grew(&loss, before.span.unwrap(), machine.now.duration_since(restart).as_secs());
        assert_eq!((loss.span_min, loss.bytes_min), (span(0), Some(0)), "{loss:?}");
    };
    later(&mut machine, 10);
    machine.observe(&[("dr-lag", process("10:00", "0/5000000", by_last_commit(90.0)))]);
    is_as_before(&machine);
    // Restarted once more it has not replayed all that it has: nothing is lost for certain, and all of it counts at last.
    let replaying = process("11:00", "0/4000000", by_last_commit(300.0))
        .map(|measured| measured.with_flag("at_end_of_wal", false));
    machine.observe(&[("dr-lag", replaying)]);
    let loss = shown(&machine);
    assert_eq!((loss.span, loss.span_min, loss.bytes_min), (span(300), span(0), Some(0)), "{loss:?}");
    machine.settle();
    let mut machine = restarted(machine);
    machine.observe(&[("dr-lag", process("11:00", "0/5000000", by_last_commit(90.0)))]);
    is_as_before(&machine);
}

#[test]
fn what_a_standby_received_after_a_loss_was_noted_is_not_counted_as_lost_for_certain() {
    let mut machine = night(5.0);
    let stalled = |ago: f64| {
        let seen = out_of_sight(ago).unwrap();
        let seen = seen.with_number("exposure_min_s", 4.0).with_number("exposure_min_bytes", 65_536.0);
        process("09:00", "0/5000000", Ok(seen.with_number("exposure_s", ago + 5.0)))
    };
    machine.pass(10, &[("dr-lag", stalled(10.0))]);
    let mut machine = restarted(machine);
    for (end, least, bytes) in [("0/5000000", 4, 65_536), ("0/5008000", 0, 32_768), ("0/5010000", 0, 0)] {
        machine.observe(&[("dr-lag", process("09:00", end, by_last_commit(90.0)))]);
        let loss = shown(&machine);
        assert_eq!((loss.span_min, loss.bytes_min), (span(least), Some(bytes)), "{loss:?}");
        assert!(loss.restarted_at.is_some() && loss.grows_from.is_some(), "{loss:?}");
    }
}
