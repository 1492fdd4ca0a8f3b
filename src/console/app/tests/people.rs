//! Telling people, by keys: each flow comes to exactly what is asked of the engine.

use super::scene::Scene;
use super::{form, status};
use crate::base::ids::ContactId;
use crate::console::app::{Dialog, Message};
use crate::console::input::{Event, Manner};
use crate::console::overlays::compose::Compose;
use crate::console::overlays::form::Stage;
use crate::console::ui::Screen;
use crate::core::ask::contradiction::Blocked;
use crate::core::words::command::Ask;
use crate::core::words::escalation::IncidentRole;
use crate::core::words::incident::Mode;
use crate::core::words::status::StepStatus;
use crate::engine::protocol::ToClient;
use crate::plan::Who;
use std::time::Duration;

/// Declared as a live incident, with everything told that is due at once; on the escalation screen.
fn declared() -> Scene {
    let mut scene = Scene::with_people();
    scene.pass(1);
    scene.press("D 1 enter y");
    assert!(matches!(scene.last(), Ask::Declare { mode: Mode::Live, .. }), "{:?}", scene.asked);
    scene.pass(1);
    scene.pass(1);
    scene.pass(1);
    assert!(scene.model.durable.escalation.is_some(), "it is escalated");
    scene.press("6");
    scene
}

fn compose(scene: &Scene) -> &Compose {
    match &scene.app.dialog {
        Some(Dialog::Compose(compose)) => compose,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_key_acknowledges_and_nothing_else_does() {
    let mut scene = declared();
    scene.press("a");
    assert_eq!(*scene.last(), Ask::Acknowledge);
    let taken = scene.model.durable.escalation.as_ref().unwrap().acknowledged.as_ref();
    assert_eq!(taken.map(|taken| taken.who.as_str()), Some("ann"));
    let toast = scene.app.ui.toast.clone().unwrap();
    assert!(
        toast.text.contains("you took it on") && toast.next.contains("after 30 min 00 s of silence"),
        "{toast:?}"
    );
    scene.press("1 K");
    assert_eq!(scene.asked.iter().filter(|ask| **ask == Ask::Acknowledge).count(), 2, "everywhere by K");
    assert!(scene.toast().contains("acknowledged it already"), "{}", scene.toast());
}

#[test]
fn a_key_that_was_meant_for_another_screen_acknowledges_nothing() {
    let mut scene = declared();
    scene.press("1 6");
    scene.press_as("a", Manner::Single, Duration::from_millis(50));
    assert_ne!(*scene.last(), Ask::Acknowledge);
    assert!(scene.toast().contains("too soon"), "{}", scene.toast());
}

#[test]
fn the_palette_acknowledges_by_name() {
    let mut scene = declared();
    scene.press("1 :");
    scene.write("acknowledge");
    scene.press("enter");
    assert!(!scene.asked.contains(&Ask::Acknowledge), "it asks first");
    scene.press("enter");
    scene.sure();
    assert_eq!(*scene.last(), Ask::Acknowledge);
}

#[test]
fn somebody_is_paged_after_a_choice_and_a_deliberate_yes() {
    let mut scene = declared();
    scene.press("p");
    let labels: Vec<String> =
        form(&scene).unwrap().choices.iter().map(|choice| choice.label.clone()).collect();
    assert!(labels[0].starts_with("on call, Primary: "), "{labels:?}");
    let grace =
        labels.iter().position(|label| label.starts_with("Grace Hopper, Engineering manager (Slack)"));
    scene.press(&(grace.unwrap() + 1).to_string());
    scene.write("we need a decision");
    scene.press("enter enter");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Page { .. })), "Enter pages nobody");
    scene.press("y");
    let who = Who::Contact("grace".into());
    assert_eq!(*scene.last(), Ask::Page { who, methods: Vec::new(), text: "we need a decision".into() });
    assert!(scene.app.dialog.is_none());
}

#[test]
fn whoever_is_on_call_is_paged_without_a_text() {
    let mut scene = declared();
    scene.press("p 1 enter y");
    let who = Who::OnCall("primary".into());
    assert_eq!(*scene.last(), Ask::Page { who, methods: Vec::new(), text: String::new() });
}

