//! What shows that an object is as it was confirmed to become.

use super::item::{Item, OTHERWISE, Outcome};
use super::otherwise::Otherwise;
use crate::core::words::action::Target;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::objects::uid;
use crate::providers::kube::told::told;

/// Reasons that are told.
const TOLD: usize = 4;

/// The evidence of all of them.
///
/// # Errors
/// What is not proven, and which of them are as the files have them: after a crash in the middle that says how far it came.
pub fn all_proven(cluster: &Cluster, items: &[Item], expected: &Target) -> Result<Vec<String>, String> {
    let (mut evidence, mut done, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let words = item.named.words();
        match proven(cluster, item, expected.property(&words).unwrap_or_default()) {
            Ok(lines) => {
                evidence.extend(lines);
                done.push(words);
            }
            Err(why) => missing.push(why),
        }
    }
    if missing.is_empty() {
        return Ok(evidence);
    }
    let so = (!done.is_empty()).then(|| format!("; as the files have them: {}", told(cluster, done)));
    let more = missing.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("; and {more} more are not so") } else { String::new() };
    missing.truncate(TOLD);
    Err(format!("{}{more}{}", missing.join("; "), so.unwrap_or_default()))
}

/// The evidence, or why there is none.
///
/// # Errors
/// Why it is not proven.
fn proven(cluster: &Cluster, item: &Item, confirmed: &str) -> Result<Vec<String>, String> {
    let words = item.named.words();
    let Some(live) = &item.live else { return Err(format!("{words} is not there")) };
    let was_there = confirmed.strip_prefix("uid ").and_then(|rest| rest.split_once(','));
    match was_there {
        Some((before, _)) if before != uid(live) => {
            return Err(format!("{words} is not the one that was confirmed"));
        }
        None if !confirmed.starts_with("absent, ") => return Err(format!("{words} was not confirmed")),
        _ => {}
    }
    let otherwise = Otherwise::of(cluster, &item.wanted, live);
    let evidence = match &item.outcome {
        Ok(Outcome::Same) => Ok(format!("{words} (uid {}): the same apply changes nothing", uid(live))),
        Ok(Outcome::Untried(_)) if otherwise.fields.is_empty() => {
            Ok(format!("{words} (uid {}) has all its fields", uid(live)))
        }
        Ok(Outcome::Changed(fields)) => {
            let field = fields.first().map(|one| format!("{} {}", one.path, one.words)).unwrap_or_default();
            Err(format!("{words} is not as the files have it: {field}"))
        }
        Ok(Outcome::Made | Outcome::Untried(_)) => Err(format!("{words} is not as the files have it")),
        Err(problem) => Err(problem.why.clone()),
    }?;
    if !confirmed.contains(", stays as it is") && !item.is_ours() {
        return Err(format!("no field of {words} is lifeboat's by an apply"));
    }
    let known = confirmed.rsplit_once(OTHERWISE).map(|(_, digest)| digest.to_owned());
    if let Some(field) = otherwise.fields.first().filter(|_| otherwise.digest() != known) {
        return Err(format!(
            "{words} {} is otherwise than the file has it, and nobody confirmed that: {}",
            field.path, field.words
        ));
    }
    Ok([evidence].into_iter().chain(otherwise.lines(&words)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::problem::Problem;
    use crate::providers::kube::client::Kind;
    use crate::providers::kube::objects::Named;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    fn item(outcome: Result<Outcome, Problem>, manager: &str) -> Item {
        let (api_version, plural) = ("v1".to_owned(), "configmaps".to_owned());
        let kind = Kind { api_version, kind: "ConfigMap".into(), plural, is_namespaced: true };
        let managed = json!([{"manager": manager, "operation": "Apply"}]);
        let live = json!({"metadata": {"uid": "u1", "managedFields": managed}, "data": {"a": "1"}});
        let named = Named::new(kind, "shop", "app");
        Item {
            named,
            wanted: json!({"data": {"a": "1"}}),
            live: Some(live),
            outcome,
            taken: Vec::new(),
            hindrance: None,
            otherwise: Otherwise::default(),
        }
    }

    #[test]
    fn only_the_confirmed_object_with_fields_of_ours_is_proven() {
        let same = || item(Ok(Outcome::Same), "lifeboat");
        for confirmed in
            ["absent, is made", "uid u1, generation 4, is changed", "uid u1, version 4, stays as it is"]
        {
            assert!(proven(&cluster(), &same(), confirmed).is_ok(), "{confirmed}");
        }
        for confirmed in ["", "uid u2, version 4, is changed", "uid u11, version 4, is changed", "u1"] {
            proven(&cluster(), &same(), confirmed).unwrap_err();
        }
        let of_others = item(Ok(Outcome::Same), "kubectl");
        assert!(proven(&cluster(), &of_others, "absent, is made").unwrap_err().contains("no field"));
        assert!(proven(&cluster(), &of_others, "uid u1, version 4, stays as it is").is_ok());
        assert!(
            proven(&cluster(), &Item { live: None, ..same() }, "absent, is made")
                .unwrap_err()
                .contains("not there")
        );
    }

    #[test]
    fn what_is_not_as_the_files_have_it_is_not_proven() {
        let refused = Err(Problem::new("`kubectl` owns .data.a", "x"));
        for outcome in [Ok(Outcome::Made), Ok(Outcome::Changed(Vec::new())), refused] {
            proven(&cluster(), &item(outcome, "lifeboat"), "absent, is made").unwrap_err();
        }
        let untried = item(Ok(Outcome::Untried("x")), "lifeboat");
        assert!(proven(&cluster(), &untried, "absent, is made").unwrap()[0].ends_with("has all its fields"));
        let other = Item { wanted: json!({"data": {"a": "2"}}), ..untried };
        proven(&cluster(), &other, "absent, is made").unwrap_err();
    }
}
