//! The time to recovery: from the loss of a service until it works, and what does not count as working.

use super::fixture::*;
use super::serving::{primary, standby, world};
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{Kind, denies_service, in_region, of, on};
use crate::core::ask::objectives::{overall_clock, overall_stopped};
use crate::core::ask::standing::Course;
use crate::core::decide::serving_choices;
use crate::core::model::{Outage, Standing, Status};
use crate::core::prose::message;
use crate::core::words::command::Ask;
use crate::core::words::incident::Mode;
use crate::core::words::reading::Measurement;

fn service(machine: &Machine) -> &Standing {
    &machine.model.durable.services["postgresql"]
}

fn declare(machine: &mut Machine) {
    machine.ask(Ask::Declare { title: "primary gone".into(), mode: Mode::Live }).unwrap();
}

/// The primary died and an incident is open.
fn lost() -> Machine {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(40, &world(bad(), standby("b")));
    declare(&mut machine);
    machine
}

fn split() -> Vec<(&'static str, Result<Measurement, Problem>)> {
    world(primary(1, "a"), primary(2, "b"))
}

#[test]
fn a_service_that_answers_in_a_split_brain_does_not_work_and_its_clock_goes_on_from_the_loss() {
    let mut machine = lost();
    let since = service(&machine).broken_since.unwrap();
    machine.pass(40, &split());
    assert!(of(&machine.model).iter().any(|open| open.contradiction.kind == Kind::TwoPrimaries));
    assert_eq!((service(&machine).status, service(&machine).broken_since), (Status::Degraded, Some(since)));
    // It is fenced anew: nobody serves in the region that is recorded to.
    machine.pass(40, &world(bad(), primary(2, "b")));
    let clock = overall_clock(&machine.model, machine.now).unwrap();
    assert_eq!(clock.since, since);
    assert!(clock.elapsed >= seconds(100), "{clock:?}");
}

#[test]
fn a_split_brain_without_any_other_loss_starts_the_clock_and_its_end_stops_it() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    declare(&mut machine);
    assert_eq!(service(&machine).status, Status::Degraded);
    let clock = overall_clock(&machine.model, machine.now).expect("it runs");
    machine.pass(30, &world(primary(1, "a"), standby("b2")));
    assert_eq!(service(&machine).status, Status::Up);
    assert_eq!(overall_clock(&machine.model, machine.now), None);
    let stopped = overall_stopped(&machine.model, machine.model.plan.services.keys()).unwrap();
    assert_eq!(stopped.since, clock.since);
    let took = stopped.elapsed;
    machine.pass(60, &world(primary(1, "a"), standby("b2")));
    let later = overall_stopped(&machine.model, machine.model.plan.services.keys()).unwrap();
    assert_eq!(later.elapsed, took, "what is served counts no further");
}

#[test]
fn what_breaks_again_before_it_is_called_resolved_was_not_recovered() {
    let mut machine = lost();
    let since = service(&machine).broken_since.unwrap();
    let well = world(primary(2, "a2"), standby("b"));
    machine.pass(40, &well);
    let recovered = service(&machine).outage.expect("it worked for a time");
    assert_eq!((recovered.from, service(&machine).broken_since), (since, None));
    machine.pass(40, &world(bad(), standby("b")));
    assert_eq!(service(&machine).broken_since, Some(since));
    machine.pass(60, &well);
    machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap();
    machine.pass(20, &world(bad(), standby("b")));
    assert!(service(&machine).broken_since.unwrap() > since, "what was recovered is lost anew");
}

#[test]
fn what_was_over_before_the_incident_is_another_loss() {
    let mut standing = service(&Machine::new()).clone();
    let at = |second: i64| start() + seconds(second);
    standing.outage = Some(Outage { from: at(0), until: at(10) });
    let course = Course { detected: Some(at(50)), settles_after: seconds(300) };
    standing.update(Status::Down, at(60), course);
    assert_eq!(standing.broken_since, Some(at(60)));
}

#[test]
fn what_worked_for_the_cooldown_and_breaks_again_has_a_clock_of_its_own_and_the_longest_counts() {
    let mut machine = lost();
    let first = service(&machine).broken_since.unwrap();
    let well = world(primary(2, "a2"), standby("b"));
    machine.pass(100, &well);
    let services: Vec<_> = machine.model.plan.services.keys().cloned().collect();
    let took = overall_stopped(&machine.model, &services).unwrap();
    assert_eq!(took.since, first);
    machine.pass(400, &well);
    machine.pass(20, &world(bad(), standby("b")));
    let again = service(&machine).broken_since.unwrap();
    assert!(again > took.stopped.unwrap(), "it had worked for longer than the cooldown");
    machine.pass(60, &well);
    let after = overall_stopped(&machine.model, &services).unwrap();
    assert_eq!((after.since, after.elapsed), (first, took.elapsed), "a short one after it does not hide it");
    assert_eq!(after.stopped, Some(service(&machine).since), "it works again since the end of the last one");
}

