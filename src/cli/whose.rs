//! Whose a state folder is: one that was named may be another plan's, by a slip or by a variable that was left set.

use super::{Failure, PlanArgs, place};
use crate::base::text::clean;
use crate::engine::paths::StateFolder;
use crate::engine::{plan_file, replay};
use crate::plan::load;
use std::path::Path;

/// The longest name that is shown, in characters.
const NAME_CHARS: usize = 80;
/// The longest path that is shown, in characters.
const PATH_CHARS: usize = 300;
/// The longest reason that is shown, in characters.
const WHY_CHARS: usize = 400;

impl PlanArgs {
    /// Refuses the state of the plan `found`, where the named folder is meant for another. The plan's own folder, and the
    /// one whose engine reads this very file, is its own whatever the plan is called by now.
    ///
    /// # Errors
    /// Whose it is, and what to do; or why that cannot be told.
    pub(super) fn expect_own(&self, found: &str) -> Result<(), Failure> {
        let Some(named) = &self.state else { return Ok(()) };
        let folder = StateFolder::of_plan(Some(named), Path::new(""), &self.plan);
        if place::state_folder(None, &self.plan).is_ok_and(|own| own == folder) {
            return Ok(());
        }
        let whose = format!("the state folder {} is of {}", folder.path().display(), of(found, &folder));
        let name = match name_of(&self.plan) {
            Ok(name) if name == found => return Ok(()),
            Ok(name) => name,
            Err(_) if is_read_by(&folder, &self.plan) => return Ok(()),
            Err(why) => {
                let what = format!(
                    "{whose}, and whether {} is that plan cannot be told: {why}",
                    self.plan.display()
                );
                return Err(Failure::new(what, UNREAD_NEXT));
            }
        };
        if self.renamed_from.as_deref() == Some(found) {
            return Ok(());
        }
        let found = clean(found, NAME_CHARS);
        let what =
            format!("{whose}, and {} is the plan \"{}\"", self.plan.display(), clean(&name, NAME_CHARS));
        let next = format!(
            "Name this plan's own folder with --state, or leave --state and LIFEBOAT_STATE out. Where the plan was \
             renamed, say so once when its engine is started: --renamed-from \"{found}\"; the journal records it."
        );
        Err(Failure::new(what, next))
    }

    /// The same for what the folder's journal says; the name that the plan had before, where it has another now.
    ///
    /// # Errors
    /// As [`PlanArgs::expect_own`].
    pub(super) fn expect_own_journal(&self, folder: &StateFolder) -> Result<Option<String>, Failure> {
        let Some(found) = replay::plan_name(&folder.journal()) else { return Ok(None) };
        self.expect_own(&found)?;
        Ok(Some(found))
    }
}

/// A plan by its name, and by its file where the folder's engine noted it: two plans may have one name.
pub(super) fn of(name: &str, folder: &StateFolder) -> String {
    let file =
        plan_file::of(folder).map(|file| format!(" ({})", clean(&file.display().to_string(), PATH_CHARS)));
    format!("the plan \"{}\"{}", clean(name, NAME_CHARS), file.unwrap_or_default())
}

/// Whether the engine of a folder read its plan from there.
pub(super) fn is_read_by(folder: &StateFolder, plan: &Path) -> bool {
    plan_file::of(folder).is_some_and(|file| file == plan_file::place_of(plan))
}

/// The plan's name; of one with problems as its files have it.
///
/// # Errors
/// Why they do not tell, in words.
fn name_of(plan: &Path) -> Result<String, String> {
    let problems = match load(plan, &crate::providers::registry()) {
        Ok(loaded) => return Ok(loaded.plan.name),
        Err(problems) => problems,
    };
    let mut why = match problems.of_unread() {
        Some((file, why)) => format!("{file}: {why}"),
        None => format!("{} has no `name` in its table [plan]", plan.display()),
    };
    for file in &problems.sources().0 {
        match file.text.parse::<toml::Table>() {
            Ok(table) => {
                let name = table.get("plan").and_then(|plan| plan.get("name")?.as_str());
                // One that is filled in cannot be told without the rest of the plan.
                if let Some(name) = name.filter(|name| !name.contains("{{")) {
                    return Ok(name.to_owned());
                }
            }
            Err(error) => why = format!("{} is no TOML: {}", file.path, error.message()),
        }
    }
    Err(clean(&why, WHY_CHARS))
}

const UNREAD_NEXT: &str = "Check the plan's path, and `lifeboat check` it. Name its own folder with --state, or leave --state \
                           and LIFEBOAT_STATE out.";
