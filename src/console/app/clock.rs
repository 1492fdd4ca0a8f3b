//! The engine's time, as this client reckons it between two messages.

use jiff::{SignedDuration, Timestamp};
use std::time::Instant;

/// The engine's time: what it last said, and what elapsed here since, at its world's speed.
#[derive(Clone, Copy, Debug)]
pub struct EngineClock {
    said: Timestamp,
    heard: Instant,
    speed: f64,
}

impl EngineClock {
    /// The engine said `said` at `heard`; its world runs `speed` times as fast as this one.
    pub fn new(said: Timestamp, heard: Instant, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { said, heard, speed }
    }

    /// The engine's time at `at`.
    pub fn at(&self, at: Instant) -> Timestamp {
        let elapsed = at.saturating_duration_since(self.heard).as_secs_f64() * self.speed;
        let elapsed = SignedDuration::try_from_secs_f64(elapsed).unwrap_or(SignedDuration::ZERO);
        self.said.checked_add(elapsed).unwrap_or(self.said)
    }

    /// Takes the time of an event that was heard at `at`: where the engine is ahead (this host slept), the clock
    /// follows.
    pub fn hear(&mut self, said: Timestamp, at: Instant) {
        if said > self.at(at) {
            (self.said, self.heard) = (said, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOON: &str = "2026-01-31T12:00:00Z";

    #[test]
    fn it_runs_at_the_speed_of_the_world() {
        let (noon, start): (Timestamp, Instant) = (NOON.parse().unwrap(), Instant::now());
        let clock = EngineClock::new(noon, start, 60.0);
        assert_eq!(clock.at(start + Duration::from_millis(500)), noon + SignedDuration::from_secs(30));
    }

    #[test]
    fn it_follows_an_engine_that_is_ahead_and_never_goes_back() {
        let (noon, start): (Timestamp, Instant) = (NOON.parse().unwrap(), Instant::now());
        let mut clock = EngineClock::new(noon, start, 1.0);
        let later = start + Duration::from_secs(1);
        clock.hear(noon, later);
        assert_eq!(clock.at(later), noon + SignedDuration::from_secs(1));
        clock.hear(noon + SignedDuration::from_mins(5), later);
        assert_eq!(clock.at(later), noon + SignedDuration::from_mins(5));
    }
}
