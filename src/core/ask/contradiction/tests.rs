//! Contradictions by hand-made readings. The fixture's plan has no rule for any of them.

use super::*;
use crate::base::problem::Problem;
use crate::core::ask::in_force::{self, Known};
use crate::core::ask::servers::READ_ONLY_HIDDEN;
use crate::core::model::Status;
use crate::core::tests::desk::{self, Telling};
use crate::core::tests::fixture::*;
use crate::core::tests::serving::{primary, server, standby, world};
use crate::core::words::command::{Ask, Report};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::Mode;
use crate::core::words::reading::Measurement;
use crate::core::words::signal::SignalState;
use crate::core::words::status::StepStatus;
use crate::plan::kinds::Does;
use crate::plan::{ConfirmLevel, Plan};
use std::sync::Arc;

type Outcome = Result<Measurement, Problem>;

fn fenced(started: &str) -> Outcome {
    Ok(server("primary", 1, started).with_flag("read_only", true))
}

/// It follows the server that was promoted, on its timeline.
fn rebuilt(started: &str) -> Outcome {
    Ok(server("standby", 2, started))
}

fn kinds(machine: &Machine) -> Vec<Kind> {
    of(&machine.model).iter().map(|open| open.contradiction.kind).collect()
}

fn severity(machine: &Machine) -> Option<Severity> {
    machine.model.severity()
}

/// The old primary came back after a failover.
fn split() -> Vec<(&'static str, Outcome)> {
    world(primary(1, "a"), primary(2, "b"))
}

#[test]
fn a_normal_day_has_no_contradiction() {
    let mut machine = Machine::new();
    machine.pass(60, &world(primary(1, "a"), standby("b")));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![], None));
}

#[test]
fn two_primaries_are_a_p0_without_any_rule_of_the_plan() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
    let (severity, _, why) = machine.model.durable.severity.clone().unwrap();
    assert_eq!(severity, Severity::P0);
    assert!(why.contains("SPLIT BRAIN") && why.contains("primary-db") && why.contains("dr-db"), "{why}");
}

#[test]
fn what_is_no_split_brain_is_not_called_one() {
    let cases: [(&str, Outcome, Outcome); 4] = [
        ("one server behind two addresses", primary(2, "b"), primary(2, "b")),
        ("a primary that was just fenced", fenced("a"), primary(2, "b")),
        ("a primary that cannot be read", blind(), primary(2, "b")),
        (
            "another database",
            Ok(server("primary", 1, "a").with_text("system_identifier", "78".to_owned())),
            primary(2, "b"),
        ),
    ];
    for (case, one, other) in cases {
        let mut machine = Machine::new();
        machine.pass(60, &world(one, other));
        assert!(!kinds(&machine).contains(&Kind::TwoPrimaries), "{case}");
    }
}

#[test]
fn a_reading_of_before_the_promotion_makes_no_second_primary() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    // The old primary is silent from here on, its last reading still fresh when the other one is promoted.
    machine.pass(14, &world(blind(), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn a_primary_that_came_back_and_went_silent_again_stays_a_split_brain_until_it_is_seen_or_answered() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.pass(60, &world(bad(), primary(2, "b")));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![Kind::TwoPrimaries], Some(Severity::P0)));
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "powered off at the switch".into() }).unwrap();
    machine.pass(2, &world(bad(), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere], "what is left is that nobody recorded the move");
}

#[test]
fn a_split_brain_is_over_when_one_of_them_is_read_as_fenced() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.pass(3, &world(fenced("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    let ended = machine.log.iter().any(|event| matches!(event.fact, Fact::ContradictionEnded { .. }));
    assert!(ended);
}

#[test]
fn nobody_accepts_writes_when_both_are_standbys_or_the_only_primary_is_down() {
    for (case, one, other) in [
        ("demoted by its manager", standby("a"), standby("b")),
        ("the primary died", bad(), standby("b")),
        ("fenced and forgotten", fenced("a"), standby("b")),
    ] {
        let mut machine = Machine::new();
        machine.pass(20, &world(primary(1, "a"), standby("b")));
        machine.pass(5, &world(one.clone(), other.clone()));
        assert_ne!(severity(&machine), Some(Severity::P0), "{case}: not at the first look");
        machine.pass(30, &world(one, other));
        assert_eq!(kinds(&machine), [Kind::NobodyWrites], "{case}");
        assert_eq!(severity(&machine), Some(Severity::P0), "{case}");
        machine.pass(6, &world(primary(3, "a"), standby("b")));
        assert_eq!(kinds(&machine), [], "{case}");
    }
}

#[test]
fn a_server_that_was_fenced_before_another_one_was_promoted_is_not_advised_to_write_again() {
    let mut plan = (*with_a_fence()).clone();
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    steps.get_mut("promote").unwrap().unfences = Vec::new();
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    let before = world(primary(1, "a"), standby("b"));
    machine.pass(20, &before);
    let fence = machine.prepare("check");
    machine.ask(Ask::Confirm { confirmation: fence, typed: None }).unwrap();
    machine.settle();
    // Nobody sees who was promoted: the probe goes on looking at a standby.
    let after = world(fenced("a"), standby("b"));
    machine.pass(6, &after);
    let promote = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: promote, typed: Some("target-of-promote".into()) }).unwrap();
    machine.settle();
    machine.pass(90, &after);
    let open = of(&machine.model);
    let nobody = open.iter().find(|open| open.contradiction.kind == Kind::NobodyWrites).unwrap();
    let next = &nobody.contradiction.next;
    assert!(next.contains("leave it fenced") && !next.contains("let it write"), "{next}");
}

#[test]
fn what_cannot_be_told_is_not_called_nobody() {
    let mut machine = Machine::new();
    machine.pass(60, &world(blind(), standby("b")));
    assert_eq!(kinds(&machine), []);
}

#[test]
fn an_unanswered_split_brain_refuses_resolve_and_close_and_an_answer_is_good_for_that_one_only() {
    let mut machine = Machine::new();
    machine.ask(Ask::Declare { title: "odd".into(), mode: Mode::Live }).unwrap();
    machine.pass(12, &split());
    let refused = machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap_err();
    assert!(refused.why.contains("SPLIT BRAIN"), "{}", refused.why);
    machine.ask(Ask::Close { reason: "over".into() }).unwrap_err();
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id: id.clone(), reason: " ".into() }).unwrap_err();
    machine.ask(Ask::AnswerContradiction { id, reason: "a clone for tests".into() }).unwrap();
    machine.ask(Ask::Resolve { how: "restarted".into() }).unwrap();
    // Another promotion: not the one that was answered.
    machine.pass(12, &world(primary(1, "a"), primary(3, "b")));
    machine.ask(Ask::Close { reason: "over".into() }).unwrap_err();
}

