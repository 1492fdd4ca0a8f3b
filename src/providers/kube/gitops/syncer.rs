//! What decides over objects: an application of Argo CD, a Kustomization of Flux, an autoscaler.

use super::autoscaler;
use crate::base::problem::Problem;
use crate::kinds::action::Unread;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::kube::client::{APPLICATIONS, AUTOSCALERS, Call, Cluster, Resource};
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
pub const AUTOSCALER: Key =
    Key::optional("autoscaler", Takes::Text, "The autoscaler, with its namespace (`shop/web`).");

/// Where lifeboat writes how an application synced before.
const BEFORE: &str = "lifeboat.dev/automated";
const LOOK: Duration = Duration::from_secs(10);

/// As a plan names it.
pub struct Syncer {
    what: What,
    namespace: String,
    name: String,
}

/// Who decides over objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Argo,
    Flux,
    /// It is to keep at least so many pods.
    Autoscaler(u32),
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
    /// When it names none, several, or no namespace.
    pub fn of(params: &Params, is_resumed: bool) -> Result<Self, BuildError> {
        let least = params.integer("min_replicas").and_then(|number| u32::try_from(number).ok());
        let named = [("application", What::Argo), ("kustomization", What::Flux)];
        let named = named.into_iter().chain([("autoscaler", What::Autoscaler(least.unwrap_or(0)))]);
        let mut named = named.filter_map(|(key, what)| Some((key, what, params.text(key)?)));
        let (Some((key, what, text)), None) = (named.next(), named.next()) else {
            let why = "exactly one of `application`, `kustomization` and `autoscaler`";
            return Err(BuildError::value("application", "", why));
        };
        if !is_resumed && (key == "autoscaler") != least.is_some() {
            let why = "an autoscaler takes `min_replicas`, and nothing else does";
            return Err(BuildError::value("min_replicas", "", why));
        }
        let Some((namespace, name)) = text.split_once('/') else {
            return Err(BuildError::value(key, text, "it takes the namespace too (`argocd/shop`)"));
        };
        let (namespace, name) = (checked(key, namespace)?.to_owned(), checked(key, name)?.to_owned());
        Ok(Self { what, namespace, name })
    }

    /// What the operator types.
    pub fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Whether a permission of the three kinds is one that this syncer needs.
    pub fn needs(&self, permission: &str) -> bool {
        permission.ends_with(match self.what {
            What::Argo => "applications.argoproj.io",
            What::Flux => "kustomizations.kustomize.toolkit.fluxcd.io",
            What::Autoscaler(_) => "horizontalpodautoscalers.autoscaling",
        })
    }

    /// To read and to change it.
    pub fn permissions(&self) -> (&'static str, &'static str) {
        match self.what {
            What::Argo => ("get applications.argoproj.io", "patch applications.argoproj.io"),
            What::Flux => (
                "get kustomizations.kustomize.toolkit.fluxcd.io",
                "patch kustomizations.kustomize.toolkit.fluxcd.io",
            ),
            What::Autoscaler(_) => {
                ("get horizontalpodautoscalers.autoscaling", "patch horizontalpodautoscalers.autoscaling")
            }
        }
    }

    /// For people (`Argo CD application`).
    pub fn noun(&self) -> &'static str {
        match self.what {
            What::Argo => "Argo CD application",
            What::Flux => "Flux Kustomization",
            What::Autoscaler(_) => "autoscaler",
        }
    }

    /// What holds as long as it is suspended.
    pub fn consequence(&self) -> &'static str {
        match self.what {
            What::Argo | What::Flux => {
                "until it goes on, what the repository has does not reach the cluster."
            }
            What::Autoscaler(_) => "until it goes on, it keeps more pods than it would.",
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn read(&self, cluster: &Cluster) -> Result<Found, Unread> {
        match self.what {
            What::Argo => self.read_argo(cluster).await,
            What::Flux => {
                let found = find_flux(cluster, &self.namespace, &self.name, LOOK).await?;
                let syncs = !found.is_suspended();
                let words = if syncs { "it syncs" } else { "it is suspended" }.to_owned();
                Ok(Found { resource: found.resource, object: found.object, syncs, words })
            }
            What::Autoscaler(least) => {
                let call = Call::new(self.permissions().0, self.name());
                let path = AUTOSCALERS.path(Some(&self.namespace), Some(&self.name));
                let object = cluster.get(&call, path, LOOK).await?;
                let (words, is_held) = autoscaler::words(&object, least);
                Ok(Found { resource: AUTOSCALERS, object, syncs: !is_held, words })
            }
        }
    }

    async fn read_argo(&self, cluster: &Cluster) -> Result<Found, Unread> {
        let applications = Applications::new(cluster, LOOK);
        let Some(found) = applications.find(Some(&self.namespace), &self.name, None).await? else {
            let why = format!("there is no {} {}", self.noun(), self.name());
            let next = "Compare its name and namespace with the plan.";
            return Err(Unread::Absent(Problem::new(why, next)));
        };
        let syncs = found.automated().is_some();
        let words = automated_words(&found);
        Ok(Found { resource: APPLICATIONS, object: found.object, syncs, words })
    }

    /// The change that has it stop, or go on as it did before.
    ///
    /// # Errors
    /// When nobody knows how it was before, or it cannot become so.
    pub fn change(&self, found: &Found, is_resumed: bool) -> Result<Value, Problem> {
        let object = &found.object;
        let unknown = || {
            Problem::new(
                format!("{} carries no note of lifeboat's of how it was before", self.name()),
                "Set it by hand, as its repository has it, and attest the step.",
            )
        };
        match (self.what, is_resumed) {
            (What::Flux, _) => Ok(json!({"spec": {"suspend": !is_resumed}})),
            (What::Argo, false) => Ok(argo_stops(object)),
            (What::Argo, true) => argo_goes_on(object).ok_or_else(unknown),
            (What::Autoscaler(least), false) => autoscaler::holds(object, least),
            (What::Autoscaler(_), true) => autoscaler::goes_on(object).ok_or_else(unknown),
        }
    }

    /// What a change makes of it, where its own words do not say it.
    pub fn becomes(&self, change: &Value) -> Option<String> {
        let least = change["spec"]["minReplicas"].as_u64()?;
        Some(format!("it keeps {least} pods at least"))
    }

    /// The arguments of `kubectl` that do the same.
    pub fn by_hand(&self, is_resumed: bool) -> Vec<String> {
        let (kind, patch) = match (self.what, is_resumed) {
            (What::Argo, false) => {
                ("applications.argoproj.io", r#"{"spec":{"syncPolicy":{"automated":null}}}"#.to_owned())
            }
            (What::Argo, true) => (
                "applications.argoproj.io",
                r#"{"spec":{"syncPolicy":{"automated":{"selfHeal":true}}}}"#.to_owned(),
            ),
            (What::Flux, _) => (
                "kustomizations.kustomize.toolkit.fluxcd.io",
                format!(r#"{{"spec":{{"suspend":{}}}}}"#, !is_resumed),
            ),
            (What::Autoscaler(least), false) => {
                ("horizontalpodautoscalers", format!(r#"{{"spec":{{"minReplicas":{least}}}}}"#))
            }
            (What::Autoscaler(_), true) => {
                ("horizontalpodautoscalers", r#"{"spec":{"minReplicas":NUMBER}}"#.to_owned())
            }
        };
        ["-n", &self.namespace, "patch", kind, &self.name, "--type=merge", "-p", &patch]
            .map(str::to_owned)
            .to_vec()
    }
}

/// Its policy is kept beside it.
fn argo_stops(object: &Value) -> Value {
    let before = object["spec"]["syncPolicy"]["automated"].to_string();
    json!({"metadata": {"annotations": {BEFORE: before}}, "spec": {"syncPolicy": {"automated": null}}})
}

fn argo_goes_on(object: &Value) -> Option<Value> {
    let before = object["metadata"]["annotations"][BEFORE].as_str()?;
    let before = serde_json::from_str::<Value>(before).ok().filter(Value::is_object)?;
    Some(json!({"metadata": {"annotations": {BEFORE: null}}, "spec": {"syncPolicy": {"automated": before}}}))
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

    fn syncer(what: What) -> Syncer {
        Syncer { what, namespace: "argocd".into(), name: "shop".into() }
    }

    fn found(object: Value) -> Found {
        Found { resource: APPLICATIONS, object, syncs: true, words: String::new() }
    }

    #[test]
    fn how_an_application_synced_is_kept_and_comes_back() {
        let automated = json!({"selfHeal": true, "prune": false});
        let before = found(json!({"metadata": {}, "spec": {"syncPolicy": {"automated": automated.clone()}}}));
        let stop = syncer(What::Argo).change(&before, false).unwrap();
        assert_eq!(stop["spec"]["syncPolicy"]["automated"], Value::Null);
        let stopped =
            found(json!({"metadata": {"annotations": stop["metadata"]["annotations"]}, "spec": {}}));
        let go_on = syncer(What::Argo).change(&stopped, true).unwrap();
        assert_eq!(go_on["spec"]["syncPolicy"]["automated"], automated);
        assert_eq!(go_on["metadata"]["annotations"][BEFORE], Value::Null);
        let unknown =
            syncer(What::Argo).change(&found(json!({"metadata": {}, "spec": {}})), true).unwrap_err();
        assert!(unknown.why.contains("no note of lifeboat's"));
    }

    #[test]
    fn a_kustomization_is_suspended_and_resumed() {
        let found = || found(json!({"spec": {}}));
        assert_eq!(syncer(What::Flux).change(&found(), false).unwrap(), json!({"spec": {"suspend": true}}));
        assert_eq!(syncer(What::Flux).change(&found(), true).unwrap(), json!({"spec": {"suspend": false}}));
    }
}
