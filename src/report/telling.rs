//! Who was told what, when, by which way, and what came back.

use super::markdown::{table, text, time, verbatim};
use super::story::Story;
use crate::base::ids::NotificationId;
use crate::core::words::notification::{Cause, DeliveryStatus, Intent, Notification};

pub(super) fn told(story: &Story) -> Vec<String> {
    let row = |(id, known): (&NotificationId, &Notification)| {
        let channel = story.plan.channels.get(&known.queued.way.channel);
        let way = channel.map_or(known.queued.way.channel.as_str(), |channel| &channel.title);
        vec![
            time(known.queued_at),
            text(&known.queued.name),
            text(way),
            text(&why(story, id, known)),
            result(known),
            text(&answer(known)),
        ]
    };
    let rows: Vec<Vec<String>> = story.notifications().map(row).collect();
    table(&["queued", "whom", "way", "why", "result", "answer"], &rows)
}

fn why(story: &Story, id: &NotificationId, known: &Notification) -> String {
    let title =
        |message| story.plan.messages.get(message).map_or_else(|| format!("{message}"), |m| m.title.clone());
    match &known.cause {
        Cause::Level { round: 0, level, .. } => format!("level {}", level + 1),
        Cause::Level { round, level, .. } => format!("level {}, round {}", level + 1, round + 1),
        Cause::Fallback { of } => format!("{id} after {of} was not answered"),
        Cause::Message { message, number: 1 } => title(message),
        Cause::Message { message, number } => format!("{}, number {number}", title(message)),
        Cause::ByHand => "paged by hand".into(),
        Cause::Written => "written by hand".into(),
        Cause::Follow(intent) => format!("{} there too", intent.as_str()),
    }
}

fn result(known: &Notification) -> String {
    let status = match known.status {
        bad @ (DeliveryStatus::Failed | DeliveryStatus::Unknown) => format!("**{}**", bad.as_str()),
        status => status.as_str().to_owned(),
    };
    let attempts = if known.attempt > 1 { format!(", {} attempts", known.attempt) } else { String::new() };
    format!("{status} {}{attempts}", time(known.changed_at))
}

fn answer(known: &Notification) -> String {
    let receipt = known.receipt.as_ref().map(|receipt| match receipt.cut.is_empty() {
        true => receipt.answer.clone(),
        false => format!("{}; {}", receipt.answer, receipt.cut),
    });
    let failure = known.failure.as_ref().map(|failure| failure.why.clone());
    known.heard.clone().or(receipt).or(failure).unwrap_or_default()
}

/// What people were told beyond being paged, each text once.
pub(super) fn messages(story: &Story) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, message) in story.model.durable.sent_messages.iter().enumerate() {
        let to: Vec<&Notification> = story
            .notifications()
            .map(|(_, known)| known)
            .filter(|known| known.message == place && known.intent == Intent::Inform)
            .collect();
        let Some(first) = to.first() else { continue };
        let names: Vec<String> = to.iter().map(|known| text(&known.queued.name)).collect();
        lines.push(format!(
            "### {} {}\n\nTo {}{}.\n",
            time(first.queued_at),
            text(&message.subject),
            names.join(", "),
            audience(story, first)
        ));
        lines.extend(verbatim(&[&message.subject, &message.body, &message.witness]));
        lines.push(String::new());
    }
    lines
}

fn audience(story: &Story, known: &Notification) -> String {
    let Cause::Message { message, .. } = &known.cause else { return ", written by hand".into() };
    let template = story.plan.messages.get(message);
    let audience = template.and_then(|template| story.plan.audiences.get(&template.audience));
    audience.map_or_else(String::new, |audience| {
        let public = if audience.public { ", outside of the company" } else { "" };
        format!(" for \"{}\"{public}", text(&audience.title))
    })
}
