//! Who is told what: contacts, channels, rotations, policies, audiences, messages, and how quietly.

mod channels;
mod contacts;
mod messages;
mod notify;
mod policies;
mod rotations;

pub(super) use channels::channels;
pub(super) use contacts::contacts;
pub(super) use messages::{audiences, messages};
pub(super) use notify::notify;
pub(super) use policies::{Titles, policies};
pub(super) use rotations::rotations;

use super::fields::Fields;
use super::reader::{At, Reader};
use crate::base::ids::{ContactId, RotationId};
use crate::base::toml::Diagnostic;
use crate::base::toml::near::near_miss;
use crate::base::toml::node::{Entry, NodeValue};
use crate::plan::keys::Key;
use crate::plan::people::Who;
use jiff::tz::TimeZone;

/// Most rows of one thing.
const MAX_ROWS: usize = 1_000;

/// The rows of a key, each with its fields; `what` is what a row is called.
fn rows(fields: &Fields, key: &str, keys: &'static [Key], reader: &Reader<'_>, what: &str) -> Vec<Fields> {
    let Some(node) = fields.node(key) else { return Vec::new() };
    let NodeValue::List(rows) = &node.value else { return Vec::new() };
    if rows.len() > MAX_ROWS {
        let message = format!("there are {} of {what}, the limit is {MAX_ROWS}", rows.len());
        reader.report.add(Diagnostic::error("too-large", node.place, message));
        return Vec::new();
    }
    let row = |row: &crate::base::toml::node::Node| {
        let entry = Entry { key_place: row.place, node: row.clone() };
        Fields::read(reader, &[keys], &entry, &At::new(what))
    };
    rows.iter().map(row).collect()
}

/// Contacts, and rotations for whoever is on call.
fn who(fields: &Fields, key: &str, reader: &Reader<'_>) -> Vec<Who> {
    let one = |name: String| match reader.ids.has("rotations", &name) {
        true => Who::OnCall(RotationId::from(&*name)),
        false => Who::Contact(ContactId::from(&*name)),
    };
    fields.names::<String>(key).into_iter().map(one).collect()
}

/// A time zone by its IANA name; UTC once it is reported that there is none of that name.
fn zone(fields: &Fields, reader: &Reader<'_>) -> TimeZone {
    let name = fields.text("zone");
    if let Ok(zone) = TimeZone::get(&name)
        && zone.iana_name().is_some()
    {
        return zone;
    }
    let message = format!("there is no time zone `{}`", crate::base::text::clean(&name, 60));
    let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let help = near_miss(&name, known.iter().map(String::as_str))
        .unwrap_or_else(|| "write its IANA name, as in `Europe/Berlin` or `America/New_York`".into());
    reader.report.add(Diagnostic::error("zone", fields.place_of("zone"), message).help(help));
    TimeZone::UTC
}
