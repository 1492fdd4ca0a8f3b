//! Telling people: what a person asks for, and what comes back from the providers. What time brings is in `due`.

use super::due::not_told;
use super::incident::open;
use super::required;
use crate::base::ids::*;
use crate::base::problem::Problem;
use crate::core::ask::lifecycle;
use crate::core::ask::recipients::{self, Recipients};
use crate::core::model::Model;
use crate::core::prose::describe;
use crate::core::prose::message::{self, Draft};
use crate::core::words::actor::Actor;
use crate::core::words::escalation::Escalation;
use crate::core::words::fact::Fact;
use crate::core::words::notification::{
    Again, Attempted, Cause, DeliveryStatus, Intent, Message, Notification, Queued, Receipt, Tracked,
    Undelivered, Way,
};
use crate::plan::{Capabilities, Fallbacks, Who};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;

/// Pause before the second attempt; it doubles with each further one.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// The longest pause between two attempts that lifeboat chooses by itself.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// What is being told about: what is proposed, also during a drill, or the open incident.
pub fn subject(model: &Model) -> Option<IncidentId> {
    let proposed = model.durable.proposal.as_ref().map(|proposal| proposal.id.clone());
    proposed.or_else(|| model.durable.incident.as_ref().map(|incident| incident.id.clone()))
}

/// The escalation of what is being told about.
pub fn current(model: &Model) -> Option<&Escalation> {
    let subject = subject(model)?;
    model.durable.escalation.as_ref().filter(|escalation| escalation.incident == subject)
}

/// Takes the escalation on.
pub fn acknowledge(model: &Model, by: &Actor) -> Result<Vec<Fact>, Problem> {
    let Some(escalation) = current(model) else {
        return Err(Problem::new(
            "nothing is being escalated",
            "There is nothing to acknowledge: declare an incident first.",
        ));
    };
    let who = by.to_string();
    if let Some(before) = escalation.acknowledged.as_ref().filter(|before| before.who == who) {
        let why = format!("you acknowledged it already, by {}", before.via);
        return Err(Problem::new(why, "Go on: note what you do, so that nobody is paged for your silence."));
    }
    Ok(vec![Fact::EscalationAcknowledged {
        incident: escalation.incident.clone(),
        who,
        via: "console".into(),
    }])
}

/// Pages somebody now.
pub fn page(
    model: &Model,
    now: Timestamp,
    who: &Who,
    methods: &[ChannelId],
    text: &str,
) -> Result<Vec<Fact>, Problem> {
    let incident = subject(model).ok_or_else(|| {
        Problem::new("no incident is open", "Declare one first; the page tells what it is about.")
    })?;
    let found = recipients::resolve(model, std::slice::from_ref(who), methods, false, now);
    refuse_nobody(&found)?;
    let extra = crate::base::text::clean(text.trim(), super::TEXT_LIMIT_CHARS);
    let message = message::finish(model, message::page(model, now, &extra), &found.instead_of);
    let batch = Batch {
        incident,
        cause: Cause::ByHand,
        intent: Intent::Page,
        message,
        tries: Fallbacks::All,
        next_after: None,
    };
    Ok(vec![batch.queue(model, now, &found)])
}

fn refuse_nobody(found: &Recipients) -> Result<(), Problem> {
    if found.reaches_somebody() {
        return Ok(());
    }
    let why = match found.missing.as_slice() {
        [] => "no way leads to anybody".to_owned(),
        missing => missing.join("; "),
    };
    Err(Problem::new(
        why,
        "Call them: `lifeboat notify tree` prints the phone tree. Then note whom you told.",
    ))
}

/// A message that a person wrote or changed.
pub struct Written<'a> {
    pub message: Option<&'a MessageId>,
    pub audience: &'a AudienceId,
    pub subject: &'a str,
    pub body: &'a str,
}

