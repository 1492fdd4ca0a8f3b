//! The order in which objects work: what others need comes first, what sends requests elsewhere last. As Helm has it.
//! <https://github.com/helm/helm/blob/main/pkg/release/v1/util/kind_sorter.go>

use serde_json::Value;

const FIRST: [&str; 37] = [
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "Endpoints",
    "EndpointSlice",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "VerticalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "GatewayClass",
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
];
/// They decide over all that comes after them.
const LAST: [&str; 3] = ["APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The objects in that order; those of one kind stay as the files have them.
pub fn sort(objects: &mut [Value]) {
    objects.sort_by_key(|object| place(object["kind"].as_str().unwrap_or_default()));
}

fn place(kind: &str) -> usize {
    let of = |all: &[&str]| all.iter().position(|known| *known == kind);
    let custom = FIRST.len();
    of(&FIRST).or_else(|| of(&LAST).map(|at| custom + 1 + at)).unwrap_or(custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_need_comes_first() {
        let mut objects = [
            json!({"kind": "ValidatingWebhookConfiguration"}),
            json!({"kind": "Certificate"}),
            json!({"kind": "Deployment", "n": 1}),
            json!({"kind": "ConfigMap"}),
            json!({"kind": "Deployment", "n": 0}),
            json!({"kind": "CustomResourceDefinition"}),
            json!({"kind": "Namespace"}),
        ];
        sort(&mut objects);
        let kinds: Vec<&str> = objects.iter().map(|one| one["kind"].as_str().unwrap()).collect();
        assert_eq!(
            kinds,
            [
                "Namespace",
                "CustomResourceDefinition",
                "ConfigMap",
                "Deployment",
                "Deployment",
                "Certificate",
                "ValidatingWebhookConfiguration"
            ]
        );
        assert_eq!((&objects[3]["n"], &objects[4]["n"]), (&json!(1), &json!(0)));
    }
}
