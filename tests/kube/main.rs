//! Against real Kubernetes API servers, which the tests start themselves. `tests/all.sh` installs what they need.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod act;
mod begun;
mod broken;
mod claims;
mod cnpg;
mod cordons;
mod diagnosis;
mod events;
mod exec;
#[path = "../support/forward.rs"]
mod forward;
#[path = "../support/home.rs"]
mod home;
mod jobs;
#[path = "../support/kube/mod.rs"]
mod kube;
mod log;
mod looks;
mod manifests;
mod many;
mod night;
mod nodes;
mod objects;
#[path = "../support/operator.rs"]
mod operator;
mod owned;
mod peaks;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/prometheus.rs"]
mod prometheus;
#[path = "../support/pty.rs"]
mod pty;
mod rollout;
mod see;
mod sign_in;
mod velero;
mod waits;
mod ways;
