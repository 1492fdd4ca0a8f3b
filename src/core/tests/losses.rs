//! What a failover would lose, while nobody sees the primary: a range that grows, and closes with the fence.

use super::fixture::*;
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{self, Kind};
use crate::core::ask::evidence;
use crate::core::ask::names::{Since, View};
use crate::core::ask::objectives::overall_clock;
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::fact::Fact;
use crate::core::words::loss::LossEstimate;
use crate::core::words::reading::{Field, Measurement};
use crate::core::words::since_boot::SinceBoot;
use crate::plan::Plan;
use crate::plan::condition::{Condition, Truth};
use crate::plan::params::Param;
use jiff::SignedDuration;
use std::sync::Arc;

type Outcome = Result<Measurement, Problem>;

/// A standby that lost its primary out of sight so many seconds ago, holding all that was written until then.
fn out_of_sight(seconds_ago: f64) -> Outcome {
    let mut measured = lag(0.0, seconds_ago, 300_000.0 * seconds_ago)?;
    measured.value = None;
    let fields = [("exposure_min_s", 0.0), ("exposure_min_bytes", 0.0)].into_iter();
    for (name, number) in
        fields.chain([("primary_heard_s", seconds_ago), ("primary_writable_s", seconds_ago)])
    {
        measured.fields.insert(name.into(), Field::Number(number));
    }
    Ok(measured)
}

/// The fixture's failover with a guard on the exposure; `scale` fences the primary, and nothing has to come before it.
fn plan_with_fence() -> Arc<Plan> {
    let mut plan = Plan::clone(&plan());
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    steps.get_mut("promote").unwrap().guard =
        vec![Condition::parse("signals['dr-lag'].fields.exposure_s < 60.0").unwrap()];
    steps.get_mut("scale").unwrap().fences = vec!["dr-lag".into()];
    steps.get_mut("scale").unwrap().needs = Vec::new();
    Arc::new(plan)
}

/// Deciding, with the primary out of sight since `seconds_ago` before now.
fn night(seconds_ago: f64) -> Machine {
    let mut machine = Machine::failing_over_under(plan_with_fence());
    machine.observe(&[("dr-lag", out_of_sight(seconds_ago))]);
    machine
}

fn later(machine: &mut Machine, span: i64) {
    machine.now = machine.now.checked_add(seconds(span)).unwrap();
}

fn shown(machine: &Machine) -> LossEstimate {
    evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap()
}

fn guard(machine: &Machine, condition: &str) -> Truth {
    let condition = Condition::parse(condition).unwrap();
    condition.evaluate(&View { model: &machine.model, now: machine.now })
}

fn fence(machine: &mut Machine) {
    let confirmation = machine.prepare("scale");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.settle();
}

fn span(count: i64) -> Option<SignedDuration> {
    Some(seconds(count))
}

#[test]
fn the_upper_end_grows_with_the_clock_and_stands_still_from_the_fence_on() {
    let mut machine = night(5.0);
    later(&mut machine, 30);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span), (span(0), span(35)));
    assert!(
        loss.sentence().starts_with("nothing if the primary died when last heard of ("),
        "{}",
        loss.sentence()
    );
    assert!(loss.sentence().contains("up to 35 s") && loss.sentence().contains("grows until it is fenced"));
    fence(&mut machine);
    later(&mut machine, 600);
    machine.observe(&[("dr-lag", out_of_sight(635.0))]);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span, loss.grows_from), (span(0), span(35), None));
    assert_eq!((loss.bytes_min, loss.bytes), (Some(0), None), "nobody saw how much it wrote");
    assert!(loss.sentence().starts_with("between nothing and 35 s"), "{}", loss.sentence());
    assert!(loss.basis.contains("by \"step scale\", proven"), "{}", loss.basis);
}

#[test]
fn an_attested_fence_closes_the_range_too_and_says_on_what_it_rests() {
    let mut machine = night(5.0);
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    later(&mut machine, 60);
    let loss = shown(&machine);
    assert_eq!((loss.span, loss.grows_from), (span(5), None));
    assert!(loss.basis.contains("by a word alone"), "{}", loss.basis);
}

