//! `lifeboat rehearse`: a plan of one's own over a simulated world.

use super::demo;
use crate::base::environment::Environment;
use crate::cli::ending::Ending;
use crate::cli::simulation::Stage;
use crate::cli::{Failure, LookArgs, simulation};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `lifeboat rehearse`.
#[derive(Debug, clap::Args)]
#[command(after_help = simulation::scenarios(false))]
pub struct RehearseArgs {
    /// The plan: a file, or a folder with its .toml files.
    plan: PathBuf,
    /// What happens: `region-down` or another scenario by its name, or a file.
    #[arg(long, value_name = "NAME")]
    scenario: String,
    /// Simulated seconds in a real one.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    /// Keep journal and state of the rehearsal in this new or empty folder, to look at afterwards.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    look: LookArgs,
}

/// Plays the rehearsal.
///
/// # Errors
/// When the plan or the scenario has problems, what is kept has no folder, or the terminal cannot be used.
pub fn run(args: &RehearseArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    let stage = Stage::set("rehearse", args.keep.as_deref(), environment)?;
    let title = args.plan.display().to_string();
    let ending = Ending {
        what: "rehearsal",
        again: format!("lifeboat rehearse {title}"),
        plan: args.plan.clone(),
        kept: stage.kept.then(|| stage.folder.clone()),
    };
    let plan = vec![args.plan.clone().into()];
    demo::play(&args.look, environment, &title, &ending, (&stage, &args.scenario, args.speed), plan)
}
