//! The messages of the plan that somebody waits for.

use crate::base::ids::MessageId;
use crate::core::model::Model;
use jiff::{SignedDuration, Timestamp};

/// A message of the plan that has to be sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Owed {
    pub message: MessageId,
    /// What people call it.
    pub title: String,
    /// Those whom it is for.
    pub audience: String,
    /// They are outside of the company.
    pub public: bool,
    /// Which time, from 1.
    pub number: u32,
    /// Until when.
    pub by: Timestamp,
    /// It is sent without a person.
    pub automatic: bool,
}

impl Owed {
    /// How long there still is; negative once it is overdue.
    pub fn left(&self, now: Timestamp) -> SignedDuration {
        self.by.duration_since(now)
    }

    /// Whether it should have been sent.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.left(now).is_negative()
    }
}

/// The messages that have to be sent, the most urgent first.
pub fn owed(model: &Model) -> Vec<Owed> {
    let mut owed: Vec<Owed> =
        model.durable.due.iter().map(|due| owing(model, &due.message, due.number, due.by)).collect();
    owed.sort_by_key(|owed| owed.by);
    owed
}

fn owing(model: &Model, id: &MessageId, number: u32, by: Timestamp) -> Owed {
    let template = model.plan.messages.get(id);
    let audience = template.and_then(|template| model.plan.audiences.get(&template.audience));
    Owed {
        message: id.clone(),
        title: template.map_or_else(|| id.to_string(), |template| template.title.clone()),
        audience: audience
            .map_or_else(|| "an audience that is gone".into(), |audience| audience.title.clone()),
        public: audience.is_some_and(|audience| audience.public),
        number,
        by,
        automatic: template.is_some_and(|template| template.automatic),
    }
}

/// The next update that becomes due by itself, with when it has to be sent.
pub fn next_update(model: &Model) -> Option<Owed> {
    let incident = model.durable.incident.as_ref()?;
    if incident.resolved.is_some() {
        return None;
    }
    let coming = model.plan.messages.iter().filter_map(|(id, template)| {
        let (number, last) = model.durable.message_turns.get(id)?;
        let due = model.durable.due.iter().any(|due| due.message == *id);
        let at = last.checked_add(template.every.filter(|_| !due)?).ok()?;
        Some(owing(model, id, number + 1, at.checked_add(template.within).ok()?))
    });
    coming.min_by_key(|owed| owed.by)
}