#[test]
fn a_loss_that_a_word_closed_says_whose_it_is_and_what_holds_if_it_is_not_so() {
    let mut machine = night(5.0);
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "scale".into(), how: "pulled the plug".into() }).unwrap();
    later(&mut machine, 60);
    let loss = shown(&machine);
    let sentence = loss.sentence();
    assert!(sentence.contains("on alice's word, NOT PROVEN: up to 1 min 05 s and growing"), "{sentence}");
    let then = loss.at(machine.now + seconds(10));
    assert_eq!((then.span, then.on_word.as_ref().map(|word| word.most)), (span(5), span(75)));
    assert_eq!(loss.fence_words(), "It is fenced on a word");
    // What the world shows says nothing of words.
    let mut proven = night(5.0);
    fence(&mut proven);
    later(&mut proven, 60);
    let loss = shown(&proven);
    assert!(loss.fenced_at.is_some() && loss.on_word.is_none(), "{loss:?}");
    assert!(!loss.sentence().contains("word"), "{}", loss.sentence());
}

#[test]
fn a_primary_that_was_seen_to_write_after_the_fence_is_not_taken_for_fenced() {
    let mut machine = night(5.0);
    fence(&mut machine);
    later(&mut machine, 3600);
    let mut back = lag(0.0, 0.0, 0.0).unwrap();
    back.fields.insert("primary_writable_s".into(), Field::Number(0.0));
    machine.observe(&[("dr-lag", Ok(back))]);
    later(&mut machine, 10);
    machine.observe(&[("dr-lag", out_of_sight(10.0))]);
    later(&mut machine, 10);
    let loss = shown(&machine);
    assert_eq!(loss.span, span(20));
    assert!(loss.grows_from.is_some(), "{loss:?}");
}

#[test]
fn what_was_measured_before_the_fence_may_have_been_overtaken_until_then() {
    let mut machine = night(5.0);
    machine.observe(&[("dr-lag", lag(0.2, 0.0, 0.0))]);
    later(&mut machine, 4);
    fence(&mut machine);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span), (span(0), span(4)));
    later(&mut machine, 1);
    machine.observe(&[("dr-lag", lag(0.2, 0.0, 0.0))]);
    let loss = shown(&machine);
    assert_eq!((loss.span_min, loss.span), (None, span(0)));
    assert!(loss.sentence().starts_with("nothing: "), "{}", loss.sentence());
}

#[test]
fn a_guard_on_the_exposure_asks_for_the_upper_end_also_while_nobody_can_measure() {
    let mut machine = night(5.0);
    let bound = "signals['dr-lag'].fields.exposure_s < 60.0";
    assert_eq!(guard(&machine, bound), Truth::True);
    machine.pass(20, &[("dr-lag", blind())]);
    assert_eq!(guard(&machine, bound), Truth::True);
    machine.pass(60, &[("dr-lag", blind())]);
    assert_eq!(guard(&machine, bound), Truth::False);
    assert_eq!(guard(&machine, "signals['dr-lag'].fields.exposure_min_s < 60.0"), Truth::True);
    fence(&mut machine);
    machine.pass(600, &[("dr-lag", blind())]);
    assert_eq!(guard(&machine, bound), Truth::False, "it was fenced after more than a minute");
    assert_eq!(guard(&machine, "signals['dr-lag'].fields.exposure_s < 120.0"), Truth::True);
}

fn typed() -> Option<String> {
    Some("target-of-promote".into())
}

fn withdrawn(machine: &mut Machine, after: i64) -> Option<String> {
    let confirmation = machine.prepare("promote");
    later(machine, after);
    let facts = machine.ask(Ask::Confirm { confirmation, typed: typed() }).unwrap();
    match facts.first() {
        Some(Fact::ConfirmationWithdrawn { why, .. }) => Some(why.clone()),
        _ => None,
    }
}

