//! Values of a plan that may be secrets.

use crate::plan::params::{Param, Params};
use crate::secrets::SecretText;

/// A value that may be a secret.
pub(crate) fn secret_text(param: &Param) -> Option<SecretText> {
    match param {
        Param::Text(text) => Some(SecretText::Plain(text.clone())),
        Param::Secret(reference) => Some(SecretText::Secret(reference.clone())),
        _ => None,
    }
}

/// A table of values that may be secrets.
pub(crate) fn secret_texts(params: &Params, key: &str) -> Vec<(String, SecretText)> {
    params.table(key).filter_map(|(name, value)| Some((name.to_owned(), secret_text(value)?))).collect()
}

/// Such a value for people: a secret by its name.
pub(crate) fn shown(text: &SecretText) -> String {
    match text {
        SecretText::Plain(text) => text.clone(),
        SecretText::Secret(reference) => reference.to_string(),
    }
}
