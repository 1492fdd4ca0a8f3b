//! Three clocks: the system's, a scaled one for demo and rehearse, and one that tests move by hand.

use crate::base::moment::Moment;
use crate::core::words::since_boot::SinceBoot;
use crate::world::{Clock, Jump};
use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A difference between wall clock and elapsed time that is more than drift and scheduling.
const JUMP: SignedDuration = SignedDuration::from_secs(2);

/// The system's time, held by its monotonic clock: wall time at the start plus what elapsed. When the wall
/// clock leaps forward (the machine slept, which the monotonic clock does not count, or somebody set it) this one
/// follows; when it is set back this one does not.
pub struct RealClock {
    wall: fn() -> Timestamp,
    /// Time since the machine was started, sleep included; none where the system does not tell.
    boot: fn() -> Option<SignedDuration>,
    booted: Option<SignedDuration>,
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
    /// How long the machine had slept by then.
    slept: SignedDuration,
}

impl RealClock {
    /// Starts from the system's wall clock.
    pub fn new() -> Self {
        // A clock that was set to where no time is stands still there, and this process with it.
        Self::over(
            || Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::MAX),
            || Moment::now().since_boot(),
        )
    }

    fn over(wall: fn() -> Timestamp, boot: fn() -> Option<SignedDuration>) -> Self {
        let [seen, followed, slept] = [SignedDuration::ZERO; 3];
        let offset = Mutex::new(Offset { seen, followed, slept });
        Self { wall, boot, booted: boot(), base: wall(), started: Instant::now(), offset }
    }

    /// How long the machine slept since the start; none where that cannot be told.
    fn slept(&self) -> Option<SignedDuration> {
        let awake = signed(self.started.elapsed());
        Some((self.boot)()?.saturating_sub(self.booted?).saturating_sub(awake).max(SignedDuration::ZERO))
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

    fn jump(&self) -> Option<Jump> {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        let current = (self.wall)().duration_since(self.monotonic());
        let moved = current.saturating_sub(offset.seen);
        if moved.abs() <= JUMP {
            return None;
        }
        let followed = current.saturating_sub(offset.followed).max(SignedDuration::ZERO);
        offset.seen = current;
        offset.followed = offset.followed.saturating_add(followed);
        // Where nobody can tell, the machine slept: what is due is told early rather than late.
        let slept = self.slept().map_or(followed, |slept| slept.saturating_sub(offset.slept));
        offset.slept = offset.slept.saturating_add(slept);
        let not_passed = followed.saturating_sub(slept);
        let not_passed = if not_passed > JUMP { not_passed } else { SignedDuration::ZERO };
        Some(Jump { by: moved, not_passed })
    }

    fn since_boot(&self) -> Option<SinceBoot> {
        Some(SinceBoot { boot: boot_id()?, passed: (self.boot)()? })
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

/// Linux gives each start of the host a name.
fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

/// `from` plus a span; the end of time where it does not fit.
pub(crate) fn later(from: Timestamp, span: SignedDuration) -> Timestamp {
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

    fn jumped(by: i64, not_passed: i64) -> Option<Jump> {
        let [by, not_passed] = [by, not_passed].map(SignedDuration::from_secs);
        Some(Jump { by, not_passed })
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_clock_that_leaps_is_reported_once_and_never_pulls_time_back() {
        static WALL: AtomicI64 = AtomicI64::new(1_000_000);
        let wall = || Timestamp::from_second(WALL.load(Ordering::Relaxed)).unwrap();
        let clock = RealClock::over(wall, || None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.jump(), None, "a second is drift");

        WALL.store(1_003_601, Ordering::Relaxed);
        assert_eq!(clock.jump(), jumped(3600, 0));
        assert_eq!(clock.jump(), None);
        assert_eq!(clock.now(), at(1_003_601), "after a sleep of the machine the time is right again");

        WALL.store(1_000_001, Ordering::Relaxed);
        assert_eq!(clock.jump(), jumped(-3600, 0));
        assert_eq!(clock.now(), at(1_003_601), "it does not go back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_is_told_from_a_machine_that_slept() {
        static WALL: AtomicI64 = AtomicI64::new(1_000_000);
        static BOOT: AtomicI64 = AtomicI64::new(500);
        let wall = || Timestamp::from_second(WALL.load(Ordering::Relaxed)).unwrap();
        let clock = RealClock::over(wall, || Some(SignedDuration::from_secs(BOOT.load(Ordering::Relaxed))));
        let step = |wall: i64, boot: i64| {
            WALL.fetch_add(wall, Ordering::Relaxed);
            BOOT.fetch_add(boot, Ordering::Relaxed);
            clock.jump()
        };
        assert_eq!(step(7200, 0), jumped(7200, 7200), "set");
        assert_eq!(step(3600, 3600), jumped(3600, 0), "slept");
        assert_eq!(step(-7200, 0), jumped(-7200, 0), "set back: this clock stays ahead");
        assert_eq!(step(7200, 0), jumped(7200, 0), "and does not move where it is already");
        assert_eq!(step(1200, 600), jumped(1200, 600), "slept, and was set after that");
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
