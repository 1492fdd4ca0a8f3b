use super::*;
use crate::core::words::reading::Field;
use crate::providers::postgres::client::ReadOnly;
use crate::providers::postgres::replication::look::Feed;
use crate::providers::postgres::replication::synchronous::Sender;

mod archive;
mod identity;
mod out_of_sight;

const MB: u64 = 1_000_000;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A primary that writes 1 MB/s and a standby that is looked at every 5 s.
struct Scene {
    start: Moment,
    memory: Memory,
}

impl Scene {
    fn new() -> Self {
        Self { start: Moment::now(), memory: Memory::default() }
    }

    fn standby(&self, at: u64, received: u64, replayed: u64) -> Standby {
        Standby {
            at: self.start + seconds(at),
            in_recovery: true,
            system: "77".into(),
            started_at: "2026-03-01 02:00:00.000001".into(),
            timeline: 1,
            received: Some(received),
            replayed: Some(replayed),
            committed: Some(1000.0 + at as f64 - 3600.0),
            paused: false,
            apply_delay: Duration::ZERO,
            receiver_timeout: seconds(60),
            // So that commits of 20 s show that it writes on.
            upkeep_round: seconds(5),
            waits_for: Some("RecoveryWalStream".into()),
            complete_to: None,
            clock: 1000.0 + at as f64,
            fed: Feed { name: "b".into(), ..Feed::default() },
            receiver: streaming(Duration::ZERO, received),
        }
    }

    fn primary(&self, at: u64, end: u64) -> PrimaryLook {
        PrimaryLook::Seen(self.primary_seen(at, end))
    }

    fn primary_seen(&self, at: u64, end: u64) -> Primary {
        Primary {
            at: self.start + seconds(at),
            upkeep_round: seconds(5),
            in_recovery: false,
            system: "77".into(),
            timeline: 1,
            end,
            complete_to: None,
            senders: 1,
            clock: 1000.0 + at as f64,
            read_only: ReadOnly::Known(false),
            standbys: Some(Vec::new()),
            synchronous: Some(String::new()),
            slots: vec![("b_slot".into(), "reserved".into())],
            oldest: None,
        }
    }

    fn gone(&self, at: u64) -> PrimaryLook {
        PrimaryLook::Unreachable("connection refused".into(), self.start + seconds(at))
    }

    fn judge(&mut self, standby: &Standby, primary: &PrimaryLook) -> Measurement {
        judge(&mut self.memory, standby, primary).unwrap()
    }

    /// Everything well for `looks` looks, 5 s apart.
    fn healthy(&mut self, looks: u64) {
        for at in (0..looks).map(|look| 5 * look) {
            let measured = self.judge(&self.standby(at, at * MB, at * MB), &self.primary(at, at * MB));
            assert_eq!((measured.verdict, measured.value), (Verdict::Good, Some(0.0)));
        }
    }
}

fn streaming(silent: Duration, end: u64) -> Receiver {
    Receiver::Seen {
        status: "streaming".into(),
        silent,
        took_s: Some(0.1),
        end: Some(end),
        slot: None,
        sender: None,
    }
}

fn number(measured: &Measurement, name: &str) -> f64 {
    match measured.fields.get(name) {
        Some(Field::Number(number)) => *number,
        other => panic!("{name} is {other:?} in {measured:?}"),
    }
}

