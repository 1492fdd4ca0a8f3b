//! The command line: one file per subcommand.

pub mod journal;
pub mod keys;
mod layered;
pub mod themes;
