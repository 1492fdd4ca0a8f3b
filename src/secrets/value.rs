//! A resolved secret.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::name::SecretName;

/// Largest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

/// Shortest secret, in characters. Anything shorter cannot be told from ordinary text, so it could not be
/// kept out of records and screens.
pub const MIN_SECRET_CHARS: usize = 4;

/// Where a secret was found. Its text names the place, never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written in the plan itself.
    Plan,
    /// An environment variable of this process.
    Environment(String),
    /// A file.
    File(PathBuf),
    /// The desktop's secret service (GNOME Keyring, KWallet), over D-Bus.
    SecretService,
    /// The Linux kernel's keyring.
    KernelKeyring,
    /// The answer of a command; the text is its program.
    Command(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan => f.write_str("the plan"),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::SecretService => f.write_str("secret service"),
            Self::KernelKeyring => f.write_str("kernel keyring (does not survive a reboot)"),
            Self::Command(program) => write!(f, "command {program}"),
        }
    }
}

/// A resolved secret. It cannot be printed or serialised, and its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret {
    label: String,
    value: SecretString,
    origin: Origin,
}

impl Secret {
    pub(super) fn new(name: &SecretName, value: String, origin: Origin) -> Self {
        Self { label: name.to_string(), value: value.into(), origin }
    }

    /// A text that stands in the plan, handled like a secret because it may hold one (a DSN with a password).
    pub fn from_plan(text: &str) -> Self {
        Self { label: "plan".to_owned(), value: text.into(), origin: Origin::Plan }
    }

    /// The value. Call it at the last moment, and hand it only to the system that it is for.
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }

    /// What is odd about the value, in words that show nothing of it: blanks and empty lines at its ends, an ordinary
    /// word. Empty for most.
    pub fn remarks(&self) -> Vec<&'static str> {
        super::remarks::remarks(self.expose())
    }

    /// Where it was found.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What to call it in messages: the secret's name, or `plan`.
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[secret {}]", self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_name_only() {
        let name = "db".parse().unwrap();
        let secret = Secret::new(&name, "hunter22".into(), Origin::KernelKeyring);
        assert_eq!(format!("{secret:?}"), "[secret db]");
        assert_eq!(secret.expose(), "hunter22");
    }
}
