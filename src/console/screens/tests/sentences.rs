//! Every kind of fact as the timeline and the command line tell it.

use super::plan::{plan, seconds};
use super::stage::*;
use crate::base::problem::Problem;
use crate::core::ask::contradiction::{Contradiction, Kind};
use crate::core::ask::loss_reading::LossReading;
use crate::core::ask::own_clock::ClockOff;
use crate::core::prose::describe::describe;
use crate::core::words::action::{Acted, Done, Failure, Proof};
use crate::core::words::actor::Actor;
use crate::core::words::confirmation::LossEstimate;
use crate::core::words::escalation::{DueMessage, IncidentRole};
use crate::core::words::fact::Fact;
use crate::core::words::incident::{Mode, Outcome, RunEnd};
use crate::core::words::notification::{
    Again, Attempted, Cause, Intent, Message, Queued, Receipt, Tracked, Undelivered, Way,
};
use crate::core::words::preflight::{Preflight, Tally};
use crate::core::words::reading::{Reading, Verdict};
use crate::core::words::signal::SignalState;
use crate::plan::{Capabilities, Severity, Shift};

fn failure(acted: Acted) -> Failure {
    Failure {
        what: "pg_promote on db:5432".into(),
        why: "timed out".into(),
        next: "Look at it.".into(),
        acted,
    }
}

fn reading(outcome: Result<&str, &str>) -> Fact {
    let outcome = match outcome {
        Ok(summary) => Ok(measured(Verdict::Good, Some(14.0), summary, &[])),
        Err(why) => Err(Problem { why: why.into(), next: String::new() }),
    };
    let reading = Reading { at: jiff::Timestamp::UNIX_EPOCH, took: seconds(1), outcome };
    Fact::ReadingTaken { probe: "dr-lag".into(), reading, judged: SignalState::Ok }
}

fn of_engine() -> Vec<Fact> {
    let preflight = Preflight {
        at: jiff::Timestamp::UNIX_EPOCH,
        took: seconds(1),
        simulated: None,
        regions: Vec::new(),
        steps: Vec::new(),
    };
    let started = |recovery: &str| Fact::EngineStarted {
        version: "0.1.0".into(),
        plan: "3f9a".into(),
        recovery: recovery.into(),
        since_boot: None,
        noted: None,
    };
    vec![
        started(""),
        started("a torn line was kept aside"),
        Fact::EngineStopped { why: "asked to by alice".into() },
        Fact::ClockJumped { by: seconds(-75), not_passed: seconds(0) },
        Fact::ClockJumped { by: seconds(7200), not_passed: seconds(7200) },
        Fact::ClockJudged { off: Some(ClockOff { ahead: seconds(-7200), peers: 3 }), recorded: true },
        Fact::ClockJudged { off: None, recorded: true },
        reading(Ok("streaming, 14 s behind")),
        reading(Err("no route to host")),
        Fact::SignalChanged {
            probe: "primary-db".into(),
            from: SignalState::Ok,
            to: SignalState::Critical,
            why: "connection refused".into(),
        },
        Fact::SeverityChanged { from: None, to: Some(Severity::P0), why: "the region is down".into() },
        Fact::PrimaryMeasured {
            probe: "dr-db".into(),
            before: Some("primary-db".into()),
            timeline: Some(2),
            serves: Some("dr".into()),
        },
        Fact::LossNoted { probe: "dr-lag".into(), reading: Some(loss_reading()) },
        Fact::LossNoted { probe: "dr-lag".into(), reading: None },
        Fact::ServingRecorded { region: "dr".into(), reason: "promoted by hand".into() },
        Fact::RegionMoved { run: "INC-1/1".into(), region: "dr".into() },
        Fact::ServicesMoved {
            run: "INC-1/1".into(),
            step: "promote".into(),
            services: vec![("postgresql".into(), "dr".into())],
        },
        Fact::ContradictionFound { contradiction: Box::new(split_brain()) },
        Fact::DivergenceSettled {
            id: split_brain().id,
            what: split_brain().what,
            how: "pg_waldump of both is in the incident's folder".into(),
        },
        Fact::ContradictionAnswered {
            id: split_brain().id,
            what: split_brain().what,
            reason: "the old one is powered off".into(),
        },
        Fact::ContradictionEnded {
            id: split_brain().id,
            what: split_brain().what,
            why: "DB A accepts none on timeline 14".into(),
            unseen: false,
        },
        Fact::SeverityChanged { from: Some(Severity::P0), to: Some(Severity::P0), why: "no writes".into() },
        Fact::SeverityChanged { from: Some(Severity::P0), to: Some(Severity::P2), why: "it lags".into() },
        Fact::SeverityChanged { from: Some(Severity::P2), to: None, why: "nothing holds".into() },
        Fact::JournalChanged { failure: Some("disk full".into()), protection: String::new() },
        Fact::JournalChanged { failure: None, protection: "append-only".into() },
        Fact::JournalSpace { short: Some("0 bytes can still be written to /state/journal".into()) },
        Fact::JournalSpace { short: None },
        Fact::PagedUnrecorded {
            page: crate::core::ask::unrecorded::UnrecordedPage {
                sent_at: jiff::Timestamp::UNIX_EPOCH,
                why: "disk full".into(),
                who: "Ada".into(),
                way: crate::core::words::notification::Way { channel: "sms".into(), address: None },
                result: Err("no answer".into()),
            },
        },
        Fact::PreflightStarted,
        Fact::PreflightRan {
            asked_by: Actor::Engine,
            tally: Tally { pass: 12, warn: 1, fail: 2, not_checkable: 3 },
            failing: vec!["full/promote".into(), "us-west-2".into()],
            simulated: false,
        },
        Fact::PreflightFound { preflight: Box::new(preflight) },
    ]
}

