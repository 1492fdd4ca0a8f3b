//! `lifeboat brief`: the sixty-second brief, from the running engine, or from the journal alone.

use super::engine::read_plan;
use crate::base::text::clean;
use crate::base::units;
use crate::cli::{Failure, PlanArgs, block_on, reach, say, whose};
use crate::core::model::Model;
use crate::core::prose::brief;
use crate::engine::client::{Client, ClientError};
use crate::engine::paths::StateFolder;
use crate::engine::protocol::ToClient;
use crate::engine::replay;
use jiff::Timestamp;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `lifeboat brief`.
#[derive(Debug, clap::Args)]
pub struct BriefArgs {
    #[command(flatten)]
    place: PlanArgs,
}

/// Prints the brief.
///
/// # Errors
/// When no engine answers and the plan or the journal cannot be read.
pub fn run(args: &BriefArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let folder = args.place.state_folder()?;
    let text = match block_on(ask(&folder))? {
        Ok((model, now)) => {
            args.place.expect_own(&model.plan.name)?;
            format!("Of {}.\n{}", whose::of(&model.plan.name, &folder), text(&model, now))
        }
        // Somebody else's engine may lie beside somebody else's journal.
        Err(Unreachable::Socket(error)) => return Err(Failure::new(error, "")),
        Err(Unreachable::Silent(why)) => {
            let plan = read_plan(Some(&args.place.plan))?;
            args.place.expect_own_journal(&folder)?;
            let model = replay::model(Arc::new(plan), &folder.journal()).map_err(|error| {
                let next = "Name the engine's state folder with --state, on the host where the engine runs.";
                Failure::new(format!("{why}, and the journal does not help: {error}"), next)
            })?;
            offline(&model, &whose::of(&model.plan.name, &folder), &why, Timestamp::now())
        }
    };
    say(out, &text)?;
    Ok(ExitCode::SUCCESS)
}

/// Why the running engine did not answer.
enum Unreachable {
    /// Its socket cannot be used or believed.
    Socket(ClientError),
    /// There is none, or it does not say how things are; the journal may.
    Silent(String),
}

/// The model of the running engine, or why there is none to be had.
async fn ask(folder: &StateFolder) -> Result<(Arc<Model>, Timestamp), Unreachable> {
    let answer = async { Client::connect(&folder.socket()).await?.answer().await };
    match answer.await {
        Ok(ToClient::Welcome { model, now, .. }) => Ok((model, now)),
        Ok(ToClient::Goodbye { why, .. }) => Err(Unreachable::Silent(why)),
        Ok(_) => Err(Unreachable::Silent("the engine's first word was not a welcome".into())),
        Err(error @ ClientError::Socket { .. }) => Err(Unreachable::Socket(error)),
        Err(error) => Err(Unreachable::Silent(match (reach::without_socket(folder, &error), &error) {
            (Some(pid), _) => reach::lost(folder, pid),
            (None, ClientError::NotRunning(_)) => "no engine runs".into(),
            (None, error) => error.to_string(),
        })),
    }
}

fn text(model: &Model, now: Timestamp) -> String {
    brief::lines(model, now).join("\n") + "\n"
}

/// Says first that nothing is being measured, and how old what follows is.
fn offline(model: &Model, plan: &str, why: &str, now: Timestamp) -> String {
    let last = model.durable.timeline.back().map(|event| event.at);
    let age = last.map_or_else(
        || "it is empty".to_owned(),
        |at| {
            let ago = units::age(now.duration_since(at));
            format!("its last record is of {}, {ago} ago", at.strftime("%Y-%m-%d %H:%M:%SZ"))
        },
    );
    format!(
        "FROM THE JOURNAL ALONE ({}): {age}; nothing is measured now.\nOf {plan}.\n{}",
        clean(why, 200),
        text(model, now).replace("\nState: ", "\nState then, not now: ")
    )
}
