//! What does not work, is not done or cannot be told, as the reader at 3 a.m. needs it: why, and what to do next.

use serde::{Deserialize, Serialize};

/// Why not, in words for the operator, and the way on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct Problem {
    /// What failed or is refused, on what, and why.
    pub why: String,
    /// What to do instead, or about it.
    pub next: String,
}

impl Problem {
    /// A reason and a way on.
    pub fn new(why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { why: why.into(), next: next.into() }
    }
}
