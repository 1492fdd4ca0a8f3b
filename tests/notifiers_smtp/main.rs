//! Notifiers against what they talk to: a real mail server, real programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod channel;
mod command;
mod peer;
#[path = "../support/port.rs"]
mod port;
mod smtp;
