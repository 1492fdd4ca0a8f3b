//! One message to one recipient on one way, from its queueing to its answer.

use crate::base::ids::*;
use crate::plan::{Capabilities, ComponentStatus, MessageTemplate, PageStatus, Severity};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What is sent, the same for every recipient of one cause.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// The text, with line breaks.
    pub body: String,
    /// The journal's head in words that can be read aloud; it is never cut off.
    pub witness: String,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// It belongs to an exercise; subject and body say so.
    pub drill: bool,
    /// What a status page shall say of the incident.
    pub page_status: Option<PageStatus>,
    /// What a status page shall say of the components.
    pub component_status: Option<ComponentStatus>,
}

impl Message {
    /// With what a status page shall say, as the message's template has it.
    #[must_use]
    pub fn on_status_page(self, template: &MessageTemplate) -> Self {
        Self { page_status: template.page_status, component_status: template.component_status, ..self }
    }
}

/// What a message wants.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Somebody shall wake up and acknowledge.
    Page,
    /// Somebody shall know.
    Inform,
    /// The provider's own alert shall be acknowledged: somebody did so elsewhere.
    Acknowledge,
    /// The provider's own alert shall be closed.
    Resolve,
}

impl Intent {
    /// `page`, `inform`, `acknowledge`, `resolve`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Inform => "inform",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

/// Why messages are sent. The same cause never queues twice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A level of the policy is due.
    Level {
        /// How often the escalation began anew, from 0.
        generation: u32,
        /// How often its levels were gone through before, from 0.
        round: u32,
        /// The level, from 0.
        level: usize,
    },
    /// The way before did not reach its recipient.
    Fallback {
        /// The message that failed or stayed without an answer.
        of: NotificationId,
    },
    /// A message of the plan.
    Message {
        message: MessageId,
        /// Which time, from 1.
        number: u32,
    },
    /// A person paged somebody.
    ByHand,
    /// A person wrote a message.
    Written,
    /// The escalation was acknowledged or ended; the providers' own alerts follow.
    Follow(Intent),
}

/// A way to somebody.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Way {
    pub channel: ChannelId,
    /// The address on it; none where the channel has one destination.
    pub address: Option<String>,
}

/// One message to one recipient on one way, as it is queued.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Queued {
    /// Its name.
    pub id: NotificationId,
    /// The contact; none where the channel has one destination.
    pub contact: Option<ContactId>,
    /// Who that is, in words.
    pub name: String,
    pub way: Way,
    /// The ways that are left when this one fails, best first.
    pub then: Vec<Way>,
    /// After how long without an acknowledgement the next way is taken; none only when this one fails.
    pub next_after: Option<SignedDuration>,
    /// What the provider knows a repeated request by, and its own alert (PagerDuty's `dedup_key`). The same after a
    /// crash.
    pub key: String,
    /// After this moment no further attempt is made.
    pub give_up_at: Timestamp,
    /// How its channel behaved when it was queued: a plan that changes later does not change what happened.
    #[serde(default)]
    pub capabilities: Capabilities,
}

/// What the provider said.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// The provider's name of the message; empty where it gives none.
    pub id: String,
    /// What a later message of the same incident needs to belong to this one (Slack's `channel/ts`, the incident of
    /// a status page); empty for none.
    pub thread: String,
    /// The answer in words (`202 accepted: Event processed`), cleaned and redacted.
    pub answer: String,
    /// What had to be left out (`cut from 2,100 to 1,600 characters`); empty for nothing.
    pub cut: String,
}

/// Why a message did not get to the provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Undelivered {
    /// Why, cleaned and redacted.
    pub why: String,
    /// What an operator can do.
    pub next: String,
    /// Whether another attempt can help.
    pub again: Again,
}

/// Whether another attempt can help.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Again {
    /// It certainly did not arrive, and the same can work later: at the earliest after the time that the provider
    /// named, or when lifeboat sees fit.
    After(Option<SignedDuration>),
    /// It will fail the same way until somebody changes something.
    Never,
    /// Nobody knows whether it arrived.
    Maybe,
}

