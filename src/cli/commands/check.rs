//! `lifeboat check`: every problem of a plan at once.

use crate::base::text::{Printer, clean};
use crate::base::toml::render::{self, Style};
use crate::cli::EXIT_USAGE;
use crate::console::glyphs::Glyphs;
use crate::console::theme::{ColourDepth, ColourEnvironment};
use crate::plan::{Diagnostics, Plan, load};
use clap::Args;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check plans and print every problem; exit code 1 when there are errors, 2 when a plan cannot be read.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Plan files, or folders with a plan's .toml files.
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<PathBuf>,
    /// Print the problems as one JSON array.
    #[arg(long)]
    json: bool,
    /// Exit code 1 on warnings too.
    #[arg(long)]
    deny_warnings: bool,
    /// Draw with ASCII characters only.
    #[arg(long)]
    ascii: bool,
}

/// Runs `lifeboat check` and writes to `out`. With a style the marked lines of the files are drawn; without one
/// each problem is a line, for logs and pipes.
pub fn run(args: &CheckArgs, style: Option<Style>, out: &mut dyn Write) -> io::Result<ExitCode> {
    let style = style.map(|style| Style { unicode: style.unicode && !args.ascii, ..style });
    let (mut failed, mut unread) = (false, false);
    let mut json = Vec::new();
    for path in &args.plans {
        let loaded = load(path, &crate::providers::registry());
        let (plan, problems) = match &loaded {
            Ok(loaded) => (Some(&loaded.plan), &loaded.warnings),
            Err(problems) => (None, problems),
        };
        unread |= problems.unread();
        failed |= plan.is_none() || problems.errors() > 0 || args.deny_warnings && !problems.is_empty();
        if args.json {
            json.extend(render::json(problems));
            continue;
        }
        let drawn = match style {
            Some(style) => render::graphical(problems, style),
            None => render::plain(problems),
        };
        out.write_all(drawn.as_bytes())?;
        writeln!(out, "{}", summary(path, plan, problems))?;
    }
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &json)?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(match (unread, failed) {
        (true, _) => ExitCode::from(EXIT_USAGE),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

fn summary(path: &Path, plan: Option<&Plan>, problems: &Diagnostics) -> String {
    let path = clean(&path.to_string_lossy(), 200);
    let warnings = match problems.warnings() {
        0 => String::new(),
        warnings => format!(", {}", count(warnings, "warning")),
    };
    let errors = || {
        let more = if problems.omitted() > 0 { " and more" } else { "" };
        format!("{}{more}{warnings}", count(problems.errors(), "error"))
    };
    let Some(plan) = plan else { return format!("{path}: {}", errors()) };
    if problems.errors() > 0 {
        return format!("{path}: {}; the plan can be used, without what is left out", errors());
    }
    let parts = [
        count(plan.regions.len(), "region"),
        count(plan.services.len(), "service"),
        count(plan.probes.len(), "probe"),
        count(plan.tree.questions.len(), "question"),
        count(plan.runbooks.len(), "runbook"),
    ];
    format!("{path}: good: {}{warnings}", parts.join(", "))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// How to draw on standard output; none where it is no terminal.
pub fn detect_style() -> Option<Style> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let read = |name| std::env::var(name).ok();
    let (term, colorterm, no_color) = (read("TERM"), read("COLORTERM"), read("NO_COLOR"));
    let depth = ColourDepth::detect(ColourEnvironment {
        term: term.as_deref(),
        colorterm: colorterm.as_deref(),
        no_color: no_color.as_deref(),
        choice: None,
    });
    let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
    Some(Style { color: depth != ColourDepth::None, unicode: is_unicode(), width })
}

/// Whether the locale takes box-drawing characters.
pub(in crate::cli) fn is_unicode() -> bool {
    let read = |name| std::env::var(name).ok();
    let (all, ctype, lang) = (read("LC_ALL"), read("LC_CTYPE"), read("LANG"));
    let dumb = read("TERM").is_some_and(|term| term == "dumb");
    !dumb && Glyphs::detect(all.as_deref(), ctype.as_deref(), lang.as_deref()) == Glyphs::Unicode
}

/// The exit code of a command that writes to standard output: a reader that went away has seen enough.
pub(in crate::cli) fn finish(outcome: io::Result<ExitCode>) -> io::Result<ExitCode> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => other,
    }
}

/// `lifeboat check` on standard output.
pub fn main(args: &CheckArgs) -> io::Result<ExitCode> {
    finish(run(args, detect_style(), &mut Printer::styled(io::stdout().lock())))
}
