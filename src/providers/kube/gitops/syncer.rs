//! What syncs: an application of Argo CD or a Kustomization of Flux.

use crate::base::problem::Problem;
use crate::kinds::action::Unread;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::client::{APPLICATIONS, Cluster, Resource};
use crate::providers::kube::owner::{Applications, Argo, find_flux};
use crate::providers::kube::place::checked;
use serde_json::{Value, json};
use std::time::Duration;

pub const APPLICATION: Key =
    Key::optional("application", Takes::Text, "The Argo CD application, with its namespace (`argocd/shop`).");
pub const KUSTOMIZATION: Key = Key::optional(
    "kustomization",
    Takes::Text,
    "The Flux Kustomization, with its namespace (`flux-system/shop`).",
);

/// Where lifeboat writes how an application synced before.
const BEFORE: &str = "lifeboat.dev/automated";
const LOOK: Duration = Duration::from_secs(10);

/// As a plan names it.
pub struct Syncer {
    is_argo: bool,
    namespace: String,
    name: String,
}

/// As the cluster has it.
pub struct Found {
    pub resource: Resource,
    pub object: Value,
    /// Whether it brings objects back by itself.
    pub syncs: bool,
    /// How, in words.
    pub words: String,
}

impl Syncer {
    /// As a step says it.
    ///
    /// # Errors
    /// When it names none, both, or no namespace.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let (key, text) = match (params.text("application"), params.text("kustomization")) {
            (Some(text), None) => ("application", text),
            (None, Some(text)) => ("kustomization", text),
            _ => {
                return Err(BuildError::value(
                    "application",
                    "",
                    "exactly one of `application` and `kustomization`",
                ));
            }
        };
        let Some((namespace, name)) = text.split_once('/') else {
            return Err(BuildError::value(key, text, "it takes the namespace too (`argocd/shop`)"));
        };
        let (namespace, name) = (checked(key, namespace)?.to_owned(), checked(key, name)?.to_owned());
        Ok(Self { is_argo: key == "application", namespace, name })
    }

    /// What the operator types.
    pub fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Whether a permission of the two kinds is one that this syncer needs.
    pub fn needs(&self, permission: &str) -> bool {
        permission.contains(".argoproj.io") == self.is_argo
    }

    /// For people (`Argo CD application`).
    pub fn noun(&self) -> &'static str {
        if self.is_argo { "Argo CD application" } else { "Flux Kustomization" }
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn read(&self, cluster: &Cluster) -> Result<Found, Unread> {
        if self.is_argo {
            let found =
                Applications::new(cluster, LOOK).find(Some(&self.namespace), &self.name, None).await?;
            let Some(found) = found else {
                let why = format!("there is no {} {}", self.noun(), self.name());
                return Err(Unread::Absent(Problem::new(
                    why,
                    "Compare its name and namespace with the plan.",
                )));
            };
            let syncs = found.automated().is_some();
            let words = automated_words(&found);
            return Ok(Found { resource: APPLICATIONS, object: found.object, syncs, words });
        }
        let found = find_flux(cluster, &self.namespace, &self.name, LOOK).await?;
        let syncs = !found.is_suspended();
        let words = if syncs { "it syncs" } else { "it is suspended" }.to_owned();
        Ok(Found { resource: found.resource, object: found.object, syncs, words })
    }

    /// The change that has it stop, or go on as it did before.
    ///
    /// # Errors
    /// When nobody knows how it synced before.
    pub fn change(&self, found: &Found, is_resumed: bool) -> Result<Value, Problem> {
        if !self.is_argo {
            return Ok(json!({"spec": {"suspend": !is_resumed}}));
        }
        let annotated = |value: Value| json!({"annotations": {BEFORE: value}});
        if !is_resumed {
            let before = found.object["spec"]["syncPolicy"]["automated"].to_string();
            let policy = json!({"syncPolicy": {"automated": null}});
            return Ok(json!({"metadata": annotated(json!(before)), "spec": policy}));
        }
        let before = found.object["metadata"]["annotations"][BEFORE].as_str();
        let before =
            before.and_then(|text| serde_json::from_str::<Value>(text).ok()).filter(Value::is_object);
        match before {
            Some(before) => {
                Ok(json!({"metadata": annotated(Value::Null), "spec": {"syncPolicy": {"automated": before}}}))
            }
            None => Err(Problem::new(
                format!("{} carries no note of lifeboat's of how it synced before", self.name()),
                "Set its sync policy by hand, as its repository has it, and attest the step.",
            )),
        }
    }

    /// The arguments of `kubectl` that do the same.
    pub fn by_hand(&self, is_resumed: bool) -> Vec<String> {
        let patch = match (self.is_argo, is_resumed) {
            (true, false) => r#"{"spec":{"syncPolicy":{"automated":null}}}"#.to_owned(),
            (true, true) => r#"{"spec":{"syncPolicy":{"automated":{"selfHeal":true}}}}"#.to_owned(),
            (false, _) => format!(r#"{{"spec":{{"suspend":{}}}}}"#, !is_resumed),
        };
        let kind = if self.is_argo {
            "applications.argoproj.io"
        } else {
            "kustomizations.kustomize.toolkit.fluxcd.io"
        };
        ["-n", &self.namespace, "patch", kind, &self.name, "--type=merge", "-p", &patch]
            .map(str::to_owned)
            .to_vec()
    }
}

fn automated_words(found: &Argo) -> String {
    match found.automated() {
        Some(automated) if automated["selfHeal"] == true => "it syncs by itself and heals".to_owned(),
        Some(_) => "it syncs each commit by itself".to_owned(),
        None => "it syncs when somebody has it do so".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syncer(is_argo: bool) -> Syncer {
        Syncer { is_argo, namespace: "argocd".into(), name: "shop".into() }
    }

    fn found(object: Value) -> Found {
        Found { resource: APPLICATIONS, object, syncs: true, words: String::new() }
    }

    #[test]
    fn how_an_application_synced_is_kept_and_comes_back() {
        let automated = json!({"selfHeal": true, "prune": false});
        let before = found(json!({"metadata": {}, "spec": {"syncPolicy": {"automated": automated.clone()}}}));
        let stop = syncer(true).change(&before, false).unwrap();
        assert_eq!(stop["spec"]["syncPolicy"]["automated"], Value::Null);
        let stopped =
            found(json!({"metadata": {"annotations": stop["metadata"]["annotations"]}, "spec": {}}));
        let go_on = syncer(true).change(&stopped, true).unwrap();
        assert_eq!(go_on["spec"]["syncPolicy"]["automated"], automated);
        assert_eq!(go_on["metadata"]["annotations"][BEFORE], Value::Null);
        let unknown = syncer(true).change(&found(json!({"metadata": {}, "spec": {}})), true).unwrap_err();
        assert!(unknown.why.contains("no note of lifeboat's"));
    }

    #[test]
    fn a_kustomization_is_suspended_and_resumed() {
        let found = || found(json!({"spec": {}}));
        assert_eq!(syncer(false).change(&found(), false).unwrap(), json!({"spec": {"suspend": true}}));
        assert_eq!(syncer(false).change(&found(), true).unwrap(), json!({"spec": {"suspend": false}}));
    }
}
