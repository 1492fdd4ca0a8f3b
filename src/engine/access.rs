//! Who may attach: the user of the engine and root; with a group also its members, who then see each other's work.

use rustix::fs::{Gid, Mode, chmod, chown};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

/// A group of the system whose members may attach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group(u32);

impl Group {
    /// The group of that name.
    ///
    /// # Errors
    /// When the system has none, or this user may not give files to it.
    pub fn by_name(name: &str) -> io::Result<Self> {
        let found = nix::unistd::Group::from_name(name).map_err(io::Error::from)?;
        let found =
            found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the system has no such group"))?;
        Ok(Self(found.gid.as_raw()))
    }

    /// Gives a file or folder to the group with these mode bits.
    ///
    /// # Errors
    /// When the system refuses: only root and members can give files to a group.
    pub fn give(self, path: &Path, mode: u32) -> io::Result<()> {
        chown(path, None, Some(Gid::from_raw(self.0)))?;
        chmod(path, Mode::from_bits_truncate(mode))?;
        Ok(())
    }
}

/// Makes the state folder: the user's alone, or with what will be made in it the group's to read.
///
/// # Errors
/// When it cannot be made or given to the group.
pub fn make_folder(path: &Path, group: Option<Group>) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // With the set-group-id bit what is made in it later belongs to the group too.
    group.map_or(Ok(()), |group| group.give(path, 0o2750))
}

/// Whether the owner of an engine's socket may be believed: an engine of somebody else could show anything, and take
/// what is typed. It is believed where it runs for a group: its folder is its own, and nobody could have put the
/// folder in the place of another.
///
/// # Errors
/// When it may not, with whose it is.
pub fn trusted(owner: u32, own: u32, socket: &Path) -> io::Result<()> {
    if owner == own || owner == 0 || own == 0 || runs_for_a_group(owner, socket) {
        return Ok(());
    }
    let why = format!("it belongs to user {owner}, and you are {own}; name your own folder with --state");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

fn runs_for_a_group(owner: u32, socket: &Path) -> bool {
    let Some(folder) = socket.parent().and_then(|folder| std::fs::canonicalize(folder).ok()) else {
        return false;
    };
    let own = |path: &Path, forbidden: u32| {
        std::fs::metadata(path).is_ok_and(|found| found.uid() == owner && found.mode() & forbidden == 0)
    };
    let above: Vec<&Path> = folder.ancestors().collect();
    own(&folder, 0o022)
        && own(socket, 0o007)
        && std::fs::metadata(socket).is_ok_and(|found| found.mode() & 0o060 == 0o060)
        && above.windows(2).all(|pair| cannot_be_replaced(pair[0], pair[1], owner))
}

/// Whether only root and the owner could put another folder in the place of this one.
fn cannot_be_replaced(folder: &Path, above: &Path, owner: u32) -> bool {
    const STICKY: u32 = 0o1000;
    const OTHERS_WRITE: u32 = 0o022;
    let trusted = |uid: u32| uid == 0 || uid == owner;
    let Some((inner, outer)) = std::fs::metadata(folder).ok().zip(std::fs::metadata(above).ok()) else {
        return false;
    };
    let open = outer.mode() & OTHERS_WRITE != 0;
    trusted(outer.uid()) && trusted(inner.uid()) && (!open || outer.mode() & STICKY != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_engine_of_another_user_is_not_believed() {
        let nowhere = Path::new("/nonexistent/engine.sock");
        for (owner, own) in [(1000, 1000), (0, 1000), (1000, 0)] {
            assert!(trusted(owner, own, nowhere).is_ok());
        }
        assert!(trusted(1001, 1000, nowhere).unwrap_err().to_string().contains("user 1001"));
    }

    #[test]
    fn it_is_believed_where_it_runs_for_a_group_in_a_folder_of_its_own() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("state");
        make_folder(&folder, None).unwrap();
        let socket = folder.join("engine.sock");
        std::fs::write(&socket, "").unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap()
        };
        let owner = std::fs::metadata(&socket).unwrap().uid();
        let stranger = |owner: u32| runs_for_a_group(owner, &socket);
        set(&socket, 0o600);
        assert!(!stranger(owner), "it runs for its user alone");
        set(&socket, 0o660);
        assert!(stranger(owner));
        assert!(!stranger(owner + 1), "the folder is another one's");
        set(&folder, 0o777);
        assert!(!stranger(owner), "anybody could have put the socket there");
        set(&folder, 0o750);
        set(above.path(), 0o770);
        assert!(!stranger(owner), "a group could have put the folder there");
        set(above.path(), 0o1777);
        assert!(stranger(owner), "in a sticky folder it cannot be replaced");
    }
}
