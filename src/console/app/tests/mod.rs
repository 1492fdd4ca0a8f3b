//! Keys in, asks out: the client over the core itself.

mod diagnosing;
mod people;
mod scene;
mod sight;
mod size;
mod sure;
mod typing;

use super::{Dialog, Effect, Message};
use crate::base::ids::StepId;
use crate::console::input::{Event, Manner};
use crate::console::overlays::form::Stage;
use crate::console::ui::{Connection, Remains, Screen};
use crate::core::model::Model;
use crate::core::words::action::Failure;
use crate::core::words::command::{Ask, Report};
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::reading::{Measurement, Reading};
use crate::core::words::signal::Recent;
use crate::core::words::status::StepStatus;
use crate::engine::protocol::ToClient;
use crate::plan::Severity;
use jiff::SignedDuration;
use scene::Scene;
use std::time::Duration;

/// Declared, answered as suggested: at the first question.
fn declared() -> Scene {
    let mut scene = Scene::new();
    scene.press("D 2");
    scene.write("region down");
    scene.press("enter");
    scene.sure();
    assert!(matches!(scene.last(), Ask::Declare { mode: Mode::Drill, .. }), "{:?}", scene.asked);
    scene
}

/// In the run of the full failover.
fn running() -> Scene {
    let mut scene = declared();
    scene.press("y o 1");
    scene.write("seen from two places");
    scene.press("enter");
    scene.sure();
    let run = scene.model.durable.incident.as_ref().and_then(|incident| incident.open_run());
    assert_eq!(run.map(|run| run.runbook.as_str()), Some("full-region-failover"), "{:?}", scene.asked);
    scene
}

fn form(scene: &Scene) -> Option<&crate::console::overlays::form::Form> {
    match &scene.app.dialog {
        Some(Dialog::Form(form)) => Some(form),
        _ => None,
    }
}

fn confirming(scene: &Scene) -> Option<&super::confirm::Confirming> {
    match &scene.app.dialog {
        Some(Dialog::Confirm(confirming)) => Some(confirming),
        _ => None,
    }
}

fn status(scene: &Scene, step: &str) -> StepStatus {
    let run = scene.model.durable.incident.as_ref().unwrap().open_run().unwrap();
    run.steps[&StepId::from(step)].status
}

/// At the promotion, which is confirmed by typing.
fn promoting() -> Scene {
    let mut scene = running();
    for _ in 0..3 {
        scene.press("s");
        scene.write("done before");
        scene.press("enter");
        scene.sure();
    }
    assert_eq!(status(&scene, "promote"), StepStatus::Ready);
    // The exposure is not measured in this test, so its guard is overridden.
    scene.press("O 1");
    scene.write("nothing is written");
    scene.press("enter");
    scene.sure();
    assert!(matches!(scene.last(), Ask::Override { guard: 1, .. }), "{:?}", scene.last());
    scene.press("p");
    scene
}

#[test]
fn declaring_shows_the_tree() {
    let scene = declared();
    assert_eq!(scene.app.ui.screen, Screen::Decide);
    assert!(scene.app.dialog.is_none());
    assert_eq!(scene.asked.len(), 1);
}

#[test]
fn the_title_is_proposed_and_a_choice_of_mode_comes_first() {
    let mut scene = Scene::new();
    scene.report(Report::Tick);
    scene.press("D enter");
    let form = form(&scene).unwrap();
    assert_eq!((form.stage, form.choice()), (Stage::Write, Some("live")));
    assert_eq!(form.text.text(), scene.model.durable.severity.as_ref().unwrap().2);
}

#[test]
fn an_empty_text_goes_nowhere() {
    let mut scene = declared();
    scene.press("N enter");
    assert_eq!(scene.asked.len(), 1);
    assert!(form(&scene).unwrap().problem.is_some());
}

