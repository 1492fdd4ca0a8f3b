//! Templates of pods that are changed and taken back on a real cluster.

use crate::act::step;
use crate::kube::{Cluster, Kit, cluster, wait_until};
use lifeboat::core::words::action::Acted;
use lifeboat::kinds::action::Context;

fn of_web(id: &str, action: &str, namespace: &str, more: &str) -> String {
    step(id, action, namespace, &format!("with.names = [\"web\"]\n{more}"))
}

fn env(cluster: &Cluster, namespace: &str) -> String {
    cluster.field(namespace, "deployment/web", "{.spec.template.spec.containers[0].env}")
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_set_shown_and_proven_and_no_secret_is_told() {
    let east = cluster(0);
    let namespace = east.namespace("env");
    east.deployment(&namespace, "web", 2, "runs");
    east.wait_for_ready(&namespace, "web", 2);
    let before = ["DB_HOST=db-a", "DB_PASSWORD=hunter2", "OLD=1"];
    east.kubectl(&[&["-n", &namespace, "set", "env", "deployment/web"][..], &before].concat());
    east.kubectl(&[
        "-n",
        &namespace,
        "create",
        "secret",
        "generic",
        "db-dr",
        "--from-literal=password=s3cret",
    ]);
    let set = "with.env.DB_HOST = \"db-b\"\nwith.from_secret.DB_PASSWORD = \"db-dr/password\"\nwith.remove = [\"OLD\"]";
    let kit = Kit::new(&[east.admin()], "", &of_web("set", "kube-set-env", &namespace, set));
    wait_until("it is rolled out", || {
        east.field(&namespace, "deployment/web", "{.status.updatedReplicas}") == "2"
    });
    let (described, done, proof) = kit.run("set").await.unwrap();
    let words = "DB_HOST db-a -> db-b; DB_PASSWORD (a value that is not shown) -> password of secret db-dr; \
                 OLD (a value that is not shown) -> unset";
    assert_eq!(described.sets, [("deployment/web".to_owned(), words.to_owned())]);
    assert!(!format!("{described:?} {done:?} {proof:?}").contains("hunter2"), "{described:?}");
    let undo = format!("kubectl --context east -n {namespace} rollout undo deployment/web");
    assert_eq!(described.undo, [undo]);
    let now: serde_json::Value = serde_json::from_str(&env(east, &namespace)).unwrap();
    let expected = serde_json::json!([
        {"name": "DB_HOST", "value": "db-b"},
        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-dr", "key": "password"}}}]);
    assert_eq!(now, expected);
    let evidence = "deployment/web: 2 pods have DB_HOST, DB_PASSWORD, OLD as it was set, and are ready";
    assert_eq!(proof.evidence, [evidence]);
    let again = kit.run("set").await.unwrap_err();
    assert!(again.why.contains("all of them are so already"), "{again}");
    // Whoever sets it back makes it unproven, whatever mark is left.
    east.kubectl(&["-n", &namespace, "set", "env", "deployment/web", "DB_HOST=db-a"]);
    let unproven = kit.action("set").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("DB_HOST of deployment/web is not what was set"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_lifeboats_is_set_and_never_shown() {
    let east = cluster(0);
    let namespace = east.namespace("own-secret");
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    let set = "with.env.DATABASE_URL = { secret = \"kube-env-test\" }";
    let kit = Kit::new(&[east.admin()], "", &of_web("set", "kube-set-env", &namespace, set));
    let absent = kit.action("set").describe().await.unwrap();
    assert!(absent.notes.iter().any(|note| note.contains("kube-env-test")), "{:?}", absent.notes);
    let environment = [("LIFEBOAT_SECRET_KUBE_ENV_TEST", "postgres://app:pa55word@db-b/x")];
    let kit =
        Kit::new(&[east.admin()], "", &of_web("set", "kube-set-env", &namespace, set)).knowing(&environment);
    let (described, done, proof) = kit.run("set").await.unwrap();
    let words = "DATABASE_URL unset -> [secret kube-env-test]";
    assert_eq!(described.sets, [("deployment/web".to_owned(), words.to_owned())]);
    assert!(!format!("{described:?} {done:?} {proof:?}").contains("pa55word"), "{described:?}");
    assert!(env(east, &namespace).contains("postgres://app:pa55word@db-b/x"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_not_there_and_a_secret_without_its_key_are_said() {
    let east = cluster(0);
    let namespace = east.namespace("env-bad");
    east.deployment(&namespace, "web", 1, "runs");
    let steps = of_web("other", "kube-set-env", &namespace, "with.env.A = \"1\"\nwith.container = \"side\"");
    let held = of_web("held", "kube-set-env", &namespace, "with.from_secret.A = \"db/password\"");
    let kit = Kit::new(&[east.admin()], "", &(steps + &held));
    let notes = kit.action("other").describe().await.unwrap().notes;
    assert!(notes[0].contains("deployment/web has no container side"), "{notes:?}");
    let refused = kit.run("other").await.unwrap_err();
    assert!(refused.acted == Acted::No && refused.why.contains("no container side"), "{refused}");
    let refused = kit.run("held").await.unwrap_err();
    assert!(refused.acted == Acted::No && refused.why.contains("the secret db of"), "{refused}");
    assert!(refused.why.contains("is not there") && refused.next.contains("would not start"), "{refused:?}");
    east.kubectl(&["-n", &namespace, "create", "secret", "generic", "db", "--from-literal=other=x"]);
    let refused = kit.run("held").await.unwrap_err();
    assert!(refused.why.contains("has no key `password`"), "{refused}");
    assert_eq!(env(east, &namespace), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_stands_there_twice_is_refused_and_init_containers_get_it_too() {
    let east = cluster(0);
    let namespace = east.namespace("env-twice");
    let deployment = |name: &str, env: &str| {
        east.apply(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  replicas: 1\n  \
             selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      \
             initContainers: [{{name: migrate, image: runs, env: [{{name: PGHOST, value: db-a}}]}}]\n      \
             containers: [{{name: main, image: runs, env: {env}}}]\n"
        ));
    };
    deployment("twice", "[{name: PGHOST, value: old}, {name: PGHOST, value: db-a}]");
    deployment("once", "[{name: PGHOST, value: db-a}]");
    let set = |name: &str| {
        let keys = format!("with.names = [\"{name}\"]\nwith.env.PGHOST = \"db-b\"");
        step(name, "kube-set-env", &namespace, &keys)
    };
    let kit = Kit::new(&[east.admin()], "", &(set("twice") + &set("once")));
    let refused = kit.run("twice").await.unwrap_err();
    assert!(
        refused.why.contains("container main has PGHOST 2 times") && refused.acted == Acted::No,
        "{refused}"
    );
    let (described, ..) = kit.run("once").await.unwrap();
    assert_eq!(described.sets[0].1, "migrate: PGHOST db-a -> db-b; main: PGHOST db-a -> db-b");
    let of = |list: &str| {
        let path = format!("{{.spec.template.spec.{list}[0].env[0].value}}");
        east.field(&namespace, "deployment/once", &path)
    };
    assert_eq!((&*of("initContainers"), &*of("containers")), ("db-b", "db-b"));
    // What is so already is said before anybody confirms it.
    let notes = kit.action("once").describe().await.unwrap().notes;
    assert!(notes[0].contains("all of them are so already"), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_says_what_else_it_changes() {
    let east = cluster(0);
    let namespace = east.namespace("undo-env");
    east.deployment(&namespace, "web", 1, "runs");
    east.wait_for_ready(&namespace, "web", 1);
    east.kubectl(&["-n", &namespace, "set", "env", "deployment/web", "PGHOST=db-b", "PASSWORD=hunter2"]);
    wait_until("the new template has its set", || {
        east.field(
            &namespace,
            "deployment/web",
            "{.metadata.annotations.deployment\\.kubernetes\\.io/revision}",
        ) == "2"
    });
    let kit = Kit::new(&[east.admin()], "", &of_web("undo", "kube-rollout-undo", &namespace, ""));
    let described = kit.action("undo").describe().await.unwrap();
    let words = &described.sets[0].1;
    assert!(words.starts_with("runs -> runs, and containers.main.env (revision 1 of web-"), "{words}");
    assert!(!format!("{described:?}").contains("hunter2"), "{described:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_is_taken_back_to_the_template_of_before_or_a_named_one() {
    let east = cluster(0);
    let namespace = east.namespace("undone");
    east.deployment(&namespace, "web", 2, "runs:1");
    let image = || east.field(&namespace, "deployment/web", "{.spec.template.spec.containers[0].image}");
    let rolled = |images: &str| {
        east.kubectl(&["-n", &namespace, "set", "image", "deployment/web", &format!("main={images}")]);
        wait_until("it is rolled out", || {
            let of = |path: &str| east.field(&namespace, "deployment/web", path);
            of("{.status.observedGeneration}") == of("{.metadata.generation}")
                && of("{.status.updatedReplicas}") == "2"
                && of("{.status.readyReplicas}") == "2"
                && of("{.status.replicas}") == "2"
        });
    };
    let steps = of_web("undo", "kube-rollout-undo", &namespace, "")
        + &of_web("first", "kube-rollout-undo", &namespace, "with.revision = 1")
        + &of_web("none", "kube-rollout-undo", &namespace, "with.revision = 77");
    let kit = Kit::new(&[east.admin()], "", &steps);
    east.wait_for_ready(&namespace, "web", 2);
    let nothing = kit.run("undo").await.unwrap_err();
    assert!(nothing.why.contains("keeps nothing of before revision 1 of deployment/web"), "{nothing}");
    rolled("runs:2");
    rolled("crashes-not:3");
    let described = kit.action("undo").describe().await.unwrap();
    assert!(described.sets[0].1.starts_with("crashes-not:3 -> runs:2 (revision 2 of web-"), "{described:?}");
    let (_, _, proof) = kit.run("undo").await.unwrap();
    assert_eq!(image(), "runs:2");
    assert!(proof.evidence[0].starts_with("deployment/web: 2 pods are of the template of web-"), "{proof:?}");
    assert!(proof.evidence[0].ends_with("with runs:2, and are ready"), "{proof:?}");
    let refused = kit.run("none").await.unwrap_err();
    assert!(refused.why.contains("keeps no revision 77 of deployment/web"), "{refused}");
    assert!(refused.next.contains("It keeps these:"), "{}", refused.next);
    let (described, ..) = kit.run("first").await.unwrap();
    assert_eq!(image(), "runs:1");
    // Somebody rolls on: what was proven is proven no more.
    rolled("runs:4");
    let unproven = kit.action("first").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("is not that of the confirmed revision"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateful_set_is_taken_back_and_one_with_a_partition_is_refused() {
    let east = cluster(0);
    let namespace = east.namespace("undo-set");
    east.apply(&format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db, namespace: {namespace}}}\n\
         spec:\n  replicas: 1\n  serviceName: db\n  selector: {{matchLabels: {{app: db}}}}\n  template:\n    \
         metadata: {{labels: {{app: db}}}}\n    spec: {{containers: [{{name: main, image: 'runs:1'}}]}}\n"
    ));
    let ready = || {
        let of = |path: &str| east.field(&namespace, "statefulset/db", path);
        of("{.status.observedGeneration}") == of("{.metadata.generation}")
            && of("{.status.updatedReplicas}") == "1"
            && of("{.status.readyReplicas}") == "1"
            && of("{.status.currentRevision}") == of("{.status.updateRevision}")
    };
    wait_until("it runs", ready);
    east.kubectl(&["-n", &namespace, "set", "image", "statefulset/db", "main=runs:2"]);
    wait_until("it runs anew", ready);
    let names = "with.names = [\"sts/db\"]";
    let kit = Kit::new(&[east.admin()], "", &step("undo", "kube-rollout-undo", &namespace, names));
    let (_, _, proof) = kit.run("undo").await.unwrap();
    let image = east.field(&namespace, "statefulset/db", "{.spec.template.spec.containers[0].image}");
    assert_eq!((&*image, proof.evidence.len()), ("runs:1", 1));
    let patch = r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":1}}}}"#;
    east.kubectl(&["-n", &namespace, "patch", "statefulset/db", "-p", patch]);
    let refused = kit.run("undo").await.unwrap_err();
    assert!(refused.why.contains("makes new pods only from number 1 on"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_confirmed_proves_nothing() {
    let east = cluster(0);
    let namespace = east.namespace("unconfirmed");
    east.deployment(&namespace, "web", 1, "runs");
    let steps = of_web("again", "kube-rollout-restart", &namespace, "")
        + &of_web("up", "kube-scale", &namespace, "with.replicas = 1");
    let kit = Kit::new(&[east.admin()], "", &steps);
    for id in ["again", "up"] {
        let mut target = kit.action(id).describe().await.unwrap().target;
        target.identity.retain(|(name, _)| !name.contains('/'));
        let context = Context { token: "incident/1/act/step/9".into(), ..kit.context() };
        let unproven = kit.action(id).verify(&target, &context).await.unwrap_err();
        assert!(unproven.why.contains("nothing was confirmed"), "{unproven}");
    }
}
