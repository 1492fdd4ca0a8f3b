//! Channels of the simulated world: nothing leaves it.

use super::Inner;
use crate::core::words::notification::{Receipt, Tracked, Undelivered};
use crate::kinds::channel::{Notifier, Outgoing};
use crate::plan::Channel;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use std::sync::Arc;

/// How long a simulated provider takes.
const TAKES: SignedDuration = SignedDuration::from_millis(600);

/// A provider that takes every message and shows it to nobody.
pub struct SimulatedNotifier {
    inner: Arc<Inner>,
    title: String,
}

impl SimulatedNotifier {
    /// The notifier of a channel.
    pub fn new(inner: Arc<Inner>, channel: &Channel) -> Self {
        Self { inner, title: channel.title.clone() }
    }
}

impl Notifier for SimulatedNotifier {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(async move {
            self.inner.clock.sleep(TAKES).await;
            Ok(Receipt {
                id: format!("simulated-{}", outgoing.attempt),
                answer: format!("SIMULATED: {} took it, nothing was sent", self.title),
                ..Receipt::default()
            })
        })
    }

    fn track<'a>(&'a self, _: &'a Outgoing, _: &'a Receipt) -> BoxFuture<'a, Result<Tracked, Undelivered>> {
        Box::pin(async { Ok(Tracked::Pending) })
    }
}
