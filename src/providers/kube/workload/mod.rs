//! What runs pods: deployments, stateful sets, daemon sets.

mod change;
mod chosen;
mod confirmed;
pub mod diagnose;
pub mod env;
mod held;
mod judge;
mod mark;
mod moves;
mod named;
mod peak;
mod pods;
pub mod probe;
pub mod restart;
mod revision;
mod rollout;
mod room;
pub mod scale;
mod seen;
pub mod undo;
mod variables;
mod wish;

pub use change::{Until, half_done, missing, pods_of};
pub use chosen::{Found, get};
pub use named::Named;
pub use pods::{Pod, doing};
pub use rollout::hindrance;
pub use seen::Workload;
pub use variables::may_be_shown;
