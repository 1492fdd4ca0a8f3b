//! Route 53.

mod change;
pub mod client;
pub(crate) mod probe_health_check;
pub(crate) mod probe_record;
pub mod switch;
pub mod upsert;
