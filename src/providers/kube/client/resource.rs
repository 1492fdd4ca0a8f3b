//! Kinds of objects, and where the API has them.

/// A kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Resource {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    /// As the API calls it (`deployments`).
    pub plural: &'static str,
    /// For people (`deployment`).
    pub noun: &'static str,
    pub is_namespaced: bool,
}

const fn namespaced(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    noun: &'static str,
) -> Resource {
    Resource { group, version, plural, noun, is_namespaced: true }
}

const fn of_cluster(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    noun: &'static str,
) -> Resource {
    Resource { group, version, plural, noun, is_namespaced: false }
}

/// What runs containers.
pub const PODS: Resource = namespaced("", "v1", "pods", "pod");
/// What the cluster did and could not do, kept for an hour.
pub const EVENTS: Resource = namespaced("", "v1", "events", "event");
/// Volumes that pods ask for.
pub const CLAIMS: Resource = namespaced("", "v1", "persistentvolumeclaims", "volume claim");
/// How much a namespace may have.
pub const RESOURCE_QUOTAS: Resource = namespaced("", "v1", "resourcequotas", "quota");
/// Hosts.
pub const NODES: Resource = of_cluster("", "v1", "nodes", "node");
/// Pods of which none differs from the others.
pub const DEPLOYMENTS: Resource = namespaced("apps", "v1", "deployments", "deployment");
/// Pods with names and volumes of their own.
pub const STATEFUL_SETS: Resource = namespaced("apps", "v1", "statefulsets", "stateful set");
/// A pod on each node.
pub const DAEMON_SETS: Resource = namespaced("apps", "v1", "daemonsets", "daemon set");
/// What a deployment makes its pods by: one for each template that it had.
pub const REPLICA_SETS: Resource = namespaced("apps", "v1", "replicasets", "replica set");
/// The templates that a stateful or daemon set had.
pub const CONTROLLER_REVISIONS: Resource =
    namespaced("apps", "v1", "controllerrevisions", "controller revision");
/// Pods that come to an end.
pub const JOBS: Resource = namespaced("batch", "v1", "jobs", "job");
/// Jobs by the clock.
pub const CRON_JOBS: Resource = namespaced("batch", "v1", "cronjobs", "cron job");
/// Before Kubernetes 1.21.
pub const CRON_JOBS_OLD: Resource = namespaced("batch", "v1beta1", "cronjobs", "cron job");
/// What decides how many pods there are.
pub const AUTOSCALERS: Resource = namespaced("autoscaling", "v1", "horizontalpodautoscalers", "autoscaler");
/// <https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml>
pub const APPLICATIONS: Resource =
    namespaced("argoproj.io", "v1alpha1", "applications", "Argo CD application");
/// <https://fluxcd.io/flux/components/kustomize/kustomizations/>
pub const KUSTOMIZATIONS: Resource =
    namespaced("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Flux Kustomization");
/// Before Flux 2.0.
pub const KUSTOMIZATIONS_OLD: Resource =
    namespaced("kustomize.toolkit.fluxcd.io", "v1beta2", "kustomizations", "Flux Kustomization");
/// <https://velero.io/docs/main/api-types/backup/>
pub const BACKUPS: Resource = namespaced("velero.io", "v1", "backups", "Velero backup");
/// <https://velero.io/docs/main/api-types/backupstoragelocation/>
pub const BACKUP_LOCATIONS: Resource =
    namespaced("velero.io", "v1", "backupstoragelocations", "Velero storage location");
/// Copies of volumes that belong to a backup of Velero.
pub const POD_VOLUME_BACKUPS: Resource =
    namespaced("velero.io", "v1", "podvolumebackups", "Velero copy of a volume");
/// <https://velero.io/docs/main/api-types/restore/>
pub const RESTORES: Resource = namespaced("velero.io", "v1", "restores", "Velero restore");

/// <https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/>
pub const CNPG_CLUSTERS: Resource =
    namespaced("postgresql.cnpg.io", "v1", "clusters", "CloudNativePG cluster");

/// Which objects of a kind are meant.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub resource: Resource,
    /// Those of one namespace; of all where there is none.
    pub namespace: Option<&'a str>,
    /// Those whose labels fit, by the API server's own judgement.
    pub selector: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// All of a namespace, or of all.
    pub fn all(resource: Resource, namespace: Option<&'a str>) -> Self {
        Self { resource, namespace, selector: None }
    }

    pub(super) fn path(&self) -> String {
        self.resource.path(self.namespace, None)
    }
}

impl Resource {
    /// The path of all, of those of a namespace, or of one. Names were checked when the plan was loaded, or came from the
    /// cluster and are checked by [`is_name`].
    pub fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let root = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        let place = match namespace.filter(|_| self.is_namespaced) {
            Some(namespace) => format!("/namespaces/{namespace}"),
            None => String::new(),
        };
        let name = name.map_or(String::new(), |name| format!("/{name}"));
        format!("{root}{place}/{}{name}", self.plural)
    }

    /// As `kubectl` and RBAC name it (`deployments.apps`).
    pub fn full_name(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// Whether it can be the name of an object: it then needs no quoting in a path or for a shell.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
pub fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=253).contains(&name.len())
        && name.starts_with(inner)
        && name.ends_with(inner)
        && name.chars().all(|c| inner(c) || c == '-' || c == '.')
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_one_place() {
        let path = DEPLOYMENTS.path(Some("shop"), Some("web"));
        assert_eq!(path, "/apis/apps/v1/namespaces/shop/deployments/web");
        assert_eq!(PODS.path(None, None), "/api/v1/pods");
        assert_eq!(NODES.path(Some("shop"), Some("n1")), "/api/v1/nodes/n1");
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for good in ["web", "web-1", "a.b", "0"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "Web", "a/b", "..", "a..b", "-a", "a-", "a b", "a?b", "ä", "a%2fb", &"a".repeat(254)]
        {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