fn split_brain() -> Contradiction {
    Contradiction {
        id: "two-primaries:a-db@14,b-db@15".into(),
        kind: Kind::TwoPrimaries,
        servers: vec!["a-db".into(), "b-db".into()],
        severity: Severity::P0,
        what: "SPLIT BRAIN: DB A and DB B accept writes".into(),
        why: "DB A accepts writes on timeline 14; DB B accepts writes on timeline 15".into(),
        next: "Fence one.".into(),
        blocks: Vec::new(),
        to_fence: None,
        is_last: false,
        serves: None,
    }
}

fn of_incident() -> Vec<Fact> {
    let mut stage = region_down();
    stage.answer("down", "no", Some("yes"), Some("only our VPN"));
    let answered = stage.model.durable.timeline.back().unwrap().fact.clone();
    vec![
        Fact::IncidentDeclared {
            id: "INC-1".into(),
            title: "us-east-1 does not answer".into(),
            mode: Mode::Drill,
            detected_at: stage.now,
            severity: Some(Severity::P1),
        },
        Fact::DrillTurnedLive {
            id: "INC-1".into(),
            title: "us-east-1 is really gone".into(),
            detected_at: stage.now,
            severity: Some(Severity::P0),
            proposal: Some("INC-2".into()),
        },
        Fact::SeveritySet { severity: Severity::P2, reason: "only the office sees it".into() },
        answered,
        Fact::QuestionRevisited { question: "down".into() },
        Fact::RunStarted {
            run: RUN.into(),
            runbook: "full".into(),
            steps: vec!["promote".into()],
            aim: None,
        },
        Fact::RunEnded { run: RUN.into(), end: RunEnd::Completed },
        Fact::RunEnded { run: RUN.into(), end: RunEnd::Aborted("it came back".into()) },
        Fact::NoteAdded { text: "called the \u{1b}[31mDBA".into() },
        Fact::IncidentClosed { reason: "all is well".into() },
    ]
}

