//! The part of the resolved plan about people: who is told what, on which way, after which time.

use crate::base::ids::*;
use crate::plan::Severity;
use crate::plan::params::Params;
use indexmap::IndexMap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use serde::{Deserialize, Serialize};

/// The longest subject of a message, in characters.
pub const SUBJECT_LIMIT_CHARS: usize = 200;
/// The longest text of a message, in characters.
pub const BODY_LIMIT_CHARS: usize = 4_000;

/// A person or team.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// Their name.
    pub name: String,
    /// Their role (`SRE lead`).
    pub role: String,
    /// Where they are reached: kind of address (`email`, `phone`, `sms`, `slack`) and address; at least one.
    pub addresses: IndexMap<String, String>,
    /// The channels on which they want to be reached, best first, where a level does not say.
    pub methods: Vec<ChannelId>,
}

/// A configured way to send messages, `[channels.…]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Its name in the plan.
    pub id: ChannelId,
    /// What people call it.
    pub title: String,
    /// The kind in the registry of notifiers (`slack`).
    pub kind: String,
    /// Which of a contact's addresses it goes to; none where it has one destination of its own.
    pub address: Option<String>,
    /// How it behaves, as its kind says.
    pub capabilities: Capabilities,
    /// How long a message is tried, all attempts together.
    pub give_up_after: SignedDuration,
    /// Deadline of one attempt.
    pub timeout: SignedDuration,
    /// The most attempts under way at once.
    pub parallel: u32,
    /// What the kind needs.
    pub params: Params,
}

/// How a kind of channel behaves, as far as decisions depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Capabilities {
    /// The provider knows a request that comes twice by its key, so that an attempt of which nobody knows whether it
    /// arrived can be made again.
    pub repeatable: bool,
    /// The provider keeps an alert that is acknowledged and resolved there too (PagerDuty, Opsgenie).
    pub has_alerts: bool,
    /// Messages of one incident to one destination belong together and follow each other (a Slack thread, an
    /// incident of a status page): each needs the receipt of the first.
    pub threads: bool,
    /// The provider can be asked later what became of a message.
    pub tracks: bool,
}

/// Who is on call when, `[rotations.…]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rotation {
    /// What people call it.
    pub title: String,
    /// Where its wall clock stands.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub zone: TimeZone,
    /// Who takes turns.
    pub turns: Turns,
    /// Shifts that somebody else takes; they count before the turns.
    pub overrides: Vec<Shift>,
}

/// Who takes turns in a rotation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turns {
    /// One after the other, each as long, by the wall clock.
    Cycle {
        /// When the first one's first turn began, on the rotation's wall clock.
        start: civil::DateTime,
        /// How long a turn is, on the wall clock.
        every: SignedDuration,
        /// In this order, again and again.
        order: Vec<ContactId>,
    },
    /// As an iCalendar file says; the engine reads it again when it changes.
    Calendar {
        /// The file, as an absolute path where the plan came from a file.
        file: String,
        /// What it said when the plan was loaded.
        shifts: Vec<Shift>,
        /// What of it could not be used then.
        #[serde(default)]
        trouble: Option<CalendarTrouble>,
    },
}

/// What of a rotation's calendar does not count, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarTrouble {
    /// All of it: it cannot be read.
    Unread(String),
    /// Events that cannot be understood, each with its time; the others count.
    LeftOut(Vec<String>),
}

/// A time on call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Shift {
    /// From this moment.
    pub from: Timestamp,
    /// Until before this moment.
    pub until: Timestamp,
    pub contact: ContactId,
}

/// A contact, or whoever is on call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// A contact.
    Contact(ContactId),
    /// Who is on call in a rotation.
    OnCall(RotationId),
}

/// Who is told how, after which time, until somebody acknowledges, `[policies.…]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EscalationPolicy {
    /// What people call it.
    pub title: String,
    pub severities: Vec<Severity>,
    /// Its levels, by their time.
    pub levels: Vec<EscalationLevel>,
    /// After the last level, how long until the first one again; none for once.
    pub repeat: Option<SignedDuration>,
    /// How often the levels are gone through again at most.
    pub repeats: u32,
    /// After how long without a sign of life an acknowledged escalation begins anew; none for never.
    pub repage: Option<SignedDuration>,
    /// During the quiet hours its levels wait for the morning.
    pub quiet: bool,
}

