//! What a form and a question ask, and say before they are answered.

use super::*;

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
