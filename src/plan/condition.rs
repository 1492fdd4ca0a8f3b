//! Conditions of a plan: CEL with three-valued evaluation. What is not known is neither true nor false.

use serde::{Deserialize, Serialize};

/// A CEL expression of a plan, parsed when the plan loads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition {
    source: String,
}

/// What a condition came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be told, and why, in words (`signals['dr-lag'] is unknown`).
    Unknown(String),
}

/// A name that a condition reads: `signals['dr-lag'].value_s` is root `signals`, name `dr-lag`, field `value_s`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reference {
    /// `signals`, `regions`, `services`, `backups`, `incident`, `console`.
    pub root: String,
    /// The thing, where the root has several.
    pub name: Option<String>,
    /// The property; `fields.x` keeps its dot.
    pub field: String,
}

/// The value of a name, when it is known.
#[derive(Clone, PartialEq, Debug)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
}

/// Where conditions look their names up.
pub trait Names {
    /// The value of a name, or why it is not known.
    fn lookup(&self, reference: &Reference) -> Result<Scalar, String>;
}

impl Condition {
    /// The expression as it is written in the plan.
    pub fn source(&self) -> &str {
        &self.source
    }
}
impl Condition {
    /// x
    pub fn references(&self) -> &[Reference] {
        &[]
    }
    /// x
    pub fn evaluate(&self, _n: &dyn Names) -> Truth {
        Truth::False
    }
}
