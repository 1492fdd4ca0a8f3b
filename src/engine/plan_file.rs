//! The file that the plan of a state folder is read from: a name alone does not tell two plans apart, and of a plan that
//! cannot be read now nobody knows the name.

use crate::base::folder::Folder;
use crate::engine::paths::StateFolder;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What the note is called in a state folder.
const NAME: &str = "plan-file";
/// The longest path that Linux takes, in bytes.
const PATH_BYTES: u64 = 4_096;

/// The demo's plan is in no file, and has this name wherever somebody asks for it.
pub const DEMO: &str = "demo";

/// Where a plan is or was, by whatever path it is named: links are followed.
pub fn place_of(plan: &Path) -> PathBuf {
    if plan == Path::new(DEMO) && !plan.exists() {
        return plan.to_owned();
    }
    let absolute = std::path::absolute(plan).unwrap_or_else(|_| plan.to_owned());
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    let gone = || Some(folder?.join(absolute.file_name()?));
    absolute.canonicalize().ok().or_else(gone).unwrap_or(absolute)
}

/// Where the engine of a state folder last read its plan; none where that was not noted.
pub fn of(folder: &StateFolder) -> Option<PathBuf> {
    read(&folder.path().join(NAME))
}

fn read(note: &Path) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    File::open(note).ok()?.take(PATH_BYTES).read_to_end(&mut bytes).ok()?;
    (!bytes.is_empty()).then(|| OsString::from_vec(bytes).into())
}

/// Notes where the plan is read from; where it was read from before, if that was another file.
///
/// # Errors
/// When it cannot be written: then the old note, or none, stands.
pub(super) fn note(folder: &Folder, plan: &Path) -> io::Result<Option<PathBuf>> {
    let (note, plan) = (folder.path_through(NAME), place_of(plan));
    let before = read(&note).filter(|before| *before != plan);
    if before.is_some() || read(&note).is_none() {
        let new = folder.path_through(&format!("{NAME}.new"));
        fs::write(&new, plan.as_os_str().as_bytes())?;
        fs::rename(&new, &note)?;
    }
    Ok(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_found_from_every_folder() {
        assert_eq!(place_of(Path::new("demo")), Path::new("demo"));
        assert!(place_of(Path::new("another")).is_absolute());
    }

    #[test]
    fn another_file_is_told_once() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        let folder = Folder::make_own(&path).unwrap();
        let state = StateFolder::of_plan(Some(&path), Path::new(""), Path::new(""));
        let [first, second] = ["a.toml", "b.toml"].map(|name| place_of(home.path()).join(name));
        assert_eq!(of(&state), None);
        assert_eq!(note(&folder, &first).unwrap(), None);
        assert_eq!(of(&state).as_ref(), Some(&first));
        assert_eq!(note(&folder, &first).unwrap(), None);
        assert_eq!(note(&folder, &second).unwrap(), Some(first));
        assert_eq!(note(&folder, &second).unwrap(), None);
        assert_eq!(of(&state), Some(second));
    }
}
