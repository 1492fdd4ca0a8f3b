//! What did not go as planned, as far as the journal knows it.

use super::markdown::{items, text, time};
use super::story::{Gap, Story};
use crate::base::units;
use crate::core::prose::describe::{describe, to_whom};
use crate::core::words::escalation::DueMessage;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::notification::{Cause, DeliveryStatus, Intent, Notification};
use jiff::Timestamp;

/// In the order of time.
pub(super) fn troubles(story: &Story) -> Vec<String> {
    let mut found: Vec<(Timestamp, String)> = Vec::new();
    found.extend(
        story
            .events
            .iter()
            .filter(|event| event.fact.nature().is_trouble || stays_unproven(story, event))
            .map(|event| (event.at, said(story, event))),
    );
    found.extend(story.notifications().filter_map(|(_, known)| undelivered(story, known)));
    found.extend(story.events.iter().filter_map(|event| late(story, event)));
    found.extend(story.gaps.iter().map(|gap| (gap.from, without_engine(gap))));
    found.sort_by_key(|(at, _)| *at);
    items(found.into_iter().map(|(at, what)| format!("{} {what}", time(at))).collect())
}

/// A step on a person's word whose own proof was never seen.
fn stays_unproven(story: &Story, attested: &Event) -> bool {
    let Fact::StepAttested { run, step, unproven: true, .. } = &attested.fact else { return false };
    let seen = |event: &Event| matches!(&event.fact, Fact::ServicesMoved { run: of, step: id, .. } if (of, id) == (run, step));
    !story.events.iter().any(|event| event.at >= attested.at && seen(event))
}

fn said(story: &Story, event: &Event) -> String {
    text(&describe(&event.fact, &story.plan))
}

/// A message of which it is not known that it arrived. A page that was overtaken by an acknowledgement is none.
fn undelivered(story: &Story, known: &Notification) -> Option<(Timestamp, String)> {
    let word = match known.status {
        DeliveryStatus::Failed if known.attempt == 0 && known.intent == Intent::Page => return None,
        DeliveryStatus::Failed => "did not reach",
        DeliveryStatus::Unknown => "may not have reached",
        _ => return None,
    };
    let why = known.heard.as_deref().or(known.failure.as_ref().map(|failure| failure.why.as_str()));
    let whom = text(&to_whom(&known.queued, &story.plan));
    let why = why.map_or_else(String::new, |why| format!(": {}", text(why)));
    Some((known.changed_at, format!("A message {word} {whom}{why}")))
}

/// A message of the plan that was sent too late, or not at all.
fn late(story: &Story, event: &Event) -> Option<(Timestamp, String)> {
    let Fact::MessageDue { due } = &event.fact else { return None };
    let title = story.plan.messages.get(&due.message).map_or(due.message.as_str(), |message| &message.title);
    let title = text(title);
    let by = time(due.by);
    match settled(story, due) {
        Some(at) if at > due.by => {
            let late = units::duration(at.duration_since(due.by));
            Some((due.by, format!("\"{title}\" was due by {by} and told {late} late")))
        }
        Some(_) => None,
        None if story.until > due.by => Some((due.by, format!("\"{title}\" was due by {by} and never told"))),
        None => None,
    }
}

/// When a message was sent, or a person decided to do without it.
fn settled(story: &Story, due: &DueMessage) -> Option<Timestamp> {
    let settles = |event: &&Event| match &event.fact {
        Fact::NotificationsQueued { cause: Cause::Message { message, number }, .. }
        | Fact::MessageSkipped { message, number, .. } => *message == due.message && *number == due.number,
        _ => false,
    };
    story.events.iter().find(settles).map(|event| event.at)
}

fn without_engine(gap: &Gap) -> String {
    let span = units::duration(gap.until.duration_since(gap.from));
    let why = match &gap.stopped {
        Some(why) => format!("it was stopped: {}", text(why)),
        None => "it ended without a word".into(),
    };
    let recovery = if gap.recovery.is_empty() { String::new() } else { format!("; {}", text(&gap.recovery)) };
    format!("No engine watched for {span} ({why}){recovery}")
}
