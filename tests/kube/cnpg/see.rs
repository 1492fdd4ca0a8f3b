//! What `cnpg-cluster` sees.

use super::operator::{Api, healthy, token};
use super::{database, define};
use crate::broken;
use crate::kube::{Cluster, Kit, VIEWER, cluster};
use crate::looks::{probe, until};
use lifeboat::core::words::reading::{Measurement, Verdict};
use serde_json::json;

/// Has an instance whose pod runs.
pub fn instance(cluster: &Cluster, namespace: &str, name: &str) {
    cluster.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, \
         labels: {{cnpg.io/cluster: db, cnpg.io/podRole: instance}}}}\n\
         spec: {{containers: [{{name: postgres, image: runs}}]}}\n"
    ));
}

/// A cluster of two instances that run, its status and who looks at it.
async fn seen(test: &str) -> (String, Api, Kit) {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace(test);
    database(east, &namespace, "east", "east");
    // A pooler of it has its name for a label as well.
    east.kubectl(&[
        "-n",
        &namespace,
        "run",
        "pooler",
        "--image=runs",
        "--labels=cnpg.io/cluster=db,cnpg.io/podRole=pooler",
    ]);
    for name in ["db-1", "db-2"] {
        instance(east, &namespace, name);
    }
    let api = Api::of(east, &namespace);
    let kit = Kit::new(&[east.admin()], &probe("cnpg-cluster", &namespace, "name = \"db\","), "");
    (namespace, api, kit)
}

fn good(seen: &Measurement) -> bool {
    seen.verdict == Verdict::Good
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_seen_once_its_operator_wrote_of_it() {
    let (_, api, kit) = seen("cnpg-seen").await;
    let unknown = kit.measure("w").await.unwrap_err();
    assert!(unknown.why.contains("wrote no status of cnpg-seen-"), "{unknown}");
    api.status(healthy(true, 1)).await;
    let seen = until(&kit, "both run", good).await;
    assert_eq!((seen.value, &*seen.summary), (Some(2.0), "primary, 2 of 2 instances ready"));
    assert_eq!((seen.text("role"), seen.text("primary")), (Some("primary"), Some("db-1")));
    assert_eq!((seen.text("source"), seen.number("timeline")), (Some("west"), Some(1.0)));
    let last = token(1, "0/6000028");
    api.status(json!({"lastPromotionToken": last})).await;
    let seen = kit.measure("w").await.unwrap();
    assert!(seen.text("last_promotion_token").unwrap().starts_with("timeline 1 at 0/6000028"), "{seen:?}");
    assert!(!format!("{seen:?}").contains(&last));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switchover_a_lost_primary_and_one_without_an_operator_are_told_apart() {
    let (namespace, api, kit) = seen("cnpg-moves").await;
    api.status(healthy(true, 1)).await;
    until(&kit, "both run", good).await;
    api.status(json!({"targetPrimary": "db-2", "phase": "Switchover in progress"})).await;
    let seen = kit.measure("w").await.unwrap();
    let moves = "its primary changes from db-1 to db-2: Switchover in progress";
    assert_eq!(seen.verdict, Verdict::Warn(moves.into()));
    api.status(json!({"currentPrimary": null, "targetPrimary": null, "phase": "Failing over"})).await;
    let seen = kit.measure("w").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Critical("it has no primary instance: Failing over".into()));
    api.status(healthy(true, 1)).await;
    // The operator is gone: its word stays, and the pod does not.
    let east = cluster(0);
    east.kubectl(&["-n", &namespace, "delete", "pod", "db-2", "--force", "--grace-period=0"]);
    let seen = until(&kit, "one is missed", |seen| seen.value == Some(1.0)).await;
    assert_eq!(seen.verdict, Verdict::Warn("1 of 2 instances ready".into()));
    east.kubectl(&["-n", &namespace, "delete", "pod", "db-1", "--force", "--grace-period=0"]);
    let seen = until(&kit, "none is left", |seen| seen.value == Some(0.0)).await;
    assert!(
        matches!(&seen.verdict, Verdict::Critical(why) if why.contains("none of 2 instances is ready")),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_there_is_critical_and_what_nobody_can_tell_is_unknown() {
    let east = cluster(0);
    define(east);
    let namespace = east.namespace("cnpg-absent");
    let plan = probe("cnpg-cluster", &namespace, "name = \"db\",");
    let seen = Kit::new(&[east.admin()], &plan, "").measure("w").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Critical(format!("{namespace}/db is not there")));
    let viewer = east.config("viewer-of-cnpg", &format!("{{token: {VIEWER}}}"));
    let problem = Kit::new(&[viewer], &plan, "").measure("w").await.unwrap_err();
    assert!(problem.next.contains("Have `get clusters.postgresql.cnpg.io` granted"), "{problem:?}");
    // As an API server answers that has no such definition.
    let folder = tempfile::tempdir().unwrap();
    let bare = broken::server(|_| broken::http("404 Not Found", "404 page not found\n"));
    let problem = Kit::new(&[broken::config(&folder, &bare, "")], &plan, "").measure("w").await.unwrap_err();
    assert!(problem.why.contains("does not know this kind of object"), "{problem:?}");
}
