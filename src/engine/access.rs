//! Who is on the other side. Who may attach to an engine: its user and root; with a group also its members, who then
//! see each other's work. Which engine a client believes: its own user's, root's, and another one's only where nobody
//! else could have put it there.

use crate::base::folder::{Folder, Owner, user};
use rustix::fs::{FileType, Gid, Mode, fchmod, fchown};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Mode of a state folder that is a group's to read. With the set-group-id bit what is made in it later belongs to the
/// group too; a folder is told by it to have been given to one.
const GROUP_FOLDER: u32 = 0o2750;
const STICKY: u32 = 0o1000;

/// A group of the system whose members may attach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group(u32);

impl Group {
    /// The group of that name.
    ///
    /// # Errors
    /// When the system has none.
    pub fn by_name(name: &str) -> io::Result<Self> {
        let found = nix::unistd::Group::from_name(name).map_err(io::Error::from)?;
        let found =
            found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the system has no such group"))?;
        Ok(Self(found.gid.as_raw()))
    }

    /// Gives an open file or folder to the group with these mode bits.
    ///
    /// # Errors
    /// When the system refuses: only root and members can give files to a group.
    pub fn give(self, open: impl AsFd, mode: u32) -> io::Result<()> {
        fchown(&open, None, Some(Gid::from_raw(self.0)))?;
        fchmod(&open, Mode::from_bits_truncate(mode))?;
        Ok(())
    }

    /// Its number.
    pub(super) fn id(self) -> Gid {
        Gid::from_raw(self.0)
    }
}

/// Opens the state folder, and makes it where it is missing: the user's alone, or with what will be made in it the
/// group's to read. One that was given to a group is taken back where none is named. Nothing is done in a folder of
/// somebody else, or to which others may write.
///
/// # Errors
/// When it cannot be made, is not this user's own, or cannot be given to the group.
pub fn make_folder(path: &Path, group: Option<Group>) -> io::Result<Folder> {
    let folder = Folder::make_own(path)?;
    match group {
        Some(group) => group.give(&folder, GROUP_FOLDER)?,
        None if folder.owner()?.mode == GROUP_FOLDER => {
            tracing::info!(path = %path.display(), "no group is named any more: its members cannot enter the state folder");
            fchmod(&folder, Mode::RWXU)?;
        }
        None => {}
    }
    Ok(folder)
}

/// Whether the engine behind a socket may be believed: one of somebody else could show anything, and take what is
/// typed. `engine` is the user at the other end, `own` this one, `folder` the socket's folder.
///
/// # Errors
/// When it may not, with why and whose it is.
pub fn trusted(engine: u32, own: u32, folder: &Folder, socket: Owner) -> io::Result<()> {
    let untrusted = |why: String| {
        let next = "name the state folder of your own engine with --state";
        Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{why}; {next}")))
    };
    let holder = folder.owner()?;
    let whose = format!("an engine of {} is behind it, and you are {}", user(engine), user(own));
    if socket.uid != engine {
        return untrusted(format!("{whose}; the socket itself belongs to {}", user(socket.uid)));
    }
    if ![engine, own, 0].contains(&holder.uid) {
        return untrusted(format!("its folder belongs to {}", user(holder.uid)));
    }
    if holder.lets_others_write() {
        return untrusted(format!("others may write to its folder (mode {:04o})", holder.mode));
    }
    if [own, 0].contains(&engine) {
        return Ok(());
    }
    let for_group = socket.mode & 0o060 == 0o060 && socket.mode & 0o007 == 0;
    if holder.uid != engine || !(for_group || own == 0) {
        return untrusted(whose);
    }
    match placed_by_another(folder, engine, own)? {
        None => Ok(()),
        Some(place) => untrusted(format!("{whose}; anybody could have put it there, by way of {place}")),
    }
}

