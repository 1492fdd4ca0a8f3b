//! Whole escalations through the engine and its journal, in simulated time: declared, told level by level, crashed in
//! the middle, acknowledged, resolved. The plans are those of the seeds; the providers are the test's own and write
//! down every message that they are given.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod courses;
mod office;
#[path = "../support/rig.rs"]
mod rig;
mod seeds;
