//! Whether a step of the plan is still the one that was begun: an edit may change what a step of the same name does.

use super::Step;
use crate::plan::condition::Condition;
use sha2::{Digest, Sha256};

/// Bytes of the digest: enough to tell the steps of all plans apart.
const BYTES: usize = 16;

impl Step {
    /// Tells apart what it does and what proves it. What only people read of a step by hand does not matter, nor how a
    /// condition is spaced.
    pub fn fingerprint(&self) -> String {
        let params = (!self.is_by_hand()).then_some(&self.params);
        let words =
            |condition: &Condition| condition.source().split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = (&self.action, params, self.verify.as_ref().map(words));
        let text = serde_json::to_string(&parts).unwrap_or_default();
        Sha256::digest(text).iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}
