//! What is longer than the screen can be read to its end.

use super::*;

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
