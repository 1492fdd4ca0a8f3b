//! What is seen of nodes. They are of the whole cluster: each test labels its own, and keeps all pods away from them.

use crate::kube::{Cluster, Kit, VIEWER, cluster};
use crate::looks::until;
use lifeboat::core::words::reading::Verdict;

/// Has a node, which is registered with its status as a kubelet does.
fn register(cluster: &Cluster, test: &str, name: &str, spec: &str, conditions: &str) {
    cluster.apply(&format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: {test}-{name}, labels: {{test: {test}}}}}\n\
         spec: {{taints: [{{key: test, value: {test}, effect: NoSchedule}}], {spec}}}\n\
         status: {{nodeInfo: {{kubeletVersion: v1.20.2, architecture: amd64, bootID: b, containerRuntimeVersion: c, kernelVersion: k, \
         kubeProxyVersion: v1.20.2, machineID: m, operatingSystem: linux, osImage: o, systemUUID: s}}, \
         conditions: [{conditions}]}}\n"
    ));
}

fn ready(status: &str) -> String {
    format!("{{type: Ready, status: '{status}', reason: R, message: 'no network plugin'}}")
}

fn plan(test: &str, more: &str) -> String {
    let keys = "every = \"1s\", timeout = \"5s\"";
    format!("w = {{ kind = \"kube-nodes\", region = \"a\", selector = \"test={test}\", {more} {keys} }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_counted_as_they_come_fall_silent_are_cordoned_and_go() {
    let east = cluster(0);
    let kit = Kit::new(&[east.admin()], &plan("roll", "min_ready = 2,"), "");
    let seen = kit.measure("w").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Critical("no node fits test=roll".into()));
    register(east, "roll", "n1", "", &ready("True"));
    register(east, "roll", "n2", "", &ready("True"));
    let seen = until(&kit, "two are ready", |seen| seen.value == Some(2.0)).await;
    assert_eq!((&seen.verdict, &*seen.summary), (&Verdict::Good, "2 of 2 nodes ready"));
    assert_eq!(seen.text("versions"), Some("v1.20.2"));
    register(east, "roll", "n3", "", &ready("Unknown"));
    let seen = until(&kit, "a third one is silent", |seen| seen.number("nodes") == Some(3.0)).await;
    let why = "1 node not ready: roll-n3 (its kubelet is silent)";
    assert_eq!((seen.verdict, seen.value), (Verdict::Warn(why.into()), Some(2.0)));
    east.kubectl(&["cordon", "roll-n1"]);
    east.kubectl(&["delete", "node", "roll-n2", "roll-n3", "--wait=false"]);
    let seen = until(&kit, "one is left and cordoned", |seen| {
        (seen.number("nodes"), seen.number("cordoned")) == (Some(1.0), Some(1.0))
    })
    .await;
    assert_eq!(seen.verdict, Verdict::Critical("1 node ready, at least 2 expected".into()));
    assert_eq!(seen.summary, "1 of 1 node ready, 1 cordoned");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_say_why_they_are_not_ready_and_what_they_are_short_of() {
    let east = cluster(0);
    let short = "{type: MemoryPressure, status: 'True'}, {type: PIDPressure, status: 'True'}";
    register(east, "short", "n1", "", &format!("{}, {short}", ready("True")));
    register(east, "short", "n2", "", &ready("False"));
    let kit = Kit::new(&[east.admin()], &plan("short", ""), "");
    let seen = until(&kit, "both are there", |seen| seen.number("nodes") == Some(2.0)).await;
    assert_eq!(seen.verdict, Verdict::Warn("1 node not ready: short-n2 (no network plugin)".into()));
    assert_eq!(seen.text("pressure"), Some("short-n1 is short of memory and process IDs"));
    assert_eq!(seen.text("not_ready"), Some("short-n2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_list_nodes_knows_nothing_of_them() {
    let east = cluster(0);
    let config = east.config("viewer-of-nodes", &format!("{{token: {VIEWER}}}"));
    let problem = Kit::new(&[config], &plan("none", ""), "").measure("w").await.unwrap_err();
    assert!(problem.why.contains("cannot list resource \"nodes\""), "{problem}");
    assert!(problem.next.contains("Have `list nodes` granted"), "{}", problem.next);
}
