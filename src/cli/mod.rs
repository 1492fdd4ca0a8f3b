//! The command line: one file per subcommand.

pub mod check;
pub mod generate;
pub mod journal;
pub mod keys;
mod layered;
pub mod plan;
pub mod prompt;
pub mod secret;
pub mod themes;
