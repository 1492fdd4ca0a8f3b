//! Whose a state folder is: one that was named may be another plan's, by a slip or by a variable that was left set.

use super::{Failure, Place, place};
use crate::engine::paths::StateFolder;
use crate::engine::replay;
use crate::plan::{Registry, load};
use crate::text::clean;
use std::path::Path;

/// The longest name that is shown, in characters.
const NAME_CHARS: usize = 80;

impl Place {
    /// Refuses the state of the plan `found`, where the named folder is meant for another. The plan's own folder is its
    /// own whatever the plan is called by now; of a plan that tells no name nobody can say.
    ///
    /// # Errors
    /// Whose it is, and what to do.
    pub(super) fn expect_own(&self, found: &str) -> Result<(), Failure> {
        let Some(named) = &self.state else { return Ok(()) };
        let folder = StateFolder::of_plan(Some(named), Path::new(""), &self.plan);
        if place::state_folder(None, &self.plan).is_ok_and(|own| own == folder) {
            return Ok(());
        }
        let Some(name) = name_of(&self.plan).filter(|name| name != found) else { return Ok(()) };
        if self.renamed_from.as_deref() == Some(found) {
            return Ok(());
        }
        let found = clean(found, NAME_CHARS);
        let what = format!(
            "the state folder {} is of the plan \"{found}\", and {} is the plan \"{}\"",
            folder.path().display(),
            self.plan.display(),
            clean(&name, NAME_CHARS)
        );
        let next = format!(
            "Name this plan's own folder with --state, or leave --state and LIFEBOAT_STATE out. Where the plan was \
             renamed, say so once when its engine is started: --renamed-from \"{found}\"; the journal records it."
        );
        Err(Failure::new(what, next))
    }

    /// The same for what the folder's journal says; the name that the plan had before, where it has another now.
    ///
    /// # Errors
    /// As [`Place::expect_own`].
    pub(super) fn expect_own_journal(&self, folder: &StateFolder) -> Result<Option<String>, Failure> {
        let Some(found) = replay::plan_name(&folder.journal()) else { return Ok(None) };
        self.expect_own(&found)?;
        Ok(Some(found))
    }
}

/// The plan's name; of one with problems as its files have it. None where they do not tell.
fn name_of(plan: &Path) -> Option<String> {
    if let Ok(loaded) = load(plan, &Registry::built_in()) {
        return Some(loaded.plan.name);
    }
    let files = match plan.is_dir() {
        true => std::fs::read_dir(plan).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        false => vec![plan.to_owned()],
    };
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let mut tables = texts.filter_map(|text| text.parse::<toml::Table>().ok());
    let name = tables.find_map(|table| Some(table.get("plan")?.get("name")?.as_str()?.to_owned()))?;
    // One that is filled in cannot be told without the rest of the plan.
    (!name.contains("{{")).then_some(name)
}
