//! Points of time by which ages are told, of a clock that nobody sets.

use jiff::SignedDuration;
use rustix::time::{ClockId, clock_gettime};
use std::ops::{Add, Sub};
use std::time::Duration;

/// Linux does not count in its steady clock, which `std::time::Instant` reads, what the host sleeps: what a server wrote
/// meanwhile would seem to be younger than it is.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// A point of time on this host, whose sleep counts. It may be of before the host was started: what is measured on
/// another one can be older than that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(SignedDuration);

impl Moment {
    /// This one.
    pub fn now() -> Self {
        let now = clock_gettime(CLOCK);
        let nanoseconds = i32::try_from(now.tv_nsec).unwrap_or_default();
        Self(SignedDuration::new(now.tv_sec, nanoseconds))
    }

    /// The time since the host was started; none where the system's clock counts from elsewhere.
    pub fn since_boot(self) -> Option<SignedDuration> {
        cfg!(target_os = "linux").then_some(self.0)
    }

    /// The time since an earlier one; none where that is later.
    pub fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        Duration::try_from(self.0.saturating_sub(earlier.0)).ok()
    }

    /// The time since an earlier one; none at all where that is later.
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.checked_duration_since(earlier).unwrap_or_default()
    }

    /// So long before; none where no time is there.
    pub fn checked_sub(self, span: Duration) -> Option<Self> {
        self.0.checked_sub(SignedDuration::try_from(span).ok()?).map(Self)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
        Self(self.0.saturating_add(span))
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn it_is_of_the_clock_that_counts_what_the_host_sleeps() {
        let uptime = || {
            let time = clock_gettime(ClockId::Boottime);
            SignedDuration::new(time.tv_sec, i32::try_from(time.tv_nsec).unwrap())
        };
        let (before, now, after) = (uptime(), Moment::now(), uptime());
        let passed = now.since_boot().unwrap();
        assert!(before <= passed && passed <= after, "{before} {passed} {after}");
    }

    #[test]
    fn what_is_older_than_the_host_is_up_has_a_moment_too() {
        let week = Duration::from_secs(7 * 86_400);
        let host = Moment(SignedDuration::from_secs(30));
        let commit = host.checked_sub(week).unwrap();
        assert_eq!((host - commit, commit + week), (week, host));
        assert_eq!(commit.checked_duration_since(host), None);
        assert_eq!(commit.saturating_duration_since(host), Duration::ZERO);
        assert_eq!(host.checked_sub(Duration::MAX), None);
    }
}
