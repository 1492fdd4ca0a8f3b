//! Alerts as the Alert API takes and shows them, and how it refuses them.

use crate::core::words::notification::{Again, Intent, Tracked, Undelivered};
use crate::kinds::channel::{Outgoing, text};
use crate::plan::Severity;
use crate::plan::kinds::BuildError;
use crate::providers::http::client::HttpResponse;
use crate::providers::saas::answer;
use crate::providers::saas::api::Api;
use serde_json::{Value, json};

/// The longest `message`.
const MESSAGE_LIMIT_CHARS: usize = 130;
/// The longest `description`.
const DESCRIPTION_LIMIT_CHARS: usize = 15_000;
/// The longest `entity`.
const ENTITY_LIMIT_CHARS: usize = 512;
/// The longest `note`.
pub const NOTE_LIMIT_CHARS: usize = 25_000;
/// The name under which lifeboat acts in Opsgenie.
pub const OWN_NAME: &str = "lifeboat";

/// A responder as the plan writes it (`team:SRE`).
pub fn responder(written: &str) -> Result<Value, BuildError> {
    let wrong = || BuildError::Value {
        key: "responders".into(),
        value: written.into(),
        why: "write `team:NAME`, `user:EMAIL`, `schedule:NAME` or `escalation:NAME`".into(),
    };
    let (kind, name) = written.split_once(':').ok_or_else(wrong)?;
    let (kind, name) = (kind.trim(), name.trim());
    match kind {
        _ if name.is_empty() => Err(wrong()),
        "user" => Ok(json!({ "type": kind, "username": name })),
        "team" | "schedule" | "escalation" => Ok(json!({ "type": kind, "name": name })),
        _ => Err(wrong()),
    }
}

/// The alert of a message without responders and tags, and what had to be left out.
pub fn alert(outgoing: &Outgoing, alias: &str) -> (Value, String) {
    let description = text::whole(&outgoing.message, DESCRIPTION_LIMIT_CHARS);
    let body = json!({
        "message": text::line(&outgoing.message.subject, MESSAGE_LIMIT_CHARS),
        "alias": alias,
        "description": description.text,
        "details": {
            "incident": outgoing.incident,
            "for": text::tame(&outgoing.recipient),
            "drill": if outgoing.message.drill { "yes" } else { "no" },
        },
        "entity": text::line(&outgoing.plan, ENTITY_LIMIT_CHARS),
        "source": OWN_NAME,
        "user": OWN_NAME,
        "priority": priority(outgoing),
    });
    (body, description.cut)
}

fn priority(outgoing: &Outgoing) -> &'static str {
    match (outgoing.intent, outgoing.message.severity) {
        (Intent::Inform, _) => "P5",
        (_, Some(Severity::P0) | None) => "P1",
        (_, Some(Severity::P1)) => "P2",
        (_, Some(Severity::P2)) => "P3",
        (_, Some(Severity::P3)) => "P4",
    }
}

/// Whether somebody else than lifeboat acknowledged or closed the alert that a provider shows.
pub fn tracked(api: &Api, provider: &str, alert: &Value) -> Tracked {
    let somebody = format!("somebody in {provider}");
    let names = |pointers: [&str; 2]| {
        let mut names = pointers.into_iter().map(|pointer| answer::text(alert, pointer));
        names.find(|name| !name.is_empty()).unwrap_or(&somebody).to_owned()
    };
    let by = if alert["status"] == "closed" {
        names(["/report/closedBy", "/report/acknowledgedBy"])
    } else if alert["acknowledged"] == true {
        names(["/report/acknowledgedBy", "/owner"])
    } else {
        return Tracked::Pending;
    };
    if by == OWN_NAME { Tracked::Pending } else { Tracked::Acknowledged(api.redacted(&by)) }
}

/// Why a request was refused.
pub fn refusal(api: &Api, answer: &HttpResponse) -> Undelivered {
    let said = api.redacted(&answer::said(answer, &["/message", "/errors"]));
    let next = match answer.status {
        401 | 403 => {
            "Give the channel the key of an API integration that is on and may read, create and update alerts; \
             Opsgenie's `api_url` differs in the EU. Store the key with `lifeboat secret set`."
        }
        422 => "The alert is not taken: look at `responders`; call whoever is on call meanwhile.",
        status => return api.refused(status, answer, &said),
    };
    api.failed(&format!("answered {}: {said}", answer.status), next, Again::Never)
}
