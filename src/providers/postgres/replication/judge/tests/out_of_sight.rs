//! A primary that nobody sees: what is missing, and what goes on to arrive.

use super::*;

#[test]
fn out_of_sight_the_exposure_is_a_range_whose_upper_end_grows() {
    let mut scene = Scene::new();
    scene.healthy(3);
    for at in [15, 60, 3000] {
        let mut standby = scene.standby(at, 12 * MB, 12 * MB);
        standby.receiver = Receiver::None;
        let measured = scene.judge(&standby, &scene.gone(at));
        assert_eq!(measured.value, None);
        assert!(why(&measured).contains("primary unreachable for "), "{measured:?}");
        // Seen at 10 s with 10 MB, all of which arrived: what came after is not known.
        assert_eq!(
            (number(&measured, "exposure_min_s"), number(&measured, "exposure_min_bytes")),
            (0.0, 0.0)
        );
        assert_eq!(number(&measured, "exposure_s"), (at - 10) as f64);
        assert!(!measured.fields.contains_key("exposure_bytes"), "no rate bounds what it may have written");
        assert_eq!(number(&measured, "primary_heard_s"), (at - 10) as f64);
        assert_eq!(number(&measured, "primary_writable_s"), (at - 10) as f64);
    }
}

#[test]
fn a_primary_never_seen_leaves_the_exposure_unknown() {
    let mut scene = Scene::new();
    let mut standby = scene.standby(5, MB, MB);
    (standby.receiver, standby.committed) = (Receiver::None, None);
    let measured = scene.judge(&standby, &scene.gone(5));
    assert!(!measured.fields.contains_key("exposure_s") && !measured.fields.contains_key("exposure_bytes"));
    assert!(measured.text("exposure_basis").unwrap().starts_with("unknown"), "{measured:?}");
    // The last commit that it replayed tells at least how much it is at most.
    standby.committed = Some(standby.clock - 90.0);
    let measured = scene.judge(&standby, &scene.gone(5));
    assert_eq!(number(&measured, "exposure_s").round(), 90.0);
    assert_eq!(number(&measured, "exposure_min_s"), 0.0);
}

#[test]
fn what_is_missing_when_the_primary_goes_out_of_sight_is_lost_for_certain() {
    let mut scene = Scene::new();
    scene.healthy(2);
    for at in [10, 15, 20, 25] {
        let mut standby = scene.standby(at, 5 * MB, 5 * MB);
        standby.receiver = Receiver::None;
        let primary = if at == 25 { scene.gone(at) } else { scene.primary(at, at * MB) };
        let measured = scene.judge(&standby, &primary);
        if at == 25 {
            assert_eq!((number(&measured, "exposure_min_s"), number(&measured, "exposure_s")), (10.0, 20.0));
            assert_eq!(number(&measured, "exposure_min_bytes"), (15 * MB) as f64);
        }
    }
}

#[test]
fn a_standby_that_is_down_still_tells_what_it_held() {
    let mut scene = Scene::new();
    scene.healthy(3);
    let now = scene.start + seconds(40);
    let gone = down(&mut scene.memory, "connection refused", now, &PrimaryLook::NotAsked);
    assert_eq!(number(&gone, "exposure_s"), 30.0);
    assert!(why(&gone).contains("the standby is down"));
    assert_eq!(gone.text("started_at"), Some("2026-03-01 02:00:00.000001"), "which one held it");
    assert!(down(&mut Memory::default(), "", now, &PrimaryLook::NotAsked).number("exposure_s").is_none());
}

#[test]
fn a_standby_that_falls_silent_too_is_still_known_to_hold_what_it_replayed_last() {
    let mut scene = Scene::new();
    scene.healthy(3);
    // The stream goes on for ten minutes after the primary went out of sight.
    let mut standby = scene.standby(610, 610 * MB, 610 * MB);
    standby.committed = Some(1000.0 + 610.0);
    let seen = scene.judge(&standby, &scene.gone(610));
    assert!(number(&seen, "exposure_s") < 10.0, "{seen:?}");
    let (now, primary) = (scene.start + seconds(625), scene.gone(625));
    let gone = down(&mut scene.memory, "no answer", now, &primary);
    let span = number(&gone, "exposure_s");
    assert!((15.0..30.0).contains(&span), "what passed since, and not since the primary was seen: {span}");
}

