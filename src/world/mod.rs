//! The port between the engine and reality. The engine knows only [`World`]: the real one makes probes and
//! actions from the registries, the simulated one makes plausible ones from the same plan.

use crate::plan::params::Params;
use crate::plan::{ProbeSpec, Step};
use crate::{actions, probes};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where readings come from and where steps act.
pub trait World: Send + Sync {
    /// What is simulated, in words for the screen; none for the real world.
    fn simulation(&self) -> Option<Simulation>;
    /// The world's time.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Makes a probe of the plan.
    fn probe(&self, spec: &ProbeSpec) -> probes::Built;
    /// Makes the action of a step; `params` are its parameters with run-time names filled in.
    fn action(&self, step: &Step, params: &Params) -> actions::Built;
}

/// What is simulated.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Simulation {
    /// The scenario's name (`region-down`).
    pub scenario: String,
    /// How many simulated seconds pass in a real one.
    pub speed: f64,
}

/// Time as the world has it. It never goes backwards within a process.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits for a span of the world's time.
    fn sleep(&self, span: SignedDuration) -> BoxFuture<'_, ()>;
}
