//! Plan files: schema, loading, validation, diagnostics.

pub mod condition;
pub mod keys;
mod near;
pub mod params;
mod types;

pub use types::*;
