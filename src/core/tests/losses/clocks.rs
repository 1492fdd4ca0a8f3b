//! A loss over clocks that are set, and over reboots.

use super::*;

/// A host that was up for so long when its engine began.
fn up(boot: &str, passed: i64) -> Option<SinceBoot> {
    Some(SinceBoot { boot: boot.into(), passed: seconds(passed) })
}

/// The engine begins, with what its host's uptime is then.
fn begun(machine: Machine, since_boot: Option<SinceBoot>) -> Machine {
    Machine::resumed_on(plan_with_fence(), machine.log, machine.now, since_boot)
}

/// The primary out of sight for 15 s, measured by an engine that began 10 s before on a host that was up for 1000 s then.
fn night_on_a_host() -> Machine {
    let mut machine = begun(night(5.0), up("a", 1000));
    machine.pass(10, &[("dr-lag", out_of_sight(5.0))]);
    machine
}

#[test]
fn a_clock_that_was_set_back_while_no_engine_ran_takes_nothing_from_a_loss() {
    let machine = night_on_a_host();
    let before = shown(&machine).span.unwrap();
    // Killed; the clock is set back by 60 s; begun 66 s later: 6 s later by the clock, so that nothing seems to be ahead.
    let mut after = machine.clone();
    after.now += seconds(6);
    let after = begun(after, up("a", 1010 + 66));
    let loss = shown(&after);
    grew(&loss, before, 66);
    assert!(loss.basis.contains("clock was set back by 1 min 00 s while no engine ran"), "{}", loss.basis);
    // Set back to before it was measured: what passed is known all the same.
    let mut behind = machine.clone();
    behind.now -= seconds(600);
    let loss = shown(&begun(behind, up("a", 1010 + 66)));
    grew(&loss, before, 66);
    // The next engine does not count it again.
    let mut again = after;
    again.now += seconds(30);
    let loss = shown(&begun(again, up("a", 1010 + 96)));
    grew(&loss, before, 96);
}

#[test]
fn a_clock_that_was_set_back_while_no_engine_ran_takes_nothing_from_an_outage() {
    let age = |machine: &Machine| {
        let clock = overall_clock(&machine.model, machine.now).expect("a service does not work");
        let (_, since, _) = machine.model.durable.severity.clone().unwrap();
        let detected = machine.model.durable.incident.as_ref().unwrap().detected_at;
        [clock.elapsed, machine.now.duration_since(since), machine.now.duration_since(detected)]
    };
    let machine = night_on_a_host();
    let before = age(&machine);
    // By less than the time that it is down for, and by more.
    for set_back in [20, 3600] {
        let mut after = machine.clone();
        after.now += seconds(66 - set_back);
        let after = begun(after, up("a", 1010 + 66));
        assert_eq!(age(&after), before.map(|age| age + seconds(66)), "set back by {set_back} s");
    }
    // Set back while the engine ran, whose times go on until the next one begins.
    let mut running = machine;
    running.report(Report::ClockJumped { by: seconds(-600), not_passed: seconds(0) }).unwrap();
    running.now += seconds(66 - 600);
    let running = begun(running, up("a", 1010 + 66));
    assert_eq!(age(&running), before.map(|age| age + seconds(66)));
}

#[test]
fn a_clock_that_was_set_forward_adds_nothing_to_an_outage_or_a_loss() {
    let age = |machine: &Machine| {
        let clock = overall_clock(&machine.model, machine.now).expect("a service does not work");
        let (_, since, _) = machine.model.durable.severity.clone().unwrap();
        [clock.elapsed, machine.now.duration_since(since)]
    };
    let machine = night_on_a_host();
    let (before, lost) = (age(&machine), shown(&machine).span.unwrap());
    // Set by half an hour while no engine ran for 66 s.
    let mut after = machine.clone();
    after.now += seconds(66 + 1800);
    let after = begun(after, up("a", 1010 + 66));
    assert_eq!(age(&after), before.map(|age| age + seconds(66)));
    grew(&shown(&after), lost, 66);
    // Set while the engine ran.
    let mut running = machine.clone();
    running.now += seconds(1800);
    running.report(Report::ClockJumped { by: seconds(1800), not_passed: seconds(1800) }).unwrap();
    running.now += seconds(66);
    assert_eq!(age(&running), before.map(|age| age + seconds(66)));
    // Set back while it ran, and right again while none did.
    let mut right = machine;
    right.report(Report::ClockJumped { by: seconds(-600), not_passed: seconds(0) }).unwrap();
    right.now += seconds(66);
    let right = begun(right, up("a", 1010 + 66));
    assert_eq!(age(&right), before.map(|age| age + seconds(66)));
    grew(&shown(&right), lost, 66);
}