fn why(measured: &Measurement) -> &str {
    match &measured.verdict {
        Verdict::Critical(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_idle_primary_is_not_a_growing_lag() {
    let mut scene = Scene::new();
    for at in [0, 1000, 2000] {
        // The last commit is an hour old throughout.
        let measured = scene.judge(&scene.standby(at, MB, MB), &scene.primary(at, MB));
        assert_eq!((measured.value, number(&measured, "exposure_s")), (Some(0.0), 0.0));
    }
    // Without a look at the primary, by the receiver alone.
    let measured = scene.judge(&scene.standby(2005, MB, MB), &PrimaryLook::NotAsked);
    assert_eq!(measured.value, Some(0.0));
}

#[test]
fn no_receiver_is_critical_without_a_value_and_the_exposure_grows_while_the_primary_writes() {
    let mut scene = Scene::new();
    scene.healthy(3);
    for (at, lost) in [(15, 5), (60, 50)] {
        let mut standby = scene.standby(at, 10 * MB, 10 * MB);
        standby.receiver = Receiver::None;
        let measured = scene.judge(&standby, &scene.primary(at, at * MB));
        assert_eq!(measured.value, None);
        assert!(why(&measured).starts_with("not streaming for "), "{measured:?}");
        assert_eq!(number(&measured, "exposure_s"), lost as f64);
        assert_eq!(number(&measured, "exposure_bytes"), (lost * MB) as f64);
        assert_eq!(number(&measured, "unreplicated_bytes"), (lost * MB) as f64);
    }
}

#[test]
fn a_silent_receiver_is_no_stream_although_it_says_streaming() {
    let mut scene = Scene::new();
    scene.healthy(3);
    let mut standby = scene.standby(50, 10 * MB, 10 * MB);
    standby.receiver = streaming(seconds(40), 10 * MB);
    let measured = scene.judge(&standby, &scene.gone(20));
    assert_eq!(measured.value, None);
    assert!(why(&measured).starts_with("not streaming for 40 s (no message for 40 s)"), "{measured:?}");
    assert_eq!((number(&measured, "exposure_min_s"), number(&measured, "exposure_s")), (0.0, 40.0));
}

#[test]
fn a_moments_difference_on_an_idle_primary_is_no_lag_at_the_first_look() {
    let idle = |standby: Standby| Standby { committed: Some(standby.clock - 900.0), ..standby };
    // Received and not yet replayed: WAL of no transaction.
    let mut scene = Scene::new();
    let standby = Standby { complete_to: Some(7), ..idle(scene.standby(0, 2 * MB, MB)) };
    let primary = PrimaryLook::Seen(Primary { complete_to: Some(7), ..scene.primary_seen(0, 2 * MB) });
    let measured = scene.judge(&standby, &primary);
    assert_eq!((measured.value, number(&measured, "replay_lag_s")), (Some(0.0), 0.0), "{measured:?}");
    // Where transactions are open that is not known, and another look settles it.
    let mut scene = Scene::new();
    let measured = scene.judge(&idle(scene.standby(0, 2 * MB, MB)), &scene.primary(0, 2 * MB));
    assert!(is_unsettled(&measured), "{measured:?}");
    let measured = scene.judge(&idle(scene.standby(1, 2 * MB, 2 * MB)), &scene.primary(1, 2 * MB));
    assert!(measured.value.is_some_and(|lag| lag <= 1.0) && !is_unsettled(&measured), "{measured:?}");
}

#[test]
fn what_a_synchronous_standby_lacks_was_never_acknowledged() {
    let mut scene = Scene::new();
    let primary = |scene: &Scene, at, end, names: &str| {
        PrimaryLook::Seen(Primary { synchronous: Some(names.into()), ..scene.primary_seen(at, end) })
    };
    scene.judge(&scene.standby(0, MB, MB), &primary(&scene, 0, MB, "b"));
    let mut behind = scene.standby(20, MB, MB);
    behind.receiver = Receiver::None;
    let measured = scene.judge(&behind, &primary(&scene, 20, 3 * MB, "b"));
    assert_eq!((number(&measured, "exposure_s"), number(&measured, "exposure_bytes")), (0.0, 0.0));
    assert_eq!(number(&measured, "unreplicated_bytes"), (2 * MB) as f64);
    assert!(measured.text("exposure_basis").unwrap().contains("synchronous"), "{measured:?}");
    // Out of sight somebody may turn it off.
    behind.at = scene.start + seconds(30);
    let measured = scene.judge(&behind, &scene.gone(30));
    assert!(measured.text("exposure_basis").unwrap().contains("unless that was turned off"), "{measured:?}");
    assert!(number(&measured, "exposure_s") > 0.0);

    // One that another can stand in for, and one that was behind when it became synchronous, may lack some.
    for (names, first) in [("ANY 1 (b, c)", MB), ("b", 9 * MB)] {
        let mut scene = Scene::new();
        scene.judge(&scene.standby(0, MB, MB), &primary(&scene, 0, first, names));
        let measured = scene.judge(&scene.standby(20, MB, MB), &primary(&scene, 20, 9 * MB, names));
        assert_eq!(number(&measured, "exposure_bytes"), (8 * MB) as f64, "{names}");
    }
}

/// Two standbys have PostgreSQL's own default name, of which one answers: it is not this one.
#[test]
fn a_synchronous_name_that_another_standby_has_too_loses_nothing_of_none_of_them() {
    let sender = |held| Sender { name: "b".into(), held: Some(held) };
    let primary = |scene: &Scene, at, end, standbys: &[Sender]| {
        let standbys = Some(standbys.to_vec());
        PrimaryLook::Seen(Primary { synchronous: Some("b".into()), standbys, ..scene.primary_seen(at, end) })
    };
    // Both are connected when this one stands still.
    let mut scene = Scene::new();
    scene.judge(&scene.standby(0, MB, MB), &primary(&scene, 0, MB, &[sender(MB), sender(MB)]));
    let measured =
        scene.judge(&scene.standby(20, MB, MB), &primary(&scene, 20, 9 * MB, &[sender(MB), sender(9 * MB)]));
    assert_eq!(number(&measured, "exposure_bytes"), (8 * MB) as f64);
    assert!(number(&measured, "exposure_s") > 0.0);

    // The other one comes once this one is cut off, and answers in its place.
    let mut scene = Scene::new();
    scene.judge(&scene.standby(0, MB, MB), &primary(&scene, 0, MB, &[sender(MB)]));
    let mut cut = scene.standby(20, MB, MB);
    cut.receiver = Receiver::None;
    let waits = scene.judge(&cut, &primary(&scene, 20, 3 * MB, &[]));
    assert_eq!(number(&waits, "exposure_bytes"), 0.0, "no commit is acknowledged");
    cut.at = scene.start + seconds(40);
    let measured = scene.judge(&cut, &primary(&scene, 40, 9 * MB, &[sender(9 * MB)]));
    assert_eq!(number(&measured, "exposure_bytes"), (8 * MB) as f64);
    assert!(number(&measured, "exposure_s") > 0.0, "{measured:?}");
    cut.at = scene.start + seconds(50);
    let gone = scene.judge(&cut, &scene.gone(50));
    assert!(!gone.text("exposure_basis").unwrap().contains("waited for this standby"), "{gone:?}");

    // Who is connected is hidden from the role.
    let mut scene = Scene::new();
    let hidden = |scene: &Scene, at, end| {
        PrimaryLook::Seen(Primary {
            synchronous: Some("b".into()),
            standbys: None,
            ..scene.primary_seen(at, end)
        })
    };
    scene.judge(&scene.standby(0, MB, MB), &hidden(&scene, 0, MB));
    let measured = scene.judge(&scene.standby(20, MB, MB), &hidden(&scene, 20, 9 * MB));
    assert_eq!(number(&measured, "exposure_bytes"), (8 * MB) as f64);
}

#[test]
fn a_role_that_is_read_only_by_itself_neither_calls_the_primary_fenced_nor_sees_it_write() {
    let mut scene = Scene::new();
    let hidden = Primary { read_only: ReadOnly::of("user:on"), ..scene.primary_seen(0, MB) };
    let measured = scene.judge(&scene.standby(0, MB, MB), &PrimaryLook::Seen(hidden));
    assert!(!measured.fields.contains_key("primary_read_only"), "{measured:?}");
    assert!(!measured.fields.contains_key("primary_writable_s"), "{measured:?}");
}

#[test]
fn why_nothing_streams_is_told_where_both_servers_know() {
    let mut scene = Scene::new();
    scene.healthy(1);
    let wants = |scene: &Scene, slot: &str| {
        let mut standby = scene.standby(5, 0, 0);
        standby.receiver = Receiver::None;
        standby.fed = Feed {
            wants_stream: Some(true),
            slot: Some(slot.into()),
            upstream: Some("db1:5432".into()),
            ..Feed::default()
        };
        standby
    };
    let mut seen = scene.primary_seen(5, 5 * MB);
    seen.slots.push(("gone".into(), "lost".into()));
    let mut why_of = |slot: &str| {
        let standby = wants(&scene, slot);
        why(&scene.judge(&standby, &PrimaryLook::Seen(seen.clone()))).to_owned()
    };
    assert!(why_of("none").contains("the primary has no replication slot `none`"));
    assert!(why_of("gone").contains("`gone` is lost") && why_of("gone").contains("built anew"));
    assert!(why_of("b_slot").contains("it is to connect to db1:5432"));
}

#[test]
fn a_standby_whose_wal_was_removed_is_said_to_be_hopeless_and_one_with_an_archive_is_not() {
    let mut scene = Scene::new();
    scene.healthy(1);
    let behind = |scene: &Scene, archive| {
        let mut standby = scene.standby(5, 20 * MB, 20 * MB);
        standby.receiver = Receiver::None;
        standby.fed = Feed { wants_stream: Some(true), archive, ..Feed::default() };
        standby
    };
    let primary =
        |scene: &Scene, oldest| PrimaryLook::Seen(Primary { oldest, ..scene.primary_seen(5, 90 * MB) });
    let measured = scene.judge(&behind(&scene, false), &primary(&scene, Some(48 * MB)));
    let said = why(&measured);
    assert!(said.starts_with("can never catch up by streaming: the primary removed WAL"), "{said}");
    assert!(said.contains("built anew") && said.contains("restore_command"), "{said}");
    for oldest in [None, Some(16 * MB), Some(20 * MB)] {
        let measured = scene.judge(&behind(&scene, false), &primary(&scene, oldest));
        assert!(why(&measured).starts_with("not streaming for"), "{measured:?}");
    }
    let measured = scene.judge(&behind(&scene, true), &primary(&scene, Some(48 * MB)));
    assert!(!measured.summary.contains("never"), "{measured:?}");
}

#[test]
fn paused_replay_is_stale_but_loses_nothing() {
    let mut scene = Scene::new();
    scene.healthy(3);
    let mut standby = scene.standby(15, 15 * MB, 10 * MB);
    standby.paused = true;
    let measured = scene.judge(&standby, &scene.primary(15, 15 * MB));
    assert_eq!(measured.value, Some(5.0));
    assert_eq!((number(&measured, "exposure_s"), number(&measured, "exposure_bytes")), (0.0, 0.0));
    assert_eq!(number(&measured, "replay_lag_bytes"), (5 * MB) as f64);
    assert!(matches!(&measured.verdict, Verdict::Warn(why) if why.contains("replay is paused, 5.0 MB")));

    // And when the primary dies meanwhile, the lag stays what it was at the last contact.
    for at in [20, 600] {
        let mut standby = scene.standby(at, 16 * MB, 10 * MB);
        (standby.paused, standby.receiver) = (true, Receiver::None);
        let measured = scene.judge(&standby, &scene.gone(at));
        assert_eq!((measured.value, number(&measured, "replay_lag_s")), (None, 10.0));
        assert_eq!(number(&measured, "exposure_min_bytes"), 0.0);
        assert!(why(&measured).contains("does not come back before replay resumes"), "{measured:?}");
    }
}

#[test]
fn a_hidden_receiver_is_unknown_not_down() {
    let mut scene = Scene::new();
    let mut standby = scene.standby(0, MB, MB);
    standby.receiver = Receiver::Hidden;
    let primary = scene.primary(0, MB);
    let failure = judge(&mut scene.memory, &standby, &primary).unwrap_err();
    assert!(failure.next.contains("pg_monitor"));
}

#[test]
fn conflicts_and_deliberate_delay_are_named() {
    let mut scene = Scene::new();
    let mut standby = scene.standby(0, MB, MB);
    standby.waits_for = Some("RecoveryConflictSnapshot".into());
    let measured = scene.judge(&standby, &scene.primary(0, MB));
    assert!(measured.verdict.why().unwrap().contains("RecoveryConflictSnapshot"));
}

#[test]
fn a_restarted_standby_tells_whether_it_has_come_to_the_end_of_its_wal() {
    let mut scene = Scene::new();
    let mut standby = scene.standby(0, MB, MB);
    let at_end = |measured: &Measurement| measured.fields.get("at_end_of_wal").cloned();
    assert_eq!(at_end(&scene.judge(&standby, &scene.gone(0))), Some(Field::Flag(true)), "it receives");
    (standby.receiver, standby.received) = (Receiver::None, None);
    for (event, is_at_end) in [
        (Some("RecoveryRetrieveRetryInterval"), true),
        (Some("RecoveryWalStream"), true),
        (Some("RecoveryApplyDelay"), false),
        (Some("RecoveryPause"), false),
        (None, false),
    ] {
        standby.waits_for = event.map(str::to_owned);
        assert_eq!(at_end(&scene.judge(&standby, &scene.gone(0))), Some(Field::Flag(is_at_end)), "{event:?}");
    }
}

/// The primary's clock is ahead of the standby's by so many seconds, the two were compared, and the primary is out of sight
/// since 15 s; a commit reached the standby that was made at that moment, by the right time.
fn cut_off(ahead: f64, now: u64, committed: u64) -> Measurement {
    let mut scene = Scene::new();
    for at in [0, 5, 10] {
        let standby =
            Standby { committed: Some(1000.0 + at as f64 + ahead), ..scene.standby(at, at * MB, at * MB) };
        let seen = Primary { clock: 1000.0 + at as f64 + ahead, ..scene.primary_seen(at, at * MB) };
        scene.judge(&standby, &PrimaryLook::Seen(seen));
    }
    let at = committed * MB;
    let standby =
        Standby { committed: Some(1000.0 + committed as f64 + ahead), ..scene.standby(now, at, at) };
    scene.judge(&standby, &scene.gone(now))
}

/// Looks 5 s apart at a standby that gets a commit each, while nobody sees the primary.
fn fed_on(scene: &mut Scene, from: u64, sender: Option<&str>) -> Measurement {
    let mut last = None;
    for at in (0..7).map(|look| from + 5 * look) {
        let mut standby = Standby { committed: Some(5.0 + at as f64), ..scene.standby(at, at * MB, at * MB) };
        if let Receiver::Seen { sender: of, .. } = &mut standby.receiver {
            *of = sender.map(str::to_owned);
        }
        last = Some(scene.judge(&standby, &scene.gone(at)));
    }
    last.unwrap()
}
