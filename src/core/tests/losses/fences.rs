//! What closes a loss, and what opens it again.

use super::*;

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
    let on = never_writable(out_of_sight(2.0)).map(|on| on.with_number("primary_transactions_s", 90.0));
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
    let on = out_of_sight(302.0).map(|on| on.with_number("primary_transactions_s", 90.0));
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

/// Nobody replays what autovacuum writes of one large table.
#[test]
fn what_upkeep_writes_and_nobody_replays_says_nothing_against_a_proven_fence() {
    let mut machine = night(5.0);
    fence(&mut machine);
    later(&mut machine, 300);
    let on = out_of_sight(302.0).map(|on| on.with_number("primary_commits_s", 90.0));
    machine.observe(&[("dr-lag", on)]);
    machine.report(Report::Tick).unwrap();
    let loss = shown(&machine);
    assert!(loss.grows_from.is_none() && loss.fenced_at.is_some(), "{}", loss.sentence());
    assert!(
        contradiction::of(&machine.model).iter().all(|open| open.contradiction.kind != Kind::FencedWrites)
    );
}
