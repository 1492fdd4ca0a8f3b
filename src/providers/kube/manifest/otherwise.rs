//! What the cluster makes otherwise than the file has it: a webhook, or the API server itself, may write an object anew on
//! its way in.

use crate::providers::kube::client::Cluster;
use crate::providers::kube::objects::diff::{Difference, differences, names};
use crate::providers::kube::objects::digest;
use crate::providers::kube::quantity::quantity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Fields whose values, also those within them, are sizes: only there another form is the same value.
const SIZES: [&str; 13] = [
    "limits",
    "requests",
    "capacity",
    "hard",
    "cpu",
    "memory",
    "storage",
    "ephemeral-storage",
    "sizeLimit",
    "averageValue",
    "divisor",
    "default",
    "defaultRequest",
];

/// What is otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Otherwise {
    /// Fields of the file that come out with another value, from the file's to the cluster's.
    pub fields: Vec<Difference>,
    /// Members of lists with names that the file has not: `.spec.template.spec.containers[proxy]`.
    pub added: Vec<String>,
}

impl Otherwise {
    /// Compares what is asked for with what came of it. Only what the file says is compared: defaults are no difference,
    /// nor are other forms of one value.
    pub fn of(cluster: &Cluster, wanted: &Value, got: &Value) -> Self {
        let wanted = encoded(wanted);
        let fields = differences(cluster, &wanted, &fitted(&wanted, got, false));
        let mut added = Vec::new();
        more("", &wanted, got, &mut added);
        Self { fields, added: added.iter().map(|path| cluster.shown(path, 300)).collect() }
    }

    /// What tells it apart from others; none where all fields are as the file has them.
    pub fn digest(&self) -> Option<String> {
        let fields: Vec<_> = self.fields.iter().map(|one| (&one.path, &one.words)).collect();
        (!fields.is_empty()).then(|| digest(&json!(fields).to_string()))
    }

    /// A line for each, for people.
    pub fn lines(&self, words: &str) -> Vec<String> {
        let field = |one: &Difference| {
            format!("{words} {}: the cluster makes it otherwise than the file: {}.", one.path, one.words)
        };
        let added =
            |path: &String| format!("{words} {path}: is in no file, the cluster adds it (a webhook does).");
        self.fields.iter().map(field).chain(self.added.iter().map(added)).collect()
    }
}

/// Texts of a secret as the API server keeps them.
fn encoded(wanted: &Value) -> Value {
    let mut wanted = wanted.clone();
    if wanted["kind"] != "Secret" || wanted["apiVersion"] != "v1" {
        return wanted;
    }
    let texts = wanted.as_object_mut().and_then(|fields| fields.remove("stringData"));
    for (name, text) in texts.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        wanted["data"][name] = json!(STANDARD.encode(text));
    }
    wanted
}

/// What was got in the shape of what is wanted: a value that means the same is the wanted one.
fn fitted(wanted: &Value, got: &Value, is_size: bool) -> Value {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => Value::Object(fields(wanted, got, is_size)),
        (Value::Array(wanted), Value::Array(got)) => Value::Array(members(wanted, got)),
        (wanted, got) if is_same(wanted, got, is_size) => wanted.clone(),
        (_, got) => got.clone(),
    }
}

fn fields(wanted: &Map<String, Value>, got: &Map<String, Value>, is_size: bool) -> Map<String, Value> {
    let of = |(name, wanted): (&String, &Value)| {
        let value = match got.get(name) {
            Some(got) => Some(fitted(wanted, got, is_size || SIZES.contains(&&**name))),
            None => is_empty(wanted).then(|| wanted.clone()),
        };
        value.map(|value| (name.clone(), value))
    };
    wanted.iter().filter_map(of).collect()
}

/// Members are found by their names, or else as the next one that has all that is wanted.
fn members(wanted: &[Value], got: &[Value]) -> Vec<Value> {
    if names(wanted).is_some() {
        let of = |got: &Value| {
            wanted
                .iter()
                .find(|wanted| wanted["name"] == got["name"])
                .map(|wanted| fitted(wanted, got, false))
        };
        return got.iter().filter_map(of).collect();
    }
    let mut rest = got.iter();
    let has_all = wanted.iter().all(|wanted| rest.any(|got| fitted(wanted, got, false) == *wanted));
    match has_all {
        true => wanted.to_vec(),
        false => {
            let of = |(at, got): (usize, &Value)| {
                wanted.get(at).map_or(got.clone(), |wanted| fitted(wanted, got, false))
            };
            got.iter().enumerate().map(of).collect()
        }
    }
}

