//! Lifeboat, a terminal incident console for the engineer on call.
//!
//! The map of the code, in the order of the data flow:
//!
//! - [`base`] is the ground: words, numbers, names, files and processes.
//! - [`secrets`] are the credentials, and how they are kept out of every text.
//! - [`journal`] makes facts durable and verifiable before anything acts on them.
//! - [`plan`] reads one system's disaster-recovery plan and reports every problem in it.
//! - [`core`] decides: pure functions from commands to facts, from facts to the model, from facts to effects.
//! - [`probes`] and [`actions`] are what the engine can see and do, [`notifiers`] how it tells people; [`clients`]
//!   are their shared connections.
//! - [`world`] is the port between the engine and reality: the real one, or a simulated one.
//! - [`engine`] is the process that owns the journal, runs effects and serves clients over a unix socket.
//! - [`preflight`] asks whether each step of a plan could be done now.
//! - [`report`] tells an incident afterwards, from its journal.
//! - [`console`] is the terminal client; [`cli`] the command line.

pub mod actions;
pub mod base;
pub mod cli;
pub mod clients;
pub mod console;
pub mod core;
pub mod engine;
pub mod journal;
pub mod notifiers;
pub mod plan;
pub mod preflight;
pub mod probes;
pub mod providers;
pub mod report;
pub mod secrets;
pub mod world;
