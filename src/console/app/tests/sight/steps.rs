//! Which step a key acts on, and what is said before it does.

use super::*;

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
