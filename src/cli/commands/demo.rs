//! `lifeboat demo`: the console over a simulated system, with nothing to install or to break.

use crate::base::environment::Environment;
use crate::cli::console::{Leaving, connector, console};
use crate::cli::ending::Ending;
use crate::cli::simulation::Stage;
use crate::cli::{Failure, LookArgs, simulation};
use crate::engine::paths::StateFolder;
use crate::simulation::demo;
use crate::simulation::demo::DEFAULT_SCENARIO;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long the end of what is kept is waited for: the engine ends with its console and writes its last record.
const END_PATIENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Arguments of `lifeboat demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = simulation::scenarios(true))]
pub struct DemoArgs {
    /// What happens: a scenario by its name, or a file.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_SCENARIO)]
    scenario: String,
    /// Simulated seconds in a real one.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    /// Keep journal, state and plan of the demo in this new or empty folder, to look at afterwards.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    look: LookArgs,
}

/// Plays the demo.
///
/// # Errors
/// When the scenario does not exist, what is kept has no folder, or the terminal cannot be used.
pub fn run(args: &DemoArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    simulation::expect_demo(&args.scenario)?;
    let stage = Stage::set("demo", args.keep.as_deref(), environment)?;
    let plan = stage.folder.join("plan");
    if stage.kept {
        write_plan(&plan)?;
    }
    let ending = Ending {
        what: "demo",
        again: "lifeboat demo".into(),
        plan,
        kept: stage.kept.then(|| stage.folder.clone()),
    };
    play(
        &args.look,
        environment,
        "demo",
        &ending,
        (&stage, &args.scenario, args.speed),
        vec!["--demo".into()],
    )
}

/// The plan beside what is kept: without it nobody could read the journal's runs.
fn write_plan(folder: &Path) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        std::fs::DirBuilder::new().mode(0o700).create(folder)?;
        for (name, text) in demo::plan_files() {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name));
            file?.write_all(text.as_bytes())?;
        }
        Ok(())
    };
    write().map_err(|error| {
        let what = format!("the plan of the demo cannot be written into {}: {error}", folder.display());
        Failure::new(what, "Name another folder with --keep.")
    })
}

/// Opens the console over an engine of its own that ends with it, and leaves behind what is to be kept.
pub(in crate::cli) fn play(
    look: &LookArgs,
    environment: &Environment,
    title: &str,
    ending: &Ending,
    (stage, scenario, speed): (&Stage, &str, f64),
    plan: Vec<OsString>,
) -> Result<ExitCode, Failure> {
    let mut arguments: Vec<OsString> = vec!["engine".into()];
    arguments.extend(plan);
    arguments.extend(["--simulate".into(), scenario.into(), "--speed".into(), speed.to_string().into()]);
    arguments.extend(["--state".into(), OsString::from(&stage.folder)]);
    arguments.extend(["--detached", "--ends-alone"].map(OsString::from));
    if !stage.kept {
        arguments.push("--throwaway".into());
    }
    let state = StateFolder::of_plan(Some(&stage.folder), Path::new(""), Path::new(""));
    let socket = state.socket();
    let leaving = Leaving::Simulation { kept: stage.kept };
    let ended =
        console(look, environment, title, (leaving, &|app| ending.text(app)), connector(state, arguments));
    if stage.kept {
        let deadline = Instant::now() + END_PATIENCE;
        while socket.exists() && Instant::now() < deadline {
            std::thread::sleep(LOOK_AGAIN);
        }
    } else if ended.is_err() {
        // No engine came to be that would remove it.
        let _ = std::fs::remove_dir_all(&stage.folder);
    }
    ended
}
