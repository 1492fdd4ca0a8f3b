//! Services that steps move by themselves: where they are looked at, and what moves them back.

use super::fixture::*;
use super::serving::{primary, standby, world};
use crate::base::problem::Problem;
use crate::core::apply::apply;
use crate::core::ask::names::{Since, View};
use crate::core::ask::objectives::overall_clock;
use crate::core::ask::tree::suggest;
use crate::core::ask::{attested, placement};
use crate::core::model::{Model, Status};
use crate::core::words::action::{Acted, Failure};
use crate::core::words::command::{Ask, Report};
use crate::core::words::incident::{Mode, Outcome};
use crate::core::words::reading::Measurement;
use crate::core::words::signal::SignalState;
use crate::plan::condition::{Condition, Truth};
use crate::plan::{Goto, Plan, Runbook, Service, Step};
use std::sync::Arc;

pub(crate) type Readings = Vec<(&'static str, Result<Measurement, Problem>)>;

/// The plan of the other tests with a service that runs in both regions, a runbook that moves it alone, one that moves
/// it back by undoing that, one that says where it is, and one that is for the whole region.
pub(super) fn plan_with_api() -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    for (id, region) in [("dr-api", Some("dr")), ("public-api", None)] {
        let mut spec = plan.probes["primary-api"].clone();
        (spec.id, spec.region) = (id.into(), region.map(Into::into));
        plan.probes.insert(id.into(), spec);
    }
    let health = [("primary", "primary-api"), ("dr", "dr-api")]
        .map(|(region, probe)| (region.into(), vec![probe.into()]))
        .into();
    let api = Service { title: "API".into(), health, ..plan.services["postgresql"].clone() };
    plan.services.insert("api".into(), api);
    let like = plan.runbooks["failover"].steps["scale"].clone();
    let step = |id: &str| Step { id: id.into(), title: id.into(), needs: Vec::new(), ..like.clone() };
    let proof = Some(Condition::parse("signals['public-api'].state == 'ok'").unwrap());
    let mut reroute = Step { verify: proof.clone(), ..step("reroute") };
    reroute.serves.insert("api".into(), "dr".into());
    let back = Step { undoes: vec!["reroute".into()], verify: proof.clone(), ..step("back") };
    let switch = Step { switches: true, verify: proof, ..step("switch") };
    let mut says = step("says");
    says.serves.insert("api".into(), "primary".into());
    let mut add = |id: &str, activates: Option<&str>, steps: Vec<Step>| {
        let runbook = Runbook {
            title: id.into(),
            loss: Vec::new(),
            restores: vec!["api".into()],
            activates: activates.map(Into::into),
            steps: steps.into_iter().map(|step| (step.id.clone(), step)).collect(),
        };
        plan.runbooks.insert(id.into(), runbook);
        let question = plan.tree.questions.get_mut("partial").unwrap();
        let mut answer = question.answers["yes"].clone();
        answer.goto = Goto::Runbook(id.into());
        question.answers.insert(id.into(), answer);
    };
    // A second step keeps the run open after the first.
    let rest = Step { needs: vec!["reroute".into()], ..step("rest") };
    add("selective", None, vec![reroute, rest]);
    add("undo", None, vec![back]);
    add("say", None, vec![says]);
    let all = |id: &str| Step { switches: true, ..step(id) };
    add("to-dr", Some("dr"), vec![all("all-to-dr")]);
    add("switch-to-dr", Some("dr"), vec![switch, Step { needs: vec!["switch".into()], ..step("after") }]);
    add("home", Some("primary"), vec![all("all-home")]);
    Arc::new(plan)
}

pub(crate) fn broken() -> Readings {
    let mut readings: Readings = healthy().into_iter().collect();
    readings.retain(|(probe, _)| *probe != "primary-api");
    readings.extend([("primary-api", bad()), ("dr-api", good(None)), ("public-api", bad())]);
    readings
}

/// The same once somebody sends the public to the other region.
pub(super) fn rerouted() -> Readings {
    let mut readings = broken();
    readings.retain(|(probe, _)| *probe != "public-api");
    readings.push(("public-api", good(None)));
    readings
}

pub(super) fn begin(machine: &mut Machine, runbook: &str) {
    let answer = |question: &str, answer: &str| Ask::Answer {
        question: question.into(),
        answer: answer.into(),
        suggested: None,
        reason: Some("so it is".into()),
    };
    if machine.model.durable.incident.as_ref().is_some_and(|incident| !incident.runs.is_empty()) {
        machine.ask(Ask::Revisit { question: "partial".into() }).unwrap();
    } else {
        let mut first = answer("primary-down", "no");
        if let Ask::Answer { suggested, .. } = &mut first {
            let question = &machine.model.plan.tree.questions["primary-down"];
            *suggested = suggest(&machine.model, question, machine.now).answer().map(str::to_owned);
        }
        machine.ask(first).unwrap();
    }
    machine.ask(answer("partial", runbook)).unwrap();
    machine.settle();
}

