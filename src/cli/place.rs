//! Which plan, and where its engine keeps its state.

use super::{EXIT_USAGE, Failure, whose};
use crate::engine::paths::StateFolder;
use crate::providers::program::source::quoted;
use std::path::{Path, PathBuf};

/// A plan and its state folder.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// The plan: a file, or a folder with its .toml files.
    pub plan: PathBuf,
    /// Folder of the engine's state: journal, socket, log [default: the plan's own below the user's state folder].
    #[arg(long, value_name = "DIR", env = "LIFEBOAT_STATE")]
    pub state: Option<PathBuf>,
    /// The state folder that is named with --state was this plan's when it had this name.
    #[arg(long, value_name = "NAME")]
    pub renamed_from: Option<String>,
}

impl PlanArgs {
    /// The state folder.
    ///
    /// # Errors
    /// When none is named and the user has no home folder, or there is no such plan and none was there.
    pub fn state_folder(&self) -> Result<StateFolder, Failure> {
        let folder = state_folder(self.state.as_deref(), &self.plan)?;
        match self.state.is_none() || self.plan.exists() || whose::is_read_by(&folder, &self.plan) {
            true => Ok(folder),
            false => Err(no_plan(&self.plan)),
        }
    }

    /// What is typed to run a subcommand at this very place: with another state folder a second engine would begin.
    pub(super) fn command(&self, subcommand: &str) -> String {
        let mut words = vec!["lifeboat".to_owned(), subcommand.to_owned(), self.plan.display().to_string()];
        if let Some(state) = &self.state {
            words.extend(["--state".to_owned(), state.display().to_string()]);
        }
        quoted(&words)
    }
}

/// The folder that was named, or the plan's own.
///
/// # Errors
/// When none is named and the user has no home folder.
pub(super) fn state_folder(named: Option<&Path>, plan: &Path) -> Result<StateFolder, Failure> {
    if let Some(named) = named {
        return Ok(StateFolder::of_plan(Some(named), Path::new(""), plan));
    }
    let folders = directories::ProjectDirs::from("", "", "lifeboat").ok_or_else(|| {
        Failure::new("there is no home folder to keep the state in", "Name one with --state.")
    })?;
    let base = folders.state_dir().unwrap_or_else(|| folders.data_local_dir());
    let folder = StateFolder::of_plan(None, base, plan);
    // A plan that was taken away may leave an engine behind.
    if !plan.exists() && !folder.path().exists() {
        return Err(no_plan(plan));
    }
    Ok(folder)
}

fn no_plan(plan: &Path) -> Failure {
    let what = format!("there is no plan {}, and no state of an engine of it", plan.display());
    Failure::new(what, NO_PLAN_NEXT).with_code(EXIT_USAGE)
}

const NO_PLAN_NEXT: &str = "Name the plan's file, or the folder with its .toml files; its name is looked for from the \
                            folder that you are in. Where the engine was started with --state, name the same.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_attaches_again_names_the_state_folder_of_this_engine() {
        let place = |state: Option<&str>| PlanArgs {
            plan: "my plan".into(),
            state: state.map(PathBuf::from),
            renamed_from: None,
        };
        assert_eq!(place(None).command("open"), "lifeboat open 'my plan'");
        assert_eq!(place(Some("/srv/a b")).command("stop"), "lifeboat stop 'my plan' --state '/srv/a b'");
    }
}
