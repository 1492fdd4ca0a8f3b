//! Route 53: record sets as lifeboat compares, shows and sends them, and reading a zone with few calls.

mod name;
mod record;
mod zone;

pub use name::canonical;
pub use record::{Alias, Record, Routing};
pub use zone::{Zone, Zones, records, zone};

#[cfg(test)]
mod tests;
