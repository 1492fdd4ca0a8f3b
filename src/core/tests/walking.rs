use super::fixture::*;
use crate::core::words::action::{Done, Proof};
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome, Position, RunEnd};
use crate::core::words::status::StepStatus;

fn answer(question: &str, answer: &str, suggested: Option<&str>, reason: Option<&str>) -> Ask {
    Ask::Answer {
        question: question.into(),
        answer: answer.into(),
        suggested: suggested.map(str::to_owned),
        reason: reason.map(str::to_owned),
    }
}

fn declared(mut machine: Machine) -> Machine {
    machine.ask(Ask::Declare { title: "something".into(), mode: Mode::Live }).unwrap();
    machine
}

fn status(machine: &Machine, step: &str) -> StepStatus {
    machine.model.step(&machine.run(), &step.into()).unwrap().1.status
}

#[test]
fn an_answer_against_the_suggestion_needs_a_reason() {
    let mut machine = declared(Machine::primary_down());
    let refusal = machine.ask(answer("primary-down", "no", Some("yes"), None)).unwrap_err();
    assert!(refusal.why.contains("not what the evidence suggests"), "{refusal}");
    machine
        .ask(answer("primary-down", "no", Some("yes"), Some("the network team says it is theirs")))
        .unwrap();
    let incident = machine.model.durable.incident.as_ref().unwrap();
    assert_eq!(incident.position, Position::Question("partial".into()));
    let given = &incident.answers[0];
    assert_eq!(given.suggested.as_deref(), Some("yes"));
    assert_eq!(given.evidence.len(), 2);
    assert_eq!(given.evidence[1].summary, "refused");
}

#[test]
fn an_answer_to_what_is_no_longer_on_the_screen_is_refused() {
    let mut machine = declared(Machine::primary_down());
    let refusal = machine.ask(answer("primary-down", "yes", None, Some("because"))).unwrap_err();
    assert!(refusal.why.contains("changed to yes while you answered"), "{refusal}");
    let refusal = machine.ask(answer("partial", "no", None, Some("because"))).unwrap_err();
    assert!(refusal.why.contains("not the open question"), "{refusal}");
}

#[test]
fn not_failing_over_is_an_end_of_the_tree_too() {
    let mut machine = Machine::new();
    machine.pass(20, &healthy());
    let mut machine = declared(machine);
    machine.ask(answer("primary-down", "no", Some("no"), None)).unwrap();
    machine.ask(answer("partial", "no", Some("no"), None)).unwrap();
    let incident = machine.model.durable.incident.as_ref().unwrap();
    assert_eq!(incident.position, Position::Leaf("monitor".into()));
    assert!(incident.runs.is_empty());
    machine.ask(Ask::Close { reason: "it was nothing".into() }).unwrap();
    assert!(machine.model.durable.incident.is_none());
}

#[test]
fn a_whole_failover_ends_with_every_step_settled_and_the_other_region_active() {
    let mut machine = Machine::failing_over();
    assert_eq!(status(&machine, "check"), StepStatus::Verified);
    for step in ["promote", "scale", "dns"] {
        let id = machine.prepare(step);
        let typed = Some(format!("target-of-{step}")).filter(|_| step == "promote");
        machine.ask(Ask::Confirm { confirmation: id, typed }).unwrap();
        machine.settle();
        assert_eq!(status(&machine, step), StepStatus::Verified);
    }
    assert_eq!(status(&machine, "tell"), StepStatus::Ready);
    assert_eq!(machine.model.durable.active, Some("dr".into()), "telling people does not keep the region");
    let run = machine.run();
    machine.ask(Ask::Attest { run, step: "tell".into(), how: "called everybody".into() }).unwrap();
    machine.settle();
    let incident = machine.model.durable.incident.as_ref().unwrap();
    assert_eq!(incident.runs[0].ended.as_ref().map(|(_, end)| end), Some(&RunEnd::Completed));
    assert_eq!(machine.model.durable.active, Some("dr".into()));
    assert_eq!(machine.executed.len(), 4);
}

#[test]
fn the_step_that_switches_moves_the_region_before_the_rest_is_done() {
    let mut machine = Machine::failing_over();
    for step in ["promote", "dns"] {
        assert_eq!(machine.model.durable.active, Some("primary".into()), "before {step}");
        let id = machine.prepare(step);
        let typed = Some(format!("target-of-{step}")).filter(|_| step == "promote");
        machine.ask(Ask::Confirm { confirmation: id, typed }).unwrap();
        machine.settle();
    }
    assert_eq!(machine.model.durable.active, Some("dr".into()));
    assert_eq!(status(&machine, "scale"), StepStatus::Ready);
}

