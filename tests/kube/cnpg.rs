//! A primary and its replica in two real clusters: what is seen of them, and how the one takes over from the other. What
//! CloudNativePG does is done by an operator of the tests' own.

mod change;
mod operator;
mod refused;
mod see;

use crate::kube::{Cluster, Kit, cluster, wait_until};
use lifeboat::core::words::action::{Description, Done, Failure, Proof};
use std::time::Duration;

/// The part of <https://github.com/cloudnative-pg/cloudnative-pg/blob/main/config/crd/bases/postgresql.cnpg.io_clusters.yaml>
/// that is needed.
const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusters.postgresql.cnpg.io}
spec:
  group: postgresql.cnpg.io
  scope: Namespaced
  names: {kind: Cluster, listKind: ClusterList, plural: clusters, singular: cluster}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-preserve-unknown-fields: true
        properties:
          spec:
            type: object
            x-kubernetes-preserve-unknown-fields: true
            required: [instances]
            properties:
              instances: {type: integer, minimum: 1, default: 1}
              replica:
                type: object
                required: [source]
                properties:
                  enabled: {type: boolean}
                  minApplyDelay: {type: string}
                  primary: {type: string}
                  promotionToken: {type: string}
                  self: {type: string}
                  source: {type: string, minLength: 1}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
";

/// How long clusters of other tests are without a status.
const MOMENT: Duration = Duration::from_secs(60);

pub fn define(cluster: &Cluster) {
    cluster.apply(DEFINITION);
    let known = || cluster.try_kubectl(&["get", "clusters.postgresql.cnpg.io", "-A"]).is_ok();
    wait_until("clusters are known", known);
}

/// Has the cluster `db`, which its topology calls `own`.
pub fn database(cluster: &Cluster, namespace: &str, own: &str, primary: &str) {
    let source = if own == "east" { "west" } else { "east" };
    cluster.apply(&format!(
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: db, namespace: {namespace}}}\n\
         spec:\n  instances: 2\n  externalClusters: [{{name: east}}, {{name: west}}]\n  \
         replica: {{self: {own}, primary: {primary}, source: {source}}}\n"
    ));
}

/// `east` and `west`, each with its `db`; `east` is the primary. Nothing takes care of them.
pub fn both(test: &str) -> (&'static Cluster, &'static Cluster, String) {
    let (east, west) = (cluster(0), cluster(1));
    let namespace = east.namespace(test);
    west.kubectl(&["create", "namespace", &namespace]);
    for (cluster, own) in [(east, "east"), (west, "west")] {
        define(cluster);
        database(cluster, &namespace, own, "east");
    }
    (east, west, namespace)
}

/// Waits until the operator has seen both.
pub fn settle(namespace: &str) {
    for cluster in [cluster(0), cluster(1)] {
        wait_until("its operator knows it", || {
            shown(cluster, namespace, "{.status.phase}") == operator::HEALTHY
        });
    }
}

pub fn shown(cluster: &Cluster, namespace: &str, path: &str) -> String {
    cluster.field(namespace, "clusters.postgresql.cnpg.io/db", path)
}

/// A step of the cluster in region `own` about the one in region `other`.
pub fn step(id: &str, action: &str, namespace: &str, own: &str, other: &str, more: &str) -> String {
    let key = if action == "cnpg-demote" { "to" } else { "from" };
    format!(
        "[[runbooks.act.steps]]\nid = \"{id}\"\ntitle = \"{id}\"\naction = \"{action}\"\nwith.context = \"{own}\"\n\
         with.namespace = \"{namespace}\"\nwith.name = \"db\"\nwith.{key} = \"db\"\nwith.{key}_context = \"{other}\"\n\
         {more}\nconfirm = \"type\"\ntimeout = \"30s\"\n"
    )
}

/// Describes a step, executes what was described, and proves it.
pub async fn run(kit: &Kit, step: &str) -> Result<(Description, Done, Proof), Failure> {
    let action = kit.action(step);
    let described = action.describe().await?;
    let done = action.execute(&described.target, &kit.patient()).await?;
    let proof = action.verify(&described.target, &kit.patient()).await?;
    Ok((described, done, proof))
}

pub fn says(lines: &[String], words: &str) {
    assert!(lines.iter().any(|line| line.contains(words)), "{words}: {lines:#?}");
}
