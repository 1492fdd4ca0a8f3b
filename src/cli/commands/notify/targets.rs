//! Whom a test goes to, and on which ways.

use super::{EXIT_USAGE, Failure};
use crate::base::ids::{ChannelId, ContactId};
use crate::base::toml::near::nearest;
use crate::plan::{Channel, Contact, Plan, Turns, Who};
use std::collections::HashSet;

/// One way to somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    pub(super) channel: ChannelId,
    /// Who that is, in words.
    pub(super) who: String,
    /// None where the channel has one destination of its own.
    pub(super) address: Option<String>,
}

/// Those that a test goes to.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct Selection {
    pub(super) targets: Vec<Target>,
    /// Who is left out, and why.
    pub(super) skipped: Vec<String>,
}

/// Everybody, or a channel's contacts, or a contact's ways.
///
/// Those outside of the company get a test only when they are named.
pub(super) fn select(plan: &Plan, name: Option<&str>) -> Result<Selection, Failure> {
    let selection = match name {
        None => everybody(plan),
        Some(name) => named(plan, name)?,
    };
    match selection.targets.is_empty() {
        false => Ok(selection),
        true => {
            let left_out: String = selection.skipped.iter().map(|line| format!("\n  {line}")).collect();
            let what = format!("there is nobody to send a test to{left_out}");
            let next = "Give contacts an address of the channel's kind, or name a channel or contact.";
            Err(Failure::new(what, next).with_code(EXIT_USAGE))
        }
    }
}

fn everybody(plan: &Plan) -> Selection {
    let public = Public::of(plan);
    let mut selection = Selection::default();
    for channel in plan.channels.values() {
        if channel.address.is_none() && public.channels.contains(&channel.id) {
            let why = format!("{}: the public sees it; name it to test it", channel.id);
            selection.skipped.push(why);
            continue;
        }
        add_channel(plan, channel, &public, &mut selection);
    }
    selection
}

fn named(plan: &Plan, name: &str) -> Result<Selection, Failure> {
    let mut selection = Selection::default();
    if let Some(channel) = plan.channels.get(name) {
        add_channel(plan, channel, &Public::of(plan), &mut selection);
        return Ok(selection);
    }
    let same = |(id, contact): &(&ContactId, &Contact)| {
        id.as_str() == name || contact.name.eq_ignore_ascii_case(name)
    };
    if let Some((_, contact)) = plan.contacts.iter().find(same) {
        let ways = plan.channels.values().filter_map(|channel| target(channel, contact));
        selection.targets.extend(ways);
        return Ok(selection);
    }
    let known = plan.channels.keys().map(ChannelId::as_str);
    let known: Vec<&str> = known.chain(plan.contacts.keys().map(ContactId::as_str)).collect();
    let next = match nearest(name, known.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("There are: {}.", known.join(", ")),
    };
    Err(Failure::new(format!("the plan has no channel and no contact `{name}`"), next).with_code(EXIT_USAGE))
}

fn add_channel(plan: &Plan, channel: &Channel, public: &Public, selection: &mut Selection) {
    if channel.address.is_none() {
        let (channel, who) = (channel.id.clone(), channel.title.clone());
        selection.targets.push(Target { channel, who, address: None });
        return;
    }
    for (id, contact) in &plan.contacts {
        match target(channel, contact) {
            Some(_) if public.contacts.contains(id) => {
                let name = &contact.name;
                selection
                    .skipped
                    .push(format!("{name} on {}: outside of the company; name `{id}`", channel.id));
            }
            found => selection.targets.extend(found),
        }
    }
}

fn target(channel: &Channel, contact: &Contact) -> Option<Target> {
    let address = contact.addresses.get(channel.address.as_ref()?)?.clone();
    Some(Target { channel: channel.id.clone(), who: contact.name.clone(), address: Some(address) })
}

/// What is seen outside of the company, and by nobody inside.
struct Public {
    channels: HashSet<ChannelId>,
    contacts: HashSet<ContactId>,
}

impl Public {
    fn of(plan: &Plan) -> Self {
        let (outside, inside): (Vec<_>, Vec<_>) =
            plan.audiences.values().partition(|audience| audience.public);
        let levels = plan.policies.values().flat_map(|policy| &policy.levels);
        let known: HashSet<ContactId> = inside
            .iter()
            .flat_map(|audience| &audience.who)
            .chain(levels.flat_map(|level| &level.who))
            .chain(&plan.notify.drill_who)
            .flat_map(|who| people(plan, who))
            .collect();
        let contacts = outside.iter().flat_map(|audience| &audience.who).flat_map(|who| people(plan, who));
        Self {
            // A channel that both sides see is seen outside.
            channels: outside.iter().flat_map(|audience| audience.methods.iter().cloned()).collect(),
            contacts: contacts.filter(|id| !known.contains(id)).collect(),
        }
    }
}

fn people(plan: &Plan, who: &Who) -> Vec<ContactId> {
    match who {
        Who::Contact(id) => vec![id.clone()],
        Who::OnCall(rotation) => match plan.rotations.get(rotation).map(|rotation| &rotation.turns) {
            Some(Turns::Cycle { order, .. }) => order.clone(),
            Some(Turns::Calendar { shifts, .. }) => {
                shifts.iter().map(|shift| shift.contact.clone()).collect()
            }
            None => Vec::new(),
        },
    }
}
