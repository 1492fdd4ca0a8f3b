//! HTTP: requests that see and requests that act.

mod action;
pub mod client;
pub(crate) mod probe;
pub(crate) mod source;

use super::{Provider, row};

/// HTTP.
pub(super) static PROVIDER: Provider =
    Provider { probes: &[row!(probe)], actions: &[row!(action)], ..Provider::NONE };
