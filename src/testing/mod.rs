//! The kit of all tests: plans that the loader read, examples of every kind, what an action gets, and servers that are dead or silent.

mod attempts;
mod clients;
mod examples;
mod plans;
mod servers;

pub use attempts::context;
pub use clients::{SECRET, clients};
#[cfg(any(feature = "aws", feature = "kube"))]
pub use examples::try_step;
pub use examples::{channel, of_kind, probe, probe_params, refused, spec, step, try_probe};
pub use plans::{compliance, demo, escalating, every_kind, plan_of, small, with_people};
pub use servers::{aim, dead_address, silent_address};
