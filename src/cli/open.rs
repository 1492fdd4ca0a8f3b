//! `lifeboat open`: attaches to the plan's engine, and starts it when none runs.

use super::{Failure, Place};
use crate::engine::client::Client;
use crate::engine::spawn;
use std::ffi::OsString;
use std::process::ExitCode;

/// Opens the console on a plan.
#[derive(Debug, clap::Args)]
pub struct OpenArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    look: super::LookArgs,
}

/// Opens the console.
///
/// # Errors
/// When the plan has problems, the engine cannot be started, or the terminal cannot be used.
pub fn run(args: &OpenArgs) -> Result<ExitCode, Failure> {
    let folder = args.place.state_folder()?;
    let mut arguments: Vec<OsString> = vec!["engine".into(), args.place.plan.clone().into()];
    arguments.extend(["--state".into(), folder.path().into(), "--detached".into()]);
    super::console(&args.look, async move || -> Result<Client, spawn::SpawnError> {
        spawn::connect_or_start(&folder, &arguments).await
    })
}