#[test]
fn independent_steps_run_side_by_side() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap();
    machine.settle();
    let (scale, dns) = (machine.prepare("scale"), machine.prepare("dns"));
    machine.ask(Ask::Confirm { confirmation: scale, typed: None }).unwrap();
    machine.ask(Ask::Confirm { confirmation: dns, typed: None }).unwrap();
    assert_eq!(
        (status(&machine, "scale"), status(&machine, "dns")),
        (StepStatus::Started, StepStatus::Started)
    );
    assert_eq!(status(&machine, "tell"), StepStatus::Pending);
}

#[test]
fn a_failed_step_is_retried_only_under_a_new_confirmation() {
    let mut machine = Machine::failing_over();
    let run = machine.run();
    let first = machine.prepare("promote");
    let typed = || Some("target-of-promote".to_owned());
    machine.ask(Ask::Confirm { confirmation: first.clone(), typed: typed() }).unwrap();
    machine.effects.clear();
    let outcome = Outcome::Failed(Machine::failure());
    let report = Report::Executed { run: run.clone(), step: "promote".into(), attempt: 1, outcome };
    machine.report(report.clone()).unwrap();
    assert_eq!(status(&machine, "promote"), StepStatus::Failed);
    assert!(machine.report(report).is_err(), "an outcome is taken once");
    machine.ask(Ask::Retry { run, step: "promote".into(), reason: None }).unwrap();
    assert!(machine.ask(Ask::Confirm { confirmation: first, typed: typed() }).is_err());
    let second = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: second, typed: typed() }).unwrap();
    assert_eq!(machine.model.step(&machine.run(), &"promote".into()).unwrap().1.attempt, 2);
}

#[test]
fn an_aborted_run_cuts_its_steps_off_and_they_become_unknown() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap();
    machine.effects.clear();
    let facts = machine.ask(Ask::Abort { reason: "the primary came back".into() }).unwrap();
    assert!(matches!(&facts[..], [Fact::RunEnded { end: RunEnd::Aborted(_), .. }]));
    let cancel = crate::core::words::effect::Effect::Cancel { run: machine.run(), step: "promote".into() };
    assert_eq!(machine.effects, [cancel]);
    let mut failure = Machine::failure();
    failure.acted = crate::core::words::action::Acted::Maybe;
    let outcome = Outcome::Failed(failure);
    machine
        .report(Report::Executed { run: machine.run(), step: "promote".into(), attempt: 1, outcome })
        .unwrap();
    assert_eq!(status(&machine, "promote"), StepStatus::Unknown);
}

#[test]
fn an_aborted_run_withdraws_its_open_confirmations() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.ask(Ask::Abort { reason: "enough".into() }).unwrap();
    assert_eq!(status(&machine, "promote"), StepStatus::Ready);
    assert!(machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).is_err());
}

#[test]
fn reasons_are_asked_for_and_cleaned() {
    let mut machine = Machine::failing_over();
    let run = machine.run();
    let skip = |reason: &str| Ask::Skip { run: run.clone(), step: "promote".into(), reason: reason.into() };
    assert!(machine.ask(skip("  ")).unwrap_err().why.contains("empty"));
    machine.ask(skip("not \u{1b}[31mneeded")).unwrap();
    let (_, state) = machine.model.step(&run, &"promote".into()).unwrap();
    assert_eq!(state.reason.as_deref(), Some("not \u{fffd}[31mneeded"));
}

/// Promote was confirmed and said that it did it; its verification is under way.
fn promoted() -> Machine {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap();
    machine.effects.clear();
    let outcome = Outcome::Done(Done { summary: "done".into() });
    let run = machine.run();
    machine.report(Report::Executed { run, step: "promote".into(), attempt: 1, outcome }).unwrap();
    machine
}

fn checked(machine: &Machine, ok: bool) -> Report {
    let proof = Proof { evidence: vec!["seen".into()] };
    let result = if ok { Ok(proof) } else { Err(Machine::failure()) };
    Report::Checked { run: machine.run(), step: "promote".into(), attempt: 1, result }
}

#[test]
fn what_ran_and_could_not_be_proven_is_unknown_and_can_be_read_again() {
    let mut machine = promoted();
    machine.report(checked(&machine, false)).unwrap();
    assert_eq!(
        status(&machine, "promote"),
        StepStatus::Unknown,
        "it ran: nobody may say that it did nothing"
    );
    let run = machine.run();
    let again = Ask::Retry { run: run.clone(), step: "promote".into(), reason: None };
    assert!(machine.ask(again).unwrap_err().why.contains("nobody knows"));
    machine.ask(Ask::Recheck { run, step: "promote".into() }).unwrap();
    machine.report(checked(&machine, true)).unwrap();
    assert_eq!(status(&machine, "promote"), StepStatus::Verified);
    assert!(machine.report(checked(&machine, false)).is_err(), "a late doubt does not turn a proven step");
}

