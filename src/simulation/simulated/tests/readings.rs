use super::*;
use crate::plan::is_left_out;

#[test]
fn on_a_good_day_every_kind_is_good_and_within_its_bounds_for_an_hour() {
    let scene = scene("");
    for _ in 0..1200 {
        scene.pass(3);
        for spec in scene.plan.probes.values().filter(|spec| !is_left_out(&spec.kind)) {
            let measured = scene.read(spec.id.as_str());
            assert_eq!(measured.verdict, Verdict::Good, "{}", spec.id);
            let (value, warn) = (measured.value.unwrap(), spec.thresholds.warn.unwrap_or(f64::MAX));
            assert!(value >= 0.0 && value < warn, "{}: {value} against {warn}", spec.id);
        }
    }
}

#[test]
fn the_same_moment_reads_the_same_and_another_one_does_not() {
    let (one, two) = (scene(""), scene(""));
    one.pass(100);
    two.pass(60);
    two.pass(40);
    for id in one.plan.probes.keys() {
        assert_eq!(one.read(id.as_str()), two.read(id.as_str()));
    }
    one.pass(20);
    assert_ne!(one.read("a-web").value, two.read("a-web").value);
}

#[test]
fn a_region_that_goes_takes_its_probes_and_the_public_with_it_and_leaves_the_rest() {
    let scene = scene(REGION_DOWN);
    scene.pass(19);
    assert!(scene.plan.probes.keys().all(|id| !scene.is_down(id.as_str())));
    scene.pass(1);
    let (told, silent): (Vec<&str>, Vec<&str>) =
        scene.plan.probes.keys().map(ProbeId::as_str).partition(|id| scene.run(id).is_ok());
    let down: Vec<&str> = told.into_iter().filter(|id| scene.is_down(id)).collect();
    let databases = ["public", "a-web", "a-port", "a-db", "a-wal", "b-lag", "b-lag-alone"];
    let managed = ["a-rds", "a-aurora", "a-kafka"].into_iter().filter(|_| cfg!(feature = "aws"));
    let down: Vec<&str> = down.into_iter().filter(|id| !is_left_out(&scene.plan.probes[*id].kind)).collect();
    assert_eq!(down, databases.into_iter().chain(managed).collect::<Vec<_>>());
    let expected: &[&str] = if cfg!(feature = "aws") { &["a-snapshots", "a-points"] } else { &[] };
    assert_eq!(silent, expected);
}

#[test]
fn a_cut_replication_has_no_lag_replays_what_it_has_and_its_exposure_is_a_range_that_grows() {
    let scene = scene(REGION_DOWN);
    scene.pass(15);
    let before = scene.read("b-lag");
    assert!((0.2..=0.8).contains(&before.value.unwrap()), "{before:?}");
    scene.pass(5);
    let at_cut = scene.read("b-lag");
    scene.pass(600);
    let later = scene.read("b-lag");
    assert_eq!((at_cut.value, later.value), (None, None), "a lag while nothing streams is no lag");
    assert!(number(&at_cut, "replay_lag_bytes") > 0.0);
    assert_eq!(number(&later, "replay_lag_bytes"), 0.0);
    assert_eq!(text(&later, "receive_lsn"), text(&later, "replay_lsn"));
    assert_eq!(number(&at_cut, "exposure_min_s"), number(&later, "exposure_min_s"));
    let grown = number(&later, "exposure_s") - number(&at_cut, "exposure_s");
    assert!((599.0..601.0).contains(&grown), "it may still write: {grown}");
}

#[test]
fn a_primary_that_only_this_side_cannot_reach_still_streams() {
    let scene = scene("[[at]]\nregion = \"@primary\"\nis = \"unreachable\"\n");
    assert!(scene.run("a-db").is_err() && scene.run("public").is_err());
    let standby = scene.read("b-lag");
    assert!(matches!(standby.verdict, Verdict::Warn(_)) && standby.value.is_some(), "{standby:?}");
    assert_eq!(standby.fields["primary_reachable"], Field::Flag(false));
    assert!(!scene.action("fence").describe().now_or_never().unwrap().unwrap().target.reachable);
}

#[test]
fn simulated_fields_are_fields_that_the_kinds_declare() {
    let (well, cut) = (scene(""), scene(REGION_DOWN));
    cut.pass(30);
    for spec in well.plan.probes.values() {
        let Some(kind) = crate::providers::probe(&spec.kind) else {
            assert!(is_left_out(&spec.kind), "{}", spec.kind);
            continue;
        };
        for measured in [well.run(spec.id.as_str()), cut.run(spec.id.as_str())].into_iter().flatten() {
            for field in measured.fields.keys() {
                let declared = kind.fields.iter().any(|(name, _)| name == field);
                assert!(declared, "{} declares no field {field}", kind.name);
            }
        }
    }
    for kind in crate::providers::probes() {
        let simulated = well.plan.probes.values().any(|spec| spec.kind == kind.name);
        assert!(simulated, "the kind {} has no probe in this test", kind.name);
    }
}

#[test]
fn a_lag_grows_no_faster_than_time_and_positions_never_go_back() {
    let scene =
        scene("[[at]]\nafter = \"10s\"\nprobe = \"@replication\"\nlag = \"60s\"\ngrow_per_minute = \"30s\"");
    let position = |measured: &Measurement| {
        let (high, low) = text(measured, "replay_lsn").split_once('/').unwrap();
        (u64::from_str_radix(high, 16).unwrap() << 32) + u64::from_str_radix(low, 16).unwrap()
    };
    let mut last = 0;
    for _ in 0..40 {
        scene.pass(1);
        let replayed = position(&scene.read("b-lag"));
        assert!(replayed >= last);
        last = replayed;
    }
    let lag_s = scene.read("b-lag").value.unwrap();
    assert!((30.0..31.0).contains(&lag_s), "{lag_s}");
    scene.pass(260);
    let lag_s = scene.read("b-lag").value.unwrap();
    assert!((200.0..210.0).contains(&lag_s), "60 s and half of 290 s: {lag_s}");
}

#[test]
fn values_ages_and_what_cannot_be_measured_are_as_the_scenario_says() {
    let scene = scene(
        "[[at]]\nprobe = \"b-units\"\nvalue = 4\n\
         [[at]]\nprobe = \"a-dump\"\nis = \"stale\"\nage = \"32h\"\n\
         [[at]]\nprobe = \"a-web\"\nis = \"unreachable\"\n\
         [[at]]\nprobe = \"a-port\"\nis = \"flapping\"\nperiod = \"10s\"\n",
    );
    assert!(scene.is_down("a-port"));
    scene.pass(5);
    assert!(!scene.is_down("a-port"));
    scene.pass(5);
    assert!(scene.is_down("a-port"));
    assert_eq!(scene.read("b-units").value, Some(4.0));
    assert_eq!(scene.read("a-dump").value, Some(32.0 * 3600.0 + 10.0));
    assert!(scene.run("a-web").is_err());
}

#[test]
fn speeds_that_make_no_sense_are_refused() {
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
        let scenario = Scenario::parse("name = \"x\"\ntitle = \"x\"", "x.toml", &plan()).unwrap();
        let start = Timestamp::from_second(START).unwrap();
        assert!(SimulatedWorld::new(Arc::new(plan()), scenario, speed, start).is_err(), "{speed}");
    }
}
