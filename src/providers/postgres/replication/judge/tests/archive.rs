//! What an archive feeds, and what is held back on purpose.

use super::*;

#[test]
fn a_standby_that_is_fed_by_archive_is_measured_by_what_it_replayed() {
    let mut scene = Scene::new();
    let by_archive = |scene: &Scene, at, replayed| {
        let mut standby = scene.standby(at, 0, replayed);
        (standby.receiver, standby.received) = (Receiver::None, None);
        standby.fed = Feed { archive: true, wants_stream: Some(false), ..Feed::default() };
        standby
    };
    for at in [0, 5, 10] {
        scene.judge(&by_archive(&scene, at, at * MB), &scene.primary(at, at * MB));
    }
    let measured = scene.judge(&by_archive(&scene, 20, 8 * MB), &scene.primary(20, 20 * MB));
    assert_eq!((measured.verdict.clone(), measured.value), (Verdict::Good, Some(12.0)));
    assert_eq!(number(&measured, "exposure_s"), 12.0);
    assert!(measured.summary.starts_with("fed by archive, 12 s behind"), "{measured:?}");
    // Where it is to stream as well, that it does not is told, and is not all there is.
    let mut both = by_archive(&scene, 25, 20 * MB);
    both.fed.wants_stream = Some(true);
    let measured = scene.judge(&both, &scene.primary(25, 25 * MB));
    assert!(
        matches!(&measured.verdict, Verdict::Warn(why) if why.starts_with("not streaming (")),
        "{measured:?}"
    );
    assert_eq!(measured.value, Some(5.0));
}

#[test]
fn a_delay_on_purpose_is_no_lag_and_what_comes_on_top_is() {
    let mut scene = Scene::new();
    for at in 0..10 {
        let mut standby = scene.standby(at * 5, at * 5 * MB, at * 5 * MB);
        standby.apply_delay = seconds(20);
        scene.judge(&standby, &scene.primary(at * 5, at * 5 * MB));
    }
    for (replayed, behind) in [(30, 0.0), (20, 10.0)] {
        let mut standby = scene.standby(50, 50 * MB, replayed * MB);
        (standby.apply_delay, standby.waits_for) = (seconds(20), Some("RecoveryApplyDelay".into()));
        let measured = scene.judge(&standby, &scene.primary(50, 50 * MB));
        assert_eq!((measured.verdict.clone(), measured.value), (Verdict::Good, Some(behind)), "{measured:?}");
        assert!(measured.summary.ends_with("delayed on purpose by 20 s"), "{measured:?}");
        assert_eq!(number(&measured, "replay_lag_s"), 20.0 + behind);
    }
}

#[test]
fn wal_without_a_transaction_that_an_archive_keeps_back_is_no_lag() {
    let mut scene = Scene::new();
    for (at, of_primary, of_standby, lag) in [
        (0, Some(7), Some(7), 0.0),
        (600, Some(7), Some(7), 0.0),
        (605, Some(8), Some(7), 605.0),
        (610, None, None, 610.0),
    ] {
        let mut standby = scene.standby(at, 0, MB);
        (standby.receiver, standby.received, standby.complete_to) = (Receiver::None, None, of_standby);
        standby.fed = Feed { archive: true, wants_stream: Some(false), ..Feed::default() };
        let end = if at == 0 { MB } else { MB + 300 };
        let primary = Primary { complete_to: of_primary, ..scene.primary_seen(at, end) };
        let measured = scene.judge(&standby, &PrimaryLook::Seen(primary));
        assert_eq!(
            (measured.verdict.clone(), measured.value.map(f64::round)),
            (Verdict::Good, Some(lag)),
            "{measured:?}"
        );
    }
}

#[test]
fn an_archive_that_goes_on_without_a_primary_to_ask_is_measured_by_its_last_commit() {
    let mut scene = Scene::new();
    let fed = |scene: &Scene, at, replayed, age| {
        let mut standby = scene.standby(at, 0, replayed);
        (standby.receiver, standby.committed) = (Receiver::None, Some(standby.clock - age as f64));
        standby.fed = Feed { archive: true, wants_stream: Some(true), ..Feed::default() };
        standby
    };
    let first = scene.judge(&fed(&scene, 0, MB, 9), &PrimaryLook::NotAsked);
    assert!(why(&first).starts_with("not streaming for"), "nothing has come yet: {first:?}");
    let later = scene.judge(&fed(&scene, 5, 2 * MB, 7), &PrimaryLook::NotAsked);
    assert!(later.summary.starts_with("fed by archive, 7 s behind"), "{later:?}");
    assert!(matches!(&later.verdict, Verdict::Warn(why) if why.starts_with("not streaming (")), "{later:?}");
    let stuck = scene.judge(&fed(&scene, 605, 2 * MB, 607), &PrimaryLook::NotAsked);
    assert_eq!(stuck.value.map(f64::round), Some(607.0), "its age is what a bound is for");
    // By the archive alone, as the plan wants it.
    let mut alone = fed(&scene, 610, 3 * MB, 4);
    alone.fed.wants_stream = Some(false);
    let measured = Scene::new().judge(&alone, &PrimaryLook::NotAsked);
    assert_eq!(
        (measured.verdict.clone(), measured.value.map(f64::round)),
        (Verdict::Good, Some(4.0)),
        "{measured:?}"
    );
}
