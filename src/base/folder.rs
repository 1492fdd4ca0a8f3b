//! A folder that is opened once: whose it is, is asked of the open folder, and its files are reached through it. What
//! somebody puts in its place afterwards, and links that lie in it, lead nowhere else.

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const GROUP_WRITES: u32 = 0o020;
const ALL_WRITE: u32 = 0o002;

/// An open folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    open: Arc<OwnedFd>,
}

/// Whose a file or folder is, and what its mode lets others do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The mode bits, without the kind of the file.
    pub mode: u32,
}

impl From<&Stat> for Owner {
    fn from(found: &Stat) -> Self {
        Self { uid: found.st_uid, gid: found.st_gid, mode: found.st_mode & 0o7777 }
    }
}

impl Owner {
    /// Whether another than the owner and root may write.
    pub fn lets_others_write(&self) -> bool {
        let by_group = self.mode & GROUP_WRITES != 0 && !is_private_group(self.uid, self.gid);
        self.mode & ALL_WRITE != 0 || by_group
    }

    /// Whether it is this user's own, or root's.
    pub fn is_own(&self) -> bool {
        self.uid == 0 || self.uid == rustix::process::geteuid().as_raw()
    }
}

impl Folder {
    /// Opens the folder at `path`. Where the last part of the path is a symbolic link it is refused: somebody else may
    /// have laid it.
    ///
    /// # Errors
    /// When it is no folder, or may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Behind a slash or a dot at the end the system would follow a link all the same.
        let path: PathBuf = path.components().collect();
        let is_link = || std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
        match Self::open_as(&path, OFlags::NOFOLLOW) {
            Err(_) if is_link() => {
                Err(io::Error::other("it is a symbolic link; name the folder that it leads to"))
            }
            opened => opened,
        }
    }

    /// Opens a folder that is only read, also through a link: whoever named it knows where it is.
    ///
    /// # Errors
    /// When it is no folder, or may not be read.
    pub fn follow(path: &Path) -> io::Result<Self> {
        Self::open_as(path, OFlags::empty())
    }

    fn open_as(path: &Path, more: OFlags) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
        let open = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { path: path.to_owned(), open: Arc::new(open) })
    }

    /// Makes the folder where it is missing, for its owner alone, and opens it.
    ///
    /// # Errors
    /// When it cannot be made or opened, belongs to somebody else, or others may write to it.
    pub fn make_own(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let folder = Self::open(path)?;
        folder.expect_own()?;
        if folder.owner()?.lets_others_write() {
            let mode = folder.owner()?.mode;
            return Err(io::Error::other(format!(
                "others may write to it (mode {mode:04o}) and put files in the place of yours; `chmod go-w` it, once \
                 you know what is in it"
            )));
        }
        Ok(folder)
    }

    /// Refuses a folder that is neither this user's nor root's.
    ///
    /// # Errors
    /// When it is somebody else's, with whose.
    pub fn expect_own(&self) -> io::Result<()> {
        expect_own(self.owner()?)
    }

    /// The path under which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose it is.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn owner(&self) -> io::Result<Owner> {
        Ok(Owner::from(&rustix::fs::fstat(&*self.open)?))
    }

    /// Whether the folder at `path` is this very one.
    pub fn is_at(&self, path: &Path) -> bool {
        let here = rustix::fs::fstat(&*self.open).ok();
        let there = rustix::fs::stat(path).ok();
        here.zip(there)
            .is_some_and(|(here, there)| (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino))
    }

    /// Whether it was deleted: no name leads to it any more.
    pub fn is_deleted(&self) -> bool {
        rustix::fs::fstat(&*self.open).is_ok_and(|found| found.st_nlink == 0)
    }

    /// What lies in it under a name, itself where it is a link; none when there is nothing.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn look_at(&self, name: &str) -> io::Result<Option<(FileType, Owner)>> {
        match rustix::fs::statat(&*self.open, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some((FileType::from_raw_mode(found.st_mode), Owner::from(&found)))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a regular file in it: no link, no pipe, no device, and without waiting for anybody. A new one gets `mode`.
    ///
    /// # Errors
    /// When it cannot be opened or is something else.
    pub fn file(&self, name: &str, flags: OFlags, mode: u32) -> io::Result<File> {
        let no_file = |kind| Err(io::Error::other(format!("it is {kind} and no file")));
        match self.look_at(name)? {
            Some((FileType::Symlink, _)) => return no_file("a symbolic link"),
            Some((FileType::Fifo, _)) => return no_file("a pipe"),
            _ => {}
        }
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_bits_truncate(mode);
        let file = File::from(rustix::fs::openat(&*self.open, name, flags, mode)?);
        if !file.metadata()?.is_file() {
            return no_file("a folder or a device");
        }
        Ok(file)
    }

    /// As [`Folder::file`], and it must be this user's own or root's.
    ///
    /// # Errors
    /// As [`Folder::file`], and when it is somebody else's.
    pub fn own_file(&self, name: &str, flags: OFlags, mode: u32) -> io::Result<File> {
        let file = self.file(name, flags, mode)?;
        expect_own(Owner::from(&rustix::fs::fstat(&file)?))?;
        Ok(file)
    }

    /// Removes a name from it.
    ///
    /// # Errors
    /// When there is something under it that cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&*self.open, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it that are text.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&*self.open)? {
            names.extend(entry?.file_name().to_str().ok().map(str::to_owned));
        }
        Ok(names)
    }

    /// The same folder, opened anew: a lock on it belongs to that opening alone.
    ///
    /// # Errors
    /// When it may not be read any more.
    pub fn again(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&*self.open, ".", flags, Mode::empty())?))
    }

    /// Makes its entries durable.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&*self.open)?)
    }

    /// A path to a file in it for calls that take nothing but paths, such as those of sockets: through the open folder
    /// where the system has `/proc`, which is also short however long the folder's own path is.
    pub fn path_through(&self, name: &str) -> PathBuf {
        if has_proc() {
            PathBuf::from(format!("/proc/self/fd/{}/{name}", self.open.as_raw_fd()))
        } else {
            self.path.join(name)
        }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.open.as_fd()
    }
}