#[test]
fn a_contradiction_and_its_answer_are_the_fold_of_the_journal() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "a clone for tests".into() }).unwrap();
    let again = Machine::resumed(machine.log.clone(), machine.now);
    assert_eq!(of(&again.model), of(&machine.model));
}

#[test]
fn a_split_brain_pages_anew_although_a_p0_was_acknowledged_and_blocks_the_promotion() {
    let mut night = Telling::new(desk::plan());
    night.declare(Severity::P0, Mode::Live);
    night.acknowledge();
    night.pass(seconds(5));
    night.take_asked();
    for _ in 0..3 {
        night.machine.observe(&split());
        night.pass(seconds(3));
    }
    let paged = night.take_asked();
    assert!(paged.iter().any(|asked| asked.contains("page")), "{paged:?}");
    night.acknowledge();
    night.machine.observe(&split());
    night.pass(seconds(3));
    assert_eq!(night.take_asked(), Vec::<String>::new());
}

#[test]
fn a_split_brain_refuses_the_promotion_until_it_is_answered() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    let before = machine.executed.len();
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
    let confirm = |confirmation| Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) };
    let refused = machine.ask(confirm(id.clone())).unwrap_err();
    assert!(refused.why.contains("SPLIT BRAIN"), "{}", refused.why);
    assert_eq!(machine.executed.len(), before);
    let split = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id: split, reason: "b is a clone".into() }).unwrap();
    machine.ask(confirm(id)).unwrap();
}

#[test]
fn a_promotion_is_refused_while_the_primary_that_it_replaces_still_accepts_writes() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert_eq!(kinds(&machine), [Kind::PrimaryAlive]);
    let typed = || Some("target-of-promote".to_owned());
    let refused = machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap_err();
    assert!(refused.why.contains("makes two primaries"), "{}", refused.why);
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: typed() }).unwrap();
}

/// The fixture's failover, whose first step fences the old primary.
fn with_a_fence() -> Arc<Plan> {
    let mut plan = (*plan()).clone();
    let steps = &mut plan.runbooks.get_mut("failover").unwrap().steps;
    let check = steps.get_mut("check").unwrap();
    (check.fences, check.confirm) = (vec!["primary-db".into()], ConfirmLevel::Yes);
    Arc::new(plan)
}

fn failing_over_with_a_fence() -> Machine {
    fenced_under(with_a_fence())
}

fn fenced_under(plan: Arc<Plan>) -> Machine {
    let mut machine = Machine::failing_over_under(plan);
    do_step(&mut machine, "check");
    machine
}

/// Fenced by a person's word, promoted by the run; then the old primary is back, writable.
fn back_after_the_promotion() -> Machine {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
    machine
}

fn do_step(machine: &mut Machine, step: &str) {
    let confirmation = machine.prepare(step);
    let typed = Some(format!("target-of-{step}"));
    machine.ask(Ask::Confirm { confirmation, typed }).unwrap();
    machine.settle();
}

fn again(machine: &mut Machine, reason: Option<&str>) -> Result<(), crate::base::problem::Problem> {
    let run = machine.run();
    let reason = reason.map(str::to_owned);
    machine.ask(Ask::Retry { run, step: "check".into(), reason }).map(|_| ())
}

fn status(machine: &Machine, step: &str) -> StepStatus {
    machine.model.step(&machine.run(), &step.into()).unwrap().1.status
}

#[test]
fn a_settled_fence_is_done_again_by_a_person_with_a_reason_while_its_server_accepts_writes() {
    let mut machine = failing_over_with_a_fence();
    again(&mut machine, Some("I want to")).expect_err("the world does not deny it");
    let mut machine = back_after_the_promotion();
    let next = of(&machine.model)[0].contradiction.next.clone();
    assert!(next.contains("Fence probe primary-db"), "{next}");
    again(&mut machine, None).expect_err("it takes a reason");
    again(&mut machine, Some("the supplier restarted it")).unwrap();
    let retried = |event: &Event| matches!(&event.fact, Fact::StepRetried { reason: Some(why), .. } if why.contains("restarted"));
    assert!(machine.log.iter().any(retried));
    assert_eq!(status(&machine, "check"), StepStatus::Ready);
    let executed = machine.executed.len();
    do_step(&mut machine, "check");
    assert_eq!((status(&machine, "check"), machine.executed.len()), (StepStatus::Verified, executed + 1));
    let starts = machine.log.iter().filter_map(|event| match &event.fact {
        Fact::StepStarted { step, confirmation, attempt, .. } if step.as_str() == "check" => {
            Some((confirmation.clone(), *attempt))
        }
        _ => None,
    });
    let starts: Vec<_> = starts.collect();
    assert!(starts.len() == 2 && starts[0].0 != starts[1].0 && starts[1].1 == 2, "{starts:?}");
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    let resumed = Machine::resumed_under(with_a_fence(), machine.log.clone(), machine.now);
    assert_eq!(resumed.model.durable.incident, machine.model.durable.incident);
}

#[test]
fn a_fenced_server_that_writes_stays_a_p0_while_its_fence_is_done_again() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    again(&mut machine, Some("the supplier restarted it")).unwrap();
    machine.pass(6, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(severity(&machine), Some(Severity::P0));
    do_step(&mut machine, "check");
    machine.pass(6, &world(fenced("a"), standby("b")));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_crash_while_a_fence_is_done_again_runs_nothing_by_itself() {
    let mut machine = back_after_the_promotion();
    again(&mut machine, Some("it came back")).unwrap();
    let before = machine.log.len();
    do_step(&mut machine, "check");
    for cut in before..=machine.log.len() {
        let mut resumed = Machine::resumed_under(with_a_fence(), machine.log[..cut].to_vec(), machine.now);
        resumed.settle();
        resumed.pass(20, &split());
        resumed.settle();
        assert!(resumed.executed.is_empty(), "cut after {cut}: {:?}", resumed.executed);
    }
}

#[test]
fn what_needs_a_fence_waits_while_that_is_done_again() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    again(&mut machine, Some("it came back")).unwrap();
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), [], "only the step stands in the way");
    let run = machine.run();
    let refused = machine.ask(Ask::Prepare { run, step: "promote".into() }).unwrap_err();
    assert!(refused.why.contains("waits for check"), "{}", refused.why);
    do_step(&mut machine, "check");
    do_step(&mut machine, "promote");
    assert_eq!(status(&machine, "promote"), StepStatus::Verified);
}

