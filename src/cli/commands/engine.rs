//! `lifeboat engine`: the process that probes, decides, journals and acts. `open` starts it by itself.

use crate::base::environment::Environment;
use crate::base::toml::render;
use crate::cli::{EXIT_USAGE, Failure, LEFT_BEHIND, PlanArgs, limits, look, place, run_bounded, simulation};
use crate::engine::client::Client;
use crate::engine::spawn::EXIT_TAKEN;
use crate::engine::{self, access};
use crate::plan::{Diagnostics, Loaded, Plan, load, load_texts};
use crate::providers::clients::Clients;
use crate::simulation::{SimulatedWorld, demo};
use crate::world::{RealWorld, World};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long an engine that ends alone waits for its first client.
const FIRST_CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Arguments of `lifeboat engine`.
#[derive(Debug, clap::Args)]
pub struct EngineArgs {
    /// The plan: a file, or a folder with its .toml files.
    #[arg(required_unless_present = "demo", conflicts_with = "demo")]
    plan: Option<PathBuf>,
    /// Use the demo plan.
    #[arg(long, requires = "simulate", requires = "state")]
    demo: bool,
    /// Folder of the engine's state: journal, socket, log [default: the plan's own below the user's state folder].
    #[arg(long, value_name = "DIR", env = "LIFEBOAT_STATE")]
    state: Option<PathBuf>,
    /// The state folder that is named with --state was this plan's when it had this name.
    #[arg(long, value_name = "NAME")]
    renamed_from: Option<String>,
    /// Leave the session of the terminal that started it.
    #[arg(long)]
    detached: bool,
    /// End when the last client has gone.
    #[arg(long)]
    ends_alone: bool,
    /// Play this scenario, a name or a file, instead of the real world.
    #[arg(long, value_name = "SCENARIO")]
    simulate: Option<String>,
    /// Simulated seconds in a real one.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    /// Let the members of this group of the system attach, acknowledge and act too, and read the journal.
    #[arg(long, value_name = "NAME", env = "LIFEBOAT_GROUP")]
    group: Option<String>,
    /// Do not ask for the append-only attribute on the journal's files.
    #[arg(long)]
    no_append_only: bool,
    /// Remove the state folder at the end.
    #[arg(long, requires = "simulate", requires = "state")]
    throwaway: bool,
}

/// Runs the engine until it is stopped.
///
/// # Errors
/// When the plan has problems or the engine cannot begin.
pub fn run(args: &EngineArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    if args.detached {
        // It is refused to one that leads its session already, which is what is wanted.
        let _ = rustix::process::setsid();
    }
    let wanted = environment.get("LIFEBOAT_LOG").and_then(|wanted| wanted.to_str()).unwrap_or("info");
    limits::of_engine()?;
    let _log = engine::log::Log::to_stderr(wanted).map_err(crate::cli::too_few)?;
    let plan = Arc::new(read_plan(args.plan.as_deref())?);
    let folder = place::state_folder(
        args.state.as_deref(),
        args.plan.as_deref().unwrap_or(Path::new(engine::plan_file::DEMO)),
    )?;
    let former_name = match &args.plan {
        Some(plan) => {
            let (plan, state) = (plan.clone(), args.state.clone());
            PlanArgs { plan, state, renamed_from: args.renamed_from.clone() }.expect_own_journal(&folder)?
        }
        None => None,
    };
    let group = args.group.as_deref().map(find_group).transpose()?;
    let path = folder.path().to_owned();
    let run = async {
        let world = make_world(args, &plan, environment)?;
        if args.ends_alone {
            tokio::spawn(look_in(folder.socket()));
        }
        // A rehearsal's journal is thrown away afterwards, which the attribute would forbid.
        let append_only = !args.no_append_only && args.simulate.is_none();
        let ends_alone = args.ends_alone;
        let plan_file = Some(args.plan.clone().unwrap_or_else(|| engine::plan_file::DEMO.into()));
        let settings = engine::Settings { ends_alone, append_only, group, former_name, plan_file };
        engine::run(plan, world, folder, settings).await.map_err(|error| {
            let taken = error.is_taken();
            let failure = Failure::new(error, "");
            if taken { failure.with_code(EXIT_TAKEN) } else { failure }
        })
    };
    let (ended, hangs) = run_bounded(run, LEFT_BEHIND)?;
    if hangs {
        let what = "a call to this host's files";
        tracing::warn!(what, "the engine ends without waiting for what does not answer");
    }
    // One that failed leaves the folder to whoever started it: its log says why.
    if args.throwaway
        && ended.is_ok()
        && let Err(error) = std::fs::remove_dir_all(&path)
    {
        tracing::warn!(%error, folder = %path.display(), "the state folder could not be removed");
    }
    ended.map(|()| ExitCode::SUCCESS)
}

fn find_group(name: &str) -> Result<access::Group, Failure> {
    access::Group::by_name(name).map_err(|error| {
        let what = format!("the group {} cannot be used: {error}", crate::base::text::clean(name, 60));
        Failure::new(what, "Look at `getent group`; leave --group out to run for yourself alone.")
    })
}

/// Attaches and goes after a while: an engine whose console never came then has had a last client, and ends.
async fn look_in(socket: PathBuf) {
    tokio::time::sleep(FIRST_CLIENT_TIMEOUT).await;
    // Where it cannot be reached it has ended already.
    if let Ok(mut client) = Client::connect(&socket).await {
        let _ = client.answer().await;
    }
}

/// The plan, or the demo's; every problem in it is the failure.
pub(in crate::cli) fn read_plan(path: Option<&Path>) -> Result<Plan, Failure> {
    let registry = crate::providers::registry();
    let loaded = match path {
        Some(path) => load(path, &registry),
        None => {
            let texts = demo::plan_files().iter().map(|(name, text)| ((*name).into(), (*text).into()));
            load_texts(texts.collect(), &registry)
        }
    };
    match loaded {
        Ok(Loaded { plan, .. }) => Ok(plan),
        Err(problems) => Err(unusable(path, &problems)),
    }
}

fn unusable(path: Option<&Path>, problems: &Diagnostics) -> Failure {
    let path = path.unwrap_or(Path::new(engine::plan_file::DEMO)).display();
    let what = format!("the plan {path} has problems:\n{}", render::plain(problems).trim_end());
    let next = format!("Mend them; `lifeboat check {path}` shows them in their lines.");
    Failure::new(what, next).with_code(EXIT_USAGE)
}

fn make_world(
    args: &EngineArgs,
    plan: &Arc<Plan>,
    environment: &Environment,
) -> Result<Arc<dyn World>, Failure> {
    if let Some(wanted) = &args.simulate {
        let scenario = simulation::find(wanted, plan, args.demo)?;
        let world = SimulatedWorld::new(plan.clone(), scenario, args.speed, Timestamp::now());
        return Ok(Arc::new(world.map_err(|error| Failure::new(error, ""))?));
    }
    Ok(Arc::new(real_world(plan, environment)?))
}

/// Reality, as this plan reaches it.
///
/// # Errors
/// When the user has no configuration folder.
pub(in crate::cli) fn real_world(plan: &Plan, environment: &Environment) -> Result<RealWorld, Failure> {
    // The first one counts; nobody else installs one in this process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let own_secrets = look::config_folder(None)?.join("secrets");
    let clients = Clients::new(plan.secrets.clone(), &own_secrets, environment.clone());
    let operator = crate::engine::name_of(rustix::process::getuid().as_raw());
    Ok(RealWorld::new(clients.with_aws(plan.aws.clone(), &operator).with_kube(plan.kube.clone())))
}
