//! What is said of a target that cannot be read: a step is described all the same.
use crate::base::problem::Problem;
use crate::base::text::ended;
use crate::core::words::action::Failure;
use crate::core::words::preflight::Check;

const LATE: &str = "no answer in time";

/// Why a look at a target showed nothing to change.
pub enum Unread {
    /// It could not be read.
    Failed(Problem),
    /// It was looked for, and there is none.
    Absent(Problem),
    /// It did not answer in time.
    Late,
}

impl Unread {
    /// As notes of a description.
    pub fn notes(self) -> Vec<String> {
        match self {
            Self::Failed(Problem { why, next }) => vec![format!("It cannot be read: {why}"), next],
            other => vec![other.note()],
        }
    }

    /// As one note.
    pub fn note(self) -> String {
        match self {
            Self::Failed(Problem { why, next }) => format!("It cannot be read: {} {next}", ended(&why)),
            Self::Absent(refusal) => format!("This step will refuse: {}", ended(&refusal.why)),
            Self::Late => format!("It cannot be read: {}", ended(LATE)),
        }
    }

    /// As a check that fails.
    pub fn check(self, what: impl Into<String>) -> Check {
        let Failure { what, why, next, .. } = self.not_done(what);
        Check::fail(what, why, next)
    }

    /// Why, without what to do about it.
    pub fn why(&self) -> &str {
        match self {
            Self::Failed(refusal) | Self::Absent(refusal) => &refusal.why,
            Self::Late => LATE,
        }
    }

    /// As the failure of a step that needed it.
    pub fn not_done(self, what: impl Into<String>) -> Failure {
        match self {
            Self::Failed(refusal) | Self::Absent(refusal) => refusal.not_done(what),
            Self::Late => Failure::not_done(
                what,
                LATE,
                "Nothing was done. See whether it can be reached from here, then confirm the step again.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_in_one_note_and_in_several() {
        assert_eq!(Unread::Late.notes(), ["It cannot be read: no answer in time."]);
        let failed = || Unread::Failed(Problem::new("there is no such file", "Make it."));
        assert_eq!(failed().notes(), ["It cannot be read: there is no such file", "Make it."]);
        assert_eq!(failed().note(), "It cannot be read: there is no such file. Make it.");
        assert_eq!(failed().not_done("y").to_string(), "y: there is no such file");
        let absent = || Unread::Absent(Problem::new("there is no x", "Make it."));
        assert_eq!(absent().notes(), ["This step will refuse: there is no x."]);
        assert_eq!(absent().not_done("y").next, "Make it.");
    }
}
