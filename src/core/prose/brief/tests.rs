use super::*;
use crate::core::tests::fixture::{self, Machine, seconds};
use crate::core::tests::people::with_people;
use crate::core::words::action::{Acted, Failure};
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::incident::Outcome;
use crate::core::words::status::StepStatus;

fn brief(machine: &Machine) -> String {
    let lines = lines(&machine.model, machine.now);
    assert!(lines.len() <= LINES, "{lines:#?}");
    assert!(lines.iter().all(|line| line.chars().count() <= LINE_LIMIT_CHARS + 1), "{lines:#?}");
    let text = lines.join("\n");
    let words = text.split_whitespace().count();
    assert!(words <= 150, "{words} words take more than a minute:\n{text}");
    text
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

fn proposed() -> Machine {
    let mut machine = with_people(Machine::primary_down());
    machine.pass(60, &fixture::down());
    assert!(machine.model.durable.proposal.is_some());
    machine
}

fn declared() -> Machine {
    let mut machine = proposed();
    machine.ask(Ask::Declare { title: "primary gone".into(), mode: Mode::Live }).unwrap();
    machine
}

/// The promotion was confirmed and failed.
fn mitigating(acted: Acted) -> Machine {
    let mut machine = declared();
    let (answer, yes) = ("yes".to_owned(), Some("yes".to_owned()));
    let reason = Some("seen from two places".to_owned());
    machine.ask(Ask::Answer { question: "primary-down".into(), answer, suggested: yes, reason }).unwrap();
    machine.settle();
    let confirmation = machine.prepare("promote");
    machine.ask(Ask::Confirm { confirmation, typed: Some("target-of-promote".into()) }).unwrap();
    machine.effects.retain(|effect| !matches!(effect, Effect::Execute { .. }));
    let failure = Failure {
        what: "promotion".into(),
        why: "permission denied".into(),
        next: "Look at the role.".into(),
        acted,
    };
    let (run, outcome) = (machine.run(), Outcome::Failed(failure));
    machine.report(Report::Executed { run, step: "promote".into(), attempt: 1, outcome }).unwrap();
    machine
}

#[test]
fn a_quiet_day_says_that_there_is_nothing() {
    let mut machine = with_people(Machine::new());
    machine.pass(20, &fixture::healthy());
    let text = brief(&machine);
    has(&text, &["What: no incident is open", "every region and service is up", "Journal: #"]);
    assert!(!text.contains("Told") && !text.contains("Next"), "{text}");
}

#[test]
fn trouble_without_an_incident_says_that_one_has_to_be_declared() {
    let text = brief(&Machine::primary_down());
    has(&text, &["no incident is open, although the severity is P0", "Next: declare an incident"]);
}

#[test]
fn a_proposal_says_that_nobody_declared_it_and_who_is_told_next() {
    let machine = proposed();
    let text = brief(&machine);
    has(
        &text,
        &["P0 proposed, NOBODY declared it", "DOWN region primary", "Next: declare it, or dismiss it"],
    );
    has(&text, &["Taken on: NOBODY; \"Management\" is told in", "Told: nobody reached yet"]);
}

#[test]
fn an_assessment_says_the_question_and_what_a_failover_would_lose() {
    let mut machine = declared();
    machine.settle();
    let text = brief(&machine);
    has(&text, &["P0 LIVE: primary gone (INC-2026", "phase assess", "declared 03:0", "by alice"]);
    has(&text, &["left of the RTO of 15 min", "a failover now loses: about 14 s, 3.2 MB"]);
    has(&text, &["Next: answer \"Is the primary region completely down?\"; suggested is \"yes\""]);
    has(&text, &["Told: Bob Berg", "Roles: commander alice; nobody for communications, operations, scribe"]);
}

#[test]
fn a_failed_step_is_named_with_its_reason_and_what_can_be_done() {
    let text = brief(&mitigating(Acted::No));
    has(&text, &["phase mitigate", "1 of 5 steps of \"Failover\" settled"]);
    has(&text, &["FAILED \"step promote\" (permission denied)", "\"step promote\" failed: try it again"]);
    has(
        &text,
        &["\"yes\" to \"Is the primary region completely down?\" by alice, because seen from two places"],
    );
    assert!(text.split_whitespace().count() >= 90, "{text}");
}

#[test]
fn an_unknown_step_never_counts_as_failed_or_done() {
    let machine = mitigating(Acted::Maybe);
    let (_, state) = machine.model.step(&machine.run(), &"promote".into()).unwrap();
    assert_eq!(state.status, StepStatus::Unknown);
    let text = brief(&machine);
    has(&text, &["UNKNOWN \"step promote\"", "may or may not have acted"]);
    assert!(!text.contains("FAILED"), "{text}");
}

#[test]
fn who_took_it_on_who_was_missed_and_what_is_overdue_are_told() {
    let mut machine = declared();
    machine.settle();
    machine.ask(Ask::Acknowledge).unwrap();
    let who = crate::core::words::escalation::IncidentRole::Communications;
    machine.ask(Ask::HandOver { role: who, to: "Dora Diaz".into() }).unwrap();
    machine.pass(901, &fixture::down());
    let known = machine.model.durable.notifications.values_mut().next().unwrap();
    known.status = crate::core::words::notification::DeliveryStatus::Failed;
    let text = brief(&machine);
    has(&text, &["Taken on: alice by console", "communications Dora Diaz"]);
    has(&text, &["\"First word to customers\" OVERDUE since", "Told: Bob Berg"]);
    for known in machine.model.durable.notifications.values_mut() {
        known.status = crate::core::words::notification::DeliveryStatus::Failed;
    }
    has(&brief(&machine), &["Told: nobody reached yet; NOT REACHED Bob Berg by phone (failed)"]);
}

#[test]
fn what_was_resolved_is_watched_and_then_closed() {
    let mut machine = declared();
    machine.ask(Ask::Resolve { how: "the provider mended it".into() }).unwrap();
    machine.pass(60, &fixture::healthy());
    has(
        &brief(&machine),
        &["phase monitor", "RESOLVED", "the provider mended it", "Next: watch it for 59 min"],
    );
    machine.now = machine.now.checked_add(seconds(3600)).unwrap();
    has(&brief(&machine), &["phase close", "Next: it was watched long enough: close it"]);
}

#[test]
fn a_drill_says_so_and_long_texts_of_people_are_cut() {
    let mut machine = with_people(Machine::new());
    machine.pass(20, &fixture::healthy());
    let title = format!("quarterly \u{1b}[31m{}", "long ".repeat(200));
    machine.ask(Ask::Declare { title, mode: Mode::Drill }).unwrap();
    let text = brief(&machine);
    has(&text, &["DRILL that ACTS FOR REAL, nothing is broken: quarterly"]);
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_journal_that_cannot_be_written_is_said_beside_its_head() {
    let mut machine = declared();
    machine.model.live.journal_failure = Some("no space left on device".into());
    has(&brief(&machine), &["Journal: #", "CANNOT BE WRITTEN: no space left on device"]);
}
