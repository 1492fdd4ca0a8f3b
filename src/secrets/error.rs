//! Why a secret could not be had, and what to do about it.

use super::name::SecretName;

/// One place that was searched in vain, and why it had nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The place, as the operator knows it.
    pub place: String,
    /// Why nothing came from there.
    pub why: String,
}

/// Why a secret could not be had. Values never appear in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No source has it.
    #[error("secret {name:?} was not found ({})", list(tried), name = name.as_str())]
    NotFound {
        name: SecretName,
        /// Every source that was searched.
        tried: Vec<Tried>,
    },
    /// A source has it, and it cannot be used. The search stops there: using another value would hide the fault.
    #[error("secret {name:?} cannot be used: {place}: {why}", name = name.as_str())]
    Unusable {
        name: SecretName,
        place: String,
        /// What is wrong with it.
        why: String,
        next_step: String,
    },
    /// A store could not be written, read or searched.
    #[error("{store}: {why}")]
    Store {
        store: String,
        /// What failed.
        why: String,
        next_step: String,
    },
}

impl SecretError {
    /// The secret; none where the fault is a store's.
    pub fn name(&self) -> Option<&SecretName> {
        match self {
            Self::NotFound { name, .. } | Self::Unusable { name, .. } => Some(name),
            Self::Store { .. } => None,
        }
    }

    /// What the operator can do now.
    pub fn next_step(&self) -> String {
        match self {
            Self::NotFound { name, .. } => format!(
                "run `lifeboat secret set {name}` (on a host without a desktop keyring: `lifeboat secret set {name} --store file`), or start lifeboat with {} set",
                name.environment_variable()
            ),
            Self::Unusable { next_step, .. } | Self::Store { next_step, .. } => next_step.clone(),
        }
    }
}

fn list(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return "no source of secrets is configured".to_owned();
    }
    tried.iter().map(|t| format!("{}: {}", t.place, t.why)).collect::<Vec<_>>().join("; ")
}
