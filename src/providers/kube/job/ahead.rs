//! Times that cannot be: an end that is dated in the future tells nothing.

use crate::core::words::reading::Verdict;
use jiff::{SignedDuration, Timestamp};

/// How far two clocks may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// Critical where it is later than now, by more than two clocks may be apart; `what` names it (`its last success`).
pub(super) fn ahead(what: &str, at: Option<Timestamp>, now: Timestamp) -> Verdict {
    match at.is_some_and(|at| at.duration_since(now) > SKEW) {
        true => Verdict::Critical(format!(
            "{what} is dated in the future: the cluster's clock or this host's is wrong"
        )),
        false => Verdict::Good,
    }
}
