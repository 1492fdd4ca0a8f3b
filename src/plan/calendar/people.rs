//! Which contact an event is about.

use super::event::Event;
use crate::ids::ContactId;
use crate::plan::Contact;
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};

/// The contacts of a plan under the names by which calendars call them, in lower case.
pub(super) struct People<'a> {
    /// Names and e-mail addresses.
    names: Vec<(String, &'a ContactId)>,
    ids: Vec<(String, &'a ContactId)>,
    /// What was found for a summary and attendees: most events of a calendar are alike.
    known: HashMap<String, Result<ContactId, String>>,
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

    /// The contact of an event.
    pub(super) fn of(&mut self, event: &Event<'_>) -> Result<ContactId, String> {
        let mut key = event.summary.to_owned();
        for (address, name) in &event.attendees {
            key.push('\n');
            key.push_str(address);
            key.push('\t');
            key.push_str(name.unwrap_or_default());
        }
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = self.find(event);
        self.known.insert(key, found.clone());
        found
    }

    /// First what is a name as a whole, then a summary that contains one (`On Call - Alice Smith - Payments`).
    fn find(&self, event: &Event<'_>) -> Result<ContactId, String> {
        let summary = event.summary.trim().to_lowercase();
        let attendees =
            event.attendees.iter().flat_map(|(address, name)| std::iter::once(*address).chain(*name));
        let attending = attendees.flat_map(|text| self.exactly(&text.trim().to_lowercase())).collect();
        let looks = [
            self.exactly(&summary),
            attending,
            contained(&summary, &self.names),
            contained(&summary, &self.ids),
        ];
        match looks.into_iter().find(|found| !found.is_empty()) {
            None => Err("neither SUMMARY nor ATTENDEE is a contact's id, name or e-mail address".into()),
            Some(found) => match found.iter().copied().collect::<Vec<_>>()[..] {
                [one] => Ok(one.clone()),
                ref several => {
                    let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                    Err(format!("it names several contacts: {}", names.join(", ")))
                }
            },
        }
    }

    fn exactly(&self, text: &str) -> BTreeSet<&'a ContactId> {
        let known = self.names.iter().chain(&self.ids);
        known.filter(|(name, _)| name == text).map(|(_, id)| *id).collect()
    }
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
