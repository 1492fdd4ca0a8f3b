use super::*;
use crate::core::words::reading::Field;
use crate::providers::postgres::client::ReadOnly;
use crate::providers::postgres::replication::look::Feed;
use crate::providers::postgres::replication::synchronous::Sender;

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
fn a_sender_that_goes_on_speaking_is_not_taken_for_the_primary_that_is_out_of_sight() {
    let mut scene = Scene::new();
    scene.healthy(3);
    // The server in between sends signs of life, and nothing that is new.
    for at in [15, 45, 240] {
        let measured = scene.judge(&scene.standby(at, 10 * MB, 10 * MB), &scene.gone(at));
        assert_eq!(number(&measured, "exposure_s"), (at - 10) as f64);
        assert!(
            matches!(&measured.verdict, Verdict::Warn(why) if why.contains("unreachable")),
            "{measured:?}"
        );
    }
    // Commits that still come through bound it.
    let mut standby = scene.standby(250, 200 * MB, 200 * MB);
    standby.committed = Some(standby.clock - 2.0);
    let measured = scene.judge(&standby, &scene.gone(250));
    assert_eq!(number(&measured, "exposure_s").round(), 2.0);
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
fn a_timeline_once_seen_is_remembered_when_only_the_control_file_tells() {
    let mut scene = Scene::new();
    let on = |scene: &Scene, at, timeline, receiver| Standby {
        timeline,
        receiver,
        ..scene.standby(at, at * MB, at * MB)
    };
    let primary =
        |scene: &Scene, at| PrimaryLook::Seen(Primary { timeline: 15, ..scene.primary_seen(at, at * MB) });
    for at in [0, 5, 10] {
        let measured =
            scene.judge(&on(&scene, at, 15, streaming(Duration::ZERO, at * MB)), &primary(&scene, at));
        assert_eq!(measured.verdict, Verdict::Good);
    }
    // The receiver ends; the control file is that of before the promotion.
    let measured = scene.judge(&on(&scene, 15, 14, Receiver::None), &primary(&scene, 20));
    assert!(why(&measured).starts_with("not streaming for"), "{measured:?}");
    assert!(measured.number("exposure_s").is_some() && measured.number("timeline") == Some(15.0));
    let measured = scene.judge(&on(&scene, 25, 14, Receiver::None), &scene.gone(25));
    assert!(measured.number("exposure_s").is_some(), "{measured:?}");

    // Never seen before: nothing is claimed, neither that it follows nor that it does not.
    let mut fresh = Scene::new();
    let measured = fresh.judge(&on(&fresh, 0, 14, Receiver::None), &primary(&fresh, 0));
    assert!(why(&measured).contains("is not known before its next restartpoint"), "{measured:?}");
    assert!(measured.number("exposure_s").is_none());
    let mut hidden = Scene::new();
    let (standby, primary) = (on(&hidden, 0, 14, Receiver::Hidden), primary(&hidden, 0));
    assert!(judge(&mut hidden.memory, &standby, &primary).is_err(), "unknown, and not critical");
}

#[test]
fn a_standby_that_was_rewound_to_an_older_timeline_and_streams_from_its_primary_follows_it() {
    let mut scene = Scene::new();
    let primary =
        |scene: &Scene, at| PrimaryLook::Seen(Primary { timeline: 3, ..scene.primary_seen(at, at * MB) });
    let on = |scene: &Scene, at, timeline| Standby { timeline, ..scene.standby(at, at * MB, at * MB) };
    assert_eq!(scene.judge(&on(&scene, 0, 3), &primary(&scene, 0)).verdict, Verdict::Good);
    // It is promoted by mistake, and taken back.
    let promoted = Standby { in_recovery: false, receiver: Receiver::None, ..on(&scene, 5, 4) };
    assert!(why(&scene.judge(&promoted, &primary(&scene, 5))).contains("is not a standby"));
    let restarted = Standby { receiver: Receiver::None, ..on(&scene, 10, 3) };
    assert!(
        why(&scene.judge(&restarted, &primary(&scene, 10))).contains("does not follow"),
        "nothing proves it yet"
    );
    for at in [15, 20] {
        let measured = scene.judge(&on(&scene, at, 3), &primary(&scene, at));
        assert_eq!((measured.verdict.clone(), measured.value), (Verdict::Good, Some(0.0)), "{measured:?}");
        assert_eq!(measured.number("timeline"), Some(3.0));
    }
    // What the control file says in the gap after that is not worth less than before.
    let measured =
        scene.judge(&Standby { receiver: Receiver::None, ..on(&scene, 25, 2) }, &primary(&scene, 25));
    assert!(why(&measured).starts_with("not streaming for"), "{measured:?}");

    // Whoever streams on an older timeline than this primary's does not prove that it follows it.
    let mut elsewhere = Scene::new();
    let primary = PrimaryLook::Seen(Primary { timeline: 4, ..elsewhere.primary_seen(0, MB) });
    assert_eq!(elsewhere.judge(&on(&elsewhere, 0, 4), &primary).verdict, Verdict::Good);
    assert_eq!(elsewhere.judge(&on(&elsewhere, 5, 3), &primary).number("timeline"), Some(4.0));
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
fn another_timeline_another_cluster_and_no_standby_have_no_lag() {
    let mut scene = Scene::new();
    let here = scene.standby(0, MB, MB);
    let mut other = scene.primary(0, MB);
    if let PrimaryLook::Seen(primary) = &mut other {
        primary.timeline = 2;
    }
    let measured = scene.judge(&here, &other);
    assert_eq!(
        why(&measured),
        "the standby is on timeline 1, the primary on 2: it does not follow this primary"
    );
    if let PrimaryLook::Seen(primary) = &mut other {
        primary.system = "78".into();
    }
    assert!(why(&scene.judge(&here, &other)).contains("different clusters"));
    let promoted = Standby { in_recovery: false, timeline: 2, ..here };
    let measured = scene.judge(&promoted, &PrimaryLook::NotAsked);
    assert_eq!(why(&measured), "this server is not a standby: it was promoted (timeline 2) or never was one");
    assert_eq!(measured.value, None);
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
fn the_sender_that_was_known_to_be_the_primary_is_told_when_its_stream_ends_too() {
    let from = |sender: &str| Receiver::Seen {
        status: "streaming".into(),
        silent: Duration::ZERO,
        took_s: Some(0.1),
        end: Some(MB),
        slot: None,
        sender: Some(sender.into()),
    };
    let mut scene = Scene::new();
    scene.memory.learn_address(Some("10.0.0.1:5432".into()));
    let mut standby = Standby { receiver: from("10.0.0.1:5432"), ..scene.standby(0, MB, MB) };
    scene.judge(&standby, &scene.primary(0, MB));
    standby = Standby { receiver: Receiver::None, ..scene.standby(5, MB, MB) };
    let measured = scene.judge(&standby, &scene.gone(5));
    assert_eq!(measured.text("known_sender"), Some("10.0.0.1:5432"));
    standby = Standby { receiver: from("10.0.0.2:5432"), ..scene.standby(10, MB, MB) };
    scene.judge(&standby, &scene.gone(10));
    standby = Standby { receiver: Receiver::None, ..scene.standby(15, MB, MB) };
    let measured = scene.judge(&standby, &scene.gone(15));
    assert_eq!(measured.text("known_sender"), None, "it streamed from another one since");
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

#[test]
fn a_standby_that_takes_itself_for_a_primary_is_not_believed() {
    let mut scene = Scene::new();
    let mut primary = scene.primary(0, 9 * MB);
    if let PrimaryLook::Seen(primary) = &mut primary {
        primary.in_recovery = true;
    }
    let measured = scene.judge(&scene.standby(0, MB, MB), &primary);
    assert!(measured.verdict.why().unwrap().contains("is itself a standby"), "{measured:?}");
    assert!(!measured.fields.contains_key("unreplicated_bytes"));
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

/// A standby in between sends on what it has from an archive, also when the primary is dead.
#[test]
fn what_a_standby_in_between_sends_on_tells_nothing_of_the_primary() {
    let mut chained = Scene::new();
    // The primary was seen, and does not send to it; then another sender of it is not the primary either.
    chained.healthy(3);
    let measured = fed_on(&mut chained, 15, None);
    assert_eq!(measured.fields.get("primary_commits_s"), None, "{measured:?}");
    // It sends to one standby without a name of its own, and so has this one none: the one in between may be meant. Debian
    // gives all clusters of a version the same.
    for name in ["walreceiver", "15/main"] {
        let mut nameless = Scene::new();
        for at in [0, 5, 10] {
            let standbys = Some(vec![Sender { name: name.into(), held: None }]);
            let seen = PrimaryLook::Seen(Primary { standbys, ..nameless.primary_seen(at, at * MB) });
            let mut standby = nameless.standby(at, at * MB, at * MB);
            standby.fed.name = name.into();
            nameless.judge(&standby, &seen);
        }
        let measured = fed_on(&mut nameless, 15, None);
        assert_eq!(measured.fields.get("primary_commits_s"), None, "{name}: {measured:?}");
    }
    // Nobody ever saw it: the address decides.
    for (sender, told) in [("mid:5432", false), ("db1:5432", true)] {
        let mut scene = Scene::new();
        scene.memory.learn_address(Some("db1:5432".into()));
        let measured = fed_on(&mut scene, 15, Some(sender));
        assert_eq!(measured.fields.contains_key("primary_commits_s"), told, "{sender}: {measured:?}");
    }
}

#[test]
fn whether_the_sender_is_the_primary_is_told_while_nobody_sees_that_and_something_streams() {
    let matched = |measured: &Measurement| measured.fields.get("sender_matched").cloned();
    for (sender, is_it) in [("mid:5432", false), ("db1:5432", true)] {
        let mut scene = Scene::new();
        scene.memory.learn_address(Some("db1:5432".into()));
        let measured = fed_on(&mut scene, 15, Some(sender));
        assert_eq!(matched(&measured), Some(Field::Flag(is_it)), "{sender}: {measured:?}");
        // What does not stream brings nothing.
        let cut = Standby { receiver: Receiver::None, ..scene.standby(60, 45 * MB, 45 * MB) };
        assert_eq!(matched(&scene.judge(&cut, &scene.gone(60))), None);
        assert_eq!(
            matched(&scene.judge(&scene.standby(65, 65 * MB, 65 * MB), &scene.primary(65, 65 * MB))),
            None
        );
    }
    let mut alone = Scene::new();
    let measured = alone.judge(&alone.standby(0, MB, MB), &PrimaryLook::NotAsked);
    assert_eq!(matched(&measured), Some(Field::Flag(true)), "who names no primary means the sender");
}

/// Who knows more than the probe, as an engine before did, can tell by that whether the primary goes on.
#[test]
fn what_a_server_of_which_nobody_knows_what_it_is_goes_on_to_send_is_told_as_its_own() {
    for (sender, told, not) in [
        ("mid:5432", "sender_commits_s", "primary_commits_s"),
        ("db1:5432", "primary_commits_s", "sender_commits_s"),
    ] {
        let mut scene = Scene::new();
        scene.memory.learn_address(Some("db1:5432".into()));
        let measured = fed_on(&mut scene, 15, Some(sender));
        assert_eq!(number(&measured, told), 25.0, "{measured:?}");
        assert_eq!(measured.fields.get(not), None, "{measured:?}");
    }
    // Another one sends from here on: what the one before sent says nothing of it.
    let mut scene = Scene::new();
    scene.memory.learn_address(Some("db1:5432".into()));
    fed_on(&mut scene, 15, Some("mid:5432"));
    let mut standby = Standby { committed: Some(60.0), ..scene.standby(50, 50 * MB, 50 * MB) };
    if let Receiver::Seen { sender, .. } = &mut standby.receiver {
        *sender = Some("other:5432".into());
    }
    let measured = scene.judge(&standby, &scene.gone(50));
    assert_eq!(measured.fields.get("sender_commits_s"), None, "{measured:?}");
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
