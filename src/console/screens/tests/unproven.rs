//! What a person says was switched and nothing has shown, as the screens tell it, and the way out.

use super::snapshots::on;
use super::split::{flat, seen};
use super::stage::{Stage, healthy};
use crate::console::overlays::left::by_aborting;
use crate::console::ui::Screen;
use crate::core::prose::brief;
use crate::core::tests::carried_out::{switched_by_hand, without_a_switching_step, without_its_switch};
use crate::core::tests::exercised::complete_but_for_the_promotion;
use crate::core::tests::fixture::Machine;
use crate::core::tests::proving::{closed_by_word, complete, record, switched, switched_by_word};
use crate::core::words::command::Ask;

fn staged(machine: Machine) -> Stage {
    let mut stage = on(healthy(), Screen::Overview);
    (stage.model, stage.now) = (machine.model, machine.now);
    stage
}

#[test]
fn next_names_the_way_out_for_a_switch_that_was_closed_unproven_until_somebody_takes_it() {
    let mut machine = closed_by_word();
    let stage = staged(machine.clone());
    let screen = flat(&seen(&stage));
    assert!(screen.contains("its own proof was not seen"), "{screen}");
    assert!(screen.contains("T records it"), "{screen}");
    let told = brief::lines(&stage.model, stage.now).join("\n");
    assert!(told.contains("NOT PROVEN"), "{told}");
    record(&mut machine, "primary");
    let screen = flat(&seen(&staged(machine)));
    assert!(!screen.contains("own proof"), "{screen}");
}

#[test]
fn the_form_of_the_abort_tells_of_a_word_that_nothing_has_proven() {
    let mut machine = switched_by_word();
    let lines = by_aborting(&machine.model, &machine.run()).join("\n");
    assert!(lines.contains("MAY BE IN FORCE") && lines.contains("NOT PROVEN"), "{lines}");
    assert!(!lines.contains("No step of it has changed anything"), "{lines}");
    machine.ask(Ask::Abort { reason: "it was never done".into() }).unwrap();
    let mut stage = staged(machine);
    stage.ui.screen = Screen::Decide;
    let screen = flat(&seen(&stage));
    assert!(screen.contains("attested before the abort"), "{screen}");
}

#[test]
fn next_names_the_way_out_where_the_proof_of_a_switch_does_not_come() {
    let mut machine = switched_by_word();
    complete(&mut machine);
    machine.pass(10, &crate::core::tests::placement::broken());
    let screen = flat(&seen(&staged(machine)));
    assert!(screen.contains("DOES NOT HOLD") && screen.contains("T records it"), "{screen}");
}

#[test]
fn a_switch_that_was_proven_and_broke_later_is_not_sent_back_to() {
    let mut machine = switched();
    complete(&mut machine);
    machine.pass(30, &crate::core::tests::placement::broken());
    let screen = flat(&seen(&staged(machine)));
    assert!(!screen.contains("See whether step") && !screen.contains("own proof"), "{screen}");
}

#[test]
fn a_run_that_went_to_its_end_without_its_switch_leads_to_the_record_of_what_serves() {
    let mut machine = without_its_switch();
    machine.pass(10, &crate::core::tests::placement::broken());
    let screen = flat(&seen(&staged(machine.clone())));
    assert!(screen.contains("\"dns\" was skipped: whether") && screen.contains("T records it"), "{screen}");
    let told = brief::lines(&machine.model, machine.now).join("\n");
    assert!(told.contains("NOT PROVEN: \"dns\" was skipped"), "{told}");
    machine.ask(Ask::Resolve { how: "they go on".into() }).unwrap();
    let screen = flat(&seen(&staged(machine)));
    assert!(screen.contains("\"dns\" was skipped: whether"), "{screen}");
}

#[test]
fn a_word_of_the_exercise_is_told_as_such_once_it_is_live() {
    let machine = complete_but_for_the_promotion();
    let mut stage = staged(machine);
    let screen = flat(&seen(&stage));
    assert!(
        screen.contains("See whether step 1 \"promote\" was done: it was ONLY SAID IN THE EXERCISE"),
        "{screen}"
    );
    assert!(screen.contains("T records it"), "{screen}");
    let told = brief::lines(&stage.model, stage.now).join("\n");
    assert!(told.contains("ONLY SAID IN THE EXERCISE"), "{told}");
    stage.ui.screen = Screen::Decide;
    let screen = flat(&seen(&stage));
    assert!(screen.contains("exercise"), "{screen}");
}

#[test]
fn the_form_of_the_abort_tells_what_people_did_by_hand() {
    let machine = switched_by_hand();
    let lines = by_aborting(&machine.model, &machine.run()).join("\n");
    assert!(
        lines.contains("Done by hand, and not taken back by the abort: \"dns\".")
            && lines.contains("by which step (`switches`): record then which one serves"),
        "{lines}"
    );
    assert!(!lines.contains("No step of it has changed anything"), "{lines}");
}

#[test]
fn next_asks_what_serves_after_a_run_whose_plan_does_not_say_when_its_region_does() {
    let mut machine = without_a_switching_step();
    machine.pass(10, &crate::core::tests::placement::broken());
    let screen = flat(&seen(&staged(machine.clone())));
    assert!(screen.contains("does not say which step lets somewhere serve (`switches`)"), "{screen}");
    assert!(screen.contains("T records it, or that somewhere still does"), "{screen}");
    let told = brief::lines(&machine.model, machine.now).join("\n");
    assert!(told.contains("NOT PROVEN: \"to-dr\" has ended"), "{told}");
    record(&mut machine, "dr");
    let screen = flat(&seen(&staged(machine)));
    assert!(!screen.contains("`switches`"), "{screen}");
}

#[test]
fn a_question_of_what_serves_is_on_the_screen_while_a_run_goes_on_and_nothing_is_well_beside_it() {
    let mut machine = switched();
    let run = machine.run();
    machine.ask(Ask::Undone { run, step: "switch".into(), how: "by hand".into(), stays: false }).unwrap();
    machine.pass(60, &crate::core::tests::placement::rerouted_and_well());
    let screen = flat(&seen(&staged(machine.clone())));
    assert!(screen.contains("what serves is not known: NEXT"), "{screen}");
    assert!(!screen.contains("every service works") && !screen.contains("All is well"), "{screen}");
    let next = crate::console::screens::next::next(&staged(machine.clone()).view()).text;
    let told = "Besides: \"switch\" was taken back: whether somewhere still serves is not known. T records";
    assert!(next.contains(told), "{next}");
    record(&mut machine, "dr");
    let screen = flat(&seen(&staged(machine)));
    assert!(!screen.contains("what serves is not known"), "{screen}");
}