#[test]
fn the_suggestion_needs_one_key_and_anything_else_a_reason() {
    let mut scene = declared();
    scene.press("n");
    assert_eq!(scene.asked.len(), 1, "no reason yet");
    assert_eq!(form(&scene).unwrap().stage, Stage::Write);
    scene.press("esc esc");
    assert!(scene.app.dialog.is_none());
    scene.press("y");
    let Ask::Answer { answer, suggested, reason, .. } = scene.last() else { panic!("{:?}", scene.last()) };
    assert_eq!((answer.as_str(), suggested.as_deref(), reason), ("yes", Some("yes"), &None));
}

#[test]
fn an_answer_whose_suggestion_turned_shows_the_one_of_now_and_keeps_what_was_typed() {
    let mut scene = declared();
    scene.press("n");
    scene.write("it serves");
    // The servers of the region answer again: nothing is suggested any more.
    for probe in scene.model.plan.probes.keys().cloned().collect::<Vec<_>>() {
        for _ in 0..3 {
            scene.measured(probe.as_str(), "well");
        }
    }
    scene.press("enter");
    scene.sure();
    let now = form(&scene).unwrap();
    assert!(
        now.problem.as_ref().is_some_and(|problem| problem.contains("the suggestion changed")),
        "{now:?}"
    );
    assert!(
        !matches!(&now.purpose, crate::console::overlays::form::Purpose::Answer { suggested: Some(said), .. } if said == "yes"),
        "{now:?}"
    );
    assert_eq!((now.stage, now.text.text(), now.choice()), (Stage::Choose, "it serves", Some("no")));
}

#[test]
fn a_held_key_answers_one_question_only() {
    let mut scene = declared();
    scene.press("y");
    for _ in 0..40 {
        scene.press_as("y", Manner::Quick, Duration::from_millis(33));
    }
    scene.press_as("y", Manner::Single, Duration::from_millis(100));
    assert_eq!(scene.asked.len(), 2);
}

#[test]
fn two_answers_typed_ahead_answer_one_question() {
    let mut scene = declared();
    scene.at += Duration::from_secs(2);
    scene.press_as("y", Manner::Single, Duration::ZERO);
    scene.press_as("y", Manner::Single, Duration::from_millis(80));
    scene.rest();
    assert_eq!(scene.asked.len(), 2);
}

#[test]
fn a_key_that_does_nothing_says_so() {
    let mut scene = declared();
    scene.press("y");
    scene.press_as("y", Manner::Single, Duration::from_millis(400));
    assert!(scene.toast().contains("too soon"), "{}", scene.toast());
    scene.press("esc s");
    assert!(scene.toast().contains("no step"), "{}", scene.toast());
    scene.press("1 esc L");
    assert!(scene.toast().starts_with("L does nothing here"), "{}", scene.toast());
    scene.press("esc");
    scene.input(Event::Paste("a page of text".into()));
    assert!(scene.toast().contains("paste"), "{}", scene.toast());
    scene.press("esc S x");
    assert!(form(&scene).unwrap().problem.is_some());
}

#[test]
fn a_phrase_that_begins_too_soon_is_asked_for_again() {
    let mut scene = promoting();
    scene.press_as("d", Manner::Single, Duration::from_millis(50));
    assert_eq!(confirming(&scene).unwrap().typed.text(), "");
    assert!(confirming(&scene).unwrap().problem.is_some());
}

#[test]
fn enter_answers_what_the_arrows_chose() {
    let mut scene = declared();
    scene.press("down enter");
    let form = form(&scene).unwrap();
    assert_eq!(form.choice(), Some("no"), "the second answer is not the suggested one");
}

#[test]
fn severity_is_set_with_a_reason() {
    let mut scene = declared();
    scene.press("S 1");
    scene.write("half of the users");
    scene.press("enter backspace");
    scene.write("P1");
    scene.press("ctrl-y");
    assert_eq!(
        *scene.last(),
        Ask::SetSeverity { severity: Severity::P1, reason: "half of the users".into() }
    );
}

