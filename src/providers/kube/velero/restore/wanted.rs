//! What of a backup a plan has restored, and how.

use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::place::checked;
use serde_json::{Map, Value, json};

pub const INCLUDED: Key = Key::optional(
    "included_namespaces",
    Takes::List(&Takes::Text),
    "Restores these namespaces only; all of the backup where absent.",
);
pub const EXCLUDED: Key =
    Key::optional("excluded_namespaces", Takes::List(&Takes::Text), "Leaves these namespaces out.");
pub const MAPPING: Key = Key::optional(
    "namespace_mapping",
    Takes::Table(&Takes::Text),
    "Restores a namespace into another one: `{ shop = \"shop-drill\" }`.",
);
pub const EXISTING: Key = Key::default(
    "existing",
    Takes::Choice(&["none", "update"]),
    "none",
    "What becomes of an object that is there already: `none` leaves it as it is, and Velero warns where it differs; \
     `update` patches it to what the backup has.",
);
pub const VOLUMES: Key = Key::default(
    "restore_volumes",
    Takes::Flag,
    "true",
    "Restore volumes from their snapshots, too (`restorePVs`).",
);

/// What is restored.
#[derive(Clone, Debug)]
pub struct Wanted {
    included: Vec<String>,
    excluded: Vec<String>,
    mapping: Vec<(String, String)>,
    /// Whether objects that are there already are patched.
    pub updates: bool,
    volumes: bool,
}

