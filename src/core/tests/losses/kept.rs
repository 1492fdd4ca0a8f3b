//! What one engine measured of a loss, and the next one knows of it.

use super::*;

#[test]
fn the_loss_that_was_measured_outlives_the_engine_and_grows_on() {
    let mut machine = night(5.0);
    machine.pass(10, &[("dr-lag", out_of_sight(5.0))]);
    let before = shown(&machine);
    let mut machine = restarted(machine);
    let restart = machine.now;
    for measured in [None, Some(blind()), Some(without_memory()), Some(bad())] {
        later(&mut machine, 30);
        machine.observe(&measured.map(|measured| ("dr-lag", measured)).into_iter().collect::<Vec<_>>());
        machine.report(Report::Tick).unwrap();
        let loss = shown(&machine);
        let passed = machine.now.duration_since(restart);
        assert_eq!((loss.span_min, loss.grows_from), (span(0), Some(machine.now)), "{loss:?}");
        let drift = loss.span.unwrap() - before.span.unwrap() - passed;
        assert!(drift.abs() <= seconds(10), "{loss:?} after {before:?}");
        let said = "; by what was known before the engine restarted at ";
        assert!(loss.sentence().contains(said), "{}", loss.sentence());
        assert_eq!(guard(&machine, "signals['dr-lag'].fields.exposure_s < 600.0"), Truth::True);
    }
    // Once the primary is seen again, what this engine measures counts alone.
    machine.observe(&[("dr-lag", out_of_sight(1.0))]);
    let loss = shown(&machine);
    assert_eq!((loss.span, loss.restarted_at), (span(1), None));
}

#[test]
fn a_loss_that_was_measured_by_a_clock_that_was_ahead_stands_never_still() {
    let mut machine = night(5.0);
    machine.pass(10, &[("dr-lag", out_of_sight(5.0))]);
    let before = shown(&machine).span.unwrap();
    // Set right while the engine runs: its times go on, and so does the loss.
    machine.report(Report::ClockJumped { by: seconds(-600), not_passed: seconds(0) }).unwrap();
    later(&mut machine, 30);
    let after = shown(&machine).span.unwrap();
    assert!((after - before - seconds(30)).abs() <= seconds(10), "{after} after {before}");
    // The next engine begins by the clock, which is 600 s behind those times, 20 minutes later.
    machine.now += seconds(1200 - 600);
    let mut machine = restarted(machine);
    later(&mut machine, 0);
    let after = shown(&machine).span.unwrap();
    assert!((after - before - seconds(1230)).abs() <= seconds(15), "{after} after {before}");
    // Set back while no engine ran: nobody knows how long ago it was measured.
    let mut machine = night(5.0);
    machine.pass(10, &[("dr-lag", out_of_sight(5.0))]);
    machine.now -= seconds(600);
    let mut machine = restarted(machine);
    later(&mut machine, 30);
    let loss = shown(&machine);
    assert!(loss.span.is_none() && loss.basis.contains("clock was set back"), "{loss:?}");
    assert_ne!(guard(&machine, "signals['dr-lag'].fields.exposure_s < 600.0"), Truth::True);
    machine.observe(&[("dr-lag", out_of_sight(40.0))]);
    assert_eq!(shown(&machine).span, span(40), "and what this engine measures counts");
}

#[test]
fn a_loss_that_a_fence_closed_stays_closed_over_a_restart() {
    let mut machine = night(5.0);
    later(&mut machine, 30);
    fence(&mut machine);
    let before = shown(&machine);
    let mut machine = restarted(machine);
    later(&mut machine, 3600);
    machine.observe(&[("dr-lag", without_memory())]);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span, loss.grows_from), (before.span_min, before.span, None));
    assert_eq!(loss.fenced_at, before.fenced_at);
}

/// A standby that streams on from a server, of which the probe knows or does not that it is the primary.
fn fed_by(sender: &str, is_matched: bool, measured: Outcome) -> Outcome {
    Ok(measured?.with_flag("sender_matched", is_matched).with_text("sender", sender.to_owned()))
}