#[test]
fn the_time_that_typing_takes_withdraws_nothing_but_more_than_was_allowed_does() {
    assert_eq!(withdrawn(&mut night(5.0), 20), None);
    let why = withdrawn(&mut night(45.0), 20).unwrap();
    assert!(why.contains("exposure_s < 60.0"), "{why}");

    // The same without a guard: the objective is crossed, or it is another loss than was on the screen.
    let unguarded = || {
        let mut plan = Plan::clone(&plan_with_fence());
        plan.runbooks.get_mut("failover").unwrap().steps.get_mut("promote").unwrap().guard.clear();
        Machine::failing_over_under(Arc::new(plan))
    };
    let mut machine = unguarded();
    machine.observe(&[("dr-lag", out_of_sight(45.0))]);
    let why = withdrawn(&mut machine, 20).unwrap();
    assert!(why.contains("more than the RPO of 1 min 00 s may be lost now"), "{why}");
    let mut machine = unguarded();
    machine.observe(&[("dr-lag", out_of_sight(100.0))]);
    assert_eq!(withdrawn(&mut machine, 30), None);
    let mut machine = unguarded();
    machine.observe(&[("dr-lag", out_of_sight(100.0))]);
    let why = withdrawn(&mut machine, 70).unwrap();
    assert!(why.contains("the loss grew from nothing if the primary died"), "{why}");
}

#[test]
fn a_guard_that_the_range_blocks_says_how_it_is_closed() {
    let mut machine = night(100.0);
    let confirmation = machine.prepare("promote");
    let refusal = machine.ask(Ask::Confirm { confirmation, typed: typed() }).unwrap_err();
    assert!(refusal.next.contains("Fence the old primary, or attest that it is off"), "{refusal}");
    assert!(refusal.next.contains("up to 1 min 40 s"), "{refusal}");
    // A word closes nothing where the standby streams on from a server that nobody knows.
    let mut machine = night(100.0);
    machine.observe(&[("dr-lag", out_of_sight(100.0).map(|seen| seen.with_flag("sender_matched", false)))]);
    let confirmation = machine.prepare("promote");
    let refusal = machine.ask(Ask::Confirm { confirmation, typed: typed() }).unwrap_err();
    assert!(refusal.next.contains("Fence the old primary, and have that proven"), "{refusal}");
}

#[test]
fn what_a_step_waits_for_is_not_satisfied_by_a_reading_from_before_it() {
    let mut machine = night(5.0);
    let condition = Condition::parse("signals['dr-lag'].fields.exposure_min_s < 1.0").unwrap();
    let begun = machine.now;
    later(&mut machine, 2);
    let now = |machine: &Machine| {
        condition.evaluate(&Since {
            view: View { model: &machine.model, now: machine.now },
            since: Some(begun),
            ahead: Vec::new(),
        })
    };
    assert_eq!(now(&machine), Truth::True, "a reading of the same moment");
    later(&mut machine, 2);
    let begun = machine.now;
    let now = |machine: &Machine| {
        condition.evaluate(&Since {
            view: View { model: &machine.model, now: machine.now },
            since: Some(begun),
            ahead: Vec::new(),
        })
    };
    assert!(matches!(now(&machine), Truth::Unknown(why) if why.contains("since the step began")));
    later(&mut machine, 1);
    machine.observe(&[("dr-lag", out_of_sight(10.0))]);
    assert_eq!(now(&machine), Truth::True);
}

/// As after `kill -9`: the journal is all that is left, and the probe that lost its memory measures without the primary.
fn restarted(machine: Machine) -> Machine {
    let mut machine = Machine::resumed_under(plan_with_fence(), machine.log, machine.now);
    machine.settle();
    machine
}

/// A standby whose primary was not seen since the probe began.
fn without_memory() -> Outcome {
    let mut measured = good(None)?;
    measured.fields.insert("in_recovery".into(), Field::Flag(true));
    measured.fields.insert("primary_reachable".into(), Field::Flag(false));
    measured
        .fields
        .insert("exposure_basis".into(), Field::Text("unknown: the primary has not been seen".into()));
    Ok(measured)
}

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

