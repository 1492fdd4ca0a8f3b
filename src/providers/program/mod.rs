//! Programs of the plan: they measure, act and tell.

mod action;
pub mod channel;
mod probe;
pub(crate) mod source;
pub(crate) mod step;

use super::{Provider, row};

/// Programs.
pub(super) static PROVIDER: Provider = Provider {
    probes: &[row!(probe)],
    actions: &[row!(action)],
    channels: &[row!(channel)],
    ..Provider::NONE
};
