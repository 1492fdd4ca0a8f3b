//! What a plan asks of its backups and drills, and preflights.

use super::fixture::*;
use crate::core::ask::backup::{self, About, BackupStatus};
use crate::core::ask::drill;
use crate::core::model::Model;
use crate::core::prose::describe;
use crate::core::react::react;
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::fact;
use crate::core::words::fact::Fact;
use crate::core::words::preflight::{Check, Preflight, RegionChecks};
use crate::core::words::reading::Measurement;
use crate::core::words::signal::SignalState;
use crate::plan::{Backup, Drill};
use jiff::SignedDuration;
use jiff::civil::date;

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// The value of `dr-lag` is in seconds: it stands for the age of a copy.
pub(super) fn dumps() -> Backup {
    Backup {
        title: "dumps".into(),
        method: "pg_dump".into(),
        location: "S3".into(),
        probe: "dr-lag".into(),
        max_age: Some(hours(26)),
        frequency: "daily".into(),
        retention: None,
        kept: String::new(),
        encryption: Some("aws:kms".into()),
        size_change_percent: 50,
        last_restore_test: None,
        test_every: Some(hours(7 * 24)),
        restore_probe: None,
    }
}

fn copy(bytes: f64, before: f64) -> Measurement {
    Measurement::good("newest is 10 s old")
        .with_value(10.0)
        .with_number("size_bytes", bytes)
        .with_number("previous_size_bytes", before)
        .with_text("encryption", Some("aws:kms arn:aws:kms:us-west-2:1:key/dr".to_owned()))
}

fn seen(backup: &Backup, measured: Measurement) -> BackupStatus {
    let mut machine = Machine::new();
    machine.observe(&[("dr-lag", Ok(measured))]);
    backup::standing(&machine.model, backup, machine.now)
}

fn finding(standing: &BackupStatus, about: About) -> Option<(SignalState, &str)> {
    standing.finding(about).map(|finding| (finding.state, &*finding.text))
}

#[test]
fn a_copy_of_an_odd_size_is_found_and_an_empty_one_is_critical() {
    let odd = |bytes, before| {
        let standing = seen(&dumps(), copy(bytes, before));
        finding(&standing, About::Size).map(|(state, _)| state)
    };
    assert_eq!(odd(60e9, 100e9), None);
    assert_eq!(odd(49e9, 100e9), Some(SignalState::Warn));
    assert_eq!(odd(190e9, 100e9), None);
    assert_eq!(odd(210e9, 100e9), Some(SignalState::Warn));
    assert_eq!(odd(0.0, 100e9), Some(SignalState::Critical));
    let standing = seen(&dumps(), copy(38e9, 100e9));
    assert_eq!(
        finding(&standing, About::Size),
        Some((SignalState::Warn, "the last copy is 38.0 GB, usual is 100.0 GB: -62 %"))
    );
    assert_eq!(standing.state, SignalState::Ok, "guards and rules of the plan see its freshness only");
    assert_eq!(standing.worst(), SignalState::Warn);
    let unjudged = Backup { size_change_percent: 100, ..dumps() };
    assert_eq!(finding(&seen(&unjudged, copy(1.0, 100e9)), About::Size), None);
}

#[test]
fn encryption_that_the_plan_does_not_mean_is_critical_and_what_nobody_tells_is_no_match() {
    let standing = seen(&dumps(), copy(1e9, 1e9));
    assert_eq!(finding(&standing, About::Encryption), None);
    let plain = copy(1e9, 1e9).with_text("encryption", Some("AES256".to_owned()));
    let standing = seen(&dumps(), plain);
    let (state, text) = finding(&standing, About::Encryption).unwrap();
    assert_eq!((state, standing.worst()), (SignalState::Critical, SignalState::Critical));
    assert!(text.contains("AES256") && text.contains("aws:kms"), "{text}");
    let flagged = |is| Measurement::good("x").with_value(1.0).with_flag("encrypted", is);
    let with_key =
        flagged(true).with_text("encryption_key", Some("arn:aws:kms:us-west-2:1:key/dr".to_owned()));
    assert_eq!(finding(&seen(&dumps(), with_key), About::Encryption), None);
    let bare = seen(&dumps(), flagged(false));
    assert_eq!(bare.encryption.as_deref(), Some("not encrypted"));
    assert_eq!(bare.worst(), SignalState::Critical);
    let silent = seen(&dumps(), Measurement::good("x").with_value(1.0));
    assert_eq!((silent.encryption.as_deref(), finding(&silent, About::Encryption)), (None, None));
}