#[test]
fn a_role_is_handed_over_to_a_name_that_is_typed_or_offered() {
    let mut scene = declared();
    scene.press("o 2 tab tab enter y");
    let to = "Erin Brockovich".to_owned();
    assert_eq!(*scene.last(), Ask::HandOver { role: IncidentRole::Communications, to });
    scene.press("o 1");
    scene.write("somebody new");
    scene.press("enter");
    scene.sure();
    assert_eq!(*scene.last(), Ask::HandOver { role: IncidentRole::Commander, to: "somebody new".into() });
    scene.press("o 1 up enter y");
    assert_eq!(*scene.last(), Ask::HandOver { role: IncidentRole::Commander, to: "Carl Sagan".into() });
    assert_eq!(scene.model.durable.incident.as_ref().unwrap().leader(), "Carl Sagan");
}

#[test]
fn a_due_message_is_waived_with_a_reason_and_a_yes() {
    let mut scene = declared();
    scene.press("w 1 enter");
    assert!(form(&scene).unwrap().problem.is_some(), "no reason yet");
    scene.write("told by phone");
    scene.press("enter");
    assert_eq!(form(&scene).unwrap().stage, Stage::Sure);
    scene.press("y");
    assert_eq!(
        *scene.last(),
        Ask::SkipMessage { message: "activation".into(), reason: "told by phone".into() }
    );
    scene.press("w");
    assert!(scene.toast().contains("no message is due"), "{}", scene.toast());
}

#[test]
fn resolving_and_reopening_say_how_and_why() {
    let mut scene = declared();
    scene.press("O");
    assert!(scene.toast().contains("was not resolved"), "{}", scene.toast());
    scene.press("esc R");
    scene.write("restarted it");
    scene.press("enter");
    scene.sure();
    assert_eq!(*scene.last(), Ask::Resolve { how: "restarted it".into() });
    scene.press("O");
    scene.write("it fell over again");
    scene.press("enter");
    scene.sure();
    assert_eq!(*scene.last(), Ask::Reopen { reason: "it fell over again".into() });
}

#[test]
fn what_runs_is_not_called_resolved() {
    let mut scene = super::running();
    assert_eq!(status(&scene, "check-standby"), StepStatus::Ready);
    scene.press("R");
    assert!(scene.app.dialog.is_none() && scene.toast().contains("still running"), "{}", scene.toast());
}

#[test]
fn a_proposal_is_declared_under_its_title_or_dismissed() {
    let mut scene = Scene::with_people();
    scene.pass(1);
    scene.propose("P0: nothing answers");
    scene.press("D 1");
    assert_eq!(form(&scene).unwrap().text.text(), "P0: nothing answers");
    scene.press("esc esc 6 x");
    scene.write("a maintenance");
    scene.press("enter backspace");
    scene.write("dismiss");
    scene.press("ctrl-y");
    assert_eq!(*scene.last(), Ask::Dismiss { reason: "a maintenance".into() });
    assert!(scene.model.durable.proposal.is_none());
    scene.press("x");
    assert!(scene.toast().contains("nothing is proposed"), "{}", scene.toast());
}

#[test]
fn what_is_due_is_offered_first_drafted_read_and_sent() {
    let mut scene = declared();
    scene.press("u");
    assert!(
        form(&scene).unwrap().choices[0].label.starts_with("due in "),
        "{:?}",
        form(&scene).unwrap().choices
    );
    assert!(form(&scene).unwrap().choices[0].label.contains("PUBLIC"));
    scene.press("1");
    assert!(compose(&scene).subject.text().starts_with("P1: "), "{:?}", compose(&scene).subject.text());
    assert!(compose(&scene).in_body, "the subject is there already");
    scene.write("First.");
    scene.press("enter ctrl-s");
    let preview = compose(&scene).preview.as_ref().expect("it is shown");
    assert!(
        preview.message.body.starts_with("First.\nWe are working on it.\nBegun "),
        "{:?}",
        preview.message
    );
    assert_eq!(preview.to.len(), 1);
    scene.press("enter");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Send { .. })), "Enter sends nothing");
    scene.press("y");
    let Ask::Send { message, audience, subject, body } = scene.last().clone() else {
        panic!("{:?}", scene.last())
    };
    assert_eq!((message, audience), (Some("activation".into()), "customers".into()));
    assert!(subject.starts_with("P1: ") && body.starts_with("First.\nWe are"), "{subject} {body}");
    assert!(scene.app.dialog.is_none());
    assert!(scene.model.durable.due.is_empty(), "it is not due any more");
    assert!(scene.toast().contains("queued"), "{}", scene.toast());
}

