//! Plans as their writers meet them: good ones resolve, bad ones are explained.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad;
mod calendar;
mod command;
mod escalation;
mod files;
mod generated;
mod kinds;
#[path = "../support/port.rs"]
mod port;
mod preflight;
mod registry;
mod resolve;
mod robust;
mod seeds;
