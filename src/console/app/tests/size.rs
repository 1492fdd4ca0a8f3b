//! A small terminal says less, and acts on nothing that it does not show.

use super::scene::Scene;
use super::{confirming, declared, form, promoting, running};
use crate::console::input::Event;
use crate::console::overlays::form::Stage;
use crate::core::words::command::Ask;

/// A terminal of that size, on which frames are really drawn.
fn on(mut scene: Scene, width: u16, height: u16) -> Scene {
    scene.reads = true;
    scene.input(Event::Resize { width, height });
    scene
}

#[test]
fn at_60x16_how_bad_since_when_what_next_and_the_keys_are_there_and_the_keys_act() {
    let mut scene = on(declared(), 60, 16);
    let words = scene.words();
    for told in ["DRILL", "WHY", "NEXT", "RTO", "2 decide"] {
        scene.press("1");
        assert!(scene.words().contains(told), "{told}: {}", scene.seen());
    }
    scene.press("2");
    for told in ["Is the primary region", "ANSWERS", "y yes", "SUGGESTED"] {
        assert!(scene.words().contains(told), "{told}: {}\n{words}", scene.seen());
    }
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Answer { .. }), "{:?}", scene.last());
}

#[test]
fn a_confirmation_that_a_small_terminal_does_not_show_whole_is_not_confirmed_and_says_so() {
    let mut scene = on(promoting(), 60, 16);
    let phrase = confirming(&scene).unwrap().phrase().unwrap().to_owned();
    let words = scene.words();
    assert!(words.contains("TOO SMALL") && words.contains("80x23"), "{}", scene.seen());
    assert!(!words.contains("runs it"), "{}", scene.seen());
    scene.at += std::time::Duration::from_secs(2);
    scene.write(&phrase);
    scene.press("ctrl-y");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Confirm { .. })));
    scene.input(Event::Resize { width: 80, height: 24 });
    scene.press("ctrl-y");
    assert!(matches!(scene.last(), Ask::Confirm { .. }), "enlarged, what was typed counts: {}", scene.seen());
}

#[test]
fn a_confirmation_that_a_small_terminal_shows_whole_runs() {
    let mut scene = running();
    scene.press("down p");
    assert!(confirming(&scene).is_some());
    let mut scene = on(scene, 76, 22);
    assert!(scene.words().contains("y runs it"), "{}", scene.seen());
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Confirm { .. }), "{:?}", scene.last());
}

#[test]
fn the_last_question_of_a_form_that_a_small_terminal_does_not_show_whole_hears_no_yes() {
    let mut scene = running();
    scene.press("down s");
    scene.write("not needed");
    scene.press("enter");
    assert_eq!(form(&scene).unwrap().stage, Stage::Sure);
    let mut scene = on(scene, 40, 10);
    assert!(scene.words().contains("TOO SMALL"), "{}", scene.seen());
    let before = scene.asked.len();
    scene.sure();
    assert_eq!(scene.asked.len(), before, "{:?}", scene.last());
    scene.input(Event::Resize { width: 80, height: 24 });
    assert!(!scene.words().contains("TOO SMALL"), "{}", scene.seen());
    scene.press("ctrl-y");
    assert!(matches!(scene.last(), Ask::Skip { .. }), "{:?}", scene.last());
}

#[test]
fn a_question_that_is_not_in_sight_whole_is_not_answered_by_a_key() {
    let mut scene = declared();
    let mut plan = (*scene.model.plan).clone();
    let root = plan.tree.root.clone();
    let ask = &mut plan.tree.questions.get_mut(&root).unwrap().ask;
    *ask = (0..60).map(|place| format!("word{place}")).collect::<Vec<_>>().join(" ");
    scene.model.plan = std::sync::Arc::new(plan);
    scene.attach();
    let mut scene = on(scene, 40, 10);
    let before = scene.asked.len();
    scene.press("y");
    assert_eq!(scene.asked.len(), before, "{}", scene.seen());
    assert!(scene.toast().contains("TOO SMALL"), "{}", scene.toast());
    assert!(scene.app.dialog.is_none());
}

#[test]
fn a_key_that_was_pressed_before_the_new_size_was_painted_acts_on_nothing() {
    let mut scene = running();
    scene.press("down p");
    scene.at += std::time::Duration::from_secs(2);
    let resized = Event::Resize { width: 60, height: 16 };
    // Resized, and the key comes before any frame.
    let at = scene.at;
    let received = |event, sequence| crate::console::input::Received { event, sequence, read_at: at };
    scene.app.update(super::Message::Input(received(resized, 9_001)), at);
    let chord = crate::console::keymap::Chord::parse("y").unwrap();
    let key = Event::Key { chord, manner: super::Manner::Single };
    let dos = scene.app.update(super::Message::Input(received(key, 9_002)), at);
    assert!(!dos.iter().any(|act| matches!(act, super::Effect::Ask(_))), "{dos:?}");
}

#[test]
fn no_screen_and_no_dialog_is_empty_at_any_small_size() {
    for (width, height) in
        [(1, 1), (20, 5), (39, 10), (40, 9), (40, 10), (60, 16), (79, 23), (80, 22), (200, 10)]
    {
        let mut scene = on(promoting(), width, height);
        for keys in ["esc", "1", "2", "3", "4", "5", "6", ":", "esc", "?", "esc", "N"] {
            scene.press(keys);
            assert!(!scene.words().trim().is_empty(), "{width}x{height} after {keys}");
        }
    }
}
