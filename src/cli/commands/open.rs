//! `lifeboat open`: attaches to the plan's engine, and starts it when none runs.

use crate::base::environment::Environment;
use crate::cli::console::{Leaving, connector, console};
use crate::cli::{Failure, LookArgs, PlanArgs};
use std::ffi::OsString;
use std::process::ExitCode;

/// Arguments of `lifeboat open`.
#[derive(Debug, clap::Args)]
pub struct OpenArgs {
    #[command(flatten)]
    place: PlanArgs,
    /// Do not ask for the append-only attribute on the journal's files, which needs root and `chattr -a` to remove
    /// them; counts when this starts the engine.
    #[arg(long)]
    no_append_only: bool,
    /// Let the members of this group of the system attach, acknowledge and act too, and read the journal; counts when
    /// this starts the engine.
    #[arg(long, value_name = "NAME", env = "LIFEBOAT_GROUP")]
    group: Option<String>,
    #[command(flatten)]
    look: LookArgs,
}

/// Opens the console.
///
/// # Errors
/// When the plan has problems, the engine cannot be started, or the terminal cannot be used.
pub fn run(args: &OpenArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    let folder = args.place.state_folder()?;
    args.place.expect_own_journal(&folder)?;
    let plan = args.place.plan.display().to_string();
    let mut arguments: Vec<OsString> = vec!["engine".into(), args.place.plan.clone().into()];
    arguments.extend(["--state".into(), folder.path().into(), "--detached".into()]);
    if let Some(name) = &args.place.renamed_from {
        arguments.extend(["--renamed-from".into(), name.into()]);
    }
    if args.no_append_only {
        arguments.push("--no-append-only".into());
    }
    if let Some(group) = &args.group {
        arguments.extend(["--group".into(), group.into()]);
    }
    let (again, stop) = (args.place.command("open"), args.place.command("stop"));
    let parting = format!("The engine goes on: `{again}` attaches again, `{stop}` ends it.");
    console(
        &args.look,
        environment,
        &plan,
        (Leaving::Console, &|_| parting.clone()),
        connector(folder, arguments),
    )
}