#[test]
fn skipping_asks_why_and_then_for_a_yes_that_enter_is_not() {
    let mut scene = running();
    let before = scene.asked.len();
    scene.press("s");
    scene.write("not needed");
    scene.press("enter enter enter");
    assert_eq!(scene.asked.len(), before);
    assert_eq!(form(&scene).unwrap().stage, Stage::Sure);
    scene.press("y");
    assert_eq!(scene.asked.len(), before, "a y may be of a text");
    scene.press("backspace");
    scene.sure();
    assert!(
        matches!(scene.last(), Ask::Skip { step, reason, .. } if step.as_str() == "check-standby" && reason == "not needed")
    );
    assert!(scene.app.dialog.is_none());
    assert_eq!(status(&scene, "check-standby"), StepStatus::Skipped);
}

#[test]
fn a_settled_step_hands_the_selection_to_the_next_open_one() {
    let mut scene = running();
    scene.press("s");
    scene.write("x");
    scene.press("enter");
    scene.sure();
    assert_eq!(scene.app.selected_step().unwrap().1.as_str(), "fence-old-primary");
}

#[test]
fn a_dialog_acts_upon_what_it_showed_whatever_is_selected_by_then() {
    let mut scene = running();
    scene.press("s");
    scene.write("x");
    scene.app.ui.cursor_mut(Screen::Decide).selected = 5;
    scene.press("enter");
    scene.sure();
    assert!(matches!(scene.last(), Ask::Skip { step, .. } if step.as_str() == "check-standby"));
}

#[test]
fn one_key_confirms_a_step_of_level_yes_and_enter_does_not() {
    let mut scene = running();
    scene.press("down p");
    let id = confirming(&scene).expect("it opened").confirmation.id.clone();
    scene.press("enter");
    assert!(!matches!(scene.last(), Ask::Confirm { .. }));
    scene.press("y");
    assert_eq!(*scene.last(), Ask::Confirm { confirmation: id, typed: None });
    assert!(scene.app.dialog.is_none(), "it started");
    assert_eq!(status(&scene, "fence-old-primary"), StepStatus::Started);
}

#[test]
fn type_ahead_repeats_bursts_and_pastes_confirm_nothing() {
    let mut scene = running();
    scene.press("down p");
    scene.press_as("y", Manner::Single, Duration::from_millis(50));
    scene.press_as("y", Manner::Quick, Duration::from_secs(2));
    scene.press_as("y", Manner::Burst, Duration::from_secs(2));
    scene.press_as("y", Manner::Repeat, Duration::from_secs(2));
    scene.input(Event::Paste("y".into()));
    assert!(!matches!(scene.last(), Ask::Confirm { .. }));
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Confirm { .. }));
}

#[test]
fn a_typed_confirmation_needs_the_whole_phrase_and_its_own_key() {
    let mut scene = promoting();
    assert_eq!(confirming(&scene).expect("it opened").phrase(), Some("db-2"));
    scene.input(Event::Paste("db-2".into()));
    assert_eq!(confirming(&scene).unwrap().typed.text(), "");
    scene.at += Duration::from_secs(2);
    scene.write("db-");
    scene.press("ctrl-y");
    assert!(confirming(&scene).unwrap().problem.as_ref().unwrap().contains("db-2"));
    scene.write("2");
    scene.press("page-down page-down page-up");
    assert_eq!(confirming(&scene).unwrap().typed.text(), "db-2");
    scene.press("enter enter");
    assert!(!matches!(scene.last(), Ask::Confirm { .. }));
    scene.press("ctrl-y");
    assert!(matches!(scene.last(), Ask::Confirm { typed: Some(typed), .. } if typed == "db-2"));
}

#[test]
fn a_paste_without_brackets_types_no_phrase_and_a_hand_is_asked_to_type_it_again() {
    for (manner, after_ms) in [(Manner::Burst, 0), (Manner::Single, 12)] {
        let mut scene = promoting();
        scene.at += Duration::from_secs(2);
        scene.write("db");
        scene.at += Duration::from_secs(2);
        scene.write_as("db-2", manner, Duration::from_millis(after_ms));
        scene.press_as("ctrl-y", Manner::Single, Duration::from_millis(300));
        let open = confirming(&scene).expect("it stays");
        assert_eq!(open.typed.text(), "", "{manner:?}");
        let problem = open.problem.clone().unwrap_or_default();
        assert!(problem.contains("pasted text confirms nothing: type it"), "{problem}");
        assert!(!matches!(scene.last(), Ask::Confirm { .. }), "{manner:?}");
        scene.at += Duration::from_secs(2);
        scene.write("db-2");
        scene.press("ctrl-y");
        assert!(matches!(scene.last(), Ask::Confirm { typed: Some(typed), .. } if typed == "db-2"));
    }
}

