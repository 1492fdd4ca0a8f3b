//! Environment variables of containers: what they are, what a plan wants them to be, and the patch between.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables>

use crate::providers::kube::client::Cluster;
use serde_json::{Value, json};

/// The longest value that is shown.
const SHOWN_CHARS: usize = 60;

/// What one variable shall be.
#[derive(Clone)]
pub struct Wanted {
    pub name: String,
    pub source: Source,
}

/// Where its value comes from.
#[derive(Clone)]
pub enum Source {
    /// This text, which people may see.
    Plain(String),
    /// This text, which nobody may see; with what it is called.
    Secret { called: String, value: String },
    /// A key of a Secret or a ConfigMap of the namespace.
    Key { of: Holder, name: String, key: String },
    /// It shall not be there.
    Nothing,
}

/// What holds keys in a namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Secret,
    ConfigMap,
}

impl Holder {
    fn reference(self) -> &'static str {
        if self == Self::Secret { "secretKeyRef" } else { "configMapKeyRef" }
    }

    /// For people.
    pub fn noun(self) -> &'static str {
        if self == Self::Secret { "secret" } else { "configmap" }
    }
}

impl Wanted {
    /// Whether a container has it so.
    pub fn is_so(&self, container: &Value) -> bool {
        let entry = entry(container, &self.name);
        match (&self.source, entry) {
            (Source::Nothing, entry) => entry.is_none(),
            (_, None) => false,
            (Source::Plain(value) | Source::Secret { value, .. }, Some(entry)) => {
                // The API leaves an empty value out.
                entry["valueFrom"].is_null() && entry["value"].as_str().unwrap_or_default() == value
            }
            (Source::Key { of, name, key }, Some(entry)) => {
                let reference = &entry["valueFrom"][of.reference()];
                reference["name"] == name.as_str() && reference["key"] == key.as_str()
            }
        }
    }

    /// Its entry in a strategic merge patch.
    pub fn entry(&self) -> Value {
        let name = &self.name;
        match &self.source {
            Source::Nothing => json!({"name": name, "$patch": "delete"}),
            Source::Plain(value) | Source::Secret { value, .. } => {
                json!({"name": name, "value": value, "valueFrom": null})
            }
            Source::Key { of, name: holder, key } => {
                let reference = json!({"name": holder, "key": key});
                let from = json!({"$patch": "replace", of.reference(): reference});
                json!({"name": name, "value": null, "valueFrom": from})
            }
        }
    }

    /// For people: from what a container has to what it shall have.
    pub fn words(&self, cluster: &Cluster, container: &Value) -> String {
        let before = match entry(container, &self.name) {
            None => "unset".to_owned(),
            Some(entry) => had(cluster, &self.name, entry),
        };
        format!("{} {before} -> {}", self.name, self.source.words(cluster, &self.name))
    }

    /// Why a patch of this container cannot make it so, or nobody can tell whether it is.
    pub fn hindrance(&self, container: &Value) -> Option<String> {
        let (name, of) = (&self.name, container["name"].as_str().unwrap_or_default());
        let all = container["env"].as_array().into_iter().flatten();
        let many = all.filter(|one| one["name"] == name.as_str()).count();
        if many > 1 {
            return Some(format!(
                "container {of} has {name} {many} times: the last one counts, and a patch changes another"
            ));
        }
        let is_from_elsewhere = container["envFrom"].as_array().is_some_and(|all| !all.is_empty());
        (matches!(self.source, Source::Nothing) && is_from_elsewhere).then(|| {
            format!("whether {name} is unset cannot be told: container {of} takes whole maps (envFrom)")
        })
    }
}

impl Source {
    /// What it is called; never a secret's value.
    pub fn words(&self, cluster: &Cluster, variable: &str) -> String {
        match self {
            Self::Nothing => "unset".to_owned(),
            Self::Plain(value) if is_delicate(variable) || is_delicate_value(value) => {
                "(a value of the plan)".to_owned()
            }
            Self::Plain(value) => shown(cluster, value),
            Self::Secret { called, .. } => called.clone(),
            Self::Key { of, name, key } => format!("{key} of {} {name}", of.noun()),
        }
    }
}

fn entry<'a>(container: &'a Value, name: &str) -> Option<&'a Value> {
    container["env"].as_array()?.iter().find(|one| one["name"] == name)
}

/// What somebody else set may be a secret that no redactor knows.
fn had(cluster: &Cluster, name: &str, entry: &Value) -> String {
    for of in [Holder::Secret, Holder::ConfigMap] {
        let reference = &entry["valueFrom"][of.reference()];
        if let (Some(holder), Some(key)) = (reference["name"].as_str(), reference["key"].as_str()) {
            return format!("{} of {} {}", shown(cluster, key), of.noun(), shown(cluster, holder));
        }
    }
    match entry["value"].as_str().unwrap_or_default() {
        _ if entry["valueFrom"].is_object() => "(from elsewhere)".to_owned(),
        value if may_be_shown(name, value) => shown(cluster, value),
        _ => "(a value that is not shown)".to_owned(),
    }
}

fn shown(cluster: &Cluster, value: &str) -> String {
    if value.is_empty() { "\"\"".to_owned() } else { cluster.shown(value, SHOWN_CHARS) }
}

/// Whether the value of a variable that somebody else set may be shown.
pub fn may_be_shown(name: &str, value: &str) -> bool {
    is_harmless(name) && !is_delicate(name) && !is_delicate_value(value)
}

