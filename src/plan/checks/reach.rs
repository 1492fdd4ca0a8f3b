//! Whether everyone who shall be told can be reached, and what every channel is for.

use crate::base::ids::{ChannelId, ContactId};
use crate::base::toml::{Diagnostic, Report};
use crate::plan::load::Draft;
use crate::plan::people::{Channel, Contact, Turns, Who};
use crate::plan::sections::ADDRESSES;
use std::collections::HashSet;

pub(super) fn check(draft: &Draft, report: &Report) {
    if !draft.complete {
        return; // what was not read cannot be missed
    }
    let mut reach = Reach { draft, report, used: HashSet::new() };
    let plan = &draft.plan;
    for (id, policy) in &plan.policies {
        for (index, level) in policy.levels.iter().enumerate() {
            let what = format!("level {} of policy `{id}`", index + 1);
            reach.told(&what, &format!("policies.{id}.levels.{index}"), "who", &level.who, &level.methods);
        }
    }
    for (id, audience) in &plan.audiences {
        let what = format!("audience `{id}`");
        reach.told(&what, &format!("audiences.{id}"), "who", &audience.who, &audience.methods);
    }
    let settings = &plan.notify;
    if !settings.drill_who.is_empty() || !settings.drill_methods.is_empty() {
        reach.told("a drill", "notify", "drill_who", &settings.drill_who, &settings.drill_methods);
    }
    reach.wishes();
    reach.unused();
}

struct Reach<'a> {
    draft: &'a Draft,
    report: &'a Report,
    used: HashSet<&'a ChannelId>,
}

impl<'a> Reach<'a> {
    fn told(&mut self, what: &str, path: &str, key: &str, who: &'a [Who], methods: &'a [ChannelId]) {
        let place = self.draft.places.of(&format!("{path}.{key}"));
        self.used.extend(methods);
        let own_destination = methods.iter().filter_map(|id| self.channel(id)).any(|to| to.address.is_none());
        if who.is_empty() && !own_destination {
            let message = format!("{what} reaches nobody");
            let problem = Diagnostic::error("unreachable", place, message);
            self.report.add(problem.help(
                "name contacts or rotations in `who`, or channels in `methods` that have a destination of their own",
            ));
        }
        let mut seen = HashSet::new();
        for (id, rotation) in who.iter().flat_map(|who| people(self.draft, who)) {
            let Some(contact) = self.draft.plan.contacts.get(id).filter(|_| seen.insert(id)) else {
                continue;
            };
            // Those whom no method reaches are told by a channel that has a destination of its own.
            if self.reaches(contact, methods) || own_destination {
                continue;
            }
            let of = rotation.map_or(String::new(), |rotation| format!(" of rotation `{rotation}`"));
            let message = format!("no method of {what} reaches contact `{id}`{of}");
            let problem = Diagnostic::error("unreachable", place, message);
            self.report.add(problem.help(self.help(contact, methods)));
        }
    }

    fn channel(&self, id: &ChannelId) -> Option<&'a Channel> {
        self.draft.plan.channels.get(id)
    }

    /// As the ways to a contact are found in an incident.
    fn reaches(&mut self, contact: &'a Contact, methods: &'a [ChannelId]) -> bool {
        let listed = if methods.is_empty() { &contact.methods } else { methods };
        self.used.extend(listed);
        let has = |channel: &Channel| {
            channel.address.as_ref().is_some_and(|address| contact.addresses.contains_key(address))
        };
        if !listed.is_empty() {
            return listed.iter().filter_map(|id| self.channel(id)).any(has);
        }
        let ways: Vec<&ChannelId> = self
            .draft
            .plan
            .channels
            .values()
            .filter(|channel| has(channel))
            .map(|channel| &channel.id)
            .collect();
        self.used.extend(&ways);
        !ways.is_empty()
    }

    fn help(&self, contact: &Contact, methods: &[ChannelId]) -> String {
        let listed = if methods.is_empty() { &contact.methods } else { methods };
        let mut wanted: Vec<&str> =
            listed.iter().filter_map(|id| self.channel(id)?.address.as_deref()).collect();
        wanted.dedup();
        match wanted[..] {
            [] => {
                let known = ADDRESSES.join(", ");
                format!(
                    "write a `[channels.<name>]` for one of the contact's addresses, or give it another of {known}"
                )
            }
            _ => format!("give the contact one of {}, or name another channel", wanted.join(", ")),
        }
    }

    /// Channels that a contact wants, and that cannot reach it.
    fn wishes(&mut self) {
        for (id, contact) in &self.draft.plan.contacts {
            for (index, method) in contact.methods.iter().enumerate() {
                let Some(channel) = self.channel(method) else { continue };
                let place = self.draft.places.of(&format!("contacts.{id}.methods.{index}"));
                let (message, help) = match &channel.address {
                    Some(address) if contact.addresses.contains_key(address) => continue,
                    Some(address) => (
                        format!("channel `{method}` cannot reach contact `{id}`"),
                        format!("give the contact `{address} = \"…\"`"),
                    ),
                    None => (
                        format!("channel `{method}` does not go to contact `{id}`"),
                        "it has one destination of its own: name it in `methods` of levels and audiences"
                            .into(),
                    ),
                };
                self.report.add(Diagnostic::warning("unreachable", place, message).help(help));
            }
        }
    }

    fn unused(&self) {
        for id in self.draft.plan.channels.keys().filter(|id| !self.used.contains(id)) {
            let place = self.draft.places.of(&format!("channels.{id}"));
            let problem = Diagnostic::warning("unused", place, format!("nothing uses channel `{id}`"));
            self.report.add(problem.help("name it in `methods` of a level, an audience or a contact"));
        }
    }
}

/// Everybody that a name can mean, and the rotation that does.
fn people<'a>(draft: &'a Draft, who: &'a Who) -> Vec<(&'a ContactId, Option<&'a str>)> {
    let rotation = match who {
        Who::Contact(id) => return vec![(id, None)],
        Who::OnCall(id) => id,
    };
    let Some(spec) = draft.plan.rotations.get(rotation) else { return Vec::new() };
    let turns: Vec<&ContactId> = match &spec.turns {
        Turns::Cycle { order, .. } => order.iter().collect(),
        Turns::Calendar { shifts, .. } => shifts.iter().map(|shift| &shift.contact).collect(),
    };
    let all = turns.into_iter().chain(spec.overrides.iter().map(|shift| &shift.contact));
    all.map(|id| (id, Some(rotation.as_str()))).collect()
}
