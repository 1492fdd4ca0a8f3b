//! Values of secrets: they become known as such before anything is sent, so that neither an answer nor a command shows them.

use crate::base::problem::Problem;
use crate::secrets::Redactor;
use base64::Engine;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// Shorter ones are words that stand everywhere (`true`, `5432`).
const MIN_CHARS: usize = 8;
/// As the API server reads it: what is left over in the last character does not count.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);
/// Where a secret has its values, and whether they are in base64 there.
const PLACES: [(&str, bool); 2] = [("data", true), ("stringData", false)];

/// Whether objects of that kind hold secrets: their values are never shown.
pub fn is_secret(kind: &str) -> bool {
    kind.ends_with("Secret")
}

/// The same by the name that a plan has.
pub fn is_named_secret(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    matches!(kind.split('.').next(), Some("secret" | "secrets"))
}

/// Has the values of a secret known, or of a part of it.
pub fn learn(redactor: &Redactor, object: &Value) {
    for (place, is_encoded) in PLACES {
        let values = match &object[place] {
            Value::Object(fields) => fields.values().collect(),
            value => vec![value],
        };
        for text in values.into_iter().filter(|value| !value.is_null()).map(text) {
            let plain = decoded(&text).and_then(|bytes| String::from_utf8(bytes).ok());
            let known = plain.filter(|_| is_encoded).into_iter().chain([text]);
            for value in known.filter(|value| value.chars().count() >= MIN_CHARS) {
                redactor.learn_value("of a manifest", &value);
            }
        }
    }
}

/// Why no API server would take a secret, or a part of it: it would quote the values.
pub fn fault(kind: &str, name: &str, object: &Value) -> Option<Problem> {
    let problem = |what: &str, why: &str, next: &str| {
        let what = crate::base::text::clean(what, 80);
        Some(Problem::new(format!("`{what}` of the secret {name} {why}"), next))
    };
    for (place, is_encoded) in PLACES {
        let Some(fields) = object[place].as_object() else {
            match object[place].is_null() {
                true => continue,
                false => return problem(place, "is no map", "Write each value under its name."),
            }
        };
        // A patch takes one out by nothing, and has directives among them (`$patch`).
        for (field, value) in
            fields.iter().filter(|(field, value)| !value.is_null() && !field.starts_with('$'))
        {
            let field = format!("{place}.{field}");
            let Some(text) = value.as_str() else {
                return problem(&field, "is no text", "Write it in quotes; under `data` in base64.");
            };
            if kind == "Secret" && is_encoded && decoded(text).is_none() {
                let next = "Write it in base64, or under `stringData` as it is.";
                return problem(&field, "is no base64", next);
            }
        }
    }
    None
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace(['\r', '\n'], "")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_a_secret_are_known_in_both_forms() {
        let redactor = Redactor::new();
        let data =
            json!({"password": "aHVudGVyMi1sb25n", "port": "NTQzMg==", "old": null, "pin": 12_345_678});
        learn(&redactor, &json!({"data": data}));
        learn(&redactor, &json!({"stringData": "text-instead-of-a-map"}));
        for shown in ["hunter2-long", "aHVudGVyMi1sb25n", "12345678", "text-instead-of-a-map"] {
            assert!(!redactor.redact(&format!("x {shown} y")).contains(shown), "{shown}");
        }
        assert_eq!(redactor.redact("port 5432"), "port 5432");
    }

    #[test]
    fn what_the_api_server_would_refuse_and_quote_is_no_part_of_a_secret() {
        let why = |kind: &str, object: Value| fault(kind, "db", &object).map(|problem| problem.why);
        let good = json!({"data": {"a": "aHVudGVyMg==\n", "b": null, "$patch": "replace"}, "stringData": {"c": "x"}});
        assert_eq!(why("Secret", good), None);
        assert_eq!(why("Secret", json!({"data": null, "metadata": {}})), None);
        for (object, said) in [
            (json!({"data": {"pin": 12_345_678}}), "`data.pin` of the secret db is no text"),
            (json!({"stringData": "hunter2"}), "`stringData` of the secret db is no map"),
            (json!({"data": ["hunter2"]}), "`data` of the secret db is no map"),
            (json!({"data": {"a": "hunter!"}}), "`data.a` of the secret db is no base64"),
        ] {
            assert_eq!(why("Secret", object).as_deref(), Some(said));
        }
        assert_eq!(why("ShopSecret", json!({"data": {"a": "hunter!"}})), None, "who knows how it keeps them");
        assert!(is_named_secret("Secrets.v1.") && !is_named_secret("secretstores.external-secrets.io"));
    }
}
