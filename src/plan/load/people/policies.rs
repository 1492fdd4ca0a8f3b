//! Policies of escalation and their levels.

use super::{rows, who};
use crate::base::ids::{ChannelId, ContactId, PolicyId, RotationId};
use crate::plan::Severity;
use crate::plan::load::Places;
use crate::plan::load::basics::{severities, things};
use crate::plan::load::document::Document;
use crate::plan::load::fields::Fields;
use crate::plan::load::reader::Reader;
use crate::plan::people::{Channel, Contact, EscalationLevel, EscalationPolicy, Fallbacks, Rotation, Who};
use crate::plan::sections::LEVEL_KEYS;
use indexmap::IndexMap;

/// What people call those who are told.
pub(in crate::plan::load) struct Titles<'a> {
    pub(in crate::plan::load) contacts: &'a IndexMap<ContactId, Contact>,
    pub(in crate::plan::load) rotations: &'a IndexMap<RotationId, Rotation>,
    pub(in crate::plan::load) channels: &'a IndexMap<ChannelId, Channel>,
}

pub(in crate::plan::load) fn policies(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
    titles: &Titles<'_>,
) -> IndexMap<PolicyId, EscalationPolicy> {
    let mut policies = IndexMap::new();
    things(document, reader, "policies", |id, fields| {
        for key in ["levels", "quiet", "repeat", "repage"] {
            places.insert(format!("policies.{id}.{key}"), fields.place_of(key));
        }
        let severities: Vec<Severity> = severities(fields, "severities");
        for (severity, read) in severities.iter().zip(fields.list("severities")) {
            places.insert(format!("policies.{id}.severities.{}", severity.as_str()), read.place);
        }
        let levels = levels(id, fields, reader, places, titles);
        let policy = EscalationPolicy {
            title: fields.text_or("title", id),
            severities,
            levels,
            repeat: fields.duration("repeat"),
            repeats: fields.integer("repeats").and_then(|count| u32::try_from(count).ok()).unwrap_or(3),
            repage: fields.duration("repage"),
            quiet: fields.flag("quiet"),
        };
        policies.insert(PolicyId::from(id), policy);
    });
    policies
}

fn levels(
    id: &str,
    fields: &Fields,
    reader: &Reader<'_>,
    places: &mut Places,
    titles: &Titles<'_>,
) -> Vec<EscalationLevel> {
    let what = format!("a level of policy `{id}`");
    let mut levels = Vec::new();
    for row in rows(fields, "levels", LEVEL_KEYS, reader, &what).into_iter().filter(|row| row.complete) {
        let path = format!("policies.{id}.levels.{}", levels.len());
        places.insert(path.clone(), row.place);
        for key in ["after", "who", "methods", "next_after"].iter().filter(|key| row.get(key).is_some()) {
            places.insert(format!("{path}.{key}"), row.place_of(key));
        }
        let who = who(&row, "who", reader);
        let methods: Vec<ChannelId> = row.names("methods");
        levels.push(EscalationLevel {
            title: row.text_or("title", &titles.of(&who, &methods)),
            after: row.duration("after").unwrap_or_default(),
            tries: if row.text("tries") == "all" { Fallbacks::All } else { Fallbacks::InTurn },
            next_after: row.duration("next_after"),
            who,
            methods,
        });
    }
    levels
}

impl Titles<'_> {
    /// Those who are told, in words; the channels where they have destinations of their own.
    fn of(&self, who: &[Who], methods: &[ChannelId]) -> String {
        let name = |who: &Who| match who {
            Who::Contact(id) => self.contacts.get(id).map_or(id.to_string(), |contact| contact.name.clone()),
            Who::OnCall(id) => self.rotations.get(id).map_or(id.to_string(), |one| one.title.clone()),
        };
        let title =
            |id: &ChannelId| self.channels.get(id).map_or(id.to_string(), |channel| channel.title.clone());
        let names: Vec<String> = match who {
            [] => methods.iter().map(title).collect(),
            who => who.iter().map(name).collect(),
        };
        names.join(", ")
    }
}
