//! `lifeboat notify tree`: the phone tree, from the plan alone; of a calendar that cannot be read, what the journal
//! knows.

use crate::cli::commands::engine::read_plan;
use crate::cli::{Failure, PlanArgs, say};
use crate::core::ask::oncall;
use crate::core::model::Model;
use crate::core::prose::phone_tree;
use crate::engine::replay;
use jiff::Timestamp;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `lifeboat notify tree`.
#[derive(Debug, clap::Args)]
pub struct TreeArgs {
    #[command(flatten)]
    place: PlanArgs,
}

/// Prints the phone tree.
///
/// # Errors
/// When the plan has problems; then what the engine wrote last is named, where it is there.
pub fn run(args: &TreeArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let plan = read_plan(Some(&args.place.plan)).map_err(|failure| {
        let kept = args.place.state_folder().ok().map(|folder| folder.phone_tree());
        match kept.filter(|path| path.exists()) {
            Some(path) => {
                let next =
                    format!("{} The engine wrote the tree last into {}.", failure.next, path.display());
                Failure { next, ..failure }
            }
            None => failure,
        }
    })?;
    let model = with_last_read(Model::new(Arc::new(plan)), &args.place);
    let lines = phone_tree::lines(&model, Timestamp::now());
    say(out, &(lines.join("\n") + "\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A calendar that cannot be read counts as an engine last read it, where the journal is there and knows.
fn with_last_read(mut model: Model, place: &PlanArgs) -> Model {
    if oncall::troubles(&model).any(|fault| fault.is_unread)
        && let Ok(folder) = place.state_folder()
        && place.expect_own_journal(&folder).is_ok()
        && let Ok(read) = replay::model(model.plan.clone(), &folder.journal())
    {
        model.durable.calendars = read.durable.calendars;
    }
    model
}
