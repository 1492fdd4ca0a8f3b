//! What differs between two states of one object, a field a line. Values of secrets are never shown, nor what may be one.

use super::secret::is_secret;
use super::state::digest;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::workload::may_be_shown;
use serde_json::{Map, Value};

/// The longest value that is shown whole.
const WHOLE_CHARS: usize = 80;
const BEGINNING_CHARS: usize = 40;
const PATH_CHARS: usize = 2_000;
/// Stands for a character of a path that is not shown as it is.
const CLEANED: [char; 2] = ['\u{fffd}', '…'];
/// Stands for what is not there.
const NOTHING: &str = "(none)";
const HIDDEN: &str = "(not shown)";

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// `.spec.template.spec.containers[web].image`
    pub path: String,
    /// `"shop:1" -> "shop:2"`
    pub words: String,
}

impl Difference {
    /// Whether an object has the value that the words lead to; none where they do not tell it, or the path is not whole.
    pub fn is_in(cluster: &Cluster, path: &str, words: &str, object: &Value) -> Option<bool> {
        if words.ends_with(HIDDEN) || path.contains(CLEANED) {
            return None;
        }
        let leaf = leaf(object, path);
        let is = |value: Option<&Value>| words.ends_with(&format!("-> {}", shown(cluster, value)));
        // Of a list whose order is all that differs the words are the names of its members.
        let order =
            leaf.and_then(Value::as_array).and_then(|list| names(list)).map(|names| names.join(", ").into());
        Some(is(leaf) || order.is_some_and(|order| is(Some(&order))))
    }
}

/// All that differs.
pub fn differences(cluster: &Cluster, from: &Value, to: &Value) -> Vec<Difference> {
    let hides = to["kind"].as_str().or(from["kind"].as_str()).is_some_and(is_secret);
    let mut found = Vec::new();
    Walk { cluster, hides, found: &mut found }.walk("", Some(from), Some(to));
    found
}

struct Walk<'a> {
    cluster: &'a Cluster,
    /// Whether the object is a secret.
    hides: bool,
    found: &'a mut Vec<Difference>,
}

impl Walk<'_> {
    fn walk(&mut self, path: &str, from: Option<&Value>, to: Option<&Value>) {
        match (from, to) {
            (from, to) if from == to => {}
            (Some(Value::Object(from)), Some(Value::Object(to))) => self.fields(path, from, to),
            (Some(Value::Array(from)), Some(Value::Array(to))) => self.members(path, from, to),
            _ => self.differs(path, from, to),
        }
    }

    fn fields(&mut self, path: &str, from: &Map<String, Value>, to: &Map<String, Value>) {
        let more = to.keys().filter(|name| !from.contains_key(*name));
        for name in from.keys().chain(more) {
            self.walk(&format!("{path}{}", step(name)), from.get(name), to.get(name));
        }
    }

    fn members(&mut self, path: &str, from: &[Value], to: &[Value]) {
        let (Some(before), Some(after)) = (names(from), names(to)) else {
            for at in 0..from.len().max(to.len()) {
                self.walk(&format!("{path}[{at}]"), from.get(at), to.get(at));
            }
            return;
        };
        let of = |all: &[&str], list: &[Value], name: &str| {
            all.iter().position(|known| *known == name).and_then(|at| list.get(at).cloned())
        };
        let count = self.found.len();
        for name in before.iter().chain(after.iter().filter(|name| !before.contains(name))) {
            let (old, new) = (of(&before, from, name), of(&after, to, name));
            self.walk(&format!("{path}[{name}]"), old.as_ref(), new.as_ref());
        }
        if self.found.len() == count {
            self.differs(path, Some(&before.join(", ").into()), Some(&after.join(", ").into()));
        }
    }

    fn differs(&mut self, path: &str, from: Option<&Value>, to: Option<&Value>) {
        let is_of_secret = self.hides && (path.starts_with(".data") || path.starts_with(".stringData"));
        let is_hidden =
            is_of_secret || [from, to].into_iter().flatten().any(|value| is_delicate(path, value));
        let of = |value: Option<&Value>| match is_hidden && value.is_some() {
            true => HIDDEN.to_owned(),
            false => shown(self.cluster, value),
        };
        let words = format!("{} -> {}", of(from), of(to));
        self.found.push(Difference { path: self.cluster.shown(path, PATH_CHARS), words });
    }
}

