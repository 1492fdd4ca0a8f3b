//! What a provider's answer says, whatever it looks like: a proxy's page or JSON of another shape is no receipt.

use crate::core::words::notification::{Again, Undelivered};
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::api::Api;
use serde_json::Value;

/// The JSON of a successful answer.
///
/// # Errors
/// When it is something else: somebody in between answered, and nobody knows whether the message arrived.
pub fn json(api: &Api, answer: &HttpResponse) -> Result<Value, Undelivered> {
    let value = serde_json::from_slice::<Value>(&answer.body).ok();
    value.filter(|value| value.is_object() || value.is_array()).ok_or_else(|| unexpected(api, answer))
}

/// A success in a form that the provider does not use.
pub fn unexpected(api: &Api, answer: &HttpResponse) -> Undelivered {
    let text = answer.text();
    let said = match text.trim() {
        "" => "nothing".to_owned(),
        text => format!("`{text}`"),
    };
    let why = format!("answered {} with {said}, which is not its interface", answer.status);
    let next =
        "Look with `curl -v` whether a proxy answers in its place; ask the recipient whether it arrived.";
    api.failed(&why, next, Again::Maybe)
}

/// A text within JSON (`/error/message`); empty where there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What a refusal says: the texts at these places of its JSON, or all of it where it is none.
pub fn said(answer: &HttpResponse, pointers: &[&str]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(&answer.body) else { return answer.text() };
    let texts: Vec<String> = pointers.iter().filter_map(|pointer| told(value.pointer(pointer)?)).collect();
    if texts.is_empty() { answer.text() } else { texts.join(": ") }
}

/// A text, or a list of them.
fn told(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().filter_map(told).collect();
            (!texts.is_empty()).then(|| texts.join(", "))
        }
        _ => None,
    }
}
