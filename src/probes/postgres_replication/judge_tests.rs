use super::*;
use crate::core::reading::Field;

const MB: u64 = 1_000_000;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A primary that writes 1 MB/s and a standby that is looked at every 5 s.
struct Scene {
    start: Instant,
    memory: Memory,
}

impl Scene {
    fn new() -> Self {
        Self { start: Instant::now(), memory: Memory::default() }
    }

    fn standby(&self, at: u64, received: u64, replayed: u64) -> Standby {
        Standby {
            at: self.start + seconds(at),
            in_recovery: true,
            system: "77".into(),
            timeline: 1,
            received: Some(received),
            replayed: Some(replayed),
            commit_age: Some(seconds(3600)),
            paused: false,
            apply_delay: Duration::ZERO,
            receiver_timeout: seconds(60),
            waits_for: Some("RecoveryWalStream".into()),
            receiver: streaming(Duration::ZERO, received),
        }
    }

    fn primary(&self, at: u64, end: u64) -> PrimaryLook {
        let at = self.start + seconds(at);
        PrimaryLook::Seen(Primary {
            at,
            in_recovery: false,
            system: "77".into(),
            timeline: 1,
            end,
            senders: 1,
        })
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
    Receiver::Seen { status: "streaming".into(), silent, end: Some(end), slot: None, sender: None }
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
fn after_the_primary_died_the_exposure_is_an_estimate_that_stands_still() {
    let mut scene = Scene::new();
    scene.healthy(3);
    for at in [15, 60, 3600] {
        let mut standby = scene.standby(at, 12 * MB, 12 * MB);
        standby.receiver = Receiver::None;
        let measured = scene.judge(&standby, &scene.gone(at));
        assert_eq!(measured.value, None);
        assert!(why(&measured).contains("primary unreachable for "), "{measured:?}");
        // Seen at 10 s with 10 MB, gone at 15 s: at most 15 MB, of which 12 arrived.
        assert_eq!(number(&measured, "exposure_bytes"), (3 * MB) as f64);
        assert_eq!(number(&measured, "exposure_s"), 3.0);
        assert!(
            matches!(&measured.fields["exposure_basis"], Field::Text(text) if text.starts_with("estimate"))
        );
    }
}

#[test]
fn a_primary_never_seen_leaves_the_exposure_unknown() {
    let mut scene = Scene::new();
    let mut standby = scene.standby(5, MB, MB);
    standby.receiver = Receiver::None;
    let measured = scene.judge(&standby, &scene.gone(5));
    assert!(!measured.fields.contains_key("exposure_s") && !measured.fields.contains_key("exposure_bytes"));
    assert!(why(&measured).contains("would lose an unknown amount"), "{measured:?}");
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
    // Writes may have gone on until the primary was first found gone, at 20 s.
    assert_eq!(number(&measured, "exposure_s"), 10.0);
}

#[test]
fn a_receiver_that_still_hears_a_primary_that_we_do_not_reach_warns_with_the_worst_case() {
    let mut scene = Scene::new();
    scene.healthy(3);
    let mut standby = scene.standby(18, 15 * MB, 15 * MB);
    standby.receiver = streaming(seconds(3), 15 * MB);
    let measured = scene.judge(&standby, &scene.gone(18));
    assert_eq!(measured.value, Some(3.0));
    assert!(matches!(&measured.verdict, Verdict::Warn(why) if why.contains("unreachable")), "{measured:?}");
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
        assert_eq!(number(&measured, "exposure_bytes"), (4 * MB) as f64);
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
    standby.waits_for = Some("RecoveryApplyDelay".into());
    standby.apply_delay = seconds(3600);
    let measured = scene.judge(&standby, &scene.primary(0, MB));
    assert!(measured.verdict.why().unwrap().contains("delayed on purpose by 60 min"));
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
