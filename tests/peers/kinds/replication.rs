use super::*;
use crate::postgres::{Load, PATIENCE, Pair, Server};
use lifeboat::core::reading::{Field, Verdict};
use std::time::{Duration, Instant};

const KIND: &str = "postgres-replication";

fn watch(standby: &Server, primary: &Server) -> Box<dyn Probe> {
    probe(KIND, &[("dsn", &standby.dsn()), ("primary", &primary.dsn())])
}

/// Measures until it is as it should be.
async fn until(probe: &dyn Probe, what: &str, good: impl Fn(&Measurement) -> bool) -> Measurement {
    let started = Instant::now();
    loop {
        let measured = measure(KIND, probe).await;
        if good(&measured) {
            return measured;
        }
        assert!(started.elapsed() < PATIENCE, "still not {what}: {measured:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn flag(measured: &Measurement, name: &str) -> Option<bool> {
    match measured.fields.get(name) {
        Some(Field::Flag(flag)) => Some(*flag),
        _ => None,
    }
}

fn why(measured: &Measurement) -> &str {
    measured.verdict.why().unwrap_or_else(|| panic!("{measured:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_pair_has_no_lag_and_paused_replay_has_one_without_loss() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    pair.primary.sql("insert into load (id) values (0)");
    pair.wait_replayed();
    until(&*probe, "idle", |measured| measured.value == Some(0.0)).await;
    // The naive lag of an idle primary grows.
    pair.standby.wait_for("select now() - pg_last_xact_replay_timestamp() > interval '1500 ms'");
    let idle = measure(KIND, &*probe).await;
    assert_eq!((idle.verdict.clone(), idle.value), (Verdict::Good, Some(0.0)), "{idle:#?}");
    assert_eq!(idle.text("slot"), Some("s1"));
    assert_eq!(idle.text("sender"), Some(&*pair.primary.address()));

    pair.standby.pause_replay();
    let load = Load::start(&pair.primary, 200);
    let lagging = until(&*probe, "lagging", |measured| measured.value.is_some_and(|lag| lag > 2.0)).await;
    assert!(why(&lagging).contains("replay is paused"), "{lagging:#?}");
    assert!(lagging.number("replay_lag_bytes") > Some(10_000.0), "{lagging:#?}");
    assert!(lagging.number("exposure_s") < Some(1.0), "{lagging:#?}");
    assert!(load.stop().len() > 100);
    pair.standby.resume_replay();
    until(&*probe, "caught up", |measured| measured.value == Some(0.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_sudden_death_the_loss_is_an_estimate_that_stands_still_and_is_not_too_small() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    let load = Load::start(&pair.primary, 200);
    for _ in 0..10 {
        let measured = measure(KIND, &*probe).await;
        assert!(measured.value.is_some_and(|lag| lag < 2.0), "{measured:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    pair.primary.kill();
    let rows = load.stop();
    let dead = until(&*probe, "cut", |measured| measured.value.is_none()).await;
    assert!(why(&dead).contains("not streaming") && why(&dead).contains("primary unreachable"), "{dead:#?}");
    assert_eq!(flag(&dead, "primary_reachable"), Some(false));
    let (exposure_s, exposure_bytes) =
        (dead.number("exposure_s").unwrap(), dead.number("exposure_bytes").unwrap());
    assert!(exposure_s < 5.0, "{dead:#?}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let later = measure(KIND, &*probe).await;
    assert_eq!(later.number("exposure_s"), Some(exposure_s), "{later:#?}");
    assert_eq!(later.number("exposure_bytes"), Some(exposure_bytes), "{later:#?}");
    assert!(later.text("exposure_basis").unwrap().starts_with("estimate"));

    pair.standby.sql("select pg_promote(true, 30)");
    let kept: usize = pair.standby.sql("select count(*) from load").parse().unwrap();
    let lost = rows.iter().filter(|row| row.id > kept as i64);
    let last = rows.last().unwrap().acknowledged;
    let lost_span = lost.map(|row| last - row.acknowledged).max().unwrap_or_default();
    assert!(lost_span.as_secs_f64() <= exposure_s + 0.1, "lost {lost_span:?}, estimated {exposure_s}");
}

/// The finding behind `exposure_s`: paused replay loses nothing that was received.
#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_replays_what_was_received_even_while_replay_is_paused() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    pair.wait_replayed();
    until(&*probe, "idle", |measured| measured.value == Some(0.0)).await;
    pair.standby.pause_replay();
    let load = Load::start(&pair.primary, 300);
    until(&*probe, "lagging", |measured| measured.value.is_some_and(|lag| lag > 2.0)).await;
    let rows = load.stop();
    pair.wait_received();
    measure(KIND, &*probe).await;
    pair.primary.kill();
    let dead = until(&*probe, "cut", |measured| measured.value.is_none()).await;
    assert!(dead.number("replay_lag_s") > Some(1.5), "{dead:#?}");
    // What the primary may have written since it was last seen, which is next to nothing.
    assert!(dead.number("exposure_s") < Some(1.0), "{dead:#?}");
    assert_eq!(pair.standby.sql("select pg_is_wal_replay_paused()"), "t");
    pair.standby.sql("select pg_promote(true, 30)");
    assert_eq!(pair.standby.sql("select count(*) from load"), rows.len().to_string());
}

/// A connection that breaks while replay is paused does not come back, so that what follows is lost.
#[tokio::test(flavor = "multi_thread")]
async fn while_replay_is_paused_a_broken_stream_does_not_come_back_and_the_exposure_grows() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    pair.wait_replayed();
    until(&*probe, "idle", |measured| measured.value == Some(0.0)).await;
    pair.standby.pause_replay();
    pair.primary.stop();
    pair.primary.start();
    pair.primary
        .sql("insert into load (id, pad) select n, repeat('x', 1000) from generate_series(1, 1000) n");
    let cut =
        until(&*probe, "cut", |measured| measured.number("unreplicated_bytes") > Some(1_000_000.0)).await;
    assert_eq!((cut.value, flag(&cut, "primary_reachable")), (None, Some(true)));
    assert!(why(&cut).contains("does not come back before replay resumes"), "{cut:#?}");
    let first = cut.number("exposure_s").unwrap();
    let later = until(&*probe, "growing", |measured| measured.number("exposure_s") > Some(first + 1.0)).await;
    assert_eq!(later.text("receiver_state"), Some("not running"));
    pair.standby.resume_replay();
    until(&*probe, "streaming again", |measured| measured.value == Some(0.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_behind_our_back_and_another_timeline_are_told() {
    let pair = Pair::start();
    let other = pair.cluster.standby("other", &pair.primary, None);
    let watched = watch(&pair.standby, &pair.primary);
    measure(KIND, &*watched).await;
    pair.standby.sql("select pg_promote(true, 30)");
    let promoted = measure(KIND, &*watched).await;
    assert!(
        why(&promoted).contains("not a standby") && why(&promoted).contains("timeline 2"),
        "{promoted:#?}"
    );
    assert_eq!(promoted.value, None);
    // The old primary lives, and another standby still follows it.
    let astray = measure(KIND, &*watch(&other, &pair.standby)).await;
    assert_eq!(
        why(&astray),
        "the standby is on timeline 1, the primary on 2: it does not follow this primary"
    );
    let stranger = pair.cluster.primary("stranger");
    let wrong = measure(KIND, &*watch(&other, &stranger)).await;
    assert!(why(&wrong).contains("different clusters"), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_see_the_receiver_nothing_is_claimed() {
    let pair = Pair::start();
    pair.primary.sql("create role nobody_special login");
    pair.primary.sql("create role watcher login in role pg_monitor");
    pair.wait_replayed();
    let blind = probe(KIND, &[("dsn", &pair.standby.dsn_of("nobody_special"))]);
    let failure = blind.run().await.unwrap_err();
    assert!(failure.next.contains("pg_monitor"), "{failure:?}");
    let sees = probe(
        KIND,
        &[("dsn", &pair.standby.dsn_of("watcher")), ("primary", &pair.primary.dsn_of("watcher"))],
    );
    let measured = until(&*sees, "idle", |measured| measured.value == Some(0.0)).await;
    assert_eq!(measured.verdict, Verdict::Good);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_to_the_primary_the_receiver_tells() {
    let pair = Pair::start();
    let probe = probe(KIND, &[("dsn", &pair.standby.dsn())]);
    pair.wait_replayed();
    until(&*probe, "idle", |measured| measured.value == Some(0.0)).await;
    pair.primary.kill();
    let dead = until(&*probe, "cut", |measured| measured.value.is_none()).await;
    let first = dead.number("exposure_s").unwrap_or_else(|| panic!("{dead:#?}"));
    // Nobody looks at the primary, so that it may still accept writes.
    until(&*probe, "growing", |measured| measured.number("exposure_s") > Some(first + 1.0)).await;
    pair.standby.kill();
    let down = measure(KIND, &*probe).await;
    assert!(why(&down).contains("the standby is down"), "{down:#?}");
}
