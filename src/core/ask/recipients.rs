//! From the plan's words to people and the ways to them.

use crate::base::ids::{ChannelId, ContactId};
use crate::core::ask::{lifecycle, oncall};
use crate::core::model::Model;
use crate::core::words::notification::Way;
use crate::plan::{Channel, Contact, Who};
use jiff::Timestamp;

/// Somebody, with the ways to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// The contact; none where a channel has one destination of its own.
    pub contact: Option<ContactId>,
    /// Who that is, in words.
    pub name: String,
    /// The ways, best first; empty where there is none.
    pub ways: Vec<Way>,
}

/// Those that are told, and in words whom nobody can tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recipients {
    /// Each once.
    pub people: Vec<Recipient>,
    /// Why somebody is missing: nobody on call, a contact without an address for any of the ways.
    pub missing: Vec<String>,
    /// In a drill: those that it would have been for.
    pub instead_of: Vec<String>,
}

impl Recipients {
    /// Whether any way leads to anybody.
    pub fn reaches_somebody(&self) -> bool {
        self.people.iter().any(|recipient| !recipient.ways.is_empty())
    }
}

/// Resolves names and ways at a moment. In a drill those of the plan's drills take the place of everybody;
/// where the plan names none for drills, people outside of the company get nothing.
pub fn resolve(
    model: &Model,
    who: &[Who],
    methods: &[ChannelId],
    public: bool,
    now: Timestamp,
) -> Recipients {
    let drill = lifecycle::told_about(model).is_some_and(|incident| incident.mode.is_drill());
    resolve_as(model, drill, who, methods, public, now)
}

/// The same for an incident that is not declared yet, live or a drill.
pub fn resolve_as(
    model: &Model,
    drill: bool,
    who: &[Who],
    methods: &[ChannelId],
    public: bool,
    now: Timestamp,
) -> Recipients {
    let meant = named(model, who, methods, now);
    let settings = &model.plan.notify;
    let names = || meant.people.iter().map(|recipient| recipient.name.clone()).collect();
    match drill {
        true if !settings.drill_who.is_empty() || !settings.drill_methods.is_empty() => Recipients {
            instead_of: names(),
            ..named(model, &settings.drill_who, &settings.drill_methods, now)
        },
        true if public => Recipients {
            instead_of: names(),
            missing: vec!["a drill reaches nobody outside of the company".into()],
            ..Recipients::default()
        },
        _ => meant,
    }
}

/// As [`resolve`], whatever is exercised.
pub fn in_earnest(model: &Model, who: &[Who], methods: &[ChannelId], now: Timestamp) -> Recipients {
    named(model, who, methods, now)
}

fn named(model: &Model, who: &[Who], methods: &[ChannelId], now: Timestamp) -> Recipients {
    let mut found = Recipients::default();
    // Channels with one destination are told once, whoever else is.
    let own = methods.iter().filter(|id| has_own_destination(model, id));
    for channel in own.filter_map(|id| model.plan.channels.get(id)) {
        let way = Way { channel: channel.id.clone(), address: None };
        found.people.push(Recipient { contact: None, name: channel.title.clone(), ways: vec![way] });
    }
    for who in who {
        match who {
            Who::Contact(id) => add(model, &mut found, id, methods),
            Who::OnCall(rotation) => match oncall::at(model, rotation, now) {
                Ok(people) => people.iter().for_each(|id| add(model, &mut found, id, methods)),
                Err(why) => found.missing.push(why),
            },
        }
    }
    found
}

fn add(model: &Model, found: &mut Recipients, id: &ContactId, methods: &[ChannelId]) {
    let Some(contact) = model.plan.contacts.get(id) else {
        return found.missing.push(format!("the plan has no contact {id}"));
    };
    if found.people.iter().any(|known| known.contact.as_ref() == Some(id)) {
        return;
    }
    let ways = ways(model, contact, methods);
    if ways.is_empty() && methods.iter().any(|id| has_own_destination(model, id)) {
        return; // told by the channel itself
    }
    if ways.is_empty() {
        found.missing.push(format!("{} has no address for any of the ways", contact.name));
    }
    found.people.push(Recipient { contact: Some(id.clone()), name: contact.name.clone(), ways });
}

fn has_own_destination(model: &Model, channel: &ChannelId) -> bool {
    model.plan.channels.get(channel).is_some_and(|channel| channel.address.is_none())
}

/// The ways to a contact: those that are asked for, else those that they want, else every one that reaches them.
pub fn ways(model: &Model, contact: &Contact, methods: &[ChannelId]) -> Vec<Way> {
    let way = |channel: &Channel| {
        let address = contact.addresses.get(channel.address.as_ref()?)?;
        Some(Way { channel: channel.id.clone(), address: Some(address.clone()) })
    };
    let listed = if methods.is_empty() { &contact.methods } else { methods };
    match listed.is_empty() {
        true => model.plan.channels.values().filter_map(way).collect(),
        false => listed.iter().filter_map(|id| way(model.plan.channels.get(id)?)).collect(),
    }
}
