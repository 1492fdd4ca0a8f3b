//! Why a probe, an action or a channel of a plan cannot be made.

use crate::plan::params::ParamError;

/// A probe or action of a plan that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No such kind in the registry.
    #[error("there is no {what} kind `{kind}` in this build of lifeboat: run `lifeboat check` on the plan")]
    UnknownKind {
        /// `probe` or `action`.
        what: &'static str,
        /// What the plan says.
        kind: String,
    },
    /// A key is missing or has another type.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// A value that does not do.
    #[error("{key} = \"{value}\" does not do: {why}")]
    Value {
        key: String,
        value: String,
        /// Why, and what would do.
        why: String,
    },
}

impl BuildError {
    /// A value that does not do.
    pub(crate) fn value(key: &str, value: &str, why: impl Into<String>) -> Self {
        Self::Value { key: key.into(), value: value.into(), why: why.into() }
    }

    /// The key that it is about, and what is wrong with it; none of a kind that there is not.
    pub(crate) fn fault(&self) -> Option<(&str, String)> {
        match self {
            Self::UnknownKind { .. } => None,
            Self::Param(error) => Some((&error.key, format!("it is not {}", error.expected))),
            Self::Value { key, why, .. } => Some((key, why.clone())),
        }
    }
}