#[test]
fn two_letters_that_a_slow_line_brings_together_are_typing() {
    let mut scene = promoting();
    scene.at += Duration::from_secs(2);
    for (key, after_ms) in [("d", 90), ("b", 0), ("-", 90), ("2", 0)] {
        scene.press_as(key, Manner::Pair, Duration::from_millis(after_ms));
    }
    assert_eq!(confirming(&scene).unwrap().typed.text(), "db-2");
}

#[test]
fn a_reason_may_be_pasted_without_brackets() {
    let mut scene = declared();
    scene.press("N");
    scene.write_as("from the ticket", Manner::Burst, Duration::ZERO);
    assert_eq!(form(&scene).unwrap().text.text(), "from the ticket");
}

#[test]
fn what_a_key_was_told_goes_with_its_view_and_news_stay() {
    let mut scene = declared();
    scene.press("y");
    scene.press_as("y", Manner::Single, Duration::from_millis(400));
    assert!(scene.toast().contains("too soon"), "{}", scene.toast());
    scene.press("N esc");
    assert_eq!(scene.toast(), "", "the note was another view");
    scene.press("s");
    assert!(scene.toast().contains("no step"), "{}", scene.toast());
    scene.press("3");
    assert_eq!(scene.toast(), "", "it spoke of the other screen");
    scene.press("L");
    assert!(scene.toast().contains("does nothing here"));
    scene.tell(Message::Lost("it went".into()));
    assert_eq!(scene.toast(), "", "nothing does anything now");
    let mut scene = promoting();
    scene.pass(3_600);
    assert!(scene.toast().contains("expired"));
    scene.press("3");
    assert!(scene.toast().contains("expired"), "news are for every view");
}

#[test]
fn escape_declines_and_nothing_runs() {
    let mut scene = promoting();
    scene.press("esc");
    assert!(matches!(scene.last(), Ask::Decline { .. }));
    assert_eq!(status(&scene, "promote"), StepStatus::Ready);
    assert!(scene.app.dialog.is_none());
}

#[test]
fn an_expired_confirmation_closes_and_says_why() {
    let mut scene = promoting();
    scene.pass(3600);
    assert!(scene.app.dialog.is_none());
    assert!(scene.toast().contains("expired"), "{}", scene.toast());
}

#[test]
fn a_confirmation_that_somebody_else_asked_for_does_not_open_here() {
    let mut scene = running();
    let run = scene.model.durable.incident.as_ref().unwrap().open_run().unwrap().id.clone();
    let manual = crate::core::words::action::ManualCard { instructions: Vec::new(), check: String::new() };
    let result = Ok(scene::description());
    scene.report(Report::Described { run, step: StepId::from("fence-old-primary"), result, manual });
    assert_eq!(status(&scene, "fence-old-primary"), StepStatus::Confirming);
    assert!(scene.app.dialog.is_none());
}

#[test]
fn a_confirmation_does_not_open_over_a_text_that_is_typed() {
    let mut scene = running();
    scene.slow = true;
    scene.press("down p N");
    scene.slow = false;
    let run = scene.model.durable.incident.as_ref().unwrap().open_run().unwrap().id.clone();
    let manual = crate::core::words::action::ManualCard { instructions: Vec::new(), check: String::new() };
    let result = Ok(scene::description());
    scene.report(Report::Described { run, step: StepId::from("fence-old-primary"), result, manual });
    assert!(form(&scene).is_some());
    assert!(scene.toast().contains("ready"));
}

