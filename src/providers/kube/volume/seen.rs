//! A claim for a volume.
//! <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-claim-v1/>

use crate::providers::kube::quantity::quantity;
use crate::providers::kube::said::text;
use serde_json::Value;

/// A claim for a volume.
#[derive(Clone, Debug)]
pub struct Claim {
    pub name: String,
    pub phase: Phase,
    /// How large the volume is that it has, where it says so.
    pub bytes: Option<f64>,
}

/// Whether a claim has its volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It does.
    Bound,
    /// It has none yet; so has one that says nothing of it.
    Pending,
    /// It had one, and that one is gone, with what was on it.
    Lost,
}

impl Claim {
    /// Of an object.
    pub fn of(object: &Value) -> Self {
        let status = &object["status"];
        Self {
            name: text(&object["metadata"]["name"]),
            phase: match status["phase"].as_str() {
                Some("Bound") => Phase::Bound,
                Some("Lost") => Phase::Lost,
                Some(_) | None => Phase::Pending,
            },
            bytes: status["capacity"]["storage"].as_str().and_then(quantity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_that_does_not_say_that_it_is_bound_is_not() {
        let claim = |status: Value| Claim::of(&json!({"metadata": {"name": "data"}, "status": status}));
        let bound = claim(json!({"phase": "Bound", "capacity": {"storage": "1Ki"}}));
        assert_eq!((bound.phase, bound.bytes), (Phase::Bound, Some(1024.0)));
        assert_eq!(claim(json!({"phase": "Lost"})).phase, Phase::Lost);
        assert_eq!(claim(json!({"phase": "Pending"})).phase, Phase::Pending);
        assert_eq!((claim(json!({})).phase, claim(json!({})).bytes), (Phase::Pending, None));
    }
}
