//! Three clocks: the system's, a scaled one for demo and rehearse, and one that tests move by hand.

use crate::world::Clock;
use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A difference between wall clock and elapsed time that is more than drift and scheduling.
const JUMP: SignedDuration = SignedDuration::from_secs(2);

/// The system's time, held by its monotonic clock: wall time at the start plus what elapsed. When the wall
/// clock leaps forward (the machine slept, which the monotonic clock does not count) this one follows;
/// when it is set back this one does not.
pub struct RealClock {
    wall: fn() -> Timestamp,
    base: Timestamp,
    started: Instant,
    offset: Mutex<Offset>,
}

/// Wall time minus base and elapsed time.
struct Offset {
    /// As it was when `jump` was last asked.
    seen: SignedDuration,
    /// How far this clock followed it; it only grows.
    followed: SignedDuration,
}

impl RealClock {
    /// Starts from the system's wall clock.
    pub fn new() -> Self {
        // A clock that was set to where no time is stands still there, and this process with it.
        Self::over(|| Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::MAX))
    }

    fn over(wall: fn() -> Timestamp) -> Self {
        let offset = Offset { seen: SignedDuration::ZERO, followed: SignedDuration::ZERO };
        Self { wall, base: wall(), started: Instant::now(), offset: Mutex::new(offset) }
    }

    fn monotonic(&self) -> Timestamp {
        later(self.base, signed(self.started.elapsed()))
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        later(self.monotonic(), offset.followed)
    }

    fn sleep(&self, span: SignedDuration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(unsigned(span)).boxed()
    }

    fn jump(&self) -> Option<SignedDuration> {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        let current = (self.wall)().duration_since(self.monotonic());
        let moved = current.saturating_sub(offset.seen);
        if moved.abs() <= JUMP {
            return None;
        }
        offset.seen = current;
        offset.followed = offset.followed.max(current);
        Some(moved)
    }
}

/// Time that starts where it is told and passes `speed` times as fast as the system's.
pub struct ScaledClock {
    start: Timestamp,
    started: Instant,
    speed: f64,
}

impl ScaledClock {
    /// Starts now, showing `start`. A speed that is not a positive number counts as 1.
    pub fn new(start: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { start, started: Instant::now(), speed }
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        later(self.start, signed(scale(self.started.elapsed(), self.speed)))
    }

    fn sleep(&self, span: SignedDuration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(scale(unsigned(span), 1.0 / self.speed)).boxed()
    }
}

/// Time that stands still until someone moves it; sleepers wake as it passes them.
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// Stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { now: watch::Sender::new(start) }
    }

    /// Moves forward; a negative span moves nothing.
    pub fn advance(&self, span: SignedDuration) {
        self.now.send_modify(|now| *now = later(*now, span.max(SignedDuration::ZERO)));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep(&self, span: SignedDuration) -> BoxFuture<'_, ()> {
        let mut moved = self.now.subscribe();
        let until = later(self.now(), span);
        async move {
            // Ends with an error only when the clock is gone, and it is borrowed here.
            let _ = moved.wait_for(|now| *now >= until).await;
        }
        .boxed()
    }
}

/// `from` plus a span; the end of time where it does not fit.
pub(super) fn later(from: Timestamp, span: SignedDuration) -> Timestamp {
    from.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

fn unsigned(span: SignedDuration) -> Duration {
    Duration::try_from(span).unwrap_or(Duration::ZERO)
}

fn scale(span: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(span.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_clock_that_leaps_is_reported_once_and_never_pulls_time_back() {
        static WALL: AtomicI64 = AtomicI64::new(1_000_000);
        let clock = RealClock::over(|| Timestamp::from_second(WALL.load(Ordering::Relaxed)).unwrap());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.jump(), None, "a second is drift");

        WALL.store(1_003_601, Ordering::Relaxed);
        assert_eq!(clock.jump(), Some(SignedDuration::from_secs(3600)));
        assert_eq!(clock.jump(), None);
        assert_eq!(clock.now(), at(1_003_601), "after a sleep of the machine the time is right again");

        WALL.store(1_000_001, Ordering::Relaxed);
        assert_eq!(clock.jump(), Some(SignedDuration::from_secs(-3600)));
        assert_eq!(clock.now(), at(1_003_601), "it does not go back");
    }

    #[tokio::test(start_paused = true)]
    async fn scaled_time_passes_and_sleeps_faster() {
        let clock = ScaledClock::new(at(500), 10.0);
        let before = Instant::now();
        clock.sleep(SignedDuration::from_secs(20)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(2));
        assert_eq!(clock.now(), at(520));
    }

    #[tokio::test]
    async fn manual_time_wakes_those_whose_time_came() {
        let clock = ManualClock::new(at(0));
        let mut short = clock.sleep(SignedDuration::from_secs(5));
        let mut long = clock.sleep(SignedDuration::from_secs(6));
        assert!(futures::poll!(&mut short).is_pending());
        clock.advance(SignedDuration::from_secs(5));
        clock.advance(SignedDuration::from_secs(-5));
        assert!(futures::poll!(&mut short).is_ready());
        assert!(futures::poll!(&mut long).is_pending());
    }
}