#[test]
fn a_word_of_a_fence_that_commits_came_after_closes_no_loss_in_an_engine_that_began_since_either() {
    let mut machine = night_on_a_host();
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    assert!(shown(&machine).on_word.is_some());
    later(&mut machine, 60);
    let mut machine = begun(machine, up("a", 1010 + 60));
    // It begins without the primary, and sees the standby replay what was committed 30 s after the word.
    let mut measured = out_of_sight(30.0).unwrap();
    measured.fields.retain(|name, _| !name.starts_with("primary_"));
    machine.observe(&[("dr-lag", Ok(measured))]);
    let loss = shown(&machine);
    assert!(loss.on_word.is_none() && loss.grows_from.is_some(), "{loss:?}");
    assert!(loss.doubted.is_some_and(|word| word.why.contains("does not close this")));
    assert_ne!(guard(&machine, "signals['dr-lag'].fields.exposure_s < 60.0"), Truth::True);
}

#[test]
fn a_clock_that_was_set_while_the_engine_ran_is_counted_once() {
    let mut machine = night_on_a_host();
    machine.report(Report::ClockJumped { by: seconds(-600), not_passed: seconds(0) }).unwrap();
    machine.pass(10, &[("dr-lag", out_of_sight(15.0))]);
    let before = shown(&machine).span.unwrap();
    // Times are 600 s ahead of the clock; 30 s pass, and it is set back by another 20 s in them.
    machine.now += seconds(30 - 600 - 20);
    let loss = shown(&begun(machine, up("a", 1020 + 30)));
    grew(&loss, before, 30);
    // Set ahead, and right again while no engine ran.
    let mut machine = night_on_a_host();
    machine.now += seconds(600);
    machine.report(Report::ClockJumped { by: seconds(600), not_passed: seconds(600) }).unwrap();
    machine.pass(10, &[("dr-lag", out_of_sight(15.0))]);
    let before = shown(&machine).span.unwrap();
    machine.now += seconds(30 - 600);
    let loss = shown(&begun(machine, up("a", 1020 + 30)));
    grew(&loss, before, 30);
}

#[test]
fn after_a_reboot_nobody_knows_how_long_ago_a_loss_was_measured() {
    let mut machine = night_on_a_host();
    let measured = machine.now;
    machine.now += seconds(120);
    machine.ask(Ask::Note { text: "the host goes down".into() }).unwrap();
    let later = |clock: i64, since_boot| {
        let machine = Machine { now: measured + seconds(clock), ..machine.clone() };
        shown(&begun(machine, since_boot))
    };
    // A clock that nobody kept meanwhile may be ahead of the journal, and behind all the same.
    let why = "before this host was restarted, or on another one, and nobody knows how long ago that is";
    for (clock, since_boot) in
        [(60, up("b", 10)), (180, up("b", 10)), (180, up("b", 9000)), (180, up("a", 30))]
    {
        let loss = later(clock, since_boot);
        assert!(loss.span.is_none() && loss.basis.contains(why), "{loss:?}");
        assert!(loss.sentence().starts_with("not known: it was measured before"), "{}", loss.sentence());
    }
    // The engine alone was restarted.
    let same = later(180, up("a", 1010 + 180));
    assert!(same.span.unwrap() >= seconds(180) && !same.basis.contains("restarted"), "{same:?}");
    // A journal of before uptimes were recorded is read as it was.
    let silent = later(60, None);
    assert!(silent.span.unwrap() >= seconds(60), "{silent:?}");
    let first = Machine { now: measured + seconds(180), ..night(5.0) };
    assert!(shown(&begun(first, up("b", 10))).span.unwrap() >= seconds(180));
}

#[test]
fn a_loss_that_a_proven_fence_closed_stays_closed_over_a_reboot_and_one_on_a_word_does_not() {
    let mut machine = night_on_a_host();
    later(&mut machine, 30);
    let mut on_word = machine.clone();
    fence(&mut machine);
    let before = shown(&machine).span.unwrap();
    later(&mut machine, 60);
    let loss = shown(&begun(machine, up("b", 10)));
    assert!(loss.fenced_at.is_some() && loss.grows_from.is_none(), "{loss:?}");
    grew(&loss, before, 0);
    let run = on_word.run();
    on_word.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    assert!(shown(&on_word).on_word.is_some());
    later(&mut on_word, 60);
    assert_eq!(shown(&begun(on_word, up("b", 10))).span, None, "what holds if it is not true is not known");
}