#[test]
fn what_a_primary_wrote_while_the_standby_was_seen_not_to_follow_it_is_missing_for_certain_once_it_is_gone() {
    let mut scene = Scene::new();
    scene.healthy(3);
    for at in [15, 20, 30, 50] {
        let mut standby = Standby { timeline: 2, ..scene.standby(at, 10 * MB, 10 * MB) };
        standby.receiver = Receiver::None;
        assert!(why(&scene.judge(&standby, &scene.primary(at, at * MB))).contains("does not follow"));
    }
    let mut standby = Standby { timeline: 2, ..scene.standby(55, 10 * MB, 10 * MB) };
    (standby.receiver, standby.committed) = (Receiver::None, Some(standby.clock - 47.0));
    let dead = scene.judge(&standby, &scene.gone(53));
    assert_eq!(number(&dead, "exposure_min_s"), 35.0, "{dead:#?}");
    assert_eq!(number(&dead, "exposure_min_bytes"), (35 * MB) as f64);
    assert!(number(&dead, "exposure_s") >= 47.0, "{dead:#?}");
    assert!(dead.text("exposure_basis").unwrap().contains("did not follow the primary"), "{dead:#?}");
}

#[test]
fn a_last_commit_is_as_old_as_it_is_whichever_clock_is_ahead() {
    for ahead in [0.0, 0.7, 30.0, 600.0, 86_400.0, -0.7, -30.0, -600.0, -86_400.0] {
        for (now, committed, old) in [(40, 40, 0.2), (40, 38, 2.2), (700, 20, 680.2)] {
            let told = number(&cut_off(ahead, now, committed), "exposure_s");
            assert!((told - old).abs() < 0.01, "{ahead} s ahead: {told} s instead of {old} s");
        }
    }
}

#[test]
fn a_commit_of_the_future_bounds_no_loss() {
    // The clock of the primary was set forward after it was seen: its commit seems to be of an hour later.
    let mut scene = Scene::new();
    scene.healthy(3);
    let standby = Standby { committed: Some(1000.0 + 3640.0), ..scene.standby(40, 12 * MB, 12 * MB) };
    let measured = scene.judge(&standby, &scene.gone(40));
    assert_eq!(number(&measured, "exposure_s"), 30.0, "by the last look: {measured:?}");
    // Nobody compared any.
    let mut unseen = Scene::new();
    let standby = Standby { committed: Some(1000.0 + 3640.0), ..unseen.standby(40, 12 * MB, 12 * MB) };
    let measured = unseen.judge(&standby, &unseen.gone(40));
    assert_eq!(measured.fields.get("exposure_s"), None, "{measured:?}");
}

#[test]
fn a_commit_that_was_of_the_future_bounds_no_loss_later_either() {
    // The clock of the primary was set forward by 50 s after it was seen, and its stream is cut at 20 s.
    let mut scene = Scene::new();
    scene.healthy(3);
    let mut told = Vec::new();
    for now in (20..=90).step_by(10) {
        let standby = Standby { committed: Some(1000.0 + 70.0), ..scene.standby(now, 20 * MB, 20 * MB) };
        told.push(number(&scene.judge(&standby, &scene.gone(now)), "exposure_s"));
    }
    assert!(told.is_sorted(), "it never falls: {told:?}");
    assert_eq!(told.last(), Some(&80.0), "by the last look: {told:?}");
}

