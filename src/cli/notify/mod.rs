//! `lifeboat notify`: whom a plan tells, without telling them.

mod tree;

use super::Failure;
use std::io::Write;
use std::process::ExitCode;

/// Look at how a plan tells people.
#[derive(Debug, clap::Args)]
pub struct NotifyArgs {
    #[command(subcommand)]
    command: NotifyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum NotifyCommand {
    /// Print the phone tree: whom to call when nothing else works.
    Tree(tree::TreeArgs),
}

/// Does what was asked.
///
/// # Errors
/// When it cannot.
pub fn run(args: &NotifyArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    match &args.command {
        NotifyCommand::Tree(args) => tree::run(args, out),
    }
}
