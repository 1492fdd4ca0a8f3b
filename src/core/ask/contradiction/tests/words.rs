//! A fence on a person's word, and what reaches the standby in spite of it.

use super::*;

/// The fence is on a person's word; `after` seconds later the standby holds what was committed up to `held` seconds
/// before, and nobody sees the primary.
fn attested_and_fed(after: i64, held: f64) -> Machine {
    let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
    attest(&mut machine);
    later(&mut machine, after, held);
    machine
}

fn attest(machine: &mut Machine) {
    let run = machine.run();
    let how = "nothing can connect to it".into();
    machine.ask(Ask::Attest { run, step: "check".into(), how }).unwrap();
    machine.settle();
}

fn later(machine: &mut Machine, after: i64, held: f64) {
    machine.now += seconds(after);
    let mut fed = lag(0.0, held, 0.0).unwrap();
    let fields = [
        ("exposure_min_s", 0.0),
        ("primary_heard_s", 60.0),
        ("primary_writable_s", 60.0),
        ("primary_commits_s", held),
    ];
    for (name, number) in fields {
        fed.fields.insert(name.into(), crate::core::words::reading::Field::Number(number));
    }
    machine.observe(&[("primary-db", bad()), ("dr-db", standby("b")), ("dr-lag", Ok(fed))]);
    machine.report(Report::Tick).unwrap();
}

#[test]
fn a_fence_on_a_persons_word_is_broken_by_commits_that_come_after_it_although_nobody_sees_the_server() {
    let machine = attested_and_fed(40, 0.5);
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(severity(&machine), Some(Severity::P0));
    let open = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::FencedWrites).unwrap();
    let known = &open.contradiction;
    assert!(known.what.contains("probe primary-db GOES ON WRITING"), "{}", known.what);
    assert!(known.blocks.contains(&Blocked::Promote) && known.to_fence == Some("primary-db".into()));
    let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
    assert!(loss.fenced_at.is_none() && loss.grows_from.is_some(), "it grows: {loss:?}");
    // The fence vouches for nothing, and the step can be done again.
    let found = remedy(&machine.model, known).unwrap();
    assert!(found.step.id.as_str() == "check" && found.state.denied.is_some());
}

#[test]
fn commits_of_before_a_fence_break_none_and_its_loss_is_closed() {
    for (after, held) in [(40, 45.0), (40, 37.0), (2, 0.0)] {
        let machine = attested_and_fed(after, held);
        assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{after} {held}: {:?}", kinds(&machine));
    }
    let machine = attested_and_fed(40, 45.0);
    let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
    assert!(loss.fenced_at.is_some() && loss.grows_from.is_none(), "{loss:?}");
}

/// The console was opened in the outage, and the standby streams from the same server under another address, or from one
/// in between.
#[test]
fn a_word_that_cannot_be_checked_says_so_and_closes_no_loss() {
    let mut machine = attested_and_fed(40, 45.0);
    let loss = |machine: &Machine| {
        crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap()
    };
    assert!(loss(&machine).grows_from.is_none(), "a stream from the server itself would break it");
    machine.now += seconds(5);
    let mut fed = out_of_sight_and_fed(50.0).with_flag("sender_matched", false);
    machine.observe(&[("primary-db", bad()), ("dr-db", standby("b")), ("dr-lag", Ok(fed.clone()))]);
    let found = loss(&machine);
    assert!(found.grows_from.is_some() && found.fenced_at.is_none() && found.on_word.is_none(), "{found:?}");
    let sentence = found.sentence();
    let said =
        "grows until its fence is PROVEN: alice's word cannot be checked: probe dr-lag streams from a server";
    assert!(sentence.contains(said), "{sentence}");
    fed = fed.with_text("sender", "10.0.0.5:5432".to_owned());
    machine.observe(&[("dr-lag", Ok(fed.clone()))]);
    let sentence = loss(&machine).sentence();
    assert!(sentence.contains("streams from 10.0.0.5:5432, which may be that server"), "{sentence}");
    // The next engine sees it no better.
    machine.report(Report::Tick).unwrap();
    let mut again =
        Machine::resumed_under(with_a_fence_seen_by_a_lag(), machine.log, machine.now + seconds(5));
    again.observe(&[("dr-lag", Ok(fed.clone()))]);
    assert!(loss(&again).doubted.is_some(), "{}", loss(&again).sentence());
    // Who looks into the server needs no stream to know what it does.
    again.observe(&[("primary-db", Ok(server("primary", 1, "a").with_flag("read_only", true)))]);
    assert!(loss(&again).grows_from.is_none(), "{}", loss(&again).sentence());
}

