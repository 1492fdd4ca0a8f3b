//! Time that several servers or addresses share, so that one that is silent does not cost those after it theirs.

use std::time::Duration;
use tokio::time::Instant;

/// What a connection with TLS takes over a long line: of many addresses none gets less, or a server that is only far
/// away would seem silent at each of them.
pub(crate) const LEAST_PATIENCE: Duration = Duration::from_millis(500);

/// The end of the first of so many equal shares of the time that is left.
pub(crate) fn share(until: Instant, count: usize) -> Instant {
    let now = Instant::now();
    let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    now + until.saturating_duration_since(now) / count
}
