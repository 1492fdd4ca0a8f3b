//! The API server itself.

pub mod probe;
