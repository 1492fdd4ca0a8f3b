//! What a provider implements: probes that see, actions that change, channels that tell, surveys that look ahead.

pub mod action;
pub mod channel;
pub mod probe;
pub(crate) mod source;
pub mod survey;
