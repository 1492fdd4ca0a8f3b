//! What takes other things with it when it is deleted: a namespace, a definition, a volume and what claims it. Its deletion
//! is typed in capital letters.

use crate::providers::kube::client::Kind;

/// Group, kind and the names that `kubectl` takes.
const HEAVY: [(&str, &str, &[&str]); 4] = [
    ("", "Namespace", &["namespace", "namespaces", "ns"]),
    ("", "PersistentVolumeClaim", &["persistentvolumeclaim", "persistentvolumeclaims", "pvc"]),
    ("", "PersistentVolume", &["persistentvolume", "persistentvolumes", "pv"]),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &["customresourcedefinition", "customresourcedefinitions", "crd", "crds"],
    ),
];
/// Namespaces that a cluster cannot be without, or that everybody shares.
const KEPT: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// Whether a kind takes other things with it.
pub fn is_heavy(kind: &Kind) -> bool {
    let group = kind.api_version.split_once('/').map_or("", |(group, _)| group);
    HEAVY.iter().any(|(of, name, _)| *of == group && *name == kind.kind)
}

/// The same by the name that a plan has; the cluster's own word is not known yet.
pub fn is_named_heavy(kind: &str) -> bool {
    let bare = bare(kind);
    HEAVY.iter().any(|(_, _, names)| names.contains(&&*bare))
}

/// Whether a plan names a namespace by this.
pub fn is_namespace(kind: &str) -> bool {
    HEAVY[0].2.contains(&&*bare(kind))
}

/// Whether that namespace is never deleted.
pub fn is_kept(namespace: &str) -> bool {
    KEPT.contains(&namespace)
}

fn bare(kind: &str) -> String {
    kind.split('.').next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(api_version: &str, kind: &str) -> Kind {
        let (api_version, kind) = (api_version.to_owned(), kind.to_owned());
        Kind { api_version, kind, plural: "x".into(), is_namespaced: false }
    }

    #[test]
    fn what_takes_others_with_it_is_known_by_each_of_its_names() {
        for name in
            ["ns", "Namespace", "namespaces", "pvc", "crd", "customresourcedefinitions.apiextensions.k8s.io"]
        {
            assert!(is_named_heavy(name), "{name}");
        }
        assert!(!is_named_heavy("pod") && !is_named_heavy("n"));
        assert!(is_namespace("NS") && !is_namespace("pvc"));
        assert!(is_heavy(&kind("v1", "Namespace")) && !is_heavy(&kind("example.com/v1", "Namespace")));
        assert!(is_heavy(&kind("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition")));
        assert!(is_kept("kube-system") && !is_kept("shop"));
    }
}
