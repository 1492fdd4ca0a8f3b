//! The forms of telling people, with what there is to choose from.

use super::form::{self, Form, Purpose};
use crate::base::ids::{AudienceId, ContactId, MessageId};
use crate::console::keymap::Action;
use crate::core::ask::escalation_status::{self, Owed};
use crate::core::ask::{oncall, recipients};
use crate::core::model::Model;
use crate::core::words::escalation::IncidentRole;
use crate::plan::Who;
use jiff::Timestamp;

type Why = (&'static str, &'static str);

const NO_INCIDENT: Why =
    ("no incident is open", "Declare one first; everything that follows is recorded under it.");

/// The form of what is to be done for people, or why there is nothing to do.
pub(in crate::console) fn form_for(action: Action, model: &Model, now: Timestamp) -> Result<Form, Why> {
    let durable = &model.durable;
    let incident = durable.incident.as_ref().ok_or(NO_INCIDENT);
    match action {
        Action::Page if durable.incident.is_none() && durable.proposal.is_none() => Err(NO_INCIDENT),
        Action::Page => page(model, now),
        Action::SendMessage => send(model, now),
        Action::SkipMessage => skip_message(model, now),
        Action::HandOver => incident.map(|_| hand_over(model)),
        Action::Resolve => match incident? {
            open if open.resolved.is_some() => {
                Err(("it is resolved already", "Watch the system, then close the incident."))
            }
            open if open.open_run().is_some() => {
                Err(("a runbook is still running", "Settle its steps, or abort it with a reason."))
            }
            open => Ok(Form::writing(Purpose::Resolve(open.id.clone()))),
        },
        Action::Reopen => match incident? {
            open if open.resolved.is_none() => {
                Err(("the incident was not resolved", "There is nothing to reopen: go on."))
            }
            open => Ok(Form::writing(Purpose::Reopen(open.id.clone()))),
        },
        _ => match &durable.proposal {
            Some(proposal) => Ok(Form::writing(Purpose::Dismiss(proposal.id.clone()))),
            None => Err(("nothing is proposed", "An incident is closed instead.")),
        },
    }
}

/// Rotations with who is on call now, then the contacts, each with the ways to them.
fn page(model: &Model, now: Timestamp) -> Result<Form, Why> {
    let rotations = model.plan.rotations.iter().map(|(id, rotation)| {
        let who = match oncall::at(model, id, now) {
            Ok(people) => {
                let name = |id: &ContactId| {
                    model.plan.contacts.get(id).map_or(id.to_string(), |contact| contact.name.clone())
                };
                people.iter().map(name).collect::<Vec<_>>().join(" and ")
            }
            Err(_) => "NOBODY".into(),
        };
        (Who::OnCall(id.clone()), format!("on call, {}: {who}", rotation.title))
    });
    let contacts = model.plan.contacts.iter().map(|(id, contact)| {
        let role = if contact.role.is_empty() { String::new() } else { format!(", {}", contact.role) };
        (Who::Contact(id.clone()), format!("{}{role}", contact.name))
    });
    let (whom, labels): (Vec<Who>, Vec<String>) = rotations
        .chain(contacts)
        .map(|(who, label)| (who.clone(), label_ways(model, &who, &label, now)))
        .unzip();
    if whom.is_empty() {
        return Err(("the plan has no contacts", "Call people, then note whom you told."));
    }
    let choices = form::choices(labels.iter().map(|label| ("", label.as_str())));
    Ok(Form::choosing(Purpose::Page(whom), choices))
}

fn label_ways(model: &Model, who: &Who, label: &str, now: Timestamp) -> String {
    let found = recipients::resolve(model, std::slice::from_ref(who), &[], false, now);
    let ways = found.people.iter().flat_map(|recipient| &recipient.ways).map(|way| {
        model.plan.channels.get(&way.channel).map_or_else(|| way.channel.to_string(), |c| c.title.clone())
    });
    let mut ways: Vec<String> = ways.collect();
    ways.dedup();
    match ways.is_empty() {
        true => format!("{label} (NO WAY leads there)"),
        false => format!("{label} ({})", ways.join(", ")),
    }
}

/// What is due first, then the plan's other messages, then a text of one's own to each audience.
fn send(model: &Model, now: Timestamp) -> Result<Form, Why> {
    let owed = escalation_status::owed(model);
    if model.durable.incident.is_none() && owed.is_empty() {
        return Err(NO_INCIDENT);
    }
    let whom = |audience: &AudienceId| match model.plan.audiences.get(audience) {
        Some(audience) if audience.public => format!("{} (PUBLIC)", audience.title),
        Some(audience) => audience.title.clone(),
        None => format!("{audience}, which the plan has no more"),
    };
    let mut what: Vec<(Option<MessageId>, AudienceId)> = Vec::new();
    let mut labels = Vec::new();
    for due in &owed {
        let Some(template) = model.plan.messages.get(&due.message) else { continue };
        let when = when(due, now);
        labels.push(format!("{when}: {}, to {}", due.title, whom(&template.audience)));
        what.push((Some(due.message.clone()), template.audience.clone()));
    }
    // After the close only what is due can be sent.
    if model.durable.incident.is_some() {
        for (id, template) in &model.plan.messages {
            if !owed.iter().any(|due| due.message == *id) {
                labels.push(format!("{}, to {}", template.title, whom(&template.audience)));
                what.push((Some(id.clone()), template.audience.clone()));
            }
        }
        for id in model.plan.audiences.keys() {
            labels.push(format!("your own text, to {}", whom(id)));
            what.push((None, id.clone()));
        }
    }
    if what.is_empty() {
        return Err(("the plan has no audiences", "Tell people otherwise, then note whom you told."));
    }
    let choices = form::choices(labels.iter().map(|label| ("", label.as_str())));
    Ok(Form::choosing(Purpose::Send(what), choices))
}

/// `due in 8:12`, `OVERDUE by 3:00`.
fn when(due: &Owed, now: Timestamp) -> String {
    let clock = crate::base::units::clock(due.left(now));
    if due.is_overdue(now) { format!("OVERDUE by {clock}") } else { format!("due in {clock}") }
}

fn skip_message(model: &Model, now: Timestamp) -> Result<Form, Why> {
    let owed = escalation_status::owed(model);
    let labels = owed.iter().map(|due| {
        let when = when(due, now);
        (due.message.as_str(), format!("{}, to {}: {when}", due.title, due.audience))
    });
    let labels: Vec<(&str, String)> = labels.collect();
    if labels.is_empty() {
        return Err(("no message is due", "There is nothing to do without."));
    }
    let choices = form::choices(labels.iter().map(|(id, label)| (*id, label.as_str())));
    Ok(Form::choosing(Purpose::SkipMessage, choices))
}

fn hand_over(model: &Model) -> Form {
    let holder = |role| {
        let incident = model.durable.incident.as_ref();
        incident.and_then(|incident| incident.holder(role)).unwrap_or_else(|| "nobody".into())
    };
    let does = |role| match role {
        IncidentRole::Commander => "decides",
        IncidentRole::Communications => "tells people",
        IncidentRole::Operations => "acts",
        IncidentRole::Scribe => "writes down",
    };
    let labels = IncidentRole::ALL
        .map(|role| (role.as_str(), format!("{}, who {}: {} now", role.as_str(), does(role), holder(role))));
    let choices = form::choices(labels.iter().map(|(name, label)| (*name, label.as_str())));
    let names = model.plan.contacts.values().map(|contact| crate::base::text::clean(&contact.name, 80));
    Form::hand_over(choices, names.collect())
}
