//! A yes is one that somebody meant: a word where everybody goes by what follows.

use super::scene::Scene;
use super::{declared, form, running};
use crate::console::input::{Event, Manner};
use crate::core::command::Ask;
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

/// What each of the forms that ask for a word opens with, and its word.
fn worded() -> [(Scene, &'static str, &'static str); 7] {
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
