//! No key acts on what is not shown, and all forms end alike.

mod forms;
mod read;
mod steps;
mod typed;

use super::scene::Scene;
use super::{Dialog, confirming, declared, form, promoting, running, status};
use crate::console::app::{Effect, Message};
use crate::console::input::{Event, Manner};
use crate::console::overlays::form::{Form, Purpose, Stage};
use crate::console::ui::{Remains, Screen};
use crate::core::words::command::Ask;
use crate::core::words::incident::Mode;
use crate::core::words::status::StepStatus;
use crate::engine::protocol::ToClient;
use crate::plan::kinds::Does;
use std::time::Duration;

fn resize(scene: &mut Scene, height: u16) {
    scene.input(Event::Resize { width: 80, height });
}

#[test]
fn a_terminal_that_is_too_small_hears_no_key() {
    let mut scene = declared();
    resize(&mut scene, 9);
    let before = scene.asked.len();
    scene.press("y y p y 3 : N");
    resize(&mut scene, 10);
    assert_eq!(scene.asked.len(), before);
    assert!(scene.app.dialog.is_none());
    assert_eq!(scene.app.ui.screen, Screen::Decide);
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Answer { .. }), "80x10 is large enough for its two answers");
}

#[test]
fn a_terminal_that_is_too_small_can_be_left_but_not_by_a_letter_of_a_text() {
    let mut scene = declared();
    scene.press("N");
    resize(&mut scene, 5);
    scene.press("q");
    assert!(scene.done.is_empty());
    scene.press("ctrl-c");
    assert_eq!(scene.done, [Effect::Quit]);
}

#[test]
fn a_confirmation_that_cannot_be_seen_any_more_is_declined() {
    let mut scene = running();
    scene.press("down p");
    assert!(confirming(&scene).is_some());
    resize(&mut scene, 9);
    assert!(matches!(scene.last(), Ask::Decline { .. }));
    scene.press("y");
    resize(&mut scene, 40);
    scene.press("y");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Confirm { .. })));
    assert_eq!(status(&scene, "fence-old-primary"), StepStatus::Ready);
}

#[test]
fn after_a_stop_nothing_counts_until_the_screen_was_there_again() {
    let mut scene = declared();
    let before = scene.asked.len();
    scene.input(Event::Resumed);
    scene.press_as("y", Manner::Single, Duration::from_millis(500));
    assert_eq!(scene.asked.len(), before);
}

#[test]
fn what_was_sent_before_the_engine_fell_silent_is_not_called_nothing() {
    for gone in [0, 1] {
        let mut scene = running();
        scene.press("down p");
        scene.slow = true;
        scene.press("y");
        assert!(matches!(scene.last(), Ask::Confirm { .. }));
        let gone = match gone {
            0 => Message::Silent { since: scene.at, pid: None },
            _ => Message::Lost("it went".into()),
        };
        scene.tell(gone);
        let words = scene.words();
        assert!(words.contains("SENT, AND NOT ANSWERED") && words.contains("it may run"), "{words}");
        assert!(!words.contains("nothing runs"), "{words}");
        scene.press("esc");
        assert!(scene.app.dialog.is_none());
        assert!(scene.toast().contains("was sent: it may run"), "{}", scene.toast());
    }
}

#[test]
fn a_confirmation_that_takes_the_place_of_an_open_one_opens_and_hears_no_key_at_once() {
    let mut scene = promoting();
    let first = confirming(&scene).unwrap().confirmation.clone();
    scene.by_another(Ask::Prepare { run: first.run.clone(), step: first.step.clone() });
    let second = confirming(&scene).expect("the new one is open").confirmation.id.clone();
    assert_ne!(second, first.id);
    scene.type_on("db.us", 100);
    assert_eq!(confirming(&scene).unwrap().typed.text(), "", "it came by itself");
}