#[test]
fn what_was_shown_is_what_is_sent() {
    let mut scene = declared();
    scene.press("u 1 ctrl-s");
    let shown = compose(&scene).preview.clone().unwrap();
    scene.press("y");
    let sent = scene.model.durable.sent_messages.last().unwrap();
    assert_eq!((&sent.subject, &sent.body), (&shown.message.subject, &shown.message.body));
    let queued = scene.model.durable.notifications.values().last().unwrap();
    assert_eq!((&queued.queued.way, &queued.queued.name), (&shown.to[0].way, &shown.to[0].name));
}

#[test]
fn a_yes_that_comes_too_soon_or_in_a_paste_sends_nothing() {
    let mut scene = declared();
    scene.press("u 1 ctrl-s");
    scene.press_as("y", Manner::Single, Duration::from_millis(50));
    scene.input(Event::Paste("y".into()));
    scene.press_as("y", Manner::Repeat, Duration::from_secs(2));
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Send { .. })));
    assert!(compose(&scene).problem.is_some());
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Send { .. }));
}

#[test]
fn an_own_text_has_a_subject_and_keeps_the_lines_of_a_paste() {
    let mut scene = declared();
    scene.press("u");
    let own =
        form(&scene).unwrap().choices.iter().position(|choice| choice.label.contains("text, to Engineering"));
    scene.press(&(own.unwrap() + 1).to_string());
    let subject = compose(&scene).subject.text().to_owned();
    assert!(subject.starts_with("[P1] "), "{subject}");
    scene.press("ctrl-s");
    assert!(compose(&scene).problem.as_ref().unwrap().contains("empty"), "{:?}", compose(&scene).problem);
    scene.input(Event::Paste("one\rtwo\x1b[2J".into()));
    scene.press("tab end");
    scene.write("!");
    scene.press("ctrl-s y");
    let expected = Ask::Send {
        message: None,
        audience: "engineering".into(),
        subject: format!("{subject}!"),
        body: "one\ntwo\u{fffd}[2J".into(),
    };
    assert_eq!(*scene.last(), expected);
}

#[test]
fn escape_goes_back_and_loses_no_text() {
    let mut scene = declared();
    scene.press("u 1");
    scene.write("Mine. ");
    scene.press("ctrl-s esc");
    assert!(compose(&scene).preview.is_none() && compose(&scene).body.text().starts_with("Mine. "));
    scene.press("esc");
    assert!(scene.app.dialog.is_none() && scene.toast().contains("text is kept"), "{}", scene.toast());
    scene.press("esc u 1");
    assert!(compose(&scene).body.text().starts_with("Mine. "));
    scene.press("esc esc u 4");
    scene.write("Another. ");
    scene.press("esc esc u 1");
    assert!(compose(&scene).body.text().starts_with("Mine. "), "each is kept");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Send { .. })));
}

#[test]
fn a_refused_message_keeps_its_text() {
    let mut scene = declared();
    scene.press("u 1 ctrl-s");
    scene.slow = true;
    scene.press("y");
    let refusal = crate::base::problem::Problem::new("no way leads to anybody", "Call them.");
    scene.tell(Message::Engine(ToClient::Reply { id: 9, result: Err(refusal) }));
    assert!(compose(&scene).preview.is_none() && !compose(&scene).sent);
    assert!(compose(&scene).problem.as_ref().unwrap().contains("Call them."));
    assert!(compose(&scene).body.text().contains("We are working on it."));
}

#[test]
fn what_waits_for_its_answer_is_neither_left_nor_sent_twice() {
    let mut scene = declared();
    scene.press("u 1 ctrl-s");
    scene.slow = true;
    scene.press("y y esc enter");
    assert_eq!(scene.asked.iter().filter(|ask| matches!(ask, Ask::Send { .. })).count(), 1);
    assert!(compose(&scene).sent);
    scene.tell(Message::Lost("it went".into()));
    assert!(compose(&scene).problem.as_ref().unwrap().contains("timeline"), "{:?}", compose(&scene).problem);
    assert!(compose(&scene).body.text().contains("We are working on it."));
}

#[test]
fn a_message_for_an_incident_that_was_closed_meanwhile_is_not_sent() {
    let mut scene = declared();
    scene.press("u 1 ctrl-s");
    scene.by_another(Ask::Close { reason: "over".into() });
    scene.press("y");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Send { .. })));
    assert!(compose(&scene).problem.is_some());
}

