//! What pods run on.

mod judge;
pub mod probe;
mod seen;

pub use seen::Node;
