//! Faults, each against the real program as an operator meets it.
//!
//! What is tested as well elsewhere is not tested again here:
//!
//! - malformed TOML, wrong types and units, plans that lead back to themselves: `tests/plan/bad.rs`; a file of 100 MB,
//!   a pipe, other encodings: `tests/plan/files.rs`; any bytes at all: `tests/plan/robust.rs`
//! - the journal itself on a full disk, a read-only folder, a second writer, interference: `tests/journal/faults.rs`;
//!   a cut at any byte: `tests/journal/crash.rs`
//! - a socket that is no client's, another protocol: `src/engine/tests/socket.rs`
//! - the terminal after signals, panics, a lost or stalled line: `tests/tty/guard.rs`
//! - a clock that jumps: `src/world/clock.rs`; the words for it: `src/console/screens/tests/sentences.rs`
//! - the body limit and time limits of a single call: `src/providers/http/client/tests.rs`, `src/providers/postgres/client/tests.rs`,
//!   `src/base/process.rs`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod afterwards;
mod calendars;
mod clients;
mod endless;
mod engine;
mod group;
mod in_force;
mod journal;
mod leftovers;
mod liars;
mod life;
mod outside;
mod plan;
mod rig;
mod screen;
mod secrets;
mod servers;
mod strangers;
mod unrecorded;
mod whose;

#[path = "../support/pty.rs"]
mod pty;
