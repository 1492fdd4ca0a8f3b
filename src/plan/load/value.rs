//! Values that were read and found to be of the right type.

use crate::base::toml::Span;
use crate::base::toml::node::Node;
use crate::plan::condition::Condition;
use crate::plan::params::Param;
use crate::secrets::SecretRef;
use indexmap::IndexMap;
use jiff::SignedDuration;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) value: Value,
    pub(crate) place: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Raw(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    Duration(SignedDuration),
    Date(jiff::civil::Date),
    Secret(SecretRef),
    Condition(Condition),
    List(Vec<Read>),
    Table(IndexMap<String, Read>),
    /// Read later, when more is known of it.
    Node(Node),
}

impl Read {
    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) | Value::Raw(text) = &self.value { Some(text) } else { None }
    }

    pub(crate) fn is_empty_list(&self) -> bool {
        matches!(&self.value, Value::List(list) if list.is_empty())
    }

    /// As a kind gets it.
    pub(crate) fn into_param(self) -> Option<Param> {
        Some(match self.value {
            Value::Text(text) => Param::Text(text),
            Value::Raw(text) => Param::Raw(text),
            Value::Integer(integer) => Param::Integer(integer),
            Value::Number(number) => Param::Number(number),
            Value::Flag(flag) => Param::Flag(flag),
            Value::Duration(duration) => Param::Duration(duration),
            Value::Date(date) => Param::Raw(date.to_string()),
            Value::Secret(secret) => Param::Secret(secret),
            Value::Condition(condition) => Param::Condition(condition),
            Value::List(list) => Param::List(list.into_iter().filter_map(Self::into_param).collect()),
            Value::Table(table) => Param::Table(
                table.into_iter().filter_map(|(key, value)| Some((key, value.into_param()?))).collect(),
            ),
            Value::Node(_) => return None,
        })
    }
}
