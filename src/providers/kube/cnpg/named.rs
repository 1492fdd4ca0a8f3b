//! A cluster of CloudNativePG as a plan names it.

use super::Postgres;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::clients::Clients;
use crate::providers::kube::client::{CNPG_CLUSTERS, Call, KubeError, Method, PODS, Scope};
use crate::providers::kube::object::{For, Object};
use crate::providers::kube::place::{Place, checked};
use crate::providers::kube::said::text;
use crate::providers::kube::workload::Pod;
use serde_json::Value;
use tokio::time::Instant;

/// What people call it.
pub const NOUN: &str = "CloudNativePG cluster";
pub const NAME: Key = Key::required("name", Takes::Text, "The name of the `Cluster` of CloudNativePG.");

/// Reads one.
pub const GET: &str = "get clusters.postgresql.cnpg.io";
/// Tells which ones there are.
pub const LIST: &str = "list clusters.postgresql.cnpg.io";
/// Tells which of its instances run.
pub const LIST_PODS: &str = "list pods";
/// Changes one.
pub const PATCH: &str = "patch clusters.postgresql.cnpg.io";

/// One of them.
pub struct Named {
    pub place: Place,
    pub name: String,
}

impl Named {
    /// The one that a step acts on.
    ///
    /// # Errors
    /// When it names none.
    pub fn of(params: &Params, clients: &Clients) -> Result<Self, BuildError> {
        let name = checked("name", params.require_text("name")?)?.to_owned();
        Ok(Self { place: Place::of(params, clients)?, name })
    }

    /// The other one of its topology: `to` or `from`, with keys of that name for its context and its namespace, which is
    /// the step's own where it names none.
    ///
    /// # Errors
    /// When it names none.
    pub fn other(params: &Params, clients: &Clients, key: &str) -> Result<Self, BuildError> {
        let name = checked(key, params.require_text(key)?)?.to_owned();
        let cluster = clients.kube.cluster(params.require_text(&format!("{key}_context"))?);
        let own = format!("{key}_namespace");
        let namespace = match params.text(&own) {
            Some(namespace) => Some(checked(&own, namespace)?),
            None => params.text("namespace"),
        };
        Ok(Self { place: Place { cluster, namespace: namespace.map(str::to_owned) }, name })
    }

    /// What the operator types, as far as the plan tells.
    pub fn words(&self) -> String {
        match &self.place.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// With the context that it is in, to tell two apart that are named alike.
    pub fn whole(&self) -> String {
        format!("{} of {}", self.words(), self.place.cluster.context)
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    pub async fn read(&self, until: Instant) -> Result<Postgres, KubeError> {
        let cluster = &self.place.cluster;
        let call = Call::new(GET, self.words());
        let namespace = cluster.namespace(self.place.namespace.as_deref(), &call, until).await?;
        let words = format!("{namespace}/{}", self.name);
        let path = CNPG_CLUSTERS.path(Some(&namespace), Some(&self.name));
        let left = until.saturating_duration_since(Instant::now());
        let value = cluster.get(&Call::new(GET, words.as_str()), path.clone(), left).await?;
        let object = Object::at(path, format!("{NOUN} {words}"), &value);
        Ok(Postgres::of(&namespace, &self.name, object, value))
    }

    /// The pods of its instances: poolers and jobs of it have its name for a label as well.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn pods(&self, until: Instant) -> Result<Vec<Pod>, KubeError> {
        let cluster = &self.place.cluster;
        let call = Call::new(LIST_PODS, format!("of {}", self.words()));
        let namespace = cluster.namespace(self.place.namespace.as_deref(), &call, until).await?;
        let selector = format!("cnpg.io/cluster={},cnpg.io/podRole=instance", self.name);
        let scope = Scope { resource: PODS, namespace: Some(&namespace), selector: Some(&selector) };
        let left = until.saturating_duration_since(Instant::now());
        let (pods, _) = cluster.list(&call, scope, left).await?;
        Ok(pods.iter().map(Pod::of).collect())
    }

    /// All clusters of CloudNativePG that are where it is, in any namespace.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn neighbours(&self, until: Instant) -> Result<Vec<Postgres>, KubeError> {
        let cluster = &self.place.cluster;
        let call = Call::new(LIST, format!("in all namespaces, to find {}", self.words()));
        let scope = Scope { resource: CNPG_CLUSTERS, namespace: None, selector: None };
        let left = until.saturating_duration_since(Instant::now());
        let (all, _) = cluster.list(&call, scope, left).await?;
        let one = |value: Value| {
            let part = |name: &str| cluster.shown(&text(&value["metadata"][name]), 120);
            let (namespace, name) = (part("namespace"), part("name"));
            let path = CNPG_CLUSTERS.path(None, None);
            let object = Object::at(path, format!("{NOUN} {namespace}/{name}"), &value);
            Postgres::of(&namespace, &name, object, value)
        };
        Ok(all.into_iter().map(one).collect())
    }

    /// Reads it within the time of one call.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn look(&self) -> Result<Postgres, KubeError> {
        self.read(Instant::now() + self.place.cluster.deadline()).await
    }

    /// Sends a change of it, once, or tries it.
    ///
    /// # Errors
    /// Also where somebody else changed it.
    pub async fn patch(&self, seen: &Postgres, change: &Value, how: For) -> Result<(), KubeError> {
        seen.object.patch(&self.place.cluster, (GET, PATCH), (Method::Merge, change), how).await
    }

    /// The command that does the same.
    pub fn command(&self, change: &Value) -> String {
        let (kind, change) = (CNPG_CLUSTERS.full_name(), change.to_string());
        self.place.command(&["patch", &kind, &self.name, "--type=merge", "-p", &change])
    }

    /// How people find out what its topology calls it, which need not be its name.
    pub fn in_topology(&self) -> String {
        let shows = self.shows("{.spec.replica.self}");
        format!(
            "for NAME below take what its topology calls {}: {shows} (its own name where that is empty)",
            self.name
        )
    }

    /// The command that shows a part of it.
    pub fn shows(&self, path: &str) -> String {
        let kind = CNPG_CLUSTERS.full_name();
        self.place.command(&["get", &kind, &self.name, "-o", &format!("jsonpath={path}")])
    }
}
