//! What a probe or action kind needs from the plan, checked against the kind's keys when the plan loads.

use crate::plan::condition::Condition;
use crate::secrets::SecretRef;
use indexmap::IndexMap;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The values of one probe or step, by key; defaults are filled in by the loader.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(pub IndexMap<String, Param>);

/// One value of a plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Param {
    /// Text; plan-wide names are already filled in, `{{ incident.… }}` and the like are left for run time.
    Text(String),
    /// Text that is taken as it is and never rendered (regular expressions, other languages' templates).
    Raw(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// A duration.
    Duration(SignedDuration),
    /// A reference to a secret.
    Secret(SecretRef),
    /// A condition.
    Condition(Condition),
    /// Several values.
    List(Vec<Param>),
    /// Named values.
    Table(IndexMap<String, Param>),
}

impl Param {
    /// The text, whether it was a template or not.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Raw(text) => Some(text),
            _ => None,
        }
    }

    /// Adds the secrets that it refers to, each once.
    pub fn secrets(&self, found: &mut Vec<SecretRef>) {
        match self {
            Self::Secret(secret) if !found.contains(secret) => found.push(secret.clone()),
            Self::List(list) => list.iter().for_each(|param| param.secrets(found)),
            Self::Table(table) => table.values().for_each(|param| param.secrets(found)),
            _ => {}
        }
    }
}

/// A key that a kind needs and that the plan does not give, or gives with another type. The loader
/// reports it with its place, so that meeting it later means that a kind reads a key it does not declare.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the key `{key}` is missing or not {expected}: run `lifeboat check` on the plan")]
pub struct ParamError {
    pub key: String,
    /// What it should have been, in words.
    pub expected: &'static str,
}

impl Params {
    /// The secrets that are referred to, each once.
    pub fn secrets(&self) -> Vec<SecretRef> {
        let mut found = Vec::new();
        self.0.values().for_each(|param| param.secrets(&mut found));
        found
    }

    /// Any value.
    pub fn get(&self, key: &str) -> Option<&Param> {
        self.0.get(key)
    }

    /// A text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Param::as_text)
    }

    /// A text that the kind cannot do without, or that its key has a default for.
    pub fn require_text(&self, key: &str) -> Result<&str, ParamError> {
        self.text(key).ok_or_else(|| ParamError { key: key.to_owned(), expected: "a text" })
    }

    /// A whole number.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(Param::Integer(value)) => Some(*value),
            _ => None,
        }
    }

    /// A whole number that the kind cannot do without, or that its key has a default for.
    pub fn require_integer(&self, key: &str) -> Result<i64, ParamError> {
        self.integer(key).ok_or_else(|| ParamError { key: key.to_owned(), expected: "a whole number" })
    }

    /// A number, whole or not.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            Some(Param::Number(value)) => Some(*value),
            Some(Param::Integer(value)) => Some(*value as f64),
            _ => None,
        }
    }

    /// True or false; false where the plan is silent.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Param::Flag(true)))
    }

    /// A duration.
    pub fn duration(&self, key: &str) -> Option<SignedDuration> {
        match self.get(key) {
            Some(Param::Duration(value)) => Some(*value),
            _ => None,
        }
    }

    /// A duration that the kind cannot do without, or that its key has a default for.
    pub fn require_duration(&self, key: &str) -> Result<SignedDuration, ParamError> {
        self.duration(key).ok_or_else(|| ParamError { key: key.to_owned(), expected: "a duration" })
    }

    /// A condition.
    pub fn condition(&self, key: &str) -> Option<&Condition> {
        match self.get(key) {
            Some(Param::Condition(value)) => Some(value),
            _ => None,
        }
    }

    /// A list of texts; empty where the plan is silent.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        let Some(Param::List(values)) = self.get(key) else { return Vec::new() };
        values.iter().filter_map(Param::as_text).collect()
    }

    /// A list of whole numbers; empty where the plan is silent.
    pub fn integers(&self, key: &str) -> Vec<i64> {
        let Some(Param::List(values)) = self.get(key) else { return Vec::new() };
        values
            .iter()
            .filter_map(|value| if let Param::Integer(value) = value { Some(*value) } else { None })
            .collect()
    }

    /// A list of tables; empty where the plan is silent.
    pub fn rows(&self, key: &str) -> impl Iterator<Item = Params> {
        let rows = match self.get(key) {
            Some(Param::List(rows)) => &rows[..],
            _ => &[],
        };
        rows.iter()
            .filter_map(|row| if let Param::Table(row) = row { Some(Params(row.clone())) } else { None })
    }

    /// Named values; nothing where the plan is silent.
    pub fn table(&self, key: &str) -> impl Iterator<Item = (&str, &Param)> {
        let table = match self.get(key) {
            Some(Param::Table(table)) => Some(table),
            _ => None,
        };
        table.into_iter().flatten().map(|(name, value)| (&**name, value))
    }
}