/// Whether a variable of that name is likely to hold a secret.
fn is_delicate(name: &str) -> bool {
    let upper = name.to_uppercase();
    ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "CRED", "DSN", "AUTH"].iter().any(|part| upper.contains(part))
}

/// Whether a variable of that name says where something is, or how it works. What others are for nobody knows.
fn is_harmless(name: &str) -> bool {
    let upper = name.to_uppercase();
    let parts = [
        "HOST", "PORT", "ADDR", "ENDPOINT", "SERVER", "REGION", "ZONE", "DOMAIN", "URL", "MODE", "LEVEL",
        "REPLICAS",
    ];
    parts.iter().any(|part| upper.contains(part))
}

/// A connection string may have a password in it, and a long word without a break may be one.
fn is_delicate_value(value: &str) -> bool {
    let lower = value.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let is_break = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '+' && c != '=';
    has(&["@", "pass", "pwd", "secret", "token", "key="])
        || value.split(is_break).any(|word| word.len() >= 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;

    fn container() -> Value {
        json!({"name": "main", "env": [
            {"name": "DB_HOST", "value": "db-a"},
            {"name": "DB_PASSWORD", "value": "hunter2"},
            {"name": "DATABASE_URL", "value": "postgres://app:hunter2@db-a/x"},
            {"name": "EMPTY"},
            {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "mode"}}}]})
    }

    fn wanted(name: &str, source: Source) -> Wanted {
        Wanted { name: name.into(), source }
    }

    fn plain(name: &str, value: &str) -> Wanted {
        wanted(name, Source::Plain(value.into()))
    }

    #[test]
    fn what_is_so_already_is_known() {
        assert!(plain("DB_HOST", "db-a").is_so(&container()));
        assert!(!plain("DB_HOST", "db-b").is_so(&container()));
        assert!(plain("EMPTY", "").is_so(&container()) && !plain("NEW", "").is_so(&container()));
        assert!(!plain("MODE", "").is_so(&container()), "it comes from elsewhere");
        let key = |of, key: &str| {
            wanted("MODE", Source::Key { of, name: "shop".into(), key: key.into() }).is_so(&container())
        };
        assert!(key(Holder::ConfigMap, "mode") && !key(Holder::ConfigMap, "other"));
        assert!(!key(Holder::Secret, "mode"));
        let gone = |name: &str| wanted(name, Source::Nothing).is_so(&container());
        assert!(gone("NEW") && !gone("DB_HOST"));
    }

    #[test]
    fn no_secret_is_in_the_words() {
        let words = |one: Wanted| one.words(&cluster(), &container());
        assert_eq!(words(plain("DB_HOST", "db-b")), "DB_HOST db-a -> db-b");
        assert_eq!(words(plain("NEW", "")), "NEW unset -> \"\"");
        let hidden = Source::Secret { called: "[secret db]".into(), value: "hunter3".into() };
        let of = |name: &str| words(wanted(name, hidden.clone()));
        assert_eq!(of("DB_PASSWORD"), "DB_PASSWORD (a value that is not shown) -> [secret db]");
        assert_eq!(of("DATABASE_URL"), "DATABASE_URL (a value that is not shown) -> [secret db]");
        assert_eq!(
            words(plain("DB_PASSWORD", "x")),
            "DB_PASSWORD (a value that is not shown) -> (a value of the plan)"
        );
        let key = Source::Key { of: Holder::Secret, name: "db".into(), key: "password".into() };
        assert_eq!(words(wanted("MODE", key)), "MODE mode of configmap shop -> password of secret db");
        assert_eq!(words(wanted("DB_HOST", Source::Nothing)), "DB_HOST db-a -> unset");
    }

    #[test]
    fn what_somebody_else_set_is_shown_only_where_it_is_harmless() {
        for (name, value) in [
            ("DB_PW", "hunter2pw"),
            ("DB_CONN", "app:hunter2pw@tcp(db:3306)/x"),
            ("ODBC_SERVER", "Server=db;Uid=app;Pwd=hunter2pw"),
            ("REDIS_ARGS", "--requirepass hunter2pw"),
            ("JWT", "eyJhbGciOiJIUzI1NiJ9.e30.abc"),
            ("GITHUB", "ghp_0123456789abcdef0123456789abcdef0123"),
            ("AWS", "AKIA0123456789ABCDEF"),
            ("HOST", "AKIA0123456789ABCDEF"),
            ("OLD", "1"),
        ] {
            let container = json!({"env": [{"name": name, "value": value}]});
            let words = plain(name, "x").words(&cluster(), &container);
            assert!(words.contains(" (a value that is not shown) -> "), "{words}");
        }
        let url = json!({"env": [{"name": "API_URL", "value": "https://api.example.com:8443/v1"}]});
        let words = plain("API_URL", "https://api.dr.example.com/v1").words(&cluster(), &url);
        assert_eq!(words, "API_URL https://api.example.com:8443/v1 -> https://api.dr.example.com/v1");
    }

    #[test]
    fn a_variable_that_is_there_twice_or_may_come_from_a_map_hinders() {
        let twice =
            json!({"name": "main", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]});
        let said = plain("A", "3").hindrance(&twice).unwrap();
        assert!(said.starts_with("container main has A 2 times"), "{said}");
        let mapped = json!({"name": "main", "envFrom": [{"configMapRef": {"name": "shop"}}]});
        assert!(wanted("A", Source::Nothing).hindrance(&mapped).unwrap().contains("(envFrom)"));
        assert_eq!(plain("A", "3").hindrance(&mapped), None, "what the container itself says counts");
        assert_eq!(wanted("A", Source::Nothing).hindrance(&container()), None);
    }
}
