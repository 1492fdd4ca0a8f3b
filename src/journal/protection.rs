//! Which protections of the journal are active, in words for the screen.

use std::fmt;
use std::fs::File;

/// The file attribute that lets the kernel refuse every change but an append, even to the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendOnly {
    /// The attribute is set on the open segment.
    Active,
    /// It is not set, and why.
    Absent(String),
}

/// What keeps others, and mistakes, from changing the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// The append-only attribute of the open segment.
    pub append_only: AppendOnly,
    /// Mode bits of the open segment.
    pub file_mode: u32,
    /// Mode bits of the folder.
    pub folder_mode: u32,
}

impl Protection {
    /// What is weaker than it should be, one sentence each; empty when nothing is.
    pub fn weaknesses(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.folder_mode & 0o022 != 0 {
            found.push(format!(
                "others may write to the journal's folder (mode {:04o}) and so delete the journal: chmod go-w it",
                self.folder_mode
            ));
        }
        if self.file_mode & 0o027 != 0 {
            found.push(format!(
                "others may read or change the journal (mode {:04o}): chmod 0600 it",
                self.file_mode
            ));
        }
        found
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.append_only {
            AppendOnly::Active => f.write_str("append-only flag active")?,
            AppendOnly::Absent(why) => write!(f, "no append-only flag ({why})")?,
        }
        write!(
            f,
            ", file mode {:04o}, folder mode {:04o}, one writer (locked)",
            self.file_mode, self.folder_mode
        )?;
        for weakness in self.weaknesses() {
            write!(f, "; weak: {weakness}")?;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod flag {
    use std::fs::File;
    use std::io;

    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

    pub(super) fn get(file: &File) -> io::Result<bool> {
        Ok(ioctl_getflags(file)?.contains(IFlags::APPEND))
    }

    pub(super) fn set(file: &File, active: bool) -> io::Result<()> {
        let mut flags = ioctl_getflags(file)?;
        flags.set(IFlags::APPEND, active);
        Ok(ioctl_setflags(file, flags)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod flag {
    use std::fs::File;
    use std::io;

    pub(super) fn get(_: &File) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn set(_: &File, _: bool) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl AppendOnly {
    /// Sets the attribute where the system grants it.
    pub(super) fn request(file: &File) -> Self {
        if flag::get(file).unwrap_or(false) {
            return Self::Active;
        }
        match flag::set(file, true) {
            Ok(()) => Self::Active,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                Self::Absent("not granted: it takes root or CAP_LINUX_IMMUTABLE".to_owned())
            }
            Err(error) => Self::Absent(format!("not granted: {error}")),
        }
    }

    /// Looks whether the attribute is set, without asking for it.
    pub(super) fn current(file: &File) -> Self {
        if flag::get(file).unwrap_or(false) { Self::Active } else { Self::Absent("not asked for".to_owned()) }
    }

    /// Clears the attribute, where the system grants it.
    pub(super) fn clear(file: &File) -> std::io::Result<()> {
        flag::set(file, false)
    }
}
