//! An autoscaler that is kept from taking pods away: its minimum is raised for a while.

use crate::base::problem::Problem;
use serde_json::{Value, json};

/// Where lifeboat writes the minimum of before.
const BEFORE: &str = "lifeboat.dev/min-replicas";

fn least_of(object: &Value) -> u64 {
    // The API's own default.
    object["spec"]["minReplicas"].as_u64().unwrap_or(1)
}

fn before(object: &Value) -> Option<u64> {
    object["metadata"]["annotations"][BEFORE].as_str()?.parse().ok()
}

/// What it keeps, in words, and whether it is held at that many or more.
pub fn words(object: &Value, least: u32) -> (String, bool) {
    let (now, most) = (least_of(object), object["spec"]["maxReplicas"].as_u64().unwrap_or_default());
    let words = format!("it keeps {now} to {most} pods");
    match before(object) {
        Some(before) => (format!("{words}, and {before} to {most} before"), now >= u64::from(least)),
        None => (words, false),
    }
}

/// The change that has it keep at least so many.
///
/// # Errors
/// When its maximum is less.
pub fn holds(object: &Value, least: u32) -> Result<Value, Problem> {
    let most = object["spec"]["maxReplicas"].as_u64().unwrap_or_default();
    if u64::from(least) > most {
        let why = format!("its maximum is {most}, which is less than {least}");
        return Err(Problem::new(why, "Raise its maximum first, or say a lower `min_replicas`."));
    }
    let now = least_of(object);
    if u64::from(least) <= now {
        let why = format!("it keeps {now} pods at least already, which is not less than {least}");
        return Err(Problem::new(why, "Skip the step, or say a higher `min_replicas`."));
    }
    // What was there first is kept over several changes.
    let first = before(object).unwrap_or(now);
    Ok(json!({"metadata": {"annotations": {BEFORE: first.to_string()}}, "spec": {"minReplicas": least}}))
}

/// The change back; none where nobody knows what was before.
pub fn goes_on(object: &Value) -> Option<Value> {
    let before = before(object)?;
    Some(json!({"metadata": {"annotations": {BEFORE: null}}, "spec": {"minReplicas": before}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimum_is_raised_and_comes_back() {
        let object = json!({"metadata": {}, "spec": {"minReplicas": 2, "maxReplicas": 8}});
        assert_eq!(words(&object, 6), ("it keeps 2 to 8 pods".to_owned(), false));
        let change = holds(&object, 6).unwrap();
        let held = json!({"metadata": change["metadata"], "spec": {"minReplicas": 6, "maxReplicas": 8}});
        assert_eq!(words(&held, 6), ("it keeps 6 to 8 pods, and 2 to 8 before".to_owned(), true));
        assert!(!words(&held, 7).1);
        assert_eq!(holds(&held, 7).unwrap()["metadata"]["annotations"][BEFORE], "2");
        let back = goes_on(&held).unwrap();
        assert_eq!(
            (&back["spec"]["minReplicas"], &back["metadata"]["annotations"][BEFORE]),
            (&json!(2), &Value::Null)
        );
        assert!(goes_on(&object).is_none());
        assert!(holds(&object, 2).unwrap_err().why.contains("it keeps 2 pods at least already"));
        assert!(holds(&object, 1).is_err(), "it would take pods away");
        assert_eq!(holds(&object, 9).unwrap_err().why, "its maximum is 8, which is less than 9");
    }
}
