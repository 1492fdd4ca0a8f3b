//! One incident taken out of the journal: its events, and how things stood at its end.

use crate::base::ids::{IncidentId, NotificationId, ServiceId};
use crate::core::apply::apply;
use crate::core::model::Model;
use crate::core::words::fact::{Event, Fact};
use crate::core::words::incident::Incident;
use crate::core::words::notification::Notification;
use crate::core::words::signal::SignalState;
use crate::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Signals that turned this long before the detection belong to it.
const LEAD_IN: SignedDuration = SignedDuration::from_mins(5);

/// Why there is no report.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoStory {
    /// Nothing was declared.
    #[error("the journal has no incident: nothing was ever declared under this plan and state folder")]
    Nothing,
    /// Another name.
    #[error("the journal has no incident {0}; it has {1}")]
    Unknown(String, String),
}

/// An incident with its events.
pub struct Story {
    /// The plan, for titles.
    pub plan: Arc<Plan>,
    /// The incident, as it was at its end, or is now.
    pub incident: Incident,
    pub proposed_at: Option<Timestamp>,
    /// Its events, oldest first, from the first signal behind it to the last word about it.
    pub events: Vec<Event>,
    /// How things stood after the last of them.
    pub model: Model,
    /// When services did not work.
    pub outages: Vec<Outage>,
    /// Times without an engine.
    pub gaps: Vec<Gap>,
    /// When the last of these events happened.
    pub until: Timestamp,
    /// The records were written under another plan.
    pub plan_changed: bool,
}

/// A time in which a service did not work.
#[derive(Clone, PartialEq, Debug)]
pub struct Outage {
    pub service: ServiceId,
    /// Since when.
    pub from: Timestamp,
    /// Until when; none where it still did not at the end.
    pub until: Option<Timestamp>,
}

/// A time without an engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Gap {
    /// Its last record.
    pub from: Timestamp,
    /// When another one took over.
    pub until: Timestamp,
    /// Why it was stopped; none where it ended without a word.
    pub stopped: Option<String>,
    /// What the journal needed then; empty for nothing.
    pub recovery: String,
}

impl Story {
    /// Takes an incident out of all events of a journal; the last one where none is named.
    ///
    /// # Errors
    /// When there is no such incident.
    pub fn of(plan: Arc<Plan>, all: &[Event], wanted: Option<&str>) -> Result<Self, NoStory> {
        let declared = find(all, wanted)?;
        let Fact::IncidentDeclared { id, detected_at, .. } = &all[declared].fact else {
            return Err(NoStory::Nothing);
        };
        let proposed_at = all[..declared].iter().find_map(|event| match &event.fact {
            Fact::IncidentProposed { id: proposed, .. } if proposed == id => Some(event.at),
            _ => None,
        });
        let begin = proposed_at.into_iter().chain([*detected_at]).min().unwrap_or(*detected_at);
        let others = |event: &Event| match &event.fact {
            Fact::IncidentDeclared { id: other, .. } | Fact::IncidentProposed { id: other, .. } => {
                other != id
            }
            _ => false,
        };
        // Until its close nothing else is declared; what is proposed during a drill does not end it.
        let closed = all[declared..].iter().position(|e| matches!(e.fact, Fact::IncidentClosed { .. }));
        let closed = closed.map(|place| declared + place);
        let after = closed.unwrap_or(all.len());
        let end = all[after..].iter().position(others).map_or(all.len(), |place| after + place);
        let mut fold = Fold::new(plan.clone(), begin);
        all[..end].iter().for_each(|event| fold.take(event));
        let model = fold.model;
        let mut known = model.durable.incident.iter().chain(&model.durable.closed);
        let incident = known.find(|known| known.id == *id).cloned().ok_or(NoStory::Nothing)?;
        let belongs = |(place, event): (usize, &Event)| match closed {
            Some(closed) if place > closed => is_telling(event),
            _ => event.at >= begin || (leads_in(event) && begin.duration_since(event.at) <= LEAD_IN),
        };
        let events: Vec<Event> = all[..end]
            .iter()
            .enumerate()
            .filter(|(place, event)| belongs((*place, event)))
            .map(|(_, event)| event.clone())
            .collect();
        let last = events.last().map_or(*detected_at, |event| event.at);
        let is_within = |at: Timestamp| at >= begin && at <= last;
        let plan_changed = model.durable.plan_digest.as_ref().is_some_and(|digest| *digest != plan.digest);
        Ok(Self {
            proposed_at,
            outages: fold.outages.into_iter().filter(|outage| outage.from <= last).collect(),
            gaps: fold.gaps.into_iter().filter(|gap| is_within(gap.until)).collect(),
            until: last,
            plan_changed,
            plan,
            incident,
            events,
            model,
        })
    }

