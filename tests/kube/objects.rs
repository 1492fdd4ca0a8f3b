//! One object that is patched or deleted in a real cluster; what became of it is read back with `kubectl`.

use crate::act::step;
use crate::kube::{Cluster, Kit, cluster, wait_until};
use jiff::SignedDuration;
use lifeboat::core::words::action::Acted;
use lifeboat::kinds::action::Context;

fn patch(id: &str, namespace: &str, object: &str, patch: &str, kind: &str) -> String {
    let keys = format!("with.object = \"{object}\"\nwith.patch = '''{patch}'''\nwith.type = \"{kind}\"");
    step(id, "kube-patch", namespace, &keys)
}

fn delete(id: &str, namespace: &str, object: &str) -> String {
    step(id, "kube-delete", namespace, &format!("with.object = \"{object}\""))
}

fn settings(cluster: &Cluster, namespace: &str, name: &str) {
    cluster.kubectl(&[
        "-n",
        namespace,
        "create",
        "configmap",
        name,
        "--from-literal=a=1",
        "--from-literal=b=1",
    ]);
}

fn finalizers(cluster: &Cluster, namespace: &str, object: &str, list: &str) {
    let patch = format!(r#"{{"metadata":{{"finalizers":{list}}}}}"#);
    cluster.kubectl(&["-n", namespace, "patch", object, "--type=merge", "-p", &patch]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_each_type_changes_what_was_confirmed() {
    let east = cluster(0);
    let namespace = east.namespace("patched");
    settings(east, &namespace, "app");
    east.deployment(&namespace, "web", 1, "runs");
    let image = r#"{"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "runs"}]}}}}"#;
    let steps = patch("merge", &namespace, "cm/app", r#"{"data": {"a": "2", "b": null}}"#, "merge")
        + &patch("strategic", &namespace, "deployment/web", image, "strategic")
        + &patch(
            "json",
            &namespace,
            "deploy/web",
            r#"[{"op": "replace", "path": "/spec/replicas", "value": 2}, {"op": "add", "path": "/metadata/labels/x", "value": "y"}]"#,
            "json",
        )
        + &patch("bad", &namespace, "deployment/web", r#"{"spec": {"replicas": -1}}"#, "merge");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let (described, _, proof) = kit.run("merge").await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/app"));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(described.sets, [pair(".data.a", "\"1\" -> \"2\""), pair(".data.b", "\"1\" -> (none)")]);
    assert_eq!(east.field(&namespace, "configmap/app", "{.data}"), r#"{"a":"2"}"#);
    assert_eq!(proof.evidence[2], "the same patch, tried once more, changes nothing");

    kit.run("strategic").await.unwrap();
    let names = east.field(&namespace, "deployment/web", "{.spec.template.spec.containers[*].name}");
    assert!(names.contains("main") && names.contains("side"), "{names}");
    let (_, _, proof) = kit.run("json").await.unwrap();
    assert!(proof.evidence.iter().any(|line| line.ends_with(".spec.replicas 1 -> 2")), "{proof:?}");
    assert_eq!(east.field(&namespace, "deployment/web", "{.spec.replicas} {.metadata.labels.x}"), "2 y");

    let described = kit.action("bad").describe().await.unwrap();
    assert!(described.notes[0].contains("must be greater than or equal to 0"), "{:?}", described.notes);
    assert!(described.notes[0].ends_with("this step will refuse."), "{:?}", described.notes);
    let refused = kit.execute("bad", &described.target).await.unwrap_err();
    assert_eq!(refused.acted, Acted::No);
    let described = kit.action("merge").describe().await.unwrap();
    let again = kit.execute("merge", &described.target).await.unwrap_err();
    assert!(again.why.contains("nothing is to be done"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_changed_or_was_made_anew_is_not_patched_and_not_proven() {
    let east = cluster(0);
    let namespace = east.namespace("moved");
    settings(east, &namespace, "app");
    let kit = Kit::new(
        &[east.admin()],
        "",
        &patch("set", &namespace, "configmap/app", r#"{"data": {"a": "2"}}"#, "merge"),
    );
    let described = kit.action("set").describe().await.unwrap();
    let unproven = kit.action("set").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("has another value than was confirmed"), "{unproven}");
    east.kubectl(&["-n", &namespace, "patch", "configmap", "app", "-p", r#"{"data":{"b":"5"}}"#]);
    let changed = kit.execute("set", &described.target).await.unwrap_err();
    assert!(changed.what.contains("changed since") && changed.acted == Acted::No, "{changed}");
    let described = kit.action("set").describe().await.unwrap();
    east.kubectl(&["-n", &namespace, "delete", "configmap", "app"]);
    let gone = kit.execute("set", &described.target).await.unwrap_err();
    assert!(gone.why.contains("there is no configmap/app"), "{gone}");
    east.kubectl(&["-n", &namespace, "create", "configmap", "app", "--from-literal=a=2"]);
    let anew = kit.action("set").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(anew.why.contains("is not the one that was confirmed"), "{anew}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_patched_and_not_shown() {
    let east = cluster(0);
    let namespace = east.namespace("hidden");
    east.kubectl(&[
        "-n",
        &namespace,
        "create",
        "secret",
        "generic",
        "db",
        "--from-literal=password=old-hunter2",
    ]);
    let value = r#"{"stringData": {"password": "new-hunter2"}}"#;
    let steps = patch("set", &namespace, "secret/db", value, "merge")
        + &patch("json", &namespace, "secret/db", r#"[{"op": "remove", "path": "/data/password"}]"#, "json");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let (described, done, proof) = kit.run("set").await.unwrap();
    assert_eq!(described.sets[0].1, "(not shown) -> (not shown)");
    let shown = format!("{described:?} {done:?} {proof:?}");
    for secret in ["hunter2", "b2xkLWh1bnRlcjI=", "bmV3LWh1bnRlcjI="] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert_eq!(east.field(&namespace, "secret/db", "{.data.password}"), "bmV3LWh1bnRlcjI=");
    let refused = kit.run("json").await.unwrap_err();
    assert!(refused.why.contains("a secret takes no patch of the type `json`"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_server_quotes_of_a_live_secret_is_not_shown() {
    let east = cluster(0);
    let namespace = east.namespace("quoted");
    let create = ["-n", &namespace, "create", "secret", "generic", "db"];
    let values = ["--from-literal=password=oldpassword1", "--from-literal=pin=4711"];
    east.kubectl(&[&create[..], &values[..]].concat());
    let set = |id: &str, body: &str| patch(id, &namespace, "secret/db", body, "merge");
    let steps = set("map", r#"{"stringData": "x"}"#)
        + &set("base64", r#"{"data": {"password": "hunter!"}}"#)
        + &set("labels", r#"{"metadata": {"labels": "hunter!"}}"#);
    let kit = Kit::new(&[east.admin()], "", &steps);
    for (id, why) in [
        ("map", "is no map"),
        ("base64", "is no base64"),
        ("labels", "its words are not shown, as they may hold"),
    ] {
        let action = kit.action(id);
        let described = action.describe().await.unwrap();
        let refused = action.execute(&described.target, &kit.context()).await.unwrap_err();
        assert!(refused.acted == Acted::No && refused.why.contains(why), "{refused}");
        let shown = format!("{:?} {:?} {refused:?}", described.notes, action.preflight().await);
        for secret in ["oldpassword1", "b2xkcGFzc3dvcmQx", "4711", "NDcxMQ==", "hunter!"] {
            assert!(!shown.contains(secret), "{id}, {secret}: {shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_changed_since_is_not_patched() {
    let east = cluster(0);
    let namespace = east.namespace("relabelled");
    east.deployment(&namespace, "web", 1, "runs");
    let body = r#"{"metadata": {"labels": {"team": "dev"}}}"#;
    let kit = Kit::new(&[east.admin()], "", &patch("set", &namespace, "deployment/web", body, "merge"));
    let described = kit.action("set").describe().await.unwrap();
    east.kubectl(&["-n", &namespace, "label", "deployment", "web", "team=ops"]);
    let changed = kit.execute("set", &described.target).await.unwrap_err();
    assert!(changed.what.contains("changed since") && changed.acted == Acted::No, "{changed}");
    assert_eq!(east.field(&namespace, "deployment/web", "{.metadata.labels.team}"), "ops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_deleted_and_the_one_that_comes_after_it_is_another() {
    let east = cluster(0);
    let namespace = east.namespace("deleted");
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    let pods =
        || east.kubectl(&["-n", &namespace, "get", "pods", "-o", "jsonpath={.items[*].metadata.name}"]);
    let pod = pods();
    settings(east, &namespace, "app");
    let steps =
        delete("pod", &namespace, &format!("pod/{pod}")) + &delete("app", &namespace, "configmap/app");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let (described, _, proof) = kit.run("pod").await.unwrap();
    assert!(
        described.notes.iter().any(|note| note.contains("the controller of ReplicaSet web-")),
        "{:?}",
        described.notes
    );
    assert_eq!(described.command, format!("kubectl --context east -n {namespace} delete pod/{pod}"));
    assert_eq!(proof.evidence, [format!("the API server has no pod/{pod} in {namespace}")]);
    wait_until("another one is there", || !pods().is_empty() && pods() != pod);

    kit.run("app").await.unwrap();
    assert_eq!(east.kubectl(&["-n", &namespace, "get", "configmaps", "-o", "name"]), "");
    let described = kit.action("app").describe().await.unwrap();
    assert!(
        described.notes[0].contains("nothing is to be done: there is no configmap/app"),
        "{:?}",
        described.notes
    );
    let again = kit.execute("app", &described.target).await.unwrap_err();
    assert!(again.why.contains("nothing is to be done"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_of_that_name_stays() {
    let east = cluster(0);
    let namespace = east.namespace("anew");
    settings(east, &namespace, "app");
    let kit = Kit::new(&[east.admin()], "", &delete("app", &namespace, "configmap/app"));
    let described = kit.action("app").describe().await.unwrap();
    assert_eq!(
        east.field(&namespace, "configmap/app", "{.metadata.deletionTimestamp}"),
        "",
        "it was only tried"
    );
    let unproven = kit.action("app").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("is still there: nobody deleted it"), "{unproven}");
    east.kubectl(&["-n", &namespace, "delete", "configmap", "app"]);
    settings(east, &namespace, "app");
    let changed = kit.execute("app", &described.target).await.unwrap_err();
    assert!(changed.what.contains("changed since") && changed.acted == Acted::No, "{changed}");
    assert_eq!(east.kubectl(&["-n", &namespace, "get", "configmaps", "-o", "name"]), "configmap/app");
    // The one that was confirmed is gone, whoever deleted it.
    let proof = kit.action("app").verify(&described.target, &kit.context()).await.unwrap();
    assert!(proof.evidence[0].contains("the one of that name now is another one"), "{proof:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_finalizer_holds_is_unknown_and_says_which() {
    let east = cluster(0);
    let namespace = east.namespace("held");
    settings(east, &namespace, "app");
    finalizers(east, &namespace, "configmap/app", r#"["example.com/slow"]"#);
    let kit = Kit::new(&[east.admin()], "", &delete("app", &namespace, "configmap/app"));
    let described = kit.action("app").describe().await.unwrap();
    assert!(described.notes.iter().any(|note| note.contains("example.com/slow")), "{:?}", described.notes);
    let context = Context { timeout: SignedDuration::from_secs(5), ..kit.context() };
    let late = kit.action("app").execute(&described.target, &context).await.unwrap_err();
    assert!(late.acted == Acted::Maybe && late.why.contains("example.com/slow"), "{late}");
    let unproven = kit.action("app").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("example.com/slow"), "{unproven}");
    finalizers(east, &namespace, "configmap/app", "[]");
    wait_until("it is gone", || east.try_kubectl(&["-n", &namespace, "get", "configmap", "app"]).is_err());
    kit.action("app").verify(&described.target, &kit.context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_is_gone_when_its_pods_are() {
    let east = cluster(0);
    let namespace = east.namespace("pods-end");
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    let pod = east.kubectl(&["-n", &namespace, "get", "pods", "-o", "name"]);
    finalizers(east, &namespace, &pod, r#"["example.com/slow"]"#);
    let kit = Kit::new(&[east.admin()], "", &delete("web", &namespace, "deployment/web"));
    let described = kit.action("web").describe().await.unwrap();
    assert!(described.command.contains("--cascade=foreground"), "{}", described.command);
    let context = Context { timeout: SignedDuration::from_secs(6), ..kit.context() };
    let late = kit.action("web").execute(&described.target, &context).await.unwrap_err();
    assert!(late.acted == Acted::Maybe && late.why.contains("its pods, or what else it owns"), "{late}");
    let unproven = kit.action("web").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("not gone yet"), "{unproven}");
    finalizers(east, &namespace, &pod, "[]");
    wait_until("it is gone", || east.try_kubectl(&["-n", &namespace, "get", "deployment", "web"]).is_err());
    kit.action("web").verify(&described.target, &kit.context()).await.unwrap();
    assert_eq!(east.kubectl(&["-n", &namespace, "get", "pods", "-o", "name"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_with_a_workload_and_what_stays_is_said() {
    let east = cluster(0);
    let namespace = east.namespace("goes");
    east.apply(&format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db, namespace: {namespace}}}\nspec:\n  replicas: 1\n  \
         serviceName: db\n  selector: {{matchLabels: {{app: db}}}}\n  template:\n    metadata: {{labels: {{app: db}}}}\n    \
         spec: {{containers: [{{name: main, image: runs}}]}}\n  volumeClaimTemplates:\n  - metadata: {{name: data}}\n    \
         spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n"
    ));
    let claims = || east.kubectl(&["-n", &namespace, "get", "pvc,pods", "-o", "name"]);
    wait_until("its pod and claim are there", || claims().lines().count() == 2);
    let kit = Kit::new(&[east.admin()], "", &delete("db", &namespace, "statefulset/db"));
    let (described, ..) = kit.run("db").await.unwrap();
    for said in ["Its pods go with it: 1.", "The volume claims of its pods stay: data."] {
        assert!(described.notes.iter().any(|note| note == said), "{:?}", described.notes);
    }
    assert_eq!(claims(), "persistentvolumeclaim/data-db-0", "only the claim is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_deleted_by_its_phrase_with_all_that_is_in_it() {
    let east = cluster(0);
    let namespace = east.namespace("doomed");
    east.deployment(&namespace, "web", 2, "runs");
    east.wait_for_ready(&namespace, "web", 2);
    east.kubectl(&["-n", &namespace, "create", "secret", "generic", "db", "--from-literal=a=1"]);
    let typed = |steps: String| steps.replace("confirm = \"yes\"", "confirm = \"type\"");
    let steps = typed(delete("all", &namespace, &format!("namespace/{namespace}")));
    let kit = Kit::new(&[east.admin()], "", &steps);
    let described = kit.action("all").describe().await.unwrap();
    assert_eq!(described.target.name, format!("DELETE {namespace}"));
    let counted = "2 pods, 1 deployments, 0 stateful sets, 0 daemon sets, 0 jobs, 0 volume claims, 1 secrets, and all else";
    assert!(described.notes.iter().any(|note| note.contains(counted)), "{:?}", described.notes);
    let context = Context { timeout: SignedDuration::from_secs(1800), ..kit.context() };
    kit.action("all").execute(&described.target, &context).await.unwrap();
    let proof = kit.action("all").verify(&described.target, &kit.context()).await.unwrap();
    assert_eq!(proof.evidence, [format!("the API server has no namespace/{namespace}")]);
    assert!(east.try_kubectl(&["get", "namespace", &namespace]).is_err());
}