#[test]
fn a_restore_that_was_never_proven_or_too_long_ago_is_found() {
    let never = seen(&dumps(), copy(1e9, 1e9));
    assert_eq!(never.restored, None);
    assert_eq!(
        finding(&never, About::Restore),
        Some((SignalState::Warn, "no restore of it was ever proven"))
    );
    let told = |age: f64| seen(&dumps(), copy(1e9, 1e9).with_number("last_restore_age_s", age));
    assert_eq!(finding(&told(3_600.0), About::Restore), None);
    let late = told(8.0 * 86_400.0);
    assert!(finding(&late, About::Restore).unwrap().1.contains("8 d"), "{late:?}");
    let today = start().to_zoned(jiff::tz::TimeZone::UTC).date();
    let written = Backup { last_restore_test: Some(today), ..dumps() };
    let both = seen(&written, copy(1e9, 1e9).with_number("last_restore_age_s", 8.0 * 86_400.0));
    assert!(both.restored.unwrap() < hours(24), "the younger of plan and probe counts");
    let by_probe = Backup { restore_probe: Some("dr-lag".into()), ..dumps() };
    assert_eq!(seen(&by_probe, copy(1e9, 1e9)).restored, Some(seconds(10)));
}

#[test]
fn the_age_of_a_copy_goes_on_while_nothing_is_seen() {
    let mut machine = Machine::new();
    machine.observe(&[("dr-lag", Ok(copy(1e9, 1e9)))]);
    let measured = machine.now;
    machine.now += hours(27);
    machine.observe(&[("dr-lag", blind())]);
    let standing = backup::standing(&machine.model, &dumps(), machine.now);
    assert_eq!(standing.measured_at, Some(measured));
    assert!(standing.age.unwrap() >= hours(27), "{standing:?}");
    assert_eq!(standing.state, SignalState::Critical);
}

#[test]
fn a_drill_is_due_by_its_date_and_done_by_a_completed_run() {
    let mut machine = Machine::failing_over();
    let mut spec =
        Drill { title: "full".into(), runbook: None, every: hours(90 * 24), last: Some(date(2020, 1, 1)) };
    let due = |model: &Model, spec: &Drill| drill::standing(model, spec, machine_now(model));
    assert!(due(&machine.model, &spec).is_due());
    spec.last = None;
    assert_eq!(due(&machine.model, &spec).done, None);
    assert!(due(&machine.model, &spec).is_due(), "what was never done is due");
    // The open run, aborted and closed, is no drill that was done.
    let run = machine.run();
    spec.runbook = Some(machine.model.run(&run).unwrap().runbook.clone());
    machine.ask(Ask::Abort { reason: "enough".into() }).unwrap();
    machine.ask(Ask::Close { reason: "done".into() }).unwrap();
    assert_eq!(due(&machine.model, &spec).done, None);
    let mut model = machine.model.clone();
    let closed = model.durable.closed.last_mut().unwrap();
    closed.mode = crate::core::words::incident::Mode::Drill;
    let at = closed.runs[0].ended.as_ref().unwrap().0;
    closed.runs[0].ended = Some((at, crate::core::words::incident::RunEnd::Completed));
    let standing = due(&model, &spec);
    assert!(standing.done.is_some() && !standing.is_due(), "{standing:?}");
}

fn machine_now(model: &Model) -> jiff::Timestamp {
    model.durable.timeline.back().map_or_else(start, |event| event.at)
}

fn found(machine: &Machine) -> Preflight {
    let checks = vec![
        Check::pass("caller", "arn:aws:iam::1:user/ana"),
        Check::fail("credentials", "they have ended", "Sign in again."),
        Check::not_checkable("rds:PromoteReadReplica", "iam:SimulatePrincipalPolicy is denied to the caller"),
    ];
    let regions = vec![RegionChecks { region: "us-west-2".into(), checks }];
    Preflight { at: machine.now, took: seconds(2), simulated: None, regions, steps: Vec::new() }
}

#[test]
fn a_preflight_runs_once_at_a_time_and_its_outcome_is_durable() {
    let mut machine = Machine::new();
    let facts = machine.ask(Ask::Preflight).unwrap();
    assert_eq!(facts, [Fact::PreflightStarted]);
    assert!(!facts[0].is_durable());
    let event = fact::Event { at: machine.now, by: operator(), fact: facts[0].clone(), record: None };
    assert_eq!(react(&machine.model, &event), [Effect::Preflight]);
    let refusal = machine.ask(Ask::Preflight).unwrap_err();
    assert!(refusal.why.contains("under way"), "{refusal:?}");

    let facts = machine.report(Report::Preflighted(Box::new(found(&machine)))).unwrap();
    let Fact::PreflightRan { asked_by, tally, failing, simulated } = &facts[0] else { panic!("{facts:?}") };
    assert_eq!((asked_by, *simulated), (&operator(), false));
    assert_eq!((tally.pass, tally.fail, tally.not_checkable), (1, 1, 1));
    assert_eq!(failing, &["us-west-2"]);
    assert!(facts[0].is_durable() && !facts[1].is_durable());
    let sentence = describe::describe(&facts[0], &machine.model.plan);
    assert!(sentence.contains("1 fail") && sentence.contains("us-west-2"), "{sentence}");
    assert_eq!(machine.model.live.preflight.as_deref(), Some(&found(&machine)));
    assert!(machine.ask(Ask::Preflight).is_ok(), "it has ended, so another one may begin");
}

#[test]
fn a_preflight_whose_answer_is_lost_does_not_block_the_next_one() {
    let mut machine = Machine::new();
    machine.ask(Ask::Preflight).unwrap();
    machine.now += SignedDuration::from_mins(4);
    assert!(machine.ask(Ask::Preflight).is_ok());
}