pub(super) fn declared(mode: Mode) -> Machine {
    let mut machine = Machine::resumed_under(plan_with_api(), Vec::new(), start());
    machine.pass(20, &rerouted_and_well());
    machine.pass(30, &broken());
    machine.ask(Ask::Declare { title: "API gone".into(), mode }).unwrap();
    machine
}

pub(crate) fn rerouted_and_well() -> Readings {
    let mut readings = rerouted();
    readings.retain(|(probe, _)| *probe != "primary-api");
    readings.push(("primary-api", good(None)));
    readings
}

/// The API of the primary region is down, and the run that moves it is open.
pub(super) fn moving() -> Machine {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "selective");
    machine
}

/// The API was moved, the run is complete, and it works.
pub(super) fn moved() -> Machine {
    let mut machine = moving();
    for step in ["reroute", "rest"] {
        do_step(&mut machine, step);
    }
    machine.pass(30, &rerouted());
    machine
}

pub(super) fn do_step(machine: &mut Machine, step: &str) {
    let confirmation = machine.prepare(step);
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    machine.settle();
}

pub(super) fn attest(machine: &mut Machine, step: &str) {
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: step.into(), how: "in the provider's console".into() }).unwrap();
    machine.settle();
}

pub(super) fn run_through(machine: &mut Machine, runbook: &str, step: &str) {
    begin(machine, runbook);
    do_step(machine, step);
    machine.pass(1, &rerouted());
}

/// Where the API serves from, and how it is there.
pub(super) fn api(machine: &Machine) -> (&str, Status) {
    let region = placement::region_of(&machine.model, &"api".into()).unwrap();
    (region.as_str(), machine.model.durable.services["api"].status)
}

/// The journal alone gives the same, also to the next engine.
pub(super) fn assert_kept(machine: &Machine) {
    let mut model = Model::new(plan_with_api());
    machine.log.iter().for_each(|event| apply(&mut model, event));
    assert_eq!(model.durable.placements, machine.model.durable.placements);
    assert_eq!(model.durable.services, machine.model.durable.services);
    assert_eq!(model.durable.incident, machine.model.durable.incident);
}

#[test]
fn a_service_that_a_step_moved_alone_works_where_it_serves_and_its_clock_stops() {
    let mut machine = moving();
    assert_eq!(api(&machine), ("primary", Status::Down));
    do_step(&mut machine, "reroute");
    machine.pass(1, &broken());
    assert_eq!(api(&machine), ("dr", Status::Up));
    assert_eq!(overall_clock(&machine.model, machine.now), None);
    assert_eq!(machine.model.serving(), Some(&"primary".into()), "the others did not move");
    assert_eq!(placement::sentences(&machine.model), ["API is served from somewhere"]);
    assert_kept(&machine);
    let mut down = rerouted();
    down.retain(|(probe, _)| *probe != "dr-api");
    down.push(("dr-api", bad()));
    machine.pass(30, &down);
    assert_eq!(api(&machine), ("dr", Status::Down), "it breaks there");
    assert!(overall_clock(&machine.model, machine.now).is_some());
}

#[test]
fn an_attested_move_counts_once_its_own_proof_holds_by_a_later_reading() {
    let mut machine = moving();
    attest(&mut machine, "reroute");
    machine.pass(30, &broken());
    assert_eq!(api(&machine), ("primary", Status::Down), "customers are not served");
    assert!(overall_clock(&machine.model, machine.now).is_some());
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine), ("dr", Status::Up));
    assert_kept(&machine);
}

#[test]
fn a_region_that_a_step_switches_to_on_a_persons_word_serves_once_its_own_proof_is_seen() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    attest(&mut machine, "switch");
    machine.pass(30, &broken());
    assert_eq!(machine.model.serving(), Some(&"primary".into()), "customers are not served");
    assert!(overall_clock(&machine.model, machine.now).is_some());
    assert_kept(&machine);
    machine.pass(30, &rerouted());
    assert_eq!(machine.model.serving(), Some(&"dr".into()));
    assert_eq!(api(&machine), ("dr", Status::Up));
    assert_kept(&machine);
}

#[test]
fn a_word_for_a_switch_counts_by_readings_of_after_it_alone() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "switch-to-dr");
    machine.pass(30, &rerouted());
    attest(&mut machine, "switch");
    assert_eq!(machine.model.serving(), Some(&"primary".into()), "that was measured before");
    let run = machine.model.run(&machine.run()).unwrap();
    let unshown = attested::unshown(&machine.model, run, machine.now).expect("it is told as not shown yet");
    assert!(!unshown.is_false);
    machine.pass(6, &rerouted());
    assert_eq!(machine.model.serving(), Some(&"dr".into()));
    let run = machine.model.run(&machine.run()).unwrap();
    assert_eq!(attested::unshown(&machine.model, run, machine.now), None);
}

