//! `lifeboat postmortem`: an incident as Markdown, from the journal alone.

use super::engine::read_plan;
use crate::base::text::escaped;
use crate::cli::{Failure, PlanArgs, say};
use crate::core::words::fact::Event;
use crate::engine::ledger::LedgerError;
use crate::engine::replay;
use crate::journal::{self, JournalError};
use crate::report::{self, Story};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `lifeboat postmortem`.
#[derive(Debug, clap::Args)]
pub struct PostmortemArgs {
    #[command(flatten)]
    place: PlanArgs,
    /// The incident [default: the last one].
    incident: Option<String>,
    /// Write it into this new file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the report.
///
/// # Errors
/// When the plan or the journal cannot be read, there is no such incident, or the file is there already.
pub fn run(args: &PostmortemArgs, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let plan = Arc::new(read_plan(Some(&args.place.plan))?);
    let state = args.place.state_folder()?;
    args.place.expect_own_journal(&state)?;
    let folder = state.journal();
    let next = "Name the engine's state folder with --state.";
    let unreadable = |error: LedgerError| Failure::new(error, next);
    let events = read(&folder).map_err(unreadable)?;
    let story =
        Story::of(plan, &events, args.incident.as_deref()).map_err(|error| Failure::new(error, next))?;
    let verification = journal::verify(&folder).map_err(|error| Failure::new(error, next))?;
    let text = escaped(&report::postmortem(&story, &verification));
    match &args.out {
        Some(path) => write_new(path, &text)?,
        None => say(out, &text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// All events up to the first bad record: the report says that there is one.
fn read(folder: &Path) -> Result<Vec<Event>, LedgerError> {
    let mut events = Vec::new();
    for event in replay::events(folder)? {
        match event {
            Ok(event) => events.push(event),
            Err(LedgerError::Journal(JournalError::Bad(_))) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(events)
}

/// What somebody wrote into an earlier report is never overwritten.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let what = format!("{} is there already; somebody may have filled it in", path.display());
            Failure::new(what, "Name another file with --out.")
        }
        _ => Failure::new(
            format!("{} cannot be written: {error}", path.display()),
            "Name another file with --out.",
        ),
    })
}
