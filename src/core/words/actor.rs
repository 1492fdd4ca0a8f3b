//! Who asked, or whose doing something was.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A person, as the operating system's peer credential of the socket names them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Operator {
    /// Login name.
    pub name: String,
    /// Numeric user id.
    pub uid: u32,
}

/// Whose doing something was.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A person.
    Operator(Operator),
    /// The engine itself, following the plan.
    Engine,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(operator) => f.pad(&operator.name),
            Self::Engine => f.pad("lifeboat"),
        }
    }
}