#[test]
fn a_refusal_is_shown_with_its_way_out() {
    let mut scene = running();
    scene.press("O");
    assert!(scene.app.ui.toast.as_ref().is_some_and(|toast| toast.bad && !toast.next.is_empty()));
}

#[test]
fn a_refused_form_keeps_its_text() {
    let mut scene = running();
    scene.press("G s");
    scene.write("why not");
    scene.slow = true;
    scene.press("enter");
    scene.sure();
    let refusal = crate::base::problem::Problem::new("it is running", "Wait.");
    scene.tell(Message::Engine(ToClient::Reply { id: 9, result: Err(refusal) }));
    let form = form(&scene).expect("it stays open");
    assert_eq!((form.text.text(), form.stage, form.sent), ("why not", Stage::Write, false));
    assert!(form.problem.as_ref().unwrap().contains("Wait."));
    scene.type_on("it works", 60);
    let form = self::form(&scene).unwrap();
    assert_eq!(form.text.text(), "why not", "what was still being typed is no text");
    assert!(form.problem.as_ref().unwrap().contains("keys were dropped"), "{:?}", form.problem);
    scene.press("!");
    assert_eq!(self::form(&scene).unwrap().text.text(), "why not!");
}

#[test]
fn what_is_typed_takes_the_place_of_a_title_that_was_only_proposed() {
    let mut scene = Scene::new();
    scene.report(Report::Tick);
    scene.press("D enter");
    scene.write("berlin is gone");
    assert_eq!(form(&scene).unwrap().text.text(), "berlin is gone");
    scene.press("esc esc D enter backspace");
    scene.write("!");
    let proposed = &scene.model.durable.severity.as_ref().unwrap().2;
    let kept = &proposed[..proposed.len() - 1];
    assert_eq!(form(&scene).unwrap().text.text(), format!("{kept}!"), "whoever edits it means it");
}

#[test]
fn that_a_step_started_is_said_no_longer_once_it_has_ended() {
    let mut scene = running();
    scene.press("down p y");
    assert!(scene.toast().ends_with("started"), "{}", scene.toast());
    let open = scene.model.durable.incident.as_ref().unwrap().open_run().unwrap();
    let (run, step) = (open.id.clone(), StepId::from("fence-old-primary"));
    let attempt = open.steps[&step].attempt;
    let failure = Failure::not_done("the fence", "503", "Try again.");
    scene.report(Report::Executed { run, step, attempt, outcome: Outcome::Failed(failure) });
    assert_eq!(scene.toast(), "");
}

#[test]
fn enter_in_a_palette_with_nothing_typed_does_nothing() {
    let mut scene = Scene::new();
    scene.press(": enter");
    assert!(scene.done.is_empty() && scene.app.dialog.is_some(), "{:?}", scene.done);
    scene.write("abort");
    assert!(scene.seen().contains("not now: no runbook is running"), "{}", scene.seen());
}

#[test]
fn leaving_during_a_run_asks_and_detaching_does_not() {
    let mut scene = running();
    scene.press("q enter");
    assert!(scene.done.is_empty());
    scene.press("y");
    assert_eq!(scene.done, [Effect::Quit]);
    let mut scene = running();
    scene.press("d");
    assert_eq!(scene.done, [Effect::Quit]);
    let mut scene = declared();
    scene.press("q");
    assert!(scene.done.is_empty(), "an incident is open");
    let mut scene = Scene::new();
    scene.press("q");
    assert_eq!(scene.done, [Effect::Quit]);
}

#[test]
fn what_ends_with_its_console_says_so_by_either_key_and_what_is_left_of_it() {
    for (remains, said) in
        [(Remains::Nothing, "nothing of it is kept"), (Remains::Journal, "the journal is kept")]
    {
        for (key, mut scene) in [("d", Scene::new()), ("d", running()), ("q", running())] {
            scene.app.ui.remains = remains;
            scene.press(key);
            assert!(scene.done.is_empty(), "{key}");
            let open = form(&scene).unwrap();
            let about = super::words::about(open, None, jiff::Timestamp::UNIX_EPOCH).join(" ");
            assert!(about.contains(said) && about.contains("ends with this console"), "{about}");
            assert!(!about.contains("attaches again"), "{about}");
            assert_eq!(super::words::sure(open, None, "ctrl-y"), "End this simulation?");
            scene.press("y");
            assert_eq!(scene.done, [Effect::Quit]);
        }
    }
}

