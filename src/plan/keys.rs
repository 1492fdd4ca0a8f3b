//! What a table of a plan may hold. One list serves the loader, the near-miss help, the generated reference
//! and the JSON schema.

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written in the file.
    pub name: &'static str,
    pub takes: Takes,
    /// Whether it must be there.
    pub need: Need,
    /// What it means, one or two sentences for the reference.
    pub doc: &'static str,
}

impl Key {
    /// A key that must be there.
    pub const fn required(name: &'static str, takes: Takes, doc: &'static str) -> Self {
        Self { name, takes, need: Need::Required, doc }
    }

    /// A key that may be absent.
    pub const fn optional(name: &'static str, takes: Takes, doc: &'static str) -> Self {
        Self { name, takes, need: Need::Optional, doc }
    }

    /// A key with a default, written as in a plan file (`5s`, `true`, `200`).
    pub const fn default(name: &'static str, takes: Takes, value: &'static str, doc: &'static str) -> Self {
        Self { name, takes, need: Need::Default(value), doc }
    }
}

/// Whether a key must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Its absence is an error.
    Required,
    /// It may be absent.
    Optional,
    /// Used when it is absent, written as in a plan file.
    Default(&'static str),
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Text, templated strictly.
    Text,
    /// Text of a message, templated strictly: what the incident knows is filled in when it is drafted.
    MessageText,
    /// A path of this host, templated strictly; one that is relative begins at the plan's folder.
    Path,
    /// Text taken as it is (regular expressions, conditions of other languages).
    RawText,
    /// A whole number within bounds, both included.
    Integer(i64, i64),
    /// Any number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A duration with its unit (`30s`, `15m`, `1h 30m`).
    Duration,
    /// A size with its unit (`500 MB`), kept as a whole number of bytes.
    Size,
    /// A civil date (`2026-03-31`).
    Date,
    /// A reference to a secret: `{ secret = "name" }`.
    Secret,
    /// Text, or a reference to a secret.
    TextOrSecret,
    /// A connection string of PostgreSQL, or a reference to a secret that holds one.
    ConnectionString,
    /// A CEL condition.
    Condition,
    /// A regular expression.
    Regex,
    /// An `http` or `https` address.
    Url,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The name of a probe, region, service, step, … of this plan.
    Name(Named),
    /// A list of such values.
    List(&'static Takes),
    /// A table of such values under names of the writer's choice.
    Table(&'static Takes),
    /// A table of such values by region, service, … of this plan.
    TableBy(Named, &'static Takes),
    /// A bound on a measured value, in the unit of the probe's kind (`30s`, `10 MB`, `95`).
    Threshold,
    /// A list of tables with these keys, `[[…]]`.
    Rows(&'static [Key]),
    /// The keys of the action's kind.
    KindKeys,
}

/// What a name in a plan refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// `regions.…`
    Region,
    /// `services.…`
    Service,
    /// `probes.…`
    Probe,
    /// `backups.…`
    Backup,
    /// `runbooks.…`
    Runbook,
    /// A step of the same runbook.
    Step,
    /// `contacts.…`
    Contact,
    /// `channels.…`
    Channel,
    /// `audiences.…`
    Audience,
    /// A contact, or a rotation: whoever is on call.
    Who,
    /// A question of the tree.
    Question,
    /// A question, runbook or leaf.
    Destination,
}

impl Named {
    /// `probe`, `region`, …
    pub fn what(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Service => "service",
            Self::Probe => "probe",
            Self::Backup => "backup",
            Self::Runbook => "runbook",
            Self::Step => "step of this runbook",
            Self::Contact => "contact",
            Self::Channel => "channel",
            Self::Audience => "audience",
            Self::Who => "contact or rotation",
            Self::Question => "question",
            Self::Destination => "question, runbook or leaf",
        }
    }
}

impl Takes {
    /// What is written, for the reference and for messages.
    pub fn describe(self) -> String {
        match self {
            Self::Text | Self::RawText => "text".into(),
            Self::MessageText => "text with names of the incident".into(),
            Self::Path => "a path, from the plan's folder".into(),
            Self::Integer(low, high) if high == i64::MAX => format!("a whole number from {low}"),
            Self::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Self::Number => "a number".into(),
            Self::Flag => "`true` or `false`".into(),
            Self::Duration => "a duration such as `30s` or `1h 30m`".into(),
            Self::Size => "a size such as `500 MB`".into(),
            Self::Date => "a date such as `2026-03-31`".into(),
            Self::Secret => "`{ secret = \"name\" }`".into(),
            Self::TextOrSecret => "text or `{ secret = \"name\" }`".into(),
            Self::ConnectionString => "a connection string or `{ secret = \"name\" }`".into(),
            Self::Condition => "a condition".into(),
            Self::Regex => "a regular expression".into(),
            Self::Url => "an `http` or `https` address".into(),
            Self::Choice(words) => format!("one of `{}`", words.join("`, `")),
            Self::Name(Named::Audience) => "the name of an audience".into(),
            Self::Name(named) => format!("the name of a {}", named.what()),
            Self::List(of) => format!("a list, each {}", of.describe()),
            Self::Table(of) => format!("a table, each {}", of.describe()),
            Self::TableBy(named, of) => format!("a table by {}, each {}", named.what(), of.describe()),
            Self::Threshold => "a bound in the unit of the kind: `30s`, `10 MB` or `95`".into(),
            Self::Rows(_) => "a list of tables".into(),
            Self::KindKeys => "the keys of the action's kind".into(),
        }
    }
}
