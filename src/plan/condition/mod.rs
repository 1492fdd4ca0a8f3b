//! Conditions of a plan: CEL with three-valued evaluation. What is not known is neither true nor false.
//!
//! The `cel` crate parses a condition and evaluates its comparisons, arithmetic and functions, and only once
//! every name that they read is known. The logical operators are evaluated here, by Kleene's strong logic
//! (S. C. Kleene, Introduction to Metamathematics, § 64): `false && unknown` is false, `true || unknown` is
//! true, in either order, and everything else that depends on an unknown is unknown. So do `any`, `all` and `at_least`,
//! and `count` is the range of what it may be: a comparison with it is known once all of the range agrees.

mod compile;
mod counting;
mod error;
mod evaluate;
mod silence;
#[cfg(test)]
mod tests;
mod types;

pub use error::ConditionError;
pub(crate) use error::locate;
pub use silence::Silence;
pub use types::Kind;

use compile::Formula;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::sync::Arc;

/// A CEL expression of a plan, parsed when the plan loads.
#[derive(Clone)]
pub struct Condition {
    source: Arc<str>,
    formula: Arc<Formula>,
    references: Arc<[Reference]>,
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

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}['{name}'].{}", self.root, self.field),
            None => write!(f, "{}.{}", self.root, self.field),
        }
    }
}

/// The value of a name, when it is known.
#[derive(Clone, PartialEq, Debug)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A number. One that is not finite counts as unknown.
    Number(f64),
    /// True or false.
    Flag(bool),
}

/// Where conditions look their names up.
pub trait Names {
    /// The value of a name, or why it is not known (`signals['dr-lag'] is unknown`). The state of an unknown
    /// signal and the status of an unknown region are not known: answering with a word such as `unknown`
    /// would make `state != 'ok'` true.
    fn lookup(&self, reference: &Reference) -> Result<Scalar, String>;
}

impl Condition {
    /// Parses an expression. Whether the names that it reads exist is the plan loader's business.
    pub fn parse(source: &str) -> Result<Self, ConditionError> {
        let (formula, references) = compile::compile(source)?;
        Ok(Self { source: source.into(), formula: Arc::new(formula), references: references.into() })
    }

    /// The expression as it is written in the plan.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every name that it reads, once each, in the order of the text.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// What it comes to.
    pub fn evaluate(&self, names: &dyn Names) -> Truth {
        evaluate::evaluate(self, names)
    }

    /// What it always comes to, in words, where nothing that is measured can change it.
    pub fn always(&self) -> Option<&'static str> {
        match self.evaluate(&NothingKnown) {
            Truth::True => Some("always holds"),
            Truth::False => Some("never holds"),
            Truth::Unknown(_) if self.references.is_empty() => Some("is never known"),
            Truth::Unknown(_) => None,
        }
    }

    /// Whether it counts several things in a way that is unknown as soon as one of them is.
    pub fn silence(&self) -> Option<Silence> {
        silence::find(&self.formula, &self.references)
    }

    /// Checks the types of the expression, given what each name holds (`None`: any of them).
    pub fn check_types(&self, kind_of: &dyn Fn(&Reference) -> Option<Kind>) -> Result<(), ConditionError> {
        types::check(self, kind_of)
    }
}

/// The names of a plan of which nothing was measured.
struct NothingKnown;

impl Names for NothingKnown {
    fn lookup(&self, reference: &Reference) -> Result<Scalar, String> {
        Err(format!("{reference} is unknown"))
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Condition {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

impl Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = String::deserialize(deserializer)?;
        Self::parse(&source).map_err(serde::de::Error::custom)
    }
}
