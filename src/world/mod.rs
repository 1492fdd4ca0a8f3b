//! The port between the engine and reality. The engine knows only [`World`]: the real one makes probes and
//! actions from the registries, the simulated one makes plausible ones from the same plan.

mod clock;
mod door;
mod real;

pub(crate) use clock::later;
pub use clock::{ManualClock, RealClock, ScaledClock};
pub use door::Door;
pub use real::RealWorld;

use crate::core::ask::own_clock::ClockOff;
use crate::core::words::simulation::Simulation;
use crate::core::words::since_boot::SinceBoot;
use crate::kinds;
use crate::kinds::survey::Survey;
use crate::plan::params::Params;
use crate::plan::{Channel, ProbeSpec, Step};
use crate::providers::Provider;
use crate::secrets::Resolver;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Where readings come from and where steps act.
pub trait World: Send + Sync {
    /// What is simulated, in words for the screen; none for the real world.
    fn simulation(&self) -> Option<Simulation>;
    /// The world's time.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Through which all that comes back from it is let in.
    fn door(&self) -> Door {
        Door::new(self.secrets().map(Resolver::redactor).unwrap_or_default())
    }
    /// What other servers say of this host's clock; none where it is not off, or nobody says anything.
    fn own_clock(&self) -> Option<ClockOff> {
        None
    }
    /// Makes a probe of the plan.
    fn probe(&self, spec: &ProbeSpec) -> kinds::probe::Built;
    /// Where the plan's secrets are looked up; none in a simulated world, which needs none.
    fn secrets(&self) -> Option<&Resolver> {
        None
    }
    /// How a technology looks at a whole plan; none where it does not, nor in a simulated world.
    fn survey(&self, _provider: &Provider) -> Option<Box<dyn Survey>> {
        None
    }
    /// A person says that they did a step. The real world knows; a simulated one is told, so that the rehearsal goes on
    /// as if they had.
    fn done_by_hand(&self, _step: &Step) {}
    /// Makes the notifier of a channel.
    fn notifier(&self, channel: &Channel) -> kinds::channel::Built;
    /// Makes the action of a step; `params` are its parameters with run-time names filled in.
    fn action(&self, step: &Step, params: &Params) -> kinds::action::Built;
}

/// A leap of the system's wall clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Jump {
    /// By how much it moved, positive for forward.
    pub by: SignedDuration,
    /// How far the world's time followed it without time passing: the clock was set, and nobody slept.
    pub not_passed: SignedDuration,
}

/// Time as the world has it. It never goes backwards within a process.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits for a span of the world's time.
    fn sleep(&self, span: SignedDuration) -> BoxFuture<'_, ()>;
    /// How the system's wall clock moved against elapsed time since the last call, when that is more than drift: someone
    /// set the clock, or the machine slept. Ages and deadlines around it are doubtful.
    fn jump(&self) -> Option<Jump> {
        None
    }
    /// How long the host has been up; none where it does not tell, or the world's time is not the host's.
    fn since_boot(&self) -> Option<SinceBoot> {
        None
    }
}
