//! The command line: one file per subcommand in `commands`, and what they share beside it.
//!
//! The environment is read once, in `main`, and handed on as a value. An error is reported once, at the same
//! place: what failed, why, and what to do next.

pub mod commands;
mod console;
mod ending;
mod layered;
mod limits;
mod look;
mod moved;
mod place;
pub mod prompt;
mod reach;
mod simulation;
mod whose;

pub use look::LookArgs;
pub use place::PlanArgs;

use self::commands::*;
use crate::base::environment::Environment;
use crate::base::text::Printer;
use crate::secrets::{Resolver, SecretsConfig};
use clap::{CommandFactory, Parser, Subcommand};
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str = "\
Exit codes: 0 well, 1 failed, 2 wrong usage, a plan that is not there or cannot be used, or a terminal that does \
not do; `lifeboat check` ends with 1 for errors in a plan that it could read. `lifeboat status` ends with 0 when \
all is well, 1 in trouble (an incident, a severity, something down or degraded, a journal that cannot be written or whose disk is full, a \
calendar of who is on call that cannot be read, something that a run left in force, data that went apart), 2 when that cannot be told, 3 when no engine runs. \
`lifeboat notify test` and `notify check` end with 1 when a message or channel fails. \
`lifeboat journal verify` ends with 0 for a good journal, 1 for a bad one, 2 when it cannot be read.";

/// See the outage, decide, fail over, prove it, and keep a journal that an auditor can verify.
#[derive(Debug, Parser)]
#[command(name = "lifeboat", version, about, after_long_help = HELP, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands, in the order of the help: with its arguments, and what it does. A new one is its file in `commands` and
/// a row here.
macro_rules! subcommands {
    ($($(#[doc = $doc:literal])* $(#[cfg($when:meta)])? $name:ident($args:ty) = $run:expr;)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[doc = $doc])* $(#[cfg($when)])? $name($args),)*
        }

        /// Runs a command line.
        ///
        /// # Errors
        /// When the command cannot do what it was asked.
        pub fn run(cli: Cli, environment: &Environment) -> Result<ExitCode, Failure> {
            limits::require_clock(std::time::SystemTime::now())?;
            match cli.command {
                $($(#[cfg($when)])? Command::$name(args) => {
                    let run: fn($args, &Environment) -> Result<ExitCode, Failure> = $run;
                    run(args, environment)
                })*
            }
        }
    };
}

subcommands! {
    /// Open the console on a plan; starts the plan's engine when none runs.
    Open(open::OpenArgs) = |args, environment| open::run(&args, environment);
    /// Print how things are, without a terminal.
    Status(status::StatusArgs) = |args, _| status::run(&args, &mut printer());
    /// Take an escalation on: nobody further is paged.
    Ack(ack::AckArgs) = |args, _| ack::run(&args, &mut printer());
    /// Print which region serves and what contradicts that; record it, or answer it.
    Serves(serves::ServesArgs) = |args, _| serves::run(&args, &mut printer());
    /// Print the sixty-second brief: what somebody who takes over has to know. Works without an engine.
    Brief(brief::BriefArgs) = |args, _| brief::run(&args, &mut printer());
    /// End a plan's engine.
    Stop(stop::StopArgs) = |args, _| stop::run(&args, &mut printer());
    /// Try it: the console over a simulated system that loses its primary region.
    Demo(demo::DemoArgs) = |args, environment| demo::run(&args, environment);
    /// Rehearse a plan over a simulated world; nothing real is seen or touched.
    Rehearse(rehearse::RehearseArgs) = |args, environment| rehearse::run(&args, environment);
    Check(check::CheckArgs) = |args, _| check::main(&args).map_err(|error| output_failed(&error));
    Plan(plan::PlanArgs) = |args, _| plan::main(&args).map_err(|error| output_failed(&error));
    Preflight(preflight::PreflightArgs) = |args, environment| preflight::run(&args, environment, &mut printer());
    Notify(notify::NotifyArgs) = |args, environment| notify::run(&args, environment, &mut printer());
    /// Write the post-mortem of an incident, from the journal alone.
    Postmortem(postmortem::PostmortemArgs) = |args, _| postmortem::run(&args, &mut printer());
    Journal(journal::JournalArgs) = |args, _| run_journal(&args);
    Secret(secret::SecretArgs) = |args, environment| run_secret(args, environment);
    #[cfg(feature = "aws")]
    Aws(aws::AwsArgs) = |args, environment| aws::run(&args, environment, &mut printer());
    /// List, check and show the themes of the console.
    Themes(themes::ThemesArgs) = |args, _| Ok(themes::run(&args));
    /// List, check and show the keymaps of the console.
    Keys(keys::KeysArgs) = |args, _| Ok(keys::run(&args));
    /// Run a plan's engine in the foreground, for systemd and containers; `open` starts one by itself.
    Engine(engine::EngineArgs) = |args, environment| engine::run(&args, environment);
    Generate(generate::GenerateArgs) = |args, _| generated(&args);
    /// Write the completions of a shell to standard output.
    Completions(generate::CompletionsArgs) = |args, _| generated(&args.into());
    /// Write the man page, in roff, to standard output.
    Man(generate::ManArgs) = |_, _| generated(&generate::GenerateArgs::man());
}

/// The exit code of wrong usage. A plan that is not there, cannot be read or has problems is that too, for every command
/// but `check`, whose answer the problems are.
pub(crate) const EXIT_USAGE: u8 = crate::engine::spawn::EXIT_PLAN;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// What failed, on what, and why.
    pub what: String,
    /// What to do next; empty where that was said.
    pub next: String,
    /// The exit code.
    pub code: u8,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn new(what: impl fmt::Display, next: impl Into<String>) -> Self {
        Self { what: what.to_string(), next: next.into(), code: 1 }
    }

    /// The same with another exit code.
    #[must_use]
    pub fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lifeboat: {}", self.what)?;
        if self.next.is_empty() { Ok(()) } else { write!(f, "\n  next: {}", self.next) }
    }
}