/// Whether both mean the same: of sizes `1000m` and `1`, `1Gi` and `1024Mi`, a number and its text.
fn is_same(wanted: &Value, got: &Value, is_size: bool) -> bool {
    let size = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => quantity(text),
        _ => None,
    };
    wanted == got || is_size && size(wanted).is_some_and(|wanted| Some(wanted) == size(got))
}

/// What an API server leaves out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_so) => !is_so,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

fn more(path: &str, wanted: &Value, got: &Value, added: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            for (name, wanted) in wanted {
                got.get(name).into_iter().for_each(|got| more(&format!("{path}.{name}"), wanted, got, added));
            }
        }
        (Value::Array(wanted), Value::Array(got)) => {
            let Some(known) = names(wanted) else { return };
            for one in got {
                let Some(name) = one["name"].as_str() else { continue };
                let path = format!("{path}[{name}]");
                match known.iter().position(|known| *known == name) {
                    Some(at) => more(&path, &wanted[at], one, added),
                    None => added.push(path),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;

    fn of(wanted: Value, got: Value) -> (Vec<String>, Vec<String>) {
        let found = Otherwise::of(&cluster(), &wanted, &got);
        let fields = found.fields.iter().map(|one| format!("{} {}", one.path, one.words)).collect();
        (fields, found.added)
    }

    #[test]
    fn what_a_webhook_makes_of_an_object_is_told() {
        let container = |name: &str, image: &str| json!({"name": name, "image": image});
        let wanted = json!({"spec": {"replicas": 2, "containers": [container("web", "shop:1")], "args": ["a"]},
                            "metadata": {"labels": {"a": "b", "team": "x"}}});
        let got = json!({"spec": {"replicas": 1, "containers": [container("proxy", "p:1"), container("web", "mirror/shop:1")],
                                  "args": ["b"], "paused": true},
                         "metadata": {"labels": {"a": "b"}, "uid": "u"}});
        let (fields, added) = of(wanted, got);
        assert_eq!(
            fields,
            [
                r#".metadata.labels.team "x" -> (none)"#,
                r#".spec.args[0] "a" -> "b""#,
                r#".spec.containers[web].image "shop:1" -> "mirror/shop:1""#,
                ".spec.replicas 2 -> 1"
            ]
        );
        assert_eq!(added, [".spec.containers[proxy]"]);
    }

    #[test]
    fn defaults_and_other_forms_of_a_value_are_no_difference() {
        let wanted = json!({"kind": "Secret", "apiVersion": "v1", "stringData": {"a": "text"}, "data": {"b": "eA=="},
            "limits": {"cpu": "1000m", "memory": "1Gi", "pods": 4}, "on": false, "none": null, "empty": {"x": []},
            "tolerations": [{"key": "a"}, {"key": "b"}]});
        let got = json!({"kind": "Secret", "apiVersion": "v1", "data": {"a": "dGV4dA==", "b": "eA=="},
            "limits": {"cpu": "1", "memory": "1024Mi", "pods": "4"}, "type": "Opaque",
            "tolerations": [{"key": "a", "effect": "NoExecute"}, {"key": "z"}, {"key": "b"}]});
        assert_eq!(of(wanted, got), (Vec::new(), Vec::new()));
    }

    #[test]
    fn another_form_of_what_is_no_size_is_another_value() {
        let (fields, _) =
            of(json!({"data": {"a": "1k", "b": "1"}}), json!({"data": {"a": "1000", "b": "1.0"}}));
        assert_eq!(fields, [r#".data.a "1k" -> "1000""#, r#".data.b "1" -> "1.0""#]);
    }

    #[test]
    fn order_and_number_of_members_count() {
        let list = |all: &[&str]| json!({"a": all, "c": all.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()});
        for (wanted, got) in [(&["x", "y"][..], &["y", "x"][..]), (&["x", "y"], &["x"])] {
            let (fields, _) = of(list(wanted), list(got));
            assert!(fields.iter().any(|one| one.starts_with(".a")), "{fields:?}");
            assert!(fields.iter().any(|one| one.starts_with(".c")), "{fields:?}");
        }
    }

    #[test]
    fn values_of_a_secret_are_not_told() {
        let secret =
            |text: &str| json!({"kind": "Secret", "apiVersion": "v1", "stringData": {"password": text}});
        let got = json!({"kind": "Secret", "apiVersion": "v1", "data": {"password": "b3RoZXI="}});
        let (fields, _) = of(secret("hunter2"), got);
        assert_eq!(fields, [".data.password (not shown) -> (not shown)"]);
    }
}
