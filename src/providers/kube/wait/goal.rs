//! What is waited for, and how far one object is from it.

use super::json_path::{JsonPath, words};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::client::{Cluster, Kind};
use crate::providers::kube::said::{holds, number, said, text};
use crate::providers::kube::workload::doing;
use serde_json::Value;

/// A word of the cluster.
const SAID_CHARS: usize = 120;

/// What has to become true of each object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Goal {
    /// It is gone.
    Deleted,
    /// A condition of its status has that value, whatever the letters' case, as with `kubectl`.
    Condition { name: String, status: String },
    /// There is something at that place, or exactly that.
    Field { path: JsonPath, written: String, value: Option<String> },
}

/// How far an object is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    Reached,
    /// Not yet, and why.
    Waits(String),
    /// It will not get there by waiting, and why.
    Never(String),
}

impl Goal {
    /// As a step says it.
    ///
    /// # Errors
    /// When it says none, two, or what is none.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        match (params.text("for"), params.text("path")) {
            (Some(wanted), None) => Self::named(wanted).ok_or_else(|| {
                let why = "it is `deleted`, or a condition such as `Ready`, `Complete`, `Ready=False`";
                BuildError::value("for", wanted, why)
            }),
            (None, Some(written)) => {
                let path = JsonPath::of(written).ok_or_else(|| {
                    BuildError::value("path", written, "it is no path such as `{.status.phase}`")
                })?;
                let value = params.text("value").map(|value| value.trim().to_owned());
                Ok(Self::Field { path, written: written.trim().to_owned(), value })
            }
            _ => Err(BuildError::value("for", "", "exactly one of `for` and `path` says what to wait for")),
        }
    }

    fn named(wanted: &str) -> Option<Self> {
        if matches!(wanted, "deleted" | "delete") {
            return Some(Self::Deleted);
        }
        let wanted = wanted.strip_prefix("condition=").unwrap_or(wanted);
        let (name, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
        let is_word = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/'))
        };
        (is_word(name) && is_word(status))
            .then(|| Self::Condition { name: name.to_owned(), status: status.to_owned() })
    }

    /// After `until they are`.
    pub fn words(&self) -> String {
        match self {
            Self::Deleted => "deleted".to_owned(),
            Self::Condition { name, status } if status.eq_ignore_ascii_case("true") => name.clone(),
            Self::Condition { name, status } => format!("{name}={status}"),
            Self::Field { written, value: Some(value), .. } => format!("{value} at {written}"),
            Self::Field { written, value: None, .. } => format!("something at {written}"),
        }
    }

    /// As `kubectl wait` takes it.
    pub fn flag(&self) -> String {
        match self {
            Self::Deleted => "--for=delete".to_owned(),
            Self::Condition { .. } => format!("--for=condition={}", self.words()),
            Self::Field { written, value, .. } => {
                let value = value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
                format!("--for=jsonpath={written}{value}")
            }
        }
    }

    /// How far an object of that kind is. `lasts` is whether it has to come true of this very one: of those that a
    /// selector fits, one that has ended may be replaced by another.
    pub fn standing(&self, cluster: &Cluster, kind: &Kind, object: &Value, lasts: bool) -> Standing {
        let is_ending = !object["metadata"]["deletionTimestamp"].is_null();
        let reached = match self {
            Self::Deleted => {
                return Standing::Waits(if is_ending { "is being deleted" } else { "is there" }.into());
            }
            Self::Condition { name, status } => has(object, name, status),
            Self::Field { path, value, .. } => is_at(cluster, path, value.as_deref(), object),
        };
        match reached {
            Ok(()) if is_ending => Standing::Waits("is being deleted".to_owned()),
            Ok(()) => Standing::Reached,
            Err(why) => self.unreached(cluster, kind, object, lasts, &why),
        }
    }

    fn unreached(&self, cluster: &Cluster, kind: &Kind, object: &Value, lasts: bool, why: &str) -> Standing {
        let wants = |wanted: &str| match self {
            Self::Condition { name, status } => {
                name.eq_ignore_ascii_case(wanted) && status.eq_ignore_ascii_case("true")
            }
            Self::Deleted | Self::Field { .. } => false,
        };
        let is_pod = kind.full_name() == "pods";
        if kind.full_name() == "jobs.batch" {
            for (wanted, other, verb) in
                [("Complete", "Failed", "failed"), ("Failed", "Complete", "is complete")]
            {
                if let Some(ended) = holds(object, other).filter(|_| wants(wanted)) {
                    let why = cluster.shown(&said(ended), SAID_CHARS);
                    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                    return Standing::Never(format!("{verb}{why}"));
                }
            }
        }
        let has_ended = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        if is_pod && has_ended && lasts && (wants("Ready") || wants("ContainersReady")) {
            return Standing::Never(doing(cluster, object));
        }
        match is_pod {
            true => Standing::Waits(doing(cluster, object)),
            false => Standing::Waits(cluster.shown(why, SAID_CHARS)),
        }
    }
}

/// Whether a condition has that status, of the newest generation that somebody asked for.
fn has(object: &Value, name: &str, status: &str) -> Result<(), String> {
    let mut all = object["status"]["conditions"].as_array().into_iter().flatten();
    let named = |one: &&Value| one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(name));
    let Some(found) = all.find(named) else {
        return Err(format!("has no condition {name} yet"));
    };
    seen_of(object, found)?;
    let now = text(&found["status"]);
    match now.eq_ignore_ascii_case(status) {
        true => Ok(()),
        false => Err(match said(found) {
            none if none.is_empty() => format!("{name} is {now}"),
            why => format!("{name} is {now}: {why}"),
        }),
    }
}

