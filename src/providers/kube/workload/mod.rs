//! What runs pods: deployments, stateful sets, daemon sets.

mod change;
mod chosen;
mod judge;
mod moves;
mod named;
mod pods;
pub mod probe;
pub mod restart;
pub mod scale;
mod seen;

pub use named::Named;
pub use pods::Pod;
pub use seen::Workload;
