//! What an action says of itself, and what came of it.

use serde::{Deserialize, Serialize};

/// What the description of a simulated step says where nothing that is simulated changes what its proof reads.
pub const UNMOVED: &str = "SIMULATED: this scenario does not know what the step changes";

/// How a failure begins to say why, where a manager of its target (Patroni, repmgr, a cloud provider) decides over that.
pub const MANAGED: &str = "it is managed by ";
/// How a failure says that a program of an earlier attempt goes on.
pub const STILL_RUNS: &str = "still runs as process";

/// What a step would do, as the confirmation shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Description {
    /// The exact call (`select pg_promote(true, 60)`).
    pub call: String,
    /// The equivalent command of the provider's own tool.
    pub command: String,
    /// What it acts on.
    pub target: Target,
    /// What else to know before saying yes.
    pub notes: Vec<String>,
    /// The exact commands that take it back, in order, with the values of before as they were read just now; empty
    /// where nothing does, or nobody knows.
    #[serde(default)]
    pub undo: Vec<String>,
    /// What it sets, as name and value, where the call does not show it (`body`, `A api.example.org`); without secrets.
    #[serde(default)]
    pub sets: Vec<(String, String)>,
}

impl Description {
    /// Of what the call says all of, and nothing takes back.
    pub fn new(call: String, command: String, target: Target, notes: Vec<String>) -> Self {
        Self { call, command, target, notes, undo: Vec::new(), sets: Vec::new() }
    }
}

/// What an action acts on, with its identity read from the world.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The name that the operator types to confirm (`127.0.0.1:5433`, `arka-db-dr-replica`).
    pub name: String,
    /// What kind of thing it is (`PostgreSQL server`).
    pub kind: String,
    /// What must be the same at execution (`system identifier`, `role`, `timeline`), read just now.
    pub identity: Vec<(String, String)>,
    /// Whether the world could be read; an unreachable target can be described, but is no proof of anything.
    pub reachable: bool,
}

/// The property of an identity that says which database a server is a copy of (PostgreSQL's system identifier).
pub const SYSTEM_IDENTIFIER: &str = "system identifier";
/// The property of an identity that tells a server's process apart from others: when it started, by its own word.
pub const STARTED_AT: &str = "started at";

impl Target {
    /// The value of an identity's property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.identity.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The target when it cannot be read, or is not there: it can be named, and nothing is known of it.
    pub fn unseen(name: &str, kind: &str) -> Self {
        Self { name: name.to_owned(), kind: kind.into(), identity: Vec::new(), reachable: false }
    }

    /// Fails when what was found is not the one that was confirmed.
    ///
    /// # Errors
    /// `target_changed`, or that it could not be read when it was confirmed.
    pub fn same(&self, found: &Self) -> Result<(), Failure> {
        match self.reachable {
            true if self.identity == found.identity => Ok(()),
            true => Err(Failure::target_changed(self, found)),
            false => Err(Failure::not_done(
                format!("the target {} changed since it was confirmed", self.name),
                "it could not be read then, and can be now",
                "Nothing was done. Look at the target, then confirm the step again.",
            )),
        }
    }
}

/// The step's execution came to its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Done {
    /// One line for the screen and the journal.
    pub summary: String,
}

/// What reading the world back showed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// What was read and what it showed, a line each (`pg_is_in_recovery() is false`).
    pub evidence: Vec<String>,
}

/// Why something could not be done or proven.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Failure {
    /// What failed, on what (`pg_promote on 127.0.0.1:5433`).
    pub what: String,
    pub why: String,
    /// What the operator can do next.
    pub next: String,
    /// Whether the world may have been changed.
    pub acted: Acted,
}

/// Whether a failed action may have changed the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acted {
    /// It certainly did not.
    No,
    /// It may have: the step becomes unknown, not failed, until the world is read back.
    Maybe,
}

impl Failure {
    /// It certainly was not done.
    pub fn not_done(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), next: next.into(), acted: Acted::No }
    }

    /// It may have been done.
    pub fn maybe_done(what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { acted: Acted::Maybe, ..Self::not_done(what, why, next) }
    }

    /// Whether a manager of its target would take it back, so that the step refuses.
    pub fn is_managed(&self) -> bool {
        self.acted == Acted::No && self.why.starts_with(MANAGED)
    }

    /// The target is no longer what was confirmed; nothing was done.
    pub fn target_changed(expected: &Target, found: &Target) -> Self {
        let differences: Vec<String> = found
            .identity
            .iter()
            .filter(|pair| !expected.identity.contains(pair))
            .map(|(name, value)| {
                let before = expected.identity.iter().find(|(known, _)| known == name);
                format!("{name} is {value}, was {}", before.map_or("not read", |(_, value)| value))
            })
            .collect();
        Self {
            what: format!("the target {} changed since it was confirmed", expected.name),
            why: if differences.is_empty() {
                "its identity cannot be read any more".into()
            } else {
                differences.join("; ")
            },
            next: "Nothing was done. Look at the target, then confirm the step again.".into(),
            acted: Acted::No,
        }
    }
}

/// What a person does when lifeboat cannot: printed, readable without any connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ManualCard {
    /// The exact commands or clicks, in order.
    pub instructions: Vec<String>,
    /// How to see that it worked.
    pub check: String,
}
