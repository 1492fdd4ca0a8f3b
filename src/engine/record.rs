//! Between durable facts and journal records. The record's action and detail are the fact; the other fields
//! say for an auditor who did what to what.

use crate::base::ids::{RunId, StepId};
use crate::core::model::Model;
use crate::core::words::actor::{Actor, Operator};
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::Outcome;
use crate::core::words::notification::{Again, Attempted, Tracked};
use crate::journal::{Entry, Head, Record};
use serde_json::{Map, Value};

/// A record that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("record {seq} ({action}) of the journal cannot be understood: {why}")]
pub struct UnknownRecord {
    /// Its number.
    pub seq: u64,
    pub action: String,
    pub why: String,
}

/// The entry for a durable event, under the model before the event is applied.
///
/// # Errors
/// When the fact cannot be written as JSON: a number that is no number.
pub fn entry(model: &Model, event: &Event) -> Result<Entry, serde_json::Error> {
    let (action, detail) = match serde_json::to_value(&event.fact)? {
        Value::Object(map) => map.into_iter().next().unwrap_or_else(|| (String::new(), Value::Null)),
        other => (other.as_str().unwrap_or_default().to_owned(), Value::Object(Map::new())),
    };
    let (source, destination, status) = summary(model, &event.fact);
    let opened = match &event.fact {
        Fact::IncidentDeclared { id, .. }
        | Fact::IncidentProposed { id, .. }
        | Fact::ProposalWithdrawn { id, .. }
        | Fact::EscalationStarted { incident: id, .. }
        | Fact::EscalationAcknowledged { incident: id, .. }
        | Fact::EscalationRenewed { incident: id, .. }
        | Fact::NotificationsQueued { incident: id, .. } => Some(id.to_string()),
        // It may be recorded after the close.
        Fact::StepUndone { run, .. } => incident_of(model, run),
        Fact::NotificationStarted { id, .. }
        | Fact::NotificationFinished { id, .. }
        | Fact::NotificationTracked { id, .. } => {
            model.durable.notifications.get(id).map(|notification| notification.incident.to_string())
        }
        _ => model.durable.incident.as_ref().map(|incident| incident.id.to_string()),
    };
    Ok(Entry {
        timestamp: event.at,
        incident: opened,
        operator: operator_text(&event.by),
        action,
        source,
        destination,
        status,
        detail,
    })
}

fn incident_of(model: &Model, run: &RunId) -> Option<String> {
    let mut incidents = model.durable.incident.iter().chain(model.durable.closed.iter().rev());
    incidents.find(|incident| incident.run(run).is_some()).map(|incident| incident.id.to_string())
}

/// The event of a record.
///
/// # Errors
/// When the record was not written by this program, or by a newer one.
pub fn event(record: &Record) -> Result<Event, UnknownRecord> {
    let unknown = |why: String| UnknownRecord { seq: record.seq, action: record.action.clone(), why };
    let mut fact = Map::new();
    fact.insert(record.action.clone(), record.detail.clone());
    let fact = serde_json::from_value(Value::Object(fact)).map_err(|error| unknown(error.to_string()))?;
    let by =
        operator_of(&record.operator).ok_or_else(|| unknown(format!("operator \"{}\"", record.operator)))?;
    let place = Head { seq: record.seq, checksum: record.checksum.clone() };
    Ok(Event { at: record.timestamp, by, fact, record: Some(place) })
}

fn operator_text(actor: &Actor) -> String {
    match actor {
        Actor::Operator(Operator { name, uid }) => format!("{name} (uid {uid})"),
        Actor::Engine => "lifeboat".into(),
    }
}

fn operator_of(text: &str) -> Option<Actor> {
    if text == "lifeboat" {
        return Some(Actor::Engine);
    }
    let (name, uid) = text.strip_suffix(')')?.rsplit_once(" (uid ")?;
    Some(Actor::Operator(Operator { name: name.to_owned(), uid: uid.parse().ok()? }))
}

