//! Which contact an event is about.

use super::event::Event;
use crate::base::ids::ContactId;
use crate::plan::Contact;
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};

/// The contacts of a plan under the names by which calendars call them, in lower case.
pub(super) struct People<'a> {
    /// Names and e-mail addresses.
    names: Vec<(String, &'a ContactId)>,
    ids: Vec<(String, &'a ContactId)>,
    /// What was found for a summary and attendees: most events of a calendar are alike.
    known: HashMap<String, Result<Who, String>>,
}

/// Who has an event.
#[derive(Clone)]
pub(super) enum Who {
    /// A contact.
    One(ContactId),
    /// Nobody: whom it names is out, in words.
    Nobody(String),
}

impl<'a> People<'a> {
    pub(super) fn new(contacts: &'a IndexMap<ContactId, Contact>) -> Self {
        let mut names = Vec::new();
        for (id, contact) in contacts {
            let email = contact.addresses.get("email").map(String::as_str);
            for name in std::iter::once(&*contact.name).chain(email).filter(|name| !name.trim().is_empty()) {
                names.push((name.trim().to_lowercase(), id));
            }
        }
        let ids = contacts.keys().map(|id| (id.as_str().to_lowercase(), id)).collect();
        Self { names, ids, known: HashMap::new() }
    }

    /// Who has an event.
    pub(super) fn of(&mut self, event: &Event<'_>) -> Result<Who, String> {
        let mut key = event.summary.to_owned();
        for attendee in &event.attendees {
            key.push(if attendee.is_out { '\r' } else { '\n' });
            key.push_str(attendee.address);
            key.push('\t');
            key.push_str(attendee.name.unwrap_or_default());
        }
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = self.find(event);
        self.known.insert(key, found.clone());
        found
    }

    /// First what is a name as a whole, then a summary that contains one (`On Call - Alice Smith - Payments`). Whoever
    /// declined does not have it, also where the summary names them.
    fn find(&self, event: &Event<'_>) -> Result<Who, String> {
        let summary = event.summary.trim().to_lowercase();
        let out = self.attending(event, true);
        let looks = [
            self.exactly(&summary),
            self.attending(event, false),
            contained(&summary, &self.names),
            contained(&summary, &self.ids),
        ];
        let present = looks.into_iter().map(|found| &found - &out);
        match present.into_iter().find(|found| !found.is_empty()) {
            None if !out.is_empty() => {
                let why = "declined it or gave it away (PARTSTAT): nobody is on call by it";
                Ok(Who::Nobody(format!("{} {why}", listed(&out))))
            }
            None => Err("neither SUMMARY nor ATTENDEE is a contact's id, name or e-mail address".into()),
            Some(found) => match found.iter().copied().collect::<Vec<_>>()[..] {
                [one] => Ok(Who::One(one.clone())),
                _ => Err(format!("it names several contacts: {}", listed(&found))),
            },
        }
    }

    /// The contacts that were asked to it, and are out or not.
    fn attending(&self, event: &Event<'_>, is_out: bool) -> BTreeSet<&'a ContactId> {
        let attendees = event.attendees.iter().filter(|attendee| attendee.is_out == is_out);
        let names = attendees.flat_map(|attendee| std::iter::once(attendee.address).chain(attendee.name));
        names.flat_map(|text| self.exactly(&text.trim().to_lowercase())).collect()
    }

    fn exactly(&self, text: &str) -> BTreeSet<&'a ContactId> {
        let known = self.names.iter().chain(&self.ids);
        known.filter(|(name, _)| name == text).map(|(_, id)| *id).collect()
    }
}

fn listed(contacts: &BTreeSet<&ContactId>) -> String {
    contacts.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
}

/// The contacts whose name stands in a text; a name that is part of a longer one that stands there does not count.
fn contained<'a>(text: &str, names: &[(String, &'a ContactId)]) -> BTreeSet<&'a ContactId> {
    let found: Vec<&(String, &ContactId)> = names.iter().filter(|(name, _)| stands_in(text, name)).collect();
    let is_part =
        |name: &str| found.iter().any(|(other, _)| other.len() > name.len() && stands_in(other, name));
    found.iter().filter(|(name, _)| !is_part(name)).map(|(_, id)| *id).collect()
}

/// Whether a name stands in a text, not within other words.
fn stands_in(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}
