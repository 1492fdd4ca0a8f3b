//! Steps that change workloads of a real cluster; what they changed is read back with `kubectl`.

use crate::kube::{Cluster, Kit, VIEWER, cluster, wait_until};
use lifeboat::core::words::action::Acted;

fn scale(id: &str, namespace: &str, more: &str) -> String {
    step(id, "kube-scale", namespace, more)
}

pub fn step(id: &str, action: &str, namespace: &str, more: &str) -> String {
    format!(
        "[[runbooks.act.steps]]\nid = \"{id}\"\ntitle = \"{id}\"\naction = \"{action}\"\nwith.context = \"a\"\n\
         with.namespace = \"{namespace}\"\n{more}\nconfirm = \"yes\"\ntimeout = \"30s\"\n"
    )
}

fn replicas(cluster: &Cluster, namespace: &str, name: &str) -> String {
    cluster.field(namespace, &format!("deployment/{name}"), "{.spec.replicas}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_scaled_and_what_was_there_before_comes_back() {
    let east = cluster(0);
    let namespace = east.namespace("scaled");
    east.deployment(&namespace, "web", 1, "runs");
    let web = "with.names = [\"web\"]\nwith.";
    let steps = scale("up", &namespace, &format!("{web}replicas = 3"))
        + &scale("more", &namespace, &format!("{web}replicas = 4"))
        + &scale("back", &namespace, &format!("{web}restore = true"));
    let kit = Kit::new(&[east.admin()], "", &steps);
    let (described, done, proof) = kit.run("up").await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/web"));
    assert_eq!(described.sets, [("deployment/web".to_owned(), "1 -> 3".to_owned())]);
    let command = format!("kubectl --context east -n {namespace} scale deployment/web --replicas=3");
    assert_eq!(described.command, command);
    assert_eq!(described.undo, [command.replace("replicas=3", "replicas=1")]);
    assert_eq!(done.summary, format!("{namespace}/web: deployment/web 1 -> 3"));
    assert_eq!(proof.evidence, ["deployment/web: spec.replicas is 3, 3 ready, seen by its controller"]);
    assert_eq!(replicas(east, &namespace, "web"), "3");
    kit.run("more").await.unwrap();
    let note = || east.field(&namespace, "deployment/web", "{.metadata.annotations.lifeboat\\.dev/scaled}");
    assert_eq!(note(), "from 1 to 4");
    let (described, ..) = kit.run("back").await.unwrap();
    assert_eq!(described.sets, [("deployment/web".to_owned(), "4 -> 1".to_owned())]);
    assert_eq!((&*replicas(east, &namespace, "web"), &*note()), ("1", ""));
    let again = kit.run("back").await.unwrap_err();
    assert!(again.why.contains("carries no note of lifeboat's"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_cluster_really_runs_is_what_is_set() {
    let (east, west) = (cluster(0), cluster(1));
    let namespace = east.namespace("like");
    west.kubectl(&["create", "namespace", &namespace]);
    east.deployment(&namespace, "web", 1, "runs");
    west.deployment(&namespace, "web", 5, "runs");
    let kit = Kit::new(
        &[east.admin(), west.admin()],
        "",
        &scale("like", &namespace, "with.all = true\nwith.like = \"b\""),
    );
    let described = kit.action("like").describe().await.unwrap();
    assert_eq!(described.sets, [("deployment/web".to_owned(), "1 -> 5".to_owned())]);
    // What was confirmed is a number: another one there is confirmed anew.
    west.kubectl(&["-n", &namespace, "scale", "deployment/web", "--replicas=6"]);
    let changed = kit.execute("like", &described.target).await.unwrap_err();
    assert!(changed.why.contains("1 -> 6, was") && changed.acted == Acted::No, "{changed}");
    kit.run("like").await.unwrap();
    assert_eq!(replicas(east, &namespace, "web"), "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_named_with_their_count_and_no_more_than_the_plan_allows() {
    let east = cluster(0);
    let namespace = east.namespace("many");
    for name in ["api", "web", "worker"] {
        east.deployment(&namespace, name, 2, "runs");
    }
    let steps = scale("all", &namespace, "with.all = true\nwith.replicas = 0")
        + &scale("few", &namespace, "with.all = true\nwith.replicas = 0\nwith.at_most = 2");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let refused = kit.run("few").await.unwrap_err();
    assert!(refused.why.contains("3 workloads are meant, and `at_most` allows 2"), "{refused}");
    let described = kit.action("all").describe().await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/3-workloads"));
    assert!(described.notes.contains(&"6 to 0 pods in all".to_owned()), "{:?}", described.notes);
    kit.run("all").await.unwrap();
    let all =
        east.kubectl(&["-n", &namespace, "get", "deployments", "-o", "jsonpath={.items[*].spec.replicas}"]);
    assert_eq!(all, "0 0 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_or_made_anew_since_is_not_touched() {
    let east = cluster(0);
    let namespace = east.namespace("changed");
    east.deployment(&namespace, "web", 2, "runs");
    let kit =
        Kit::new(&[east.admin()], "", &scale("up", &namespace, "with.names = [\"web\"]\nwith.replicas = 3"));
    let described = kit.action("up").describe().await.unwrap();
    east.kubectl(&["-n", &namespace, "scale", "deployment/web", "--replicas=1"]);
    let changed = kit.execute("up", &described.target).await.unwrap_err();
    assert!(changed.what.contains("changed since it was confirmed"), "{changed}");
    assert_eq!(replicas(east, &namespace, "web"), "1");
    let described = kit.action("up").describe().await.unwrap();
    east.kubectl(&["-n", &namespace, "delete", "deployment", "web"]);
    let gone = kit.execute("up", &described.target).await.unwrap_err();
    assert!(gone.why.contains("not found") && gone.acted == Acted::No, "{gone}");
    east.deployment(&namespace, "web", 1, "runs");
    let anew = kit.execute("up", &described.target).await.unwrap_err();
    assert!(anew.why.contains("uid"), "{anew}");
    assert_eq!(replicas(east, &namespace, "web"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_a_quota_keeps_away_are_said() {
    let east = cluster(0);
    let namespace = east.namespace("quota");
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    east.kubectl(&["-n", &namespace, "create", "quota", "few", "--hard=pods=1"]);
    wait_until("the quota counts", || east.field(&namespace, "quota/few", "{.status.used.pods}") == "1");
    let steps = scale("up", &namespace, "with.names = [\"web\"]\nwith.replicas = 3").replace("30s", "6s");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let described = kit.action("up").describe().await.unwrap();
    let context =
        lifeboat::kinds::action::Context { timeout: jiff::SignedDuration::from_secs(10), ..kit.context() };
    let failure = kit.action("up").execute(&described.target, &context).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    assert!(failure.why.contains("web 1 of 3 ready") && failure.why.contains("exceeded quota"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_gives_no_answer_keeps_everything_as_it_was_and_is_said_before() {
    let east = cluster(0);
    let namespace = east.namespace("webhook");
    east.deployment(&namespace, "web", 1, "runs");
    east.kubectl(&["label", "namespace", &namespace, &format!("guarded={namespace}")]);
    let dead = crate::port::free();
    east.apply(&format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n\
         metadata: {{name: {namespace}}}\nwebhooks:\n- name: guard.example.com\n  admissionReviewVersions: [v1]\n  \
         sideEffects: None\n  timeoutSeconds: 1\n  failurePolicy: Fail\n  \
         clientConfig: {{url: 'https://127.0.0.1:{dead}/'}}\n  \
         namespaceSelector: {{matchLabels: {{guarded: {namespace}}}}}\n  \
         rules: [{{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}}]\n"
    ));
    let kit =
        Kit::new(&[east.admin()], "", &scale("up", &namespace, "with.names = [\"web\"]\nwith.replicas = 3"));
    let mut refused = None;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while refused.is_none() && std::time::Instant::now() < deadline {
        let described = kit.action("up").describe().await.unwrap();
        let note = described.notes.iter().find(|note| note.contains("an admission webhook gave no answer"));
        refused = note.map(|note| (note.clone(), described.target.clone()));
    }
    let (note, target) = refused.expect("the webhook never counted");
    assert!(note.contains("this step will refuse"), "{note}");
    let failure = kit.execute("up", &target).await.unwrap_err();
    assert_eq!(failure.acted, Acted::No);
    assert!(failure.next.contains("Nothing was changed"), "{}", failure.next);
    east.kubectl(&["delete", "validatingwebhookconfiguration", &namespace]);
    assert_eq!(replicas(east, &namespace, "web"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_look_and_not_touch_is_told_which_verb_is_missing() {
    let east = cluster(0);
    let namespace = east.namespace("readonly");
    east.deployment(&namespace, "web", 1, "runs");
    east.kubectl(&["-n", &namespace, "create", "rolebinding", "see", "--clusterrole=view", "--user=viewer"]);
    let config = east.config("see", &format!("{{token: {VIEWER}}}"));
    let kit = Kit::new(&[config], "", &scale("up", &namespace, "with.names = [\"web\"]\nwith.replicas = 3"));
    let described = kit.action("up").describe().await.unwrap();
    assert!(
        described.notes.iter().any(|note| note.contains("cannot patch resource \"deployments\"")),
        "{:?}",
        described.notes
    );
    let failure = kit.execute("up", &described.target).await.unwrap_err();
    assert!(failure.next.contains("`patch deployments.apps` granted"), "{}", failure.next);
    assert_eq!(failure.acted, Acted::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_makes_new_pods_and_proves_them() {
    let east = cluster(0);
    let namespace = east.namespace("restart");
    east.deployment(&namespace, "web", 2, "runs");
    east.wait_for_ready(&namespace, "web", 2);
    let pods = || east.kubectl(&["-n", &namespace, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}"]);
    let before = pods();
    let kit = Kit::new(
        &[east.admin()],
        "",
        &step("again", "kube-rollout-restart", &namespace, "with.names = [\"web\"]"),
    );
    let (_, _, proof) = kit.run("again").await.unwrap();
    assert_eq!(proof.evidence, ["deployment/web: 2 pods carry the mark of this attempt and are ready"]);
    wait_until("the old pods are gone", || before.split(' ').all(|old| !pods().contains(old)));
    // The mark is that of one attempt: another one is not proven by it.
    let described = kit.action("again").describe().await.unwrap();
    let other = lifeboat::kinds::action::Context { token: "incident/1/act/step/2".into(), ..kit.context() };
    let unproven = kit.action("again").verify(&described.target, &other).await.unwrap_err();
    assert!(unproven.why.contains("do not carry the mark of this attempt"), "{unproven}");
    east.kubectl(&["-n", &namespace, "rollout", "pause", "deployment/web"]);
    let paused = kit.run("again").await.unwrap_err();
    assert!(paused.why.contains("the rollout of deployment/web is paused"), "{paused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_whose_new_pods_do_not_come_is_not_proven_by_the_old_ones() {
    let east = cluster(0);
    let namespace = east.namespace("stale");
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    let kit = Kit::new(
        &[east.admin()],
        "",
        &step("again", "kube-rollout-restart", &namespace, "with.names = [\"web\"]"),
    );
    let described = kit.action("again").describe().await.unwrap();
    // From now on no new pod can begin.
    east.kubectl(&["-n", &namespace, "create", "quota", "none", "--hard=pods=1"]);
    wait_until("the quota counts", || east.field(&namespace, "quota/none", "{.status.used.pods}") == "1");
    let context =
        lifeboat::kinds::action::Context { timeout: jiff::SignedDuration::from_secs(8), ..kit.context() };
    let failure = kit.action("again").execute(&described.target, &context).await.unwrap_err();
    assert!(failure.acted == Acted::Maybe && failure.why.contains("web "), "{failure}");
    let unproven = kit.action("again").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("1 of 1 ready, 1 of them of before"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scaled_to_none_counts_once_the_last_pod_is_gone() {
    let east = cluster(0);
    let namespace = east.namespace("ending");
    east.deployment(&namespace, "web", 2, "runs");
    east.wait_for_ready(&namespace, "web", 2);
    let pod = east.kubectl(&["-n", &namespace, "get", "pods", "-o", "jsonpath={.items[0].metadata.name}"]);
    // It ends as slowly as one with a long grace period does.
    let holds = |finalizers: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{finalizers}}}}}"#);
        east.kubectl(&["-n", &namespace, "patch", "pod", &pod, "--type=merge", "-p", &patch]);
    };
    holds(r#"["example.com/slow"]"#);
    // A pod of somebody else with the same labels and more is none of it.
    east.kubectl(&["-n", &namespace, "run", "canary", "--image=runs", "--labels=app=web,track=canary"]);
    let kit = Kit::new(&[east.admin()], "", &scale("off", &namespace, "with.all = true\nwith.replicas = 0"));
    let described = kit.action("off").describe().await.unwrap();
    let context =
        lifeboat::kinds::action::Context { timeout: jiff::SignedDuration::from_secs(8), ..kit.context() };
    let failure = kit.action("off").execute(&described.target, &context).await.unwrap_err();
    assert!(failure.why.contains("pods of web that are to end still run: 1"), "{failure}");
    let unproven = kit.action("off").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("pods of web that are to end still run: 1"), "{unproven}");
    holds("[]");
    wait_until("it is gone", || {
        east.kubectl(&["-n", &namespace, "get", "pods", "-o", "name"]) == "pod/canary"
    });
    kit.action("off").verify(&described.target, &kit.context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_counts_once_the_last_pod_of_before_is_gone() {
    let east = cluster(0);
    let namespace = east.namespace("slow");
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    let pod = east.kubectl(&["-n", &namespace, "get", "pods", "-o", "jsonpath={.items[0].metadata.name}"]);
    let holds = |finalizers: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{finalizers}}}}}"#);
        east.kubectl(&["-n", &namespace, "patch", "pod", &pod, "--type=merge", "-p", &patch]);
    };
    holds(r#"["example.com/slow"]"#);
    let kit = Kit::new(
        &[east.admin()],
        "",
        &step("again", "kube-rollout-restart", &namespace, "with.names = [\"web\"]"),
    );
    let described = kit.action("again").describe().await.unwrap();
    let context =
        lifeboat::kinds::action::Context { timeout: jiff::SignedDuration::from_secs(8), ..kit.context() };
    let failure = kit.action("again").execute(&described.target, &context).await.unwrap_err();
    assert!(failure.why.contains("pods of web that are to end still run: 1"), "{failure}");
    let unproven = kit.action("again").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("pods of web that are to end still run: 1"), "{unproven}");
    holds("[]");
    wait_until("it is gone", || east.try_kubectl(&["-n", &namespace, "get", "pod", &pod]).is_err());
    kit.action("again").verify(&described.target, &kit.context()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_of_an_adopted_replica_set_is_one_of_before_whatever_its_name_is() {
    let east = cluster(0);
    let namespace = east.namespace("adopted");
    // A pod that nobody's template made, under a replica set that the deployment takes over.
    east.apply(&format!(
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {{name: legacy, namespace: {namespace}, labels: {{app: web}}}}\n\
         spec:\n  replicas: 1\n  selector: {{matchLabels: {{app: web, of: legacy}}}}\n  template:\n    \
         metadata: {{labels: {{app: web, of: legacy}}, finalizers: [example.com/slow]}}\n    \
         spec: {{containers: [{{name: main, image: runs}}]}}\n"
    ));
    wait_until("the old pod runs", || {
        east.field(&namespace, "replicaset/legacy", "{.status.readyReplicas}") == "1"
    });
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    wait_until("it is adopted", || {
        !east.field(&namespace, "replicaset/legacy", "{.metadata.ownerReferences[0].uid}").is_empty()
    });
    let steps = step("again", "kube-rollout-restart", &namespace, "with.names = [\"web\"]");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let described = kit.action("again").describe().await.unwrap();
    let context =
        lifeboat::kinds::action::Context { timeout: jiff::SignedDuration::from_secs(8), ..kit.context() };
    let failure = kit.action("again").execute(&described.target, &context).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe, "{failure}");
    let unproven = kit.action("again").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("pods of web that are to end still run: 1"), "{unproven}");
    let pod = east.kubectl(&["-n", &namespace, "get", "pods", "-l", "of=legacy", "-o", "name"]);
    east.kubectl(&[
        "-n",
        &namespace,
        "patch",
        &pod,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":[]}}"#,
    ]);
    wait_until("it is gone", || east.try_kubectl(&["-n", &namespace, "get", &pod]).is_err());
    wait_until("it is proven", || {
        let verify = async { kit.action("again").verify(&described.target, &kit.context()).await.is_ok() };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(verify))
    });
}
