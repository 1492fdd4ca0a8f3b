//! TOML that a person wrote: read whole, with the place of every key and value, so that everything wrong in it is told at
//! once, with its line and what would do instead.

pub(crate) mod near;
pub(crate) mod node;
mod problem;
pub mod render;
mod span;

pub(crate) use problem::Report;
pub use problem::{Level, Problem, Problems};
pub use span::{Position, SourceFile, Sources, Span};
