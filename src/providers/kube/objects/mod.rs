//! Objects of any kind: found by name, compared, changed, deleted.

pub mod delete;
pub mod diff;
mod goes;
mod heavy;
mod named;
pub mod patch;
pub mod secret;
mod send;
mod state;
pub mod yaml;

pub use named::{Named, is_path_name};
pub use send::{Answer, Wish, conflicts_words, send};
pub use state::{asked, digest, going, server, state, uid};
