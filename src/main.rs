//! The program: arguments and environment in, exit code out. Everything else is in the library.

use clap::Parser;
use clap::error::ErrorKind;
use lifeboat::base::environment::Environment;
use lifeboat::cli::{self, Cli};
use lifeboat::console::terminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help, on request or where nothing was asked: its text is our own.
        Err(error)
            if error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !error.use_stderr() =>
        {
            error.exit()
        }
        // What it says quotes the arguments.
        Err(error) => {
            terminal::say(error.render().to_string().trim_end());
            return ExitCode::from(2);
        }
    };
    match cli::run(cli, &environment) {
        Ok(code) => code,
        Err(failure) => {
            terminal::say(&failure.to_string());
            ExitCode::from(failure.code)
        }
    }
}