fn of_step() -> Vec<Fact> {
    let mut stage = region_down();
    stage.promoting();
    let bundle = stage.model.step(&RUN.into(), &"promote".into()).unwrap().1.confirmation.clone().unwrap();
    let (run, step, confirmation) = (|| RUN.into(), || "promote".into(), bundle.id.clone());
    let primary =
        crate::core::ask::watch::Found::Primary { timeline: 2, writable: true, system: "77".into() };
    let started = |attempt| Fact::StepStarted {
        run: run(),
        step: step(),
        attempt,
        confirmation: bundle.id.clone(),
        fingerprint: None,
    };
    let finished = |outcome| Fact::StepFinished { run: run(), step: step(), attempt: 1, outcome };
    let confirmed = |typed: Option<&str>| Fact::StepConfirmed {
        run: run(),
        step: step(),
        confirmation: bundle.id.clone(),
        typed: typed.map(str::to_owned),
    };
    let loss = LossEstimate {
        span: Some(seconds(184)),
        bytes: Some(41_000_000),
        ..LossEstimate::unknown("dr-lag".into(), "last transaction")
    };
    vec![
        Fact::StepPreparing { run: run(), step: step() },
        Fact::StepPrepared { confirmation: Box::new(bundle.clone()) },
        Fact::StepPreparationFailed {
            run: run(),
            step: step(),
            failure: failure(Acted::No),
            manual: card("db"),
        },
        Fact::ConfirmationWithdrawn { run: run(), step: step(), confirmation, why: "it expired".into() },
        confirmed(Some("db:5432")),
        confirmed(None),
        started(1),
        started(2),
        Fact::StepOutput { run: run(), step: step(), line: "waiting".into() },
        finished(Outcome::Done(Done { summary: "promoted".into() })),
        finished(Outcome::Failed(failure(Acted::No))),
        finished(Outcome::Failed(failure(Acted::Maybe))),
        Fact::StepVerified {
            run: run(),
            step: step(),
            proof: Proof { evidence: vec!["not in recovery".into()] },
        },
        Fact::StepHolding {
            run: run(),
            step: step(),
            proof: Proof { evidence: vec!["not in recovery".into()] },
            found: primary.clone(),
            hold: seconds(30),
        },
        Fact::TargetChanged {
            run: run(),
            step: step(),
            target: "127.0.0.1:5433".into(),
            from: primary,
            to: crate::core::ask::watch::Found::Standby { timeline: 2, system: "77".into() },
        },
        Fact::StepVerificationFailed { run: run(), step: step(), failure: failure(Acted::Maybe) },
        Fact::StepRetried { run: run(), step: step(), reason: None },
        Fact::StepRetried { run: run(), step: step(), reason: Some("it never reached the server".into()) },
        Fact::StepRechecked { run: run(), step: step() },
        Fact::StepSkipped { run: run(), step: step(), reason: "done before".into() },
        Fact::StepAttested {
            run: run(),
            step: step(),
            how: "by hand, role read".into(),
            unproven: false,
            fingerprint: None,
        },
        Fact::StepUndone {
            run: run(),
            step: step(),
            how: "set back by hand, a write worked".into(),
            stays: false,
        },
        Fact::StepUndone { run: run(), step: step(), how: "it is safer so".into(), stays: true },
        Fact::GuardOverridden {
            run: run(),
            step: step(),
            guard: 0,
            condition: "signals['dr-lag'].value_s < 60.0".into(),
            reason: "the CTO accepts it".into(),
            losses: vec![loss],
        },
    ]
}

