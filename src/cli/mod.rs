//! The command line: one file per subcommand.

pub mod generate;
pub mod journal;
pub mod keys;
mod layered;
pub mod prompt;
pub mod secret;
pub mod themes;