#[test]
fn what_changed_while_it_was_read_is_read_again() {
    let mut scene = declared();
    scene.press("u");
    let own =
        form(&scene).unwrap().choices.iter().position(|choice| choice.label.contains("text, to Engineering"));
    scene.press(&(own.unwrap() + 1).to_string());
    scene.write("look at this");
    scene.press("ctrl-s");
    // Another engine came with another plan: Grace is not reached by it any more.
    let mut plan = (*scene.model.plan).clone();
    plan.contacts.get_mut("grace").unwrap().addresses.clear();
    scene.model.plan = std::sync::Arc::new(plan);
    scene.attach();
    scene.press("y");
    assert!(!scene.asked.iter().any(|ask| matches!(ask, Ask::Send { .. })));
    assert!(compose(&scene).problem.as_ref().unwrap().contains("changed"), "{:?}", compose(&scene).problem);
    scene.press("y");
    assert!(matches!(scene.last(), Ask::Send { .. }));
}

#[test]
fn the_brief_and_a_whole_message_are_read_from_the_console() {
    let mut scene = declared();
    scene.press("B");
    assert!(matches!(&scene.app.dialog, Some(Dialog::Preview(reading)) if reading.title == "Brief"));
    scene.press("esc");
    assert_eq!(scene.app.ui.screen, Screen::Escalation);
    scene.press("enter");
    let Some(Dialog::Preview(reading)) = &scene.app.dialog else { panic!("{:?}", scene.app.dialog) };
    let all = format!("{:?}", reading.lines);
    assert!(all.contains("Acknowledge it"), "{all}");
}

#[test]
fn somebody_elses_acknowledgement_is_news() {
    let mut scene = declared();
    scene.by_another(Ask::Acknowledge);
    assert!(scene.toast().contains("ben acknowledged"), "{}", scene.toast());
}

#[test]
fn what_is_not_to_be_resolved_is_refused_before_a_text_with_the_key_that_answers_it() {
    let mut scene = declared();
    scene.contradict("NOBODY ACCEPTS WRITES", vec![Blocked::Resolve, Blocked::Close]);
    for key in ["R", "C"] {
        scene.press(key);
        assert!(scene.app.dialog.is_none(), "{key}: nothing is asked for that would be refused");
        let toast = scene.app.ui.toast.clone().unwrap();
        assert_eq!(toast.text, "NOBODY ACCEPTS WRITES");
        assert!(toast.next.contains("Or E answers it"), "{toast:?}");
    }
}

#[test]
fn without_an_incident_nothing_of_it_opens() {
    let mut scene = Scene::with_people();
    for key in ["P", "U", "W", "H", "R", "X"] {
        scene.press(key);
        assert!(scene.app.dialog.is_none() && !scene.toast().is_empty(), "{key}");
        scene.press("esc");
    }
}

#[test]
fn the_forms_of_telling_people_fit_the_smallest_terminal() {
    let mut scene = declared();
    scene.press("p");
    insta::assert_snapshot!("form_page", scene.seen());
    scene.press("esc o 2 tab");
    insta::assert_snapshot!("form_hand_over", scene.seen());
    scene.press("esc esc u");
    insta::assert_snapshot!("form_send", scene.seen());
    scene.press("1");
    insta::assert_snapshot!("compose_public", scene.seen());
    scene.press("ctrl-s");
    insta::assert_snapshot!("compose_preview", scene.seen());
    scene.press("esc esc esc C");
    insta::assert_snapshot!("form_close_too_early", scene.seen());
    scene.press("esc R");
    insta::assert_snapshot!("form_resolve", scene.seen());
}

#[test]
fn of_many_people_the_chosen_one_is_in_view() {
    let mut scene = Scene::with_people();
    let mut plan = (*scene.model.plan).clone();
    for place in 0..60 {
        let mut contact = plan.contacts["grace"].clone();
        contact.name = format!("Person {place}");
        plan.contacts.insert(ContactId::new(format!("p{place}")), contact);
    }
    scene.model.plan = std::sync::Arc::new(plan);
    scene.attach();
    scene.press("D 1 enter y P");
    for _ in 0..40 {
        scene.press("down");
    }
    let text = scene.seen();
    assert!(text.contains("> "), "{text}");
    let chosen = form(&scene).unwrap().choices[40].label.clone();
    assert!(text.contains(chosen.split(',').next().unwrap()), "{chosen}\n{text}");
}
