//! TOML that a person wrote: read whole, with the place of every key and value, so that everything wrong in it is told at
//! once, with its line and what would do instead.

mod diagnostic;
pub(crate) mod near;
pub(crate) mod node;
pub mod render;
mod span;

pub(crate) use diagnostic::Report;
pub use diagnostic::{Diagnostic, Diagnostics, Level};
pub use span::{Position, SourceFile, Sources, Span};
