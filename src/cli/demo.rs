//! `lifeboat demo`: the console over a simulated system, with nothing to install or to break.

use super::console::{Leaving, connector, console};
use super::{Failure, LookArgs, simulation};
use crate::clients::Environment;
use crate::engine::paths::StateFolder;
use crate::world::demo::DEFAULT_SCENARIO;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `lifeboat demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// What happens: a scenario by its name, or a file.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_SCENARIO)]
    scenario: String,
    /// Simulated seconds in a real one.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    #[command(flatten)]
    look: LookArgs,
}

/// Plays the demo.
///
/// # Errors
/// When the scenario does not exist, or the terminal cannot be used.
pub fn run(args: &DemoArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    simulation::expect_demo(&args.scenario)?;
    let folder = simulation::throwaway_folder("demo", environment)?;
    let arguments = vec!["--demo".into()];
    let parting = "The demo is over; nothing of it is kept.";
    play(&args.look, environment, "demo", parting, (&folder, &args.scenario, args.speed), arguments)
}

/// Opens the console over an engine of its own that ends with it and leaves nothing behind.
pub(super) fn play(
    look: &LookArgs,
    environment: &Environment,
    title: &str,
    parting: &str,
    (folder, scenario, speed): (&PathBuf, &str, f64),
    plan: Vec<OsString>,
) -> Result<ExitCode, Failure> {
    let mut arguments: Vec<OsString> = vec!["engine".into()];
    arguments.extend(plan);
    arguments.extend(["--simulate".into(), scenario.into(), "--speed".into(), speed.to_string().into()]);
    arguments.extend(["--state".into(), folder.into()]);
    arguments.extend(["--detached", "--ends-alone", "--throwaway"].map(OsString::from));
    let state = StateFolder::of_plan(Some(folder), Path::new(""), Path::new(""));
    let ended =
        console(look, environment, title, (Leaving::Everything, parting), connector(state, arguments));
    if ended.is_err() {
        // No engine came to be that would remove it.
        let _ = std::fs::remove_dir_all(folder);
    }
    ended
}
