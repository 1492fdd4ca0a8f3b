//! Manifests: the objects that files, or the user's own program, describe.

pub mod apply;
mod files;
mod item;
mod looks;
mod order;
mod otherwise;
mod parse;
mod proof;
mod ready;
mod send;
mod shown;
mod source;
