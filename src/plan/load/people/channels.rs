//! Channels: the keys of every channel, and those of its kind.

use crate::base::ids::ChannelId;
use crate::base::toml::Diagnostic;
use crate::base::toml::node::Entry;
use crate::plan::is_left_out;
use crate::plan::keys::Key;
use crate::plan::kinds::NotifierKind;
use crate::plan::load::Places;
use crate::plan::load::document::Document;
use crate::plan::load::fields::Fields;
use crate::plan::load::ids::near_or_list;
use crate::plan::load::reader::{At, Reader};
use crate::plan::load::value::Read;
use crate::plan::people::Channel;
use crate::plan::sections::{self, ADDRESSES};
use indexmap::IndexMap;

pub(in crate::plan::load) fn channels(
    document: &Document,
    reader: &Reader<'_>,
    places: &mut Places,
) -> IndexMap<ChannelId, Channel> {
    let mut channels = IndexMap::new();
    let keys = sections::find("channels").map_or(&[][..], |section| section.keys);
    for (id, entry) in document.named("channels") {
        if let Some(channel) = channel(id, entry, keys, reader, places) {
            channels.insert(channel.id.clone(), channel);
        }
    }
    channels
}

fn channel(
    id: &str,
    entry: &Entry,
    keys: &'static [Key],
    reader: &Reader<'_>,
    places: &mut Places,
) -> Option<Channel> {
    let what = format!("channel `{}`", crate::base::text::clean(id, 80));
    let at = At::new(&what);
    let kind = kind(entry, reader).ok()?;
    let of_kind = kind.map_or(&[][..], |kind| kind.keys);
    let mut fields = Fields::read(reader, &[keys, of_kind], entry, &at);
    fields.read_rows(reader, of_kind, &at);
    for key in ["timeout", "give_up_after"] {
        places.insert(format!("channels.{id}.{key}"), fields.place_of(key));
    }
    let kind = kind.filter(|_| fields.complete)?;
    for key in kind.keys.iter().filter(|key| fields.get(key.name).is_some()) {
        places.insert(format!("channels.{id}.{}", key.name), fields.place_of(key.name));
    }
    let params = fields.params(kind.keys);
    check_address(&fields, reader);
    let address = kind.address_of(&params).map(str::to_owned);
    Some(Channel {
        id: ChannelId::from(id),
        title: fields.text_or("title", id),
        kind: kind.name.to_owned(),
        address,
        capabilities: (kind.capabilities)(&params),
        give_up_after: fields.duration("give_up_after")?,
        timeout: fields.duration("timeout")?,
        parallel: fields.integer("parallel").and_then(|count| u32::try_from(count).ok())?,
        params,
    })
}

/// The kind that a channel names. `Ok(None)` where it names none, which reading its keys reports; `Err` once it is
/// reported that there is no such kind.
fn kind(entry: &Entry, reader: &Reader<'_>) -> Result<Option<&'static NotifierKind>, ()> {
    let Some(named) = entry.node.table().and_then(|table| table.get("kind")) else { return Ok(None) };
    let Some(name) = named.node.text() else { return Ok(None) };
    reader.registry.notifier(name).map(Some).ok_or_else(|| {
        if is_left_out(name) {
            return crate::plan::load::left_out::used(reader.report, named.node.place, name);
        }
        let message = format!("there is no kind of channel `{}`", crate::base::text::clean(name, 60));
        let problem = Diagnostic::error("unknown-kind", named.node.place, message);
        reader.report.add(problem.help(reader.registry.notifier_help(name)));
    })
}

/// Where the kind leaves it to the plan to which address of a contact a channel goes.
fn check_address(fields: &Fields, reader: &Reader<'_>) {
    let Some(address) = fields.get("address").and_then(Read::text) else { return };
    if !ADDRESSES.contains(&address) {
        let message = format!("contacts have no address `{}`", crate::base::text::clean(address, 60));
        let help = near_or_list(address, ADDRESSES, "address");
        reader.report.add(Diagnostic::error("unknown-name", fields.place_of("address"), message).help(help));
    }
}