fn generated(args: &generate::GenerateArgs) -> Result<ExitCode, Failure> {
    let written = generate::run(args, Cli::command(), &mut io::stdout().lock());
    finished(written).map(|()| ExitCode::SUCCESS)
}

fn run_journal(args: &journal::JournalArgs) -> Result<ExitCode, Failure> {
    if let Some(place) = args.plan_and_state() {
        // One that is bad has another code.
        let unread = |failure: Failure| failure.with_code(journal::EXIT_UNREADABLE);
        place.expect_own_journal(&place.state_folder().map_err(unread)?).map_err(unread)?;
    }
    let folder = |plan: Option<&Path>| match plan {
        Some(plan) => Ok(place::state_folder(None, plan)?.journal()),
        None => Err(
            "name a journal's folder with --journal, its plan with --plan, or its state folder with --state"
                .into(),
        ),
    };
    // Exact bytes for another program; a terminal gets nothing that could act on it.
    let mut out: Box<dyn Write> = match args.is_exact() && !io::stdout().is_terminal() {
        true => Box::new(io::stdout().lock()),
        false => Box::new(printer()),
    };
    journal::run(args, folder, &mut *out)
        .map_err(|error| Failure::new(error, "").with_code(journal::EXIT_UNREADABLE))
}

fn run_secret(args: secret::SecretArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    let folder = look::config_folder(None)?.join("secrets");
    let plan = args.plan().map(|path| engine::read_plan(Some(path))).transpose()?;
    let config = plan.as_ref().map_or_else(SecretsConfig::default, |plan| plan.secrets.clone());
    let resolver = Resolver::new(config, &folder, environment.clone());
    let run = async { secret::run(args, &resolver, plan.as_ref(), &mut printer()).await };
    block_on(run)?.map_err(|error| Failure::new(error, ""))
}

/// Standard output, on which nothing from outside can act: neither a plan's text nor an argument.
fn printer() -> Printer<io::StdoutLock<'static>> {
    Printer::new(io::stdout().lock())
}

/// How long the end of the program waits for calls that nothing can take back: of a mount that is dead, of a resolver.
const LEFT_BEHIND: Duration = Duration::from_secs(3);

/// Runs something on this thread.
fn block_on<T>(run: impl Future<Output = T>) -> Result<T, Failure> {
    Ok(run_bounded(run, LEFT_BEHIND)?.0)
}

/// The same; second is whether a call had not ended after so long. It ends with the program.
fn run_bounded<T>(run: impl Future<Output = T>, within: Duration) -> Result<(T, bool), Failure> {
    limits::require_files(limits::COMMAND_FILES)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(too_few)?;
    let value = runtime.block_on(run);
    let ended = Instant::now();
    runtime.shutdown_timeout(within);
    Ok((value, ended.elapsed() >= within))
}

/// The system refused what every program needs.
fn too_few(error: impl fmt::Display) -> Failure {
    let next = "Raise the limits of this user or service on open files and memory: `ulimit -a` shows them.";
    Failure::new(format!("the system does not let it start: {error}"), next)
}

/// A reader that closed its pipe has seen enough.
fn finished(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(output_failed(&error)),
        _ => Ok(()),
    }
}

fn output_failed(error: &io::Error) -> Failure {
    Failure::new(format!("standard output cannot be written: {error}"), "")
}

/// Writes a text to `out`.
fn say(out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    finished(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

impl From<Failure> for Box<dyn std::error::Error + Send + Sync> {
    fn from(failure: Failure) -> Self {
        failure.what.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_failure_says_what_and_what_next() {
        let failure = Failure::new("the plan is missing", "Name it.");
        assert_eq!(failure.to_string(), "lifeboat: the plan is missing\n  next: Name it.");
    }

    #[test]
    fn the_end_does_not_wait_for_a_look_that_hangs() {
        let (held, holds) = std::sync::mpsc::channel::<()>();
        let (began, begins) = tokio::sync::oneshot::channel();
        // As a look at a mount that is dead.
        let run = async {
            tokio::task::spawn_blocking(move || {
                let _ = began.send(());
                let _ = holds.recv();
            });
            let _ = begins.await;
        };
        let (_, hangs) = run_bounded(run, Duration::from_millis(50)).unwrap();
        assert!(hangs);
        drop(held);
        let began = Instant::now();
        let (value, hangs) = run_bounded(async { 7 }, LEFT_BEHIND).unwrap();
        assert_eq!((value, hangs, began.elapsed() < LEFT_BEHIND), (7, false, true));
    }
}