#[test]
fn a_primary_out_of_sight_that_goes_on_is_told_by_what_reaches_the_standby() {
    let mut scene = Scene::new();
    let listed = |scene: &Scene, at| {
        let standbys = Some(vec![Sender { name: "b".into(), held: None }]);
        PrimaryLook::Seen(Primary { standbys, ..scene.primary_seen(at, at * MB) })
    };
    for at in [0, 5, 10] {
        scene.judge(&scene.standby(at, at * MB, at * MB), &listed(&scene, at));
    }
    let measured = fed_on(&mut scene, 15, None);
    assert_eq!(number(&measured, "primary_commits_s"), 25.0, "{measured:?}");
    // It is dead: the stream says so after a while, and the moment stays what it was.
    let mut standby = Standby { committed: Some(50.0), ..scene.standby(75, 45 * MB, 45 * MB) };
    standby.receiver = streaming(seconds(30), 45 * MB);
    let measured = scene.judge(&standby, &scene.gone(75));
    assert_eq!(number(&measured, "primary_commits_s"), 55.0, "{measured:?}");
}

#[test]
fn a_primary_that_is_seen_read_only_ends_what_its_commits_of_before_told() {
    let mut scene = Scene::new();
    let seen = |scene: &Scene, at, setting: &str| {
        let standbys = Some(vec![Sender { name: "b".into(), held: None }]);
        let read_only = ReadOnly::of(setting);
        PrimaryLook::Seen(Primary { standbys, read_only, ..scene.primary_seen(at, at * MB) })
    };
    for at in [0, 5, 10] {
        scene.judge(&scene.standby(at, at * MB, at * MB), &seen(&scene, at, "default:off"));
    }
    fed_on(&mut scene, 15, None);
    scene.judge(&scene.standby(50, 50 * MB, 50 * MB), &seen(&scene, 50, "configuration file:on"));
    let measured = scene.judge(&scene.standby(55, 50 * MB, 50 * MB), &scene.gone(55));
    for field in ["primary_commits_s", "primary_transactions_s"] {
        assert!(!measured.fields.contains_key(field), "{measured:?}");
    }
}

/// The setting of the primary counts, which need not be the standby's.
#[test]
fn what_upkeep_commits_on_a_primary_whose_rounds_are_longer_is_no_commit_of_anybody() {
    let mut scene = Scene::new();
    let standbys = Some(vec![Sender { name: "b".into(), held: None }]);
    let primary = Primary { standbys, upkeep_round: seconds(60), ..scene.primary_seen(10, 10 * MB) };
    scene.judge(&scene.standby(10, 10 * MB, 10 * MB), &PrimaryLook::Seen(primary));
    let measured = fed_on(&mut scene, 15, None);
    assert!(!measured.fields.contains_key("primary_commits_s"), "{measured:?}");
}

/// On a slow line what the primary wrote before it was fenced comes long after: by when it was sent.
#[test]
fn what_was_on_its_way_for_long_was_written_when_it_was_sent() {
    let mut scene = Scene::new();
    scene.memory.learn_address(Some("db1:5432".into()));
    let mut told = None;
    for at in (0..60).step_by(5) {
        let mut standby = Standby { committed: Some(5.0 + at as f64), ..scene.standby(at, at * MB, at * MB) };
        if let Receiver::Seen { sender, took_s, .. } = &mut standby.receiver {
            (*sender, *took_s) = (Some("db1:5432".into()), Some(3600.0 + at as f64 / 2.0));
        }
        told = Some(scene.judge(&standby, &scene.gone(at)));
    }
    // The last five came at 35 to 55 s. The first of them is of after what was heard at 30 s, 15 s after it was sent.
    assert_eq!(number(&told.unwrap(), "primary_commits_s"), 40.0);
}

/// A clock of the standby that stood wrong for a moment turns nothing off for good.
#[test]
fn a_clock_that_was_wrong_for_a_moment_hides_commits_for_two_minutes_at_most() {
    let mut scene = Scene::new();
    scene.memory.learn_address(Some("db1:5432".into()));
    let mut told = None;
    for at in (0..200).step_by(5) {
        let mut standby = Standby { committed: Some(5.0 + at as f64), ..scene.standby(at, at * MB, at * MB) };
        if let Receiver::Seen { sender, took_s, .. } = &mut standby.receiver {
            (*sender, *took_s) = (Some("db1:5432".into()), Some(if at == 10 { -3600.0 } else { 0.1 }));
        }
        told = Some(scene.judge(&standby, &scene.gone(at)));
    }
    let ago = number(&told.unwrap(), "primary_commits_s");
    assert!(ago <= 150.0, "{ago}");
}