#[test]
fn a_lost_engine_sends_nothing_and_comes_back_without_a_word() {
    let mut scene = declared();
    scene.tell(Message::Lost("it went".into()));
    assert!(matches!(scene.app.ui.connection, Connection::Lost { .. }));
    let before = scene.asked.len();
    scene.press("N");
    scene.write("a note");
    scene.press("enter");
    scene.sure();
    assert_eq!(scene.asked.len(), before);
    assert_eq!(form(&scene).unwrap().text.text(), "a note");
    scene.attach();
    assert_eq!(scene.app.ui.connection, Connection::Attached);
    scene.press("enter");
    scene.sure();
    assert_eq!(*scene.last(), Ask::Note { text: "a note".into() });
}

#[test]
fn a_silent_engine_is_asked_nothing_and_its_next_word_makes_all_live_again() {
    let mut scene = declared();
    let silent = Message::Silent { since: scene.at, pid: Some(7) };
    scene.tell(silent);
    assert!(matches!(scene.app.ui.connection, Connection::Silent { pid: Some(7), .. }));
    assert!(scene.app.counts(scene.at), "how long it lasts is drawn");
    let before = scene.asked.len();
    scene.press("N");
    scene.write("a note");
    scene.press("enter");
    scene.sure();
    assert_eq!(scene.asked.len(), before);
    assert!(form(&scene).unwrap().problem.as_ref().unwrap().contains("does not answer"));
    let now = scene.model.durable.engine_started_at.unwrap_or_default();
    scene.tell(Message::Engine(ToClient::Beat { now }));
    assert_eq!(scene.app.ui.connection, Connection::Attached);
    scene.press("enter");
    scene.sure();
    assert_eq!(*scene.last(), Ask::Note { text: "a note".into() });
}

#[test]
fn a_beat_draws_nothing() {
    let mut scene = declared();
    let now = scene.app.now(scene.at);
    let dos = scene.app.update(Message::Engine(ToClient::Beat { now }), scene.at);
    assert!(dos.is_empty(), "{dos:?}");
}

#[test]
fn what_was_asked_when_the_engine_went_is_called_doubtful() {
    let mut scene = declared();
    scene.slow = true;
    scene.press("N");
    scene.write("a note");
    scene.press("enter");
    scene.sure();
    scene.tell(Message::Lost("it went".into()));
    assert!(form(&scene).unwrap().problem.as_ref().unwrap().contains("timeline"));
}

#[test]
fn an_engine_that_was_stopped_is_started_again_on_demand() {
    let mut scene = declared();
    let bye = ToClient::Goodbye { why: "the engine ended: ben stopped it".into(), next: "Open it.".into() };
    scene.tell(Message::Engine(bye));
    assert!(form(&scene).is_some());
    scene.press("1");
    assert_eq!(scene.done, [Effect::Start]);
    scene.attach();
    assert!(scene.app.dialog.is_none());
}

#[test]
fn a_stopped_engine_takes_nothing_from_a_text_that_is_typed() {
    let mut scene = declared();
    scene.press("N");
    scene.write("half a no");
    let bye = ToClient::Goodbye { why: "it ended".into(), next: "Open it.".into() };
    scene.tell(Message::Engine(bye));
    assert_eq!(form(&scene).unwrap().text.text(), "half a no");
    scene.press("esc");
    assert!(matches!(form(&scene).unwrap().purpose, crate::console::overlays::form::Purpose::Gone { .. }));
}