/// Sends a message that a person has read.
pub fn send(model: &Model, now: Timestamp, written: Written<'_>) -> Result<Vec<Fact>, Problem> {
    // What becomes due with the close is sent after it.
    let owed = written.message.filter(|id| model.durable.due.iter().any(|due| due.message == **id));
    let incident = match lifecycle::told_about(model).filter(|_| owed.is_some()) {
        Some(incident) => incident.id.clone(),
        None => open(model)?.id.clone(),
    };
    let audience = model.plan.audiences.get(written.audience).ok_or_else(|| {
        Problem::new(
            format!("the plan has no audience {}", written.audience),
            "Choose one of the plan's audiences.",
        )
    })?;
    let subject = required(written.subject, "the subject")?;
    let body = message::clean_lines(written.body.trim());
    if body.is_empty() {
        return Err(Problem::new("the text is empty", "Write what people have to know."));
    }
    let found = recipients::resolve(model, &audience.who, &audience.methods, audience.public, now);
    refuse_nobody(&found)?;
    let mut message = message::finish(model, Draft { subject, body }, &found.instead_of);
    let cause = match written.message {
        Some(id) => {
            let template = model.plan.messages.get(id).ok_or_else(|| {
                Problem::new(format!("the plan has no message {id}"), "Write one of your own.")
            })?;
            message = message.on_status_page(template);
            Cause::Message { message: id.clone(), number: number(model, id) }
        }
        None => Cause::Written,
    };
    let batch =
        Batch { incident, cause, intent: Intent::Inform, message, tries: Fallbacks::All, next_after: None };
    let queued = batch.queue(model, now, &found);
    Ok(std::iter::once(queued).chain(not_told(&audience.title, &found)).collect())
}

/// Which time a message would be sent now: the time that is due, or one more than before.
pub fn number(model: &Model, id: &MessageId) -> u32 {
    let due = model.durable.due.iter().find(|due| due.message == *id).map(|due| due.number);
    due.unwrap_or_else(|| model.durable.message_turns.get(id).map_or(1, |(number, _)| number + 1))
}

/// Does without a message that is due.
pub fn skip(model: &Model, id: &MessageId, reason: &str) -> Result<Vec<Fact>, Problem> {
    let due = model.durable.due.iter().find(|due| due.message == *id).ok_or_else(|| {
        Problem::new(format!("the message {id} is not due"), "There is nothing to do without.")
    })?;
    let reason = required(reason, "the reason")?;
    Ok(vec![Fact::MessageSkipped { message: id.clone(), number: due.number, reason }])
}

/// Messages of one cause.
pub struct Batch {
    pub incident: IncidentId,
    pub cause: Cause,
    pub intent: Intent,
    pub message: Message,
    pub tries: Fallbacks,
    pub next_after: Option<SignedDuration>,
}

impl Batch {
    /// Queues the batch for everybody who was found, each way once.
    pub fn queue(self, model: &Model, now: Timestamp, found: &Recipients) -> Fact {
        let mut to = Vec::new();
        let mut taken = HashSet::new();
        for recipient in &found.people {
            let (ways, then) = match self.tries {
                Fallbacks::All => (recipient.ways.as_slice(), &[][..]),
                Fallbacks::InTurn => recipient.ways.split_at(recipient.ways.len().min(1)),
            };
            for way in ways.iter().filter(|way| taken.insert(*way)) {
                let number = model.durable.queued_messages + to.len() + 1;
                let (contact, name) = (recipient.contact.clone(), recipient.name.clone());
                let addressed = Addressed { contact, name, way: way.clone(), then: then.to_vec() };
                to.push(self.queued(model, now, number, addressed));
            }
        }
        Fact::NotificationsQueued {
            incident: self.incident,
            cause: self.cause,
            intent: self.intent,
            message: self.message,
            to,
        }
    }

    /// One message of the batch.
    pub fn queued(&self, model: &Model, now: Timestamp, number: usize, to: Addressed) -> Queued {
        let channel = model.plan.channels.get(&to.way.channel);
        let patience = channel.map_or(SignedDuration::from_mins(3), |channel| channel.give_up_after);
        let id = NotificationId::new(format!("{}/n{number}", self.incident));
        let generation = current(model).map_or(0, |escalation| escalation.generation);
        let capabilities = channel.map_or_else(Capabilities::default, |channel| channel.capabilities);
        let key = match capabilities.has_alerts && self.cause != Cause::ByHand {
            // One alert for one generation, whoever is told by it; a page by hand has an alert of its own.
            true => format!("lifeboat/{}/{}/{generation}", model.plan.name, self.incident),
            false => format!("lifeboat/{}/{id}", model.plan.name),
        };
        Queued {
            id,
            contact: to.contact,
            name: to.name,
            way: to.way,
            then: to.then,
            next_after: self.next_after,
            key,
            give_up_at: now.checked_add(patience).unwrap_or(now),
            capabilities,
        }
    }
}