/// Whether what stands there may be a secret that no redactor knows: a variable of a container, a field of such a name, a
/// whole container with its variables.
fn is_delicate(path: &str, value: &Value) -> bool {
    let variable = path.rsplit_once(".env[").and_then(|(_, rest)| rest.split_once(']'));
    if let Some((name, rest)) = variable {
        let plain = if rest.is_empty() { &value["value"] } else { value };
        return plain.as_str().is_some_and(|value| !may_be_shown(name, value));
    }
    let lower = path.rsplit(['.', '[']).next().unwrap_or_default().to_lowercase();
    let is_named = ["passw", "pwd", "token", "secret"].iter().any(|part| lower.contains(part));
    let text = value.to_string();
    let has_variables = text.contains("\"env\":") && text.contains("\"value\":");
    is_named && value.is_string() || has_variables || text.contains("://") && text.contains('@')
}

/// A value as it is shown: of a long one its beginning, and what tells it apart from others.
fn shown(cluster: &Cluster, value: Option<&Value>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    let text = value.to_string();
    let count = text.chars().count();
    if count <= WHOLE_CHARS {
        return cluster.shown(&text, WHOLE_CHARS);
    }
    let beginning = cluster.shown(&text, BEGINNING_CHARS);
    format!("{beginning} ({count} characters, {})", digest(&text))
}

/// The names of the members of a list that has names, each once.
pub fn names(list: &[Value]) -> Option<Vec<&str>> {
    let names: Vec<&str> = list.iter().map(|one| one["name"].as_str()).collect::<Option<_>>()?;
    let is_twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    (!names.is_empty() && !is_twice).then_some(names)
}

fn step(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_plain { format!(".{name}") } else { format!("[{name}]") }
}

