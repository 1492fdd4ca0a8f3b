//! What serves is measured: who is the primary, where, and what each server should be because of it.

use super::fixture::*;
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{Kind, of};
use crate::core::model::Status;
use crate::core::words::command::Ask;
use crate::core::words::fact::Fact;
use crate::core::words::reading::Measurement;
use crate::core::words::signal::SignalState;
use crate::plan::kinds::Sees;
use crate::plan::params::Param;
use crate::plan::{Plan, Severity};
use std::sync::Arc;

type Outcome = Result<Measurement, Problem>;

/// A server of the database `77`, by when it started.
pub fn server(role: &str, timeline: u32, started: &str) -> Measurement {
    Measurement::good(format!("{role}, timeline {timeline}"))
        .with_value(2.0)
        .with_text("role", role.to_owned())
        .with_flag("in_recovery", role == "standby")
        .with_flag("read_only", false)
        .with_text("system_identifier", "77".to_owned())
        .with_text("started_at", started.to_owned())
        .with_number("timeline", f64::from(timeline))
}

pub fn primary(timeline: u32, started: &str) -> Outcome {
    Ok(server("primary", timeline, started))
}

pub fn standby(started: &str) -> Outcome {
    Ok(server("standby", 1, started))
}

/// The fixture's world with these two databases.
pub fn world(primary_db: Outcome, dr_db: Outcome) -> Vec<(&'static str, Outcome)> {
    let others = healthy().into_iter().filter(|(probe, _)| !probe.ends_with("-db"));
    others.chain([("primary-db", primary_db), ("dr-db", dr_db)]).collect()
}

/// The fixture's plan, with the roles of a normal day.
fn with_roles() -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    for (probe, role) in [("primary-db", "primary"), ("dr-db", "standby")] {
        let params = &mut plan.probes.get_mut(probe).unwrap().params;
        params.0.insert("role".into(), Param::Text(role.into()));
    }
    Arc::new(plan)
}

fn serving(machine: &Machine) -> &str {
    machine.model.serving().unwrap().as_str()
}

fn service(machine: &Machine) -> Status {
    machine.model.durable.services["postgresql"].status
}

fn kinds(machine: &Machine) -> Vec<Kind> {
    of(&machine.model).iter().map(|open| open.contradiction.kind).collect()
}

/// Somebody promoted the standby and made the old primary follow it, without lifeboat.
fn moved_by_hand(plan: Arc<Plan>) -> Machine {
    let mut machine = Machine::resumed_under(plan, Vec::new(), start());
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    assert_eq!((serving(&machine), service(&machine)), ("primary", Status::Up));
    machine.pass(40, &world(standby("a2"), primary(2, "b")));
    machine
}

#[test]
fn a_failover_by_hand_is_measured_said_and_asked_to_be_recorded() {
    let mut machine = moved_by_hand(plan());
    assert_eq!((serving(&machine), service(&machine)), ("dr", Status::Up));
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere]);
    assert_eq!(machine.model.severity(), Some(Severity::P2));
    assert_eq!(machine.model.durable.active, Some("primary".into()), "what is recorded is a person's");
    let refused = Ask::RecordServing { region: "primary".into(), reason: "I think so".into() };
    let why = machine.ask(refused).unwrap_err().why;
    assert!(why.contains("dr-db in dr accepts writes"), "{why}");
    machine.ask(Ask::RecordServing { region: "dr".into(), reason: "promoted by Dana".into() }).unwrap();
    machine.pass(10, &world(standby("a2"), primary(2, "b")));
    assert_eq!((kinds(&machine), machine.model.severity(), service(&machine)), (vec![], None, Status::Up));
    let again = Machine::resumed(machine.log.clone(), machine.now);
    assert_eq!(again.model.durable.active, Some("dr".into()));
}

#[test]
fn a_failback_by_hand_is_measured_and_a_later_death_of_the_primary_is_a_p0_on_the_right_clock() {
    let mut machine = moved_by_hand(plan());
    machine.ask(Ask::RecordServing { region: "dr".into(), reason: "promoted by Dana".into() }).unwrap();
    machine.pass(40, &world(primary(3, "a3"), standby("b2")));
    assert_eq!((serving(&machine), kinds(&machine)), ("primary", vec![Kind::ServesElsewhere]));
    machine.pass(40, &world(bad(), standby("b2")));
    assert_eq!((serving(&machine), service(&machine)), ("primary", Status::Down));
    assert_eq!(machine.model.severity(), Some(Severity::P0));
    let clock = crate::core::ask::objectives::overall_clock(&machine.model, machine.now);
    assert!(clock.is_some(), "the RTO runs");
}

#[test]
fn two_standbys_are_no_service_whatever_role_the_plan_allows() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(40, &world(standby("a2"), standby("b")));
    assert_eq!(service(&machine), Status::Down);
    assert_eq!(kinds(&machine), [Kind::NobodyWrites]);
}

#[test]
fn roles_follow_the_primary_so_that_a_day_after_a_failover_is_green() {
    let mut machine = moved_by_hand(with_roles());
    machine.ask(Ask::RecordServing { region: "dr".into(), reason: "promoted by Dana".into() }).unwrap();
    machine.pass(20, &world(standby("a2"), primary(2, "b")));
    for probe in ["primary-db", "dr-db"] {
        assert_eq!(machine.model.state(&probe.into()), SignalState::Ok, "{probe}");
    }
    assert_eq!(machine.model.severity(), None);
}