/// The first folder above through which somebody else than root, this user or the engine's could have put the folder
/// there; none when nobody could. Within a sticky folder others cannot replace what is there, and yet whoever came
/// first made it: there the engine's own word does not count.
fn placed_by_another(folder: &Folder, engine: u32, own: u32) -> io::Result<Option<String>> {
    let path = std::fs::canonicalize(folder.path())?;
    if !folder.is_at(&path) {
        return Ok(Some(path.display().to_string()));
    }
    let known = |uid: u32| [engine, own, 0].contains(&uid);
    let above: Vec<&Path> = path.ancestors().collect();
    for pair in above.windows(2) {
        let inner = Owner::from(&rustix::fs::lstat(pair[0])?);
        let outer = Owner::from(&rustix::fs::lstat(pair[1])?);
        let kept = outer.mode & STICKY != 0 && [own, 0].contains(&inner.uid);
        if !known(inner.uid) || !known(outer.uid) || (outer.lets_others_write() && !kept) {
            return Ok(Some(pair[1].display().to_string()));
        }
    }
    Ok(None)
}

/// The folder of a socket, opened, and the socket's name in it.
///
/// # Errors
/// When the folder cannot be opened or is a link.
pub fn folder_of(socket: &Path) -> io::Result<(Folder, &str)> {
    let named = socket.parent().zip(socket.file_name().and_then(|name| name.to_str()));
    let (folder, name) = named.ok_or_else(|| io::Error::other("it is no path of a socket"))?;
    Ok((Folder::open(folder)?, name))
}

/// The socket in its folder; none when there is nothing under that name.
///
/// # Errors
/// When something else lies in its place.
pub fn socket_in(folder: &Folder, name: &str) -> io::Result<Option<Owner>> {
    match folder.look_at(name)? {
        Some((FileType::Socket, owner)) => Ok(Some(owner)),
        Some(_) => Err(io::Error::other("there is something in its place that is no socket")),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    /// A state folder of this user.
    struct Place {
        home: tempfile::TempDir,
        folder: Folder,
        own: u32,
    }

    impl Place {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            let folder = make_folder(&home.path().join("state"), None).unwrap();
            let own = folder.owner().unwrap().uid;
            Self { home, folder, own }
        }

        fn state(&self) -> PathBuf {
            self.home.path().join("state")
        }

        fn believed(&self) -> Result<(), String> {
            let socket = Owner { uid: self.own, gid: 0, mode: 0o600 };
            trusted(self.own, self.own, &self.folder, socket).map_err(|error| error.to_string())
        }
    }

    const STRANGER: u32 = 54_321;

    #[test]
    fn ones_own_engine_is_believed_only_in_a_folder_that_is_nobody_elses() {
        let place = Place::new();
        assert_eq!(place.believed(), Ok(()));
        for mode in [0o777, 0o1777] {
            std::fs::set_permissions(place.state(), std::fs::Permissions::from_mode(mode)).unwrap();
            let why = place.believed().unwrap_err();
            assert!(why.contains("others may write"), "{why}");
        }
    }

    #[test]
    fn root_does_not_believe_the_engine_of_whoever_made_a_folder_in_a_sticky_one() {
        let place = Place::new();
        let socket = Owner { uid: STRANGER, gid: 0, mode: 0o660 };
        let why = trusted(STRANGER, 0, &place.folder, socket).unwrap_err().to_string();
        assert!(why.contains("user 54321") && why.contains("--state"), "{why}");
    }

    #[test]
    fn a_socket_that_somebody_else_made_is_not_believed_whoever_answers() {
        let place = Place::new();
        let socket = Owner { uid: STRANGER, gid: 0, mode: 0o600 };
        let why = trusted(place.own, place.own, &place.folder, socket).unwrap_err().to_string();
        assert!(why.contains("belongs to"), "{why}");
    }

    #[test]
    fn a_folder_that_was_given_to_a_group_is_taken_back_where_none_is_named() {
        let place = Place::new();
        let mode = || std::fs::metadata(place.state()).unwrap().permissions().mode() & 0o7777;
        let group = Group(rustix::process::getgid().as_raw());
        make_folder(&place.state(), Some(group)).unwrap();
        assert_eq!(mode(), 0o2750);
        make_folder(&place.state(), None).unwrap();
        assert_eq!(mode(), 0o700);
    }

    #[test]
    fn a_folder_that_is_there_keeps_the_mode_that_its_owner_gave_it() {
        let place = Place::new();
        std::fs::set_permissions(place.state(), std::fs::Permissions::from_mode(0o755)).unwrap();
        make_folder(&place.state(), None).unwrap();
        assert_eq!(std::fs::metadata(place.state()).unwrap().permissions().mode() & 0o777, 0o755);
    }
}