fn of_telling() -> Vec<Fact> {
    let (at, id) = (jiff::Timestamp::UNIX_EPOCH, || "INC-1/n1".into());
    let queued = Queued {
        id: id(),
        contact: Some("cto".into()),
        name: "CTO".into(),
        way: Way { channel: "phone".into(), address: Some("+1 555 0120".into()) },
        then: Vec::new(),
        next_after: None,
        key: "k".into(),
        give_up_at: at,
        capabilities: Capabilities::default(),
    };
    let message = Message {
        subject: "[P0] Test".into(),
        body: "It is gone.".into(),
        witness: "Journal #1 lusab".into(),
        severity: Some(Severity::P0),
        drill: false,
        page_status: None,
        component_status: None,
    };
    let batch = |cause, intent, to: &[Queued]| Fact::NotificationsQueued {
        incident: "INC-1".into(),
        cause,
        intent,
        message: message.clone(),
        to: to.to_vec(),
    };
    let level = |round| Cause::Level { generation: 0, round, level: 1 };
    let failed = |again, retry_at| Attempted::Failed {
        failure: Undelivered { why: "429 too many requests".into(), next: String::new(), again },
        retry_at,
    };
    let finished =
        |attempted| Fact::NotificationFinished { id: id(), to: "CTO by phone".into(), attempt: 1, attempted };
    let tracked = |tracked| Fact::NotificationTracked { id: id(), to: "CTO by phone".into(), tracked };
    let sent = |attempt| Fact::NotificationStarted { id: id(), to: "CTO by phone".into(), attempt };
    let receipt = Receipt { answer: "201 queued".into(), cut: "cut to 1,600".into(), ..Receipt::default() };
    let due = DueMessage { message: "customers".into(), number: 1, since: at, by: at };
    vec![
        Fact::IncidentProposed { id: "INC-1".into(), title: "it is down".into(), severity: Severity::P0 },
        Fact::ProposalWithdrawn { id: "INC-1".into(), why: "a planned test".into() },
        Fact::EscalationStarted {
            incident: "INC-1".into(),
            severity: Severity::P3,
            policy: None,
            levels: Vec::new(),
        },
        Fact::EscalationAcknowledged { incident: "INC-1".into(), who: "bob".into(), via: "PagerDuty".into() },
        Fact::EscalationRenewed { incident: "INC-1".into(), why: "bob is silent for 30 min".into() },
        batch(level(0), Intent::Page, std::slice::from_ref(&queued)),
        batch(level(1), Intent::Page, &[]),
        batch(Cause::Fallback { of: id() }, Intent::Page, std::slice::from_ref(&queued)),
        batch(
            Cause::Message { message: "customers".into(), number: 2 },
            Intent::Inform,
            std::slice::from_ref(&queued),
        ),
        batch(Cause::ByHand, Intent::Page, std::slice::from_ref(&queued)),
        batch(Cause::Written, Intent::Inform, std::slice::from_ref(&queued)),
        batch(Cause::Follow(Intent::Resolve), Intent::Resolve, std::slice::from_ref(&queued)),
        sent(1),
        sent(2),
        finished(Attempted::Accepted(receipt)),
        finished(failed(Again::After(None), Some(at))),
        finished(failed(Again::Maybe, None)),
        finished(failed(Again::Never, None)),
        tracked(Tracked::Pending),
        tracked(Tracked::Delivered("answered after 12 s".into())),
        tracked(Tracked::Acknowledged("Carol".into())),
        tracked(Tracked::Failed("no answer".into())),
        Fact::MessageDue { due },
        Fact::MessageSkipped { message: "customers".into(), number: 1, reason: "nobody noticed".into() },
        Fact::RoleAssigned { role: IncidentRole::Scribe, to: "dave".into(), brief: Vec::new() },
        Fact::IncidentResolved { how: "failed over".into() },
        Fact::IncidentReopened { why: "P0 again".into() },
        calendar_read(Ok(Vec::new()), &[]),
        calendar_read(Ok(vec![shift(1, "ana"), shift(2, "bob"), shift(3, "ana")]), &[]),
        calendar_read(Ok(vec![shift(1, "ana")]), &["rota.ics: the event of 2026-03-01 (`Zoe`): no contact"]),
        calendar_read(Err("no such file".into()), &[]),
    ]
}

fn calendar_read(shifts: Result<Vec<Shift>, String>, left_out: &[&str]) -> Fact {
    let left_out = left_out.iter().map(|event| (*event).to_owned()).collect();
    Fact::CalendarRead { rotation: "primary".into(), shifts, left_out }
}

fn shift(week: i64, contact: &str) -> Shift {
    let at = |week: i64| jiff::Timestamp::UNIX_EPOCH + seconds(week * 7 * 86_400);
    Shift { from: at(week - 1), until: at(week), contact: contact.into() }
}

fn loss_reading() -> LossReading {
    LossReading {
        at: jiff::Timestamp::UNIX_EPOCH,
        most: Some(seconds(5)),
        least: Some(seconds(0)),
        bytes: Some(1_500_000),
        bytes_min: Some(0),
        heard_at: None,
        writable_at: None,
        transactions_after: None,
        committed_after: None,
        matched_sender: None,
        basis: "estimate".into(),
        standby: None,
        held: None,
        of_more: None,
        reversed: false,
    }
}

