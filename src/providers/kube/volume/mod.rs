//! What pods keep their data on.

mod judge;
pub mod probe;
mod seen;

pub use seen::{Claim, Phase};