#[test]
fn every_screen_is_reached_and_escape_leads_back() {
    let mut scene = Scene::new();
    for (place, screen) in Screen::ALL.into_iter().enumerate() {
        scene.press(&(place + 1).to_string());
        assert_eq!(scene.app.ui.screen, screen);
    }
    for (keys, screen) in [("tab", Screen::Overview), ("g d", Screen::Decide), ("g e", Screen::Escalation)] {
        scene.press(keys);
        assert_eq!(scene.app.ui.screen, screen, "{keys}");
    }
    scene.press("esc");
    assert_eq!(scene.app.ui.screen, Screen::Overview);
}

#[test]
fn the_filter_is_kept_by_enter_and_dropped_by_escape() {
    let mut scene = Scene::new();
    scene.press("/");
    scene.write("api");
    assert_eq!(scene.app.ui.filter, "api");
    scene.press("enter");
    assert_eq!(scene.app.ui.filter, "api");
    scene.press("/");
    scene.write("x");
    scene.press("esc");
    assert_eq!(scene.app.ui.filter, "api");
    scene.press("esc");
    assert_eq!(scene.app.ui.filter, "");
}

#[test]
fn the_palette_leads_to_forms_runbooks_and_questions() {
    let mut scene = Scene::new();
    scene.press(":");
    scene.write("declare");
    scene.press("enter");
    assert!(form(&scene).is_some());
    scene.press("esc :");
    scene.write("runbook full");
    scene.press("enter");
    assert!(matches!(&scene.app.dialog, Some(Dialog::Preview(reading)) if reading.lines.len() > 10));
}

#[test]
fn help_is_the_keymap_and_can_be_searched() {
    let mut scene = Scene::new();
    scene.press("?");
    let Some(Dialog::Help(help)) = &scene.app.dialog else { panic!() };
    let all = help.shown().len();
    scene.press("/");
    scene.write("declare");
    scene.press("enter");
    let Some(Dialog::Help(help)) = &scene.app.dialog else { panic!() };
    assert!(help.shown().len() < all && !help.shown().is_empty());
    scene.press("q");
    assert!(scene.app.dialog.is_none() && scene.done.is_empty(), "q closes the help, not the console");
}

#[test]
fn help_begins_with_what_matters_on_this_screen_now_and_names_each_key_once() {
    let mut scene = running();
    scene.reads = true;
    scene.press("1 2 ?");
    let seen = scene.seen();
    let mut rows = seen.lines().skip_while(|row| !row.contains("ON THIS SCREEN NOW")).skip(1);
    assert!(rows.next().unwrap().contains("Open the confirmation of the selected step."), "{seen}");
    let Some(Dialog::Help(help)) = &scene.app.dialog else { panic!() };
    let quits = help.reading.lines.iter().filter(
        |line| matches!(line, super::help::Line::Key(_, what) if what.starts_with("Close this console, asking")),
    );
    assert!(quits.count() <= 2, "once now, once for every screen");
}

#[test]
fn no_text_to_read_is_cut_on_a_narrow_terminal_and_its_end_is_reached() {
    for (width, height) in [(80, 24), (60, 16), (40, 10)] {
        let mut scene = running();
        (scene.reads, scene.height) = (true, height);
        scene.input(Event::Resize { width, height });
        scene.press("?");
        let mut seen = scene.seen();
        for _ in 0..300 {
            scene.press("down");
            seen.push_str(&scene.seen());
        }
        let inside = seen.lines().filter_map(|row| row.trim().strip_prefix('|')?.strip_suffix('|'));
        let cut: Vec<&str> = inside.filter(|row| row.contains('~')).collect();
        assert!(cut.is_empty(), "{cut:#?}");
        let Some(Dialog::Help(help)) = &scene.app.dialog else { panic!() };
        let last = help.reading.lines.iter().rev().find_map(|line| match line {
            super::help::Line::Key(_, what) => what.split_whitespace().last(),
            _ => None,
        });
        assert!(scene.seen().contains(last.unwrap()), "{last:?} {}", scene.seen());
    }
}

