//! No key acts on what is not shown, and all forms end alike.

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
fn a_word_about_a_step_is_given_for_the_selected_one() {
    let mut scene = running();
    // The fence was left out; NEXT speaks of what follows.
    scene.press("down s");
    scene.write("later");
    scene.press("enter");
    scene.sure();
    assert_eq!(status(&scene, "fence-old-primary"), StepStatus::Skipped);
    scene.press("down");
    let fence = scene.app.selected_step().unwrap();
    assert_eq!(fence.1.as_str(), "fence-old-primary");
    scene.press("a");
    assert!(form(&scene).is_none(), "{:?}", scene.app.dialog);
    let toast = scene.app.ui.toast.clone().unwrap();
    assert_eq!(toast.text, "\"Stop writes on the old primary\" cannot take that key");
    assert!(toast.next.contains("selected now"), "{toast:?}");
    assert_ne!(scene.app.selected_step().unwrap(), fence);
    scene.press("a");
    assert!(
        matches!(form(&scene).map(|form| &form.purpose), Some(Purpose::Attest(_, step)) if *step != fence.1)
    );
}

#[test]
fn what_was_left_out_is_taken_up_again_with_a_reason() {
    let mut scene = running();
    scene.press("down s");
    scene.write("later");
    scene.press("enter");
    scene.sure();
    scene.press("down r");
    assert!(matches!(
        form(&scene).map(|form| (&form.purpose, form.stage)),
        Some((Purpose::Retry(..), Stage::Write))
    ));
    scene.write("now it can be reached");
    scene.press("enter");
    scene.sure();
    assert!(matches!(scene.last(), Ask::Retry { reason: Some(_), .. }));
    assert_eq!(status(&scene, "fence-old-primary"), StepStatus::Ready);
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
fn after_a_stop_nothing_counts_until_the_screen_was_there_again() {
    let mut scene = declared();
    let before = scene.asked.len();
    scene.input(Event::Resumed);
    scene.press_as("y", Manner::Single, Duration::from_millis(500));
    assert_eq!(scene.asked.len(), before);
}

#[test]
fn every_form_ends_with_a_question_and_the_spare_yes_answers_nothing() {
    let mut scene = declared();
    scene.press("N");
    scene.write("called the supplier");
    scene.press("enter");
    assert_eq!(form(&scene).unwrap().stage, Stage::Sure);
    scene.press("y");
    assert_eq!(*scene.last(), Ask::Note { text: "called the supplier".into() });
    scene.press_as("y", Manner::Single, Duration::from_millis(800));
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Answer { .. })), "it was meant for the form");
}

#[test]
fn an_answer_that_begins_a_runbook_asks_once() {
    let mut scene = declared();
    scene.press("y");
    let before = scene.asked.len();
    scene.press("o 1");
    if form(&scene).unwrap().stage == Stage::Write {
        scene.write("seen from two places");
        scene.press("enter");
    }
    assert_eq!(form(&scene).unwrap().stage, Stage::Sure);
    scene.press("enter");
    assert_eq!(scene.asked.len(), before, "Enter answers nothing");
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Answer { .. }));
}

#[test]
fn an_answer_that_begins_a_runbook_says_the_range_that_it_would_lose_or_that_it_is_not_known() {
    let mut scene = declared();
    scene.press("y o 1");
    let words = scene.words();
    assert!(words.contains("What its failover would lose IS NOT KNOWN"), "{words}");
    scene.exposed("dr-replication", 2.0, 48.0);
    let words = scene.words();
    assert!(words.contains("Its failover would lose: 2 s if the primary died"), "{words}");
    assert!(words.contains("to 48 s if it still takes writes"), "{words}");
    scene.press("esc esc n");
    assert!(!scene.words().contains("failover would lose"), "this answer begins nothing");
}

