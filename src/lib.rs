//! Lifeboat, a terminal incident console for the engineer on call.
//!
//! The floors, in the order of the data flow; each imports only floors above it in this list:
//!
//! - [`base`] is the ground: words, numbers, names, files and processes.
//! - [`secrets`] are the credentials, and how they are kept out of every text.
//! - [`journal`] makes facts durable and verifiable before anything acts on them.
//! - [`plan`] reads one system's disaster-recovery plan and reports every problem in it.
//! - [`core`] decides: pure functions from commands to facts, from facts to the model, from facts to effects.
//! - [`kinds`] are what a provider implements: probes that see, actions that change, channels that tell.
//! - [`providers`] implement them, one folder for each technology.
//! - [`world`] is the port between the engine and reality, and the real one; [`simulation`] the simulated one.
//! - [`preflight`] asks whether each step of a plan could be done now.
//! - [`engine`] is the process that owns the journal, runs effects and serves clients over a unix socket.
//! - [`report`] tells an incident afterwards, from its journal.
//! - [`console`] is the terminal client; [`cli`] the command line.

pub mod base;
pub mod cli;
pub mod console;
pub mod core;
pub mod engine;
pub mod journal;
pub mod kinds;
pub mod plan;
pub mod preflight;
pub mod providers;
pub mod report;
pub mod secrets;
pub mod simulation;
#[cfg(test)]
pub(crate) mod testing;
pub mod world;
