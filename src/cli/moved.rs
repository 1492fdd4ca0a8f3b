//! An engine whose state folder was moved away: found by what it was started with.

use crate::engine::paths::StateFolder;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What an engine holds open in its state folder.
const HELD: &str = "journal/lock";

/// An engine without its state folder.
pub(super) struct Moved {
    /// The process.
    pub(super) pid: u32,
    /// Where the folder is now.
    pub(super) to: PathBuf,
}

/// The engine of this user that was started for a state folder which is somewhere else now; none where the folder is
/// there.
pub(super) fn away_from(folder: &StateFolder) -> Option<Moved> {
    if folder.path().exists() {
        return None;
    }
    let own = rustix::process::getuid().as_raw();
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let path = entry.ok()?.path();
        let pid = path.file_name()?.to_str()?.parse::<u32>().ok()?;
        Some((pid, path))
    });
    processes.filter(|(_, path)| fs::metadata(path).is_ok_and(|process| process.uid() == own)).find_map(
        |(pid, path)| {
            started_for(&path, folder)?;
            Some(Moved { pid, to: present(&path)? })
        },
    )
}

/// Whether a process was started as the engine of a state folder.
fn started_for(process: &Path, folder: &StateFolder) -> Option<()> {
    let words = |file: &str| -> Option<Vec<PathBuf>> {
        let text = fs::read(process.join(file)).ok()?;
        Some(text.split(|byte| *byte == 0).map(|word| PathBuf::from(OsStr::from_bytes(word))).collect())
    };
    let arguments = words("cmdline")?;
    let [_, subcommand, plan, ..] = &*arguments else { return None };
    if subcommand.as_os_str() != "engine" {
        return None;
    }
    let after = |flag: &str| arguments.iter().skip_while(|word| word.as_os_str() != flag).nth(1).cloned();
    let set = || words("environ")?.iter().find_map(|word| named(word, "LIFEBOAT_STATE="));
    let state =
        arguments.iter().find_map(|word| named(word, "--state=")).or_else(|| after("--state")).or_else(set);
    let from = fs::read_link(process.join("cwd")).unwrap_or_default();
    let its = match state {
        Some(state) => StateFolder::of_plan(Some(&from.join(state)), Path::new(""), Path::new("")),
        None => StateFolder::of_plan(None, folder.path().parent()?, &from.join(plan)),
    };
    (its == *folder).then_some(())
}

/// What follows a name in a word.
fn named(word: &Path, name: &str) -> Option<PathBuf> {
    let rest = word.as_os_str().as_bytes().strip_prefix(name.as_bytes())?;
    Some(PathBuf::from(OsStr::from_bytes(rest)))
}

/// Where the folder is that a process holds its journal in.
fn present(process: &Path) -> Option<PathBuf> {
    let held = fs::read_dir(process.join("fd")).ok()?;
    let links = held.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link.ends_with(HELD)).find_map(|link| Some(link.parent()?.parent()?.to_owned()))
}
