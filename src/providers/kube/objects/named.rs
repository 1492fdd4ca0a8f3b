//! One object of any kind: where the API has it, and what it is called.

use crate::plan::kinds::BuildError;
use crate::providers::kube::client::{Call, Cluster, Kind, KubeError, KubeErrorKind};
use crate::providers::kube::place::Place;
use serde_json::Value;
use tokio::time::Instant;

/// An object, whether it is there or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub kind: Kind,
    /// None of what is of no namespace.
    pub namespace: Option<String>,
    pub name: String,
}

impl Named {
    /// One of that kind; the namespace counts where the kind has namespaces.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        let namespace = kind.is_namespaced.then(|| namespace.to_owned());
        Self { kind, namespace, name: name.to_owned() }
    }

    /// Where the API has it.
    pub fn path(&self) -> String {
        self.kind.path(self.namespace.as_deref(), Some(&self.name))
    }

    /// For people (`deployment/web in shop`).
    pub fn words(&self) -> String {
        let place = self.namespace.as_ref().map_or(String::new(), |namespace| format!(" in {namespace}"));
        format!("{}/{}{place}", self.kind.noun(), self.name)
    }

    /// What the operator types (`shop/web`).
    pub fn full_name(&self) -> String {
        let place = self.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
        format!("{place}{}", self.name)
    }

    /// As `kubectl` takes it (`deployments.apps/web`).
    pub fn argument(&self) -> String {
        format!("{}/{}", self.kind.full_name(), self.name)
    }

    /// A call that does this with it (`patch`).
    pub fn call(&self, verb: &str) -> Call {
        let place = self.namespace.as_ref().map_or(String::new(), |namespace| format!(" in {namespace}"));
        Call::new(format!("{verb} {}", self.kind.full_name()), format!("{}{place}", self.name))
    }

    /// The object as it is now; none where the cluster says that there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(&self, cluster: &Cluster) -> Result<Option<Value>, KubeError> {
        match cluster.get(&self.call("get"), self.path(), cluster.deadline()).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.kind == KubeErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// An object as a plan names it (`deployment/web`): which kind that is only the cluster knows.
pub struct Meant {
    pub kind: String,
    pub name: String,
}

impl Meant {
    /// As a step says it.
    ///
    /// # Errors
    /// When it names no kind, or no object can have that name.
    pub fn of(key: &str, text: &str) -> Result<Self, BuildError> {
        let fault = |why: &str| Err(BuildError::value(key, text, why));
        let Some((kind, name)) = text.split_once('/') else {
            return fault("it takes the kind too, as `kubectl` does: `deployment/web`, `pod/web-0`");
        };
        if !kind.starts_with(|c: char| c.is_ascii_alphabetic())
            || !kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
        {
            return fault("it begins with no name of a kind: `deployment/`, `certificates.cert-manager.io/`");
        }
        if !is_path_name(name) {
            return fault("no object can have that name");
        }
        Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
    }

    /// As `kubectl` takes it.
    pub fn words(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Asks the cluster which kind is meant, and where the object is.
    ///
    /// # Errors
    /// When the cluster has no such kind, or does not answer.
    pub async fn find(&self, place: &Place) -> Result<Named, KubeError> {
        let call = Call::new("get API resources", format!("for {}", self.kind));
        let until = Instant::now() + place.cluster.deadline();
        let namespace = place.namespace(&call).await?;
        let kind = place.cluster.kind_named(&self.kind, until).await?;
        Ok(Named::new(kind, &namespace, &self.name))
    }

    /// What the operator types where nothing was read.
    pub fn unseen_name(&self, place: &Place) -> String {
        format!("{}/{}", place.namespace.as_deref().unwrap_or("default"), self.name)
    }
}

/// Whether a name leads nowhere else as a part of a path, and needs no quoting: roles have capitals and colons in theirs.
pub fn is_path_name(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c))
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Kind {
        let (api_version, kind) = ("apps/v1".into(), "Deployment".into());
        Kind { api_version, kind, plural: "deployments".into(), is_namespaced: true }
    }

    #[test]
    fn an_object_is_named_with_its_kind() {
        let named = |text: &str| {
            Meant::of("object", text).map(|meant| meant.words()).map_err(|error| error.to_string())
        };
        assert_eq!(named("deployment/web").unwrap(), "deployment/web");
        assert_eq!(named("clusterrole/system:node").unwrap(), "clusterrole/system:node");
        assert!(named("web").unwrap_err().contains("the kind too"));
        for bad in ["../x", "/x", "-a/x", "{{a}}/x"] {
            assert!(named(bad).unwrap_err().contains("no name of a kind"), "{bad}");
        }
        for bad in ["pod/a/b", "pod/..", "pod/a..b", "pod/", "pod/a b", "pod/a?b", "pod/a%2f", "pod/{{x}}"] {
            assert!(named(bad).unwrap_err().contains("no object can have that name"), "{bad}");
        }
    }

    #[test]
    fn a_namespace_counts_where_the_kind_has_them() {
        let web = Named::new(deployment(), "shop", "web");
        assert_eq!(web.path(), "/apis/apps/v1/namespaces/shop/deployments/web");
        assert_eq!((&*web.words(), &*web.full_name()), ("deployment/web in shop", "shop/web"));
        assert_eq!(web.call("patch").permission, "patch deployments.apps");
        let kind = Kind { is_namespaced: false, ..deployment() };
        let web = Named::new(kind, "shop", "web");
        assert_eq!((&*web.words(), &*web.full_name()), ("deployment/web", "web"));
    }
}
