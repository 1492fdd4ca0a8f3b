//! `lifeboat plan`: the resolved plan, the JSON schema of plans, and their reference.

use super::check::{detect_style, finish, is_unicode};
use crate::base::text::Printer;
use crate::base::toml::render::{self, Style};
use crate::cli::EXIT_USAGE;
use crate::core::words::status::table;
use crate::plan::{Plan, Registry, load, reference, schema, show};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Look at a plan, and at what plans can hold.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(subcommand)]
    command: PlanCommand,
}

#[derive(Debug, Subcommand)]
enum PlanCommand {
    /// Print the resolved plan: the tree, and each runbook with its exact calls.
    Show {
        /// A plan file, or a folder with a plan's .toml files.
        plan: PathBuf,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
        /// Draw with ASCII characters only.
        #[arg(long)]
        ascii: bool,
    },
    /// Print a JSON schema of plan files, for editors.
    Schema,
    /// Print the reference of everything that a plan can hold, as Markdown.
    Reference {
        /// Write it to this file instead.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print what can happen to a step in each of its states, as Markdown.
    Table {
        /// Write it to this file instead.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// How `lifeboat plan` draws.
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    /// How problems are drawn; none for a line each.
    pub problems: Option<Style>,
    /// Whether box-drawing characters can be used.
    pub unicode: bool,
}

/// Runs `lifeboat plan`: what was asked for goes to `out`, problems of the plan to `err`.
pub fn run(
    args: &PlanArgs,
    drawing: Drawing,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<ExitCode> {
    let registry = crate::providers::registry();
    match &args.command {
        PlanCommand::Show { plan, json, ascii } => {
            let loaded = match load(plan, &registry) {
                Ok(loaded) => loaded,
                Err(problems) => {
                    let drawn = match drawing.problems {
                        Some(style) => render::graphical(&problems, style),
                        None => render::plain(&problems),
                    };
                    err.write_all(drawn.as_bytes())?;
                    return Ok(ExitCode::from(EXIT_USAGE));
                }
            };
            if *json {
                serde_json::to_writer_pretty(&mut *out, &resolved(&loaded.plan, &registry)?)?;
                writeln!(out)?;
            } else {
                let text = show::show(&loaded.plan, &registry, drawing.unicode && !ascii);
                out.write_all(text.as_bytes())?;
            }
        }
        PlanCommand::Schema => {
            serde_json::to_writer_pretty(&mut *out, &schema::schema(&registry))?;
            writeln!(out)?;
        }
        PlanCommand::Reference { output } => page(&reference::reference(&registry), output.as_deref(), out)?,
        PlanCommand::Table { output } => page(&table::markdown(), output.as_deref(), out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A page of the book, to a file or to `out`.
fn page(text: &str, file: Option<&Path>, out: &mut dyn Write) -> io::Result<()> {
    let Some(file) = file else { return out.write_all(text.as_bytes()) };
    std::fs::write(file, text).map_err(|error| {
        io::Error::new(error.kind(), format!("{} cannot be written: {error}", file.display()))
    })
}

/// The plan with the exact call of each step, by runbook and step.
fn resolved(plan: &Plan, registry: &Registry) -> io::Result<Value> {
    let mut calls = Map::new();
    for (id, runbook) in &plan.runbooks {
        let call = |step: &crate::plan::Step| {
            let kind = registry.action(&step.action)?;
            Some((step.id.to_string(), json!((kind.call)(&step.params))))
        };
        calls.insert(id.to_string(), Value::Object(runbook.steps.values().filter_map(call).collect()));
    }
    Ok(json!({ "plan": serde_json::to_value(plan)?, "calls": calls }))
}

/// `lifeboat plan` on standard output and standard error.
pub fn main(args: &PlanArgs) -> io::Result<ExitCode> {
    let drawing = Drawing { problems: detect_style(), unicode: is_unicode() };
    finish(run(
        args,
        drawing,
        &mut Printer::styled(io::stdout().lock()),
        &mut Printer::styled(io::stderr().lock()),
    ))
}