/// That a loss grew by what passed, or by a little more: what is kept is not the last look.
fn grew(loss: &LossEstimate, before: SignedDuration, by: i64) {
    let more = loss.span.unwrap() - before - seconds(by);
    assert!(more >= seconds(-1) && more <= seconds(10), "{loss:?} after {before}");
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

/// A primary that is seen, of whose WAL so much is not yet replicated.
fn seen(exposure_s: f64) -> Outcome {
    let mut measured = lag(exposure_s, exposure_s, exposure_s * 1000.0)?;
    measured.fields.insert("primary_heard_s".into(), Field::Number(0.0));
    Ok(measured)
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
        let server = super::serving::standby(started_at);
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

#[test]
fn a_primary_that_is_fenced_is_not_said_to_accept_writes() {
    let mut machine = night(5.0);
    let mut measured = out_of_sight(5.0).unwrap();
    let basis =
        format!("estimate: the primary was last seen 5 s ago; {}", crate::core::ask::loss_reading::MAY_WRITE);
    measured.fields.insert("exposure_basis".into(), Field::Text(basis));
    machine.observe(&[("dr-lag", Ok(measured))]);
    assert!(shown(&machine).basis.contains("may accept writes"), "{}", shown(&machine).basis);
    fence(&mut machine);
    let basis = shown(&machine).basis;
    assert!(basis.starts_with("fenced by ") && basis.contains("last seen 5 s ago"), "{basis}");
    assert!(!basis.contains("may accept writes"), "{basis}");
}

#[test]
fn a_fence_that_names_the_probe_of_the_primary_alone_closes_the_loss_that_a_lag_tells_of_it() {
    let mut plan = Plan::clone(&plan_with_fence());
    plan.runbooks.get_mut("failover").unwrap().steps.get_mut("scale").unwrap().fences =
        vec!["primary-db".into()];
    let dsn = |name: &str| Param::Text(format!("host={name}"));
    let params = |plan: &mut Plan, probe: &str, key: &str, name: &str| {
        plan.probes.get_mut(probe).unwrap().params.0.insert(key.into(), dsn(name));
    };
    params(&mut plan, "primary-db", "dsn", "a");
    params(&mut plan, "dr-db", "dsn", "b");
    params(&mut plan, "dr-lag", "dsn", "b");
    params(&mut plan, "dr-lag", "primary", "a");
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    machine.observe(&[("dr-lag", out_of_sight(5.0))]);
    assert!(shown(&machine).grows_from.is_some());
    fence(&mut machine);
    later(&mut machine, 60);
    let loss = shown(&machine);
    assert!(loss.fenced_at.is_some() && loss.grows_from.is_none(), "{loss:?}");
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

/// What a probe that lost its memory tells of a standby whose last commit is so old.
fn by_last_commit(seconds_ago: f64) -> Outcome {
    Ok(without_memory()?.with_number("exposure_s", seconds_ago).with_number("exposure_min_s", 0.0))
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

/// The same without what was seen of the primary before: it was seen read-only, if at all.
fn never_writable(measured: Outcome) -> Outcome {
    let mut measured = measured?;
    measured.fields.remove("primary_writable_s");
    Ok(measured)
}

#[test]
fn upkeep_that_commits_after_a_proven_fence_does_not_open_the_loss_to_an_engine_that_began_since() {
    let mut machine = night(5.0);
    machine.observe(&[("dr-lag", seen(0.0))]);
    fence(&mut machine);
    let mut machine = restarted(machine);
    // The next engine sees the primary read-only, and it commits what its upkeep does before it goes out of sight.
    machine.pass(60, &[("dr-lag", seen(0.0).map(|seen| seen.with_flag("primary_reachable", true)))]);
    let gone = || never_writable(out_of_sight(2.0)).map(|gone| gone.with_number("primary_heard_s", 5.0));
    machine.observe(&[("dr-lag", gone())]);
    later(&mut machine, 600);
    let loss = shown(&machine);
    assert_eq!((loss.span, loss.grows_from), (span(0), None), "{}", loss.sentence());
    assert!(loss.fenced_at.is_some() && !loss.basis.contains("may accept writes"), "{loss:?}");
    machine.settle();
    // The one after that never sees it, and goes by what was known: the standby replays that commit still.
    let mut machine = restarted(machine);
    machine.observe(&[("dr-lag", never_writable(by_last_commit(1.0)))]);
    let loss = shown(&machine);
    assert_eq!((loss.span, loss.grows_from), (span(0), None), "{}", loss.sentence());
    assert!(loss.fenced_at.is_some());
}

#[test]
fn commits_that_go_on_after_a_proven_fence_open_the_loss_where_nobody_sees_the_primary() {
    let mut machine = night(5.0);
    fence(&mut machine);
    later(&mut machine, 300);
    let on = never_writable(out_of_sight(2.0)).map(|on| on.with_number("primary_commits_s", 90.0));
    machine.observe(&[("dr-lag", on)]);
    let loss = shown(&machine);
    assert!(loss.grows_from.is_some() && loss.fenced_at.is_none(), "{}", loss.sentence());
}

/// The fence was proven, and somebody takes it back at the server, behind the cut line: the standby goes on to hold what
/// is committed there.
#[test]
fn a_proven_fence_that_is_taken_back_out_of_sight_is_found_by_the_commits_that_go_on() {
    let mut machine = night(5.0);
    fence(&mut machine);
    assert_eq!(shown(&machine).grows_from, None);
    later(&mut machine, 300);
    let on = out_of_sight(302.0).map(|on| on.with_number("primary_commits_s", 90.0));
    machine.observe(&[("dr-lag", on)]);
    machine.report(Report::Tick).unwrap();
    let loss = shown(&machine);
    assert!(loss.grows_from.is_some() && loss.fenced_at.is_none(), "{}", loss.sentence());
    let open = contradiction::of(&machine.model).iter().map(|open| &open.contradiction);
    let broken = open.clone().find(|open| open.kind == Kind::FencedWrites).expect("it is told");
    assert!(broken.what.ends_with("GOES ON WRITING although it was fenced"), "{}", broken.what);
    assert!(broken.why.contains("was verified at"), "{}", broken.why);
}

#[test]
fn a_loss_does_not_grow_by_the_time_in_which_a_primary_that_is_proven_fenced_stood_idle_in_sight() {
    let mut machine = night(5.0);
    machine.observe(&[("dr-lag", seen(13.0))]);
    fence(&mut machine);
    let fenced_at = shown(&machine).fenced_at.unwrap();
    let since = |machine: &Machine| machine.now.duration_since(fenced_at).as_secs_f64();
    for _ in 0..13 {
        later(&mut machine, 5);
        let ago = since(&machine);
        machine.observe(&[("dr-lag", seen(13.0 + ago))]);
        assert_eq!(shown(&machine).span, span(13));
    }
    // It goes 3 s after the last look; the first look that found something missing was 11 s before the fence.
    later(&mut machine, 3);
    let ago = since(&machine);
    let gone = never_writable(out_of_sight(3.0)).unwrap().with_number("exposure_s", 13.0 + ago);
    let gone =
        gone.with_number("exposure_min_s", 11.0 + ago - 3.0).with_number("exposure_min_bytes", 87_000.0);
    machine.observe(&[("dr-lag", Ok(gone))]);
    let is_right = |machine: &Machine| {
        let loss = shown(machine);
        assert_eq!((loss.span_min, loss.span), (span(11), span(13)), "{}", loss.sentence());
        assert_eq!((loss.bytes_min, loss.grows_from), (Some(87_000), None), "{loss:?}");
        assert_eq!(guard(machine, "signals['dr-lag'].fields.exposure_s < 60.0"), Truth::True);
    };
    is_right(&machine);
    machine.settle();
    let mut machine = restarted(machine);
    later(&mut machine, 600);
    machine.observe(&[("dr-lag", without_memory())]);
    is_right(&machine);
}
