//! Who else decides over an object: what lifeboat changes, they may set back.

mod autoscaler;
mod gitops;

pub use gitops::{Applications, Argo, find_flux};

use super::client::{Call, Cluster, KubeError, KubeErrorKind, is_name};
use crate::core::words::preflight::Check;
use serde_json::Value;
use std::time::Duration;

/// How long each look for an owner may take.
const LOOK: Duration = Duration::from_secs(4);

/// Somebody who decides over an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// `Argo CD application argocd/shop`.
    pub who: String,
    pub undoes: Undoes,
}

/// What an owner does with a change that is not its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Undoes {
    /// It sets it back by itself, within this time in words.
    Within(String),
    /// It sets it back when somebody has it act, in words (`at its next sync`).
    Later(String),
    /// It keeps it within bounds of its own.
    Bounds(String),
    /// Whether it does is not known, and why.
    Unknown(String),
}

impl Owner {
    fn new(who: impl Into<String>, undoes: Undoes) -> Self {
        Self { who: who.into(), undoes }
    }

    /// As a note of the confirmation.
    pub fn note(&self, object: &str) -> String {
        let Self { who, undoes } = self;
        match undoes {
            Undoes::Within(time) => {
                format!("This will be undone {time} by {who}, which decides over {object}: suspend it first.")
            }
            Undoes::Later(when) => format!("{who} sets {object} back {when}."),
            Undoes::Bounds(words) => format!("{who} decides over {object}: {words}."),
            Undoes::Unknown(why) => {
                format!("{object} belongs to {who}; whether it sets this back is not known: {why}.")
            }
        }
    }

    /// As a check before the night.
    pub fn check(&self, object: &str) -> Check {
        let what = "who else decides over it";
        let next = "Suspend it in a step before (`gitops-suspend`), or change it where it takes this from.";
        match &self.undoes {
            Undoes::Within(_) => Check::warn(what, self.note(object), next),
            Undoes::Bounds(_) => {
                let next =
                    "Raise its minimum in a step before (`gitops-suspend` with `autoscaler`), or instead.";
                Check::warn(what, self.note(object), next)
            }
            Undoes::Later(_) => Check::pass(what, self.note(object)),
            Undoes::Unknown(_) => {
                Check::warn(what, self.note(object), "Find out, or have lifeboat allowed to read it.")
            }
        }
    }
}

/// Which change it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// How many pods are asked for.
    Replicas,
    /// Anything else.
    Other,
}

/// What the owners of one namespace's objects are found by; each is asked for once.
pub struct Owners<'a> {
    cluster: &'a Cluster,
    namespace: String,
    field: Field,
    autoscalers: Result<Vec<Value>, KubeError>,
    applications: Applications<'a>,
}

impl<'a> Owners<'a> {
    /// Of a change of that field, in a namespace.
    pub async fn of(cluster: &'a Cluster, namespace: &str, field: Field) -> Self {
        let autoscalers = match field {
            Field::Replicas => autoscaler::all(cluster, namespace, LOOK).await,
            Field::Other => Ok(Vec::new()),
        };
        let applications = Applications::new(cluster, LOOK);
        Self { cluster, namespace: namespace.to_owned(), field, autoscalers, applications }
    }

    /// Who decides over an object, as it was read. What cannot be found out is said as such.
    pub async fn find(&self, kind: &str, object: &Value) -> Vec<Owner> {
        let mut owners = Vec::new();
        owners.extend(self.argo(kind, object).await);
        owners.extend(self.flux(object).await);
        owners.extend(helm(self.cluster, object));
        owners.extend(controller(self.cluster, object));
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        match &self.autoscalers {
            Ok(all) => owners.extend(autoscaler::of(self.cluster, all, kind, name)),
            Err(error) if error.kind == KubeErrorKind::NoSuchKind => {}
            Err(error) => {
                let who = format!("an autoscaler in {}, maybe", self.namespace);
                owners.push(Owner::new(who, Undoes::Unknown(error.to_string())));
            }
        }
        owners
    }

    async fn argo(&self, kind: &str, object: &Value) -> Option<Owner> {
        let tracked = gitops::tracked_by_argo(object)?;
        // A namespace that none can have is of no application.
        let namespace = tracked.namespace.as_deref().filter(|namespace| is_name(namespace));
        let place = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let who = format!(
            "the Argo CD application {}",
            self.cluster.shown(&format!("{place}{}", tracked.name), 120)
        );
        match self.applications.find(namespace, &tracked.name, Some((kind, object))).await {
            Ok(Some(found)) => Some(found.owner(self.cluster, kind, object, self.field)),
            // Many tools set the label; Argo CD's own mark is another thing.
            Ok(None) if !tracked.is_sure => None,
            Err(error) if !tracked.is_sure && error.kind == KubeErrorKind::NoSuchKind => None,
            Ok(None) => Some(Owner::new(who, Undoes::Unknown("it is not in this cluster".into()))),
            Err(error) => Some(Owner::new(who, Undoes::Unknown(unread(&error)))),
        }
    }

    async fn flux(&self, object: &Value) -> Option<Owner> {
        let label = |name: &str| object["metadata"]["labels"][name].as_str().map(str::to_owned);
        let name = label("kustomize.toolkit.fluxcd.io/name")?;
        let namespace = label("kustomize.toolkit.fluxcd.io/namespace").unwrap_or_default();
        let who =
            format!("the Flux Kustomization {}", self.cluster.shown(&format!("{namespace}/{name}"), 120));
        match find_flux(self.cluster, &namespace, &name, LOOK).await {
            Ok(found) => found.owner(),
            Err(error) => Some(Owner::new(who, Undoes::Unknown(unread(&error)))),
        }
    }
}

fn unread(error: &KubeError) -> String {
    match error.kind {
        KubeErrorKind::NoSuchKind => "it is not in this cluster".to_owned(),
        _ => error.to_string(),
    }
}

/// A release of Helm: <https://helm.sh/docs/chart_best_practices/labels/>
fn helm(cluster: &Cluster, object: &Value) -> Option<Owner> {
    let release = object["metadata"]["annotations"]["meta.helm.sh/release-name"].as_str()?;
    let who = format!("The Helm release {}", cluster.shown(release, 60));
    Some(Owner::new(who, Undoes::Later("with its next `helm upgrade`".into())))
}

/// Whoever made the object and answers for it: an operator.
fn controller(cluster: &Cluster, object: &Value) -> Option<Owner> {
    let references = object["metadata"]["ownerReferences"].as_array()?;
    let found = references.iter().find(|one| one["controller"] == true)?;
    let text = |name: &str| cluster.shown(found[name].as_str().unwrap_or_default(), 60);
    let who = format!("the controller of {} {}", text("kind"), text("name"));
    Some(Owner::new(who, Undoes::Within("as soon as it is seen".into())))
}

/// A call that reads owners.
fn reads(permission: &'static str, on: impl Into<String>) -> Call {
    Call::new(permission, on)
}