impl Wanted {
    /// As a step says it.
    ///
    /// # Errors
    /// When it contradicts itself, or names what is no namespace.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let names = |key: &'static str| {
            let names = params.texts(key).into_iter().map(|name| checked(key, name).map(str::to_owned));
            names.collect::<Result<Vec<_>, _>>()
        };
        let (included, excluded) = (names("included_namespaces")?, names("excluded_namespaces")?);
        let twice = |why: &str, name: &str| BuildError::value("namespace_mapping", name, why);
        let mut mapping: Vec<(String, String)> = Vec::new();
        for (from, to) in params.table("namespace_mapping") {
            let to = checked("namespace_mapping", to.as_text().unwrap_or_default())?;
            if mapping.iter().any(|(_, known)| known == to) {
                return Err(twice("two namespaces would be restored into one", to));
            }
            if !included.is_empty() && !included.iter().any(|name| name == from) {
                return Err(twice("it is not among the `included_namespaces`", from));
            }
            mapping.push((checked("namespace_mapping", from)?.to_owned(), to.to_owned()));
        }
        if let Some(both) = included.iter().find(|name| excluded.contains(name)) {
            return Err(BuildError::value("excluded_namespaces", both, "it is included and excluded"));
        }
        let volumes = params.get("restore_volumes").is_none_or(|_| params.flag("restore_volumes"));
        Ok(Self { included, excluded, mapping, updates: params.text("existing") == Some("update"), volumes })
    }

    /// The specification of a `Restore` from a backup.
    pub fn spec(&self, backup: &str) -> Value {
        let mut spec = Map::new();
        spec.insert("backupName".into(), json!(backup));
        let policy = if self.updates { "update" } else { "none" };
        spec.insert("existingResourcePolicy".into(), json!(policy));
        spec.insert("restorePVs".into(), json!(self.volumes));
        if !self.included.is_empty() {
            spec.insert("includedNamespaces".into(), json!(self.included));
        }
        if !self.excluded.is_empty() {
            spec.insert("excludedNamespaces".into(), json!(self.excluded));
        }
        if !self.mapping.is_empty() {
            let mapping: Map<String, Value> =
                self.mapping.iter().map(|(from, to)| (from.clone(), json!(to))).collect();
            spec.insert("namespaceMapping".into(), Value::Object(mapping));
        }
        Value::Object(spec)
    }

    /// The same as flags of `velero restore create`.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut add = |name: &str, value: String| {
            if !value.is_empty() {
                flags.extend([format!("--{name}"), value]);
            }
        };
        add("include-namespaces", self.included.join(","));
        add("exclude-namespaces", self.excluded.join(","));
        let mapping: Vec<String> = self.mapping.iter().map(|(from, to)| format!("{from}:{to}")).collect();
        add("namespace-mappings", mapping.join(","));
        add("existing-resource-policy", if self.updates { "update" } else { "none" }.to_owned());
        flags.push(format!("--restore-volumes={}", self.volumes));
        flags
    }

    /// What is set, as name and value.
    pub fn sets(&self) -> Vec<(String, String)> {
        let all = |names: &[String], none: &str| match names {
            [] => none.to_owned(),
            names => names.join(", "),
        };
        let mut sets = vec![("namespaces".to_owned(), all(&self.included, "all of the backup"))];
        if !self.excluded.is_empty() {
            sets.push(("left out".to_owned(), self.excluded.join(", ")));
        }
        sets.extend(
            self.mapping.iter().map(|(from, to)| (format!("namespace {from}"), format!("into {to}"))),
        );
        let existing = if self.updates { "patched to what the backup has" } else { "left as it is" };
        sets.push(("what is there already".to_owned(), existing.to_owned()));
        sets.push(("volumes".to_owned(), if self.volumes { "restored" } else { "not restored" }.to_owned()));
        sets
    }

    /// The included namespaces that a backup of these does not have. Where it was told by patterns nobody knows.
    pub fn missing_of(&self, has: &[String], lacks: &[String]) -> Vec<&str> {
        let is_open = |names: &[String]| names.iter().any(|name| name.contains(['*', '?', '[']));
        let outside = |name: &&String| {
            let is_in = has.is_empty() || is_open(has) || has.contains(name);
            !is_in || lacks.contains(name)
        };
        let named = self.included.iter().chain(self.mapping.iter().map(|(from, _)| from));
        let mut missing: Vec<&str> = named.filter(outside).map(String::as_str).collect();
        missing.dedup();
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::params::Param;

    fn wanted(included: &[&str], excluded: &[&str], mapping: &[(&str, &str)]) -> Result<Wanted, BuildError> {
        let text = |text: &&str| Param::Text((*text).to_owned());
        let list = |names: &[&str]| Param::List(names.iter().map(text).collect());
        let mut params = Params::default();
        params.0.insert("included_namespaces".into(), list(included));
        params.0.insert("excluded_namespaces".into(), list(excluded));
        let table = mapping.iter().map(|(from, to)| ((*from).to_owned(), text(to))).collect();
        params.0.insert("namespace_mapping".into(), Param::Table(table));
        Wanted::of(&params)
    }

    #[test]
    fn a_restore_says_all_that_the_plan_says() {
        let wanted = wanted(&["shop"], &["kube-system"], &[("shop", "drill")]).unwrap();
        let spec = json!({
            "backupName": "b", "includedNamespaces": ["shop"], "excludedNamespaces": ["kube-system"],
            "namespaceMapping": {"shop": "drill"}, "existingResourcePolicy": "none", "restorePVs": true});
        assert_eq!(wanted.spec("b"), spec);
        assert_eq!(
            wanted.flags().join(" "),
            "--include-namespaces shop --exclude-namespaces kube-system --namespace-mappings shop:drill \
             --existing-resource-policy none --restore-volumes=true"
        );
        assert_eq!(wanted.sets()[2], ("namespace shop".into(), "into drill".into()));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(wanted(&["shop"], &["shop"], &[]).is_err());
        assert!(wanted(&["shop"], &[], &[("web", "drill")]).is_err());
        assert!(wanted(&[], &[], &[("a", "drill"), ("b", "drill")]).is_err());
        assert!(wanted(&["a/b"], &[], &[]).is_err() && wanted(&[], &[], &[("a", "../b")]).is_err());
        assert!(wanted(&[], &[], &[("a", "b"), ("b", "a")]).is_ok());
    }

    #[test]
    fn what_a_backup_does_not_have_is_found_where_it_says_what_it_has() {
        let wanted = wanted(&["shop", "web"], &[], &[("shop", "drill")]).unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let missing = |has: &[&str], lacks: &[&str]| wanted.missing_of(&names(has), &names(lacks)).join(",");
        assert_eq!(missing(&["shop"], &[]), "web");
        assert_eq!((missing(&[], &[]), missing(&["*"], &[])), (String::new(), String::new()));
        assert_eq!((missing(&["s*", "x"], &[]), missing(&[], &["web"])), (String::new(), "web".into()));
    }
}
