//! What a plan must know of a kind of action.

use crate::plan::keys::Key;
use crate::plan::params::Params;
use serde::{Deserialize, Serialize};

/// What the registry knows of a kind of action.
pub struct ActionKind {
    /// As in `action = "…"`.
    pub name: &'static str,
    pub does: Does,
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

/// What a kind of action does, as far as others than the kind itself have to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// A person does it and attests it.
    ByHand,
    /// It writes into the journal.
    Notes,
    /// It waits for a condition over what is measured.
    Waits,
    /// It waits until a provider is done.
    Watches,
    /// It keeps a copy of a database.
    Copies,
    /// It tells people, or programs that tell them.
    Tells,
    /// It changes how many hosts there are.
    Scales,
    /// It makes another server the primary.
    Promotes,
    /// It keeps a server from accepting writes.
    Fences,
    /// It lets a server accept writes again.
    Unfences,
    /// It sends people or programs to another place.
    Routes,
    /// It does what the plan has written: nobody else knows what that is, or what it acts on.
    Runs,
    /// It changes the world in another way.
    Changes,
}

impl Does {
    /// It never leaves lifeboat: it needs nothing that could be down.
    pub fn is_within(self) -> bool {
        matches!(self, Self::ByHand | Self::Notes | Self::Waits)
    }

    /// No data can be lost by it, whatever becomes of it.
    pub fn keeps_data(self) -> bool {
        let looks = matches!(self, Self::Notes | Self::Waits | Self::Watches);
        looks || matches!(self, Self::Copies | Self::Tells | Self::Scales | Self::Routes)
    }
}

impl ActionKind {
    /// Whether an action with these parameters proves its own effect.
    pub fn proves(&self, params: &Params) -> bool {
        self.verifies || self.verifies_with.is_some_and(|key| params.get(key).is_some())
    }
}
