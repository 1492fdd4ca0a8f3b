//! Actions: what changes the world. One file per kind.

pub mod change;
mod problem;
pub mod unread;
#[cfg(any(feature = "aws", feature = "kube"))]
pub(crate) mod wait;

pub use change::{Change, Changing, Confirmed, LOOK, Shown};
pub use unread::Unread;

use crate::base::problem::Problem;
use crate::core::ask::watch::Found;
use crate::core::words::action::{Description, Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::plan::condition::{Condition, Truth};
use crate::plan::kinds::BuildError;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

/// One step's change of the world. Built from the step's parameters, with run-time names filled in,
/// each time that the step is described, executed or verified: it keeps nothing.
pub trait Action: Send + Sync {
    /// The exact call, the equivalent command and the target with its identity read from the world now.
    /// Changes nothing. An unreachable target is a description too: its identity says so.
    fn describe(&self) -> BoxFuture<'_, Result<Description, Failure>>;

    /// What keeps it from being done now, whoever confirms it: found before anybody is asked to. Changes nothing.
    fn obstacle<'a>(&'a self, _context: &'a Context) -> BoxFuture<'a, Option<Failure>> {
        Box::pin(async { None })
    }

    /// What an earlier attempt of the step still does, begun by an engine that ended before it. While it does, its effect
    /// is neither proven nor brought about anew. Changes nothing.
    fn goes_on<'a>(&'a self, _context: &'a Context) -> BoxFuture<'a, Option<Failure>> {
        Box::pin(async { None })
    }

    /// Does it. Reads the target's identity again first and fails with [`Failure::target_changed`], without
    /// having acted, when it is no longer `expected`. Errors say whether the world may have been changed.
    fn execute<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Done, Failure>>;

    /// Reads the world back and says whether the step's effect is there, on the target that was `expected` when
    /// the step ran. Also called after a crash, when it is not known whether `execute` ran. Changes nothing,
    /// except for a marker row where the proof is a write.
    fn verify<'a>(
        &'a self,
        expected: &'a Target,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Proof, Failure>>;

    /// How long what was verified has to stay so before the step counts as verified: others may take it back.
    fn hold(&self) -> SignedDuration {
        SignedDuration::ZERO
    }

    /// What the target is now: looked at while the effect has to hold, and on until the incident is closed. None for
    /// actions whose effect is not watched. Changes nothing, and ends by itself.
    fn found<'a>(&'a self, _expected: &'a Target) -> BoxFuture<'a, Option<Found>> {
        Box::pin(async { None })
    }

    /// What is wrong with a plan that has it confirmed without typing; none where that does.
    fn must_be_typed(&self) -> Option<BuildError> {
        None
    }

    /// What a person does instead. Needs no connection.
    fn manual(&self) -> ManualCard;

    /// Whether an action with these parameters needs a permission of its kind: one kind may go several ways.
    fn needs(&self, _permission: &str) -> bool {
        true
    }

    /// What it needs besides a target that can be read and the kind's permissions, looked at now: a time within a
    /// window, a quota, a TTL. Changes nothing.
    fn preflight(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(async { Vec::new() })
    }
}

/// What an action gets from the engine while it runs.
pub struct Context {
    /// Takes a line of live output; cleaned and redacted by the engine.
    pub output: Arc<dyn Fn(&str) + Send + Sync>,
    /// The signals, for actions that wait for them.
    pub conditions: Arc<dyn Conditions>,
    /// When the step must be done, from now on.
    pub timeout: SignedDuration,
    /// Identifies this attempt among all of every plan, the same after a crash: an idempotency token for interfaces
    /// that take one. The parts before the last `/` identify the step.
    pub token: String,
    /// At a verification: whether it is known that this attempt came to its end and reported success.
    pub ran: bool,
}

impl Context {
    /// The context of what is still to do, once some of its time is gone.
    pub fn remaining(&self, gone: Duration) -> Self {
        let gone = SignedDuration::try_from(gone).unwrap_or(SignedDuration::MAX);
        Self {
            output: self.output.clone(),
            conditions: self.conditions.clone(),
            timeout: self.timeout.saturating_sub(gone).max(SignedDuration::ZERO),
            token: self.token.clone(),
            ran: self.ran,
        }
    }
}

/// The engine's view of the world, for actions that wait.
pub trait Conditions: Send + Sync {
    /// What a condition comes to now.
    fn evaluate(&self, condition: &Condition) -> Truth;
    /// What each name of a condition is now, in words.
    fn values(&self, _condition: &Condition) -> Vec<String> {
        Vec::new()
    }
    /// Why a condition cannot come true by waiting; none where it may, or nobody can tell. Only what was measured since
    /// this view was made counts.
    fn never(&self, _condition: &Condition) -> Option<Problem> {
        None
    }
    /// Ends when something changed since the call.
    fn changed(&self) -> BoxFuture<'_, ()>;
    /// Sleeps in the world's time.
    fn sleep(&self, duration: SignedDuration) -> BoxFuture<'_, ()>;
}

/// The name of the check of a server's role before a promotion, and what it says of one that is a primary.
pub const ALREADY_PRIMARY: (&str, &str) = ("role", "it is already a primary");
/// The same before a fence, of one that is a standby.
pub const STANDBY_NOW: (&str, &str) = ("role", "it is a standby now");

/// An action made from a plan, or why it cannot be.
pub type Built = Result<Box<dyn Action>, BuildError>;
