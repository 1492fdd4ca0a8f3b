//! What a failover would lose is one number on every screen, and not well while it grows.

use super::stage::*;
use super::{screen, text};
use crate::console::ui::Screen;
use crate::core::actor::Actor;
use crate::core::command::Ask;
use crate::core::fact::Fact;
use crate::core::reading::{Field, Verdict};
use jiff::SignedDuration;

/// The standby does not see its primary since a while, and has everything that was written until then.
fn out_of_sight(stage: &mut Stage, seconds: f64) {
    let numbers = [
        ("exposure_s", seconds),
        ("exposure_min_s", 0.0),
        ("exposure_bytes", 3e6),
        ("exposure_min_bytes", 0.0),
    ];
    let fields: Vec<_> = numbers.into_iter().map(|(name, number)| (name, Field::Number(number))).collect();
    let verdict = Verdict::Critical("not streaming for 40 s".into());
    stage.read("dr-lag", Ok(measured(verdict, None, "not streaming for 40 s", &fields)));
}

fn shown(stage: &Stage) -> String {
    text(&screen((120, 40), &stage.view())).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_range_that_grows_is_the_same_in_the_header_and_in_what_is_next_and_has_no_tick() {
    let mut stage = region_down();
    stage.ui.screen = Screen::Decide;
    stage.failing_over();
    stage.ask(Ask::Skip { run: RUN.into(), step: "fence".into(), reason: "it is dark".into() });
    out_of_sight(&mut stage, 48.0);
    let screen = shown(&stage);
    assert!(screen.contains("RPO ▲ 0 s to 48 s of 60 s"), "{screen}");
    assert!(screen.contains("up to 48 s"), "{screen}");
    stage.now += SignedDuration::from_secs(2);
    let screen = shown(&stage);
    assert!(screen.contains("RPO ▲ 0 s to 50 s of 60 s") && screen.contains("up to 50 s"), "{screen}");
    assert!(!screen.contains("48 s"), "{screen}");
}

#[test]
fn what_another_probe_cannot_tell_takes_the_tick_away_and_not_the_number() {
    use crate::core::loss::LossEstimate;
    let known =
        LossEstimate { span: Some(SignedDuration::from_secs(3)), ..LossEstimate::unknown("a".into(), "") };
    let worst = LossEstimate::worst([LossEstimate::unknown("b".into(), "it is down"), known]).unwrap();
    assert_eq!(worst.sentence(), "about 3 s not yet replicated; another probe cannot tell its part");
    let nothing = LossEstimate::worst([LossEstimate::unknown("b".into(), "it is down")]).unwrap();
    assert_eq!(nothing.sentence(), "not known: it is down");
}

#[test]
fn a_standby_that_gets_nothing_more_has_no_tick_however_little_is_missing() {
    let mut stage = healthy();
    let numbers = [("exposure_s", 4.0), ("exposure_bytes", 3e6)];
    let fields: Vec<_> = numbers.into_iter().map(|(name, number)| (name, Field::Number(number))).collect();
    for _ in 0..4 {
        let verdict = Verdict::Critical("can never catch up by streaming".into());
        stage.read("dr-lag", Ok(measured(verdict, None, "can never catch up", &fields)));
        stage.pass(5);
    }
    let screen = shown(&stage);
    assert!(screen.contains("RPO ▲ 4 s of 60 s"), "{screen}");
    assert!(screen.contains("probe critical"), "{screen}");
}

#[test]
fn what_is_measured_since_a_failover_by_hand_is_in_the_header() {
    let mut stage = healthy();
    let (region, reason) = ("dr".into(), "promoted by hand".into());
    stage.fact(Actor::Engine, Fact::ServingRecorded { region, reason });
    let screen = shown(&stage);
    assert!(screen.contains("RPO ? not measured since the failover"), "{screen}");
    stage.pass(5);
    stage.lag(1.0, 2e5);
    let screen = shown(&stage);
    assert!(!screen.contains("not measured since") && screen.contains("RPO ✓"), "{screen}");
}
