//! Which world the engine acts on, where it is not the real one.

use serde::{Deserialize, Serialize};

/// What is simulated.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Simulation {
    /// The scenario's name (`region-down`).
    pub scenario: String,
    /// How many simulated seconds pass in a real one.
    pub speed: f64,
}
