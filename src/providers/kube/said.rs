//! What an object says of itself, the same way for all kinds: texts, times, conditions.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>

use jiff::Timestamp;
use serde_json::Value;

/// A text; empty where there is none.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A time (RFC 3339); none where there is none, or what stands there is no time.
pub fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// A number; one that the API leaves out is 0.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// The condition of that type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|one| one["type"] == kind)
}

/// The condition of that type where it holds: one that is unknown does not.
pub fn holds<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    condition(object, kind).filter(|one| one["status"] == "True")
}

/// What a condition says: its message, or else its reason.
pub fn said(condition: &Value) -> String {
    match condition["message"].as_str().filter(|text| !text.is_empty()) {
        Some(message) => message.to_owned(),
        None => text(&condition["reason"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_with_and_without_fractions() {
        let of = |text: &str| time(&json!(text)).map(|time| time.to_string());
        assert_eq!(of("2026-11-30T17:00:00Z").as_deref(), Some("2026-11-30T17:00:00Z"));
        assert_eq!(of("2026-11-30T17:00:00.250000Z").as_deref(), Some("2026-11-30T17:00:00.25Z"));
        assert_eq!((of("yesterday"), time(&Value::Null)), (None, None));
    }

    #[test]
    fn a_condition_that_is_unknown_does_not_hold() {
        let with = |status: &str| {
            let one = json!({"type": "Ready", "status": status, "message": "", "reason": "KubeletReady"});
            json!({"status": {"conditions": [one]}})
        };
        assert_eq!(holds(&with("True"), "Ready").map(said).as_deref(), Some("KubeletReady"));
        assert!(holds(&with("Unknown"), "Ready").is_none() && holds(&with("False"), "Ready").is_none());
        assert!(condition(&with("Unknown"), "Ready").is_some() && condition(&json!({}), "Ready").is_none());
    }
}
