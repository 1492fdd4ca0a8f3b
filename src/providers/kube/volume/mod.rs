//! What pods keep their data on.

mod judge;
pub mod probe;
mod quantity;
mod seen;

pub use seen::{Claim, Phase};
