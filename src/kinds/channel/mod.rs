//! Notifiers: ways to send messages to people. One file per kind.

pub(crate) mod dedup;
pub(crate) mod text;

use crate::core::words::notification::{Intent, Message, Receipt, Tracked, Undelivered};
use crate::plan::kinds::BuildError;
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
