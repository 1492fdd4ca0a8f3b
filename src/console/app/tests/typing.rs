//! Random typing through every state of the console: nothing is confirmed, answered or acknowledged by it.

use super::scene::Scene;
use super::{Dialog, declared, promoting, running};
use crate::console::app::Message;
use crate::console::input::{Event, Manner};
use crate::console::keymap::Chord;
use crate::console::ui::Screen;
use crate::core::words::command::Ask;
use crate::engine::protocol::ToClient;
use crossterm::event::{KeyCode, KeyModifiers};
use proptest::prelude::*;
use std::time::Duration;

/// Keys of a hand that types follow each other within this.
const FLOW_MS: u64 = 240;
/// Somebody who copies a name rests for less than the pause that ends the dropping of keys.
const COPYING_MS: u64 = 950;

fn attested() -> Scene {
    let mut scene = running();
    scene.press("a");
    scene.write("done by hand");
    scene.press("enter");
    scene
}

fn told(keys: &'static str) -> impl Fn() -> Scene {
    move || {
        let mut scene = Scene::with_people();
        scene.pass(1);
        scene.press("D 1 enter y");
        scene.pass(3);
        scene.press("6");
        scene.press(keys);
        scene
    }
}

fn paged() -> Scene {
    told("1")()
}

fn with(base: fn() -> Scene, keys: &'static str) -> impl Fn() -> Scene {
    move || {
        let mut scene = base();
        scene.press(keys);
        scene
    }
}

fn small(base: fn() -> Scene) -> impl Fn() -> Scene {
    move || {
        let mut scene = base();
        scene.input(Event::Resize { width: 80, height: 20 });
        scene
    }
}