/// One level of a policy.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EscalationLevel {
    /// What people call it (`Engineering manager`).
    pub title: String,
    /// When it is due, from the begin of the escalation.
    pub after: SignedDuration,
    /// Who is told; none where every method has a destination of its own.
    pub who: Vec<Who>,
    /// On which ways, best first; none where each contact's own count.
    pub methods: Vec<ChannelId>,
    /// Whether all ways are taken at once.
    pub tries: Fallbacks,
    /// In turn: after how long without an acknowledgement the next way is taken; none only when one fails.
    pub next_after: Option<SignedDuration>,
}

/// How the ways to one person are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallbacks {
    /// All at once.
    All,
    /// The next one when one fails or is not answered.
    InTurn,
}

/// Those whom messages are for, `[audiences.…]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Audience {
    /// What people call them (`Affected customers`).
    pub title: String,
    /// Who; none where every method has a destination of its own.
    pub who: Vec<Who>,
    /// On which ways; each one is taken.
    pub methods: Vec<ChannelId>,
    /// They are outside of the company: nothing of a drill reaches them.
    pub public: bool,
}

/// A template of a message, `[messages.…]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MessageTemplate {
    /// What people call it (`Initial DR activation`).
    pub title: String,
    pub audience: AudienceId,
    /// What makes it due; nothing where a person alone decides.
    pub on: Vec<Occasion>,
    /// The severities that it is for; empty for all.
    pub severities: Vec<Severity>,
    /// The runbooks that `run` and `switched` mean; empty for all.
    pub runbooks: Vec<RunbookId>,
    /// Within how long it has to be sent.
    pub within: SignedDuration,
    /// How often it is due again until the incident is resolved.
    pub every: Option<SignedDuration>,
    /// It is sent without a person.
    pub automatic: bool,
    /// The subject; names of the incident are filled in when it is drafted.
    pub subject: String,
    /// The text.
    pub body: String,
    /// What a status page shall say of the incident.
    pub page_status: Option<PageStatus>,
    /// What a status page shall say of the channel's components.
    pub component_status: Option<ComponentStatus>,
}

/// What makes a message due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// An incident was declared.
    Declared,
    /// The severity changed.
    Severity,
    /// A runbook was begun.
    Run,
    /// Another region serves.
    Switched,
    /// The incident was resolved.
    Resolved,
    /// The incident was closed.
    Closed,
}

/// What a status page says of an incident (Statuspage API, `incident[status]`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageStatus {
    /// Being looked at.
    Investigating,
    /// The cause is known.
    Identified,
    /// Mended, being watched.
    Monitoring,
    /// Over.
    Resolved,
}

/// What a status page says of a component (Statuspage API, `component[status]`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    /// It works.
    Operational,
    /// It is slow.
    DegradedPerformance,
    /// Some of it is gone.
    PartialOutage,
    /// It is gone.
    MajorOutage,
    /// It is being worked on.
    UnderMaintenance,
}

/// Plan-wide settings of escalation, `[notify]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NotifySettings {
    /// Where the wall clock of the quiet hours stands.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub zone: TimeZone,
    /// From when until when policies with `quiet` wait; may span midnight.
    pub quiet: Option<(civil::Time, civil::Time)>,
    /// From this derived severity on an incident is proposed, and escalated before anybody declares it; none for
    /// never.
    pub propose: Option<Severity>,
    /// How long the severity must last for that.
    pub propose_after: SignedDuration,
    /// Who gets the messages of drills instead of those whom they are for; empty for the same people.
    pub drill_who: Vec<Who>,
    /// On which ways.
    pub drill_methods: Vec<ChannelId>,
}

impl Default for NotifySettings {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            quiet: None,
            propose: None,
            propose_after: SignedDuration::from_mins(1),
            drill_who: Vec::new(),
            drill_methods: Vec::new(),
        }
    }
}
