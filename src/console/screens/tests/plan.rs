//! The plan of all screens, and time.

pub use crate::testing::compliance as plan;
use jiff::SignedDuration;

pub fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}
