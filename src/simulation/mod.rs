//! The simulated world, the scenarios that it plays, and the demo.

pub mod demo;
pub mod scenario;
mod simulated;

pub use scenario::Scenario;
pub use simulated::{SimulatedWorld, SpeedError};
