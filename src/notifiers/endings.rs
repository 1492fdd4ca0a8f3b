//! Services that their providers end, so that a plan that rests on one is told in time.

use jiff::civil::{Date, date};

/// The end of what a kind of channel speaks to.
pub struct Ending {
    /// The kind, as in `kind = "…"`.
    pub kind: &'static str,
    /// What ends, as its provider calls it.
    pub service: &'static str,
    /// The day from which it answers no more.
    pub on: Date,
    /// The kind that takes over.
    pub successor: &'static str,
}

/// Every ending that is announced. Opsgenie: <https://www.atlassian.com/software/opsgenie/migration>.
static ENDINGS: &[Ending] = &[Ending {
    kind: "opsgenie",
    service: "Opsgenie with its Alert API",
    on: date(2027, 4, 5),
    successor: "jsm-ops",
}];

/// The announced end of what this kind speaks to.
pub fn of(kind: &str) -> Option<&'static Ending> {
    ENDINGS.iter().find(|ending| ending.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::ENDINGS;
    use crate::notifiers::kind;

    #[test]
    fn what_ends_and_what_takes_over_are_kinds() {
        for ending in ENDINGS {
            assert!(kind(ending.kind).is_some() && kind(ending.successor).is_some(), "{}", ending.kind);
        }
    }
}
