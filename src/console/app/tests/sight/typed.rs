//! What is typed for something else than what is shown.

use super::*;

#[test]
fn the_rest_of_a_phrase_is_dropped_and_counted() {
    let mut scene = promoting();
    scene.pass(3_600);
    assert!(scene.app.dialog.is_none());
    for key in ["a", "s", ":", "A", "O", "2", "d"] {
        scene.press_as(key, Manner::Single, Duration::from_millis(150));
    }
    assert!(scene.app.dialog.is_none() && scene.done.is_empty());
    let toast = scene.app.ui.toast.clone().unwrap();
    assert!(toast.text.contains("expired") && toast.next.contains("7 keys were dropped"), "{toast:?}");
    scene.press("N");
    assert!(form(&scene).is_some(), "after a pause keys count again");
}

#[test]
fn what_is_typed_for_a_form_that_was_refused_runs_no_command() {
    let mut scene = declared();
    let before = scene.asked.len();
    // No runbook is running, so there is nothing to abort.
    scene.press("A");
    assert!(form(&scene).is_none());
    scene.type_on("naD", 60);
    assert!(scene.app.dialog.is_none() && scene.asked.len() == before, "{:?}", scene.app.dialog);
    let toast = scene.app.ui.toast.clone().unwrap();
    assert!(
        toast.text.contains("no runbook is running") && toast.next.contains("3 keys were dropped"),
        "{toast:?}"
    );
    scene.press("N");
    assert!(form(&scene).is_some(), "after a pause keys count again");
}

#[test]
fn what_is_typed_on_the_wrong_screen_runs_no_command() {
    let mut scene = running();
    scene.press("down 1");
    let before = scene.asked.len();
    scene.press("a");
    scene.type_on("supplier isolated it, port 5432 is closed", 170);
    scene.press_as("enter", Manner::Single, Duration::from_millis(170));
    scene.press("y");
    assert_eq!(scene.app.ui.screen, Screen::Overview);
    assert!(scene.app.dialog.is_none() && scene.asked.len() == before, "{:?}", scene.asked.last());
    assert_eq!(status(&scene, "fence-old-primary"), StepStatus::Ready);
}

#[test]
fn a_letter_that_no_question_takes_is_the_first_of_a_text() {
    let mut scene = running();
    scene.press("down n");
    assert!(scene.toast().contains("no question is open"), "{}", scene.toast());
    scene.type_on("sakes", 350);
    assert!(scene.app.dialog.is_none());
    // The arrows go on; letters do after a rest.
    let selected = scene.app.ui.cursor(Screen::Decide).selected;
    scene.press_as("up", Manner::Single, Duration::from_millis(100));
    assert_ne!(scene.app.ui.cursor(Screen::Decide).selected, selected);
    scene.press("N");
    assert!(form(&scene).is_some());
}

#[test]
fn letters_that_a_confirmation_does_not_know_disarm_it() {
    let mut scene = running();
    scene.press("down p");
    assert!(confirming(&scene).is_some_and(|open| open.phrase().is_none()));
    scene.press("i");
    scene.type_on("solated by supplier", 350);
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Confirm { .. })), "{:?}", scene.asked);
    let said = confirming(&scene).expect("it stays open").problem.clone().unwrap_or_default();
    assert!(said.contains("means nothing. 19 keys were dropped"), "{said}");
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Confirm { .. }), "after a rest it counts");
}

#[test]
fn letters_that_the_last_question_of_a_form_does_not_know_disarm_it() {
    let mut scene = running();
    scene.press("N");
    scene.write("no need");
    scene.press("enter");
    let before = scene.asked.len();
    scene.type_on("is by", 350);
    assert_eq!(scene.asked.len(), before);
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Note { .. }));
}

#[test]
fn what_is_typed_on_after_a_slip_that_closed_the_form_runs_no_command() {
    let mut scene = running();
    scene.press("down a");
    scene.write("supplier ");
    scene.press_as("esc", Manner::Single, Duration::from_millis(150));
    let before = scene.asked.len();
    scene.type_on("isolated it, port closed", 150);
    scene.press_as("enter", Manner::Single, Duration::from_millis(150));
    scene.press("y");
    assert!(scene.app.dialog.is_none() && scene.asked.len() == before, "{:?}", scene.asked.last());
    // Who rests before he leaves goes on at once.
    scene.press("a");
    scene.write("supplier");
    scene.press("esc");
    scene.press_as("s", Manner::Single, Duration::from_millis(400));
    assert!(matches!(form(&scene).map(|form| &form.purpose), Some(Purpose::Skip(..))));
}

#[test]
fn a_form_that_a_letter_of_a_text_opens_closes_with_the_next_one() {
    let mut scene = running();
    scene.press("down s");
    let before = scene.asked.len();
    scene.type_on("upplier", 170);
    scene.press_as("enter", Manner::Single, Duration::from_millis(170));
    scene.press("y");
    assert!(scene.app.dialog.is_none() && scene.asked.len() == before, "{:?}", scene.app.dialog);
}