/// To whom one message goes.
pub struct Addressed {
    pub contact: Option<ContactId>,
    pub name: String,
    pub way: Way,
    pub then: Vec<Way>,
}

/// An attempt came to its end.
pub fn notified(
    model: &Model,
    now: Timestamp,
    id: &NotificationId,
    attempt: u32,
    result: &Result<Receipt, Undelivered>,
) -> Result<Vec<Fact>, Problem> {
    let late = || Problem::new(format!("attempt {attempt} of {id} is over"), "Its answer came too late.");
    let known = model.durable.notifications.get(id).ok_or_else(late)?;
    if known.status != DeliveryStatus::Sent || known.attempt != attempt {
        return Err(late());
    }
    let attempted = match result {
        Ok(receipt) => Attempted::Accepted(receipt.clone()),
        Err(failure) => {
            let again = match failure.again {
                Again::After(wait) => Some(wait),
                // Where the provider knows a repeated request, the second one changes nothing.
                Again::Maybe if known.queued.capabilities.repeatable => Some(None),
                Again::Maybe | Again::Never => None,
            };
            let pause = again.map(|named| named.unwrap_or_default().max(backoff(attempt)));
            let retry_at = pause.and_then(|pause| now.checked_add(pause).ok());
            let retry_at = retry_at.filter(|at| *at < known.queued.give_up_at);
            Attempted::Failed { failure: failure.clone(), retry_at }
        }
    };
    let to = describe::to_whom(&known.queued, &model.plan);
    Ok(vec![Fact::NotificationFinished { id: id.clone(), to, attempt, attempted }])
}

fn backoff(attempt: u32) -> SignedDuration {
    let doubled = 2_i32.saturating_pow(attempt.saturating_sub(1).min(8));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

/// More is known of a message; somebody may have acknowledged it at the provider.
pub fn tracked(model: &Model, id: &NotificationId, tracked: &Tracked) -> Result<Vec<Fact>, Problem> {
    let known = model.durable.notifications.get(id).filter(|known| !known.status.is_over());
    let known = known.ok_or_else(|| Problem::new(format!("{id} is over"), "Nothing more is asked of it."))?;
    let to = describe::to_whom(&known.queued, &model.plan);
    let fact = Fact::NotificationTracked { id: id.clone(), to, tracked: tracked.clone() };
    match tracked {
        Tracked::Pending => Ok(Vec::new()),
        Tracked::Delivered(_) if known.status == DeliveryStatus::Delivered => Ok(Vec::new()),
        Tracked::Delivered(_) | Tracked::Failed(_) => Ok(vec![fact]),
        Tracked::Acknowledged(who) => {
            // The acknowledgement first: after a cut between the two the provider is asked again.
            Ok(taken_on(model, known, who).into_iter().chain([fact]).collect())
        }
    }
}

/// A page that somebody acknowledged at its provider. What was acknowledged before the escalation began anew does not
/// count for what came after, nor does an information that somebody has read.
fn taken_on(model: &Model, known: &Notification, who: &str) -> Option<Fact> {
    let escalation = current(model)?;
    let counts = escalation.incident == known.incident
        && escalation.acknowledged.is_none()
        && known.intent == Intent::Page
        && known.generation == escalation.generation;
    let channel = model.plan.channels.get(&known.queued.way.channel);
    let via = channel.map_or_else(|| known.queued.way.channel.to_string(), |channel| channel.title.clone());
    counts.then(|| Fact::EscalationAcknowledged {
        incident: escalation.incident.clone(),
        who: crate::base::text::clean(who, 120),
        via,
    })
}