#[test]
fn every_fact_has_a_sentence_of_its_own() {
    let facts: Vec<Fact> = [of_engine(), of_incident(), of_step(), of_telling()].concat();
    let sentences: Vec<String> = facts.iter().map(|fact| describe(fact, &plan())).collect();
    insta::assert_snapshot!("sentences", sentences.join("\n"));
    let mut kinds: Vec<usize> = facts.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..KINDS).collect::<Vec<_>>());
}

const KINDS: usize = 64;

/// A new kind of fact does not compile before it has a number here, and fails above before it has a sentence.
fn kind(fact: &Fact) -> usize {
    match fact {
        Fact::EngineStarted { .. } => 0,
        Fact::EngineStopped { .. } => 1,
        Fact::ClockJumped { .. } => 2,
        Fact::ReadingTaken { .. } => 3,
        Fact::SignalChanged { .. } => 4,
        Fact::SeverityChanged { .. } => 5,
        Fact::IncidentDeclared { .. } => 6,
        Fact::SeveritySet { .. } => 7,
        Fact::QuestionAnswered { .. } => 8,
        Fact::QuestionRevisited { .. } => 9,
        Fact::RunStarted { .. } => 10,
        Fact::StepPreparing { .. } => 11,
        Fact::StepPrepared { .. } => 12,
        Fact::StepPreparationFailed { .. } => 13,
        Fact::ConfirmationWithdrawn { .. } => 14,
        Fact::StepConfirmed { .. } => 15,
        Fact::StepStarted { .. } => 16,
        Fact::StepOutput { .. } => 17,
        Fact::StepFinished { .. } => 18,
        Fact::StepVerified { .. } => 19,
        Fact::StepVerificationFailed { .. } => 20,
        Fact::StepRetried { .. } => 21,
        Fact::StepRechecked { .. } => 22,
        Fact::StepSkipped { .. } => 23,
        Fact::GuardOverridden { .. } => 24,
        Fact::StepAttested { .. } => 25,
        Fact::RunEnded { .. } => 26,
        Fact::NoteAdded { .. } => 27,
        Fact::IncidentClosed { .. } => 28,
        Fact::JournalChanged { .. } => 29,
        Fact::PreflightStarted => 30,
        Fact::PreflightRan { .. } => 31,
        Fact::PreflightFound { .. } => 32,
        Fact::IncidentProposed { .. } => 33,
        Fact::ProposalWithdrawn { .. } => 34,
        Fact::EscalationStarted { .. } => 35,
        Fact::EscalationAcknowledged { .. } => 36,
        Fact::EscalationRenewed { .. } => 37,
        Fact::NotificationsQueued { .. } => 38,
        Fact::NotificationStarted { .. } => 39,
        Fact::NotificationFinished { .. } => 40,
        Fact::NotificationTracked { .. } => 41,
        Fact::MessageDue { .. } => 42,
        Fact::MessageSkipped { .. } => 43,
        Fact::RoleAssigned { .. } => 44,
        Fact::IncidentResolved { .. } => 45,
        Fact::IncidentReopened { .. } => 46,
        Fact::CalendarRead { .. } => 47,
        Fact::StepUndone { .. } => 48,
        Fact::ContradictionFound { .. } => 49,
        Fact::ContradictionAnswered { .. } => 50,
        Fact::ContradictionEnded { .. } => 51,
        Fact::StepHolding { .. } => 52,
        Fact::TargetChanged { .. } => 53,
        Fact::PrimaryMeasured { .. } => 54,
        Fact::ServingRecorded { .. } => 55,
        Fact::PagedUnrecorded { .. } => 56,
        Fact::DrillTurnedLive { .. } => 57,
        Fact::LossNoted { .. } => 58,
        Fact::JournalSpace { .. } => 59,
        Fact::ServicesMoved { .. } => 60,
        Fact::DivergenceSettled { .. } => 61,
        Fact::ClockJudged { .. } => 62,
        Fact::RegionMoved { .. } => 63,
    }
}