/// The value at a path as [`Difference`] writes it.
fn leaf<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = object;
    let mut rest = path;
    while !rest.is_empty() {
        let name;
        (name, rest) = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']')?,
            None => {
                let inner = rest.strip_prefix('.')?;
                inner.split_at(inner.find(['.', '[']).unwrap_or(inner.len()))
            }
        };
        value = match value {
            Value::Array(list) => {
                let named = list.iter().find(|one| one["name"] == name);
                named.or_else(|| list.get(name.parse::<usize>().ok()?))?
            }
            value => value.get(name)?,
        };
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    fn lines(from: Value, to: Value) -> Vec<String> {
        let found = differences(&cluster(), &from, &to);
        found.into_iter().map(|one| format!("{} {}", one.path, one.words)).collect()
    }

    #[test]
    fn fields_are_told_from_and_to() {
        let from = json!({"spec": {"replicas": 1, "paused": true, "same": [1, 2]}});
        let to = json!({"spec": {"replicas": 3, "same": [1, 2], "new": {"a": "x"}}});
        assert_eq!(
            lines(from, to),
            [".spec.paused true -> (none)", ".spec.replicas 1 -> 3", r#".spec.new (none) -> {"a":"x"}"#]
        );
        assert_eq!(lines(json!({"a": 1}), json!({"a": 1})), [] as [&str; 0]);
    }

    #[test]
    fn members_with_names_are_told_by_them_and_others_by_their_place() {
        let container = |name: &str, image: &str| json!({"name": name, "image": image});
        let from = json!({"containers": [container("web", "a:1"), container("log", "l:1")], "args": ["x"]});
        let to = json!({"containers": [container("new", "n:1"), container("web", "a:2"), container("log", "l:1")], "args": ["x", "y"]});
        assert_eq!(
            lines(from.clone(), to),
            [
                r#".args[1] (none) -> "y""#,
                r#".containers[web].image "a:1" -> "a:2""#,
                r#".containers[new] (none) -> {"image":"n:1","name":"new"}"#
            ]
        );
        let other_order =
            json!({"containers": [container("log", "l:1"), container("web", "a:1")], "args": ["x"]});
        assert_eq!(lines(from, other_order), [r#".containers "web, log" -> "log, web""#]);
    }

    #[test]
    fn values_of_a_secret_are_not_shown() {
        let secret =
            |value: Value| json!({"kind": "Secret", "metadata": {"labels": {"a": "b"}}, "data": value});
        let found = lines(secret(json!({"password": "aHVudGVyMg=="})), secret(json!({"password": "eA=="})));
        assert_eq!(found, [".data.password (not shown) -> (not shown)"]);
        let found = lines(secret(Value::Null), secret(json!({"password": "eA=="})));
        assert!(found.len() == 1 && !found[0].contains("eA=="), "{found:?}");
        let words = ".data.password (not shown) -> (not shown)";
        assert_eq!(Difference::is_in(&cluster(), ".data.password", words, &json!({})), None);
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown_either() {
        let with = |env: Value| json!({"kind": "Deployment", "c": [{"name": "main", "env": env}]});
        let of = |name: &str, value: &str| with(json!([{"name": name, "value": value}]));
        let found = lines(of("DB_PASSWORD", "hunter2pw"), of("DB_PASSWORD", "new1"));
        assert_eq!(found, [".c[main].env[DB_PASSWORD].value (not shown) -> (not shown)"]);
        let found = lines(of("PGHOST", "db-a"), of("PGHOST", "db-b"));
        assert_eq!(found, [r#".c[main].env[PGHOST].value "db-a" -> "db-b""#]);
        let found = lines(with(json!([{"name": "A_HOST", "value": "a"}])), of("DB_PW", "hunter2pw"));
        assert!(!found.concat().contains("hunter2pw"), "{found:?}");
        let found = lines(json!({"c": []}), of("DB_PW", "hunter2pw"));
        assert!(!found.concat().contains("hunter2pw"), "{found:?}");
        let config =
            |value: &str| json!({"kind": "ConfigMap", "data": {"password": value, "image": "a@sha256:0"}});
        assert_eq!(lines(config("x"), config("y")), [".data.password (not shown) -> (not shown)"]);
    }

    #[test]
    fn a_path_that_is_not_whole_proves_nothing() {
        let long = "x".repeat(600);
        let from = json!({"a": {long.clone(): 1, "\u{1b}b": 2}});
        for one in differences(&cluster(), &from, &json!({"a": {}})) {
            let is_in = Difference::is_in(&cluster(), &one.path, &one.words, &from);
            assert_ne!(is_in, Some(true), "{one:?}: it is still there");
        }
    }

    #[test]
    fn a_long_or_hostile_value_is_told_by_its_beginning() {
        let long = |end: &str| json!({"data": {"a": format!("{}{end}", "x".repeat(5_000))}});
        let [line] = lines(long("1"), long("2")).try_into().unwrap();
        assert!(line.len() < 300 && line.contains("5003 characters, "), "{line}");
        let (from, to) = line.split_once(" -> ").unwrap();
        assert_ne!(from.rsplit_once(", ").unwrap().1, to.rsplit_once(", ").unwrap().1);
        let evil = lines(json!({"a": "x"}), json!({"a": "\u{1b}[2J", "\u{202e}b": 1}));
        assert!(evil.iter().all(|line| !line.contains(['\u{1b}', '\u{202e}'])), "{evil:?}");
    }

    #[test]
    fn what_was_confirmed_is_found_again() {
        let from = json!({"metadata": {"annotations": {"a.b/c": "1"}}, "spec": {"c": [{"name": "web", "image": "a"}]}});
        let to = json!({"metadata": {"annotations": {"a.b/c": "2"}}, "spec": {"c": [{"name": "web", "image": "b"}]}, "x": [1]});
        let found = differences(&cluster(), &from, &to);
        assert_eq!(found.len(), 3);
        for one in &found {
            let is_in = |object: &Value| Difference::is_in(&cluster(), &one.path, &one.words, object);
            assert_eq!((is_in(&to), is_in(&from)), (Some(true), Some(false)), "{one:?}");
        }
        let gone = &differences(&cluster(), &to, &from);
        let gone = gone.iter().find(|one| one.path == ".x").unwrap();
        assert_eq!(Difference::is_in(&cluster(), &gone.path, &gone.words, &from), Some(true));
        let list = |all: [&str; 2]| json!({"c": all.map(|name| json!({"name": name, "image": "a"}))});
        let [order] = differences(&cluster(), &list(["a", "b"]), &list(["b", "a"])).try_into().unwrap();
        let is_in = |object: &Value| Difference::is_in(&cluster(), &order.path, &order.words, object);
        assert_eq!((is_in(&list(["b", "a"])), is_in(&list(["a", "b"]))), (Some(true), Some(false)));
        assert_eq!(leaf(&to, ".spec.c[web].none"), None);
        assert_eq!(leaf(&to, "odd"), None);
    }
}
