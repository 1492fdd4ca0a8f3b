//! Applying: facts fold into the model. Pure and infallible; `fold(journal)` is the model's durable part.

mod acts;
mod contradiction;
mod escalate;
mod incident;
mod signals;
mod step;

use crate::core::ask::placement;
use crate::core::model::{Model, TIMELINE_LENGTH};
use crate::core::words::actor::Actor;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::since_boot::SinceBoot;
use crate::plan::Severity;
use jiff::Timestamp;

/// Folds one event into the model.
pub fn apply(model: &mut Model, event: &Event) {
    let at = event.at;
    match &event.fact {
        Fact::EngineStarted { plan, since_boot, noted, .. } => {
            incident::noted(model, noted.as_deref());
            engine_started(model, event, plan, since_boot.as_ref())
        }
        Fact::EngineStopped { .. } | Fact::NoteAdded { .. } => {}
        Fact::ClockJumped { by, not_passed } => {
            signals::clock_set(model, at, *by, *not_passed);
            escalate::put_off(model, *not_passed);
        }
        Fact::ClockJudged { off, .. } => model.live.clock_off = *off,
        Fact::ReadingTaken { probe, reading, judged } => {
            signals::reading_taken(model, probe, reading, *judged)
        }
        Fact::SignalChanged { probe, to, why, .. } => signals::changed(model, at, probe, *to, why),
        Fact::SeverityChanged { to, why, .. } => {
            let same = model.durable.severity.take().filter(|(before, ..)| Some(*before) == *to);
            let same_reason = same.as_ref().is_some_and(|(.., before)| before == why);
            model.durable.reason_since =
                model.durable.reason_since.filter(|_| same_reason).or(Some(at)).filter(|_| to.is_some());
            let since = same.map_or(at, |(_, since, _)| since);
            model.durable.severity = to.map(|severity| (severity, since, why.clone()));
            severity_lasts(model, at, *to);
        }
        Fact::PrimaryMeasured { probe, before, serves, .. } => {
            signals::primary_moved(model, at, probe, before.as_ref(), serves.as_ref());
        }
        Fact::LossNoted { probe, reading: Some(reading) } => {
            model.durable.losses.insert(probe.clone(), reading.clone());
        }
        Fact::LossNoted { probe, reading: None } => {
            model.durable.losses.remove(probe);
        }
        Fact::RegionMoved { run, region } => {
            incident::region_moved(model, at, run, region);
        }
        Fact::ServingRecorded { region, .. } => {
            acts::recorded(model, region);
            signals::activated(model, at, region, None);
        }
        Fact::ServicesMoved { run, step, services } => {
            let unproven = model.step(run, step).is_some_and(|(_, state)| state.unproven);
            placement::moved(model, run, step, services, at);
            if unproven {
                acts::proven(model, at, (run, step));
            }
            signals::recompute_all(model, at);
        }
        Fact::ContradictionFound { .. }
        | Fact::ContradictionAnswered { .. }
        | Fact::ContradictionEnded { .. }
        | Fact::DivergenceSettled { .. } => {
            contradiction::apply(model, event);
            signals::recompute_all(model, at);
        }
        Fact::IncidentDeclared { .. }
        | Fact::DrillTurnedLive { .. }
        | Fact::SeveritySet { .. }
        | Fact::QuestionAnswered { .. }
        | Fact::QuestionRevisited { .. }
        | Fact::RunStarted { .. }
        | Fact::RunEnded { .. }
        | Fact::RoleAssigned { .. }
        | Fact::IncidentResolved { .. }
        | Fact::IncidentReopened { .. }
        | Fact::IncidentClosed { .. } => incident::apply(model, event),
        Fact::IncidentProposed { .. }
        | Fact::ProposalWithdrawn { .. }
        | Fact::EscalationStarted { .. }
        | Fact::EscalationAcknowledged { .. }
        | Fact::EscalationRenewed { .. }
        | Fact::NotificationsQueued { .. }
        | Fact::NotificationStarted { .. }
        | Fact::NotificationFinished { .. }
        | Fact::NotificationTracked { .. }
        | Fact::MessageDue { .. }
        | Fact::MessageSkipped { .. }
        | Fact::CalendarRead { .. } => escalate::apply(model, event),
        // It happened; nothing follows from it.
        Fact::PagedUnrecorded { .. } => {}
        Fact::PreflightStarted => model.live.preflighting = Some((at, event.by.clone())),
        Fact::PreflightRan { tally, .. } => model.durable.preflight = Some((at, *tally)),
        Fact::PreflightFound { preflight } => {
            model.live.preflighting = None;
            model.live.preflight = Some(preflight.clone());
        }
        Fact::JournalChanged { failure, protection } => {
            model.live.journal_failure = failure.clone();
            // What was being read could not be recorded; it is read again when the journal can be written.
            model.live.preparing.clear();
            model.live.journal_protection = protection.clone();
        }
        Fact::JournalSpace { short } => model.live.journal_short.clone_from(short),
        Fact::StepPreparing { .. }
        | Fact::StepPrepared { .. }
        | Fact::StepPreparationFailed { .. }
        | Fact::ConfirmationWithdrawn { .. }
        | Fact::StepConfirmed { .. }
        | Fact::StepStarted { .. }
        | Fact::StepOutput { .. }
        | Fact::StepFinished { .. }
        | Fact::StepVerified { .. }
        | Fact::StepHolding { .. }
        | Fact::TargetChanged { .. }
        | Fact::StepVerificationFailed { .. }
        | Fact::StepRetried { .. }
        | Fact::StepRechecked { .. }
        | Fact::StepSkipped { .. }
        | Fact::GuardOverridden { .. }
        | Fact::StepAttested { .. }
        | Fact::StepUndone { .. } => step::apply(model, event),
    }
    if event.fact.is_durable() {
        if matches!(event.by, Actor::Operator(_)) {
            escalate::active(model, at);
        }
        remember(model, event);
    }
}

