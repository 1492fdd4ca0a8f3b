//! Messages of the plan that became due, and automatic ones that are sent.

use super::super::escalate::{Batch, current};
use crate::base::ids::{MessageId, RunbookId};
use crate::core::ask::lifecycle;
use crate::core::ask::recipients::{self, Recipients};
use crate::core::model::Model;
use crate::core::prose::message;
use crate::core::words::escalation::DueMessage;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Incident;
use crate::core::words::notification::{Cause, Intent};
use crate::plan::{Fallbacks, MessageTemplate, Occasion};
use jiff::Timestamp;

/// Messages of the plan that became due, and automatic ones that are.
pub fn messages(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    // Those of an exercise wait while real trouble is told about.
    if model.durable.incident.is_some() && lifecycle::open_and_told(model).is_none() {
        return facts;
    }
    for (id, template) in &model.plan.messages {
        let waiting = model.durable.due.iter().find(|due| due.message == *id);
        match waiting {
            Some(due) if template.automatic => facts.extend(automatic(model, id, template, due, now)),
            Some(_) => {}
            None => facts.extend(newly_due(model, id, template, now)),
        }
    }
    facts
}

fn newly_due(model: &Model, id: &MessageId, template: &MessageTemplate, now: Timestamp) -> Option<Fact> {
    let turn = model.durable.message_turns.get(id);
    let since = match turn {
        None => occasion(model, template)?,
        Some((_, last)) => {
            let open = model.durable.incident.as_ref().is_some_and(|incident| incident.resolved.is_none());
            let again = last.checked_add(template.every.filter(|_| open)?).ok()?;
            Some(again).filter(|again| *again <= now)?
        }
    };
    let by = since.checked_add(template.within).unwrap_or(since);
    let due = DueMessage { message: id.clone(), number: turn.map_or(1, |(number, _)| number + 1), since, by };
    Some(Fact::MessageDue { due })
}

/// When the first of a message's occasions came.
fn occasion(model: &Model, template: &MessageTemplate) -> Option<Timestamp> {
    let open = model.durable.incident.as_ref();
    // That of the last incident stays known after its end.
    let told = model.durable.escalation.as_ref();
    let severity = told.map(|escalation| escalation.severity).or(model.severity());
    let severities = &template.severities;
    let concerns = severities.is_empty() || severity.is_some_and(|severity| severities.contains(&severity));
    let run = |incident: &Incident| {
        let meant = |id: &RunbookId| template.runbooks.is_empty() || template.runbooks.contains(id);
        incident.runs.iter().find(|run| meant(&run.runbook)).map(|run| run.started_at)
    };
    let came = |occasion: &Occasion| match (occasion, open) {
        (Occasion::Declared, Some(incident)) => Some(incident.declared_at),
        (Occasion::Severity, Some(_)) => current(model).and_then(|escalation| escalation.severity_changed_at),
        (Occasion::Run, Some(incident)) => run(incident),
        (Occasion::Switched, Some(incident)) => {
            run(incident)?;
            model.durable.last_failover().filter(|at| *at >= incident.declared_at)
        }
        (Occasion::Resolved, Some(incident)) => incident.resolved.as_ref().map(|(at, _)| *at),
        (Occasion::Closed, None) => {
            lifecycle::told_about(model).and_then(|last| last.closed.as_ref()).map(|(at, _)| *at)
        }
        _ => None,
    };
    template.on.iter().filter_map(came).min().filter(|_| concerns)
}

/// An automatic message, with whom it could not be sent to. What reaches nobody stays due, and so becomes overdue on
/// the screen; in an exercise that is as it should be.
fn automatic(
    model: &Model,
    id: &MessageId,
    template: &MessageTemplate,
    due: &DueMessage,
    now: Timestamp,
) -> Vec<Fact> {
    let (Some(incident), Some(audience), Ok(draft)) = (
        lifecycle::told_about(model),
        model.plan.audiences.get(&template.audience),
        message::draft(model, id, now),
    ) else {
        return Vec::new();
    };
    let found = recipients::resolve(model, &audience.who, &audience.methods, audience.public, now);
    if !found.reaches_somebody() && !incident.mode.is_drill() {
        return Vec::new();
    }
    let message = message::finish(model, draft, &found.instead_of).on_status_page(template);
    let batch = Batch {
        incident: incident.id.clone(),
        cause: Cause::Message { message: id.clone(), number: due.number },
        intent: Intent::Inform,
        message,
        tries: Fallbacks::All,
        next_after: None,
    };
    std::iter::once(batch.queue(model, now, &found)).chain(not_told(&template.title, &found)).collect()
}

/// Whom a message did not reach beside those that it did.
pub fn not_told(title: &str, found: &Recipients) -> Option<Fact> {
    let missing = found.missing.join("; ");
    (!missing.is_empty()).then(|| Fact::NoteAdded { text: format!("{title}: not told: {missing}") })
}