#[test]
fn an_open_question_says_that_nothing_can_be_confirmed_while_the_engine_is_not_heard() {
    let mut confirmation = promoting();
    let mut by_key = running();
    by_key.press("down p");
    let mut written = declared();
    written.press("N");
    written.write("a note");
    written.press("enter");
    let mut message = Scene::with_people();
    message.pass(1);
    message.press("D 1 enter y");
    message.pass(3);
    message.press("6 u 1 ctrl-s");
    for (scene, live) in [
        (&mut confirmation, ["ctrl-y", "Expires in"]),
        (&mut by_key, ["y run it", "Expires in"]),
        (&mut written, ["Write this note?", "+y yes"]),
        (&mut message, ["y SEND", "cannot be taken back"]),
    ] {
        let words = scene.words();
        assert!(live.iter().all(|live| words.contains(live)), "{live:?}\n{words}");
        for gone in [Message::Silent { since: scene.at, pid: None }, Message::Lost("it went".into())] {
            scene.tell(gone);
            let words = scene.words();
            assert!(words.contains("nothing can be confirmed or sent until"), "{words}");
            assert!(!live.iter().any(|live| words.contains(live)), "{live:?}\n{words}");
        }
    }
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
fn what_a_form_says_can_be_read_to_its_end_and_the_key_is_said_where_it_is_cut() {
    let mut scene = running();
    scene.reads = true;
    let (run, step) = scene.app.selected_step().unwrap();
    let losses = (0..30).map(|place| format!("loss number {place} of a plan that has a great many of them"));
    let (guards, losses) = (vec![0], losses.collect());
    scene.app.dialog =
        Some(Dialog::Form(Box::new(Form::writing(Purpose::Override { run, step, guards, losses }))));
    let key = "page-down";
    for stage in [Stage::Write, Stage::Sure] {
        if let Some(Dialog::Form(form)) = &mut scene.app.dialog {
            form.stage = stage;
            form.pages.clear();
        }
        scene.tell(Message::Tick);
        let first = scene.words();
        assert!(first.contains("more lines") && !first.contains("number 29 "), "{first}");
        assert!(first.contains(&format!("{key} shows them")), "{first}");
        let pages: Vec<String> = (0..3)
            .map(|_| {
                scene.press(key);
                scene.words()
            })
            .collect();
        for place in 0..30 {
            let line = format!("number {place} of a plan");
            assert!(pages.iter().any(|page| page.contains(&line)), "{line}\n{pages:#?}");
        }
    }
}

#[test]
fn the_guidance_of_a_question_can_be_read_to_its_end_with_the_question_and_its_answers_in_view() {
    let mut scene = declared();
    scene.reads = true;
    let mut plan = (*scene.model.plan).clone();
    let root = plan.tree.root.clone();
    let help = (0..160).map(|place| format!("word{place}")).collect::<Vec<_>>().join(" ");
    plan.tree.questions.get_mut(&root).unwrap().help = help;
    scene.model.plan = std::sync::Arc::new(plan);
    scene.attach();
    scene.app.ui.screen = Screen::Decide;
    let short = scene.words();
    assert!(short.contains("v shows them") && !short.contains("word159"), "{short}");
    scene.press("v");
    let mut read = String::new();
    for _ in 0..6 {
        let page = scene.words();
        assert!(page.contains("Is the primary region") && page.contains("ANSWERS"), "{page}");
        read.push_str(&page);
        scene.press("ctrl-f");
    }
    assert!(read.contains("ctrl-f shows them"), "{read}");
    for place in 0..160 {
        assert!(read.contains(&format!("word{place}")), "{place}: {read}");
    }
    assert!(read.contains("SUGGESTION") && read.contains("EVIDENCE"), "{read}");
}

#[test]
fn the_details_of_a_step_can_be_read_to_their_end() {
    let mut scene = running();
    scene.reads = true;
    let mut plan = (*scene.model.plan).clone();
    let runbook = plan.runbooks.get_mut("full-region-failover").unwrap();
    let step = runbook.steps.values_mut().next().unwrap();
    let by_hand = crate::plan::condition::Condition::parse("true").unwrap();
    step.guard = vec![by_hand; 40];
    scene.model.plan = std::sync::Arc::new(plan);
    scene.attach();
    assert!(scene.words().contains("v shows them"), "{}", scene.words());
    scene.press("v");
    assert!(scene.words().contains("ctrl-f shows them"), "{}", scene.words());
    scene.press("ctrl-f");
    assert!(scene.words().contains("ALL OF IT, lines "), "{}", scene.words());
    scene.press("v");
    assert!(!scene.words().contains("ALL OF IT"));
}

#[test]
fn a_page_turned_after_the_height_changed_begins_where_the_last_one_ended() {
    let heights = [24, 30, 26, 24, 40, 25, 24, 28, 24, 24, 35, 24, 24, 24, 24, 24];
    for toasts in [false, true] {
        let mut scene = running();
        scene.reads = true;
        let run = scene.app.selected_step().unwrap().0;
        let mut model = scene.model.clone();
        let words = (0..400).map(|place| format!("arg{place}")).collect::<Vec<_>>().join(" ");
        let step = model.plan.runbooks["full-region-failover"].steps[0].id.clone();
        let incident = model.durable.incident.as_mut().unwrap();
        let state =
            incident.runs.iter_mut().find(|open| open.id == run).unwrap().steps.get_mut(&step).unwrap();
        let failure = crate::core::words::action::Failure {
            acted: crate::core::words::action::Acted::No,
            what: "cannot read the target".into(),
            why: "no route".into(),
            next: "By hand.".into(),
        };
        let manual =
            crate::core::words::action::ManualCard { instructions: vec![words], check: "look".into() };
        state.obstacle = Some((failure, manual));
        scene.model = model;
        scene.attach();
        scene.press("v");
        let mut read = scene.words();
        for height in heights {
            scene.height = height;
            if toasts {
                // A key that means nothing here says so for some seconds, in rows that are then free again.
                scene.press("z");
            }
            scene.tell(Message::Tick);
            read.push_str(&format!(" {}", scene.words()));
            scene.press("ctrl-f");
        }
        let seen: std::collections::BTreeSet<usize> =
            read.split(' ').filter_map(|word| word.strip_prefix("arg")?.parse().ok()).collect();
        let lost: Vec<usize> = (0..400).filter(|place| !seen.contains(place)).collect();
        assert!(lost.is_empty(), "{lost:?}\n{read}");
    }
}

#[test]
fn the_first_key_that_turns_a_page_does_not_show_the_begin_again() {
    let mut scene = declared();
    scene.reads = true;
    let mut plan = (*scene.model.plan).clone();
    let root = plan.tree.root.clone();
    plan.tree.questions.get_mut(&root).unwrap().help =
        (0..160).map(|place| format!("word{place}")).collect::<Vec<_>>().join(" ");
    scene.model.plan = std::sync::Arc::new(plan);
    scene.attach();
    scene.press("v");
    let first = scene.words();
    scene.press("ctrl-f");
    let second = scene.words();
    let words = |text: &str| -> Vec<usize> {
        text.split(' ').filter_map(|word| word.strip_prefix("word")?.parse().ok()).collect()
    };
    let (first, second) = (words(&first), words(&second));
    assert_eq!(first.last().unwrap() + 1, second[0], "{first:?} {second:?}");
}

#[test]
fn a_page_of_a_list_is_what_of_it_is_in_sight() {
    let mut scene = Scene::new();
    scene.reads = true;
    scene.press("v");
    let row = |scene: &Scene| scene.app.ui.cursor(Screen::Overview).selected;
    scene.press("ctrl-f");
    let list = row(&scene) + 1;
    let titles = scene.seen();
    assert!(list < 10, "the details take the rest: {list}\n{titles}");
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
fn the_key_acts_on_the_step_that_next_names_where_the_selected_one_cannot_take_it() {
    let mut scene = running();
    scene.slow = true;
    scene.press("G");
    assert_ne!(scene.app.selected_step().unwrap().1.as_str(), "check-standby");
    scene.press("p");
    assert!(matches!(scene.last(), Ask::Prepare { step, .. } if step.as_str() == "check-standby"));
    assert_eq!(scene.app.selected_step().unwrap().1.as_str(), "check-standby", "the selection goes with it");
}

#[test]
fn the_selection_does_not_move_between_the_strokes_of_a_hand() {
    let mut scene = running();
    let run = scene.app.selected_step().unwrap().0;
    let stroke = |scene: &mut Scene, key| scene.press_as(key, Manner::Single, Duration::from_millis(150));
    stroke(&mut scene, "g");
    scene.by_another(Ask::Skip { run: run.clone(), step: "check-standby".into(), reason: "seen".into() });
    stroke(&mut scene, "g");
    stroke(&mut scene, "j");
    scene.by_another(Ask::Skip { run, step: "fence-old-primary".into(), reason: "gone".into() });
    stroke(&mut scene, "j");
    let third = scene.app.selected_step().unwrap().1;
    let steps = &scene.model.durable.incident.as_ref().unwrap().open_run().unwrap().steps;
    assert_eq!(Some(&third), steps.keys().nth(2), "counted from the first");
    stroke(&mut scene, "k");
    scene.at += Duration::from_secs(1);
    scene.tell(Message::Tick);
    let next = crate::console::screens::next::step(&scene.model).unwrap();
    assert_eq!(scene.app.selected_step(), Some(next), "the hand rests");
}

#[test]
fn after_attaching_again_the_selection_is_on_the_step_that_next_names() {
    let mut scene = running();
    scene.press("s");
    scene.write("done");
    scene.press("enter");
    scene.sure();
    let model = scene.model.clone();
    scene.app.ui.cursor_mut(Screen::Decide).selected = 0;
    scene.attach();
    let next = crate::console::screens::next::step(&model).unwrap();
    assert_eq!(scene.app.selected_step(), Some(next));
}

#[test]
fn what_would_be_refused_is_refused_before_anything_is_typed() {
    let mut scene = running();
    scene.perhaps_by_another(Ask::Abort { reason: "over".into() });
    scene.press("a");
    assert!(scene.app.dialog.is_none());
    assert!(scene.app.ui.toast.as_ref().unwrap().bad);
    scene.press("A");
    assert!(scene.app.dialog.is_none());
}

#[test]
fn where_the_engine_ends_with_the_console_both_ways_out_ask() {
    for key in ["q", "d"] {
        let mut scene = declared();
        scene.app.ui.remains = Remains::Nothing;
        scene.press(key);
        assert!(scene.done.is_empty(), "{key}");
        assert_eq!(form(&scene).unwrap().stage, Stage::Sure);
    }
}

#[test]
fn the_palette_asks_before_anything_that_one_key_does_elsewhere() {
    let mut scene = running();
    scene.press(":");
    scene.write("lag");
    scene.press("enter");
    assert!(!scene.asked.contains(&Ask::Acknowledge));
    scene.press("esc :");
    scene.write("detach");
    scene.press("enter");
    assert!(scene.done.is_empty(), "an incident is open");
    scene.press("esc :");
    scene.write("revisit");
    scene.press("enter");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Revisit { .. })));
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
fn tab_completes_the_name_that_was_begun() {
    let mut scene = Scene::with_people();
    scene.pass(1);
    scene.press("D 1 enter y 6 o 1");
    scene.write("gra");
    scene.press("tab");
    assert_eq!(form(&scene).unwrap().text.text(), "Grace Hopper");
    scene.press("ctrl-u");
    scene.write("nobody we know");
    scene.press("tab");
    assert_eq!(form(&scene).unwrap().text.text(), "nobody we know");
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
fn what_is_cut_of_the_evidence_names_the_key_that_shows_it_whole() {
    let mut scene = declared();
    scene.reads = true;
    scene.app.ui.screen = Screen::Decide;
    let probe = scene.model.plan.tree.questions[&scene.model.plan.tree.root].evidence[0].clone();
    let told = (0..30).map(|place| format!("word{place}")).collect::<Vec<_>>().join(" ");
    scene.measured(probe.as_str(), &told);
    let short = scene.words();
    assert!(short.contains("EVIDENCE v shows all of it (live") && !short.contains("word29"), "{short}");
    scene.press("v");
    let mut read = String::new();
    for _ in 0..6 {
        read.push_str(&scene.words());
        scene.press("ctrl-f");
    }
    assert!(read.contains("word0") && read.contains("word29"), "{read}");
    assert!(!read.contains("shows all of it"), "{read}");
}

#[test]
fn a_form_has_a_field_only_where_it_asks_for_a_text() {
    let mut scene = declared();
    scene.press("y");
    let (question, ask, suggested) = ("standby-fit".into(), "Can it?".to_owned(), Some("yes".to_owned()));
    let question = scene.model.plan.tree.questions.keys().nth(1).cloned().unwrap_or(question);
    let choices = crate::console::overlays::form::choices([("yes", "yes"), ("no", "no")]);
    let mut asked = Form::choosing(Purpose::Answer { question, ask, suggested }, choices);
    asked.skip_choice();
    assert_eq!(asked.stage, Stage::Sure);
    scene.app.dialog = Some(Dialog::Form(Box::new(asked.clone())));
    let words = scene.words();
    assert!(words.contains("+y yes") && !words.contains("Reason"), "{words}");
    asked.chosen = 1;
    asked.skip_choice();
    scene.app.dialog = Some(Dialog::Form(Box::new(asked)));
    assert!(scene.words().contains("Reason"), "{}", scene.words());
}

#[test]
fn a_runbook_whose_steps_touch_no_data_says_calmly_that_the_plan_names_no_loss() {
    let mut scene = declared();
    let told = |scene: &mut Scene, does: Does, irreversible: bool| {
        let mut plan = (*scene.model.plan).clone();
        let runbook = plan.runbooks.get_mut("full-region-failover").unwrap();
        runbook.loss.clear();
        for step in runbook.steps.values_mut() {
            (step.does, step.irreversible) = (does, irreversible);
        }
        scene.model.plan = std::sync::Arc::new(plan);
        scene.attach();
        scene.press("o 1");
        let words = scene.words();
        scene.press("esc");
        words
    };
    scene.press("y");
    let calm = told(&mut scene, Does::Routes, true);
    assert!(calm.contains("The plan names no loss for it") && calm.contains("touches no data"), "{calm}");
    assert!(!calm.contains("IS NOT KNOWN"), "{calm}");
    for may_lose in [Does::Runs, Does::ByHand, Does::Changes, Does::Promotes] {
        let loud = told(&mut scene, may_lose, true);
        assert!(loud.contains("IS NOT KNOWN: the plan names no probe"), "{may_lose:?}: {loud}");
    }
    let promotes = told(&mut scene, Does::Promotes, false);
    assert!(promotes.contains("IS NOT KNOWN"), "{promotes}");
    let nothing = told(&mut scene, Does::Runs, false);
    assert!(!nothing.contains("names no"), "what can be taken back loses nothing: {nothing}");
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

#[test]
fn the_region_that_serves_is_recorded_by_a_choice_a_reason_and_its_name() {
    let mut scene = declared();
    for _ in 0..12 {
        scene.pass(5);
        scene.servers(&[("primary-db", "standby"), ("dr-db", "standby")]);
    }
    scene.press("T");
    let words = scene.words();
    assert!(words.contains("Record which region serves"), "{words}");
    assert!(words.contains("accepts no writes"), "what stands against each is said: {words}");
    scene.press("2");
    assert_eq!(form(&scene).unwrap().stage, Stage::Write, "a reason is asked for");
    scene.press("enter");
    assert!(form(&scene).unwrap().problem.is_some(), "an empty one goes nowhere");
    scene.write("promoted on the host");
    scene.press("enter");
    let words = scene.words();
    assert!(words.contains("Does it serve?") && words.contains("Say what was done"), "{words}");
    scene.press("y");
    assert!(
        !scene.asked.iter().any(|ask| matches!(ask, Ask::RecordServing { .. })),
        "Enter and y record nothing"
    );
    scene.press("backspace");
    scene.write("dr");
    scene.press("ctrl-y");
    let Ask::RecordServing { region, reason } = scene.last().clone() else { panic!("{:?}", scene.asked) };
    assert_eq!((region.as_str(), reason.as_str()), ("dr", "promoted on the host"));
    assert!(scene.app.dialog.is_none());
    assert_eq!(scene.model.serving().map(|region| region.as_str()), Some("dr"));
}

#[test]
fn in_a_drill_of_safe_steps_the_record_of_which_region_serves_says_that_it_is_real() {
    for (mode, is_said) in [(Mode::SafeDrill, true), (Mode::Live, false)] {
        let mut scene = Scene::new();
        scene.by_another(Ask::Declare { title: "exercise".into(), mode });
        for _ in 0..12 {
            scene.pass(5);
            scene.servers(&[("primary-db", "standby"), ("dr-db", "standby")]);
        }
        scene.press("T 2");
        let words = scene.words();
        assert!(words.contains("Record which region serves"), "{words}");
        assert_eq!(words.contains("THIS IS REAL and no part of the exercise"), is_said, "{words}");
    }
}

#[test]
fn where_the_readings_say_which_region_serves_no_other_can_be_recorded() {
    let mut scene = declared();
    for _ in 0..12 {
        scene.pass(5);
        scene.servers(&[("primary-db", "primary"), ("dr-db", "standby")]);
    }
    scene.press("T");
    assert!(scene.app.dialog.is_none());
    assert!(scene.toast().contains("no other region can serve"), "{}", scene.toast());
}

#[test]
fn a_word_for_a_promotion_says_what_the_readings_say_against_it() {
    let mut scene = promoting();
    scene.press("esc");
    scene.exposed("dr-replication", 2.0, 480.0);
    scene.press("a");
    let words = scene.words();
    assert!(words.contains("GUARD: what must hold before it is done does not hold"), "{words}");
    assert!(words.contains("Lost by it"), "{words}");
    scene.write("done by hand");
    scene.press("enter");
    assert!(scene.words().contains("Is \"Promote the standby database\" done?"), "{}", scene.words());
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

#[test]
fn a_step_taken_up_again_or_left_out_says_that_data_diverged_where_it_would_be_thrown_away() {
    let mut scene = promoting();
    scene.press("esc");
    scene.split_brain_that_is_over();
    for key in ["a", "s"] {
        scene.press(key);
        assert!(scene.words().contains("DIVERGED: SPLIT BRAIN"), "{key}: {}", scene.words());
        scene.press("esc");
    }
    scene.press("s");
    scene.write("somebody promoted it");
    scene.press("enter");
    scene.sure();
    assert_eq!(status(&scene, "promote"), crate::core::words::status::StepStatus::Skipped);
    let run = scene.model.durable.incident.as_ref().unwrap().open_run().unwrap().id.clone();
    scene.app.select_step(&(run, "promote".into()));
    scene.press("r");
    assert!(scene.words().contains("DIVERGED: SPLIT BRAIN"), "{}", scene.words());
}

#[test]
fn a_look_at_both_sides_that_is_left_out_before_a_rebuild_says_that_data_diverged() {
    let mut scene = running();
    scene.split_brain_that_is_over();
    scene.press("s");
    assert!(
        scene.words().contains("DIVERGED: SPLIT BRAIN"),
        "what comes after it is a promotion: {}",
        scene.words()
    );
}
