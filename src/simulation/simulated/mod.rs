//! The simulated world: the same engine, over readings derived from the plan and steps that change only it.

mod action;
mod effects;
mod noise;
mod notifier;
mod readings;
pub(crate) mod roles;
mod state;
mod target;
#[cfg(test)]
pub(crate) mod tests;

use crate::base::environment::Environment;
use crate::base::problem::Problem;
use crate::core::words::diagnosis::Section;
use crate::core::words::reading::Measurement;
use crate::core::words::simulation::Simulation;
use crate::kinds;
use crate::kinds::probe::Probe;
use crate::plan::params::Params;
use crate::plan::{Channel, Plan, ProbeSpec, Step};
use crate::providers::clients::Clients;
use crate::simulation::scenario::Scenario;
use crate::world::{Clock, ScaledClock, World};
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use readings::Moment;
use state::{History, State};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How fast simulated time may pass, in simulated seconds for each real one.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.01..=1000.0;

/// A world in which nothing real is seen or touched.
pub struct SimulatedWorld {
    inner: Arc<Inner>,
    speed: f64,
    /// For the kinds that never leave the engine; the others are not given any.
    unconnected: Clients,
}

/// A speed that does not do.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("a simulated world cannot run at speed {speed}: give a number from 0.01 to 1000, 1 is real time")]
pub struct SpeedError {
    /// What was asked for.
    pub speed: f64,
}

/// What probes and actions of one world share.
struct Inner {
    plan: Arc<Plan>,
    scenario: Scenario,
    clock: Arc<dyn Clock>,
    start: Timestamp,
    history: Mutex<History>,
}

impl SimulatedWorld {
    /// A world that begins at `start` and runs `speed` times as fast as reality. The scenario must have been
    /// resolved against the same plan.
    pub fn new(
        plan: Arc<Plan>,
        scenario: Scenario,
        speed: f64,
        start: Timestamp,
    ) -> Result<Self, SpeedError> {
        if !SPEEDS.contains(&speed) {
            return Err(SpeedError { speed });
        }
        let clock = Arc::new(ScaledClock::new(start, speed));
        Ok(Self { speed, ..Self::with_clock(plan, scenario, clock) })
    }

    /// A world that begins now on a given clock, such as a [`ManualClock`](crate::world::ManualClock).
    pub fn with_clock(plan: Arc<Plan>, scenario: Scenario, clock: Arc<dyn Clock>) -> Self {
        let start = clock.now();
        let history = Mutex::new(History::new(&scenario, start));
        let unconnected = crate::providers::unconnected(&plan, Environment::of_this_process());
        let inner = Arc::new(Inner { plan, scenario, clock, start, history });
        Self { inner, speed: 1.0, unconnected }
    }
}

impl World for SimulatedWorld {
    fn simulation(&self) -> Option<Simulation> {
        Some(Simulation { scenario: self.inner.scenario.name.clone(), speed: self.speed })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock.clone()
    }

    fn probe(&self, spec: &ProbeSpec) -> kinds::probe::Built {
        // What could not be made in reality is not made here either: a rehearsal finds it.
        if let Some(kind) = crate::providers::probe(&spec.kind) {
            (kind.build)(spec, &self.unconnected)?;
        }
        Ok(Box::new(SimulatedProbe { inner: self.inner.clone(), spec: spec.clone() }))
    }

    fn done_by_hand(&self, step: &Step) {
        let rebuilt = effects::rebuilt(&self.inner.plan, step);
        self.inner.history().change(self.inner.clock.now(), rebuilt);
    }

    fn notifier(&self, channel: &Channel) -> kinds::channel::Built {
        // What could not be made in reality is not made here either: a rehearsal finds it.
        if let Some(kind) = crate::providers::channel(&channel.kind) {
            (kind.build)(channel, &self.unconnected)?;
        }
        Ok(Box::new(notifier::SimulatedNotifier::new(self.inner.clone(), channel)))
    }

    fn action(&self, step: &Step, params: &Params) -> kinds::action::Built {
        let real = crate::providers::action(&step.action)
            .map(|kind| (kind.build)(params, &self.unconnected))
            .transpose()?;
        match real {
            // They are the real ones here too.
            Some(real) if step.does.is_within() => Ok(real),
            // Of the others only what needs no connection is asked.
            real => {
                let card = real.map(|action| action.manual());
                Ok(Box::new(action::SimulatedAction::new(self.inner.clone(), step, params, card)))
            }
        }
    }
}

impl Inner {
    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How things are now.
    fn state(&self) -> State {
        self.history().state(&self.plan, self.clock.now())
    }
}

struct SimulatedProbe {
    inner: Arc<Inner>,
    spec: ProbeSpec,
}

impl SimulatedProbe {
    /// Looks at how things are now.
    fn look<T>(&self, look: impl FnOnce(&Moment<'_>) -> T) -> T {
        let now = self.inner.clock.now();
        let state = self.inner.history().state(&self.inner.plan, now);
        look(&Moment {
            plan: &self.inner.plan,
            spec: &self.spec,
            state: &state,
            start: self.inner.start,
            now,
        })
    }
}

impl Probe for SimulatedProbe {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        futures::future::ready(self.look(readings::measure)).boxed()
    }

    fn diagnose(&self) -> Option<BoxFuture<'_, Vec<Section>>> {
        let has_one = self.spec.sees.has_diagnosis();
        has_one.then(|| futures::future::ready(self.look(readings::diagnosis::workloads)).boxed())
    }
}
