//! Programs in containers: a real API server hands them to the tests' own kubelet, whose programs say what they did.

use crate::act::step;
use crate::home::Home;
use crate::kube::{Cluster, Kit, VIEWER, cluster, wait_until};
use jiff::SignedDuration;
use lifeboat::core::words::action::Acted;
use lifeboat::kinds::action::Context;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A namespace with a deployment on the host, whose pods are ready.
fn hosted(test: &str, replicas: u32, images: &[&str]) -> (&'static Cluster, String) {
    let east = cluster(0);
    let namespace = east.namespace(test);
    east.hosted(&namespace, "api", replicas, images);
    east.wait_for_ready(&namespace, "api", replicas);
    (east, namespace)
}

fn run(id: &str, namespace: &str, argv: &[&str], more: &str) -> String {
    let target = if more.contains("with.target") { "" } else { "with.target = \"deployment/api\"\n" };
    let proof = if more.contains("verify") { "" } else { "verify = \"signals['port'].state == 'ok'\"\n" };
    let argv = serde_json::to_string(argv).unwrap();
    step(id, "kube-exec", namespace, &format!("{target}with.argv = {argv}\n{proof}{more}"))
}

/// The programs that were begun there, as one would type them.
fn ran(cluster: &Cluster, namespace: &str) -> Vec<String> {
    cluster.host().ran(namespace).iter().map(|asked| asked.argv.join(" ")).collect()
}