#[test]
fn a_server_in_the_wrong_role_is_critical_on_a_normal_day() {
    let mut machine = Machine::resumed_under(with_roles(), Vec::new(), start());
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(20, &world(standby("a2"), standby("b")));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Critical);
    let why = &machine.model.durable.signals["primary-db"].why;
    assert!(why.contains("it is a standby, expected a primary"), "{why}");
}

#[test]
fn a_primary_that_moves_within_its_region_is_recorded_and_roles_follow_it() {
    let mut plan = (*with_roles()).clone();
    plan.probes.get_mut("dr-db").unwrap().region = Some("primary".into());
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(40, &world(standby("a2"), primary(2, "b")));
    let measured = machine.log.iter().filter(|event| matches!(event.fact, Fact::PrimaryMeasured { .. }));
    assert_eq!(measured.count(), 1);
    assert_eq!((serving(&machine), kinds(&machine)), ("primary", vec![]));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Ok);
}

#[test]
fn a_promotion_by_a_run_is_not_called_a_move_by_hand() {
    let mut machine = Machine::failing_over();
    let confirmation = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) }).unwrap();
    let mut world = world(bad(), primary(2, "b"));
    world.retain(|(probe, _)| *probe != "primary-api");
    machine.pass(40, &world);
    assert!(!kinds(&machine).contains(&Kind::ServesElsewhere));
    assert_eq!(serving(&machine), "primary", "the run says when the other region serves");
}

#[test]
fn what_an_aborted_run_promoted_is_not_told_as_somebody_elses() {
    let mut machine = Machine::failing_over_under(with_roles());
    let confirmation = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) }).unwrap();
    let mut world = world(bad(), primary(2, "b"));
    world.retain(|(probe, _)| *probe != "primary-api");
    machine.settle();
    machine.pass(40, &world);
    machine.ask(Ask::Abort { reason: "that will do".into() }).unwrap();
    machine.pass(40, &world);
    let said: Vec<&str> = of(&machine.model).iter().map(|open| open.contradiction.what.as_str()).collect();
    assert!(said.iter().any(|what| what.contains("promoted by a run")), "{said:?}");
    assert!(!said.iter().any(|what| what.contains("not by lifeboat")), "{said:?}");
}

#[test]
fn a_server_that_somebody_else_promotes_while_a_run_is_open_serves_at_once_and_is_not_down() {
    let mut plan = (*with_roles()).clone();
    plan.probes.get_mut("dr-lag").unwrap().fail_after = 1;
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    machine.pass(1, &world(bad(), primary(2, "b")));
    machine.pass(1, &[]);
    assert_eq!(serving(&machine), "dr");
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere]);
    let why = of(&machine.model)[0].contradiction.what.clone();
    assert!(why.contains("dr-db in") && why.contains("not by lifeboat"), "{why}");
    machine.pass(40, &world(bad(), primary(2, "b")));
    assert_eq!((machine.model.state(&"dr-db".into()), service(&machine)), (SignalState::Ok, Status::Up));
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "promote".into(), how: "the supplier did".into() }).unwrap();
    machine.pass(2, &world(bad(), primary(2, "b")));
    assert_eq!((kinds(&machine), serving(&machine)), (vec![], "dr"));
}

#[test]
fn a_server_that_our_own_promotion_made_a_primary_is_not_down_while_that_has_to_hold() {
    let mut machine = Machine::failing_over_under(with_roles());
    let confirmation = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) }).unwrap();
    machine.pass(30, &world(bad(), primary(2, "b")));
    assert_eq!(machine.model.state(&"dr-db".into()), SignalState::Ok);
}

#[test]
fn two_masters_of_what_the_plan_calls_one_database_are_a_split_brain() {
    let mut plan = (*plan()).clone();
    for probe in ["primary-db", "dr-db"] {
        let spec = plan.probes.get_mut(probe).unwrap();
        (spec.kind, spec.sees) = ("exec".into(), Sees::Program);
        spec.database = Some("redis".into());
    }
    let master = || Ok(Measurement::good("master").with_value(1.0).with_text("role", "master".to_owned()));
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(12, &world(master(), master()));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}

#[test]
fn a_server_that_the_plan_compares_with_no_other_makes_no_split_brain() {
    let mut plan = (*plan()).clone();
    plan.probes.get_mut("dr-db").unwrap().database = Some("none".into());
    let mut machine = Machine::resumed_under(Arc::new(plan), Vec::new(), start());
    machine.pass(30, &world(primary(1, "a"), primary(1, "b")));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn a_switchover_by_hand_is_green_with_the_first_reading_after_the_primary_was_measured() {
    let mut machine = Machine::resumed_under(with_roles(), Vec::new(), start());
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    let moved = world(standby("a2"), primary(2, "b"));
    let well = |machine: &Machine| {
        ["primary-db", "dr-db"].iter().all(|probe| machine.model.state(&(*probe).into()) == SignalState::Ok)
    };
    let mut measured = None;
    for second in 0..60 {
        machine.pass(1, &moved);
        // One look each second.
        if serving(&machine) == "dr" {
            let since = *measured.get_or_insert(second);
            assert!(second - since < 2 || well(&machine), "{second} s, measured at {since} s");
        }
    }
    assert!(measured.is_some() && well(&machine));
}

#[test]
fn a_server_that_was_really_down_takes_its_time_to_be_well_again() {
    let mut machine = Machine::resumed_under(with_roles(), Vec::new(), start());
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(20, &world(bad(), standby("b")));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Critical);
    machine.pass(1, &world(primary(1, "a"), standby("b")));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Critical, "one good reading of two");
}
