//! Reacting: what the engine has to do next. It is asked only after a fact is durable and applied.

use crate::base::ids::{RunId, StepId};
use crate::core::ask::watch::{is_watched, watched};
use crate::core::decide::loss;
use crate::core::model::Model;
use crate::core::words::effect::Effect;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::{Outcome, RunEnd};
use crate::core::words::notification::{DeliveryStatus, Intent, Notification};
use crate::core::words::status::StepStatus;

/// The effects of a fact. The only way to execute a step is the reaction to its `StepStarted`.
pub fn react(model: &Model, event: &Event) -> Vec<Effect> {
    match &event.fact {
        Fact::EngineStarted { .. } => {
            unproven(model).into_iter().chain(untold(model)).chain(watches(model)).collect()
        }
        Fact::StepVerified { run, step, .. } | Fact::StepVerificationFailed { run, step, .. } => {
            let watched = model.step(run, step).is_some_and(|(_, state)| is_watched(state));
            let watch = watched.then(|| watch(run, step));
            std::iter::once(Effect::Tick).chain(watch).collect()
        }
        Fact::NotificationStarted { id, attempt, .. } => {
            let known = model.durable.notifications.get(id);
            let sends =
                known.is_some_and(|known| known.status == DeliveryStatus::Sent && known.attempt == *attempt);
            let effect = Effect::Notify { id: id.clone(), attempt: *attempt };
            if sends { vec![effect] } else { Vec::new() }
        }
        Fact::NotificationFinished { id, .. } => {
            let known = model.durable.notifications.get(id).filter(|known| is_tracked(known));
            let track = known.map(|_| Effect::Track { id: id.clone() });
            std::iter::once(Effect::Tick).chain(track).collect()
        }
        Fact::NotificationsQueued { to, .. } if !to.is_empty() => vec![Effect::Tick],
        Fact::NotificationTracked { .. } => vec![Effect::Tick],
        // A loss that may not be measured again is noted at once: who is killed within the second would not know it.
        Fact::ReadingTaken { probe, .. } if loss::is_due(model, probe, event.at) => vec![Effect::Tick],
        Fact::StepAttested { run, step, .. } => {
            vec![Effect::Tick, Effect::DoneByHand { run: run.clone(), step: step.clone() }]
        }
        Fact::PreflightStarted => vec![Effect::Preflight],
        Fact::StepPreparing { run, step } => vec![Effect::Describe { run: run.clone(), step: step.clone() }],
        Fact::StepStarted { run, step, attempt, confirmation, .. } => {
            let state = model.step(run, step).map(|(_, state)| state);
            let bundle =
                state.filter(|state| state.status == StepStatus::Started && state.attempt == *attempt);
            let bundle =
                bundle.and_then(|state| state.confirmation.as_ref()).filter(|open| open.id == *confirmation);
            let execute = |bundle: &crate::core::words::confirmation::Confirmation| Effect::Execute {
                run: run.clone(),
                step: step.clone(),
                attempt: *attempt,
                expected: bundle.description.target.clone(),
            };
            bundle.map(execute).into_iter().collect()
        }
        Fact::StepFinished { run, step, attempt, outcome } => match outcome {
            Outcome::Done(_) => vec![verify(run, step, *attempt, true)],
            failed if failed.is_uncertain() => vec![verify(run, step, *attempt, false)],
            Outcome::Failed(_) => Vec::new(),
        },
        Fact::StepRechecked { run, step } => {
            let attempt = model.step(run, step).map(|(_, state)| state.attempt);
            attempt.map(|attempt| verify(run, step, attempt, false)).into_iter().collect()
        }
        Fact::RunEnded { run, end: RunEnd::Aborted(_) } => running(model, run),
        Fact::SignalChanged { .. }
        | Fact::ContradictionFound { .. }
        | Fact::ContradictionEnded { .. }
        | Fact::RunStarted { .. }
        | Fact::TargetChanged { .. }
        | Fact::StepSkipped { .. }
        | Fact::StepRetried { .. }
        | Fact::IncidentDeclared { .. }
        | Fact::DrillTurnedLive { .. }
        | Fact::EscalationStarted { .. }
        | Fact::EscalationAcknowledged { .. }
        | Fact::ConfirmationWithdrawn { .. } => vec![Effect::Tick],
        // Nothing has to be done at once.
        Fact::EngineStopped { .. }
        | Fact::ClockJumped { .. }
        | Fact::ClockJudged { .. }
        | Fact::ReadingTaken { .. }
        | Fact::SeverityChanged { .. }
        | Fact::PrimaryMeasured { .. }
        | Fact::LossNoted { .. }
        | Fact::ServicesMoved { .. }
        | Fact::RegionMoved { .. }
        | Fact::ServingRecorded { .. }
        | Fact::ContradictionAnswered { .. }
        | Fact::DivergenceSettled { .. }
        | Fact::SeveritySet { .. }
        | Fact::QuestionAnswered { .. }
        | Fact::QuestionRevisited { .. }
        | Fact::StepPrepared { .. }
        | Fact::StepPreparationFailed { .. }
        | Fact::StepConfirmed { .. }
        | Fact::StepOutput { .. }
        | Fact::StepHolding { .. }
        | Fact::GuardOverridden { .. }
        | Fact::StepUndone { .. }
        | Fact::RunEnded { .. }
        | Fact::NoteAdded { .. }
        | Fact::PreflightRan { .. }
        | Fact::PreflightFound { .. }
        | Fact::IncidentProposed { .. }
        | Fact::ProposalWithdrawn { .. }
        | Fact::EscalationRenewed { .. }
        | Fact::NotificationsQueued { .. }
        | Fact::PagedUnrecorded { .. }
        | Fact::MessageDue { .. }
        | Fact::MessageSkipped { .. }
        | Fact::RoleAssigned { .. }
        | Fact::IncidentResolved { .. }
        | Fact::IncidentReopened { .. }
        | Fact::CalendarRead { .. }
        | Fact::IncidentClosed { .. }
        | Fact::JournalChanged { .. }
        | Fact::JournalSpace { .. } => Vec::new(),
    }
}