#[test]
fn an_engine_that_begins_in_the_outage_knows_of_the_one_before_that_the_standby_streams_from_the_primary() {
    let mut machine = night(5.0);
    machine.pass(10, &[("dr-lag", fed_by("10.0.0.5:5432", true, out_of_sight(5.0)))]);
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    let before = shown(&machine);
    assert!(before.on_word.is_some());
    // The next one, and the one after that, which also knows of a measurement in which nothing streamed.
    let mut machine = restarted(machine);
    machine.pass(10, &[("dr-lag", fed_by("10.0.0.5:5432", false, without_memory()))]);
    let loss = shown(&machine);
    assert!(loss.on_word.is_some() && loss.fenced_at == before.fenced_at, "{}", loss.sentence());
    machine.pass(10, &[("dr-lag", out_of_sight(30.0))]);
    machine.report(Report::EngineStopping { why: "an update".into() }).unwrap();
    let mut machine = restarted(machine);
    let unknown = |sender: &str, ago: f64| {
        let told = fed_by(sender, false, without_memory()).unwrap().with_number("sender_commits_s", ago);
        ("dr-lag", Ok(told))
    };
    machine.pass(10, &[unknown("10.0.0.5:5432", 300.0)]);
    assert!(shown(&machine).on_word.is_some(), "{}", shown(&machine).sentence());
    // Of another server nobody knows what it is, and what it sends shows nothing.
    let mut elsewhere = machine.clone();
    elsewhere.pass(60, &[unknown("10.0.0.7:5432", 1.0)]);
    let loss = shown(&elsewhere);
    let said = "10.0.0.7:5432, which may be that server (stop that stream at the standby, or give";
    assert!(loss.doubted.is_some() && loss.sentence().contains(said), "{}", loss.sentence());
    assert!(open_contradictions(&elsewhere).is_empty(), "{:?}", open_contradictions(&elsewhere));
    // What that one goes on to send breaks the word.
    machine.pass(60, &[unknown("10.0.0.5:5432", 1.0)]);
    assert_eq!(open_contradictions(&machine), [Kind::FencedWrites]);
    assert!(shown(&machine).fenced_at.is_none());
}

#[test]
fn a_sender_that_was_the_primary_before_a_switchover_is_not_known_to_be_it_after() {
    let mut machine = night(5.0);
    machine.pass(10, &[("dr-lag", fed_by("10.0.0.5:5432", true, out_of_sight(5.0)))]);
    // The primary is seen again, and that stream is not its own any more.
    let seen = seen(0.0).map(|seen| seen.with_flag("primary_reachable", true));
    machine.pass(10, &[("dr-lag", seen)]);
    machine.pass(10, &[("dr-lag", fed_by("10.0.0.5:5432", false, out_of_sight(5.0)))]);
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    assert!(shown(&machine).doubted.is_some_and(|word| word.is_unchecked()));
}

fn open_contradictions(machine: &Machine) -> Vec<Kind> {
    contradiction::of(&machine.model).iter().map(|open| open.contradiction.kind).collect()
}

#[test]
fn what_was_measured_after_the_fence_is_what_a_restart_remembers() {
    let mut machine = night(5.0);
    machine.observe(&[("dr-lag", seen(20.0))]);
    fence(&mut machine);
    for left in [10.0, 3.0, 0.0] {
        later(&mut machine, 5);
        machine.observe(&[("dr-lag", seen(left))]);
        machine.report(Report::Tick).unwrap();
    }
    let machine = restarted(machine);
    let loss = shown(&machine);
    assert_eq!((loss.span, loss.bytes, loss.span_min), (span(0), Some(0), None), "{}", loss.sentence());
}

fn noted(machine: &Machine) -> usize {
    machine.log.iter().filter(|event| matches!(event.fact, Fact::LossNoted { .. })).count()
}