#[test]
fn a_completed_run_goes_on_when_its_fence_is_done_again() {
    let mut machine = failing_over_with_a_fence();
    for step in ["promote", "scale", "dns"] {
        do_step(&mut machine, step);
    }
    let run = machine.run();
    machine.ask(Ask::Attest { run: run.clone(), step: "tell".into(), how: "called".into() }).unwrap();
    machine.settle();
    assert!(machine.model.run(&run).unwrap().ended.is_some());
    machine.pass(12, &split());
    again(&mut machine, Some("it came back")).unwrap();
    assert!(machine.model.run(&run).unwrap().ended.is_none());
    do_step(&mut machine, "check");
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert!(machine.model.run(&run).unwrap().ended.is_some());
}

#[test]
fn a_fence_that_readings_deny_is_no_longer_in_force_and_vouches_for_nothing() {
    let machine = back_after_the_promotion();
    let in_force =
        |machine: &Machine| in_force::of(&machine.model).into_iter().find(|left| left.is_fence).unwrap();
    let fenced_since =
        |machine: &Machine| crate::core::ask::fencing::fenced(&machine.model, &"primary-db".into());
    let left = in_force(&machine);
    assert_eq!((left.how, left.heading()), (Known::Denied, "FENCE DOES NOT HOLD, its server takes writes"));
    assert_eq!(fenced_since(&machine), None);
    let plan = machine.model.plan.clone();
    let other = |machine: &Machine| {
        let runbook = &plan.runbooks["failover"];
        let servers =
            crate::core::ask::other_side::of(&machine.model, runbook, &runbook.steps["promote"], machine.now);
        servers.into_iter().find(|server| server.probe.as_str() == "primary-db").unwrap()
    };
    assert_eq!(other(&machine).fenced, None);
    let brief = crate::core::prose::brief::lines(&machine.model, machine.now).join("\n");
    assert!(
        brief.contains("FENCE DOES NOT HOLD, its server takes writes") && !brief.contains("STILL IN FORCE"),
        "{brief}"
    );

    // A new engine knows it from the journal, also once a person answered and nobody sees the server.
    let mut machine = Machine::resumed_under(with_a_fence(), machine.log, machine.now);
    assert_eq!(in_force(&machine).how, Known::Denied);
    machine.pass(60, &world(blind(), primary(2, "b")));
    let id = of(&machine.model)[0].contradiction.id.clone();
    machine.ask(Ask::AnswerContradiction { id, reason: "powered off at the switch".into() }).unwrap();
    machine.pass(2, &world(blind(), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    assert_eq!((in_force(&machine).how, fenced_since(&machine)), (Known::Denied, None));

    // Read as read-only it is what the fence made of it.
    machine.pass(6, &split());
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert_eq!(in_force(&machine).how, Known::Verified);
}

#[test]
fn a_fence_that_is_raised_during_a_split_brain_and_does_not_hold_is_told_of_its_own() {
    let mut machine = back_after_the_promotion();
    again(&mut machine, Some("it came back")).unwrap();
    do_step(&mut machine, "check");
    let how = |machine: &Machine| in_force::of(&machine.model).iter().find(|left| left.is_fence).unwrap().how;
    assert_eq!(how(&machine), Known::Verified);
    machine.pass(12, &split());
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(how(&machine), Known::Denied);
    again(&mut machine, Some("it did not hold")).unwrap();
}

#[test]
fn a_fenced_server_that_accepts_writes_is_over_when_it_is_recorded_to_serve() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    machine.ask(Ask::Abort { reason: "it was well".into() }).unwrap();
    machine.ask(Ask::RecordServing { region: "dr".into(), reason: "for a moment".into() }).unwrap();
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    machine.ask(Ask::RecordServing { region: "primary".into(), reason: "unfenced by hand".into() }).unwrap();
    machine.pass(2, &world(primary(1, "a"), standby("b")));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_switchover_by_hand_that_takes_ten_seconds_is_a_warning_and_wakes_nobody() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    for second in 0..10 {
        machine.pass(1, &world(standby("a"), standby("b")));
        assert_eq!(kinds(&machine), [Kind::NobodyWrites], "it is shown at once");
        assert_ne!(severity(&machine), Some(Severity::P0));
        if second == 1 {
            assert_eq!(severity(&machine), Some(Severity::P3));
        }
    }
    machine.pass(2, &world(standby("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    machine.pass(12, &world(primary(1, "a"), primary(2, "b")));
    assert_eq!(severity(&machine), Some(Severity::P0), "two primaries wait for nothing");
}

#[test]
fn a_lasting_want_of_a_primary_stays_a_p0_when_one_of_the_servers_falls_silent() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(40, &world(standby("a"), standby("b")));
    assert_eq!(severity(&machine), Some(Severity::P0));
    for _ in 0..30 {
        machine.pass(1, &world(bad(), standby("b")));
        assert_eq!(severity(&machine), Some(Severity::P0));
    }
}

#[test]
fn servers_that_do_not_answer_are_not_said_to_accept_no_writes() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(60, &world(bad(), standby("b")));
    let what = &of(&machine.model)[0].contradiction.what;
    assert!(what.starts_with("NOBODY IS SEEN TO ACCEPT WRITES"), "{what}");
    let next = &of(&machine.model)[0].contradiction.next;
    assert!(next.contains("may accept writes all the same"), "{next}");
    machine.pass(60, &world(standby("a"), standby("b")));
    let what = &of(&machine.model)[0].contradiction.what;
    assert!(what.starts_with("NOBODY "), "{what}");
}

#[test]
fn a_step_that_moves_traffic_is_refused_during_a_split_brain() {
    for (action, switches) in [
        ("exec", true),
        ("route53-upsert", false),
        ("route53-switch", false),
        ("cloudfront-origin", false),
        ("arc-routing-control", false),
    ] {
        let mut plan = (*with_a_fence()).clone();
        let dns = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("dns").unwrap();
        (dns.action, dns.switches) = (action.into(), switches);
        dns.does = if switches { Does::Runs } else { Does::Routes };
        let mut machine = fenced_under(Arc::new(plan));
        do_step(&mut machine, "promote");
        machine.pass(12, &split());
        let confirmation = machine.prepare("dns");
        let refused = machine.ask(Ask::Confirm { confirmation, typed: None }).unwrap_err();
        assert!(refused.why.contains("SPLIT BRAIN"), "{action}: {}", refused.why);
    }
}

#[test]
fn pages_and_brief_name_what_cannot_be_right() {
    let mut machine = back_after_the_promotion();
    machine.pass(1, &split());
    let page = crate::core::prose::message::page(&machine.model, machine.now, "");
    assert!(page.subject.contains("SPLIT BRAIN"), "{}", page.subject);
    assert!(
        page.body.contains("SPLIT BRAIN") && page.body.contains("Fence probe primary-db"),
        "{}",
        page.body
    );
    let brief = crate::core::prose::brief::lines(&machine.model, machine.now);
    let line = |label: &str| brief.iter().find(|line| line.starts_with(label)).cloned().unwrap_or_default();
    assert!(line("State:").contains("SPLIT BRAIN"), "{brief:#?}");
    assert!(
        line("Next:").contains("SPLIT BRAIN") && line("Next:").contains("Fence probe primary-db"),
        "{brief:#?}"
    );
}

#[test]
fn a_server_that_was_fenced_and_accepts_writes_again_is_a_p0_before_anybody_else_is_promoted() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(severity(&machine), Some(Severity::P0));
    let id = machine.prepare("promote");
    let typed = Some("target-of-promote".to_owned());
    machine.ask(Ask::Confirm { confirmation: id, typed }).unwrap_err();
}

#[test]
fn what_two_primaries_cost_stays_with_the_incident_once_one_is_fenced() {
    let mut machine = Machine::new();
    machine.pass(12, &split());
    machine.ask(Ask::Declare { title: "odd".into(), mode: Mode::Live }).unwrap();
    machine.pass(6, &world(fenced("a"), primary(2, "b")));
    assert!(!kinds(&machine).contains(&Kind::TwoPrimaries));
    let splits = &machine.model.durable.splits;
    let [split] = splits.as_slice() else { panic!("{splits:?}") };
    assert!(split.until.is_some_and(|until| until > split.since), "{split:?}");
    let brief = crate::core::prose::brief::lines(&machine.model, machine.now).join("\n");
    assert!(brief.contains("SPLIT BRAIN") && brief.contains("is missing on the other"), "{brief}");
}

#[test]
fn two_primaries_went_apart_when_one_was_promoted_however_late_both_were_seen() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    let run = machine.run();
    let promoted = machine.model.step(&run, &"promote".into()).unwrap().1.started_at.unwrap();
    // The old primary is cut off for a while, and takes writes.
    machine.pass(60, &world(blind(), primary(2, "b")));
    machine.pass(12, &split());
    let splits = &machine.model.durable.splits;
    let [split] = splits.as_slice() else { panic!("{splits:?}") };
    let apart = split.apart_since.unwrap();
    // The standby was 14 s behind when the primary went out of sight.
    let behind = promoted.duration_since(apart);
    assert!(behind >= seconds(14), "{behind:?} before the promotion");
    assert!(split.since.duration_since(promoted) >= seconds(60), "{split:?}");
    let clock = apart.strftime("%H:%M:%SZ").to_string();
    assert!(
        split.sentence().contains(&format!("different data since about {clock}")),
        "{}",
        split.sentence()
    );
    let again = Machine::resumed_under(machine.model.plan.clone(), machine.log.clone(), machine.now);
    assert_eq!(again.model.durable.splits, *splits);
}

