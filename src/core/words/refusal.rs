//! Why a command is not carried out.

use serde::{Deserialize, Serialize};

/// Why not, in words for the operator, with what would make it possible.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct Refusal {
    /// Why it is refused.
    pub why: String,
    /// What to do instead, or what would make it possible.
    pub next: String,
}

impl Refusal {
    /// A refusal with its way out.
    pub fn new(why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { why: why.into(), next: next.into() }
    }
}
