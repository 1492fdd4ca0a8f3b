//! Values of secrets: they become known as such before anything is sent, so that neither an answer nor a command shows them.

use crate::base::problem::Problem;
use crate::secrets::Redactor;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Shorter ones are words that stand everywhere (`true`, `5432`).
const MIN_CHARS: usize = 8;

/// Whether objects of that kind hold secrets: their values are never shown.
pub fn is_secret(kind: &str) -> bool {
    kind.ends_with("Secret")
}

/// The same by the name that a plan has.
pub fn is_named_secret(kind: &str) -> bool {
    matches!(&*kind.to_lowercase(), "secret" | "secrets")
}

/// Has the values of a secret known, or of a part of it.
///
/// # Errors
/// When one is no text: the API server would refuse it, and quote it.
pub fn learn(redactor: &Redactor, name: &str, object: &Value) -> Result<(), Problem> {
    for (key, is_encoded) in [("data", true), ("stringData", false)] {
        for (field, value) in object[key].as_object().into_iter().flatten() {
            // A patch takes it out so.
            if value.is_null() {
                continue;
            }
            let Some(text) = value.as_str() else {
                let field = crate::base::text::clean(field, 60);
                let why = format!("`{key}.{field}` of the secret {name} is no text");
                return Err(Problem::new(why, "Write it in quotes; under `data` in base64."));
            };
            let decoded = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let known = [Some(text.to_owned()), decoded.filter(|_| is_encoded)];
            for value in known.into_iter().flatten().filter(|value| value.chars().count() >= MIN_CHARS) {
                redactor.learn_value("of a manifest", &value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_a_secret_are_known_in_both_forms_and_numbers_are_refused() {
        let redactor = Redactor::new();
        let learn = |data: Value| learn(&redactor, "db", &json!({"data": data}));
        learn(json!({"password": "aHVudGVyMi1sb25n", "port": "NTQzMg==", "old": null})).unwrap();
        for shown in ["hunter2-long", "aHVudGVyMi1sb25n"] {
            assert!(!redactor.redact(&format!("x {shown} y")).contains(shown), "{shown}");
        }
        assert_eq!(redactor.redact("port 5432"), "port 5432");
        let refused = learn(json!({"pin": 12_345_678})).unwrap_err();
        assert!(refused.why.contains("`data.pin` of the secret db is no text"), "{refused}");
    }
}
