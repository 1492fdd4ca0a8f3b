//! What a provider implements: probes that see, actions that change, channels that tell.

pub mod action;
pub mod channel;
pub mod probe;
pub(crate) mod source;
