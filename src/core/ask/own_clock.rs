//! This host's own clock, where several servers deny it: ages, recorded times and certificates depend on it.

use crate::base::units;
use crate::core::model::Model;
use crate::core::words::fact::Fact;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Servers that have to agree before the clock is called wrong: one may be wrong itself.
pub const SEVERAL: usize = 2;

/// Less does not make another number of what is told.
const TOLD_ANEW: SignedDuration = SignedDuration::from_secs(60);

/// Less is recorded once, when the clock was found to be wrong.
const RECORDED_ANEW: SignedDuration = SignedDuration::from_mins(5);

/// By how much the clock is off, and who says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClockOff {
    /// How far it is ahead, behind where negative.
    pub ahead: SignedDuration,
    /// How many servers say so.
    pub peers: usize,
}

impl ClockOff {
    /// `this host's clock is 2 h 00 behind by 3 peers`.
    pub fn sentence(&self) -> String {
        let way = if self.ahead.is_negative() { "behind" } else { "ahead" };
        format!(
            "this host's clock is {} {way} by {} peers",
            units::age(to_minutes(self.ahead.abs())),
            self.peers
        )
    }

    fn is_near(&self, other: &Self, bound: SignedDuration) -> bool {
        self.ahead.saturating_sub(other.ahead).abs() < bound
    }
}

/// To the nearest minute: servers tell whole seconds, so that an hour would often be 59 minutes.
fn to_minutes(span: SignedDuration) -> SignedDuration {
    SignedDuration::from_mins((span.as_secs() + 30) / 60)
}

/// What is new about the clock: recorded where it turned, only shown where others say the same.
pub fn judged(model: &Model, found: Option<ClockOff>) -> Option<Fact> {
    let off = found.filter(|off| off.peers >= SEVERAL);
    let recorded = match (&model.live.clock_off, &off) {
        (None, None) => return None,
        (Some(told), Some(off)) if told.peers == off.peers && told.is_near(off, TOLD_ANEW) => return None,
        (Some(told), Some(off)) => !told.is_near(off, RECORDED_ANEW),
        _ => true,
    };
    Some(Fact::ClockJudged { off, recorded })
}
