//! How long this host has been up: what passed between two engines, whatever its wall clock was set to meanwhile.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a host has been up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SinceBoot {
    /// Which start of the host it counts from.
    pub boot: String,
    /// The time since then, sleep included.
    pub passed: SignedDuration,
}

/// What an engine's own time and the host's uptime were at one moment. Both pass alike while it runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clocks {
    /// The engine's time.
    pub at: Timestamp,
    /// The host's uptime.
    pub since_boot: SinceBoot,
}

impl SinceBoot {
    /// Whether a later one counts on from the same start of the same host.
    pub fn goes_on(&self, later: &Self) -> bool {
        self.boot == later.boot && self.passed <= later.passed
    }
}

impl Clocks {
    /// By how much less the engine's time moved than time passed, up to a later engine's begin; none where the host was
    /// started anew in between, so that nothing tells.
    pub fn fell_back(&self, later: &Self) -> Option<SignedDuration> {
        let passed = later.since_boot.passed.saturating_sub(self.since_boot.passed);
        let fell_back = passed.saturating_sub(later.at.duration_since(self.at));
        self.since_boot.goes_on(&later.since_boot).then_some(fell_back)
    }
}
