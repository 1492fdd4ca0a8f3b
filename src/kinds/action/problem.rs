//! A problem as an action tells it.

use crate::base::problem::Problem;
use crate::core::words::action::Failure;
use crate::core::words::preflight::Check;

impl Problem {
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
