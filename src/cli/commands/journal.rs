//! `lifeboat journal`: verify, show, follow and export a journal. Reads only, and takes no lock.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::base::text::{Printer, clean};
use crate::engine::paths::StateFolder;
use crate::journal::export::{self, ExportError};
use crate::journal::{JournalError, Noted, Reader, Record, Verification, read, verify, verify_against};

/// How often a followed journal is looked at.
const FOLLOW_EVERY: Duration = Duration::from_millis(250);

/// Exit code for a journal with a bad record.
const EXIT_BAD: u8 = 1;
/// Exit code for a journal that cannot be read: what the caller of [`run`] ends with on an error.
pub const EXIT_UNREADABLE: u8 = 2;

/// Look at a journal: verify it, show it, follow it, export it.
#[derive(Debug, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    command: JournalCommand,
    #[command(flatten)]
    place: Place,
}

/// Where the journal is.
#[derive(Debug, Args)]
struct Place {
    /// Folder of the journal.
    #[arg(long, global = true, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Plan whose journal is meant, when no folder is given.
    #[arg(long, global = true, value_name = "PLAN", conflicts_with = "journal")]
    plan: Option<PathBuf>,
    /// State folder whose journal is meant, when no folder is given [default: the plan's own].
    #[arg(long, global = true, value_name = "DIR", env = "LIFEBOAT_STATE")]
    state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Check every record; exit code 0 when all are good, 1 at a bad record, 2 when the journal cannot be read.
    Verify {
        /// A head noted before, as SEQ:CHECKSUM or as a message carries it ('#1042 lusab-babad-gutih-tugad'): also
        /// check that the record is still there.
        #[arg(long)]
        head: Option<Noted>,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        dir: Dir,
    },
    /// Print the records, one readable line each.
    Show {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        dir: Dir,
    },
    /// Print the last records, and those to come.
    Tail {
        /// How many records.
        #[arg(short = 'n', long = "lines", default_value_t = 10, value_name = "COUNT")]
        count: usize,
        /// Go on with new records as they are written.
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        dir: Dir,
    },
    /// Write all records for an auditor.
    Export {
        /// Form of the export.
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        #[command(flatten)]
        dir: Dir,
    },
}

/// The journal by its place alone.
#[derive(Debug, Args)]
struct Dir {
    /// Folder of the journal, or the state folder that it is in; the same as --journal.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One row a record, for a spreadsheet.
    Csv,
    /// One array with every record's exact bytes.
    Json,
}

/// Which records to print.
#[derive(Debug, Args)]
struct Filter {
    /// Only records of this incident.
    #[arg(long)]
    incident: Option<String>,
    /// Only records of this action.
    #[arg(long)]
    action: Option<String>,
    /// Only records since then: a time as 2026-01-31T03:00:00Z, or how long ago, as 2h.
    #[arg(long, value_parser = parse_since)]
    since: Option<Timestamp>,
}

impl JournalArgs {
    /// The plan together with the state folder that is named for it: the folder may be another plan's.
    pub(in crate::cli) fn plan_and_state(&self) -> Option<crate::cli::PlanArgs> {
        let (plan, state) = (self.place.plan.clone()?, self.place.state.clone()?);
        Some(crate::cli::PlanArgs { plan, state: Some(state), renamed_from: None })
    }

    /// Whether the output is to have the journal's own bytes.
    pub fn is_exact(&self) -> bool {
        matches!(self.command, JournalCommand::Export { format: Format::Json, .. })
    }
}

impl JournalCommand {
    /// The folder of the journal that is named without a flag; of a state folder the one in it.
    fn dir(&self) -> Option<PathBuf> {
        let (Self::Verify { dir, .. }
        | Self::Show { dir, .. }
        | Self::Tail { dir, .. }
        | Self::Export { dir, .. }) = self;
        let dir = dir.dir.clone()?;
        let within = dir.join("journal");
        Some(if within.is_dir() { within } else { dir })
    }
}

impl Filter {
    fn matches(&self, record: &Record) -> bool {
        let incident = self.incident.as_ref().is_none_or(|wanted| record.incident.as_ref() == Some(wanted));
        let action = self.action.as_ref().is_none_or(|wanted| *wanted == record.action);
        incident && action && self.since.is_none_or(|since| record.timestamp >= since)
    }
}

fn parse_since(text: &str) -> Result<Timestamp, String> {
    if let Ok(timestamp) = text.parse() {
        return Ok(timestamp);
    }
    let ago: SignedDuration = text
        .parse()
        .map_err(|_| "write a time as 2026-01-31T03:00:00Z, or how long ago, as 2h".to_owned())?;
    Timestamp::now().checked_sub(ago.abs()).map_err(|error| error.to_string())
}

