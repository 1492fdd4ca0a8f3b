//! What a table of a plan may hold. One list serves the loader, the near-miss help, the generated reference
//! and the JSON schema.

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written in the file.
    pub name: &'static str,
    /// What it takes.
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
    /// A question, runbook or leaf.
    Destination,
}
