//! What brings objects back to what a repository has: Argo CD and Flux.

use super::{Field, Owner, Undoes, reads};
use crate::providers::kube::client::{
    APPLICATIONS, Cluster, KUSTOMIZATIONS, KUSTOMIZATIONS_OLD, KubeError, KubeErrorKind, Resource, Scope,
    is_name,
};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::Mutex;

/// <https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/>
const TRACKING: &str = "argocd.argoproj.io/tracking-id";
const INSTANCE: &str = "app.kubernetes.io/instance";

/// An application of Argo CD.
pub struct Argo {
    pub object: Value,
}

/// A Kustomization of Flux.
pub struct Flux {
    pub resource: Resource,
    pub object: Value,
}

/// The application that an object says to be of.
#[derive(PartialEq, Eq, Debug)]
pub struct Tracked {
    /// Where the mark tells it: applications of one name may be in many namespaces.
    pub namespace: Option<String>,
    pub name: String,
    /// Whether only Argo CD sets that mark.
    pub is_sure: bool,
}

/// The application that an object says to be of.
pub fn tracked_by_argo(object: &Value) -> Option<Tracked> {
    let meta = &object["metadata"];
    if let Some(id) = meta["annotations"][TRACKING].as_str() {
        let whole = id.split(':').next().unwrap_or_default();
        let (namespace, name) = match whole.split_once('_') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, whole),
        };
        return Some(Tracked { namespace, name: name.to_owned(), is_sure: true });
    }
    let name = meta["labels"][INSTANCE].as_str()?.to_owned();
    Some(Tracked { namespace: None, name, is_sure: false })
}

/// The applications of a cluster; those of a namespace, or of all, are asked for once.
pub struct Applications<'a> {
    cluster: &'a Cluster,
    within: Duration,
    asked: Mutex<Vec<Listed>>,
}

/// The applications of a namespace, or of all.
struct Listed {
    namespace: Option<String>,
    all: Result<Vec<Value>, KubeError>,
}

impl<'a> Applications<'a> {
    /// Nothing is asked yet.
    pub fn new(cluster: &'a Cluster, within: Duration) -> Self {
        Self { cluster, within, asked: Mutex::default() }
    }

    /// The application of that name, of whatever namespace where none is given. Of several the one that says to have the
    /// object, of that kind; else the one that undoes most.
    ///
    /// # Errors
    /// When applications cannot be read.
    pub async fn find(
        &self,
        namespace: Option<&str>,
        name: &str,
        owned: Option<(&str, &Value)>,
    ) -> Result<Option<Argo>, KubeError> {
        let mut asked = self.asked.lock().await;
        let known = asked.iter().position(|listed| listed.namespace.as_deref() == namespace);
        let place = match known {
            Some(place) => place,
            None => {
                let call = reads("list applications.argoproj.io", name);
                let scope = Scope::all(APPLICATIONS, namespace);
                let all = self.cluster.list(&call, scope, self.within).await.map(|(all, _)| all);
                asked.push(Listed { namespace: namespace.map(str::to_owned), all });
                asked.len() - 1
            }
        };
        let all = asked[place].all.as_ref().map_err(Clone::clone)?;
        let named = || all.iter().filter(|one| one["metadata"]["name"] == name);
        let named = || named().map(|object| Argo { object: object.clone() });
        let has = |argo: &Argo| owned.is_some_and(|(kind, object)| argo.has(kind, object));
        Ok(named().filter(has).max_by_key(Argo::weight).or_else(|| named().max_by_key(Argo::weight)))
    }
}

/// The Kustomization of that name.
///
/// # Errors
/// When it cannot be read, or is not there.
pub async fn find_flux(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    within: Duration,
) -> Result<Flux, KubeError> {
    let call = reads("get kustomizations.kustomize.toolkit.fluxcd.io", format!("{namespace}/{name}"));
    if !is_name(namespace) || !is_name(name) {
        let why = "its name is none of an object";
        return Err(KubeError::new(&cluster.context, &call, KubeErrorKind::NotFound, why));
    }
    let read = async |resource: Resource| {
        let object = cluster.get(&call, resource.path(Some(namespace), Some(name)), within).await?;
        Ok::<_, KubeError>(Flux { resource, object })
    };
    match read(KUSTOMIZATIONS).await {
        Err(error) if matches!(error.kind, KubeErrorKind::NoSuchKind) => read(KUSTOMIZATIONS_OLD).await,
        found => found,
    }
}

fn full_name(object: &Value) -> String {
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    format!("{}/{}", text("namespace"), text("name"))
}

impl Argo {
    /// How it syncs by itself; none where somebody has to do it.
    pub fn automated(&self) -> Option<&Value> {
        let automated = &self.object["spec"]["syncPolicy"]["automated"];
        (automated.is_object() && automated["enabled"] != false).then_some(automated)
    }

    /// Whether it says to have brought an object.
    fn has(&self, kind: &str, object: &Value) -> bool {
        let meta = &object["metadata"];
        self.object["status"]["resources"].as_array().into_iter().flatten().any(|one| {
            one["kind"] == kind && one["name"] == meta["name"] && one["namespace"] == meta["namespace"]
        })
    }

    /// How much it would undo.
    fn weight(&self) -> u8 {
        match self.automated() {
            Some(automated) if automated["selfHeal"] == true => 2,
            Some(_) => 1,
            None => 0,
        }
    }

