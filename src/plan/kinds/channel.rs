//! What a plan must know of a kind of channel.

use crate::plan::Capabilities;
use crate::plan::keys::Key;
use crate::plan::params::Params;
use jiff::civil::Date;

/// What the registry knows of a kind of channel.
pub struct NotifierKind {
    /// As in `kind = "…"`.
    pub name: &'static str,
    /// One paragraph for the reference.
    pub doc: &'static str,
    /// Which of a contact's addresses it goes to (`email`); none where it has one destination of its own. A kind with
    /// a key `address` leaves it to the plan; see [`Self::address_of`].
    pub address: Option<&'static str>,
    /// How it behaves, given its keys.
    pub capabilities: fn(&Params) -> Capabilities,
    /// What it takes besides the keys that every channel has.
    pub keys: &'static [Key],
    /// The permissions that it needs, in the words of the provider's access control (`sns:Publish`).
    pub permissions: &'static [&'static str],
    /// A complete `[channels.example]` table.
    pub example: &'static str,
    /// The announced end of what it speaks to.
    pub ends: Option<&'static Ending>,
}

impl NotifierKind {
    /// Which of a contact's addresses a channel of this kind goes to, as its key `address` or the kind itself says.
    pub fn address_of<'p>(&self, params: &'p Params) -> Option<&'p str> {
        params.text("address").or(self.address)
    }
}

/// The end that a provider announced of what a kind of channel speaks to, so that a plan that rests on it is told in time.
pub struct Ending {
    /// What ends, as its provider calls it.
    pub service: &'static str,
    /// The day from which it answers no more.
    pub on: Date,
    /// The kind that takes over.
    pub successor: &'static str,
}
