//! Why an action is not sent.

use crate::core::words::action::Failure;
use crate::core::words::preflight::Check;

/// Why something is not done or not proven, and what to do next: found by looking, so that nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub why: String,
    /// What the operator can do.
    pub next: String,
}

impl Refusal {
    /// A reason and a way on.
    pub fn new(why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { why: why.into(), next: next.into() }
    }

    /// As an action's failure.
    pub fn not_done(self, what: impl Into<String>) -> Failure {
        Failure::not_done(what, self.why, self.next)
    }

    /// As notes of a description.
    pub fn notes(self) -> Vec<String> {
        vec![format!("{}: this step will refuse.", self.why), self.next]
    }

    /// As a check that fails.
    pub fn check(self, what: impl Into<String>) -> Check {
        Check::fail(what, self.why, self.next)
    }
}