/// That the controller has seen the newest generation, where it says which one it saw.
fn seen_of(object: &Value, part: &Value) -> Result<(), String> {
    let observed = [&part["observedGeneration"], &object["status"]["observedGeneration"]];
    let observed = observed.into_iter().find_map(Value::as_u64);
    match observed.is_some_and(|seen| seen < number(&object["metadata"]["generation"])) {
        true => Err("its controller has not seen its newest change yet".to_owned()),
        false => Ok(()),
    }
}

fn is_at(cluster: &Cluster, path: &JsonPath, value: Option<&str>, object: &Value) -> Result<(), String> {
    seen_of(object, &Value::Null)?;
    let Some(found) = path.find(object) else { return Err("has nothing there yet".to_owned()) };
    match (value, words(found)) {
        (Some(wanted), Some(now)) if now.trim() == wanted => Ok(()),
        (Some(_), Some(now)) => Err(format!("is {}", cluster.shown(&now, SAID_CHARS))),
        (Some(_), None) => Err("has no single value there".to_owned()),
        (None, Some(now)) if now.is_empty() => Err("has nothing there yet".to_owned()),
        (None, Some(_)) => Ok(()),
        (None, None) => {
            let is_empty = found.as_array().is_some_and(Vec::is_empty)
                || found.as_object().is_some_and(serde_json::Map::is_empty);
            if is_empty { Err("has nothing there yet".to_owned()) } else { Ok(()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    fn kind(plural: &str, api_version: &str) -> Kind {
        Kind { api_version: api_version.into(), kind: "X".into(), plural: plural.into(), is_namespaced: true }
    }

    fn standing(wanted: &str, kind: &Kind, object: &Value) -> Standing {
        Goal::named(wanted).unwrap().standing(&cluster(), kind, object, true)
    }

    #[test]
    fn a_condition_counts_once_its_controller_has_seen_the_newest_change() {
        let of = |generation: u64, seen: u64, status: &str| {
            json!({"metadata": {"generation": generation}, "status": {"observedGeneration": seen, "conditions": [
                {"type": "Available", "status": status}]}})
        };
        let deployments = kind("deployments", "apps/v1");
        let standing = |object: Value| standing("available", &deployments, &object);
        assert_eq!(standing(of(2, 2, "True")), Standing::Reached);
        assert!(matches!(standing(of(3, 2, "True")), Standing::Waits(why) if why.contains("newest change")));
        assert!(matches!(standing(of(2, 2, "False")), Standing::Waits(why) if why == "available is False"));
        assert!(
            matches!(standing(json!({})), Standing::Waits(why) if why == "has no condition available yet")
        );
        let ending = json!({"metadata": {"deletionTimestamp": "2026-11-30T12:00:00Z"}, "status": {"conditions": [
            {"type": "Available", "status": "True"}]}});
        assert_eq!(standing(ending), Standing::Waits("is being deleted".into()));
    }

    #[test]
    fn a_job_that_failed_is_never_complete_and_one_that_is_complete_never_fails() {
        let jobs = kind("jobs", "batch/v1");
        let ended = |how: &str| json!({"status": {"conditions": [{"type": how, "status": "True", "message": "deadline"}]}});
        assert_eq!(standing("complete", &jobs, &ended("Failed")), Standing::Never("failed: deadline".into()));
        assert!(matches!(standing("Failed", &jobs, &ended("Complete")), Standing::Never(_)));
        assert_eq!(standing("complete", &jobs, &ended("Complete")), Standing::Reached);
        let custom = kind("jobs", "example.com/v1");
        assert!(matches!(standing("Complete", &custom, &ended("Failed")), Standing::Waits(_)));
    }

    #[test]
    fn a_pod_that_has_ended_never_gets_ready_and_another_may_take_its_place() {
        let pods = kind("pods", "v1");
        let ended = json!({"status": {"phase": "Failed", "reason": "Evicted"}});
        assert_eq!(standing("ready", &pods, &ended), Standing::Never("failed: Evicted".into()));
        let selected = Goal::named("ready").unwrap().standing(&cluster(), &pods, &ended, false);
        assert_eq!(selected, Standing::Waits("failed: Evicted".into()));
    }

    #[test]
    fn a_field_is_compared_as_text_and_an_empty_one_is_not_there() {
        let claims = kind("persistentvolumeclaims", "v1");
        let goal = |value: Option<&str>| Goal::Field {
            path: JsonPath::of("{.status.phase}").unwrap(),
            written: "{.status.phase}".into(),
            value: value.map(str::to_owned),
        };
        let at = |value: Option<&str>, phase: Value| {
            goal(value).standing(&cluster(), &claims, &json!({"status": {"phase": phase}}), true)
        };
        assert_eq!(at(Some("Bound"), json!("Bound")), Standing::Reached);
        assert_eq!(at(Some("Bound"), json!("Pending")), Standing::Waits("is Pending".into()));
        assert_eq!(at(Some("3"), json!(3)), Standing::Reached);
        for nothing in [json!(null), json!(""), json!([]), json!({})] {
            assert!(matches!(at(None, nothing), Standing::Waits(_)));
        }
        assert_eq!(at(None, json!([{"ip": "10.0.0.1"}])), Standing::Reached);
    }

    #[test]
    fn a_goal_is_written_as_people_know_it_from_kubectl() {
        let flag = |wanted: &str| Goal::named(wanted).map(|goal| goal.flag());
        assert_eq!(flag("ready").as_deref(), Some("--for=condition=ready"));
        assert_eq!(flag("condition=Ready=False").as_deref(), Some("--for=condition=Ready=False"));
        assert_eq!(flag("deleted").as_deref(), Some("--for=delete"));
        assert_eq!((flag(""), flag("Ready="), flag("a b")), (None, None, None));
    }
}
