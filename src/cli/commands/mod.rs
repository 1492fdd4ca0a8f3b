//! The subcommands, a file each. Help, completions and the man page follow from them.

pub mod ack;
#[cfg(feature = "aws")]
pub mod aws;
pub mod brief;
pub mod check;
pub mod demo;
pub mod engine;
pub mod generate;
pub mod journal;
pub mod keys;
pub mod notify;
pub mod open;
pub mod plan;
pub mod postmortem;
pub mod preflight;
pub mod rehearse;
pub mod secret;
pub mod serves;
pub mod status;
pub mod stop;
pub mod themes;
