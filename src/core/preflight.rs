//! What an action finds when it looks whether it could be done right now.

use serde::{Deserialize, Serialize};

/// One thing that an action needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What is needed (`the record's TTL is low enough`).
    pub what: String,
    /// Whether it is there.
    pub result: Checked,
    /// What the operator can do about it; empty where nothing is wrong.
    pub next: String,
}

/// Whether something that is needed is there, and what was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// It is.
    Pass(String),
    /// It is, and something about it is worth a look.
    Warn(String),
    /// It is not.
    Fail(String),
    /// Nobody can tell without doing it.
    NotCheckable(String),
}

impl Check {
    /// It is there.
    pub fn pass(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::Pass(seen.into()), next: String::new() }
    }

    /// It is there, and worth a look.
    pub fn warn(what: impl Into<String>, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::Warn(seen.into()), next: next.into() }
    }

    /// It is not there.
    pub fn fail(what: impl Into<String>, seen: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::Fail(seen.into()), next: next.into() }
    }

    /// Nobody can tell without doing it.
    pub fn not_checkable(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), result: Checked::NotCheckable(why.into()), next: String::new() }
    }
}
