//! Against emulated AWS: servers that the tests start themselves. `tests/all.sh` installs what they need.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod acting;
#[path = "../support/aws/mod.rs"]
#[allow(dead_code)]
mod aws;
mod cloudwatch;
mod credentials;
mod dns;
mod edge;
mod failover;
#[path = "../support/forward.rs"]
mod forward;
mod harness;
#[path = "../support/home.rs"]
mod home;
#[path = "../support/kube/mod.rs"]
mod kube;
mod notify;
#[path = "../support/operator.rs"]
mod operator;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/postgres.rs"]
#[allow(dead_code)]
mod postgres;
mod preflight;
mod probing;
#[path = "../support/pty.rs"]
mod pty;
mod rds_act;
mod rds_restore;
mod s3_latest;
mod see;
