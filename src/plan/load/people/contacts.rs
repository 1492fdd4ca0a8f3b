//! Contacts and the ways to them.

use crate::base::ids::ContactId;
use crate::plan::load::Places;
use crate::plan::load::basics::things;
use crate::plan::load::document::Document;
use crate::plan::load::reader::Reader;
use crate::plan::people::Contact;
use crate::plan::sections::ADDRESSES;
use indexmap::IndexMap;

pub(in crate::plan::load) fn contacts(
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
        for (index, method) in fields.list("methods").iter().enumerate() {
            places.insert(format!("contacts.{id}.methods.{index}"), method.place);
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
