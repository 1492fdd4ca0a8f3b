//! What pods run on.

pub mod cordon;
mod judge;
pub mod probe;
mod seen;

pub use seen::Node;