#[test]
fn what_was_measured_before_a_move_was_attested_proves_nothing() {
    let mut machine = moving();
    machine.pass(30, &rerouted());
    attest(&mut machine, "reroute");
    machine.pass(1, &[]);
    assert_eq!(api(&machine), ("primary", Status::Down));
    machine.pass(6, &rerouted());
    assert_eq!(api(&machine), ("dr", Status::Up));
}

/// After a step every name of a condition asks for readings of after it, and one bad reading that turns no signal yet is
/// no proof of a good one.
#[test]
fn neither_what_was_measured_before_a_step_nor_a_state_that_turns_proves_anything() {
    let machine = {
        let mut machine = Machine::resumed_under(plan_with_api(), Vec::new(), start());
        machine.pass(20, &rerouted_and_well());
        machine
    };
    let since = machine.now;
    let holds = |machine: &Machine, source: &str| {
        let view = View { model: &machine.model, now: machine.now };
        Condition::parse(source).unwrap().evaluate(&Since { view, since: Some(since), ahead: Vec::new() })
    };
    let all = [
        "signals['public-api'].state == 'ok'",
        "regions.primary.status == 'up'",
        "services.api.status == 'up'",
    ];
    for source in all {
        assert!(matches!(holds(&machine, source), Truth::Unknown(_)), "{source}: measured before");
    }
    let mut machine = machine;
    machine.pass(2, &rerouted_and_well());
    for source in all {
        assert_eq!(holds(&machine, source), Truth::True, "{source}");
    }
    let mut breaks: Readings = rerouted_and_well();
    breaks.retain(|(probe, _)| !matches!(*probe, "public-api" | "primary-api"));
    breaks.extend([("public-api", bad()), ("primary-api", bad())]);
    machine.pass(1, &breaks);
    assert_eq!(machine.model.state(&"public-api".into()), SignalState::Ok, "one reading turns nothing");
    for source in all {
        assert!(matches!(holds(&machine, source), Truth::Unknown(_)), "{source}: it turns");
    }
}

#[test]
fn a_step_that_was_left_out_or_failed_moves_nothing() {
    let mut machine = moving();
    let run = machine.run();
    machine.ask(Ask::Skip { run, step: "reroute".into(), reason: "no need".into() }).unwrap();
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine), ("primary", Status::Down));
}

#[test]
fn a_move_outlives_abort_close_and_restart_under_another_plan() {
    let mut machine = moving();
    do_step(&mut machine, "reroute");
    machine.ask(Ask::Abort { reason: "that will do".into() }).unwrap();
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine), ("dr", Status::Up));
    machine.ask(Ask::Close { reason: "they are served".into() }).unwrap();
    machine.pass(5, &rerouted());
    let mut plan = (*plan_with_api()).clone();
    plan.runbooks["selective"].steps["reroute"].serves.clear();
    let mut again = Machine::resumed_under(Arc::new(plan), machine.log.clone(), machine.now);
    assert_eq!(api(&again), ("dr", Status::Unknown), "nothing is measured yet");
    again.pass(30, &rerouted());
    assert_eq!(api(&again), ("dr", Status::Up));
}

#[test]
fn a_person_who_took_a_move_back_brings_it_back_and_one_who_leaves_it_does_not() {
    for (stays, expected) in [(false, ("primary", Status::Down)), (true, ("dr", Status::Up))] {
        let mut machine = moving();
        do_step(&mut machine, "reroute");
        machine.ask(Ask::Abort { reason: "that will do".into() }).unwrap();
        machine.pass(5, &rerouted());
        let run = machine.run();
        machine.ask(Ask::Undone { run, step: "reroute".into(), how: "by hand".into(), stays }).unwrap();
        machine.pass(5, &rerouted());
        assert_eq!(api(&machine), expected);
        assert_kept(&machine);
    }
}

#[test]
fn an_attested_move_that_was_taken_back_before_its_proof_never_counts() {
    let mut machine = moving();
    attest(&mut machine, "reroute");
    machine.ask(Ask::Abort { reason: "it was the wrong one".into() }).unwrap();
    let run = machine.run();
    let how = "by hand".into();
    machine.ask(Ask::Undone { run, step: "reroute".into(), how, stays: false }).unwrap();
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine), ("primary", Status::Down));
}

#[test]
fn a_step_that_takes_it_back_and_one_that_names_the_region_move_it_back() {
    for (runbook, step) in [("undo", "back"), ("say", "says"), ("home", "all-home"), ("to-dr", "all-to-dr")] {
        let mut machine = moved();
        assert_eq!(api(&machine), ("dr", Status::Up), "{runbook}");
        run_through(&mut machine, runbook, step);
        let expected = if runbook == "to-dr" { ("dr", Status::Up) } else { ("primary", Status::Down) };
        assert_eq!(api(&machine), expected, "{runbook}");
        assert_kept(&machine);
        machine.pass(60, &rerouted());
        assert_eq!(api(&machine), expected, "{runbook}: the older step does not come back");
    }
}