#[test]
fn a_loss_that_grows_although_a_person_says_that_it_is_fenced_says_why() {
    let mut machine = night(5.0);
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    machine.now += seconds(30);
    machine.observe(&[("dr-lag", out_of_sight(1.0))]);
    let sentence = shown(&machine).sentence();
    let said =
        "grows until its fence is PROVEN: alice's word does not close this: it was seen to accept writes at ";
    assert!(sentence.contains(said), "{sentence}");
    assert!(!sentence.contains("until it is fenced"), "{sentence}");
    // Nobody sees what it does, and the standby holds what it wrote after that word.
    let mut measured = out_of_sight(5.0).unwrap();
    measured.fields.remove("primary_writable_s");
    machine.observe(&[("dr-lag", Ok(measured))]);
    let sentence = shown(&machine).sentence();
    assert!(
        sentence.contains("alice's word does not close this: probe dr-lag holds what it wrote up to "),
        "{sentence}"
    );
    assert!(sentence.contains("once no more comes, r and a new word close it"), "{sentence}");
    // Its own upkeep wrote that, and no more comes: the step is said anew.
    let mut anew = machine.clone();
    let run = anew.run();
    let reason = Some("it was its own upkeep".into());
    anew.ask(Ask::Retry { run: run.clone(), step: "scale".into(), reason }).unwrap();
    anew.now += seconds(30);
    anew.ask(Ask::Attest { run, step: "scale".into(), how: "it is off, I looked".into() }).unwrap();
    anew.settle();
    anew.now += seconds(5);
    let mut quiet = out_of_sight(70.0).unwrap();
    quiet.fields.remove("primary_writable_s");
    anew.observe(&[("dr-lag", Ok(quiet))]);
    assert!(shown(&anew).grows_from.is_none(), "{}", shown(&anew).sentence());
    // Its step, proven by the world, does.
    let mut proven = night(5.0);
    fence(&mut proven);
    assert!(shown(&proven).doubted.is_none());
}

#[test]
fn a_word_that_did_not_count_does_not_count_for_a_clock_that_was_set_back() {
    let mut machine = night_on_a_host();
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    machine.now += seconds(30);
    // It was seen to accept writes after that word.
    machine.observe(&[("dr-lag", out_of_sight(1.0))]);
    machine.report(Report::Tick).unwrap();
    assert!(shown(&machine).grows_from.is_some());
    machine.now += seconds(6);
    let passed = 1000 + 10 + 36 + 60;
    let loss = shown(&begun(machine, up("a", passed)));
    assert!(loss.grows_from.is_some() && loss.span.unwrap() >= seconds(67), "{loss:?}");
}

#[test]
fn a_clock_that_is_set_changes_nothing_of_a_loss_that_a_fence_closed() {
    let word = |machine: &mut Machine| {
        let run = machine.run();
        machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    };
    for raise in [fence as fn(&mut Machine), word] {
        let mut machine = night_on_a_host();
        raise(&mut machine);
        let closed = shown(&machine);
        assert!(closed.grows_from.is_none() && closed.fenced_at.is_some(), "{closed:?}");
        let is_closed_as_before = |loss: &LossEstimate, how: &str| {
            // What is kept is not the last look.
            let more = loss.span.unwrap() - closed.span.unwrap();
            let is_same = more >= seconds(0) && more <= seconds(10);
            assert!(loss.grows_from.is_none() && is_same, "{how}: {closed:?} {loss:?}");
        };
        for by in [20, 600, -600] {
            let mut machine = machine.clone();
            machine.now += seconds(by.max(0));
            machine.report(Report::ClockJumped { by: seconds(by), not_passed: seconds(by.max(0)) }).unwrap();
            machine.pass(10, &[("dr-lag", out_of_sight(15.0))]);
            is_closed_as_before(&shown(&machine), &format!("set by {by} s while the engine runs"));
            machine.now += seconds(30 - by.max(0));
            let loss = shown(&begun(machine, up("a", 1020 + 30)));
            is_closed_as_before(&loss, &format!("set by {by} s, right again while none runs"));
        }
        for back in [60, 3600] {
            let mut machine = machine.clone();
            machine.pass(10, &[("dr-lag", out_of_sight(15.0))]);
            machine.now += seconds(30 - back);
            let loss = shown(&begun(machine, up("a", 1020 + 30)));
            is_closed_as_before(&loss, &format!("set back by {back} s while none runs"));
        }
    }
}

#[test]
fn a_word_of_after_a_clock_was_set_back_closes_a_loss_that_was_kept() {
    let mut machine = night_on_a_host();
    machine.pass(10, &[("dr-lag", out_of_sight(15.0))]);
    machine.now += seconds(30 - 3600);
    let mut machine = begun(machine, up("a", 1020 + 30));
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    let loss = shown(&machine);
    assert!(loss.grows_from.is_none() && loss.on_word.is_some(), "{}", loss.sentence());
}
