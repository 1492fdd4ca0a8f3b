//! Against real peers: servers that the tests start themselves. `tests/all.sh` installs what they need.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/alertmanager.rs"]
mod alertmanager;
mod failover;
#[path = "../support/forward.rs"]
mod forward;
#[path = "../support/home.rs"]
mod home;
mod kinds;
mod managed;
#[path = "../support/operator.rs"]
mod operator;
mod partition;
#[path = "../support/patroni.rs"]
mod patroni;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/postgres.rs"]
#[allow(dead_code)]
mod postgres;
#[path = "../support/pty.rs"]
mod pty;
#[path = "../faults/rig.rs"]
#[allow(dead_code)]
mod rig;
mod serving;
