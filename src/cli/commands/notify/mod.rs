//! `lifeboat notify`: would messages reach people?

mod check;
mod row;
mod targets;
mod test;
#[cfg(test)]
mod tests;
mod tree;

use crate::base::environment::Environment;
use crate::base::pool::Pool;
use crate::base::unanswered::{ENDLESS, Unanswered};
use crate::cli::{EXIT_USAGE, Failure, block_on, say};
use crate::core::words::notification::{Again, Undelivered};
use crate::core::words::outside::Outside;
use crate::kinds::channel::Notifier;
use crate::plan::{Channel, Plan};
use crate::world::World;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Try the ways on which people are told.
#[derive(Debug, Args)]
pub struct NotifyArgs {
    #[command(subcommand)]
    command: NotifyCommand,
}

#[derive(Debug, Subcommand)]
enum NotifyCommand {
    Test(test::TestArgs),
    Check(check::CheckArgs),
    /// Print the phone tree: whom to call when nothing else works.
    Tree(tree::TreeArgs),
}

/// Runs `lifeboat notify`.
///
/// # Errors
/// When the plan cannot be used, or names nobody that is asked for.
pub fn run(args: &NotifyArgs, environment: &Environment, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    match &args.command {
        NotifyCommand::Test(args) => test::run(args, environment, out),
        NotifyCommand::Check(args) => check::run(args, environment, out),
        NotifyCommand::Tree(args) => tree::run(args, out),
    }
}

/// A plan with channels.
fn open(path: &Path) -> Result<Plan, Failure> {
    let plan = super::engine::read_plan(Some(path))?;
    if plan.channels.is_empty() {
        let next = "Add a `[channels.NAME]` table; `kind` says what it is.";
        return Err(Failure::new(format!("{} has no channels", path.display()), next).with_code(EXIT_USAGE));
    }
    Ok(plan)
}

/// Looks up what the plan names, for the time that a channel has too: a provider's answer can hold another one's secret.
async fn learn_secrets(plan: &Plan, world: &dyn World) {
    let Some(resolver) = world.secrets() else { return };
    let learnt = resolver.learn_all(plan.secrets().into_keys().collect());
    // What could not be had is said where it is needed.
    let _ = tokio::time::timeout(crate::core::words::preflight::DEADLINE, learnt).await;
}

/// The notifier of a channel.
fn notifier(world: &dyn World, channel: &Channel) -> Result<Box<dyn Notifier>, Undelivered> {
    world.notifier(channel).map_err(|error| Undelivered {
        why: error.to_string(),
        next: "Correct the channel in the plan.".into(),
        again: Again::Never,
    })
}

/// A call within its channel's time-out, on a thread of the pool: a peer that sends without end can keep that one busy,
/// and not this one. What it answers comes in through the world's door.
async fn within<T: Outside + Send + 'static>(
    world: &dyn World,
    channel: &Channel,
    pool: &Pool,
    call: impl Future<Output = Result<T, Undelivered>> + Send + 'static,
) -> Result<T, Undelivered> {
    let limit = channel.timeout.unsigned_abs();
    let failed = |why: String, next: &str| Undelivered { why, next: next.to_owned(), again: Again::Maybe };
    let answer = match pool.within(limit, call).await {
        Ok(answer) => answer,
        Err(Unanswered::Broken) => {
            Err(failed("lifeboat itself failed in it".to_owned(), "Please report this."))
        }
        Err(Unanswered::Endless) => {
            let (peer, limit) = (peer(channel), crate::base::units::duration(channel.timeout));
            let why = format!("no answer from {peer} within {limit}: {ENDLESS}");
            Err(failed(why, "See whether the provider works at all."))
        }
    };
    world.door().admit(answer)
}

/// Who is asked, as far as the plan names it.
fn peer(channel: &Channel) -> String {
    let text = |key| channel.params.text(key);
    let url =
        text("url").or(text("api_url")).map(|url| url.split(['?', '#']).next().unwrap_or(url).to_owned());
    let host = || text("host").map(str::to_owned);
    url.or_else(host).unwrap_or_else(|| format!("the service of `{}`", channel.kind))
}
