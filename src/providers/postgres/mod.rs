//! PostgreSQL: servers, their replication, their backups, and the steps that move the primary.

mod backup;
pub mod client;
mod fence;
mod manager;
mod preflight;
pub(crate) mod probe;
mod promote;
mod replication;
mod seen;
mod server;
mod source;
mod unfence;

use super::{Provider, row};

/// PostgreSQL.
pub(super) static PROVIDER: Provider = Provider {
    probes: &[row!(probe), row!(replication), row!(backup)],
    actions: &[row!(promote), row!(fence), row!(unfence)],
    survey: Some(preflight::survey),
    ..Provider::NONE
};
