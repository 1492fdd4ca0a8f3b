//! What is seen of claims for volumes. Nothing binds them here: the tests say of each how it is.

use crate::kube::{Cluster, Kit, cluster};
use crate::looks::{probe, until};
use lifeboat::core::words::reading::Verdict;

fn claim(cluster: &Cluster, namespace: &str, name: &str) {
    cluster.apply(&format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 2Gi}}}}}}\n"
    ));
}

fn becomes(cluster: &Cluster, namespace: &str, name: &str, phase: &str) {
    let status =
        format!("{{\"status\": {{\"phase\": \"{phase}\", \"capacity\": {{\"storage\": \"2Gi\"}}}}}}");
    let claim = format!("pvc/{name}");
    cluster.kubectl(&[
        "-n",
        namespace,
        "patch",
        &claim,
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_counted_as_they_are_bound_and_lost() {
    let east = cluster(0);
    let namespace = east.namespace("claimed");
    let all = Kit::new(&[east.admin()], &probe("kube-pvc", &namespace, ""), "");
    let seen = all.measure("w").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Critical(format!("no claim is there in {namespace}")));
    let named = probe("kube-pvc", &namespace, "names = [\"data-0\", \"data-9\"],");
    let named = Kit::new(&[east.admin()], &named, "");
    claim(east, &namespace, "data-0");
    claim(east, &namespace, "data-1");
    becomes(east, &namespace, "data-1", "Bound");
    let seen = until(&all, "one of two is bound", |seen| {
        (seen.value, seen.number("claims")) == (Some(1.0), Some(2.0))
    })
    .await;
    assert_eq!(seen.verdict, Verdict::Warn("no volume yet for data-0".into()));
    assert_eq!(
        (seen.text("pending"), seen.number("capacity_bytes")),
        (Some("data-0"), Some(2_147_483_648.0))
    );
    let seen = until(&named, "one of those named is there", |seen| seen.number("claims") == Some(1.0)).await;
    assert_eq!(seen.verdict, Verdict::Critical(format!("data-9 is not there in {namespace}")));
    becomes(east, &namespace, "data-0", "Bound");
    let seen = until(&all, "both are bound", |seen| seen.value == Some(2.0)).await;
    assert_eq!((&seen.verdict, &*seen.summary), (&Verdict::Good, "2 of 2 claims bound, 4.3 GB"));
    becomes(east, &namespace, "data-1", "Lost");
    let seen = until(&all, "one is lost", |seen| seen.text("lost") == Some("data-1")).await;
    assert_eq!(seen.verdict, Verdict::Critical("the volume is lost of data-1".into()));
}
