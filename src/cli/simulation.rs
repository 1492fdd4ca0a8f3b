//! A simulated world from the command line: scenario, speed, and a state folder that is thrown away.

use super::Failure;
use crate::clients::Environment;
use crate::plan::Plan;
use crate::world::scenario::{GENERIC, Shipped};
use crate::world::{Scenario, demo, scenario};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The scenario of that name, or in that file, for a plan. The demo plan has its own.
///
/// # Errors
/// When there is none, or its file does not fit the plan.
pub(super) fn find(wanted: &str, plan: &Plan, is_demo: bool) -> Result<Scenario, Failure> {
    let own = demo::scenario(wanted).filter(|_| is_demo);
    if let Some(shipped) = own.or_else(|| scenario::generic(wanted)) {
        return shipped.resolve(plan).map_err(|problems| {
            let what = format!("the scenario {wanted} does not fit this plan:\n{problems}");
            Failure::new(what, "Write one for it: the book has the format.")
        });
    }
    let path = Path::new(wanted);
    if !path.exists() {
        return Err(unknown(wanted, is_demo));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("the scenario {wanted} cannot be read: {error}"), "Check the file.")
    })?;
    Scenario::parse(&text, wanted, plan).map_err(|problems| Failure::new(problems, "Mend the scenario."))
}

/// That there is no such scenario, with those that there are.
fn unknown(wanted: &str, is_demo: bool) -> Failure {
    let own = if is_demo { demo::SCENARIOS } else { &[] };
    let others = GENERIC.iter().filter(|generic| own.iter().all(|own| own.name != generic.name));
    let names: Vec<&str> = own.iter().chain(others).map(|shipped: &Shipped| shipped.name).collect();
    let what = format!("there is no scenario {wanted}, and no such file");
    Failure::new(what, format!("Choose one of {}, or name a file.", names.join(", ")))
}

/// Whether a demo scenario of that name can be played; a file is looked at by the engine.
///
/// # Errors
/// When there is none.
pub(super) fn expect_demo(wanted: &str) -> Result<(), Failure> {
    let known = demo::scenario(wanted).is_some() || scenario::generic(wanted).is_some();
    if known || Path::new(wanted).exists() { Ok(()) } else { Err(unknown(wanted, true)) }
}

/// A new folder that only its owner can enter, for a state that nobody needs afterwards.
///
/// # Errors
/// When it cannot be made.
pub(super) fn throwaway_folder(what: &str, environment: &Environment) -> Result<PathBuf, Failure> {
    let base = environment.get("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let base = if base.is_dir() { base } else { std::env::temp_dir() };
    let moment = jiff::Timestamp::now().as_nanosecond();
    let folder = base.join(format!("lifeboat-{what}-{}-{moment:x}", std::process::id()));
    // Not recursive: a folder that is there already is somebody else's.
    std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|error| {
        let what = format!("the folder {} cannot be made: {error}", folder.display());
        Failure::new(what, "Check the space and permissions there, or set TMPDIR.")
    })?;
    Ok(folder)
}
