//! Secrets: a type that cannot be printed, and the places it is resolved from.

use serde::{Deserialize, Serialize};

/// A reference in a plan, `{ secret = "name" }`. It holds no secret.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretRef {
    /// The secret's name.
    pub name: String,
}

/// Where secrets are looked up, `[secrets]` of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SecretsConfig {}