/// Runs `lifeboat journal` and writes to `out`. `folder_of_plan` finds the journal's folder when neither it nor a state
/// folder is named: it is given the plan, if one is named. An error means that the journal could not be read: end
/// with [`EXIT_UNREADABLE`].
pub fn run(
    args: &JournalArgs,
    folder_of_plan: impl FnOnce(Option<&Path>) -> Result<PathBuf, Box<dyn Error + Send + Sync>>,
    out: &mut dyn Write,
) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let named = args.command.dir();
    if named.is_some() && (args.place.journal.is_some() || args.place.plan.is_some()) {
        return Err("the journal is named twice: name its folder, or use --journal or --plan".into());
    }
    let dir = match (named.or_else(|| args.place.journal.clone()), &args.place.state) {
        (Some(dir), _) => dir,
        (None, Some(state)) => StateFolder::of_plan(Some(state), Path::new(""), Path::new("")).journal(),
        (None, None) => folder_of_plan(args.place.plan.as_deref())?,
    };
    let outcome = match &args.command {
        JournalCommand::Verify { head, json, .. } => verify_command(&dir, head.as_ref(), *json, out),
        JournalCommand::Show { filter, .. } => show(&dir, filter, out),
        JournalCommand::Tail { count, follow, filter, .. } => tail(&dir, *count, *follow, filter, out),
        JournalCommand::Export { format: Format::Csv, .. } => export::csv(&dir, out),
        JournalCommand::Export { format: Format::Json, .. } => export::json(&dir, out),
    };
    match outcome.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Whoever reads our output has seen enough.
        Err(ExportError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(ExportError::Journal(bad @ (JournalError::Bad(_) | JournalError::Unfinished(_)))) => {
            // The verdict of `verify` is on its output already.
            if !matches!(args.command, JournalCommand::Verify { .. }) {
                writeln!(Printer::new(io::stderr()), "lifeboat: {bad}")?;
            }
            Ok(ExitCode::from(EXIT_BAD))
        }
        Err(error) => Err(error.into()),
    }
}

fn verify_command(
    dir: &Path,
    noted: Option<&Noted>,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let verification = match noted {
        Some(noted) => verify_against(dir, noted)?,
        None => verify(dir)?,
    };
    if json {
        serde_json::to_writer(&mut *out, &verification).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        print_verification(dir, &verification, noted, out)?;
    }
    verification.bad.map_or(Ok(()), |bad| Err(JournalError::Bad(bad).into()))
}

fn print_verification(
    dir: &Path,
    found: &Verification,
    noted: Option<&Noted>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Verification { records, segments, head, bad, set_aside, .. } = found;
    writeln!(out, "journal: {}", clean(&dir.display().to_string(), usize::MAX))?;
    if let Some(bad) = bad {
        writeln!(out, "BAD: {bad}")?;
        return writeln!(
            out,
            "{records} records before it are good. Keep the folder as evidence; nothing was changed."
        );
    }
    writeln!(
        out,
        "GOOD: {records} records in {segments} {}, no byte changed, none missing between them.",
        if *segments == 1 { "segment" } else { "segments" }
    )?;
    writeln!(out, "head: {head}")?;
    for name in set_aside {
        writeln!(
            out,
            "set aside: {}, a damaged end that an engine found at its start; whether it had been acknowledged, only a \
             head noted elsewhere tells",
            clean(name, 80)
        )?;
    }
    match noted.map(|noted| (noted.seq, noted.partial_bits())) {
        None => writeln!(
            out,
            "Whether records are missing after the last one shows only against a head noted before: --head"
        ),
        Some((seq, Some(bits))) => writeln!(
            out,
            "record {seq} is the one that was noted, by the first {bits} bits of its checksum: a spoken head has no more"
        ),
        Some((_, None)) => Ok(()),
    }
}

fn show(dir: &Path, filter: &Filter, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut reader = read(dir)?;
    print_new(&mut reader, filter, out)?;
    Ok(reader.finish()?)
}

/// Prints what the reader has not yielded yet.
fn print_new(reader: &mut Reader, filter: &Filter, out: &mut dyn Write) -> Result<(), ExportError> {
    for record in reader {
        let record = record?;
        if filter.matches(&record) {
            writeln!(out, "{}", export::show(&record))?;
        }
    }
    Ok(out.flush()?)
}

fn tail(
    dir: &Path,
    count: usize,
    follow: bool,
    filter: &Filter,
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let mut reader = read(dir)?;
    let mut last = VecDeque::new();
    for record in &mut reader {
        let record = record?;
        if filter.matches(&record) {
            last.push_back(export::show(&record));
            if last.len() > count {
                last.pop_front();
            }
        }
    }
    for line in last {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    if !follow {
        return Ok(());
    }
    loop {
        sleep(FOLLOW_EVERY);
        print_new(&mut reader, filter, out)?;
    }
}