#[test]
fn a_contradiction_that_leaves_one_primary_starts_no_clock() {
    for kind in [Kind::Undone, Kind::FencedWrites, Kind::PrimaryAlive, Kind::TwoPrimaries, Kind::NobodyWrites]
    {
        let mut machine = Machine::new();
        machine.pass(20, &world(primary(1, "a"), standby("b")));
        machine.pass(12, &split());
        let mut open = of(&machine.model)[0].clone();
        open.contradiction.kind = kind;
        machine.model.durable.contradictions = vec![open];
        let plan = machine.model.plan.clone();
        let denied = denies_service(&machine.model, plan.services["postgresql"].health.values().flatten());
        assert_eq!(denied, matches!(kind, Kind::TwoPrimaries | Kind::NobodyWrites), "{kind:?}");
    }
}

#[test]
fn the_cells_of_what_a_contradiction_is_about_say_so_and_no_others() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    let on_service = |machine: &Machine| {
        on(&machine.model, machine.model.plan.services["postgresql"].health.values().flatten())
            .map(|open| open.contradiction.word())
    };
    assert_eq!((on_service(&machine), in_region(&machine.model, &"dr".into())), (None, None));
    machine.pass(12, &split());
    assert_eq!(on_service(&machine), Some("split brain"));
    for region in ["primary", "dr"] {
        let open = in_region(&machine.model, &region.into()).unwrap();
        assert_eq!(open.contradiction.kind, Kind::TwoPrimaries, "{region}");
    }
    assert_eq!(on(&machine.model, [&"primary-api".into()]), None);
}

#[test]
fn while_nobody_accepts_writes_every_region_may_be_recorded_and_says_what_stands_against_it() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    let regions = |machine: &Machine| {
        let choices = serving_choices(&machine.model, machine.now);
        choices.into_iter().map(|choice| choice.region.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(regions(&machine), [""; 0], "the primary accepts writes where it is recorded to");
    machine.pass(60, &world(standby("a2"), primary(2, "b")));
    assert_eq!(regions(&machine), ["dr"], "the readings allow no other");
    machine.pass(60, &world(standby("a2"), standby("b2")));
    assert_eq!(regions(&machine), ["primary", "dr"]);
    for choice in serving_choices(&machine.model, machine.now) {
        assert!(choice.is_doubtful && choice.sentence.contains("accepts no writes"), "{choice:?}");
        machine.ask(Ask::RecordServing { region: choice.region, reason: "seen on the host".into() }).unwrap();
    }
    machine.pass(60, &world(bad(), standby("b2")));
    let said = serving_choices(&machine.model, machine.now);
    assert!(said.iter().any(|choice| choice.sentence.contains("is not seen")), "{said:?}");
}

#[test]
fn the_time_since_a_server_was_not_seen_outlives_the_engine() {
    let mut machine = lost();
    let since = machine.model.durable.signals["primary-db"].critical_since.unwrap();
    machine.pass(60, &world(bad(), standby("b")));
    let mut again = Machine::resumed(machine.log.clone(), machine.now);
    again.pass(40, &world(bad(), standby("b")));
    let signal = &again.model.durable.signals["primary-db"];
    assert!(signal.since > since);
    assert_eq!(signal.critical_since, Some(since));
    again.pass(40, &world(primary(1, "a"), standby("b")));
    assert_eq!(again.model.durable.signals["primary-db"].critical_since, None);
}

#[test]
fn a_page_says_what_holds_now_and_not_only_what_the_incident_was_called() {
    let page = |machine: &Machine| message::page(&machine.model, machine.now, "");
    let mut machine = lost();
    let first = page(&machine);
    assert!(first.body.contains(": primary gone"), "{first:?}");
    machine.pass(40, &split());
    let split = page(&machine);
    assert!(split.subject.contains(": SPLIT BRAIN") && split.subject.contains("since "), "{split:?}");
    assert!(split.body.contains("Now: SPLIT BRAIN"), "{split:?}");
    machine.pass(60, &world(standby("a2"), primary(2, "b")));
    let diverged = page(&machine);
    assert!(diverged.subject.contains(": DATA DIVERGED; "), "{diverged:?}");
    assert!(!diverged.subject.ends_with("primary gone"), "{diverged:?}");
    assert!(
        diverged.body.contains("DIVERGED: SPLIT BRAIN") && diverged.body.contains("Now: "),
        "{diverged:?}"
    );
    assert!(diverged.body.contains(": primary gone"), "the title is told as well: {diverged:?}");
}

#[test]
fn a_severity_that_changes_its_reason_says_since_when_it_has_it() {
    let mut machine = lost();
    let (_, since, before) = machine.model.durable.severity.clone().unwrap();
    machine.pass(40, &split());
    let (_, still, why) = machine.model.durable.severity.clone().unwrap();
    assert!(why.contains("SPLIT BRAIN") && why != before, "{why}");
    assert_eq!(still, since, "it is as bad since then");
    assert!(machine.model.durable.reason_since.unwrap() > since);
}
