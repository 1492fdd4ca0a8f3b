//! What the REST API says of the incident that an alert opened.

use crate::core::words::notification::{Tracked, Undelivered};
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::Api;
use serde_json::Value;

/// A value within an address's query.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Whether a person took the incident on. Lifeboat's own events acknowledge and resolve as a service, and a service
/// resolves by itself after a time: neither is somebody.
pub fn tracked(api: &Api, found: &Value) -> Tracked {
    let incident = &found["incidents"][0];
    let by_person = |reference: &Value| {
        let is_user = answer::text(reference, "/type").starts_with("user");
        is_user.then(|| api.redacted(answer::text(reference, "/summary")))
    };
    let acknowledged = incident["acknowledgements"].as_array().into_iter().flatten();
    let mut by = acknowledged.filter_map(|taken| by_person(&taken["acknowledger"]));
    let resolved = || {
        (incident["status"] == "resolved").then(|| by_person(&incident["last_status_change_by"])).flatten()
    };
    match by.next().or_else(resolved) {
        Some(who) => Tracked::Acknowledged(who),
        None => Tracked::Pending,
    }
}

/// Why a question was refused.
pub fn refusal(api: &Api, answer: &HttpResponse) -> Undelivered {
    let said = api.redacted(&answer::said(answer, &["/error/message", "/error/errors"]));
    let refused = api.refused(answer.status, answer, &said);
    match answer.status {
        401 | 403 => Undelivered {
            next: "Make a new REST API key (Integrations, API Access Keys), and store it with `lifeboat secret set`; \
                   events are sent without it."
                .into(),
            ..refused
        },
        _ => refused,
    }
}