type State = (&'static str, Box<dyn Fn() -> Scene>);

/// Every kind of place that keys can be pressed at.
fn states() -> Vec<State> {
    fn proposed() -> Scene {
        let mut scene = Scene::with_people();
        scene.pass(1);
        scene.propose("P0: nothing answers");
        scene
    }
    fn gone() -> Scene {
        let mut scene = declared();
        let bye = ToClient::Goodbye { why: "it ended".into(), next: "Open it.".into() };
        scene.tell(Message::Engine(bye));
        scene
    }
    vec![
        state("a proposal", proposed),
        state("a question", declared),
        state("a question, overview", with(declared, "1")),
        state("an answer that begins a run", with(declared, "y y")),
        state("a ready step", running),
        state("a confirmation by one key", with(running, "down p")),
        state("a confirmation by a phrase", promoting),
        state("an attestation that waits for its yes", attested),
        state("an abort that is written", with(running, "A")),
        state("a note", with(declared, "N")),
        state("a severity", with(declared, "S 1")),
        state("a close", with(declared, "C")),
        state("a declaration", with(Scene::new, "D 1")),
        state("a declaration that waits for its yes", with(Scene::new, "D 1 enter")),
        state("the palette", with(running, ":")),
        state("the help", with(running, "?")),
        state("a filter", with(declared, "/")),
        state("the escalation", told("esc")),
        state("a page", told("p 1")),
        state("a page that waits for its yes", told("p 1 enter")),
        state("a message", told("u 1")),
        state("a message that waits for its yes", told("u 1 ctrl-s")),
        state("a close that waits for its word", with(declared, "C a enter")),
        state("a resolution", told("R")),
        state("a resolution that waits for its word", told("R a enter")),
        state("a region that waits for its name", with(super::sure::nobody_writes, "T 2 a enter")),
        state("a dismissal", with(proposed, "X")),
        state("a dismissal that waits for its word", with(proposed, "X a enter")),
        state("a severity that waits for its word", with(declared, "S 1 a enter")),
        state("what is in force", super::sure::in_force),
        state("what is struck off and waits for its word", with(super::sure::in_force, "Z 1 a enter")),
        state("a terminal that is too small", small(running)),
        state("an engine that is gone", gone),
    ]
}

fn state(name: &'static str, begin: impl Fn() -> Scene + 'static) -> State {
    (name, Box::new(begin))
}

/// What may come while somebody types.
#[derive(Clone, Debug)]
enum Stroke {
    Key(Chord, Manner, u64),
    Paste(String),
    Size(u16),
    Expired,
    Reattached,
    Lost,
    /// Another operator aborts the run.
    Aborted,
    /// A pause; the first key after it means nothing by itself.
    Pause(u64),
}

fn chord() -> impl Strategy<Value = Chord> {
    let named = [
        "enter",
        "esc",
        "tab",
        "backspace",
        "up",
        "down",
        "ctrl-u",
        "ctrl-y",
        "ctrl-s",
        "ctrl-c",
        "ctrl-l",
        "f1",
        "page-down",
        "ctrl-space",
        "alt-x",
        "space",
    ];
    prop_oneof![
        6 => proptest::char::range('!', '~').prop_map(|c| Chord::new(KeyCode::Char(c), KeyModifiers::NONE)),
        // What acts, and what leads there.
        3 => proptest::sample::select(vec!['y', 'n', 'a', 'K', 'p', 'r', 'o', 'O', 's', 'A', '1', '2', ':', 'd'])
            .prop_map(|c| Chord::new(KeyCode::Char(c), KeyModifiers::NONE)),
        3 => proptest::sample::select(named.to_vec()).prop_map(|name| Chord::parse(name).unwrap()),
    ]
}

fn stroke() -> impl Strategy<Value = Stroke> {
    let manner = prop_oneof![6 => Just(Manner::Single), 1 => Just(Manner::Burst), 1 => Just(Manner::Pair)];
    prop_oneof![
        40 => (chord(), manner, 0..FLOW_MS).prop_map(|(chord, manner, after)| Stroke::Key(chord, manner, after)),
        1 => Just(Stroke::Paste("y\ry".into())),
        1 => prop_oneof![Just(20_u16), Just(40)].prop_map(Stroke::Size),
        1 => Just(Stroke::Expired),
        1 => Just(Stroke::Reattached),
        1 => Just(Stroke::Lost),
        1 => Just(Stroke::Aborted),
        3 => (FLOW_MS..4_000).prop_map(Stroke::Pause),
    ]
}

fn play(scene: &mut Scene, stroke: Stroke) {
    match stroke {
        Stroke::Key(chord, manner, after) => scene.stroke(chord, manner, Duration::from_millis(after)),
        Stroke::Paste(text) => scene.input(Event::Paste(text)),
        Stroke::Size(height) => scene.input(Event::Resize { width: 80, height }),
        Stroke::Expired => {
            scene.pass(200);
            scene.press_as("x", Manner::Single, Duration::ZERO);
        }
        Stroke::Reattached => scene.attach(),
        Stroke::Lost => scene.tell(Message::Lost("it went".into())),
        Stroke::Aborted => scene.perhaps_by_another(Ask::Abort { reason: "over".into() }),
        Stroke::Pause(after) => scene.press_as("x", Manner::Single, Duration::from_millis(after)),
    }
}

/// What changes nothing that anybody would act upon.
fn is_harmless(ask: &Ask) -> bool {
    matches!(ask, Ask::Prepare { .. } | Ask::Decline { .. } | Ask::Preflight)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn text_typed_at_any_place_confirms_answers_and_acknowledges_nothing(
        place in 0..30_usize,
        strokes in proptest::collection::vec(stroke(), 1..80),
    ) {
        let states = states();
        let (name, begin) = &states[place % states.len()];
        let mut scene = begin();
        scene.asked.clear();
        scene.press("x");
        for stroke in strokes {
            play(&mut scene, stroke);
        }
        let acted: Vec<&Ask> = scene.asked.iter().filter(|ask| !is_harmless(ask)).collect();
        prop_assert!(acted.is_empty(), "{name}: {acted:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn no_letters_however_slow_set_a_severity_dismiss_a_proposal_or_strike_something_off(
        place in 0..30_usize,
        strokes in proptest::collection::vec((stroke(), 0..3_000_u64), 1..80),
    ) {
        let states = states();
        let (name, begin) = &states[place % states.len()];
        let mut scene = begin();
        scene.asked.clear();
        for (stroke, rest_ms) in strokes {
            scene.at += Duration::from_millis(rest_ms);
            play(&mut scene, stroke);
        }
        let grave = |ask: &&Ask| matches!(ask, Ask::SetSeverity { .. } | Ask::Dismiss { .. } | Ask::Undone { .. });
        let acted: Vec<&Ask> = scene.asked.iter().filter(grave).collect();
        prop_assert!(acted.is_empty(), "{name}: {acted:?}");
    }

    #[test]
    fn the_rest_of_a_phrase_whose_confirmation_went_is_dropped(
        how in 0..4_usize,
        keys in proptest::collection::vec((chord(), 0..COPYING_MS), 1..40),
    ) {
        let mut scene = promoting();
        scene.at += Duration::from_secs(2);
        scene.write("db");
        let confirmation = match &scene.app.dialog {
            Some(Dialog::Confirm(open)) => open.confirmation.clone(),
            other => panic!("{other:?}"),
        };
        match how {
            0 => scene.pass(3_600),
            1 => scene.perhaps_by_another(Ask::Decline { confirmation: confirmation.id.clone() }),
            2 => {
                let typed = confirmation.phrase().map(str::to_owned);
                scene.perhaps_by_another(Ask::Confirm { confirmation: confirmation.id.clone(), typed });
            }
            _ => scene.perhaps_by_another(Ask::Abort { reason: "over".into() }),
        }
        prop_assert!(scene.app.dialog.is_none(), "it closed: {how}");
        let (screen, selected) = (scene.app.ui.screen, scene.app.ui.cursor(Screen::Decide));
        scene.asked.clear();
        scene.done.clear();
        let count = keys.len();
        for (chord, after) in keys {
            scene.stroke(chord, Manner::Single, Duration::from_millis(after));
        }
        prop_assert!(scene.app.dialog.is_none());
        prop_assert_eq!((scene.app.ui.screen, scene.app.ui.cursor(Screen::Decide)), (screen, selected));
        prop_assert!(scene.asked.is_empty() && scene.done.is_empty(), "{:?} {:?}", scene.asked, scene.done);
        let next = scene.app.ui.toast.as_ref().map(|toast| toast.next.clone()).unwrap_or_default();
        prop_assert!(next.contains(&format!("{count} key")) && next.contains("dropped"), "{next}");
        // After a pause the console is as before.
        scene.press("3");
        prop_assert_ne!(scene.app.ui.screen, screen);
    }
}

#[test]
fn the_states_of_the_typing_are_what_they_are_called() {
    for (name, begin) in states() {
        let scene = begin();
        let asks = name.contains("confirmation")
            || name.contains("yes")
            || name.contains("word")
            || name.contains("begins a run");
        assert!(!asks || scene.app.dialog.is_some(), "{name}: {:?}", scene.toast());
    }
    assert_eq!(states().len(), 33);
}

#[test]
fn the_first_letter_of_a_text_neither_acknowledges_nor_answers_and_a_lone_one_does() {
    for between_ms in [80, 350, 600] {
        let mut scene = paged();
        scene.at += Duration::from_secs(2);
        scene.type_on("Kevin is on it", between_ms);
        scene.rest();
        assert!(!scene.asked.contains(&Ask::Acknowledge), "{between_ms}: {:?}", scene.asked);
        assert!(scene.toast().contains("first letter of a text"), "{}", scene.toast());
        scene.press("K");
        assert_eq!(*scene.last(), Ask::Acknowledge);
        for text in ["no, not yet: waiting for Paul", "yes, go on"] {
            let mut scene = declared();
            scene.at += Duration::from_secs(2);
            let before = scene.asked.len();
            scene.type_on(text, between_ms);
            scene.rest();
            assert_eq!(scene.asked.len(), before, "{text}: {:?}", scene.last());
        }
    }
}

#[test]
fn a_key_that_is_no_letter_does_not_wait_for_what_follows_a_letter() {
    let mut scene = paged();
    scene.press_as("K", Manner::Single, Duration::from_secs(2));
    assert!(!scene.asked.contains(&Ask::Acknowledge));
    scene.press_as("K", Manner::Single, Duration::from_millis(200));
    scene.press_as("down", Manner::Single, Duration::from_millis(200));
    assert_eq!(*scene.last(), Ask::Acknowledge, "pressed twice, and asked for once");
    assert_eq!(scene.asked.iter().filter(|ask| **ask == Ask::Acknowledge).count(), 1);
}