#[test]
fn a_paste_without_brackets_runs_no_command() {
    let mut scene = running();
    for key in [":", "a", "b", "o", "r", "t", "enter", "N", "y"] {
        scene.press_as(key, Manner::Burst, Duration::ZERO);
    }
    // Its last piece comes alone.
    scene.press_as("N", Manner::Single, Duration::from_millis(400));
    assert!(scene.app.dialog.is_none());
    assert!(
        scene.app.ui.toast.as_ref().unwrap().next.contains("10 keys were dropped"),
        "{:?}",
        scene.app.ui.toast
    );
}

#[test]
fn what_pauses_on_its_way_is_said() {
    let mut scene = running();
    scene.input(Event::Unfinished);
    assert!(scene.toast().contains("has not ended"), "{}", scene.toast());
    scene.input(Event::GivenUp);
    scene.press_as("y", Manner::Single, Duration::from_millis(500));
    assert!(scene.app.ui.toast.as_ref().unwrap().next.contains("dropped"));
}

#[test]
fn a_number_meant_for_a_dialog_that_closed_by_itself_changes_no_screen() {
    let mut scene = declared();
    let bye = ToClient::Goodbye { why: "it ended".into(), next: "Open it.".into() };
    scene.tell(Message::Engine(bye));
    scene.at += Duration::from_secs(2);
    scene.attach();
    assert!(scene.app.dialog.is_none(), "the engine is back");
    for key in ["3", "2", "1"] {
        scene.press_as(key, Manner::Single, Duration::from_millis(500));
        assert_eq!(scene.app.ui.screen, Screen::Decide, "{key}");
    }
    assert!(scene.app.ui.toast.as_ref().unwrap().next.contains("3 keys were dropped"));
}

#[test]
fn a_key_behind_bytes_that_no_keyboard_sends_acts_on_nothing() {
    let mut scene = declared();
    scene.at += Duration::from_secs(2);
    let before = scene.asked.len();
    scene.input(Event::GivenUp);
    scene.press_as("y", Manner::Single, Duration::ZERO);
    assert_eq!(scene.asked.len(), before);
    assert!(scene.app.dialog.is_none());
    let toast = scene.app.ui.toast.clone().unwrap();
    assert!(toast.next.contains("dropped"), "{toast:?}");
    scene.press("y");
    assert_eq!(scene.asked.len(), before + 1, "after a rest keys count again");
}

#[test]
fn enter_never_answers() {
    let mut scene = declared();
    let before = scene.asked.len();
    scene.press("enter");
    assert_eq!(form(&scene).unwrap().stage, Stage::Sure, "the suggested answer is selected");
    scene.press("enter enter");
    assert_eq!(scene.asked.len(), before);
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Answer { reason: None, .. }));
}

#[test]
fn the_next_question_hears_no_key_that_came_while_it_appeared() {
    let mut scene = declared();
    scene.press("y");
    scene.by_another(Ask::Note { text: "something else happens".into() });
    let before = scene.asked.len();
    scene.press_as("n", Manner::Single, Duration::from_millis(800));
    assert!(scene.app.dialog.is_none() && scene.asked.len() == before, "{:?}", scene.toast());
}

#[test]
fn a_dialog_that_comes_by_itself_hears_nothing_that_was_on_its_way() {
    let mut scene = declared();
    let bye = ToClient::Goodbye { why: "it ended".into(), next: "Open it.".into() };
    scene.tell(Message::Engine(bye));
    for key in ["1", "enter", "3"] {
        scene.press_as(key, Manner::Single, Duration::from_millis(300));
    }
    assert!(scene.done.is_empty());
    assert!(matches!(scene.app.dialog, Some(Dialog::Form(_))));
    scene.press("1");
    assert_eq!(scene.done, [Effect::Start]);
}

#[test]
fn the_dialog_of_an_engine_that_went_does_nothing_by_a_key_that_was_meant_for_the_screen() {
    for after in [20, 150, 400, 900] {
        let mut scene = declared();
        scene.at += Duration::from_secs(2);
        let bye = ToClient::Goodbye { why: "it ended".into(), next: "Open it.".into() };
        scene.tell(Message::Engine(bye));
        // `2` is a screen, and the second choice of this dialog; `3` would end the console.
        for key in ["2", "3", "1", "enter"] {
            scene.press_as(key, Manner::Single, Duration::from_millis(after));
            let form = form(&scene).expect("it stays open");
            assert!(matches!(form.purpose, Purpose::Gone { .. }), "{key} after {after} ms");
            assert_eq!(form.choice(), Some("start"), "{key} after {after} ms");
            assert!(form.problem.as_ref().is_some_and(|problem| problem.contains("dropped")), "{form:?}");
        }
        assert!(scene.done.is_empty(), "{:?}", scene.done);
        scene.press("2");
        assert!(scene.app.dialog.is_none(), "after a pause its keys count");
    }
}