#[test]
fn a_loss_is_noted_at_its_moments_and_not_with_each_reading() {
    let mut machine = Machine::resumed_under(plan_with_fence(), Vec::new(), start());
    machine.pass(600, &[("dr-lag", seen(0.5))]);
    assert_eq!(noted(&machine), 0, "nothing happens");
    machine
        .ask(Ask::Declare { title: "slow".into(), mode: crate::core::words::incident::Mode::Live })
        .unwrap();
    machine.pass(600, &[("dr-lag", seen(0.5))]);
    assert_eq!(noted(&machine), 1, "declared");
    machine.pass(1, &[("dr-lag", out_of_sight(2.0))]);
    assert_eq!(noted(&machine), 2, "out of sight");
    for gone in 1..100 {
        machine.pass(5, &[("dr-lag", out_of_sight(2.0 + 5.0 * f64::from(gone)))]);
    }
    assert_eq!(noted(&machine), 2, "the range only grows");
    for _ in 0..60 {
        machine.pass(5, &[("dr-lag", seen(0.5))]);
        machine.pass(5, &[("dr-lag", blind())]);
    }
    assert!(noted(&machine) <= 14, "{} records in ten minutes of failing looks", noted(&machine));
}

#[test]
fn what_was_noted_is_forgotten_once_the_server_is_no_standby_any_more() {
    let mut machine = night(5.0);
    machine.pass(2, &[("dr-lag", out_of_sight(6.0))]);
    let mut promoted = good(None).unwrap();
    promoted.fields.insert("in_recovery".into(), Field::Flag(false));
    machine.pass(2, &[("dr-lag", Ok(promoted))]);
    assert!(!shown(&machine).is_known());
    let machine = restarted(machine);
    assert!(!shown(&machine).is_known(), "{}", shown(&machine).sentence());
}

#[test]
fn an_engine_that_is_stopped_tells_the_next_one_what_it_measured_last() {
    let mut machine = Machine::resumed_under(plan_with_fence(), Vec::new(), start());
    machine.pass(600, &[("dr-lag", seen(2.0))]);
    machine.report(Report::EngineStopping { why: "an update".into() }).unwrap();
    assert!(matches!(machine.log.last().unwrap().fact, Fact::EngineStopped { .. }));
    let mut machine = restarted(machine);
    later(&mut machine, 20);
    machine.observe(&[("dr-lag", without_memory())]);
    let loss = shown(&machine);
    assert!(loss.span.is_some_and(|span| span >= seconds(22) && span <= seconds(30)), "{}", loss.sentence());
    assert!(loss.grows_from.is_some() && loss.sentence().contains("before the engine restarted"));
}

#[test]
fn a_range_is_noted_at_the_look_that_finds_the_primary_gone_and_not_with_the_next_tick() {
    let mut machine = Machine::resumed_under(plan_with_fence(), Vec::new(), start());
    machine.pass(10, &healthy());
    machine.effects.clear();
    let known = machine.log.len();
    machine.observe(&[("dr-lag", out_of_sight(1.0))]);
    let changed = machine.log[known..].iter().any(|event| matches!(event.fact, Fact::SignalChanged { .. }));
    assert!(!changed, "a change of a signal alone would do it");
    assert!(machine.effects.contains(&Effect::Tick), "{:?}", machine.effects);
    machine.settle();
    assert_eq!(noted(&machine), 1);
    machine.observe(&[("dr-lag", out_of_sight(6.0))]);
    assert!(!machine.effects.contains(&Effect::Tick), "what is known already is not noted again");
}

#[test]
fn an_engine_killed_before_the_look_that_finds_the_primary_gone_knows_no_loss_and_one_killed_after_it_the_range()
 {
    let mut machine = Machine::resumed_under(plan_with_fence(), Vec::new(), start());
    machine.pass(10, &healthy());
    assert!(shown(&machine).is_known());
    let killed = Machine::resumed_under(plan_with_fence(), machine.log.clone(), machine.now);
    let loss = shown(&killed);
    assert!(!loss.is_known(), "no number, and so none that is too small: {loss:?}");
    let held = guard(&killed, "signals['dr-lag'].fields.exposure_s < 60.0");
    assert!(matches!(held, Truth::Unknown(_)), "{held:?}");

    machine.observe(&[("dr-lag", out_of_sight(1.0))]);
    machine.settle();
    let mut killed = Machine::resumed_under(plan_with_fence(), machine.log.clone(), machine.now);
    later(&mut killed, 20);
    let loss = shown(&killed);
    assert_eq!((loss.span_min, loss.span), (Some(seconds(0)), Some(seconds(21))), "{loss:?}");
}
