//! Programs in containers of pods.

pub mod action;
mod chosen;
mod ran;
