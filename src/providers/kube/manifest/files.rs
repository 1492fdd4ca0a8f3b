//! The texts of files, within bounds that are checked before they are read.

use crate::base::problem::Problem;
use std::fs;
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// All texts of one step.
pub const MAX_BYTES: u64 = 16 << 20;
/// Files of one step.
const MAX_FILES: usize = 200;
/// Entries of a folder that are looked at.
const MAX_ENTRIES: usize = 10_000;

/// A file with its text.
pub struct File {
    pub name: String,
    pub text: String,
}

/// Reads files, and of folders those that `kubectl` takes, in the order of their names.
///
/// # Errors
/// When one cannot be read, or all are more than a step may have.
pub fn read(paths: &[PathBuf]) -> Result<Vec<File>, Problem> {
    let mut files = Vec::new();
    let mut bytes = 0;
    for path in listed(paths)? {
        let text = text(&path, MAX_BYTES.saturating_sub(bytes))?;
        bytes += text.len() as u64;
        files.push(File { name: path.display().to_string(), text });
    }
    Ok(files)
}

fn listed(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut listed = Vec::new();
    for path in paths {
        let data = fs::metadata(path).map_err(|error| unread(path, &error))?;
        match data.is_dir() {
            true => listed.extend(folder(path)?),
            false => listed.push(path.clone()),
        }
        if listed.len() > MAX_FILES {
            let why = format!("these are more than {MAX_FILES} files");
            return Err(Problem::new(why, "Name a smaller folder, or make several steps of it."));
        }
    }
    Ok(listed)
}

fn folder(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = fs::read_dir(path).and_then(|all| {
        all.take(MAX_ENTRIES).map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut files = entries.map_err(|error| unread(path, &error))?;
    files.retain(|file| is_manifest(file) && file.is_file());
    files.sort();
    match files.is_empty() {
        true => {
            let why = format!("the folder {} holds no .yaml, .yml or .json file", path.display());
            Err(Problem::new(
                why,
                "Name the files, or another folder; folders within it are not looked into.",
            ))
        }
        false => Ok(files),
    }
}

fn is_manifest(file: &Path) -> bool {
    let is_visible = file.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'));
    is_visible && file.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
}

fn text(path: &Path, most: u64) -> Result<String, Problem> {
    // A pipe would never end.
    if !fs::metadata(path).is_ok_and(|data| data.is_file()) {
        return Err(Problem::new(format!("{} is no file", path.display()), "Name a file or a folder."));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| unread(path, &error))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| unread(path, &error))?;
    if bytes.len() as u64 > most {
        let why = format!("with {} the files have more than {} MB", path.display(), MAX_BYTES >> 20);
        return Err(Problem::new(why, "Make several steps of it."));
    }
    String::from_utf8(bytes)
        .map_err(|_| Problem::new(format!("{} is not UTF-8", path.display()), "Save it as UTF-8."))
}

fn unread(path: &Path, error: &Error) -> Problem {
    let why = match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        _ => error.to_string(),
    };
    Problem::new(
        format!("{} cannot be read: {why}", path.display()),
        "Put it there; a path of the plan begins at the plan's folder.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_folder_the_manifests_are_read_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", "c.json", "notes.md", ".hidden.yaml"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        fs::create_dir(folder.path().join("inner.yaml")).unwrap();
        let texts = |path: PathBuf| {
            read(&[path]).map(|files| files.into_iter().map(|file| file.text).collect::<Vec<_>>())
        };
        assert_eq!(texts(folder.path().to_owned()).unwrap(), ["a.yml", "b.yaml", "c.json"]);
        assert_eq!(texts(folder.path().join("notes.md")).unwrap(), ["notes.md"]);
        let empty = texts(folder.path().join("inner.yaml")).unwrap_err();
        assert!(empty.why.contains("holds no .yaml"), "{empty}");
        let missing = texts(folder.path().join("none")).unwrap_err();
        assert!(missing.why.contains("there is no such file or folder"), "{missing}");
    }

    #[test]
    fn more_than_a_step_may_have_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=MAX_FILES {
            fs::write(folder.path().join(format!("{number}.yaml")), "").unwrap();
        }
        let many = read(&[folder.path().to_owned()]).err().unwrap();
        assert!(many.why.contains("more than 200 files"), "{many}");
        let large = folder.path().join("large");
        fs::File::create(&large).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(read(&[large]).err().unwrap().why.contains("more than 16 MB"));
        let bad = folder.path().join("bad");
        fs::write(&bad, b"\xff").unwrap();
        assert!(read(&[bad, "/dev/null".into()]).err().unwrap().why.contains("not UTF-8"));
        assert!(read(&["/dev/null".into()]).err().unwrap().why.contains("is no file"));
    }
}