/// A context that keeps what is said.
fn listening(kit: &Kit) -> (Context, Arc<Mutex<Vec<String>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let output = Arc::new(move |line: &str| heard.lock().unwrap().push(line.to_owned()));
    (Context { output, ..kit.context() }, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_runs_in_the_pod_that_was_shown_and_is_proven_there() {
    let (east, namespace) = hosted("runs", 2, &["runs", "runs"]);
    let verify = "with.verify_argv = [\"is\", \"schema\", \"7\"]";
    let steps = run("migrate", &namespace, &["set", "schema", "7"], verify);
    let kit = Kit::new(&[east.admin()], "", &steps);
    let early = kit.action("migrate").describe().await.unwrap();
    let unproven = kit.action("migrate").verify(&early.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("it ended with exit code 1: schema is not set"), "{unproven}");
    let (described, done, proof) = kit.run("migrate").await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/api"));
    let pod = described.target.property("pod").unwrap().to_owned();
    assert!(east.pods(&namespace, "api").contains(&pod), "{pod}");
    assert_eq!(
        described.target.property("uid"),
        Some(&*east.field(&namespace, &format!("pod/{pod}"), "{.metadata.uid}"))
    );
    assert_eq!(described.target.property("container"), Some("main"));
    assert_eq!(described.call, format!("run set schema 7 in main of pod {pod}"));
    let command = format!("kubectl --context east -n {namespace} exec pod/{pod} -c main -- set schema 7");
    assert_eq!(described.command, command);
    assert!(described.notes[0].contains("for the longest time of 2 pods that are"), "{:?}", described.notes);
    assert!(done.summary.contains(&format!("done in pod {pod}")), "{}", done.summary);
    assert_eq!(proof.evidence, [format!("is schema 7 in main of pod {pod} exited with 0: schema is 7")]);
    assert_eq!(ran(east, &namespace), ["is schema 7", "set schema 7", "is schema 7"]);
    let asked = east.host().ran(&namespace);
    assert!(asked.iter().all(|asked| asked.pod == pod && asked.container == "main"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_container_is_the_named_one_or_the_default_of_the_pod() {
    let (east, namespace) = hosted("containers", 1, &["runs", "runs"]);
    let pod = east.pods(&namespace, "api").remove(0);
    let of_pod = format!("with.target = \"pod/{pod}\"\n");
    let steps = run("named", &namespace, &["echo"], "with.container = \"second\"\n")
        + &run("first", &namespace, &["echo"], &of_pod)
        + &run("none", &namespace, &["echo"], "with.container = \"third\"\n");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let container = async |step: &str| {
        let described = kit.action(step).describe().await.unwrap();
        described.target.property("container").map(str::to_owned)
    };
    assert_eq!(container("named").await.as_deref(), Some("second"));
    assert_eq!(container("first").await.as_deref(), Some("main"));
    let mark = "kubectl.kubernetes.io/default-container=second";
    east.kubectl(&["-n", &namespace, "annotate", "pod", &pod, mark]);
    assert_eq!(container("first").await.as_deref(), Some("second"));
    let none = kit.run("none").await.unwrap_err();
    assert!(none.why.contains("no such container; it has main, second"), "{none}");
    assert_eq!(none.acted, Acted::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_and_exit_code_come_through() {
    let (east, namespace) = hosted("output", 1, &["runs"]);
    let arguments = ["echo", "it's 100% & \"done\"", "a b", "", "ü\u{1b}[31m"];
    let steps = run("say", &namespace, &arguments, "")
        + &run("fail", &namespace, &["complain", "3", "no", "database"], "")
        + &run("absent", &namespace, &["psql"], "");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let (context, said) = listening(&kit);
    let described = kit.action("say").describe().await.unwrap();
    kit.action("say").execute(&described.target, &context).await.unwrap();
    // Each argument arrives as it stands; what a terminal would obey is not shown.
    assert_eq!(east.host().ran(&namespace)[0].argv, arguments);
    assert_eq!(*said.lock().unwrap(), ["it's 100% & \"done\" a b  ü\u{fffd}[31m"]);
    let failed = kit.action("fail").execute(&described.target, &context).await.unwrap_err();
    assert!(failed.why.contains("it ended with exit code 3: no database"), "{failed}");
    assert_eq!(failed.acted, Acted::Maybe);
    assert_eq!(said.lock().unwrap().last().unwrap(), "no database");
    let absent = kit.action("absent").execute(&described.target, &context).await.unwrap_err();
    assert!(absent.why.contains("executable file not found"), "{absent}");
    assert_eq!(absent.acted, Acted::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_what_a_program_says_is_not_shown() {
    let (east, namespace) = hosted("secrets", 1, &["runs"]);
    let secret = "pa55-0f-the-database";
    let verify = format!("with.verify_argv = [\"complain\", \"1\", {secret:?}]");
    let kit =
        Kit::new(&[east.admin()], "", &run("say", &namespace, &["complain", "2", "is", secret], &verify));
    let described = kit.action("say").describe().await.unwrap();
    kit.clients.redactor.learn_value("db", secret);
    let (context, said) = listening(&kit);
    let failed = kit.action("say").execute(&described.target, &context).await.unwrap_err();
    let unproven = kit.action("say").verify(&described.target, &context).await.unwrap_err();
    assert_eq!(*said.lock().unwrap(), ["is [secret db]", "[secret db]"]);
    for failure in [failed, unproven] {
        assert!(failure.why.contains("[secret db]") && !failure.to_string().contains(secret), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_or_does_not_end_may_have_been_done_and_is_sent_once() {
    let (east, namespace) = hosted("breaks", 1, &["runs"]);
    let lie = r#"{"metadata":{},"message":"ok"}"#;
    let all = [
        ("break", &["break"][..], "how it ended is not known: the connection broke"),
        ("leave", &["leave"], "without a word of how the program ended"),
        ("hang", &["hang"], "it did not end within 3 s: begun"),
        ("lie", &["end", lie], "the cluster says that it failed: ok"),
    ];
    let steps: String = all.iter().map(|(id, argv, _)| run(id, &namespace, argv, "")).collect();
    let kit = Kit::new(&[east.admin()], "", &steps);
    let target = kit.action("hang").describe().await.unwrap().target;
    for (number, (id, _, why)) in all.iter().enumerate() {
        let context = Context { timeout: SignedDuration::from_secs(3), ..kit.context() };
        let begun = Instant::now();
        let failure = kit.action(id).execute(&target, &context).await.unwrap_err();
        assert!(failure.why.contains(why), "{id}: {failure}");
        assert_eq!(failure.acted, Acted::Maybe, "{id}");
        assert!(failure.next.contains("The program may go on in the pod"), "{id}: {}", failure.next);
        assert!(begun.elapsed() < Duration::from_secs(20), "{id}: {:?}", begun.elapsed());
        assert_eq!(ran(east, &namespace).len(), number + 1, "{id} is begun once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_heard_to_its_end_and_not_shown_whole() {
    let (east, namespace) = hosted("flooded", 1, &["runs"]);
    let steps = run("flood", &namespace, &["flood"], "");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let described = kit.action("flood").describe().await.unwrap();
    let (context, said) = listening(&kit);
    let context = Context { timeout: SignedDuration::from_secs(120), ..context };
    kit.action("flood").execute(&described.target, &context).await.unwrap();
    let said = said.lock().unwrap();
    let bytes: usize = said.iter().map(String::len).sum();
    assert!(bytes <= 600 << 10 && said.last().unwrap().contains("more output follows"), "{bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_was_replaced_since_is_not_touched_and_proves_nothing() {
    let (east, namespace) = hosted("replaced", 1, &["runs"]);
    let verify = "with.verify_argv = [\"echo\", \"there\"]";
    let steps = run("say", &namespace, &["echo", "x"], verify);
    let kit = Kit::new(&[east.admin()], "", &steps);
    let described = kit.action("say").describe().await.unwrap();
    let old = described.target.property("pod").unwrap().to_owned();
    east.kubectl(&["-n", &namespace, "delete", "pod", &old, "--wait=false"]);
    wait_until("there is another pod", || {
        let pods = east.pods(&namespace, "api");
        pods.len() == 1 && pods[0] != old
    });
    east.wait_for_ready(&namespace, "api", 1);
    let changed = kit.execute("say", &described.target).await.unwrap_err();
    assert!(changed.what.contains("changed since it was confirmed"), "{changed}");
    assert_eq!(changed.acted, Acted::No);
    let unproven = kit.action("say").verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(unproven.why.contains("not found"), "{unproven}");
    assert_eq!(ran(east, &namespace), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_pod_is_ready_or_its_host_is_not_reached_nothing_is_run() {
    let (east, namespace) = hosted("nowhere", 1, &["runs"]);
    // A pod of a host that nobody hears of, and one that does not begin.
    east.hosted(&namespace, "stuck", 1, &["crashes"]);
    east.apply(&format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: dead-{namespace}}}\n\
         spec: {{taints: [{{key: test, value: dead, effect: NoSchedule}}]}}\n\
         status: {{addresses: [{{type: InternalIP, address: 127.0.0.1}}], \
         daemonEndpoints: {{kubeletEndpoint: {{Port: {}}}}}}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: lost, namespace: {namespace}}}\n\
         spec: {{nodeName: dead-{namespace}, containers: [{{name: main, image: runs}}]}}\n",
        crate::port::free()
    ));
    wait_until("the lost pod runs", || east.field(&namespace, "pod/lost", "{.status.phase}") == "Running");
    let steps = run("stuck", &namespace, &["echo"], "with.target = \"deployment/stuck\"\n")
        + &run("lost", &namespace, &["echo"], "with.target = \"pod/lost\"\n");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let stuck = kit.run("stuck").await.unwrap_err();
    assert!(
        stuck.what.contains("changed since it was confirmed") || stuck.why.contains("is ready"),
        "{stuck}"
    );
    let noted = kit.action("stuck").describe().await.unwrap().notes;
    assert!(noted.iter().any(|note| note.contains("no pod of deployment/stuck is ready")), "{noted:?}");
    let lost = kit.run("lost").await.unwrap_err();
    assert!(lost.why.contains("it did not begin") && lost.why.contains("connection refused"), "{lost}");
    assert_eq!(lost.acted, Acted::No);
    assert_eq!(ran(east, &namespace), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_run_programs_is_told_which_verbs_are_missing() {
    let (east, namespace) = hosted("unallowed", 1, &["runs"]);
    east.kubectl(&["-n", &namespace, "create", "rolebinding", "see", "--clusterrole=view", "--user=viewer"]);
    let config = east.config("no-exec", &format!("{{token: {VIEWER}}}"));
    let kit = Kit::new(&[config], "", &run("say", &namespace, &["echo", "x"], ""));
    let refused = kit.run("say").await.unwrap_err();
    assert!(refused.why.contains("cannot get resource \"pods/exec\""), "{refused}");
    assert!(refused.next.contains("`get pods/exec` and `create pods/exec`"), "{}", refused.next);
    assert_eq!(refused.acted, Acted::No);
    assert_eq!(ran(east, &namespace), [""; 0]);
}

#[test]
fn preflight_finds_a_role_of_before_that_lacks_one_of_the_verbs() {
    let (east, namespace) = hosted("half", 1, &["runs"]);
    east.kubectl(&["-n", &namespace, "create", "role", "run", "--verb=create", "--resource=pods/exec"]);
    for (name, role) in [("run", "--role=run"), ("see", "--clusterrole=view")] {
        east.kubectl(&["-n", &namespace, "create", "rolebinding", name, role, "--user=viewer"]);
    }
    let config = east.config("half-exec", &format!("{{token: {VIEWER}}}"));
    let home = Home::new("plan.toml");
    let verify = "with.verify_argv = [\"echo\"]";
    let plan = format!(
        "[plan]\nname = \"Shop\"\n[regions]\na = {{ role = \"primary\", kube_context = \"east\" }}\nb = {{ role = \"standby\" }}\n\
         [kube]\nkubeconfig = [{:?}]\n[probes]\nport = {{ kind = \"tcp\", region = \"a\", address = \"127.0.0.1:1\" }}\n\
         [tree]\nroot = \"down\"\n[tree.down]\nask = \"Is it down?\"\nanswers = {{ yes = \"act\" }}\n\
         [runbooks.act]\ntitle = \"Act\"\n{}",
        config.display().to_string(),
        run("say", &namespace, &["echo", "x"], verify)
    );
    std::fs::write(home.plan(), plan).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lifeboat"))
        .env_clear()
        .env("HOME", home.folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .arg("preflight")
        .arg(home.plan())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(&format!("may `get pods/exec` in {namespace}")), "{said}");
    assert!(!said.contains("may `create pods/exec`"), "{said}");
    let pod = east.pods(&namespace, "api").remove(0);
    assert!(said.contains(&format!("main of pod {pod} runs")), "{said}");
    assert_eq!(ran(east, &namespace), [""; 0]);
}
