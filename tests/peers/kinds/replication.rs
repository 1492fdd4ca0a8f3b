use super::*;
use crate::postgres::{Load, PATIENCE, Pair, Server, wait_until};
use lifeboat::core::words::reading::{Field, Verdict};
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
    wait_until("rows are acknowledged", || load.acknowledged().len() > 100);
    load.stop();
    pair.standby.resume_replay();
    until(&*probe, "caught up", |measured| measured.value == Some(0.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_sudden_death_what_is_lost_lies_within_a_range_whose_upper_end_grows() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    until(&*probe, "idle", |measured| measured.value == Some(0.0)).await;
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
    let range = |measured: &Measurement| {
        (measured.number("exposure_min_s").unwrap(), measured.number("exposure_s").unwrap())
    };
    let (least_s, most_s) = range(&dead);
    assert!(least_s < 2.0, "{dead:#?}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let later = measure(KIND, &*probe).await;
    assert_eq!(range(&later).0, least_s);
    assert!((1.9..4.0).contains(&(range(&later).1 - most_s)), "{dead:#?} {later:#?}");

    pair.standby.sql("select pg_promote(true, 30)");
    let kept: usize = pair.standby.sql("select count(*) from load").parse().unwrap();
    let lost = rows.iter().filter(|row| row.id > kept as i64);
    let last = rows.last().unwrap().acknowledged;
    let lost_s = lost.map(|row| last - row.acknowledged).max().unwrap_or_default().as_secs_f64();
    assert!((least_s..=most_s).contains(&lost_s), "lost {lost_s} s, told {least_s} s to {most_s} s");
}

/// What a standby of a standby is told by the server in between says nothing of a primary that is dead.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_standby_the_loss_grows_from_when_the_root_died() {
    let pair = Pair::start();
    // A copy of a standby keeps the name of its slot.
    pair.standby.sql("select pg_create_physical_replication_slot('s1')");
    let leaf = pair.cluster.standby("leaf", &pair.standby, Some("s1"));
    let probe = watch(&leaf, &pair.primary);
    let load = Load::start(&pair.primary, 100);
    for _ in 0..3 {
        until(&*probe, "following", |measured| measured.value.is_some_and(|lag| lag < 1.0)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    pair.primary.kill();
    load.stop();
    let dead =
        until(&*probe, "without its root", |measured| flag(measured, "primary_reachable") == Some(false))
            .await;
    let mut last = dead.number("exposure_s").unwrap();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let later = measure(KIND, &*probe).await;
        let most = later.number("exposure_s").unwrap();
        assert!(most > last + 0.8, "{most} s after {last} s: {later:#?}");
        last = most;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_synchronous_standby_lacks_was_never_acknowledged() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    pair.primary.sql("alter system set synchronous_standby_names = 'standby'");
    pair.primary.sql("select pg_reload_conf()");
    pair.primary.wait_for("select bool_or(sync_state = 'sync') from pg_stat_replication");
    let well =
        until(&*probe, "synchronous", |measured| measured.text("synchronous_standby_names").is_some()).await;
    assert_eq!(well.number("exposure_s"), Some(0.0), "{well:#?}");
    pair.standby.sql("alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for("select count(*) = 0 from pg_stat_wal_receiver");
    let mut hangs = None;
    std::thread::scope(|scope| {
        // This commit waits until nobody asks for a synchronous standby any more.
        scope.spawn(|| pair.primary.sql("insert into load (id, pad) values (1, repeat('x', 100000))"));
        pair.primary.wait_for("select exists (select from pg_stat_activity where wait_event = 'SyncRep')");
        let runtime = tokio::runtime::Handle::current();
        let waits = tokio::task::block_in_place(|| runtime.block_on(measure(KIND, &*probe)));
        assert!(waits.number("unreplicated_bytes") > Some(0.0), "{waits:#?}");
        assert_eq!((waits.number("exposure_s"), waits.number("exposure_bytes")), (Some(0.0), Some(0.0)));
        pair.primary.wait_for(
            "select bool_or(now() - query_start > interval '5 s') from pg_stat_activity where wait_event = 'SyncRep'",
        );
        let server = super::probe("postgres", &[("dsn", &pair.primary.dsn())]);
        hangs = Some(tokio::task::block_in_place(|| runtime.block_on(measure("postgres", &*server))));
        pair.primary.sql("alter system reset synchronous_standby_names");
        pair.primary.sql("select pg_reload_conf()");
    });
    let hangs = hangs.unwrap();
    assert!(hangs.verdict.why().is_some_and(|why| why.starts_with("commits hang")), "{hangs:#?}");
    let lost = until(&*probe, "asynchronous", |measured| measured.number("exposure_bytes") > Some(0.0)).await;
    assert!(lost.number("exposure_s") > Some(0.0), "{lost:#?}");
}

/// PostgreSQL's own default name, which both have: one of them is enough, and it is not this one.
#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_name_that_two_standbys_have_is_no_promise_of_this_one() {
    let pair = Pair::start();
    pair.primary.sql("select pg_create_physical_replication_slot('s2')");
    let other = pair.cluster.standby("other", &pair.primary, Some("s2"));
    for nameless in [&pair.standby, &other] {
        nameless.configure("cluster_name = ''\n");
        nameless.stop();
        nameless.start();
    }
    pair.primary
        .wait_for("select count(*) = 2 from pg_stat_replication where application_name = 'walreceiver'");
    pair.primary.sql("alter system set synchronous_standby_names = 'walreceiver'");
    pair.primary.sql("select pg_reload_conf()");
    pair.primary.wait_for("select bool_or(sync_state = 'sync') from pg_stat_replication");
    let probe = watch(&pair.standby, &pair.primary);
    until(&*probe, "streaming", |measured| measured.value.is_some_and(|lag| lag < 1.0)).await;
    pair.standby.sql("alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for("select count(*) = 0 from pg_stat_wal_receiver");
    // Acknowledged, by the other one alone.
    pair.primary.sql("insert into load (id, pad) values (1, repeat('x', 100000))");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let missing = measure(KIND, &*probe).await;
    assert!(missing.number("exposure_bytes") > Some(0.0), "{missing:#?}");
    assert!(missing.number("exposure_s") > Some(0.5), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_fed_from_the_archive_alone_is_no_failure() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    measure(KIND, &*probe).await;
    let restore = format!("cp {}/archive/%f %p", pair.cluster.folder().display());
    pair.standby.sql(&format!("alter system set restore_command = '{restore}'"));
    pair.standby.sql("alter system set primary_conninfo = ''");
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for("select count(*) = 0 from pg_stat_wal_receiver");
    pair.primary.sql("insert into load (id) values (1)");
    let fed = until(&*probe, "fed by archive", |measured| measured.summary.contains("fed by archive")).await;
    assert!(!matches!(fed.verdict, Verdict::Critical(_)), "{fed:#?}");
    pair.primary.sql("select pg_switch_wal()");
    pair.standby.wait_for("select exists (select from load where id = 1)");
    let caught_up = until(&*probe, "caught up", |measured| measured.value.is_some_and(|lag| lag < 5.0)).await;
    assert_eq!(caught_up.verdict, Verdict::Good, "{caught_up:#?}");
    // What an idle primary writes by itself stays in its open segment.
    pair.primary.sql("checkpoint");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = until(&*probe, "idle", |measured| measured.value == Some(0.0)).await;
    assert!(idle.number("unreplicated_bytes") > Some(0.0) && idle.verdict == Verdict::Good, "{idle:#?}");
    // With nobody to ask, the last commit tells.
    let unasked = super::probe(KIND, &[("dsn", &pair.standby.dsn())]);
    let by_commit = measure(KIND, &*unasked).await;
    assert!(by_commit.summary.starts_with("fed by archive") && by_commit.value > Some(1.0), "{by_commit:#?}");
    assert_eq!(by_commit.verdict, Verdict::Good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_whose_stream_ended_and_whose_archive_goes_on_is_a_warning() {
    let pair = Pair::start();
    let with = watch(&pair.standby, &pair.primary);
    let without = super::probe(KIND, &[("dsn", &pair.standby.dsn())]);
    let restore = format!("cp {}/archive/%f %p", pair.cluster.folder().display());
    pair.standby.sql(&format!("alter system set restore_command = '{restore}'"));
    pair.standby.sql("alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
    pair.standby.sql("select pg_reload_conf()");
    pair.standby.wait_for("select count(*) = 0 from pg_stat_wal_receiver");
    measure(KIND, &*without).await;
    pair.primary.sql("insert into load (id) values (1)");
    pair.primary.sql("select pg_switch_wal()");
    pair.standby.wait_for("select exists (select from load where id = 1)");
    for probe in [&with, &without] {
        let fed =
            until(&**probe, "fed by archive", |measured| measured.summary.contains("fed by archive")).await;
        assert!(matches!(&fed.verdict, Verdict::Warn(why) if why.starts_with("not streaming (")), "{fed:#?}");
        assert!(fed.value.is_some(), "{fed:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_delayed_on_purpose_is_well() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    pair.wait_replayed();
    until(&*probe, "idle", |measured| measured.value == Some(0.0)).await;
    pair.standby.sql("alter system set recovery_min_apply_delay = '4s'");
    pair.standby.sql("select pg_reload_conf()");
    let load = Load::start(&pair.primary, 100);
    let delayed = until(&*probe, "delayed", |measured| measured.number("replay_lag_s") > Some(3.0)).await;
    assert!(delayed.verdict == Verdict::Good && delayed.value < Some(2.5), "{delayed:#?}");
    assert!(delayed.summary.contains("delayed on purpose by 4 s"), "{delayed:#?}");
    assert!(delayed.number("exposure_s") < Some(1.5), "{delayed:#?}");
    drop(load);
}

/// Until its next restartpoint the control file of a standby that followed a promotion names the timeline before.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_followed_a_promotion_keeps_its_timeline_when_its_stream_breaks() {
    let pair = Pair::start();
    // A copy of a standby keeps the name of its slot.
    pair.standby.sql("select pg_create_physical_replication_slot('s1')");
    let leaf = pair.cluster.standby("leaf", &pair.standby, Some("s1"));
    let probe = watch(&leaf, &pair.standby);
    pair.standby.sql("select pg_promote(true, 30)");
    leaf.wait_for("select coalesce(max(received_tli), 0) = 2 from pg_stat_wal_receiver");
    until(&*probe, "following", |measured| {
        measured.number("primary_timeline") == Some(2.0) && measured.value.is_some()
    })
    .await;
    leaf.sql("alter system set primary_conninfo = 'host=127.0.0.1 port=1'");
    leaf.sql("select pg_reload_conf()");
    leaf.wait_for("select count(*) = 0 from pg_stat_wal_receiver");
    let cut = measure(KIND, &*probe).await;
    assert!(
        why(&cut).starts_with("not streaming for") && why(&cut).contains("it is to connect to"),
        "{cut:#?}"
    );
    assert_eq!(cut.number("timeline"), Some(2.0), "{cut:#?}");
    pair.standby.kill();
    let dead = measure(KIND, &*probe).await;
    assert!(dead.number("exposure_s").is_some(), "{dead:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_is_gone_is_named_as_the_reason() {
    let pair = Pair::start();
    let probe = watch(&pair.standby, &pair.primary);
    let well = until(&*probe, "streaming", |measured| measured.value.is_some()).await;
    assert_eq!(well.text("slot_status"), Some("reserved"), "{well:#?}");
    pair.standby.sql("alter system set primary_slot_name = 'nobody_made_it'");
    pair.standby.sql("select pg_reload_conf()");
    let cut = until(&*probe, "cut", |measured| measured.value.is_none()).await;
    assert!(why(&cut).contains("the primary has no replication slot `nobody_made_it`"), "{cut:#?}");
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
    // Nothing is missing of what was seen of the primary.
    assert_eq!(dead.number("exposure_min_s"), Some(0.0), "{dead:#?}");
    assert_eq!(pair.standby.sql("select pg_is_wal_replay_paused()"), "t");
    pair.standby.sql("select pg_promote(true, 30)");
    assert_eq!(pair.standby.sql("select count(*) from load"), rows.len().to_string());
}

/// A standby that was away while its primary removed WAL, with these settings on the primary.
async fn after_removal(slot: bool) -> Measurement {
    let pair = Pair::start();
    let probe =
        probe("postgres-replication", &[("dsn", &pair.standby.dsn()), ("primary", &pair.primary.dsn())]);
    pair.wait_replayed();
    if !slot {
        pair.standby.sql("alter system set primary_slot_name = ''");
    }
    pair.standby.stop();
    if !slot {
        pair.primary.sql("select pg_drop_replication_slot('s1')");
    }
    for set in ["wal_keep_size = 0", "max_slot_wal_keep_size = '1MB'", "max_wal_size = '32MB'"] {
        pair.primary.sql(&format!("alter system set {set}"));
    }
    pair.primary.sql("select pg_reload_conf()");
    for id in 0..6 {
        pair.primary.sql(&format!("insert into load (id) values ({id})"));
        pair.primary.sql("select pg_switch_wal()");
        pair.primary.sql("checkpoint");
    }
    pair.standby.start();
    until(&*probe, "hopeless", |measured| {
        matches!(&measured.verdict, Verdict::Critical(why) if why.starts_with("can never catch up"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn wal_removed_without_a_slot_is_said_to_be_for_ever() {
    let measured = after_removal(false).await;
    assert!(why(&measured).contains("the oldest there begins at"), "{measured:#?}");
    assert!(why(&measured).contains("pg_basebackup"), "{measured:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_the_server_gave_up_is_said_to_be_for_ever() {
    let measured = after_removal(true).await;
    assert!(why(&measured).contains("slot `s1` is lost"), "{measured:#?}");
    assert_eq!(measured.text("slot_status"), Some("lost"));
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
