//! What a plan must know of a kind of action.

use crate::plan::keys::Key;
use crate::plan::params::Params;

/// What the registry knows of a kind of action.
pub struct ActionKind {
    /// As in `action = "…"`.
    pub name: &'static str,
    /// What it acts on, as a simulated world calls it.
    pub simulated_target: &'static str,
    /// The keys of `with` that say what is set, where the call does not. None of them takes a secret.
    pub sets: &'static [&'static str],
    /// One paragraph for the reference.
    pub doc: &'static str,
    /// The keys of `with.…`.
    pub keys: &'static [Key],
    /// Whether it can change the world: those that can need a verification and, in a plan, a confirmation.
    pub changes: bool,
    /// Whether the action proves its own effect, or the plan must say `verify`.
    pub verifies: bool,
    /// A key with which the action proves its effect although `verifies` is false (`verify_url`).
    pub verifies_with: Option<&'static str>,
    /// The permissions that it needs, in the words of the provider's access control (`rds:PromoteReadReplica`).
    pub permissions: &'static [&'static str],
    /// A complete `[[runbooks.example.steps]]` table.
    pub example: &'static str,
    /// The call in words for `lifeboat plan show`, without a connection (`pg_promote() on {dsn}`).
    pub call: fn(&Params) -> String,
}

impl ActionKind {
    /// Whether an action with these parameters proves its own effect.
    pub fn proves(&self, params: &Params) -> bool {
        self.verifies || self.verifies_with.is_some_and(|key| params.get(key).is_some())
    }
}
