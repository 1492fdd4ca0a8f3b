//! What a failover would lose is one number on every screen, and not well while it grows.

use super::stage::*;
use super::{drawn, screen, text};
use crate::console::screens::confirm::{self, Reader};
use crate::console::ui::Screen;
use crate::core::words::actor::Actor;
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::Fact;
use crate::core::words::reading::{Field, Verdict};
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
fn a_range_that_a_word_closed_has_no_tick_and_says_that_it_is_not_proven() {
    let mut stage = region_down();
    let mut plan = (*stage.model.plan).clone();
    let steps = &mut plan.runbooks.get_mut("full").unwrap().steps;
    steps.get_mut("fence").unwrap().fences = vec!["dr-lag".into()];
    stage.model.plan = std::sync::Arc::new(plan);
    stage.ui.screen = Screen::Decide;
    stage.failing_over();
    out_of_sight(&mut stage, 3.0);
    stage.ask(Ask::Attest { run: RUN.into(), step: "fence".into(), how: "it is off".into() });
    stage.now += SignedDuration::from_secs(100);
    let screen = shown(&stage);
    let rpo = screen.split("RPO ").nth(1).unwrap();
    assert!(rpo.starts_with("▲ UNPROVEN 0 s to 3 s of 60 s"), "{screen}");
    let narrow = text(&super::screen((80, 24), &stage.view()));
    assert!(narrow.contains("RPO ▲ UNPROVEN 0 s to 3 s of 60 s"), "{narrow}");
    let next = crate::console::screens::next::next(&stage.view()).text;
    assert!(next.contains("word, NOT PROVEN: up to 1 min 43 s and growing"), "{next}");
}

#[test]
fn a_loss_that_a_word_does_not_close_says_so_in_the_header_and_in_what_is_next() {
    let mut stage = region_down();
    let mut plan = (*stage.model.plan).clone();
    let steps = &mut plan.runbooks.get_mut("full").unwrap().steps;
    steps.get_mut("fence").unwrap().fences = vec!["dr-lag".into()];
    stage.model.plan = std::sync::Arc::new(plan);
    stage.ui.screen = Screen::Decide;
    stage.failing_over();
    stage.ask(Ask::Attest { run: RUN.into(), step: "fence".into(), how: "it is off".into() });
    stage.now += SignedDuration::from_secs(100);
    out_of_sight(&mut stage, 3.0);
    let narrow = text(&super::screen((80, 24), &stage.view()));
    assert!(narrow.contains("RPO ▲ UNPROVEN 0 s to 3 s of 60 s"), "{narrow}");
    let next = crate::console::screens::next::next(&stage.view()).text;
    assert!(
        next.contains("grows until its fence is PROVEN: ") && next.contains("'s word does not close this"),
        "{next}"
    );
    assert!(!next.contains("until it is fenced"), "{next}");
}

#[test]
fn what_another_probe_cannot_tell_takes_the_tick_away_and_not_the_number() {
    use crate::core::words::loss::LossEstimate;
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

/// What the confirmation of the promotion says of the other side, after the fence was left out.
fn other_side(stage: &mut Stage) -> String {
    stage.ask(Ask::Skip { run: RUN.into(), step: "fence".into(), reason: "it is dark".into() });
    stage.prepare("promote");
    stage.describe("promote", "select pg_promote(true, 60)", "dr-db.example:5432", "PostgreSQL server");
    let (_, state) = stage.model.step(&RUN.into(), &"promote".into()).unwrap();
    let confirmation = state.confirmation.clone().unwrap();
    let asked = drawn((120, 60), |frame| {
        confirm::draw(frame, frame.area(), &stage.view(), &confirmation, Reader::default());
    });
    text(&asked).replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_server_that_nobody_looked_at_while_the_engine_was_away_was_not_seen_to_be_down_for_so_long() {
    let mut stage = region_down();
    stage.failing_over();
    let words = other_side(&mut stage);
    assert!(words.contains("does not answer, for "), "the engine looked all the time: {words}");
    let mut stage = region_down();
    stage.failing_over();
    stage.report(Report::EngineStarted {
        version: "0.1.0".into(),
        recovery: String::new(),
        since_boot: None,
    });
    stage.rest_is_well();
    let words = other_side(&mut stage);
    assert!(words.contains("does not answer, not seen to for "), "{words}");
}

#[test]
fn a_severity_that_changed_its_reason_keeps_its_age_and_says_since_when_it_has_the_reason() {
    let mut stage = region_down();
    stage.ui.screen = Screen::Overview;
    let (severity, since, _) = stage.model.durable.severity.clone().unwrap();
    assert!(!shown(&stage).contains("for this reason since"), "it has the reason that it began with");
    stage.now += SignedDuration::from_secs(60);
    let (at, why) = (stage.now, "something else is wrong now".to_owned());
    stage.fact(Actor::Engine, Fact::SeverityChanged { from: Some(severity), to: Some(severity), why });
    stage.now += SignedDuration::from_secs(5);
    let (screen, clock) = (shown(&stage), |at: jiff::Timestamp| at.strftime("%H:%M:%SZ").to_string());
    let lasts = crate::base::units::age(stage.now.duration_since(since));
    assert!(screen.contains(&format!("P0 for {lasts} ·")), "{screen}");
    let wanted = format!(
        "WHY ✘ P0 since {} ({lasts}), for this reason since {}: something else is wrong now",
        clock(since),
        clock(at)
    );
    assert!(screen.contains(&wanted), "{wanted}\n{screen}");
}