#[test]
fn what_an_aborted_run_left_behind_can_still_be_proven_and_is_not_lost_by_closing() {
    let mut machine = Machine::failing_over();
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap();
    machine.ask(Ask::Abort { reason: "wrong region".into() }).unwrap();
    let close = || Ask::Close { reason: "enough".into() };
    assert!(machine.ask(close()).unwrap_err().why.contains("is still being ended"));
    let outcome = Outcome::Failed(crate::core::words::action::Failure::maybe_done(
        "promote",
        "cut off",
        "read it back",
    ));
    let run = machine.run();
    machine
        .report(Report::Executed { run: run.clone(), step: "promote".into(), attempt: 1, outcome })
        .unwrap();
    machine.report(checked(&machine, false)).unwrap();
    machine.effects.clear();
    machine.ask(Ask::Recheck { run: run.clone(), step: "promote".into() }).unwrap();
    assert_eq!(machine.effects, [Effect::Verify { run, step: "promote".into(), attempt: 1, patient: false }]);
    machine.report(checked(&machine, true)).unwrap();
    assert_eq!(status(&machine, "promote"), StepStatus::Verified);
    machine.ask(close()).unwrap();
}

#[test]
fn a_run_whose_point_of_no_return_was_skipped_moves_nothing() {
    let mut machine = Machine::failing_over();
    let run = machine.run();
    for step in ["promote", "scale", "dns"] {
        let skip = Ask::Skip { run: run.clone(), step: step.into(), reason: "false alarm".into() };
        machine.ask(skip).unwrap();
    }
    machine.ask(Ask::Attest { run, step: "tell".into(), how: "called".into() }).unwrap();
    machine.settle();
    let incident = machine.model.durable.incident.as_ref().unwrap();
    assert_eq!(incident.runs[0].ended.as_ref().map(|(_, end)| end), Some(&RunEnd::Completed));
    assert_eq!(machine.model.durable.active, Some("primary".into()), "the standby was not promoted");
    assert_eq!(machine.model.durable.last_failover(), None);
}

#[test]
fn a_step_that_runs_by_itself_starts_once_its_other_guards_hold_beside_an_overridden_one() {
    let mut machine = Machine::primary_down();
    let guard = |text: &str| crate::plan::condition::Condition::parse(text).unwrap();
    let plan = std::sync::Arc::make_mut(&mut machine.model.plan);
    let check = plan.runbooks.get_mut("failover").unwrap().steps.get_mut("check").unwrap();
    check.guard = vec![guard("incident.mode == 'drill'"), guard("signals['dr-lag'].value_s < 10.0")];
    let mut machine = declared(machine);
    machine.ask(answer("primary-down", "yes", Some("yes"), None)).unwrap();
    machine.settle();
    let run = machine.run();
    machine.ask(Ask::Override { run, step: "check".into(), guard: 0, reason: "it is real".into() }).unwrap();
    machine.settle();
    assert_eq!(status(&machine, "check"), StepStatus::Confirming);
    machine.pass(5, &[("dr-lag", lag(1.0, 1.0, 1.0)), ("reference", good(None))]);
    machine.settle();
    assert_eq!(status(&machine, "check"), StepStatus::Verified);
}

#[test]
fn an_override_is_for_one_attempt() {
    let mut machine = Machine::failing_over();
    let run = machine.run();
    let over = Ask::Override { run: run.clone(), step: "promote".into(), guard: 0, reason: "go".into() };
    machine.ask(over).unwrap();
    let id = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap();
    machine.effects.clear();
    let outcome = Outcome::Failed(Machine::failure());
    machine
        .report(Report::Executed { run: run.clone(), step: "promote".into(), attempt: 1, outcome })
        .unwrap();
    machine.ask(Ask::Retry { run: run.clone(), step: "promote".into(), reason: None }).unwrap();
    machine.pass(20, &[("dr-lag", lag(900.0, 900.0, 9e9)), ("reference", good(None))]);
    let id = machine.prepare("promote");
    let refusal =
        machine.ask(Ask::Confirm { confirmation: id, typed: Some("target-of-promote".into()) }).unwrap_err();
    assert!(refusal.why.contains("does not hold"), "{refusal}");
}

#[test]
fn a_description_that_was_lost_with_the_journal_is_asked_for_again() {
    let mut machine = declared(Machine::primary_down());
    machine.ask(answer("primary-down", "yes", Some("yes"), None)).unwrap();
    machine.report(Report::Tick).unwrap();
    machine.effects.clear();
    let fact = crate::core::words::fact::Fact::JournalChanged { failure: None, protection: String::new() };
    let by = crate::core::words::actor::Actor::Engine;
    let event = crate::core::words::fact::Event { at: machine.now, by, fact, record: None };
    crate::core::apply::apply(&mut machine.model, &event);
    machine.report(Report::Tick).unwrap();
    machine.settle();
    assert_eq!(status(&machine, "check"), StepStatus::Verified);
}
