//! Which kinds of objects a cluster has, by the names that people and manifests give them.
//! <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>

use super::Cluster;
use super::error::{Call, KubeError, KubeErrorKind};
use super::resource::is_name;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What a cluster has is asked for anew after this time: a definition may be new.
const COUNTS: Duration = Duration::from_secs(60);
/// Groups of one cluster that are looked through for a kind.
const MAX_GROUPS: usize = 300;

/// A kind of object, as one cluster has it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kind {
    /// Group and version (`apps/v1`; `v1` for the core).
    pub api_version: String,
    /// As manifests name it (`Deployment`).
    pub kind: String,
    /// As paths and RBAC name it (`deployments`).
    pub plural: String,
    pub is_namespaced: bool,
}

impl Kind {
    /// The path of all, of those of a namespace, or of one.
    pub fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let root = if self.api_version.contains('/') { "apis" } else { "api" };
        let place = match namespace.filter(|_| self.is_namespaced) {
            Some(namespace) => format!("/namespaces/{namespace}"),
            None => String::new(),
        };
        let name = name.map_or(String::new(), |name| format!("/{name}"));
        format!("/{root}/{}{place}/{}{name}", self.api_version, self.plural)
    }

    /// As RBAC names it (`deployments.apps`).
    pub fn full_name(&self) -> String {
        match self.group() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// For messages (`configmap`).
    pub fn noun(&self) -> String {
        self.kind.to_lowercase()
    }

    fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// A kind with the other names that `kubectl` takes for it.
#[derive(Clone)]
struct Known {
    kind: Kind,
    names: Vec<String>,
}

/// The kinds of each group and version that were asked for.
#[derive(Default)]
struct Asked(Mutex<HashMap<String, Listed>>);

/// What was listed, and when.
struct Listed {
    at: Instant,
    kinds: Arc<Vec<Known>>,
}

impl Cluster {
    /// The kind that a manifest names by `apiVersion` and `kind`.
    ///
    /// # Errors
    /// When the cluster does not have it, or does not answer.
    pub async fn kind_of(&self, api_version: &str, kind: &str, until: Instant) -> Result<Kind, KubeError> {
        let call = Call::new("get API resources", format!("for {kind} of {api_version}"));
        let all = self.kinds(&call, api_version, until).await?;
        let found = all.iter().find(|known| known.kind.kind == kind);
        found.map(|known| known.kind.clone()).ok_or_else(|| self.no_kind(&call, api_version, kind))
    }

    /// The kind that people name as for `kubectl`: `pod`, `po`, `deployments`, `certificate.cert-manager.io`. Without a
    /// group the cluster's own kinds come first.
    ///
    /// # Errors
    /// When the cluster does not have it, or does not answer.
    pub async fn kind_named(&self, name: &str, until: Instant) -> Result<Kind, KubeError> {
        let call = Call::new("get API resources", format!("for {name}"));
        let (name, group) = name.split_once('.').map_or((name, None), |(name, group)| (name, Some(group)));
        let lower = name.to_lowercase();
        let fits = |known: &&Known| known.names.contains(&lower);
        let mut versions = if group.is_none() { vec!["v1".to_owned()] } else { Vec::new() };
        versions.extend(self.versions(&call, group, until).await?);
        let mut unread = None;
        for version in &versions {
            match self.kinds(&call, version, until).await {
                Ok(all) => {
                    if let Some(known) = all.iter().find(fits) {
                        return Ok(known.kind.clone());
                    }
                }
                // A group whose own server is down hides no other one's kinds.
                Err(error) => unread = Some(error),
            }
        }
        Err(unread.unwrap_or_else(|| self.no_kind(&call, group.unwrap_or("any group"), name)))
    }

    fn no_kind(&self, call: &Call, place: &str, kind: &str) -> KubeError {
        let why = format!("this cluster knows no {} in {}", self.shown(kind, 80), self.shown(place, 80));
        KubeError::new(&self.context, call, KubeErrorKind::NoSuchKind, why)
    }

    /// The versions that the cluster itself prefers, of one group or of all; its own groups, whose names have no dot or
    /// end in `k8s.io`, first.
    async fn versions(
        &self,
        call: &Call,
        group: Option<&str>,
        until: Instant,
    ) -> Result<Vec<String>, KubeError> {
        let left = until.saturating_duration_since(Instant::now());
        let groups = self.get(call, "/apis".to_owned(), left).await?;
        let all = groups["groups"].as_array().into_iter().flatten().take(MAX_GROUPS);
        let named = all.filter(|one| group.is_none_or(|group| one["name"] == group));
        let versions = named.filter_map(|one| one["preferredVersion"]["groupVersion"].as_str());
        let mut versions: Vec<String> =
            versions.filter(|version| is_version(version)).map(str::to_owned).collect();
        versions.sort_by_key(|version| {
            let group = version.split('/').next().unwrap_or_default();
            group.contains('.') && !group.ends_with(".k8s.io")
        });
        Ok(versions)
    }

    async fn kinds(
        &self,
        call: &Call,
        api_version: &str,
        until: Instant,
    ) -> Result<Arc<Vec<Known>>, KubeError> {
        if !is_version(api_version) {
            return Err(self.no_kind(call, api_version, "such version"));
        }
        let asked = self.kept("kinds", Asked::default);
        let known = |asked: &Asked| {
            let all = asked.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(api_version)
                .filter(|listed| listed.at.elapsed() < COUNTS)
                .map(|listed| listed.kinds.clone())
        };
        if let Some(known) = known(&asked) {
            return Ok(known);
        }
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let left = until.saturating_duration_since(Instant::now());
        let answer = self.get(call, format!("/{root}/{api_version}"), left).await?;
        let kinds: Vec<Known> = answer["resources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| Known::of(api_version, one))
            .collect();
        let kinds = Arc::new(kinds);
        let mut all = asked.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(api_version.to_owned(), Listed { at: Instant::now(), kinds: kinds.clone() });
        Ok(kinds)
    }
}

impl Known {
    /// Of what the API lists; none where it is a part of another kind (`deployments/scale`).
    fn of(api_version: &str, one: &Value) -> Option<Self> {
        let (plural, kind) = (one["name"].as_str()?, one["kind"].as_str()?);
        if !is_name(plural) || !kind.chars().all(|c| c.is_ascii_alphanumeric()) {
            return None;
        }
        let mut names = vec![plural.to_owned(), kind.to_lowercase()];
        names.extend(one["singularName"].as_str().filter(|name| !name.is_empty()).map(str::to_owned));
        let short = one["shortNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        names.extend(short.map(str::to_owned));
        let kind = Kind {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            is_namespaced: one["namespaced"] == true,
        };
        Some(Self { kind, names })
    }
}

/// `v1`, `apps/v1`: it becomes part of a path.
fn is_version(text: &str) -> bool {
    let (group, version) =
        text.split_once('/').map_or((None, text), |(group, version)| (Some(group), version));
    group.is_none_or(is_name) && is_name(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_has_the_names_that_kubectl_takes() {
        let one = json!({"name": "deployments", "singularName": "", "namespaced": true, "kind": "Deployment", "shortNames": ["deploy"]});
        let known = Known::of("apps/v1", &one).unwrap();
        assert_eq!(known.names, ["deployments", "deployment", "deploy"]);
        assert_eq!(
            known.kind.path(Some("shop"), Some("web")),
            "/apis/apps/v1/namespaces/shop/deployments/web"
        );
        assert_eq!((&*known.kind.full_name(), &*known.kind.noun()), ("deployments.apps", "deployment"));
        let node =
            Known::of("v1", &json!({"name": "nodes", "namespaced": false, "kind": "Node"})).unwrap().kind;
        assert_eq!((&*node.path(Some("shop"), None), &*node.full_name()), ("/api/v1/nodes", "nodes"));
    }

    #[test]
    fn parts_of_kinds_and_what_no_path_can_have_are_no_kinds() {
        let of = |name: &str, kind: &str| Known::of("v1", &json!({"name": name, "kind": kind})).is_some();
        assert!(of("pods", "Pod"));
        assert!(!of("pods/log", "Pod") && !of("../x", "Pod") && !of("pods", "P\u{1b}[2J"));
        assert!(is_version("v1") && is_version("apps/v1") && is_version("a.example.com/v1beta1"));
        assert!(
            !is_version("") && !is_version("apps/v1/../..") && !is_version("apps/") && !is_version("a?b/v1")
        );
    }
}
