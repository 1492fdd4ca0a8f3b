//! CloudFront.

pub mod origin;
pub mod probe_distribution;
