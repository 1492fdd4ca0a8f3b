//! Names of secrets, and how a plan refers to one.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The prefix of environment variables that hold secrets.
pub(super) const ENVIRONMENT_PREFIX: &str = "LIFEBOAT_SECRET_";

/// The name of a secret: 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit.
///
/// So narrow that it is a file name, a keyring entry and (in upper case, `-` as `_`) an environment variable
/// without two names ever meaning the same place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SecretName(String);

impl SecretName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The environment variable that this secret is read from: `arka-dr-db` is `LIFEBOAT_SECRET_ARKA_DR_DB`.
    pub fn environment_variable(&self) -> String {
        format!("{ENVIRONMENT_PREFIX}{}", self.0.to_ascii_uppercase().replace('-', "_"))
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a secret's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is not a secret's name: use 1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit"
)]
pub struct InvalidName {
    /// The text, cleaned and cut.
    pub name: String,
}

impl FromStr for SecretName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let valid_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty()
            || text.starts_with('-')
            || text.len() > MAX_NAME_CHARS
            || !text.chars().all(valid_char)
        {
            return Err(InvalidName { name: crate::base::text::clean(text, MAX_NAME_CHARS) });
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for SecretName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A reference in a plan, `{ secret = "name" }`. It holds no secret and may be printed and stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    #[serde(rename = "secret")]
    pub name: SecretName,
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[secret {}]", self.name)
    }
}

/// A text that a plan gives either as it is or as a reference to a secret: `"text"` or `{ secret = "name" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SecretText {
    /// Written in the plan itself.
    Plain(String),
    /// Kept elsewhere.
    Secret(SecretRef),
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretTextVisitor)
    }
}

/// Written by hand because the message of an untagged enum does not say what is allowed.
struct SecretTextVisitor;

impl<'de> Visitor<'de> for SecretTextVisitor {
    type Value = SecretText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or { secret = \"name\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretText, E> {
        Ok(SecretText::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretText, A::Error> {
        SecretRef::deserialize(de::value::MapAccessDeserializer::new(map)).map(SecretText::Secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_file_name_and_an_environment_variable() {
        let name: SecretName = "arka-dr-db".parse().unwrap();
        assert_eq!(name.environment_variable(), "LIFEBOAT_SECRET_ARKA_DR_DB");
        for bad in ["", "-a", "A", "a_b", "a/b", "..", "a b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_reference_is_read_and_written_as_a_table_with_one_key() {
        #[derive(Deserialize, Serialize, PartialEq, Debug)]
        struct Holder {
            dsn: SecretText,
        }
        let secret: Holder = toml::from_str("dsn = { secret = \"arka-dr-db\" }").unwrap();
        assert_eq!(secret.dsn, SecretText::Secret(SecretRef { name: "arka-dr-db".parse().unwrap() }));
        let plain: Holder = toml::from_str("dsn = \"host=a\"").unwrap();
        assert_eq!(plain.dsn, SecretText::Plain("host=a".into()));
        for holder in [secret, plain] {
            let text = toml::to_string(&holder).unwrap();
            assert_eq!(toml::from_str::<Holder>(&text).unwrap(), holder);
        }
        let wrong = toml::from_str::<Holder>("dsn = 5").unwrap_err().to_string();
        assert!(wrong.contains("a text, or { secret = \"name\" }"), "{wrong}");
        assert!(toml::from_str::<Holder>("dsn = { secret = \"a\", extra = 1 }").is_err());
    }
}
