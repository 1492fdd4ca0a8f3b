//! Every kind of channel that speaks HTTP against a service of the tests' own, which holds each request against the
//! interface that the provider published, answers as documented, and on bad days as providers and proxies do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod goalert;
mod google_chat;
mod jsm_ops;
mod ntfy;
mod opsgenie;
mod pagerduty;
#[path = "../support/port.rs"]
mod port;
mod rig;
mod service;
mod slack;
mod slack_webhook;
mod statuspage;
mod teams;
mod telegram;
mod twilio;
mod webhook;
