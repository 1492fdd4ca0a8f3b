//! Secrets in files: one file per secret in one folder, readable by its owner only.

use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::name::SecretName;
use super::value::MAX_SECRET_BYTES;

/// Why a secret's file could not be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileError {
    /// There is no such file.
    Absent,
    /// There is one, and it must not or cannot be used.
    Unusable { why: String, next_step: String },
}

impl FileError {
    fn unusable(why: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self::Unusable { why: why.into(), next_step: next_step.into() }
    }
}

/// The file of a secret.
pub(super) fn path_of(folder: &Path, name: &SecretName) -> PathBuf {
    folder.join(name.as_str())
}

/// Reads a secret's file. Symbolic links are followed (mounted secrets are links); the mode and owner of what
/// they lead to are checked on the opened file, so nothing can be exchanged in between.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, FileError> {
    // NONBLOCK: opening a FIFO must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file: File = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(rustix::io::Errno::NOENT) => return Err(FileError::Absent),
        Err(error) => {
            let next_step = format!("check the rights with `namei -l {}`", quoted(path));
            return Err(FileError::unusable(std::io::Error::from(error).to_string(), next_step));
        }
    };
    check(path, &file, rustix::process::geteuid().as_raw())?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 1));
    let read = file.take(MAX_SECRET_BYTES as u64 + 1).read_to_end(&mut bytes);
    if let Err(error) = read {
        return Err(FileError::unusable(
            error.to_string(),
            format!("check the file with `ls -l {}`", quoted(path)),
        ));
    }
    text_of(&bytes).map(Zeroizing::new).map_err(|why| {
        FileError::unusable(why, format!("put the secret alone, as text, into {}", quoted(path)))
    })
}

