//! What is behind a signal: asked for by a key, read while everything else goes on.

use super::scene::Scene;
use super::{Dialog, form};
use crate::base::problem::Problem;
use crate::console::app::{Effect, Message};
use crate::console::input::Manner;
use crate::core::words::diagnosis::{Diagnosis, Section};
use crate::engine::protocol::ToClient;
use crate::plan::Plan;
use crate::plan::kinds::Sees;
use crate::plan::params::{Param, Params};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The first probe of the demo watches workloads, which a step of a runbook scales; the others do not.
fn with_workloads(mut plan: Plan) -> Plan {
    let text = |text: &str| Param::Text(text.into());
    let names = || Param::List(vec![text("web")]);
    let params = |names: Param| {
        let pairs = [("context", text("primary")), ("namespace", text("shop")), ("names", names)];
        Params(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let spec = plan.probes.values_mut().next().unwrap();
    (spec.sees, spec.params) = (Sees::Workloads, params(names()));
    let runbook = plan.runbooks.get_mut("full-region-failover").unwrap();
    runbook.steps.values_mut().next().unwrap().params = params(names());
    plan
}

/// A console that looks at the signal of the workloads, which is the only one that the filter shows.
fn looking() -> Scene {
    let mut scene = Scene::of(with_workloads);
    scene.reads = true;
    scene.app.ui.filter = scene.model.plan.probes.keys().next().unwrap().to_string();
    scene
}

fn found(scene: &Scene, at: Timestamp) -> Diagnosis {
    let line = |text: &str| text.to_owned();
    let denied = Problem::new(
        "list events in shop (context east): not allowed: events is forbidden",
        "Have `list events` granted; `kubectl --context east auth can-i --list` shows what is.",
    );
    let pods = vec![
        line(
            "web-5d4c9b7f6-x2x4z ends again and again; 7 restarts; main ended with 137 (OOMKilled) 3 min ago; on n1",
        ),
        line("no pod is ready; asked for: 1"),
    ];
    let log = (0..20).map(|number| format!("line {number} \u{1b}[2J of the log")).collect();
    Diagnosis {
        probe: scene.model.plan.probes.keys().next().unwrap().clone(),
        at,
        sections: vec![
            Section::read("PODS", pods),
            Section::unread("NEWEST WARNINGS", denied),
            Section::read("LOG of main in web-5d4c9b7f6-x2x4z, which ended 3 min ago", log),
        ],
    }
}

fn answer(scene: &mut Scene, found: Diagnosis) {
    scene.tell(Message::Engine(ToClient::Diagnosed(found)));
}

#[test]
fn a_key_on_a_signal_asks_the_engine_and_shows_what_it_finds() {
    let mut scene = looking();
    scene.press("v");
    assert!(scene.words().contains("i reads what is behind it"), "{}", scene.words());
    scene.press("i");
    let probe = scene.model.plan.probes.keys().next().unwrap().clone();
    assert_eq!(scene.done, [Effect::Diagnose(probe)]);
    assert!(scene.asked.is_empty(), "nothing that is decided and recorded");
    let words = scene.words();
    assert!(words.contains("READING") && words.contains("RUNBOOKS THAT NAME IT"), "{words}");
    assert!(words.contains(", :runbook full-region-failover") && words.contains("step 1:"), "{words}");
    insta::assert_snapshot!("diagnosis_asked", scene.seen());
    let at = scene.now;
    let told = found(&scene, at);
    answer(&mut scene, told);
    insta::assert_snapshot!("diagnosis", scene.seen());
    assert!(scene.words().contains("NEWEST WARNINGS: NOT READ"), "{}", scene.words());
    // The log goes on below.
    assert!(!scene.words().contains("line 19 "), "{}", scene.words());
    scene.press("ctrl-f ctrl-f");
    let words = scene.words();
    assert!(words.contains("line 19 ") && words.contains("RUNBOOKS THAT NAME IT"), "{words}");
    scene.press("esc");
    assert!(scene.app.dialog.is_none());
    // An answer that comes when nobody waits for it opens nothing.
    let told = found(&scene, at);
    answer(&mut scene, told);
    assert!(scene.app.dialog.is_none());
}

#[test]
fn asked_again_it_is_read_anew_and_an_older_look_does_not_take_its_place() {
    let mut scene = looking();
    scene.press("i esc i");
    assert_eq!(scene.done.len(), 2);
    let now = scene.now;
    let (old, new) = (found(&scene, now - SignedDuration::from_secs(5)), found(&scene, now));
    let told =
        |scene: &Scene| scene.words().split("as of ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    answer(&mut scene, old.clone());
    let first = told(&scene);
    answer(&mut scene, new);
    let second = told(&scene);
    assert_ne!(first, second);
    answer(&mut scene, old);
    assert_eq!(told(&scene), second);
    let other = scene.model.plan.probes.keys().nth(1).unwrap().clone();
    let later = now + SignedDuration::from_secs(5);
    let of_another = Diagnosis { probe: other, ..found(&scene, later) };
    answer(&mut scene, of_another);
    assert_eq!(told(&scene), second, "that is another signal's");
}

#[test]
fn a_signal_with_nothing_behind_it_says_so_and_the_rest_of_a_text_runs_no_command() {
    let mut scene = looking();
    scene.app.ui.filter.clear();
    let rows = crate::console::screens::overview::rows(&scene.model, "");
    let first = scene.model.plan.probes.keys().next().unwrap();
    let other = rows.iter().position(|row| row.probe != first).unwrap();
    scene.app.ui.cursor_mut(crate::console::ui::Screen::Overview).selected = other;
    scene.press("i");
    assert!(scene.app.dialog.is_none() && scene.done.is_empty());
    assert!(scene.toast().contains("no more behind this signal"), "{}", scene.toast());
    scene.type_on("solated, D", 170);
    assert!(scene.app.dialog.is_none());
}

#[test]
fn a_text_that_begins_with_its_letter_runs_no_command() {
    let mut scene = looking();
    scene.press("i");
    scene.type_on("solated quickly, Done", 170);
    assert!(matches!(scene.app.dialog, Some(Dialog::Diagnosis(_))), "{:?}", scene.app.dialog);
    assert!(scene.asked.is_empty());
    // After a rest its keys count.
    scene.press("q");
    assert!(scene.app.dialog.is_none());
    scene.press("D");
    assert!(form(&scene).is_some());
}

#[test]
fn an_engine_that_is_lost_or_gives_no_answer_is_said_and_nothing_is_sent_to_one_that_is_gone() {
    let mut scene = looking();
    scene.press("i");
    scene.at += Duration::from_secs(16);
    scene.tell(Message::Tick);
    assert!(scene.words().contains("has not answered within 15 s"), "{}", scene.words());
    scene.press("esc i");
    scene.tell(Message::Lost("it went".into()));
    assert!(
        scene.words().contains("The connection was lost before the engine answered"),
        "{}",
        scene.words()
    );
    scene.press("esc");
    let before = scene.done.len();
    scene.press_as("i", Manner::Single, Duration::from_secs(3));
    assert_eq!(scene.done.len(), before);
    assert!(scene.app.dialog.is_none() && scene.toast().contains("out of reach"), "{}", scene.toast());
}