/// Where an open file or folder of this process is now, if it was moved; none where the system does not say, or it was
/// deleted.
pub fn place_of(open: impl AsFd) -> Option<PathBuf> {
    let place = std::fs::read_link(format!("/proc/self/fd/{}", open.as_fd().as_raw_fd())).ok()?;
    (!place.as_os_str().as_encoded_bytes().ends_with(b" (deleted)")).then_some(place)
}

/// Whether open files of this process have paths of their own.
pub fn has_proc() -> bool {
    Path::new("/proc/self/fd").is_dir()
}

fn expect_own(owner: Owner) -> io::Result<()> {
    if owner.is_own() {
        return Ok(());
    }
    let (theirs, own) = (user(owner.uid), user(rustix::process::geteuid().as_raw()));
    Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("it belongs to {theirs}, and you are {own}")))
}

/// A user by name and number.
pub fn user(uid: u32) -> String {
    format!("{} (user {uid})", name_of(uid))
}

/// The login name of a user, or the number where the system has no name for it.
pub fn name_of(uid: u32) -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid));
    user.ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

/// Whether a group has nobody in it but that user: systems that give each user such a group let it write by default.
fn is_private_group(uid: u32, gid: u32) -> bool {
    let group = nix::unistd::Group::from_gid(nix::unistd::Gid::from_raw(gid)).ok().flatten();
    let name = name_of(uid);
    group.is_some_and(|group| group.name == name && group.mem.iter().all(|member| *member == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_link_in_the_place_of_the_folder_or_of_a_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        for path in [link.clone(), link.join("."), PathBuf::from(format!("{}/", link.display()))] {
            let error = Folder::open(&path).unwrap_err().to_string();
            assert!(error.contains("symbolic link"), "{error}");
        }
        std::fs::write(home.path().join("precious"), "kept").unwrap();
        symlink(home.path().join("precious"), real.join("lock")).unwrap();
        symlink(home.path().join("new"), real.join("dangling")).unwrap();
        let folder = Folder::open(&real).unwrap();
        for name in ["lock", "dangling"] {
            let error = folder.file(name, OFlags::RDWR | OFlags::CREATE, 0o600).unwrap_err().to_string();
            assert!(error.contains("symbolic link"), "{error}");
        }
        assert!(!home.path().join("new").exists());
        assert_eq!(std::fs::read_to_string(home.path().join("precious")).unwrap(), "kept");
    }

    #[test]
    fn what_is_no_file_is_refused_without_waiting_for_anybody() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        rustix::fs::mkfifoat(&folder, "pipe", Mode::RUSR | Mode::WUSR).unwrap();
        std::fs::create_dir(home.path().join("folder")).unwrap();
        for flags in [OFlags::RDONLY, OFlags::WRONLY | OFlags::APPEND] {
            assert!(folder.file("pipe", flags, 0).unwrap_err().to_string().contains("a pipe"));
            folder.file("folder", flags, 0).unwrap_err();
        }
    }

    #[test]
    fn the_open_folder_stays_the_one_that_was_checked() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        let folder = Folder::make_own(&path).unwrap();
        std::fs::write(path.join("file"), "right").unwrap();
        std::fs::rename(&path, home.path().join("moved")).unwrap();
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("file"), "wrong").unwrap();
        let mut text = String::new();
        folder.file("file", OFlags::RDONLY, 0).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "right");
        assert!(!folder.is_at(&path) && folder.is_at(&home.path().join("moved")));
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_made_ones_own() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        for mode in [0o777, 0o1777, 0o702] {
            Folder::make_own(&path).unwrap();
            chmod(&path, mode);
            let error = Folder::make_own(&path).unwrap_err().to_string();
            assert!(error.contains("chmod go-w"), "{mode:o}: {error}");
            chmod(&path, 0o755);
        }
        Folder::make_own(&path).unwrap();
    }

    #[test]
    fn the_group_that_each_user_has_alone_is_nobody_else() {
        let mode = 0o775;
        let alone = Owner { uid: 0, gid: 0, mode };
        assert!(!alone.lets_others_write(), "root's own group");
        assert!(Owner { gid: 100, ..alone }.lets_others_write(), "a group that is named otherwise");
        assert!(Owner { mode: 0o777, ..alone }.lets_others_write());
    }
}