#[test]
fn the_undo_of_a_fence_is_told_with_what_it_would_make_once_another_server_serves() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(12, &world(fenced("a"), primary(2, "b")));
    let list = in_force::of(&machine.model);
    let mut fence = list.iter().find(|left| left.is_fence).unwrap().clone();
    fence.undo = vec!["alter system reset default_transaction_read_only".into()];
    let words = fence.undo_words();
    assert!(fence.guards_failover && words.starts_with("ONLY ONCE IT FOLLOWS"), "{words}");
}

#[test]
fn a_fence_whose_server_was_rebuilt_as_a_standby_is_in_force_no_more() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    let fences = |machine: &Machine| in_force::of(&machine.model).iter().filter(|left| left.is_fence).count();
    assert_eq!(fences(&machine), 1);
    let still_fenced = || Ok(server("standby", 2, "a2").with_flag("read_only", true));
    machine.pass(60, &world(still_fenced(), primary(2, "b")));
    assert_eq!(fences(&machine), 1, "a standby that took the setting with it");
    machine.pass(60, &world(rebuilt("a3"), primary(2, "b")));
    assert_eq!(fences(&machine), 0);
    // It is promoted later: nobody fenced it.
    machine.pass(60, &world(primary(3, "a3"), bad()));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn the_only_server_that_accepts_writes_is_not_told_to_be_fenced() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(30, &world(fenced("a"), bad()));
    machine.pass(30, &world(primary(1, "a"), bad()));
    let open = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::FencedWrites).unwrap();
    assert_eq!(open.contradiction.to_fence, None);
    assert!(open.contradiction.next.contains("DO NOT FENCE IT"), "{}", open.contradiction.next);
}

/// The old primary's fence was never lifted; the new one dies, and the old one is promoted by hand at once.
#[test]
fn a_fenced_server_is_not_named_while_no_other_one_is_seen_to_accept_writes() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    machine.ask(Ask::Abort { reason: "done".into() }).unwrap();
    // The other one is not even known to be down yet.
    machine.pass(6, &world(primary(3, "a"), bad()));
    let find = |machine: &Machine| {
        let known = of(&machine.model).iter().map(|open| open.contradiction.clone());
        known.filter(|known| known.kind == Kind::FencedWrites).collect::<Vec<_>>()
    };
    let found = find(&machine);
    assert!(matches!(&found[..], [known] if known.is_last && known.to_fence.is_none()), "{found:?}");
    assert!(remedy(&machine.model, &found[0]).is_none());
}

#[test]
fn what_to_do_about_a_broken_fence_turns_with_who_else_accepts_writes() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(12, &world(fenced("a"), standby("b")));
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    let last = |machine: &Machine| {
        let mut known = of(&machine.model).iter().map(|open| &open.contradiction);
        known
            .find(|known| known.kind == Kind::FencedWrites)
            .map(|known| (known.is_last, known.to_fence.is_some()))
    };
    assert_eq!(last(&machine), Some((true, false)));
    machine.pass(2, &world(primary(1, "a"), standby("b")));
    assert_eq!(last(&machine), Some((true, false)));
}