    /// When the first event happened of which something can be said.
    pub fn first<T>(&self, of: impl Fn(&Event) -> Option<T>) -> Option<(&Event, T)> {
        self.events.iter().find_map(|event| Some((event, of(event)?)))
    }

    /// Messages about it, in the order of their queueing.
    pub fn notifications(&self) -> impl Iterator<Item = (&NotificationId, &Notification)> {
        self.model.durable.notifications.iter().filter(|(_, known)| known.incident == self.incident.id)
    }

    /// Number of the first record.
    pub fn first_record(&self) -> Option<u64> {
        self.events.iter().find_map(|event| Some(event.record.as_ref()?.seq))
    }

    /// Number of the last record.
    pub fn last_record(&self) -> Option<u64> {
        self.events.iter().rev().find_map(|event| Some(event.record.as_ref()?.seq))
    }
}

/// The place of an incident's declaration.
fn find(all: &[Event], wanted: Option<&str>) -> Result<usize, NoStory> {
    let declared: Vec<(usize, &IncidentId)> = all
        .iter()
        .enumerate()
        .filter_map(|(place, event)| match &event.fact {
            Fact::IncidentDeclared { id, .. } => Some((place, id)),
            _ => None,
        })
        .collect();
    let Some((last, _)) = declared.last() else { return Err(NoStory::Nothing) };
    let Some(wanted) = wanted else { return Ok(*last) };
    let found = declared.iter().rev().find(|(_, id)| id.as_str() == wanted);
    found.map(|(place, _)| *place).ok_or_else(|| {
        let known: Vec<&str> = declared.iter().map(|(_, id)| id.as_str()).collect();
        NoStory::Unknown(crate::base::text::clean(wanted, 80), known.join(", "))
    })
}

fn leads_in(event: &Event) -> bool {
    match &event.fact {
        Fact::SignalChanged { to, .. } => *to != SignalState::Ok,
        fact => matches!(fact, Fact::SeverityChanged { .. }),
    }
}

/// What is still told about an incident once it is closed.
fn is_telling(event: &Event) -> bool {
    matches!(
        event.fact,
        Fact::NotificationsQueued { .. }
            | Fact::NotificationStarted { .. }
            | Fact::NotificationFinished { .. }
            | Fact::NotificationTracked { .. }
            | Fact::MessageDue { .. }
            | Fact::MessageSkipped { .. }
    )
}

/// Folds events and notes what the model alone forgets.
struct Fold {
    model: Model,
    begin: Timestamp,
    last: Option<(Timestamp, Option<String>)>,
    broken: BTreeMap<ServiceId, Timestamp>,
    outages: Vec<Outage>,
    gaps: Vec<Gap>,
}

impl Fold {
    fn new(plan: Arc<Plan>, begin: Timestamp) -> Self {
        Self {
            model: Model::new(plan),
            begin,
            last: None,
            broken: BTreeMap::new(),
            outages: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn take(&mut self, event: &Event) {
        if let (Fact::EngineStarted { recovery, .. }, Some((from, stopped))) = (&event.fact, self.last.take())
        {
            self.gaps.push(Gap { from, until: event.at, stopped, recovery: recovery.clone() });
        }
        let stopped = match &event.fact {
            Fact::EngineStopped { why } => Some(why.clone()),
            _ => None,
        };
        self.last = Some((event.at, stopped));
        apply(&mut self.model, event);
        let services: Vec<(ServiceId, Option<Timestamp>)> = self
            .model
            .durable
            .services
            .iter()
            .map(|(id, standing)| (id.clone(), standing.broken_since))
            .collect();
        for (id, broken) in services {
            self.service(event.at, id, broken);
        }
    }

    fn service(&mut self, at: Timestamp, id: ServiceId, broken: Option<Timestamp>) {
        match (self.broken.contains_key(&id), broken) {
            (false, Some(from)) => {
                self.broken.insert(id.clone(), from);
                // What had not recovered goes on.
                self.outages.retain(|outage| outage.service != id || outage.from != from);
                self.outages.push(Outage { service: id, from, until: None });
            }
            (true, None) => {
                self.broken.remove(&id);
                let open = self.outages.iter_mut().rev().find(|outage| outage.service == id);
                if let Some(outage) = open {
                    outage.until = Some(at);
                }
                // What was over before the incident began is another story.
                let begin = self.begin;
                self.outages.retain(|outage| outage.until.is_none_or(|until| until >= begin));
            }
            _ => {}
        }
    }
}
