//! Nodes that a step keeps new pods away from; what it did is read back with `kubectl`. Nodes are of the whole cluster: each
//! test has its own.

use crate::kube::{Cluster, Kit, cluster};
use lifeboat::core::words::action::Acted;
use lifeboat::kinds::action::Context;

/// Has a node that is ready, whose taint keeps all pods away or is none.
fn register(cluster: &Cluster, test: &str, name: &str, taints: &str) {
    cluster.apply(&format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: {test}-{name}, labels: {{test: {test}}}}}\nspec: {{taints: [{taints}]}}\n\
         status: {{conditions: [{{type: Ready, status: 'True', reason: R, message: m}}]}}\n"
    ));
}

fn step(id: &str, more: &str) -> String {
    format!(
        "[[runbooks.act.steps]]\nid = \"{id}\"\ntitle = \"{id}\"\naction = \"kube-cordon\"\nwith.context = \"a\"\n{more}\n\
         confirm = \"yes\"\ntimeout = \"30s\"\n"
    )
}

fn spec(cluster: &Cluster, node: &str) -> String {
    cluster.kubectl(&["get", "node", node, "-o", "jsonpath={.spec.unschedulable}"])
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_cordoned_once_proven_by_their_mark_and_opened_again() {
    let east = cluster(0);
    let taint = "{key: test, value: cordon, effect: NoSchedule}";
    // Where each node has a taint, the last open one is kept as well.
    register(east, "spare", "n1", taint);
    register(east, "cordon", "n1", taint);
    register(east, "cordon", "n2", taint);
    east.kubectl(&["cordon", "cordon-n2"]);
    let steps = step("shut", "with.selector = \"test=cordon\"")
        + &step("open", "with.selector = \"test=cordon\"\nwith.uncordon = true")
        + &step("few", "with.selector = \"test=cordon\"\nwith.at_most = 1")
        + &step("none", "with.nodes = [\"cordon-n9\"]");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let (described, done, proof) = kit.run("shut").await.unwrap();
    assert_eq!(described.target.name, "2-nodes");
    assert_eq!(described.sets, [("node/cordon-n1".to_owned(), "open -> cordoned".to_owned())]);
    assert_eq!(described.command, "kubectl --context east cordon cordon-n1");
    assert_eq!(described.undo, ["kubectl --context east uncordon cordon-n1"]);
    assert!(described.notes.contains(&"cordon-n2 is cordoned already.".to_owned()), "{:?}", described.notes);
    assert_eq!(done.summary, "2-nodes: node/cordon-n1 open -> cordoned");
    let evidence = [
        "node/cordon-n1 is cordoned and carries the mark of this attempt",
        "node/cordon-n2 is cordoned, as it was before",
    ];
    assert_eq!(proof.evidence, evidence);
    assert_eq!((&*spec(east, "cordon-n1"), &*spec(east, "cordon-n2")), ("true", "true"));
    let again = kit.run("shut").await.unwrap_err();
    assert!(again.acted == Acted::No && again.why.contains("cordoned already"), "{again}");
    let action = kit.action("shut");
    let other = Context { token: "incident/1/act/shut/2".into(), ..kit.context() };
    let unproven = action.verify(&described.target, &other).await.unwrap_err();
    assert!(unproven.why.contains("not by this attempt"), "{unproven}");
    east.kubectl(&["uncordon", "cordon-n1"]);
    let back = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(back.why.contains("node/cordon-n1 is open"), "{back}");
    action.execute(&described.target, &kit.context()).await.unwrap();
    let (opened, _, proof) = kit.run("open").await.unwrap();
    let stranger = "lifeboat did not cordon cordon-n2: somebody else may keep pods away from it.".to_owned();
    assert!(opened.notes.contains(&stranger), "{:?}", opened.notes);
    assert_eq!(proof.evidence, ["node/cordon-n1 is open", "node/cordon-n2 is open"]);
    assert_eq!((&*spec(east, "cordon-n1"), &*spec(east, "cordon-n2")), ("", ""));
    let many = kit.run("few").await.unwrap_err();
    assert!(many.why.contains("2 nodes are meant, and `at_most` allows 1"), "{many}");
    let absent = kit.run("none").await.unwrap_err();
    assert!(absent.why.contains("node/cordon-n9 is not there"), "{absent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_made_anew_since_is_not_cordoned() {
    let east = cluster(0);
    let taint = "{key: test, value: anew, effect: NoSchedule}";
    register(east, "spare", "n1", "{key: test, value: cordon, effect: NoSchedule}");
    register(east, "anew", "n1", taint);
    let kit = Kit::new(&[east.admin()], "", &step("shut", "with.nodes = [\"anew-n1\"]"));
    let described = kit.action("shut").describe().await.unwrap();
    east.kubectl(&["delete", "node", "anew-n1"]);
    register(east, "anew", "n1", taint);
    let changed = kit.execute("shut", &described.target).await.unwrap_err();
    assert!(changed.acted == Acted::No && changed.why.contains("uid"), "{changed}");
    assert_eq!(spec(east, "anew-n1"), "");
}

/// No other test has a node without a taint in this cluster.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_node_that_takes_pods_goes_only_where_the_plan_allows_it() {
    let west = cluster(1);
    for name in ["n1", "n2"] {
        register(west, "last", name, "");
        // The API server gives it to each new node; no controller takes it away here.
        west.kubectl(&["taint", "node", &format!("last-{name}"), "node.kubernetes.io/not-ready:NoSchedule-"]);
    }
    let nodes = "with.nodes = [\"last-n1\"]";
    let steps = step("first", "with.nodes = [\"last-n2\"]")
        + &step("last", nodes)
        + &step("allowed", &format!("{nodes}\nwith.last = true"));
    let steps = steps.replace("with.context = \"a\"", "with.context = \"b\"");
    let kit = Kit::new(&[west.admin()], "", &steps);
    let (described, ..) = kit.run("first").await.unwrap();
    assert!(
        described.notes[0].starts_with("1 of 2 nodes that take new pods are left"),
        "{:?}",
        described.notes
    );
    let refused = kit.run("last").await.unwrap_err();
    assert!(refused.acted == Acted::No && refused.why.contains("no other node is left"), "{refused}");
    assert_eq!(spec(west, "last-n1"), "");
    let (described, ..) = kit.run("allowed").await.unwrap();
    assert!(described.notes[0].contains("NO NODE IS LEFT"), "{:?}", described.notes);
    assert_eq!(spec(west, "last-n1"), "true");
}
