//! A yes is one that somebody meant: a word where everybody goes by what follows.

use super::scene::Scene;
use super::{declared, form, running};
use crate::console::input::{Event, Manner};
use crate::core::ask::in_force;
use crate::core::words::action::{Failure, STILL_RUNS};
use crate::core::words::command::Ask;
use crate::core::words::status::StepStatus;
use std::time::Duration;

/// Something that was done by hand is in force.
pub fn in_force() -> Scene {
    let mut scene = running();
    scene.press("s");
    scene.write("seen");
    scene.press("enter");
    scene.sure();
    scene.press("a");
    scene.write("fenced by hand");
    scene.press("enter");
    scene.sure();
    assert!(matches!(scene.last(), Ask::Attest { .. }), "{:?}", scene.last());
    scene
}

fn proposed() -> Scene {
    let mut scene = Scene::with_people();
    scene.pass(1);
    scene.propose("P0: nothing answers");
    scene
}

fn resolved() -> Scene {
    let mut scene = declared();
    scene.press("R");
    scene.write("mended");
    scene.press("enter");
    scene.sure();
    assert!(matches!(scene.last(), Ask::Resolve { .. }), "{:?}", scene.last());
    scene
}

/// No server accepts writes, so that nothing measured says which region serves.
pub fn nobody_writes() -> Scene {
    let mut scene = declared();
    for _ in 0..12 {
        scene.pass(5);
        scene.servers(&[("primary-db", "standby"), ("dr-db", "standby")]);
    }
    scene
}

/// What each of the forms that ask for a word opens with, and its word.
fn worded() -> [(Scene, &'static str, &'static str); 11] {
    let mut asked = declared();
    asked.press("y");
    [
        (declared(), "S 2", "P2"),
        (proposed(), "X", "dismiss"),
        (in_force(), "Z 1", "undone"),
        (running(), "s", "skip"),
        (running(), "a", "done"),
        (running(), "A", "abort"),
        (asked, "o 2", "no"),
        (declared(), "R", "resolve"),
        (declared(), "C", "close"),
        (resolved(), "C", "close"),
        (nobody_writes(), "T 2", "dr"),
    ]
}

#[test]
fn a_severity_a_dismissal_and_what_is_struck_off_need_a_word_and_no_letter_gives_it() {
    for (mut scene, opens, word) in worded() {
        scene.asked.clear();
        scene.press(opens);
        scene.write("a reason");
        scene.press("enter y");
        assert!(scene.words().contains(&format!("Type {word}, then ctrl-y")), "{}", scene.words());
        scene.press("enter ctrl-y");
        assert_eq!(scene.asked, [], "{opens}");
        let problem = form(&scene).unwrap().problem.clone().unwrap_or_default();
        assert!(problem.contains(word), "{problem}");
        scene.press("backspace");
        scene.write(word);
        scene.press("enter");
        assert_eq!(scene.asked, [], "{opens}: Enter never confirms");
        scene.press("ctrl-y");
        assert_eq!(
            scene.asked.len(),
            1,
            "{opens}: {:?}",
            form(&scene).map(|form| form.typed.text().to_owned())
        );
    }
}

/// A sentence for a colleague, its Enter, and another one, at the speed of a hand that does not look.
#[test]
fn a_sentence_for_somebody_else_records_no_region_and_ends_no_incident() {
    type Begin = fn() -> Scene;
    let states: [(Begin, &str); 4] = [
        (nobody_writes, "Tom is on it"),
        (declared, "Carol says close it all"),
        (resolved, "Carol says close it all"),
        (declared, "Right, it is well again"),
    ];
    for (begin, sentence) in states {
        for between_ms in [150, 300, 400, 900] {
            for answer in ["yes", "y", "ok yes"] {
                let mut scene = begin();
                scene.at += Duration::from_secs(5);
                scene.asked.clear();
                for text in [sentence, answer, answer] {
                    scene.type_on(text, between_ms);
                    scene.press_as("enter", Manner::Single, Duration::from_millis(between_ms));
                }
                let ended = |ask: &Ask| {
                    matches!(ask, Ask::RecordServing { .. } | Ask::Close { .. } | Ask::Resolve { .. })
                };
                assert!(
                    !scene.asked.iter().any(ended),
                    "{sentence} {between_ms} {answer}: {:?}",
                    scene.asked
                );
            }
        }
    }
}

/// A step whose engine was killed, and whose program was seen to run on.
fn left_running() -> (Scene, String) {
    let mut scene = running();
    scene.press("s");
    scene.write("seen");
    scene.press("enter");
    scene.sure();
    let incident = scene.model.durable.incident.as_mut().unwrap();
    let (_, state) =
        incident.runs[0].steps.iter_mut().find(|(_, state)| state.status == StepStatus::Ready).unwrap();
    let why = format!("the program of an earlier attempt {STILL_RUNS} 20233");
    let doubt = Failure::maybe_done("looking", why, "End it with `kill -TERM 20233`.");
    (state.status, state.attempt, state.may_have_acted) = (StepStatus::Unknown, 1, true);
    (state.doubt, state.doubted_at) = (Some(doubt), Some(scene.now));
    let seen = scene.now.strftime("%H:%M:%SZ").to_string();
    scene.attach();
    (scene, seen)
}

#[test]
fn every_form_about_a_step_says_that_its_program_was_still_running_and_when() {
    for key in ["s", "r", "a", "A"] {
        let (mut scene, seen) = left_running();
        for _ in 0..2 {
            if form(&scene).is_none() {
                scene.press(key);
            }
        }
        let words = scene.words();
        let wanted = format!("STILL RUNNING at {seen}");
        assert!(words.contains(&wanted) && words.contains("kill -TERM 20233"), "{key}: {words}");
    }
}

#[test]
fn a_program_that_goes_on_is_named_in_what_stays_in_force_until_its_step_is_proven() {
    let (mut scene, seen) = left_running();
    let wanted = format!("ITS PROGRAM, process 20233, MAY RUN STILL, seen at {seen}");
    let told =
        |scene: &Scene| in_force::to_tell(&scene.model).iter().any(|left| left.sentence().contains(&wanted));
    assert!(told(&scene));
    scene.by_another(Ask::Abort { reason: "it is over".into() });
    assert!(told(&scene), "{:?}", in_force::pending(&scene.model));
    let incident = scene.model.durable.incident.as_mut().unwrap();
    let state = incident.runs[0].steps.values_mut().find(|state| state.doubt.is_some()).unwrap();
    state.status = StepStatus::Verified;
    assert!(!told(&scene));
}

#[test]
fn a_word_is_typed_and_not_pasted() {
    for (mut scene, opens, word) in worded() {
        scene.asked.clear();
        scene.press(opens);
        scene.write("a reason");
        scene.press("enter");
        scene.input(Event::Paste(word.into()));
        assert_eq!(form(&scene).unwrap().typed.text(), "", "{opens}");
        scene.at += Duration::from_secs(2);
        scene.write_as(word, Manner::Burst, Duration::ZERO);
        scene.press_as("ctrl-y", Manner::Single, Duration::from_millis(400));
        assert_eq!(scene.asked, [], "{opens}");
        assert_eq!(form(&scene).unwrap().typed.text(), "", "{opens}");
    }
}