/// Nothing that was measured before counts any more, and nobody watched the steps that were running.
fn engine_started(model: &mut Model, event: &Event, digest: &str, since_boot: Option<&SinceBoot>) {
    let before = model.durable.plan_digest.replace(digest.to_owned());
    let same_plan = before.as_deref() == Some(digest);
    if model.durable.incident.is_some() && before.is_some() && !same_plan {
        model.durable.plan_changed_at = Some(event.at);
    }
    model.live.recent.clear();
    model.live.clock_off = None;
    model.live.preparing.clear();
    model.live.checking.clear();
    model.live.preflighting = None;
    model.live.preflight = None;
    model.durable.engine_started_at = Some(event.at);
    signals::redate(model, event.at, since_boot);
    signals::forget(model, event.at, same_plan);
    step::lose_all(model, event.at);
    acts::settle(model, event.at);
    escalate::lose_all(model, event.at);
    escalate::set_back(model, event.at);
}

/// A severity that alternates with a worse one lasts all the same.
fn severity_lasts(model: &mut Model, at: Timestamp, severity: Option<Severity>) {
    let Some(severity) = severity else {
        model.durable.dismissed = None;
        model.durable.at_least_since.clear();
        return;
    };
    let since = &mut model.durable.at_least_since;
    since.retain(|level, _| *level >= severity);
    for level in Severity::ALL.into_iter().filter(|level| *level >= severity) {
        since.entry(level).or_insert(at);
    }
}

fn remember(model: &mut Model, event: &Event) {
    if model.durable.timeline.len() == TIMELINE_LENGTH {
        model.durable.timeline.pop_front();
    }
    model.durable.timeline.push_back(event.clone());
    if event.record.is_some() {
        model.durable.head.clone_from(&event.record);
    }
}
