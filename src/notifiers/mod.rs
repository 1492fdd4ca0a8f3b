//! Notifiers: ways to send messages to people. One file per kind, one line per kind in [`KINDS`].

pub(crate) mod answer;
pub(crate) mod api;
pub mod command;
pub(crate) mod dedup;
pub mod endings;
mod goalert;
mod google_chat;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod slack_webhook;
pub mod smtp;
#[cfg(feature = "aws")]
pub mod sns_sms;
mod statuspage;
mod teams;
mod telegram;
pub(crate) mod text;
mod twilio;
mod webhook;

use crate::clients::Clients;
use crate::core::notification::{Intent, Message, Receipt, Tracked, Undelivered};
use crate::plan::keys::Key;
use crate::plan::params::Params;
use crate::plan::{Channel, Manner};
use crate::probes::BuildError;
use futures::future::BoxFuture;

/// One channel of a plan. Every call keeps the channel's time-out by itself; the engine cuts it off a little later,
/// and then nobody knows whether the message arrived.
pub trait Notifier: Send + Sync {
    /// Sends a message once; never repeats it by itself. `Again::Maybe` where it may have arrived.
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>>;

    /// Asks the provider what became of a message that it took. Only kinds whose manner `tracks` are asked.
    fn track<'a>(
        &'a self,
        _outgoing: &'a Outgoing,
        _receipt: &'a Receipt,
    ) -> BoxFuture<'a, Result<Tracked, Undelivered>> {
        Box::pin(async { Ok(Tracked::Pending) })
    }

    /// Looks whether a message could be sent now, without sending any: credentials, the channel's existence. In
    /// words what was seen; `Ok(None)` where the provider offers no such look.
    fn check(&self) -> BoxFuture<'_, Result<Option<String>, Undelivered>> {
        Box::pin(async { Ok(None) })
    }
}

/// A message on its way.
#[derive(Clone, PartialEq, Debug)]
pub struct Outgoing {
    /// What it says.
    pub message: Message,
    /// What it wants.
    pub intent: Intent,
    /// Where it goes; none where the channel has one destination.
    pub address: Option<String>,
    /// Whom it is for, in words.
    pub recipient: String,
    /// The incident.
    pub incident: String,
    /// The system.
    pub plan: String,
    /// What the provider knows a repeated request by, and its own alert. The same after a crash.
    pub key: String,
    /// What the receipt of the incident's first message to this destination gave as its thread.
    pub thread: Option<String>,
    /// The attempt, from 1.
    pub attempt: u32,
    /// When it was queued, for providers that show times or drop what is old.
    pub queued_at: jiff::Timestamp,
}

/// A notifier made from a plan, or why it cannot be.
pub type Built = Result<Box<dyn Notifier>, BuildError>;

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
    pub manner: fn(&Params) -> Manner,
    /// What it takes besides the keys that every channel has.
    pub keys: &'static [Key],
    /// The permissions that it needs, in the words of the provider's access control (`sns:Publish`).
    pub permissions: &'static [&'static str],
    /// A complete `[channels.example]` table.
    pub example: &'static str,
    /// Makes the notifier of a channel.
    pub build: fn(&Channel, &Clients) -> Built,
}

impl NotifierKind {
    /// Which of a contact's addresses a channel of this kind goes to, as its key `address` or the kind itself says.
    pub fn address_of<'p>(&self, params: &'p Params) -> Option<&'p str> {
        params.text("address").or(self.address)
    }
}

/// Every kind of channel, in the order of the reference.
pub static KINDS: &[&NotifierKind] = &[
    &slack::KIND,
    &slack_webhook::KIND,
    &teams::KIND,
    &google_chat::KIND,
    &telegram::KIND,
    &ntfy::KIND,
    &pagerduty::KIND,
    &opsgenie::jsm::KIND,
    &opsgenie::KIND,
    &goalert::KIND,
    &twilio::voice::KIND,
    &twilio::sms::KIND,
    &statuspage::KIND,
    &webhook::KIND,
    &smtp::KIND,
    #[cfg(feature = "aws")]
    &sns_sms::KIND,
    &command::KIND,
];

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static NotifierKind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests;