    /// What it does with a change of an object of it.
    pub fn owner(&self, cluster: &Cluster, kind: &str, object: &Value, field: Field) -> Owner {
        let who = format!("the Argo CD application {}", cluster.shown(&full_name(&self.object), 120));
        if field == Field::Replicas && self.ignores_replicas(kind, object) {
            return Owner::new(
                who,
                Undoes::Later("by no healing, as it leaves the number of pods to others; a sync may".into()),
            );
        }
        let undoes = match self.automated() {
            Some(automated) if automated["selfHeal"] == true => Undoes::Within("within seconds".into()),
            Some(_) => Undoes::Later("with its next commit".into()),
            None => Undoes::Later("when somebody syncs it".into()),
        };
        Owner::new(who, undoes)
    }

    /// <https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/>
    fn ignores_replicas(&self, kind: &str, object: &Value) -> bool {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let is_meant = |one: &Value| {
            let fits = |key: &str, value: &str| one[key].as_str().is_none_or(|of| of == "*" || of == value);
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            // The group of a workload; without one it is the core's.
            let is_of_apps = matches!(one["group"].as_str(), Some("apps" | "*"));
            is_of_apps && fits("kind", kind) && fits("name", name) && fits("namespace", namespace)
        };
        let all = self.object["spec"]["ignoreDifferences"].as_array();
        all.into_iter().flatten().filter(|one| is_meant(one)).any(|one| {
            let says = |list: &str, what: &str| {
                one[list].as_array().is_some_and(|of| of.iter().any(|path| path == what))
            };
            says("jsonPointers", "/spec/replicas") || says("jqPathExpressions", ".spec.replicas")
        })
    }
}

impl Flux {
    /// Whether somebody has it rest.
    pub fn is_suspended(&self) -> bool {
        self.object["spec"]["suspend"] == true
    }

    /// What it does with a change of an object of it; nothing while it is suspended.
    pub fn owner(&self) -> Option<Owner> {
        if self.is_suspended() {
            return None;
        }
        let interval =
            self.object["spec"]["interval"].as_str().filter(|text| text.len() < 20).unwrap_or("10m");
        let who = format!("the Flux Kustomization {}", full_name(&self.object));
        Some(Owner::new(who, Undoes::Within(format!("within {interval}"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    fn application(policy: Value, ignore: Value) -> Argo {
        let spec = json!({"syncPolicy": policy, "ignoreDifferences": ignore});
        Argo { object: json!({"metadata": {"namespace": "argocd", "name": "shop"}, "spec": spec}) }
    }

    #[test]
    fn self_healing_undoes_at_once_and_the_rest_later() {
        let web = json!({"kind": "Deployment", "metadata": {"name": "web"}});
        let undoes = |policy: Value, ignore: Value| {
            application(policy, ignore).owner(&cluster(), "Deployment", &web, Field::Replicas).undoes
        };
        let heals = || json!({"automated": {"selfHeal": true}});
        assert_eq!(undoes(heals(), Value::Null), Undoes::Within("within seconds".into()));
        assert!(matches!(undoes(json!({"automated": {}}), Value::Null), Undoes::Later(_)));
        assert!(matches!(undoes(Value::Null, Value::Null), Undoes::Later(_)));
        let off = json!({"automated": {"selfHeal": true, "enabled": false}});
        assert!(matches!(undoes(off, Value::Null), Undoes::Later(_)));
        let ignored = json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
        assert!(matches!(undoes(heals(), ignored.clone()), Undoes::Later(_)));
        let elsewhere =
            json!([{"group": "argoproj.io", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
        assert!(matches!(undoes(heals(), elsewhere), Undoes::Within(_)));
        let other = application(heals(), ignored).owner(&cluster(), "Deployment", &web, Field::Other).undoes;
        assert_eq!(other, Undoes::Within("within seconds".into()));
    }

    #[test]
    fn an_object_says_which_application_it_is_of() {
        let object = json!({"metadata": {"annotations": {TRACKING: "shop:apps/Deployment:shop/web"}}});
        let tracked = |namespace: Option<&str>, is_sure| {
            Some(Tracked { namespace: namespace.map(str::to_owned), name: "shop".into(), is_sure })
        };
        assert_eq!(tracked_by_argo(&object), tracked(None, true));
        let other = json!({"metadata": {"annotations": {TRACKING: "team_shop:apps/Deployment:shop/web"}}});
        assert_eq!(tracked_by_argo(&other), tracked(Some("team"), true));
        let labelled = json!({"metadata": {"labels": {INSTANCE: "shop"}}});
        assert_eq!(tracked_by_argo(&labelled), tracked(None, false));
        assert_eq!(tracked_by_argo(&json!({"metadata": {}})), None);
    }

    #[test]
    fn flux_undoes_within_its_interval_unless_it_is_suspended() {
        let of = |spec: Value| Flux {
            resource: KUSTOMIZATIONS,
            object: json!({"metadata": {"namespace": "flux-system", "name": "shop"}, "spec": spec}),
        };
        let owner = of(json!({"interval": "5m"})).owner().unwrap();
        assert_eq!(owner.who, "the Flux Kustomization flux-system/shop");
        assert_eq!(owner.undoes, Undoes::Within("within 5m".into()));
        assert_eq!(of(json!({"interval": "5m", "suspend": true})).owner(), None);
    }
}