/// `fence` names what watches the server, as a plan does by itself: a lag that is measured against it is among that.
fn with_a_fence_seen_by_a_lag() -> Arc<Plan> {
    use crate::plan::params::Param;
    let mut plan = (*with_a_fence()).clone();
    let fence = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("check").unwrap();
    fence.fences.push("dr-lag".into());
    for (probe, key, dsn) in [
        ("primary-db", "dsn", "a"),
        ("dr-db", "dsn", "b"),
        ("dr-lag", "dsn", "b"),
        ("dr-lag", "primary", "a"),
    ] {
        let params = &mut plan.probes.get_mut(probe).unwrap().params;
        params.0.insert(key.into(), Param::Text(format!("host={dsn}")));
    }
    Arc::new(plan)
}

#[test]
fn a_fence_that_a_lag_watches_too_is_in_force_no_more_once_its_server_was_rebuilt() {
    let mut machine = fenced_under(with_a_fence_seen_by_a_lag());
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    let fences = |machine: &Machine| in_force::of(&machine.model).iter().filter(|left| left.is_fence).count();
    assert_eq!(fences(&machine), 1);
    machine.pass(60, &world(rebuilt("a2"), primary(2, "b")));
    assert_eq!(fences(&machine), 0);
    machine.pass(60, &world(primary(3, "a2"), bad()));
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_fence_around_several_servers_stays_until_each_of_them_was_rebuilt() {
    let mut plan = (*with_a_fence_seen_by_a_lag()).clone();
    let mut third = plan.probes["primary-db"].clone();
    (third.id, third.region) = ("other-db".into(), Some("primary".into()));
    third.params.0.insert("dsn".into(), crate::plan::params::Param::Text("host=c".into()));
    plan.probes.insert("other-db".into(), third);
    plan.runbooks.get_mut("failover").unwrap().steps.get_mut("check").unwrap().fences.push("other-db".into());
    let mut machine = fenced_under(Arc::new(plan));
    do_step(&mut machine, "promote");
    let fences = |machine: &Machine| in_force::of(&machine.model).iter().filter(|left| left.is_fence).count();
    machine.pass(60, &[world(rebuilt("a2"), primary(2, "b")), vec![("other-db", fenced("c"))]].concat());
    assert_eq!(fences(&machine), 1, "one of them is still fenced");
    machine.pass(60, &[world(rebuilt("a2"), primary(2, "b")), vec![("other-db", rebuilt("c2"))]].concat());
    assert_eq!(fences(&machine), 0);
}

#[test]
fn a_name_of_the_old_primary_that_moves_to_the_new_one_breaks_no_fence() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    for step in ["scale", "dns"] {
        do_step(&mut machine, step);
    }
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "tell".into(), how: "called".into() }).unwrap();
    machine.settle();
    machine.pass(30, &world(bad(), primary(2, "b")));
    assert_eq!(machine.model.serving().map(|region| region.as_str()), Some("dr"));
    let moved = world(primary(2, "b"), primary(2, "b"));
    for _ in 0..40 {
        machine.pass(1, &moved);
        assert_eq!(kinds(&machine), []);
    }
    assert_eq!(machine.model.serving().map(|region| region.as_str()), Some("dr"));
    assert_eq!(machine.model.state(&"dr-db".into()), SignalState::Ok);
    assert_eq!(machine.model.durable.services["postgresql"].status, Status::Up);
    // Back under its own name it is what was fenced.
    machine.pass(12, &world(primary(1, "a2"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}

/// Both in one region: only the promotion tells that the name moved.
#[test]
fn a_name_that_moves_within_a_region_breaks_no_fence_and_leaves_the_roles_right() {
    use crate::plan::params::Param;
    let mut plan = (*with_a_fence()).clone();
    for (probe, role, dsn) in [("primary-db", "primary", "a"), ("dr-db", "standby", "b")] {
        let spec = plan.probes.get_mut(probe).unwrap();
        spec.region = Some("primary".into());
        for (key, value) in [("role", role), ("dsn", dsn)] {
            spec.params.0.insert(key.into(), Param::Text(value.into()));
        }
    }
    let runbook = plan.runbooks.get_mut("failover").unwrap();
    runbook.activates = None;
    runbook.steps.get_mut("promote").unwrap().unfences = vec!["dr-db".into()];
    let mut machine = fenced_under(Arc::new(plan));
    do_step(&mut machine, "promote");
    machine.pass(30, &world(bad(), primary(2, "b")));
    machine.pass(60, &world(primary(2, "b"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    assert_eq!(machine.model.state(&"dr-db".into()), SignalState::Ok);
    // The fenced one itself is back.
    machine.pass(12, &world(primary(1, "a2"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}

/// All three in the region that serves.
#[test]
fn who_is_promoted_by_hand_beside_the_one_that_lifeboat_promoted_is_named() {
    let mut plan = (*plan()).clone();
    for probe in ["primary-db", "dr-db"] {
        plan.probes.get_mut(probe).unwrap().region = Some("dr".into());
    }
    plan.runbooks.get_mut("failover").unwrap().steps.get_mut("promote").unwrap().unfences =
        vec!["dr-db".into()];
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    do_step(&mut machine, "promote");
    machine.ask(Ask::Abort { reason: "done".into() }).unwrap();
    machine.pass(12, &world(primary(3, "a"), primary(2, "b")));
    let split = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::TwoPrimaries).unwrap();
    assert_eq!(split.contradiction.to_fence, Some("primary-db".into()), "{split:?}");
}

/// A primary of which the probe's own session hides whether it is read-only.
fn hidden(timeline: u32, started: &str) -> Outcome {
    let mut measured = server("primary", timeline, started);
    measured.fields.remove("read_only");
    Ok(measured.with_text(READ_ONLY_HIDDEN, "by its role".to_owned()))
}

#[test]
fn a_primary_whose_probe_cannot_tell_is_not_called_read_only() {
    let mut machine = Machine::new();
    machine.pass(60, &world(hidden(1, "a"), standby("b")));
    assert_eq!((kinds(&machine), severity(&machine)), (vec![], None));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Ok);
}

#[test]
fn two_primaries_whose_probes_cannot_tell_are_a_split_brain_that_says_so() {
    for (one, other) in [(hidden(1, "a"), hidden(2, "b")), (primary(1, "a"), hidden(2, "b"))] {
        let mut machine = Machine::new();
        machine.pass(20, &world(one.clone(), standby("b")));
        machine.pass(12, &world(one, other));
        assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
        let known = &of(&machine.model)[0].contradiction;
        assert!(known.what.contains("may both accept writes"), "{}", known.what);
        assert!(known.why.contains("cannot tell whether it accepts writes"), "{}", known.why);
    }
}

#[test]
fn a_primary_that_came_back_and_whose_probe_cannot_tell_is_no_proof_of_its_fence() {
    let mut machine = failing_over_with_a_fence();
    machine.pass(30, &world(bad(), standby("b")));
    machine.pass(12, &world(hidden(1, "a2"), standby("b")));
    let known = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::FencedWrites).unwrap();
    assert!(known.contradiction.what.contains("may accept writes although it was fenced"), "{known:?}");
    let other = |machine: &Machine| {
        let runbook = machine.model.plan.runbooks["failover"].clone();
        let found = crate::core::ask::other_side::of(
            &machine.model,
            &runbook,
            &runbook.steps["promote"],
            machine.now,
        );
        found.into_iter().find(|other| other.probe.as_str() == "primary-db").unwrap().words()
    };
    assert!(other(&machine).contains("CANNOT BE TOLD"), "{}", other(&machine));
}

/// The proof of the step, over a session of its own, says more than the probe can.
#[test]
fn a_server_that_lifeboat_made_read_only_is_no_second_primary_where_its_probe_cannot_tell() {
    let mut plan = (*with_a_fence()).clone();
    let fence = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("check").unwrap();
    *fence = of_kind(fence.clone(), "postgres-fence");
    fence.changes = true;
    let mut machine = Machine::failing_over_under(Arc::new(plan));
    machine.pass(12, &world(hidden(1, "a"), standby("b")));
    let run = machine.run();
    machine.ask(Ask::Prepare { run: run.clone(), step: "check".into() }).unwrap();
    let mut description = description(&"check".into());
    description.target.identity.push((crate::core::words::action::STARTED_AT.into(), "a".into()));
    machine.effects.clear();
    machine
        .report(Report::Described {
            run: run.clone(),
            step: "check".into(),
            result: Ok(description),
            manual: card(),
        })
        .unwrap();
    let confirmation =
        machine.model.step(&run, &"check".into()).unwrap().1.confirmation.as_ref().unwrap().id.clone();
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-check".into()) }).unwrap();
    machine.settle();
    assert_eq!(status(&machine, "check"), StepStatus::Verified);
    machine.pass(30, &world(hidden(1, "a"), standby("b")));
    assert_eq!(kinds(&machine), []);
    do_step(&mut machine, "promote");
    machine.pass(30, &world(hidden(1, "a"), primary(2, "b")));
    assert_eq!(kinds(&machine), []);
    // After a restart nobody has looked whether the setting is still there.
    machine.pass(12, &world(hidden(1, "a2"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::TwoPrimaries]);
}

#[test]
fn which_of_two_primaries_must_go_is_told_anew_when_a_fence_is_recorded_as_undone() {
    let mut machine = back_after_the_promotion();
    let to_fence = |machine: &Machine| of(&machine.model)[0].contradiction.to_fence.clone();
    assert_eq!(to_fence(&machine), Some("primary-db".into()));
    let since = of(&machine.model)[0].since;
    let mut open = of(&machine.model)[0].clone();
    open.contradiction.to_fence = Some("dr-db".into());
    machine.model.durable.contradictions = vec![open];
    machine.pass(2, &split());
    assert_eq!((to_fence(&machine), of(&machine.model)[0].since), (Some("primary-db".into()), since));
    assert_eq!(machine.model.durable.splits.len(), 1);
}

#[test]
fn nothing_is_recorded_to_serve_while_two_servers_accept_writes() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    for region in ["primary", "dr"] {
        let ask = || Ask::RecordServing { region: region.into(), reason: "it does".into() };
        let refused = machine.ask(ask()).unwrap_err();
        assert!(refused.why.contains("SPLIT BRAIN"), "{region}: {}", refused.why);
    }
}

#[test]
fn a_severity_holds_over_a_restart_until_everything_was_looked_at() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(12, &split());
    let before = machine.model.durable.severity.clone();
    assert!(before.is_some());
    let mut again = Machine::resumed(machine.log.clone(), machine.now);
    again.pass(1, &[("reference", good(None))]);
    assert_eq!(again.model.durable.severity, before, "nothing else was measured yet");
    again.pass(12, &split());
    assert_eq!(again.model.durable.severity.as_ref().map(|(s, ..)| *s), Some(Severity::P0));
    again.pass(60, &world(primary(1, "a"), standby("b2")));
    assert_eq!(again.model.durable.severity, None);
}

#[test]
fn another_region_that_serves_is_over_once_its_server_takes_no_writes_or_it_is_recorded() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(30, &world(standby("a"), primary(2, "b")));
    assert_eq!(kinds(&machine), [Kind::ServesElsewhere]);
    let read_only = || Ok(server("primary", 2, "b").with_flag("read_only", true));
    machine.pass(40, &world(standby("a"), read_only()));
    assert_eq!(kinds(&machine), [Kind::NobodyWrites]);
    let next = of(&machine.model)[0].contradiction.next.clone();
    assert!(next.contains("dr-db is a primary and read-only"), "{next}");
}

/// The fence is on a person's word; `after` seconds later the standby holds what was committed up to `held` seconds
/// before, and nobody sees the primary.
fn attested_and_fed(after: i64, held: f64) -> Machine {
    let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
    attest(&mut machine);
    later(&mut machine, after, held);
    machine
}

fn attest(machine: &mut Machine) {
    let run = machine.run();
    let how = "nothing can connect to it".into();
    machine.ask(Ask::Attest { run, step: "check".into(), how }).unwrap();
    machine.settle();
}

fn later(machine: &mut Machine, after: i64, held: f64) {
    machine.now += seconds(after);
    let mut fed = lag(0.0, held, 0.0).unwrap();
    let fields = [
        ("exposure_min_s", 0.0),
        ("primary_heard_s", 60.0),
        ("primary_writable_s", 60.0),
        ("primary_commits_s", held),
    ];
    for (name, number) in fields {
        fed.fields.insert(name.into(), crate::core::words::reading::Field::Number(number));
    }
    machine.observe(&[("primary-db", bad()), ("dr-db", standby("b")), ("dr-lag", Ok(fed))]);
    machine.report(Report::Tick).unwrap();
}

#[test]
fn a_fence_on_a_persons_word_is_broken_by_commits_that_come_after_it_although_nobody_sees_the_server() {
    let machine = attested_and_fed(40, 0.5);
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    assert_eq!(severity(&machine), Some(Severity::P0));
    let open = of(&machine.model).iter().find(|open| open.contradiction.kind == Kind::FencedWrites).unwrap();
    let known = &open.contradiction;
    assert!(known.what.contains("probe primary-db GOES ON WRITING"), "{}", known.what);
    assert!(known.blocks.contains(&Blocked::Promote) && known.to_fence == Some("primary-db".into()));
    let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
    assert!(loss.fenced_at.is_none() && loss.grows_from.is_some(), "it grows: {loss:?}");
    // The fence vouches for nothing, and the step can be done again.
    let found = remedy(&machine.model, known).unwrap();
    assert!(found.step.id.as_str() == "check" && found.state.denied.is_some());
}

#[test]
fn commits_of_before_a_fence_break_none_and_its_loss_is_closed() {
    for (after, held) in [(40, 45.0), (40, 37.0), (2, 0.0)] {
        let machine = attested_and_fed(after, held);
        assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{after} {held}: {:?}", kinds(&machine));
    }
    let machine = attested_and_fed(40, 45.0);
    let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
    assert!(loss.fenced_at.is_some() && loss.grows_from.is_none(), "{loss:?}");
}

/// The console was opened in the outage, and the standby streams from the same server under another address, or from one
/// in between.
#[test]
fn a_word_that_cannot_be_checked_says_so_and_closes_no_loss() {
    let mut machine = attested_and_fed(40, 45.0);
    let loss = |machine: &Machine| {
        crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap()
    };
    assert!(loss(&machine).grows_from.is_none(), "a stream from the server itself would break it");
    machine.now += seconds(5);
    let mut fed = out_of_sight_and_fed(50.0).with_flag("sender_matched", false);
    machine.observe(&[("primary-db", bad()), ("dr-db", standby("b")), ("dr-lag", Ok(fed.clone()))]);
    let found = loss(&machine);
    assert!(found.grows_from.is_some() && found.fenced_at.is_none() && found.on_word.is_none(), "{found:?}");
    let sentence = found.sentence();
    let said =
        "grows until its fence is PROVEN: alice's word cannot be checked: probe dr-lag streams from a server";
    assert!(sentence.contains(said), "{sentence}");
    fed = fed.with_text("sender", "10.0.0.5:5432".to_owned());
    machine.observe(&[("dr-lag", Ok(fed.clone()))]);
    let sentence = loss(&machine).sentence();
    assert!(sentence.contains("streams from 10.0.0.5:5432, which may be that server"), "{sentence}");
    // The next engine sees it no better.
    machine.report(Report::Tick).unwrap();
    let mut again =
        Machine::resumed_under(with_a_fence_seen_by_a_lag(), machine.log, machine.now + seconds(5));
    again.observe(&[("dr-lag", Ok(fed.clone()))]);
    assert!(loss(&again).doubted.is_some(), "{}", loss(&again).sentence());
    // Who looks into the server needs no stream to know what it does.
    again.observe(&[("primary-db", Ok(server("primary", 1, "a").with_flag("read_only", true)))]);
    assert!(loss(&again).grows_from.is_none(), "{}", loss(&again).sentence());
}

fn out_of_sight_and_fed(held: f64) -> crate::core::words::reading::Measurement {
    let fields = [("exposure_min_s", 0.0), ("primary_heard_s", 60.0), ("primary_writable_s", 60.0)];
    fields
        .into_iter()
        .fold(lag(0.0, held, 0.0).unwrap(), |measured, (name, number)| measured.with_number(name, number))
}

#[test]
fn a_fence_that_commits_broke_is_over_once_it_is_raised_again_and_no_more_come() {
    let mut machine = attested_and_fed(40, 0.5);
    again(&mut machine, Some("it takes writes")).unwrap();
    attest(&mut machine);
    later(&mut machine, 40, 42.0);
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
    later(&mut machine, 40, 1.0);
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "and is broken again by new ones");
}

/// The same by what reached the standby `ago` seconds before, while the times of commits tell nothing of after the word.
fn goes_on(machine: &mut Machine, after: i64, ago: f64) {
    machine.now += seconds(after);
    let fed = lag(0.0, 600.0, 0.0).unwrap().with_number("primary_commits_s", ago);
    machine.observe(&[("primary-db", bad()), ("dr-db", standby("b")), ("dr-lag", Ok(fed))]);
    machine.report(Report::Tick).unwrap();
}

#[test]
fn a_fence_on_a_persons_word_is_broken_by_what_reaches_the_standby_whatever_the_clocks_say() {
    for (after, ago, broken) in [(40, 1.0, true), (40, 30.0, true), (40, 37.0, false), (40, 50.0, false)] {
        let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
        attest(&mut machine);
        goes_on(&mut machine, after, ago);
        assert_eq!(kinds(&machine).contains(&Kind::FencedWrites), broken, "{ago}: {:?}", kinds(&machine));
        let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
        assert_eq!(loss.fenced_at.is_none(), broken, "{ago}: {loss:?}");
    }
}

/// The clock of this host is set by so many seconds.
fn set_clock(machine: &mut Machine, by: i64) {
    machine.now += seconds(by);
    machine.report(Report::ClockJumped { by: seconds(by), not_passed: seconds(by.max(0)) }).unwrap();
    machine.report(Report::Tick).unwrap();
}

#[test]
fn an_own_clock_that_is_set_after_the_word_of_a_fence_breaks_none_and_hides_no_commit() {
    for by in [3600, 10, -10, -3600] {
        let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
        goes_on(&mut machine, 1, 0.5);
        attest(&mut machine);
        set_clock(&mut machine, by);
        let broken = |machine: &Machine| kinds(machine).contains(&Kind::FencedWrites);
        assert!(!broken(&machine), "{by}: by a reading of before");
        goes_on(&mut machine, 2, 4.0);
        assert!(!broken(&machine), "{by}: by a commit of before the word");
        goes_on(&mut machine, 40, 0.5);
        assert!(broken(&machine), "{by}: a commit of long after both");
    }
}

#[test]
fn a_fence_that_is_said_after_the_clock_was_set_back_is_not_broken_by_what_was_read_before() {
    let mut machine = Machine::failing_over_under(with_a_fence_seen_by_a_lag());
    goes_on(&mut machine, 1, 0.5);
    set_clock(&mut machine, -3600);
    attest(&mut machine);
    machine.report(Report::Tick).unwrap();
    assert!(!kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

#[test]
fn a_fence_that_was_said_in_an_exercise_closes_no_loss() {
    let mut machine = attested_and_fed(40, 45.0);
    let fenced = |machine: &Machine| {
        let loss = crate::core::ask::evidence::loss(&machine.model, &"dr-lag".into(), machine.now).unwrap();
        (loss.fenced_at.is_some(), !crate::core::ask::in_force::of(&machine.model).is_empty())
    };
    assert_eq!(fenced(&machine), (true, true));
    let run = &mut machine.model.durable.incident.as_mut().unwrap().runs[0];
    run.steps.values_mut().for_each(|state| state.exercise = true);
    assert_eq!(fenced(&machine), (false, false));
}

#[test]
fn what_reaches_the_standby_breaks_a_word_also_for_an_engine_that_never_saw_the_primary() {
    let mut machine = attested_and_fed(40, 45.0);
    let mut again = Machine::resumed_under(with_a_fence_seen_by_a_lag(), machine.log.clone(), machine.now);
    std::mem::swap(&mut machine, &mut again);
    goes_on(&mut machine, 20, 1.0);
    assert!(kinds(&machine).contains(&Kind::FencedWrites), "{:?}", kinds(&machine));
}

/// It answers that no connection is left.
fn full() -> Outcome {
    Ok(bad()?.with_flag(crate::core::ask::servers::FULL, true))
}

#[test]
fn a_server_that_lets_nobody_in_is_not_said_to_accept_no_writes() {
    let mut machine = Machine::new();
    machine.pass(20, &world(primary(1, "a"), standby("b")));
    machine.pass(60, &world(full(), standby("b")));
    assert_eq!(machine.model.state(&"primary-db".into()), SignalState::Critical);
    assert!(!kinds(&machine).contains(&Kind::NobodyWrites), "{:?}", kinds(&machine));
    let mut failing = failing_over_with_a_fence();
    failing.pass(12, &world(full(), standby("b")));
    let runbook = &failing.model.plan.runbooks["failover"];
    let others =
        crate::core::ask::other_side::of(&failing.model, runbook, &runbook.steps["promote"], failing.now);
    assert_eq!(others[0].does, crate::core::ask::other_side::Does::Untold, "{others:?}");
    assert!(others[0].words().contains("is UP"), "{}", others[0].words());
}

#[test]
fn a_fence_stays_in_force_around_a_standby_that_was_not_rewound_onto_the_timeline_of_the_one_that_serves() {
    let mut machine = failing_over_with_a_fence();
    do_step(&mut machine, "promote");
    machine.pass(30, &world(fenced("a"), primary(2, "b")));
    machine.pass(90, &world(standby("a2"), primary(2, "b")));
    assert_eq!(in_force::of(&machine.model).iter().filter(|left| left.is_fence).count(), 1);
}

/// What the fence's own look says who answers at its address.
fn described(machine: &mut Machine, started: &str) {
    let run = machine.run();
    machine.ask(Ask::Prepare { run: run.clone(), step: "check".into() }).unwrap();
    let pairs = [("system identifier", "77"), ("role", "primary"), ("started at", started)];
    let target = crate::core::words::action::Target {
        name: "db-a:5432".into(),
        kind: "PostgreSQL server".into(),
        identity: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        reachable: true,
    };
    let description = crate::core::words::action::Description {
        call: "alter system".into(),
        command: "psql".into(),
        target,
        notes: Vec::new(),
        undo: Vec::new(),
        sets: Vec::new(),
    };
    let manual =
        crate::core::words::action::ManualCard { instructions: vec!["by hand".into()], check: "look".into() };
    machine.report(Report::Described { run, step: "check".into(), result: Ok(description), manual }).unwrap();
    machine.effects.clear();
}

#[test]
fn a_fence_whose_address_leads_to_the_server_that_serves_is_refused_and_the_one_that_is_meant_is_not() {
    let mut machine = Machine::failing_over_under(with_a_fence());
    machine.pass(12, &world(primary(2, "b"), primary(2, "b")));
    machine.effects.clear();
    described(&mut machine, "b");
    let run = machine.run();
    let (_, state) = machine.model.step(&run, &"check".into()).unwrap();
    let (refused, _) = state.obstacle.clone().expect("it must not be confirmed");
    assert!(refused.why.contains("leads to probe dr-db now, which accepts writes"), "{refused:?}");
    assert_eq!(state.status, StepStatus::Ready);
    // The process that the plan means.
    machine.pass(12, &world(primary(1, "a"), standby("b")));
    described(&mut machine, "a");
    assert_eq!(status(&machine, "check"), StepStatus::Confirming);
}

#[test]
fn a_preflight_says_which_steps_act_on_the_server_that_serves_by_an_address_that_moved() {
    use crate::core::words::preflight::{Preflight, StepChecks};
    let mut machine = Machine::resumed_under(with_a_fence(), Vec::new(), start());
    machine.pass(20, &world(standby("a"), primary(2, "b")));
    let reason = "moved by hand".into();
    machine.ask(Ask::RecordServing { region: "dr".into(), reason }).unwrap();
    machine.pass(12, &world(primary(2, "b"), primary(2, "b")));
    let step = |step: &str| StepChecks {
        runbook: "failover".into(),
        step: step.into(),
        title: step.into(),
        action: "postgres-fence".into(),
        checks: Vec::new(),
    };
    let (at, took) = (machine.now, seconds(1));
    let steps = vec![step("check"), step("promote")];
    let found = Preflight { at, took, simulated: None, regions: Vec::new(), steps };
    machine.report(Report::Preflighted(Box::new(found))).unwrap();
    let found = machine.model.live.preflight.as_ref().unwrap();
    let seen =
        |place: usize| found.steps[place].checks.iter().map(|check| check.result.seen()).collect::<String>();
    assert!(seen(0).contains("the address of probe primary-db leads to probe dr-db now"), "{}", seen(0));
    assert_eq!(seen(1), "", "it is about another one");
}
