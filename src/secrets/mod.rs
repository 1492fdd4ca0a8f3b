//! Secrets: a type that cannot be printed, and the places it is resolved from.
//!
//! A plan holds only a [`SecretRef`] (`{ secret = "name" }`). The [`Resolver`] finds the value in the
//! environment, a file, a keyring or the answer of a command, and tells the [`Redactor`] about it, so that
//! text on its way to a screen, a record or a log can be cleared of it.

mod command;
#[cfg(feature = "kube")]
mod complaint;
mod entities;
mod error;
mod everyday;
pub(crate) mod file;
mod forms;
mod inside;
mod keyring;
mod matcher;
mod name;
mod redactor;
mod remarks;
mod resolver;
mod sequences;
mod spellings;
mod store;
mod value;
mod view;

#[cfg(feature = "kube")]
pub(crate) use complaint::last_line;
pub(crate) use file::text_of;
pub(crate) use forms::percent_decoded;

pub use error::{SecretError, Tried};
pub use keyring::Keyring;
pub use name::{InvalidName, SecretName, SecretRef, SecretText};
pub use redactor::Redactor;
pub use resolver::{Resolver, SecretsConfig, Source};
pub use store::{Listed, Store, Stores};
pub use value::{MAX_SECRET_BYTES, MIN_SECRET_CHARS, Origin, Secret};

#[cfg(test)]
mod tests;
