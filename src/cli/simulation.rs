//! A simulated world from the command line: scenario, speed, and a state folder that is thrown away.

use super::Failure;
use crate::base::environment::Environment;
use crate::plan::Plan;
use crate::simulation::scenario::{GENERIC, Scenario, Shipped};
use crate::simulation::{demo, scenario};
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

/// The scenarios that the demo has, or that any plan can be rehearsed with.
fn known(is_demo: bool) -> impl Iterator<Item = &'static Shipped> {
    let own: &[Shipped] = if is_demo { demo::SCENARIOS } else { &[] };
    let others = GENERIC.iter().filter(|generic| own.iter().all(|own| own.name != generic.name));
    own.iter().chain(others)
}

/// Each scenario by its name with what happens in it, a line each, for the help.
pub(super) fn scenarios(is_demo: bool) -> String {
    let width = known(is_demo).map(|shipped| shipped.name.len()).max().unwrap_or(0);
    let lines = known(is_demo).map(|shipped| format!("\n  {:<width$}  {}", shipped.name, shipped.title()));
    let default =
        if is_demo { format!(" (without --scenario: {})", demo::DEFAULT_SCENARIO) } else { String::new() };
    let own = "The page \"Demo and rehearsal\" of the book tells how to write one of your own.";
    format!("Scenarios{default}:{}\n\n{own}", lines.collect::<String>())
}

/// That there is no such scenario, with those that there are.
fn unknown(wanted: &str, is_demo: bool) -> Failure {
    let names: Vec<&str> = known(is_demo).map(|shipped| shipped.name).collect();
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

/// Where a demo or a rehearsal keeps its state while it is played.
#[derive(Debug)]
pub(super) struct Stage {
    /// The state folder.
    pub folder: PathBuf,
    /// It stays afterwards.
    pub kept: bool,
}

impl Stage {
    /// The folder that is to be kept, or one that is thrown away.
    ///
    /// # Errors
    /// When it cannot be made, or what is to be kept would be mixed with something else.
    pub fn set(what: &str, keep: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        match keep {
            Some(folder) => Ok(Self { folder: empty_folder(folder)?, kept: true }),
            None => Ok(Self { folder: throwaway_folder(what, environment)?, kept: false }),
        }
    }
}

/// The folder that was named, made where there is none; what lies in it is never mixed with a simulation.
fn empty_folder(named: &Path) -> Result<PathBuf, Failure> {
    let folder = std::path::absolute(named).unwrap_or_else(|_| named.to_owned());
    let shown = folder.display();
    let failed = |error: std::io::Error| {
        let what = format!("the folder {shown} cannot be used to keep this: {error}");
        Failure::new(what, "Name another one with --keep.")
    };
    match std::fs::read_dir(&folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(folder),
        Ok(false) => {
            let what =
                format!("the folder {shown} is not empty, and nothing in it is mixed with a simulation");
            Err(Failure::new(what, "Name a new or an empty one with --keep."))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(parent) = folder.parent() {
                std::fs::create_dir_all(parent).map_err(failed)?;
            }
            std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
            Ok(folder)
        }
        Err(error) => Err(failed(error)),
    }
}

/// A new folder that only its owner can enter, for a state that nobody needs afterwards.
fn throwaway_folder(what: &str, environment: &Environment) -> Result<PathBuf, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_scenario_with_one_line_about_it() {
        let (demo, any) = (scenarios(true), scenarios(false));
        for shipped in demo::SCENARIOS.iter().chain(GENERIC) {
            let title = shipped.title();
            assert!((5..80).contains(&title.len()), "{}: {title}", shipped.name);
            assert!(!title.contains('\n'), "{}", shipped.name);
        }
        for shipped in known(true) {
            assert!(
                demo.lines().any(|line| line.starts_with(&format!("  {} ", shipped.name))
                    && line.ends_with(&shipped.title())),
                "{demo}"
            );
        }
        for shipped in GENERIC {
            assert!(any.contains(&shipped.title()), "{any}");
        }
        assert!(!any.contains("both-regions"), "only what fits any plan: {any}");
    }

    #[test]
    fn what_is_kept_is_kept_in_a_folder_that_was_empty() {
        let base = tempfile::tempdir().unwrap();
        let new = base.path().join("a").join("b");
        let stage = Stage::set("demo", Some(&new), &Environment::default()).unwrap();
        assert!(stage.kept && stage.folder.is_dir());
        assert!(Stage::set("demo", Some(&new), &Environment::default()).is_ok(), "empty as it is");
        std::fs::write(new.join("notes"), "mine").unwrap();
        let failure = Stage::set("demo", Some(&new), &Environment::default()).unwrap_err();
        assert!(failure.what.contains("is not empty"), "{failure}");
        let file = Stage::set("demo", Some(&new.join("notes")), &Environment::default()).unwrap_err();
        assert!(file.what.contains("cannot be used"), "{file}");
    }
}
