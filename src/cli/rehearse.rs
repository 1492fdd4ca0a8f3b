//! `lifeboat rehearse`: a plan of one's own over a simulated world.

use super::{Failure, LookArgs, demo, simulation};
use crate::clients::Environment;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `lifeboat rehearse`.
#[derive(Debug, clap::Args)]
pub struct RehearseArgs {
    /// The plan: a file, or a folder with its .toml files.
    plan: PathBuf,
    /// What happens: `region-down` or another scenario by its name, or a file.
    #[arg(long, value_name = "NAME")]
    scenario: String,
    /// Simulated seconds in a real one.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    #[command(flatten)]
    look: LookArgs,
}

/// Plays the rehearsal.
///
/// # Errors
/// When the plan or the scenario has problems, or the terminal cannot be used.
pub fn run(args: &RehearseArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    let folder = simulation::throwaway_folder("rehearse", environment)?;
    let title = args.plan.display().to_string();
    let parting = "The rehearsal is over; nothing of it is kept.";
    let plan = vec![args.plan.clone().into()];
    demo::play(&args.look, environment, &title, parting, (&folder, &args.scenario, args.speed), plan)
}