fn verify(run: &RunId, step: &StepId, attempt: u32, patient: bool) -> Effect {
    Effect::Verify { run: run.clone(), step: step.clone(), attempt, patient }
}

fn watch(run: &RunId, step: &StepId) -> Effect {
    Effect::Watch { run: run.clone(), step: step.clone() }
}

/// After a start: what steps of the open incident made is watched on.
fn watches(model: &Model) -> Vec<Effect> {
    watched(model).into_iter().map(|(run, step)| watch(run, step)).collect()
}

/// After a start: steps whose effect nobody saw are read back, never run again.
fn unproven(model: &Model) -> Vec<Effect> {
    let runs = model.durable.incident.iter().flat_map(|incident| &incident.runs);
    let steps = runs.flat_map(|run| run.steps.iter().map(|(id, state)| (&run.id, id, state)));
    let waiting =
        steps.filter(|(.., state)| matches!(state.status, StepStatus::Unknown | StepStatus::Finished));
    let effect = |(run, step, state): (&RunId, &StepId, &crate::core::words::incident::StepRun)| {
        verify(run, step, state.attempt, state.status == StepStatus::Finished)
    };
    waiting.map(effect).collect()
}

/// After a start: messages that a provider took are asked after again.
fn untold(model: &Model) -> Vec<Effect> {
    let tracked = model.durable.notifications.values().filter(|known| is_tracked(known));
    tracked.map(|known| Effect::Track { id: known.queued.id.clone() }).collect()
}

/// Whether it is worth asking the provider what became of a message.
fn is_tracked(known: &Notification) -> bool {
    let with_provider = matches!(known.status, DeliveryStatus::Accepted | DeliveryStatus::Delivered);
    let asks = matches!(known.intent, Intent::Page | Intent::Inform);
    with_provider && asks && known.queued.capabilities.tracks
}

fn running(model: &Model, run: &RunId) -> Vec<Effect> {
    let steps = model.run(run).into_iter().flat_map(|run| run.steps.iter());
    let started = steps.filter(|(_, state)| state.status == StepStatus::Started);
    started.map(|(step, _)| Effect::Cancel { run: run.clone(), step: step.clone() }).collect()
}