#[test]
fn a_step_that_takes_it_back_is_believed_as_little_before_its_proof() {
    let mut machine = moved();
    begin(&mut machine, "undo");
    attest(&mut machine, "back");
    machine.pass(30, &broken());
    assert_eq!(api(&machine).0, "dr");
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine).0, "primary");
}

#[test]
fn a_later_step_overtakes_an_attested_one_that_waits_for_its_proof() {
    let mut machine = moving();
    attest(&mut machine, "reroute");
    do_step(&mut machine, "rest");
    machine.pass(10, &broken());
    run_through(&mut machine, "say", "says");
    machine.pass(60, &rerouted());
    assert_eq!(api(&machine).0, "primary");
}

#[test]
fn after_a_failover_of_the_whole_region_and_the_way_back_all_serve_with_the_region() {
    let mut machine = moved();
    run_through(&mut machine, "to-dr", "all-to-dr");
    assert_eq!(machine.model.serving(), Some(&"dr".into()));
    assert!(placement::other_regions(&machine.model).is_empty());
    run_through(&mut machine, "home", "all-home");
    assert_eq!(api(&machine), ("primary", Status::Down));
    assert_kept(&machine);
}

#[test]
fn an_attested_move_that_a_failover_of_the_region_overtook_does_not_come_back_with_its_proof() {
    let mut machine = moving();
    attest(&mut machine, "reroute");
    do_step(&mut machine, "rest");
    machine.pass(10, &broken());
    for (runbook, step) in [("to-dr", "all-to-dr"), ("home", "all-home")] {
        begin(&mut machine, runbook);
        do_step(&mut machine, step);
        machine.pass(1, &broken());
    }
    machine.pass(60, &rerouted());
    assert_eq!(api(&machine).0, "primary");
}

#[test]
fn a_person_who_records_that_the_region_serves_brings_its_services_home() {
    let mut machine = moved();
    let home = || Ask::RecordServing { region: "primary".into(), reason: "routed back by hand".into() };
    machine.ask(home()).unwrap();
    assert_eq!(api(&machine), ("primary", Status::Down));
    let refusal = machine.ask(home()).unwrap_err();
    assert!(refusal.why.contains("recorded to serve already"), "{refusal:?}");
    assert_kept(&machine);
    machine.pass(60, &rerouted());
    assert_eq!(api(&machine), ("primary", Status::Down), "the step does not say it again");
}

#[test]
fn a_database_that_moves_leaves_a_service_where_its_step_moved_it() {
    let mut machine = moved();
    let measured = |database: Readings| {
        let mut readings = rerouted();
        readings.retain(|(probe, _)| !probe.ends_with("-db"));
        readings.extend(database.into_iter().filter(|(probe, _)| probe.ends_with("-db")));
        readings
    };
    machine.pass(60, &measured(world(standby("a2"), primary(2, "b"))));
    assert_eq!(machine.model.serving(), Some(&"dr".into()));
    assert_eq!(api(&machine), ("dr", Status::Up));
    machine.pass(60, &measured(world(primary(3, "a3"), standby("b2"))));
    assert_eq!(machine.model.serving(), Some(&"primary".into()));
    assert_eq!(api(&machine), ("dr", Status::Up));
}

#[test]
fn a_drill_that_runs_safe_steps_only_moves_no_service() {
    let mut machine = declared(Mode::SafeDrill);
    begin(&mut machine, "selective");
    attest(&mut machine, "reroute");
    machine.pass(30, &rerouted());
    assert_eq!(api(&machine), ("primary", Status::Down));
}

#[test]
fn a_step_of_an_older_run_that_is_read_back_late_moves_the_region_no_more() {
    let mut machine = declared(Mode::Live);
    begin(&mut machine, "to-dr");
    let confirmation = machine.prepare("all-to-dr");
    machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap();
    let first = machine.run();
    let lost = Failure { acted: Acted::Maybe, ..Machine::failure() };
    let (run, step) = (first.clone(), "all-to-dr".into());
    machine.report(Report::Executed { run, step, attempt: 1, outcome: Outcome::Failed(lost) }).unwrap();
    machine.effects.clear();
    machine.ask(Ask::Abort { reason: "nobody knows".into() }).unwrap();
    run_through(&mut machine, "home", "all-home");
    machine.ask(Ask::Recheck { run: first, step: "all-to-dr".into() }).unwrap();
    machine.settle();
    assert_eq!(machine.model.serving(), Some(&"primary".into()));
}
