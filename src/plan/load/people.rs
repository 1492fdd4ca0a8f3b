//! Who is told what: contacts, channels, rotations, policies, audiences, messages.

use super::Places;
use super::basics::things;
use super::document::Document;
use super::reader::Reader;
use crate::ids::*;
use crate::plan::people::*;
use crate::plan::sections::ADDRESSES;
use indexmap::IndexMap;

pub(super) fn contacts(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<ContactId, Contact> {
    let mut contacts = IndexMap::new();
    things(document, reader, "contacts", |id, fields| {
        let mut addresses = IndexMap::new();
        for address in ADDRESSES.iter().copied().filter(|address| fields.get(address).is_some()) {
            places.insert(format!("contacts.{id}.{address}"), fields.place_of(address));
            addresses.insert(address.to_owned(), fields.text(address));
        }
        let contact = Contact {
            name: fields.text("name"),
            role: fields.text("role"),
            addresses,
            methods: fields.names("methods"),
        };
        contacts.insert(ContactId::from(id), contact);
    });
    contacts
}
