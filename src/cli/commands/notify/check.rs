//! `lifeboat notify check`: could messages be sent now? Sends none.

use super::{Failure, block_on, notifier, open, say, within};
use crate::base::environment::Environment;
use crate::base::pool::{Outside, Pool};
use crate::base::text::clean;
use crate::cli::too_few;
use crate::core::ask::oncall::{self, Fault};
use crate::core::model::Model;
use crate::core::words::notification::Undelivered;
use crate::plan::Plan;
use crate::world::World;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// The longest text in a line, in characters.
const TEXT_LIMIT_CHARS: usize = 400;

/// Look whether each channel could send now, without sending anything. Exit code 1 when one could not, or a calendar of
/// who is on call cannot be read.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The plan: a file, or a folder with its .toml files.
    plan: PathBuf,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
}

/// What a look at a channel found.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) channel: String,
    pub(super) kind: String,
    pub(super) result: Result<Option<String>, Undelivered>,
}

/// Looks, and prints what was found.
pub(super) fn run(
    args: &CheckArgs,
    environment: &Environment,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let plan = open(&args.plan)?;
    let seen = block_on(async {
        let world = crate::cli::commands::engine::real_world(&plan, environment)?;
        super::learn_secrets(&plan, &world).await;
        let outside = Outside::start().map_err(too_few)?;
        Ok::<_, Failure>(look(&plan, &world, &outside.probes).await)
    })??;
    let plan = Arc::new(plan);
    let faults = oncall::faults(&Model::new(plan.clone()), Timestamp::now());
    let text = match args.json {
        true => {
            let channels: Vec<Value> = seen.iter().map(Seen::as_json).collect();
            let on_call: Vec<&str> = faults.iter().map(|fault| fault.text.as_str()).collect();
            format!("{:#}\n", json!({ "plan": plan.name, "channels": channels, "on_call": on_call }))
        }
        false => seen.iter().map(Seen::line).chain(faults.iter().map(on_call_line)).collect(),
    };
    say(out, &text)?;
    let well = seen.iter().all(|seen| seen.result.is_ok()) && !faults.iter().any(|fault| fault.is_unread);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn on_call_line(fault: &Fault) -> String {
    let word = if fault.is_unread { "failed" } else { "warning" };
    format!("{word:<13}  on call: {}\n", clean(&fault.text, TEXT_LIMIT_CHARS))
}

/// Looks at all channels at once.
pub(super) async fn look(plan: &Plan, world: &dyn World, pool: &Pool) -> Vec<Seen> {
    let looks = plan.channels.values().map(async |channel| Seen {
        channel: channel.id.to_string(),
        kind: channel.kind.clone(),
        result: match notifier(world, channel) {
            Ok(notifier) => within(world, channel, pool, async move { notifier.check().await }).await,
            Err(failure) => Err(failure),
        },
    });
    join_all(looks).await
}

impl Seen {
    fn word(&self) -> &'static str {
        match &self.result {
            Ok(Some(_)) => "ok",
            Ok(None) => "not checkable",
            Err(_) => "failed",
        }
    }

    fn line(&self) -> String {
        let (word, name) = (self.word(), format!("{} ({})", self.channel, self.kind));
        match &self.result {
            Ok(Some(seen)) => format!("{word:<13}  {name}: {}\n", clean(seen, TEXT_LIMIT_CHARS)),
            Ok(None) => format!("{word:<13}  {name}: only a test would tell (`lifeboat notify test`)\n"),
            Err(failure) => {
                let (why, next) =
                    (clean(&failure.why, TEXT_LIMIT_CHARS), clean(&failure.next, TEXT_LIMIT_CHARS));
                format!("{word:<13}  {name}: {why}\n               next: {next}\n")
            }
        }
    }

    fn as_json(&self) -> Value {
        let failure = self.result.as_ref().err();
        json!({
            "channel": self.channel,
            "kind": self.kind,
            "result": self.word().replace(' ', "-"),
            "seen": self.result.as_ref().ok().and_then(Option::as_deref),
            "why": failure.map(|failure| &failure.why),
            "next": failure.map(|failure| &failure.next),
        })
    }
}
