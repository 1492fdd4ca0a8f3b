//! `lifeboat preflight`: could each step of a plan be done right now, from here, with these credentials?

use super::check::is_unicode;
use super::engine;
use crate::base::environment::Environment;
use crate::base::pool::Outside;
use crate::base::units;
use crate::cli::{Failure, block_on, say, too_few};
use crate::console::glyphs::{Glyph, Glyphs};
use crate::core::words::preflight::{Check, Checked, Preflight};
use crate::plan::Plan;
use crate::preflight::{self, NOT_SEEN};
use crate::world::World;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The widest name of a check that the others are aligned to.
const NAME_CHARS: usize = 28;

/// Look whether each step of a plan could be done right now, from here. Changes nothing; needs no engine.
#[derive(Debug, clap::Args)]
pub struct PreflightArgs {
    /// The plan: a file, or a folder with its .toml files.
    plan: PathBuf,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
    /// Warnings, and what cannot be checked, end with exit code 1 too.
    #[arg(long)]
    strict: bool,
    /// Draw with ASCII characters only.
    #[arg(long)]
    ascii: bool,
}

/// Looks, and prints what was found.
///
/// # Errors
/// When the plan cannot be used; exit code 2.
pub fn run(
    args: &PreflightArgs,
    environment: &Environment,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let plan = engine::read_plan(Some(&args.plan))?;
    let found = block_on(async {
        let world = engine::real_world(&plan, environment)?;
        let outside = Outside::start().map_err(too_few)?;
        Ok::<_, Failure>(preflight::run(&plan, &world as &dyn World, &outside.probes).await)
    })??;
    let glyphs = if is_unicode() && !args.ascii { Glyphs::Unicode } else { Glyphs::Ascii };
    let text =
        if args.json { format!("{:#}\n", as_json(&plan, &found)) } else { as_text(&plan, &found, glyphs) };
    say(out, &text)?;
    Ok(if passes(&found, args.strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn passes(found: &Preflight, strict: bool) -> bool {
    let tally = found.tally();
    tally.fail == 0 && !(strict && tally.warn + tally.not_checkable > 0)
}

fn as_text(plan: &Plan, found: &Preflight, glyphs: Glyphs) -> String {
    let mut text = String::new();
    let names = found.checks().map(|(_, check)| check.what.chars().count());
    let width = names.max().unwrap_or(0).min(NAME_CHARS);
    for region in &found.regions {
        let _ = writeln!(text, "{}", region.region);
        region.checks.iter().for_each(|check| write_check(&mut text, check, width, glyphs));
    }
    let mut runbook = None;
    for step in &found.steps {
        if runbook != Some(&step.runbook) {
            runbook = Some(&step.runbook);
            let title = plan.runbooks.get(&step.runbook).map_or("", |runbook| &runbook.title);
            let _ = writeln!(text, "{}: {title}", step.runbook);
        }
        let _ = writeln!(text, "  {}: {} ({})", step.step, step.title, step.action);
        step.checks.iter().for_each(|check| write_check(&mut text, check, width, glyphs));
    }
    for not_seen in NOT_SEEN {
        let _ = writeln!(text, "not seen: {not_seen}");
    }
    let _ = writeln!(text, "{} in {}", found.tally(), units::duration(found.took));
    text
}

fn write_check(text: &mut String, check: &Check, width: usize, glyphs: Glyphs) {
    let glyph = glyphs.get(glyph(&check.result));
    let (word, seen) = (check.result.word(), check.result.seen());
    let _ = writeln!(text, "    {glyph} {word:<13}  {:<width$}  {seen}", check.what);
    if !check.next.is_empty() {
        let _ = writeln!(text, "      next: {}", check.next);
    }
}

fn glyph(result: &Checked) -> Glyph {
    match result {
        Checked::Pass(_) => Glyph::Ok,
        Checked::Warn(_) => Glyph::Warn,
        Checked::Fail(_) => Glyph::Failed,
        Checked::NotCheckable(_) => Glyph::Unknown,
    }
}

/// The shape is documented in the book; scripts rely on it.
fn as_json(plan: &Plan, found: &Preflight) -> Value {
    let checks = |checks: &[Check]| -> Vec<Value> {
        let row = |check: &Check| {
            json!({
                "what": check.what,
                "result": check.result.word().replace(' ', "-"),
                "seen": check.result.seen(),
                "next": check.next,
            })
        };
        checks.iter().map(row).collect()
    };
    let regions = found.regions.iter().map(|of| json!({ "region": of.region, "checks": checks(&of.checks) }));
    let steps = found.steps.iter().map(|of| {
        json!({
            "runbook": of.runbook.as_str(),
            "step": of.step.as_str(),
            "title": of.title,
            "action": of.action,
            "checks": checks(&of.checks),
        })
    });
    json!({
        "plan": plan.name,
        "digest": plan.digest,
        "at": found.at,
        "took_s": found.took.as_secs_f64(),
        "simulated": found.simulated,
        "tally": found.tally(),
        "failing": found.failing(),
        "regions": regions.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
        "not_seen": NOT_SEEN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::words::preflight::RegionChecks;
    use jiff::{SignedDuration, Timestamp};

    fn found(checks: Vec<Check>) -> Preflight {
        let regions = vec![RegionChecks { region: "us-west-2".into(), checks }];
        let (at, took) = (Timestamp::UNIX_EPOCH, SignedDuration::ZERO);
        Preflight { at, took, simulated: None, regions, steps: Vec::new() }
    }

    #[test]
    fn only_failures_fail_unless_it_is_strict() {
        let warned = found(vec![Check::pass("a", ""), Check::warn("b", "", "")]);
        let open = found(vec![Check::not_checkable("c", "denied")]);
        assert!(passes(&warned, false) && passes(&open, false));
        assert!(!passes(&warned, true) && !passes(&open, true));
        assert!(!passes(&found(vec![Check::fail("d", "", "")]), false));
    }
}
