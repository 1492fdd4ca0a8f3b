//! Machines over a plan with people.

use super::fixture::Machine;
pub use crate::testing::with_people as plan;

/// The machine, its plan with people in it.
pub fn with_people(mut machine: Machine) -> Machine {
    machine.model.plan = plan();
    machine
}
