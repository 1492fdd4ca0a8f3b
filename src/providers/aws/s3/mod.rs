//! S3.

pub mod copy;
mod object;
pub mod probe_latest;
pub mod put;
