//! The one model of the engine: written by its loop, read by the tasks that act.

use crate::base::ids::{RunId, StepId};
use crate::base::problem::Problem;
use crate::core::ask::names::{Since, View};
use crate::core::ask::outlook;
use crate::core::ask::placement;
use crate::core::model::Model;
use crate::plan::condition::{Condition, Truth};
use crate::world::Clock;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// A model that several threads read. The lock is never held across a wait.
#[derive(Clone)]
pub struct SharedModel {
    model: Arc<RwLock<Model>>,
    changed: watch::Sender<u64>,
}

impl SharedModel {
    /// Shares a model.
    pub fn new(model: Model) -> Self {
        Self { model: Arc::new(RwLock::new(model)), changed: watch::Sender::new(0) }
    }

    /// Looks at the model.
    pub fn read<T>(&self, look: impl FnOnce(&Model) -> T) -> T {
        look(&self.model.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the model; only the engine's loop does.
    pub(super) fn write<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let result = change(&mut self.model.write().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_modify(|version| *version += 1);
        result
    }
}

/// The model as conditions see it, for actions that wait; readings from before a moment do not count.
pub struct WorldView {
    model: SharedModel,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    of: (RunId, StepId),
}

impl WorldView {
    /// A view of a shared model in the world's time, by readings since a moment, for a step: what it moves is looked at
    /// where it moves it to.
    pub fn new(model: SharedModel, clock: Arc<dyn Clock>, since: Timestamp, of: (RunId, StepId)) -> Self {
        Self { model, clock, since, of }
    }
}

impl WorldView {
    fn look<T>(&self, since: Option<Timestamp>, with: impl FnOnce(&Since<'_>) -> T) -> T {
        let now = self.clock.now();
        let (run, step) = &self.of;
        self.model.read(|model| {
            let plan = model.run(run).zip(model.step(run, step));
            let ahead = plan.map_or_else(Vec::new, |(run, (step, _))| placement::ahead(model, run, step));
            with(&Since { view: View { model, now }, since, ahead })
        })
    }
}

impl crate::kinds::action::Conditions for WorldView {
    fn evaluate(&self, condition: &Condition) -> Truth {
        self.look(Some(self.since), |names| condition.evaluate(names))
    }

    fn values(&self, condition: &Condition) -> Vec<String> {
        self.look(None, |names| outlook::values(names, condition))
    }

    fn never(&self, condition: &Condition) -> Option<Problem> {
        self.model.read(|model| outlook::never(model, condition, self.since))
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        let mut changes = self.model.changed.subscribe();
        Box::pin(async move {
            // An error means that the engine is gone, and this task with it.
            let _ = changes.changed().await;
        })
    }

    fn sleep(&self, duration: SignedDuration) -> BoxFuture<'_, ()> {
        self.clock.sleep(duration)
    }
}
