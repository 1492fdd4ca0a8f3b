//! What the console leaves behind in a terminal, whichever way it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/pty.rs"]
mod pty;

mod console;
mod guard;