/// What is known of a message later.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tracked {
    /// Nothing new.
    Pending,
    /// It arrived at its recipient.
    Delivered(String),
    /// Somebody acknowledged it there: who.
    Acknowledged(String),
    /// It did not arrive, and why.
    Failed(String),
}

/// Where a message is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryStatus {
    /// Waits for its turn, or for another attempt.
    Queued,
    /// An attempt is under way: it was sent, or is being sent.
    Sent,
    /// The provider took it.
    Accepted,
    /// It arrived at its recipient.
    Delivered,
    /// Its recipient acknowledged it.
    Acknowledged,
    /// It did not get there, and no further attempt is made.
    Failed,
    /// Nobody knows whether it got there.
    Unknown,
}

/// What moves a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeliveryMove {
    /// An attempt begins.
    Send,
    /// The provider took it.
    Accept,
    /// An attempt failed and another one will be made.
    Retry,
    /// It failed for good.
    Fail,
    /// The answer never came.
    Lose,
    /// It arrived.
    Deliver,
    /// Its recipient acknowledged it.
    Acknowledge,
}

impl DeliveryStatus {
    /// Where a move leads; none where there is no such move.
    pub fn after(self, by: DeliveryMove) -> Option<Self> {
        use DeliveryMove as M;
        use DeliveryStatus::*;
        match (self, by) {
            (Queued, M::Send) => Some(Sent),
            (Sent, M::Accept) => Some(Accepted),
            (Sent, M::Retry) => Some(Queued),
            (Queued | Sent | Accepted | Delivered, M::Fail) => Some(Failed),
            (Queued | Sent, M::Lose) => Some(Unknown),
            (Accepted | Unknown, M::Deliver) => Some(Delivered),
            (Accepted | Delivered | Unknown, M::Acknowledge) => Some(Acknowledged),
            _ => None,
        }
    }

    /// `queued`, `sent`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Nothing more is heard of it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Failed)
    }

    /// The provider has it.
    pub fn is_with_provider(self) -> bool {
        matches!(self, Self::Accepted | Self::Delivered | Self::Acknowledged)
    }
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attempted {
    /// The provider took it.
    Accepted(Receipt),
    /// It did not; with when the next attempt is made, none for never.
    Failed {
        /// Why.
        failure: Undelivered,
        /// When it is tried again; none for never.
        retry_at: Option<Timestamp>,
    },
}

impl Notification {
    /// Its provider keeps an alert because of it, or may keep one.
    pub fn has_alert(&self) -> bool {
        let arrived = self.status.is_with_provider() || self.status == DeliveryStatus::Unknown;
        self.intent == Intent::Page && self.queued.capabilities.has_alerts && arrived
    }
}

/// One message to one recipient on one way, and what became of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Notification {
    pub queued: Queued,
    /// The incident, or the proposal of one.
    pub incident: IncidentId,
    /// Why it is sent.
    pub cause: Cause,
    /// How often the escalation had begun anew when it was queued.
    pub generation: u32,
    /// What it wants.
    pub intent: Intent,
    /// What it says; its number in [`Durable::sent_messages`](crate::core::model::Durable::sent_messages).
    pub message: usize,
    pub queued_at: Timestamp,
    pub status: DeliveryStatus,
    /// How many attempts were begun.
    pub attempt: u32,
    /// When the status last changed.
    pub changed_at: Timestamp,
    /// When the provider took it.
    pub accepted_at: Option<Timestamp>,
    /// While it is queued: not before this moment.
    pub not_before: Option<Timestamp>,
    /// What the provider said.
    pub receipt: Option<Receipt>,
    /// Why the last attempt failed.
    pub failure: Option<Undelivered>,
    /// What was learnt later: who acknowledged, how it arrived.
    pub heard: Option<String>,
    /// Some attempt may have arrived although nobody saw it: it never counts as certainly not sent again.
    pub may_have_arrived: bool,
    /// The next way was taken.
    pub passed_on: bool,
}
