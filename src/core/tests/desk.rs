//! A plan with people, and a machine whose providers answer as a test says and write down what they were asked.

use super::fixture::{Machine, seconds, start};
use crate::base::ids::*;
use crate::core::words::command::{Ask, Report};
use crate::core::words::effect::Effect;
use crate::core::words::incident::Mode;
use crate::core::words::notification::{Again, Receipt, Tracked, Undelivered};
use crate::plan::{Plan, Severity, Who};
pub use crate::testing::escalating as plan;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

pub fn who(id: &str) -> Who {
    Who::Contact(id.into())
}

/// What a provider answers: by channel, name of the recipient and attempt.
pub type Provider = Box<dyn Fn(&str, &str, u32) -> Result<Receipt, Undelivered>>;

/// A machine over providers.
pub struct Telling {
    pub machine: Machine,
    pub plan: Arc<Plan>,
    pub provider: Provider,
    /// What providers were asked to do, a line each, in order: `+0:15:00 page Team lead by phone`.
    pub asked: Vec<String>,
    /// Messages that are to be asked after.
    pub tracking: Vec<NotificationId>,
    began: Timestamp,
}

pub fn accepted() -> Provider {
    Box::new(|channel, name, _| {
        Ok(Receipt {
            id: format!("{channel}-{name}"),
            thread: format!("thread of {channel}"),
            ..Receipt::default()
        })
    })
}

pub fn refused(why: &str, again: Again) -> Result<Receipt, Undelivered> {
    Err(Undelivered { why: why.into(), next: "Look at it.".into(), again })
}

impl Telling {
    pub fn new(plan: Plan) -> Self {
        let plan = Arc::new(plan);
        let machine = Machine::resumed_under(plan.clone(), Vec::new(), start());
        let (asked, tracking) = (Vec::new(), Vec::new());
        Self { machine, plan, provider: accepted(), asked, tracking, began: start() }
    }

    /// Everything but the journal is lost, then it goes on after a while.
    pub fn crash(&mut self, after: SignedDuration) {
        let log = std::mem::take(&mut self.machine.log);
        let now = self.machine.now.checked_add(after).unwrap();
        self.tracking.clear();
        self.machine = Machine::resumed_under(self.plan.clone(), log, now);
        self.answer();
    }

    /// Times in `asked` count from here.
    pub fn declare(&mut self, severity: Severity, mode: Mode) {
        self.machine.ask(Ask::Declare { title: "It is gone".into(), mode }).unwrap();
        self.machine.ask(Ask::SetSeverity { severity, reason: "seen".into() }).unwrap();
        self.began = self.machine.now;
        self.answer();
        self.tick();
    }

    pub fn tick(&mut self) {
        self.machine.report(Report::Tick).unwrap();
        self.answer();
    }

    pub fn pass(&mut self, span: SignedDuration) {
        for _ in 0..span.as_secs() {
            self.machine.now = self.machine.now.checked_add(seconds(1)).unwrap();
            self.tick();
        }
    }

    pub fn acknowledge(&mut self) {
        self.machine.ask(Ask::Acknowledge).unwrap();
        self.answer();
    }

    pub fn heard(&mut self, id: &str, tracked: Tracked) {
        self.machine.report(Report::Tracked { id: id.into(), tracked }).unwrap();
        self.answer();
    }

    /// Does what the core asks for until it asks for nothing.
    pub fn answer(&mut self) {
        while !self.machine.effects.is_empty() {
            for effect in std::mem::take(&mut self.machine.effects) {
                match effect {
                    Effect::Notify { id, attempt } => self.send(id, attempt),
                    Effect::Track { id } => self.tracking.push(id),
                    Effect::Tick => drop(self.machine.report(Report::Tick)),
                    _ => {}
                }
            }
        }
    }

    /// As [`Telling::answer`], for a test that decides itself what time brings.
    pub fn answer_without_ticks(&mut self) {
        self.machine.effects.retain(|effect| *effect != Effect::Tick);
        while !self.machine.effects.is_empty() {
            for effect in std::mem::take(&mut self.machine.effects) {
                if let Effect::Notify { id, attempt } = effect {
                    self.send(id, attempt);
                }
            }
            self.machine.effects.retain(|effect| *effect != Effect::Tick);
        }
    }

    fn send(&mut self, id: NotificationId, attempt: u32) {
        let known = &self.machine.model.durable.notifications[&id];
        let passed = crate::base::units::clock(self.machine.now.duration_since(self.began));
        let (intent, channel) = (known.intent.as_str(), known.queued.way.channel.to_string());
        let name = known.queued.name.clone();
        self.asked.push(format!("+{passed} {intent} {name} by {channel}"));
        let result = (self.provider)(&channel, &name, attempt);
        self.machine.report(Report::Notified { id, attempt, result }).unwrap();
    }

    pub fn take_asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }
}
