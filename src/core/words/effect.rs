//! What the engine has to do next. Plain data: a test compares it and answers by hand.

use crate::base::ids::{NotificationId, RunId, StepId};
use crate::core::words::action::Target;

/// What the engine has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Read a step's target and describe the call; answer with `Described`.
    Describe { run: RunId, step: StepId },
    /// Execute a step; answer with `Executed`.
    Execute {
        run: RunId,
        step: StepId,
        attempt: u32,
        /// The target that was confirmed.
        expected: Target,
    },
    /// Read the world back; answer with `Checked`.
    Verify {
        run: RunId,
        step: StepId,
        attempt: u32,
        /// Whether it is known that the step ran; if not, one look is enough.
        patient: bool,
    },
    /// Look at a verified step's target again and again until the incident is closed; answer with `Watched`.
    Watch { run: RunId, step: StepId },
    /// End what a step is doing.
    Cancel { run: RunId, step: StepId },
    /// Let the world know that a person did a step; only a simulated one does not know.
    DoneByHand { run: RunId, step: StepId },
    /// Look whether each step of the plan could be done now; answer with `Preflighted`.
    Preflight,
    /// Send a message; answer with `Notified`.
    Notify {
        /// The message.
        id: NotificationId,
        attempt: u32,
    },
    /// Ask the provider what became of a message, until that is known; answer with `Tracked`.
    Track {
        /// The message.
        id: NotificationId,
    },
    /// Decide a tick at once: something became possible.
    Tick,
}
