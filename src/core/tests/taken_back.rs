//! What was taken back: it is no open word, overtakes nothing, and takes nothing back itself.

use super::carried_out::*;
use super::fixture::*;
use super::placement::*;
use super::proving::*;
use crate::core::ask::{attested, in_force};
use crate::core::words::command::Ask;
use crate::plan::Plan;
use crate::plan::condition::Condition;

fn undo(machine: &mut Machine, step: &str) {
    let run = machine.run();
    let how = "by hand".into();
    machine.ask(Ask::Undone { run, step: step.into(), how, stays: false }).unwrap();
}

fn in_force_now(machine: &Machine) -> Vec<String> {
    in_force::pending(&machine.model).into_iter().map(|left| left.step.to_string()).collect()
}

/// The API was moved by a word, and then said to be at home by another one whose proof does not come.
fn said_twice() -> Machine {
    let mut machine = with(|plan: &mut Plan| {
        let says = &mut plan.runbooks["say"].steps["says"];
        says.verify = Some(Condition::parse("signals['primary-api'].state == 'ok'").unwrap());
        says.undo = Some("send it away".into());
    });
    begin(&mut machine, "selective");
    attest(&mut machine, "reroute");
    do_step(&mut machine, "rest");
    machine.pass(5, &broken());
    begin(&mut machine, "say");
    attest(&mut machine, "says");
    machine.pass(5, &broken());
    machine
}

#[test]
fn a_word_that_a_step_took_back_is_no_open_word() {
    let mut machine = with(|plan| {
        let proof = Condition::parse("signals['public-api'].state == 'ok'").unwrap();
        let mut page = acting(plan, "page");
        page.verify = Some(proof);
        let mut off = acting(plan, "off");
        off.undoes = vec!["page".into()];
        let steps = [page, off].map(|step| (step.id.clone(), step));
        plan.runbooks.get_mut("say").unwrap().steps = steps.into_iter().collect();
    });
    begin(&mut machine, "say");
    attest(&mut machine, "page");
    machine.pass(10, &broken());
    assert!(attested::unshown_of_any(&machine.model, machine.now).is_some());
    do_step(&mut machine, "off");
    machine.pass(10, &broken());
    assert_eq!(attested::unshown_of_any(&machine.model, machine.now), None);
}

#[test]
fn a_word_that_nothing_has_proven_keeps_no_proven_step_from_counting() {
    let mut machine = said_twice();
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine).0, "dr", "that is proven");
    machine.pass(30, &rerouted_and_well());
    assert_eq!(api(&machine).0, "primary", "and now what was said after it");
    machine.pass(30, &rerouted_and_well());
    assert_eq!(api(&machine).0, "primary");
    assert_refolds(&machine);
}

#[test]
fn a_word_that_was_taken_back_by_a_person_overtakes_nothing() {
    let mut machine = said_twice();
    undo(&mut machine, "says");
    machine.pass(30, &rerouted_and_well());
    assert_eq!(api(&machine).0, "dr");
    assert_refolds(&machine);
}

#[test]
fn an_undo_on_a_word_takes_back_what_was_proven_between_the_word_and_its_own_proof() {
    let mut machine = with(|plan| {
        let back = &mut plan.runbooks["undo"].steps["back"];
        back.verify = Some(Condition::parse("signals['primary-api'].state == 'ok'").unwrap());
    });
    begin(&mut machine, "selective");
    attest(&mut machine, "reroute");
    do_step(&mut machine, "rest");
    machine.pass(5, &broken());
    begin(&mut machine, "undo");
    attest(&mut machine, "back");
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine).0, "dr");
    machine.pass(30, &rerouted_and_well());
    assert_eq!(api(&machine).0, "primary");
}

#[test]
fn an_undo_that_was_taken_back_itself_ends_nothing() {
    let mut machine = moving();
    do_step(&mut machine, "reroute");
    abort(&mut machine);
    machine.pass(1, &rerouted());
    assert_eq!(in_force_now(&machine), ["reroute"]);
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    machine.pass(1, &rerouted());
    assert_eq!((api(&machine).0, in_force_now(&machine)), ("primary", vec![]));
    undo(&mut machine, "back");
    machine.pass(1, &rerouted());
    assert_eq!((api(&machine).0, in_force_now(&machine)), ("dr", vec!["reroute".into()]));
    assert_kept(&machine);
}

/// The region that a switch made serve, once the switch was taken back, is left to a person to record.
fn assert_asked(mut machine: Machine) {
    assert_eq!((serving(&machine), left(&machine)), ("dr", vec![("switch", Some("dr"))]));
    let told = "\"switch\" was taken back: whether somewhere still serves is not known. T records which region does.";
    assert_eq!(said(&machine), told);
    for region in ["dr", "primary"] {
        let mut machine = machine.clone();
        record(&mut machine, region);
        assert_eq!((serving(&machine), left(&machine)), (region, vec![]));
        assert_refolds(&machine);
    }
    close(&mut machine);
    assert_eq!(left(&machine), [("switch", Some("dr"))], "also after the close");
}

#[test]
fn a_switch_that_was_taken_back_leaves_it_to_a_person_to_say_what_serves() {
    let mut machine = switched();
    undo(&mut machine, "switch");
    assert_eq!(left(&machine), [("switch", Some("dr"))], "also while its run goes on");
    complete(&mut machine);
    assert_asked(machine);
    let mut machine = with(|plan| {
        plan.runbooks["undo"].steps["back"].undoes = vec!["switch".into()];
        plan.runbooks["undo"].steps["back"].verify = None;
    });
    begin(&mut machine, "switch-to-dr");
    do_step(&mut machine, "switch");
    complete(&mut machine);
    assert_eq!(left(&machine), []);
    begin(&mut machine, "undo");
    do_step(&mut machine, "back");
    machine.pass(1, &[]);
    assert_asked(machine);
}
