//! Events as the Events API v2 takes them, and how it refuses them.

use crate::core::words::notification::{Again, Intent, Undelivered};
use crate::kinds::channel::{Outgoing, text};
use crate::plan::Severity;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::Api;
use serde_json::{Value, json};

/// The longest `payload.summary`.
const SUMMARY_LIMIT_CHARS: usize = 1_024;
/// The longest text among the details; an event may have 512 KB.
const DETAILS_LIMIT_CHARS: usize = 20_000;

/// The event without its routing key, and what had to be left out.
pub fn event(outgoing: &Outgoing, key: &str, link: Option<&str>) -> (Value, String) {
    let action = match outgoing.intent {
        Intent::Page | Intent::Inform => "trigger",
        Intent::Acknowledge => "acknowledge",
        Intent::Resolve => "resolve",
    };
    let mut event = json!({ "event_action": action, "dedup_key": key });
    if action != "trigger" {
        return (event, String::new());
    }
    let body = text::body(&outgoing.message, DETAILS_LIMIT_CHARS);
    event["client"] = "lifeboat".into();
    let plan = text::line(&outgoing.plan, SUMMARY_LIMIT_CHARS);
    event["payload"] = json!({
        "summary": text::line(&outgoing.message.subject, SUMMARY_LIMIT_CHARS),
        "source": plan,
        "severity": severity(outgoing),
        "timestamp": outgoing.queued_at.to_string(),
        "component": outgoing.incident,
        "group": plan,
        "class": if outgoing.message.drill { "drill" } else { "incident" },
        "custom_details": { "text": body.text, "incident": outgoing.incident, "for": text::tame(&outgoing.recipient) },
    });
    if let Some(link) = link {
        event["links"] = json!([{ "href": link, "text": "From the plan" }]);
    }
    (event, body.cut)
}

/// The event's severity, by which a service decides how urgent it is.
fn severity(outgoing: &Outgoing) -> &'static str {
    match (outgoing.intent, outgoing.message.severity) {
        (Intent::Inform, _) | (_, Some(Severity::P3)) => "info",
        (_, Some(Severity::P0) | None) => "critical",
        (_, Some(Severity::P1)) => "error",
        (_, Some(Severity::P2)) => "warning",
    }
}

/// Why an event was refused.
pub fn refusal(api: &Api, answer: &HttpResponse) -> Undelivered {
    let said = api.redacted(&answer::said(answer, &["/status", "/message", "/errors"]));
    let next = match answer.status {
        // An integration that was deleted, or a key that was mistyped, is a bad request too.
        200..=299 | 400 if said.contains("routing_key") => {
            "Copy the integration key of the service's \"Events API V2\" integration, and store it with \
             `lifeboat secret set`; call whoever is on call meanwhile."
        }
        200..=299 | 400 => {
            "PagerDuty cannot read the event: call whoever is on call, and please report this."
        }
        status => return api.refused(status, answer, &said),
    };
    api.failed(&format!("answered {}: {said}", answer.status), next, Again::Never)
}
