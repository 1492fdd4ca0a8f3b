//! Application Recovery Controller.

pub mod client;
pub(crate) mod probe_routing_control;
pub(crate) mod routing_control;
