//! A server-side apply: the API server itself says who else decides over a field.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts>

use super::Cluster;
use super::error::{Call, KubeError};
use super::request::{Method, Sent};
use serde_json::Value;
use std::time::Duration;

/// Fields of one object that are told, of those that others decide over.
const MAX_CONFLICTS: usize = 100;
const CHARS: usize = 160;

/// What became of an apply.
pub enum Applied {
    /// The object as it is then, and whether it was made.
    Is { object: Value, is_new: bool },
    /// Nothing was done: others decide over these fields.
    Conflicts(Vec<Conflict>),
}

/// A field that somebody else decides over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// As whom he changed it (`kubectl`).
    pub manager: String,
    /// `.spec.replicas`
    pub field: String,
}

impl Cluster {
    /// Sends a server-side apply, once.
    ///
    /// # Errors
    /// As [`Cluster::send`].
    pub async fn apply(&self, call: &Call, sent: Sent<'_>, within: Duration) -> Result<Applied, KubeError> {
        let sent = Sent { method: Method::Apply, ..sent };
        let (status, body) = self.answer(call, &sent, within).await?;
        let conflicts = if status == 409 { self.conflicts(&body) } else { Vec::new() };
        if !conflicts.is_empty() {
            return Ok(Applied::Conflicts(conflicts));
        }
        let object = self.object(call, status, &body)?;
        Ok(Applied::Is { object, is_new: status == 201 })
    }

    fn conflicts(&self, body: &[u8]) -> Vec<Conflict> {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        let causes = status["details"]["causes"].as_array().into_iter().flatten();
        let of_fields = causes.filter(|cause| cause["reason"] == "FieldManagerConflict");
        let conflict = |cause: &Value| {
            let message = cause["message"].as_str().unwrap_or_default();
            // `conflict with "kubectl" using apps/v1`
            let manager = message.split('"').nth(1).unwrap_or(message);
            let field = cause["field"].as_str().unwrap_or_default();
            Conflict { manager: self.shown(manager, CHARS), field: self.shown(field, CHARS) }
        };
        of_fields.take(MAX_CONFLICTS).map(conflict).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    #[test]
    fn who_decides_over_a_field_is_named_and_another_conflict_is_none_of_that_kind() {
        let cause = |message: &str| json!({"reason": "FieldManagerConflict", "message": message, "field": ".spec.replicas"});
        let of = |causes: Value| {
            let status = json!({"kind": "Status", "details": {"causes": causes}});
            cluster().conflicts(status.to_string().as_bytes())
        };
        let named =
            |manager: &str| vec![Conflict { manager: manager.into(), field: ".spec.replicas".into() }];
        assert_eq!(of(json!([cause("conflict with \"kubectl\" using apps/v1 at 2026")])), named("kubectl"));
        assert_eq!(of(json!([cause("conflict with x\u{1b}[2J")])), named("conflict with x\u{fffd}[2J"));
        assert_eq!(of(json!([{"reason": "Other", "message": "\"x\""}])), []);
        assert_eq!(cluster().conflicts(b"<html>"), []);
    }
}
