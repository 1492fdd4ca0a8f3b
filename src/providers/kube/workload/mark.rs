//! The mark of an attempt on the template of pods: what is proven is that these very pods run.

use super::chosen::Found;
use crate::base::problem::Problem;
use serde_json::{Value, json};

const MARK: &str = "lifeboat.dev/changed-by";

/// A patch of a workload, with the attempt's mark.
pub fn put(patch: &Value, token: &str) -> Value {
    let mut patch = patch.clone();
    patch["spec"]["template"]["metadata"]["annotations"][MARK] = json!(token);
    patch
}

/// That a workload's template carries the attempt's mark.
///
/// # Errors
/// When it does not.
pub fn proven(now: &Found, token: &str) -> Result<(), Problem> {
    if now.object["spec"]["template"]["metadata"]["annotations"][MARK] == token {
        return Ok(());
    }
    let why = format!("the pods of {} do not carry the mark of this attempt", now.named.words());
    Err(Problem::new(why, "It was not done, or somebody set it back: look who, then retry."))
}
