//! A world in which a test says what is down, and whose providers write down what they were asked to send.

use futures::future::{BoxFuture, ready};
use jiff::{SignedDuration, Timestamp};
use lifeboat::base::problem::Problem;
use lifeboat::core::words::notification::{Again, Intent, Receipt, Tracked, Undelivered};
use lifeboat::core::words::reading::{Measurement, Verdict};
use lifeboat::core::words::simulation::Simulation;
use lifeboat::kinds;
use lifeboat::kinds::channel::{Notifier, Outgoing};
use lifeboat::kinds::probe::Probe;
use lifeboat::plan::kinds::BuildError;
use lifeboat::plan::params::Params;
use lifeboat::plan::{Channel, ProbeSpec, Step};
use lifeboat::world::{Clock, ManualClock, World};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// How long a provider takes for a message.
const TAKES: SignedDuration = SignedDuration::from_secs(1);

/// A message that a provider took or refused.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Timestamp,
    pub channel: String,
    pub outgoing: Outgoing,
    pub taken: bool,
}

impl Sent {
    /// `03:00:02 page Alice by slack`, with a mark where the provider refused it.
    pub fn line(&self) -> String {
        let refused = if self.taken { "" } else { ", refused" };
        let (intent, name) = (self.outgoing.intent.as_str(), &self.outgoing.recipient);
        format!("{} {intent} {name} by {}{refused}", self.at.strftime("%H:%M:%S"), self.channel)
    }
}

/// What probes see and what providers got; it outlives every engine.
#[derive(Default)]
pub struct Office {
    pub down: Mutex<bool>,
    pub sent: Mutex<Vec<Sent>>,
    /// Channels that refuse everything.
    pub refusing: Mutex<Vec<String>>,
    /// Who acknowledged at the provider, by the alert's key.
    pub acknowledged: Mutex<BTreeMap<String, String>>,
}

impl Office {
    /// What was sent since the last call.
    pub fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

/// The world of an office.
pub struct OfficeWorld {
    pub office: Arc<Office>,
    pub clock: Arc<ManualClock>,
}

impl World for OfficeWorld {
    fn simulation(&self) -> Option<Simulation> {
        None
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn probe(&self, _: &ProbeSpec) -> kinds::probe::Built {
        Ok(Box::new(Window(self.office.clone())))
    }

    fn notifier(&self, channel: &Channel) -> kinds::channel::Built {
        let (office, clock) = (self.office.clone(), self.clock.clone());
        Ok(Box::new(Desk { office, clock, channel: channel.id.to_string() }))
    }

    fn action(&self, step: &Step, _: &Params) -> kinds::action::Built {
        Err(BuildError::UnknownKind { what: "action", kind: step.action.clone() })
    }
}

struct Window(Arc<Office>);

impl Probe for Window {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        let down = *self.0.down.lock().unwrap();
        let verdict = if down { Verdict::Critical("nothing answers".into()) } else { Verdict::Good };
        let summary = if down { "nothing answers" } else { "answers" };
        let measured = Measurement { verdict, value: None, fields: BTreeMap::new(), summary: summary.into() };
        Box::pin(ready(Ok(measured)))
    }
}

struct Desk {
    office: Arc<Office>,
    clock: Arc<ManualClock>,
    channel: String,
}

impl Notifier for Desk {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Receipt, Undelivered>> {
        Box::pin(async move {
            self.clock.sleep(TAKES).await;
            let taken = !self.office.refusing.lock().unwrap().contains(&self.channel);
            let (at, channel) = (self.clock.now(), self.channel.clone());
            self.office.sent.lock().unwrap().push(Sent { at, channel, outgoing: outgoing.clone(), taken });
            if !taken {
                let (why, next) = ("401: the token was revoked".into(), "Renew it.".into());
                return Err(Undelivered { why, next, again: Again::Never });
            }
            let id = format!("{}-{}", self.channel, outgoing.recipient);
            Ok(Receipt { id, answer: "202 accepted".into(), ..Receipt::default() })
        })
    }

    fn track<'a>(
        &'a self,
        outgoing: &'a Outgoing,
        _: &'a Receipt,
    ) -> BoxFuture<'a, Result<Tracked, Undelivered>> {
        let acknowledged = self.office.acknowledged.lock().unwrap().get(&outgoing.key).cloned();
        let page = outgoing.intent == Intent::Page;
        let tracked = acknowledged.filter(|_| page).map_or(Tracked::Pending, Tracked::Acknowledged);
        Box::pin(ready(Ok(tracked)))
    }
}