fn out_of_sight_and_fed(held: f64) -> crate::core::words::reading::Measurement {
    let fields = [("exposure_min_s", 0.0), ("primary_heard_s", 60.0), ("primary_writable_s", 60.0)];
    fields
        .into_iter()
        .fold(lag(0.0, held, 0.0).unwrap(), |measured, (name, number)| measured.with_number(name, number))
}

#[test]
fn a_fence_that_commits_broke_is_over_once_it_is_raised_again_and_no_more_come() {
    let mut machine = attested_and_fed(40, 0.5);
    again(&mut machine, Some("it takes writes")).unwrap();
    attest(&mut machine);
    later(&mut machine, 40, 42.0);
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    later(&mut machine, 40, 1.0);
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "and is broken again by new ones");
}

/// The same by what reached the standby `ago` seconds before, while the times of commits tell nothing of after the word.
fn goes_on(machine: &mut Machine, after: i64, ago: f64) {
    machine.now += seconds(after);
    let fed = lag(0.0, 600.0, 0.0).unwrap().with_number("primary_commits_s", ago);
    machine.observe(&[("primary-db", bad()), ("dr-db", standby("b")), ("dr-lag", Ok(fed))]);
    machine.report(Report::Tick).unwrap();
}

#[test]
fn a_fence_on_a_persons_word_is_broken_by_what_reaches_the_standby_whatever_the_clocks_say() {
    for (after, ago, broken) in [(40, 1.0, true), (40, 30.0, true), (40, 37.0, false), (40, 50.0, false)] {
        let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
        attest(&mut machine);
        goes_on(&mut machine, after, ago);
        assert_eq!(kinds(&machine).contains(&Kind::FencedWrites), broken, "{ago}: {:?}", kinds(&machine));
        let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
        assert_eq!(loss.fenced_at.is_none(), broken, "{ago}: {loss:?}");
    }
}

/// The clock of this host is set by so many seconds.
fn set_clock(machine: &mut Machine, by: i64) {
    machine.now += seconds(by);
    machine.report(Report::ClockJumped { by: seconds(by), not_passed: seconds(by.max(0)) }).unwrap();
    machine.report(Report::Tick).unwrap();
}

#[test]
fn an_own_clock_that_is_set_after_the_word_of_a_fence_breaks_none_and_hides_no_commit() {
    for by in [3600, 10, -10, -3600] {
        let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
        goes_on(&mut machine, 1, 0.5);
        attest(&mut machine);
        set_clock(&mut machine, by);
        let broken = |machine: &Machine| kinds(machine).contains(&Kind::FencedWrites);
        assert!(!broken(&machine), "{by}: by a reading of before");
        goes_on(&mut machine, 2, 4.0);
        assert!(!broken(&machine), "{by}: by a commit of before the word");
        goes_on(&mut machine, 40, 0.5);
        assert!(broken(&machine), "{by}: a commit of long after both");
    }
}

#[test]
fn a_fence_that_is_said_after_the_clock_was_set_back_is_not_broken_by_what_was_read_before() {
    let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
    goes_on(&mut machine, 1, 0.5);
    set_clock(&mut machine, -3600);
    attest(&mut machine);
    machine.report(Report::Tick).unwrap();
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_fence_that_was_said_in_an_exercise_closes_no_loss() {
    let mut machine = attested_and_fed(40, 45.0);
    let fenced = |machine: &Machine| {
        let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
        (loss.fenced_at.is_some(), !crate::core::ask::in_force::of(&machine.model).is_empty())
    };
    assert_eq!(fenced(&machine), (true, true));
    let run = &mut machine.model.durable.incident.as_mut().unwrap().runs[0];
    run.steps.values_mut().for_each(|state| state.exercise = true);
    assert_eq!(fenced(&machine), (false, false));
}

#[test]
fn what_reaches_the_standby_breaks_a_word_also_for_an_engine_that_never_saw_the_primary() {
    let mut machine = attested_and_fed(40, 45.0);
    let mut again = Machine::resumed_under(with_a_fence_seen_by_a_lag(), machine.log.clone(), machine.now);
    std::mem::swap(&mut machine, &mut again);
    goes_on(&mut machine, 20, 1.0);
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}
