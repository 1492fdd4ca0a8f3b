//! RDS and Aurora.

mod change;
pub mod client;
pub mod failover_cluster;
pub mod modify;
mod names;
pub mod probe_cluster;
pub mod probe_instance;
pub mod probe_snapshots;
mod probe_status;
pub mod promote;
mod restore;
pub mod restore_pitr;
pub mod restore_snapshot;
pub mod snapshot;
mod status;
pub mod target;
pub mod wait;
