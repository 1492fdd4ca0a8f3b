//! Probes: periodic measurements. One file per kind.

pub(crate) mod series;

use crate::base::problem::Problem;
use crate::core::words::diagnosis::Section;
use crate::core::words::reading::Measurement;
use crate::plan::ProbeSpec;
use crate::plan::kinds::BuildError;
use futures::future::BoxFuture;

/// One measurement that can be taken again and again. It may keep what it needs between two runs
/// (a connection, the previous value) behind its own lock.
pub trait Probe: Send + Sync {
    /// Measures once. `Ok` is a measurement, also of something that is down; `Err` means that nothing
    /// could be measured, so that the signal is unknown. The engine cuts it off at the plan's deadline,
    /// which counts as `Err`, so a probe for which silence is an answer keeps its own, shorter deadline
    /// (see [`deadline`]).
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>>;

    /// Whether one call to the outside answers for many probes like it. They run at the same moment, so that none
    /// waits for its turn while the answer grows old.
    fn shares_its_call(&self) -> bool {
        false
    }

    /// What is behind the signal, for a person who asks: none where a measurement tells all; whose kind has it says so in
    /// [`Sees::has_diagnosis`](crate::plan::kinds::Sees::has_diagnosis). It changes nothing and is not recorded. Each
    /// section says for itself what could not be read. The engine cuts it off after
    /// [`WITHIN`](crate::core::words::diagnosis::WITHIN).
    fn diagnose(&self) -> Option<BoxFuture<'_, Vec<Section>>> {
        None
    }
}

/// The time that a probe gives the outside before it calls silence an answer: nine tenths of the plan's
/// `timeout`, so that the probe's own verdict comes before the engine's cut.
pub fn deadline(spec: &ProbeSpec) -> std::time::Duration {
    spec.timeout.unsigned_abs().mul_f64(0.9)
}

/// A probe made from a plan, or why it cannot be.
pub type Built = Result<Box<dyn Probe>, BuildError>;