/// Text without the byte order mark and the line ends that editors and `echo` leave around it; a text of several lines
/// keeps all but the last line end. Also used for what commands print.
pub(crate) fn text_of(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() > MAX_SECRET_BYTES {
        return Err(format!("it is longer than {MAX_SECRET_BYTES} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(without_ends(text).to_owned())
}

/// As [`text_of`], of what is text already.
pub(super) fn without_ends(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.trim_end_matches(['\n', '\r']);
    if !line.contains(['\n', '\r']) {
        return line;
    }
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Only its owner may read it, and the owner is this user or root. Root may share a file with one group.
fn check(path: &Path, file: &File, user: u32) -> Result<(), FileError> {
    let metadata = file
        .metadata()
        .map_err(|error| FileError::unusable(error.to_string(), format!("check {}", quoted(path))))?;
    if !metadata.is_file() {
        return Err(FileError::unusable(
            "it is not a regular file",
            format!("replace {} by a file that holds the secret", quoted(path)),
        ));
    }
    let mode = metadata.mode() & 0o777;
    let owner = metadata.uid();
    if owner != user && owner != 0 {
        return Err(FileError::unusable(
            format!("it belongs to another user (id {owner})"),
            format!("run `chown {user} {}` as root", quoted(path)),
        ));
    }
    let shared_by_root = owner == 0 && user != 0 && mode & 0o037 == 0;
    if mode & 0o077 != 0 && !shared_by_root {
        return Err(FileError::unusable(
            format!("others than its owner can use it (mode {mode:04o})"),
            format!("run `chmod 600 {}`, and change the secret if others may have read it", quoted(path)),
        ));
    }
    Ok(())
}

/// Writes a secret's file.
pub(super) fn write(folder: &Path, name: &SecretName, value: &str) -> Result<PathBuf, std::io::Error> {
    // A dot cannot stand in a secret's name, so the temporary file is never one.
    write_named(folder, name.as_str(), value)
}

/// Writes a file with mode 0600, whole or not at all; makes the folder with mode 0700.
pub(crate) fn write_named(folder: &Path, name: &str, value: &str) -> Result<PathBuf, std::io::Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join(name);
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    let written = write_new(&temporary, value).and_then(|()| std::fs::rename(&temporary, &path));
    if written.is_err() {
        // The first failure is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    File::open(folder)?.sync_all()?;
    Ok(path)
}

fn write_new(path: &Path, value: &str) -> Result<(), std::io::Error> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file: File = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?.into();
    file.write_all(value.as_bytes())?;
    file.sync_all()
}

/// Removes a secret's file; false when there was none.
pub(super) fn remove(folder: &Path, name: &SecretName) -> Result<bool, std::io::Error> {
    match std::fs::remove_file(path_of(folder, name)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The names in the folder; files whose names are not a secret's are passed over.
pub(super) fn names(folder: &Path) -> Result<Vec<SecretName>, std::io::Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Some(name) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The path as a shell would take it, for commands that the operator copies.
fn quoted(path: &Path) -> String {
    let text = crate::base::text::clean(&path.display().to_string(), 4096);
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn file_with(folder: &Path, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn unusable(path: &Path) -> (String, String) {
        match read(path) {
            Err(FileError::Unusable { why, next_step }) => (why, next_step),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_private() {
        let folder = folder();
        let secrets = folder.path().join("new/secrets");
        let name = "db".parse().unwrap();
        let path = write(&secrets, &name, "hunter22").unwrap();
        let path_again = write(&secrets, &name, "hunter33").unwrap();
        assert_eq!(path, path_again);
        assert_eq!(read(&path).unwrap().as_str(), "hunter33");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(secrets.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(names(&secrets).unwrap(), std::slice::from_ref(&name), "no temporary file is left");
        assert!(remove(&secrets, &name).unwrap());
        assert!(!remove(&secrets, &name).unwrap());
        assert_eq!(read(&path), Err(FileError::Absent));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_that_helps() {
        let folder = folder();
        for mode in [0o640, 0o604, 0o620, 0o644, 0o777] {
            let path = file_with(folder.path(), "it's", b"hunter22", mode);
            let (why, next_step) = unusable(&path);
            assert!(why.contains(&format!("{mode:04o}")), "{why}");
            assert!(next_step.starts_with("run `chmod 600 '"), "{next_step}");
            assert!(next_step.contains(r"it'\''s"), "{next_step}");
        }
        assert!(read(&file_with(folder.path(), "ok", b"hunter22", 0o400)).is_ok());
    }

    #[test]
    fn root_may_share_a_file_with_one_group_and_nobody_else_may() {
        let folder = folder();
        let path = file_with(folder.path(), "shared", b"hunter22", 0o640);
        let file = File::open(&path).unwrap();
        let owner = file.metadata().unwrap().uid();
        if owner == 0 {
            assert_eq!(check(&path, &file, 1000), Ok(()));
        }
        assert!(check(&path, &file, owner).is_err());
        let private = file_with(folder.path(), "private", b"hunter22", 0o600);
        let file = File::open(&private).unwrap();
        assert_eq!(check(&private, &file, owner), Ok(()));
        assert_eq!(check(&private, &file, 4242).is_ok(), owner == 0, "another user's file is refused");
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_the_secret() {
        let folder = folder();
        let read_of = |content: &[u8]| read(&file_with(folder.path(), "s", content, 0o600)).unwrap();
        assert_eq!(read_of(b"hunter22\n").as_str(), "hunter22");
        assert_eq!(read_of(b"hunter22\r\n").as_str(), "hunter22");
        assert_eq!(read_of(b" a\nb \n\n").as_str(), " a\nb \n");
    }

    #[test]
    fn too_large_binary_folders_and_pipes_are_refused_at_once() {
        let folder = folder();
        let large = file_with(folder.path(), "large", &vec![b'x'; MAX_SECRET_BYTES + 1], 0o600);
        assert!(unusable(&large).0.contains("65536 bytes"));
        let binary = file_with(folder.path(), "binary", b"\xff\xfe", 0o600);
        assert!(unusable(&binary).0.contains("UTF-8"));
        assert!(unusable(folder.path()).0.contains("not a regular file"));
        let fifo = folder.path().join("fifo");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(unusable(&fifo).0.contains("not a regular file"));
    }

    #[test]
    fn the_target_of_a_symbolic_link_is_what_is_checked() {
        let folder = folder();
        let open = file_with(folder.path(), "open", b"hunter22", 0o644);
        let closed = file_with(folder.path(), "closed", b"hunter22", 0o600);
        let link = folder.path().join("link");
        symlink(&open, &link).unwrap();
        assert!(unusable(&link).0.contains("0644"));
        std::fs::remove_file(&link).unwrap();
        symlink(&closed, &link).unwrap();
        assert_eq!(read(&link).unwrap().as_str(), "hunter22");
        std::fs::remove_file(&link).unwrap();
        symlink(&link, &link).unwrap();
        assert!(!unusable(&link).0.is_empty());
    }
}