#[test]
fn the_selected_command_of_the_palette_and_the_chosen_line_of_a_form_are_whole() {
    let mut scene = declared();
    scene.reads = true;
    scene.press(":");
    scene.write("override-guard");
    let words = scene.words();
    assert!(words.contains("override-guard O: not now: no runbook is running"), "{words}");
    scene.press("esc");
    scene.input(Event::Resize { width: 44, height: 24 });
    scene.press("o");
    let chosen = form(&scene).unwrap();
    let label = chosen.choices[chosen.chosen].label.clone();
    assert!(label.len() > 40, "{label}");
    assert!(scene.words().contains(&label), "{label}\n{}", scene.words());
}

#[test]
fn what_is_cut_off_is_read_by_the_key_of_the_brief() {
    let mut scene = declared();
    scene.reads = true;
    scene.input(Event::Resize { width: 60, height: 16 });
    scene.height = 16;
    scene.press("1");
    let drawn = scene.seen();
    assert!(drawn.contains("B shows ~"), "{drawn}");
    scene.press("B");
    assert!(scene.words().contains("WHOLE, what is cut off on the screen:"), "{}", scene.words());
}

#[test]
fn a_declaration_begun_before_anything_was_proposed_has_the_title_that_is_known_by_then() {
    let mut scene = Scene::new();
    scene.press("D");
    assert_eq!(form(&scene).unwrap().stage, Stage::Choose);
    scene.report(Report::Tick);
    let why = scene.model.durable.severity.as_ref().unwrap().2.clone();
    scene.press("enter");
    assert_eq!(form(&scene).unwrap().text.text(), why);
    scene.write("!");
    scene.press("esc enter");
    assert_eq!(form(&scene).unwrap().text.text(), "!", "what somebody wrote stays");
}

#[test]
fn a_resize_keeps_what_was_typed() {
    let mut scene = declared();
    scene.press("N");
    scene.write("half a note");
    scene.input(Event::Resize { width: 40, height: 10 });
    assert_eq!(form(&scene).unwrap().text.text(), "half a note");
}

#[test]
fn an_abort_that_came_too_late_hits_no_other_run() {
    let mut scene = running();
    scene.press("A");
    scene.write("wrong one");
    scene.slow = true;
    scene.press("enter");
    let run = scene.model.durable.incident.as_ref().unwrap().open_run().unwrap().id.clone();
    let ended = crate::core::words::fact::Fact::RunEnded {
        run,
        end: crate::core::words::incident::RunEnd::Completed,
    };
    let event = crate::core::words::fact::Event {
        at: "2026-01-31T04:00:00Z".parse().unwrap(),
        by: crate::core::words::actor::Actor::Engine,
        fact: ended,
        record: None,
    };
    scene.tell(Message::Engine(ToClient::Events(vec![event])));
    scene.sure();
    assert!(!matches!(scene.last(), Ask::Abort { .. }));
    assert!(form(&scene).unwrap().problem.as_ref().unwrap().contains("ended"));
}

#[test]
fn nothing_but_measurements_is_not_drawn_at_once() {
    let mut scene = Scene::new();
    let at = scene.at;
    assert_eq!(scene.app.update(Message::Engine(ToClient::Events(Vec::new())), at), [Effect::DrawSoon]);
}

#[test]
fn while_all_is_calm_the_age_of_what_is_late_goes_on() {
    let mut scene = Scene::new();
    let plan = scene.model.plan.clone();
    let (at, now) = (scene.at, scene.app.now(scene.at));
    let (probe, spec) = plan.probes.first().unwrap();
    let every = Duration::try_from(spec.every).unwrap();
    let mut wakes_after = |old: Duration| {
        let outcome = Ok(Measurement::good("fine"));
        let mut recent = Recent::default();
        recent.latest = Some(Reading { at: now - old, took: SignedDuration::ZERO, outcome });
        let mut model = Model::new(plan.clone());
        model.live.recent.insert(probe.clone(), recent);
        scene.app.model = Some(model);
        scene.app.wakes(at).unwrap() - at
    };
    assert_eq!(wakes_after(every), Duration::from_secs(10), "nothing is late");
    assert_eq!(wakes_after(3 * every), Duration::from_secs(3), "its age is read by seconds");
}
