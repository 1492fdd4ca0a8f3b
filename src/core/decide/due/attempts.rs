//! Attempts that can begin.

use super::super::escalate::current;
use super::follow::is_over;
use crate::base::ids::ChannelId;
use crate::core::model::Model;
use crate::core::prose::describe;
use crate::core::words::fact::Fact;
use crate::core::words::notification::{
    Again, Attempted, Cause, DeliveryStatus, Intent, Notification, Undelivered,
};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// Attempts that can begin: not more at once than a channel takes, one after the other where messages hang together.
/// A page that somebody acknowledged before it went out is not sent.
pub fn attempts(model: &Model, now: Timestamp) -> Vec<Fact> {
    let mut under_way: HashMap<&ChannelId, u32> = HashMap::new();
    for known in model.durable.notifications.values().filter(|known| known.status == DeliveryStatus::Sent) {
        *under_way.entry(&known.queued.way.channel).or_default() += 1;
    }
    let mut busy = HashSet::new();
    let mut facts = Vec::new();
    for (id, known) in &model.durable.notifications {
        let way = &known.queued.way;
        let Some(channel) = model.plan.channels.get(&way.channel) else {
            if known.status == DeliveryStatus::Queued {
                facts.push(given_up(
                    model,
                    known,
                    "the plan has no such channel any more",
                    "Put it back, or tell them otherwise.",
                ));
            }
            continue;
        };
        match known.status {
            DeliveryStatus::Sent => {
                busy.insert(way);
                continue;
            }
            DeliveryStatus::Queued => {}
            _ => continue,
        }
        if let Some(why) = overtaken(model, known) {
            facts.push(given_up(model, known, &why, ""));
            continue;
        }
        let free = under_way.entry(&way.channel).or_default();
        let in_order = channel.capabilities.threads && busy.contains(way);
        let waits = known.not_before.is_some_and(|at| at > now);
        if channel.capabilities.threads {
            busy.insert(way);
        }
        if in_order || waits || *free >= channel.parallel {
            continue;
        }
        *free += 1;
        let to = describe::to_whom(&known.queued, &model.plan);
        facts.push(Fact::NotificationStarted { id: id.clone(), to, attempt: known.attempt + 1 });
    }
    facts
}

/// Why a page need not go out any more.
fn overtaken(model: &Model, known: &Notification) -> Option<String> {
    if known.intent != Intent::Page {
        return None;
    }
    if is_over(model, &known.incident) {
        return Some("it was over before this was sent".into());
    }
    let escalation = current(model).filter(|_| known.cause != Cause::ByHand)?;
    if known.generation < escalation.generation {
        return Some("the escalation began anew before this was sent".into());
    }
    let taken = escalation.acknowledged.as_ref()?;
    Some(format!("{} acknowledged before this was sent", taken.who))
}

fn given_up(model: &Model, known: &Notification, why: &str, next: &str) -> Fact {
    let failure = Undelivered { why: why.into(), next: next.into(), again: Again::Never };
    let to = describe::to_whom(&known.queued, &model.plan);
    Fact::NotificationFinished {
        id: known.queued.id.clone(),
        to,
        attempt: 0,
        attempted: Attempted::Failed { failure, retry_at: None },
    }
}
