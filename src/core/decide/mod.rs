//! Deciding: a command and the model give facts, or a refusal. Pure.

mod calendar;
mod confirm;
mod contradiction;
mod due;
mod escalate;
mod incident;
pub(in crate::core) mod loss;
mod noted;
mod observe;
mod placement;
mod preflight;
mod rejoined;
mod serving;
mod step;
mod tick;
mod watch;

use crate::base::problem::Problem;
pub use confirm::{REPLACED, guards, target_of};
#[cfg(test)]
pub(crate) use due::due;
pub use due::{is_quiet, proposed_in};
pub use escalate::{current as current_escalation, number as message_number, subject as escalation_subject};
pub use placement::waits_for_proof;
pub use serving::choices as serving_choices;
pub use step::{allow_after, done_again_before, is_denied};

use crate::core::ask::own_clock;
use crate::core::model::Model;
use crate::core::words::actor::Actor;
use crate::core::words::command::{Ask, Command, Report, Request};
use crate::core::words::fact::Fact;
use jiff::Timestamp;

/// The longest text that a person can put into a record.
pub const TEXT_LIMIT_CHARS: usize = 4_000;

/// The facts that a command leads to, or why it is refused.
///
/// # Errors
/// A [`Problem`] in words for the operator, with the way out.
pub fn decide(model: &Model, request: &Request) -> Result<Vec<Fact>, Problem> {
    match &request.command {
        Command::Ask(ask) => decide_ask(model, request.at, &request.by, ask),
        Command::Report(report) => decide_report(model, request.at, report),
    }
}

fn decide_ask(model: &Model, now: Timestamp, by: &Actor, ask: &Ask) -> Result<Vec<Fact>, Problem> {
    match ask {
        Ask::Declare { title, mode } => incident::declare(model, now, title, *mode),
        Ask::SetSeverity { severity, reason } => incident::set_severity(model, *severity, reason),
        Ask::RecordServing { region, reason } => serving::record(model, now, region, reason),
        Ask::AnswerContradiction { id, reason } => contradiction::answer(model, id, reason),
        Ask::Answer { question, answer, suggested, reason } => {
            let reason = reason.as_deref();
            incident::answer(model, now, by, incident::Given { question, answer, suggested, reason })
        }
        Ask::Revisit { question } => incident::revisit(model, question),
        Ask::Note { text } => Ok(vec![Fact::NoteAdded { text: required(text, "the note")? }]),
        Ask::Preflight => preflight::begin(model, now),
        Ask::Close { reason } => incident::close(model, reason),
        Ask::Prepare { run, step } => confirm::prepare(model, run, step),
        Ask::Confirm { confirmation, typed } => confirm::confirm(model, now, confirmation, typed.as_deref()),
        Ask::Decline { confirmation } => confirm::decline(model, confirmation),
        Ask::Override { run, step, guard, reason } => {
            confirm::override_guard(model, now, run, step, *guard, reason)
        }
        Ask::Retry { run, step, reason } => step::retry(model, run, step, reason.as_deref()),
        Ask::Recheck { run, step } => step::recheck(model, run, step),
        Ask::Skip { run, step, reason } => step::skip(model, run, step, reason),
        Ask::Attest { run, step, how } => step::attest(model, now, run, step, how),
        Ask::Undone { run, step, how, stays } => step::undone(model, run, step, how, *stays),
        Ask::Abort { reason } => step::abort(model, reason),
        Ask::Acknowledge => escalate::acknowledge(model, by),
        Ask::Page { who, methods, text } => escalate::page(model, now, who, methods, text),
        Ask::Send { message, audience, subject, body } => {
            let written = escalate::Written { message: message.as_ref(), audience, subject, body };
            escalate::send(model, now, written)
        }
        Ask::SkipMessage { message, reason } => escalate::skip(model, message, reason),
        Ask::HandOver { role, to } => incident::hand_over(model, now, *role, to),
        Ask::Resolve { how } => incident::resolve(model, how),
        Ask::Reopen { reason } => incident::reopen(model, reason),
        Ask::Dismiss { reason } => incident::dismiss(model, reason),
    }
}

fn decide_report(model: &Model, now: Timestamp, report: &Report) -> Result<Vec<Fact>, Problem> {
    match report {
        Report::EngineStarted { version, recovery, since_boot } => Ok(vec![Fact::EngineStarted {
            version: version.clone(),
            plan: model.plan.digest.clone(),
            recovery: recovery.clone(),
            since_boot: since_boot.clone(),
            noted: noted::noted(model).map(Box::new),
        }]),
        Report::EngineStopping { why } => {
            let mut facts = loss::noted_at_the_end(model);
            facts.push(Fact::EngineStopped { why: why.clone() });
            Ok(facts)
        }
        Report::ClockJumped { by, not_passed } => {
            Ok(vec![Fact::ClockJumped { by: *by, not_passed: *not_passed }])
        }
        Report::ClockCompared(found) => Ok(own_clock::judged(model, *found).into_iter().collect()),
        Report::Observed(readings) => Ok(observe::observed(model, readings)),
        Report::PagedUnrecorded(pages) => {
            Ok(pages.iter().map(|page| Fact::PagedUnrecorded { page: page.clone() }).collect())
        }
        Report::Tick => Ok(tick::tick(model, now)),
        Report::Described { run, step, result, manual } => {
            confirm::described(model, now, run, step, result, manual)
        }
        Report::Preflighted(found) => Ok(preflight::ended(model, found)),
        Report::Output { run, step, line } => {
            Ok(vec![Fact::StepOutput { run: run.clone(), step: step.clone(), line: line.clone() }])
        }
        Report::Executed { run, step, attempt, outcome } => {
            step::executed(model, run, step, *attempt, outcome)
        }
        Report::Notified { id, attempt, result } => escalate::notified(model, now, id, *attempt, result),
        Report::Tracked { id, tracked } => escalate::tracked(model, id, tracked),
        Report::Calendar { rotation, shifts, trouble } => {
            Ok(calendar::read(model, now, rotation, shifts, trouble.as_ref()).into_iter().collect())
        }
        Report::Holding { run, step, attempt, proof, found, hold } => {
            watch::holding(model, (run, step), *attempt, proof, found, *hold)
        }
        Report::Watched { run, step, found } => watch::watched(model, run, step, found),
        Report::Checked { run, step, attempt, result } => step::checked(model, run, step, *attempt, result),
    }
}

/// A text that a person must give, cleaned and cut.
fn required(text: &str, what: &str) -> Result<String, Problem> {
    let text = crate::base::text::clean(text.trim(), TEXT_LIMIT_CHARS);
    if text.is_empty() {
        return Err(Problem::new(
            format!("{what} is empty"),
            "Write it in a few words; it goes into the journal.",
        ));
    }
    Ok(text)
}
