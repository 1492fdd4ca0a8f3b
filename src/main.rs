//! The program: arguments and environment in, exit code out. Everything else is in the library.

use clap::Parser;
use lifeboat::cli::{self, Cli};
use lifeboat::clients::Environment;
use lifeboat::console::terminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    match cli::run(Cli::parse(), &environment) {
        Ok(code) => code,
        Err(failure) => {
            terminal::say(&failure.to_string());
            ExitCode::from(failure.code)
        }
    }
}
