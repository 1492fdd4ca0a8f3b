//! Which server is looked at, and whom it follows.

use super::*;

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
