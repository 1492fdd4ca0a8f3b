//! What every connection rests on: names, TLS, the time that others say, and a port that takes one.

mod around;
#[cfg(feature = "aws")]
pub mod dns;
pub mod names;
pub mod own_clock;
pub mod path_end;
mod pinned;
pub(crate) mod share;
mod tcp;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;

use super::{Provider, row};

/// TCP.
pub(super) static PROVIDER: Provider = Provider { probes: &[row!(tcp)], ..Provider::NONE };