/// Source, destination and status for people who read the journal without lifeboat.
fn summary(model: &Model, fact: &Fact) -> (String, String, String) {
    let text = |source: &str, destination: &str, status: &str| {
        (source.to_owned(), destination.to_owned(), status.to_owned())
    };
    let step = |run: &RunId, step: &StepId, status: &str| {
        let confirmation = model.step(run, step).and_then(|(_, state)| state.confirmation.as_ref());
        let target = confirmation.map_or("", |confirmation| &confirmation.description.target.name);
        text(&format!("{run}/{step}"), target, status)
    };
    match fact {
        Fact::EngineStarted { .. } => text("engine", &model.plan.name, "started"),
        Fact::EngineStopped { .. } => text("engine", &model.plan.name, "stopped"),
        Fact::ClockJumped { .. } => text("clock", "", "jumped"),
        Fact::ClockJudged { off, .. } => text("clock", "", if off.is_some() { "wrong" } else { "right" }),
        Fact::SignalChanged { probe, to, .. } => {
            let region = model.plan.probes.get(probe).and_then(|spec| spec.region.as_ref());
            text(probe.as_str(), region.map_or("", |region| region.as_str()), to.as_str())
        }
        Fact::SeverityChanged { to, .. } => {
            text("severity", "", to.map_or("none", |severity| severity.as_str()))
        }
        Fact::PrimaryMeasured { probe, serves, .. } => {
            text(probe.as_str(), serves.as_ref().map_or("", |region| region.as_str()), "primary")
        }
        Fact::LossNoted { probe, .. } => text(probe.as_str(), "", "noted"),
        Fact::RegionMoved { region, .. } => text("serving", region.as_str(), "moved"),
        Fact::ServingRecorded { region, .. } => text("serving", region.as_str(), "recorded"),
        Fact::ServicesMoved { run, step: id, .. } => step(run, id, "moved"),
        Fact::ContradictionFound { contradiction } => {
            text("contradiction", &contradiction.id, contradiction.severity.as_str())
        }
        Fact::ContradictionAnswered { id, .. } => text("contradiction", id, "answered"),
        Fact::DivergenceSettled { id, .. } => text("divergence", id, "settled"),
        Fact::ContradictionEnded { id, .. } => text("contradiction", id, "ended"),
        Fact::IncidentDeclared { mode, .. } => text("incident", &model.plan.name, mode.as_str()),
        Fact::DrillTurnedLive { .. } => text("incident", &model.plan.name, "live"),
        Fact::SeveritySet { severity, .. } => text("severity", "", severity.as_str()),
        Fact::QuestionAnswered { answer, .. } => text(answer.question.as_str(), "", &answer.answer),
        Fact::QuestionRevisited { question } => text(question.as_str(), "", "revisited"),
        Fact::RunStarted { run, runbook, .. } => text(run.as_str(), runbook.as_str(), "started"),
        Fact::RunEnded { run, end } => text(
            run.as_str(),
            "",
            match end {
                crate::core::words::incident::RunEnd::Completed => "completed",
                crate::core::words::incident::RunEnd::Aborted(_) => "aborted",
            },
        ),
        Fact::StepPrepared { confirmation } => text(
            &format!("{}/{}", confirmation.run, confirmation.step),
            &confirmation.description.target.name,
            "prepared",
        ),
        Fact::StepPreparationFailed { run, step: id, .. } => step(run, id, "obstructed"),
        Fact::ConfirmationWithdrawn { run, step: id, .. } => step(run, id, "voided"),
        Fact::StepConfirmed { run, step: id, .. } => step(run, id, "confirmed"),
        Fact::StepStarted { run, step: id, .. } => step(run, id, "started"),
        Fact::StepFinished { run, step: id, outcome, .. } => step(
            run,
            id,
            match outcome {
                Outcome::Done(_) => "finished",
                failed if failed.is_uncertain() => "unknown",
                Outcome::Failed(_) => "failed",
            },
        ),
        Fact::StepVerified { run, step: id, .. } => step(run, id, "verified"),
        Fact::StepHolding { run, step: id, .. } => step(run, id, "holding"),
        Fact::TargetChanged { run, step: id, .. } => step(run, id, "changed"),
        Fact::StepVerificationFailed { run, step: id, .. } => step(run, id, "doubted"),
        Fact::StepRetried { run, step: id, .. } => step(run, id, "retried"),
        Fact::StepSkipped { run, step: id, .. } => step(run, id, "skipped"),
        Fact::GuardOverridden { run, step: id, .. } => step(run, id, "overridden"),
        Fact::StepAttested { run, step: id, .. } => step(run, id, "attested"),
        Fact::StepUndone { run, step: id, .. } => step(run, id, "undone"),
        Fact::JournalChanged { failure: None, .. } => text("journal", "", "resumed"),
        Fact::NoteAdded { .. } => text("note", "", "noted"),
        Fact::PreflightRan { tally, .. } => {
            text("preflight", &model.plan.name, if tally.fail > 0 { "fails" } else { "passes" })
        }
        Fact::IncidentProposed { id, severity, .. } => text("signals", id.as_str(), severity.as_str()),
        Fact::ProposalWithdrawn { id, .. } => text("signals", id.as_str(), "withdrawn"),
        Fact::EscalationStarted { incident, severity, policy, .. } => {
            text(policy.as_ref().map_or("", |policy| policy.as_str()), incident.as_str(), severity.as_str())
        }
        Fact::EscalationAcknowledged { who, via, .. } => text(who, via, "acknowledged"),
        Fact::EscalationRenewed { incident, .. } => text("escalation", incident.as_str(), "renewed"),
        Fact::NotificationsQueued { incident, intent, to, .. } => {
            let names: Vec<&str> = to.iter().map(|queued| queued.name.as_str()).collect();
            text(&format!("{incident}/{}", intent.as_str()), &names.join(", "), "queued")
        }
        Fact::NotificationStarted { id, to, .. } => text(id.as_str(), to, "sent"),
        Fact::NotificationFinished { id, to, attempted, .. } => text(
            id.as_str(),
            to,
            match attempted {
                Attempted::Accepted(_) => "accepted",
                Attempted::Failed { retry_at: Some(_), .. } => "retrying",
                Attempted::Failed { failure, .. } if failure.again == Again::Maybe => "unknown",
                Attempted::Failed { .. } => "failed",
            },
        ),
        Fact::NotificationTracked { id, to, tracked } => text(
            id.as_str(),
            to,
            match tracked {
                Tracked::Pending => "accepted",
                Tracked::Delivered(_) => "delivered",
                Tracked::Acknowledged(_) => "acknowledged",
                Tracked::Failed(_) => "failed",
            },
        ),
        Fact::PagedUnrecorded { page } => {
            text("engine", &page.who, if page.result.is_ok() { "accepted" } else { "failed" })
        }
        Fact::MessageDue { due } => text("plan", due.message.as_str(), "due"),
        Fact::MessageSkipped { message, .. } => text("message", message.as_str(), "waived"),
        Fact::CalendarRead { rotation, shifts, .. } => {
            text("calendar", rotation.as_str(), if shifts.is_ok() { "read" } else { "unreadable" })
        }
        Fact::RoleAssigned { role, to, .. } => text(role.as_str(), to, "assigned"),
        Fact::IncidentResolved { .. } => text("incident", &model.plan.name, "resolved"),
        Fact::IncidentReopened { .. } => text("incident", &model.plan.name, "reopened"),
        Fact::IncidentClosed { .. } => text("incident", &model.plan.name, "closed"),
        Fact::ReadingTaken { .. }
        | Fact::StepPreparing { .. }
        | Fact::StepOutput { .. }
        | Fact::StepRechecked { .. }
        | Fact::PreflightStarted
        | Fact::PreflightFound { .. }
        | Fact::JournalSpace { .. }
        | Fact::JournalChanged { .. } => text("", "", "ephemeral"),
    }
}
