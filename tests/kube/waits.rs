//! Waits for objects of a real cluster: what is there, what comes, what goes, and what never comes.

use crate::kube::{Kit, VIEWER, cluster};
use jiff::SignedDuration;
use lifeboat::core::words::action::Acted;
use lifeboat::kinds::action::Context;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn wait(id: &str, namespace: &str, more: &str) -> String {
    format!(
        "[[runbooks.act.steps]]\nid = \"{id}\"\ntitle = \"{id}\"\naction = \"kube-wait\"\nwith.context = \"a\"\n\
         with.namespace = \"{namespace}\"\n{more}\ntimeout = \"30s\"\n"
    )
}

/// Lines of live output, and the context that writes them.
fn context(kit: &Kit, minutes: i64) -> (Context, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let output = Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()));
    (Context { output, timeout: SignedDuration::from_mins(minutes), ..kit.context() }, lines)
}

async fn said(lines: &Mutex<Vec<String>>, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !lines.lock().unwrap().iter().any(|line| line.contains(what)) {
        assert!(Instant::now() < deadline, "{what}: {lines:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn pod(namespace: &str, name: &str, image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{terminationGracePeriodSeconds: 0, containers: [{{name: main, image: {image}}}]}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_yet_is_waited_for_and_counts_once_as_many_are_ready() {
    let east = cluster(0);
    let namespace = east.namespace("coming");
    let more = "with.kind = \"po\"\nwith.selector = \"app=web\"\nwith.for = \"ready\"\nwith.at_least = 3";
    let kit = Kit::new(&[east.admin()], "", &wait("w", &namespace, more));
    let action = kit.action("w");
    let described = action.describe().await.unwrap();
    let none = format!("no pod fits app=web in {namespace}");
    assert!(described.notes[0].contains(&none), "{:?}", described.notes);
    let command = "wait --for=condition=ready po -l app=web --timeout=1h";
    assert!(described.command.ends_with(command), "{}", described.command);
    let early = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(early.why.contains(&none), "{early}");
    let (context, lines) = context(&kit, 60);
    let comes = async {
        said(&lines, &none).await;
        east.deployment(&namespace, "web", 2, "runs");
        said(&lines, "2 of 3 pods ready: 1 more have to be there").await;
        east.kubectl(&["-n", &namespace, "scale", "deployment/web", "--replicas=3"]);
    };
    let (done, ()) = tokio::join!(action.execute(&described.target, &context), comes);
    assert_eq!(done.unwrap().summary, "3 of 3 pods ready");
    let proof = action.verify(&described.target, &kit.context()).await.unwrap();
    assert_eq!(
        (proof.evidence.len(), &*proof.evidence[0]),
        (4, &*format!("3 of 3 pods ready in {namespace}"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_ends_in_vain_says_what_is_missing_and_a_failed_job_ends_it_at_once() {
    let east = cluster(0);
    let namespace = east.namespace("in-vain");
    east.deployment(&namespace, "web", 1, "missing");
    let job = |name: &str, image: &str| {
        east.apply(&format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: restore}}}}\n\
             spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: {image}}}]}}}}}}\n"
        ));
    };
    job("a", "ends");
    job("b", "fails");
    let steps =
        wait("pods", &namespace, "with.kind = \"pod\"\nwith.selector = \"app=web\"\nwith.for = \"Ready\"")
            + &wait(
                "jobs",
                &namespace,
                "with.kind = \"job\"\nwith.selector = \"app=restore\"\nwith.for = \"complete\"",
            )
            + &wait(
                "one",
                &namespace,
                "with.kind = \"jobs.batch\"\nwith.names = [\"a\"]\nwith.for = \"complete\"",
            );
    let kit = Kit::new(&[east.admin()], "", &steps);
    let run = async |id: &str, minutes: i64| {
        let described = kit.action(id).describe().await.unwrap();
        kit.action(id).execute(&described.target, &context(&kit, minutes).0).await
    };
    let failed = run("jobs", 60).await.unwrap_err();
    let why = "job/b failed: Job has reached the specified backoff limit: waiting does not change that";
    assert_eq!((&*failed.why, failed.acted), (why, Acted::No));
    assert_eq!(run("one", 60).await.unwrap().summary, "1 of 1 jobs complete");
    let late = run("pods", 4).await.unwrap_err();
    assert!(late.acted == Acted::No && late.why.contains("it is not so after 4 min"), "{late}");
    assert!(
        late.why.contains("0 of 1 pods Ready: web-") && late.why.contains("cannot have its image"),
        "{late}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_while_something_else_is_waited_for_is_told_and_one_that_comes_anew_counts() {
    let east = cluster(0);
    let namespace = east.namespace("lost");
    east.apply(&pod(&namespace, "web", "waits"));
    let more = "with.kind = \"pod\"\nwith.names = [\"web\"]\nwith.for = \"Ready\"";
    let kit = Kit::new(&[east.admin()], "", &wait("w", &namespace, more));
    let action = kit.action("w");
    let described = action.describe().await.unwrap();
    let (context, lines) = context(&kit, 60);
    let lost = async {
        said(&lines, "0 of 1 pods Ready: web waits to begin").await;
        east.kubectl(&["-n", &namespace, "delete", "pod", "web"]);
        said(&lines, "meanwhile pod/web was deleted").await;
        said(&lines, "0 of 1 pods Ready: web is not there").await;
        east.apply(&pod(&namespace, "web", "runs"));
    };
    let (done, ()) = tokio::join!(action.execute(&described.target, &context), lost);
    assert_eq!(done.unwrap().summary, "1 of 1 pods Ready");
    // One that ended will not run again.
    east.apply(&pod(&namespace, "over", "ends"));
    let over = Kit::new(&[east.admin()], "", &wait("w", &namespace, &more.replace("web", "over")));
    let never = over.action("w").execute(&described.target, &self::context(&over, 60).0).await.unwrap_err();
    assert!(never.why.contains("pod/over ended well: waiting does not change that"), "{never}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_deleted_counts_once_it_is_gone_or_another_has_its_name() {
    let east = cluster(0);
    let namespace = east.namespace("going");
    let pods = |more: &str| format!("with.kind = \"pod\"\n{more}\nwith.for = \"deleted\"");
    let steps = wait("named", &namespace, &pods("with.names = [\"db-0\"]"))
        + &wait("fitting", &namespace, &pods("with.selector = \"app=none\""))
        + &wait("nowhere", "no-such-namespace", &pods("with.names = [\"db-0\"]"))
        + &wait(
            "unknown",
            &namespace,
            &pods("with.names = [\"db-0\"]").replace("\"pod\"", "\"frobnicator\""),
        );
    let kit = Kit::new(&[east.admin()], "", &steps);
    let run = async |id: &str| {
        let described = kit.action(id).describe().await.unwrap();
        kit.action(id).execute(&described.target, &context(&kit, 60).0).await
    };
    let nowhere = run("nowhere").await.unwrap_err();
    assert!(nowhere.why.contains("the namespace no-such-namespace itself is not there"), "{nowhere}");
    let unknown = run("unknown").await.unwrap_err();
    assert!(unknown.why.contains("this cluster knows no frobnicator"), "{unknown}");
    assert_eq!(run("fitting").await.unwrap().summary, format!("no pod fits app=none in {namespace}"));
    assert_eq!(run("named").await.unwrap().summary, "1 of 1 pods deleted");
    east.apply(&pod(&namespace, "db-0", "runs"));
    let held = |finalizers: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{finalizers}}}}}"#);
        east.kubectl(&["-n", &namespace, "patch", "pod", "db-0", "--type=merge", "-p", &patch]);
    };
    held(r#"["example.com/slow"]"#);
    let action = kit.action("named");
    let described = action.describe().await.unwrap();
    let there = action.verify(&described.target, &kit.context()).await.unwrap_err();
    assert!(there.why.contains("0 of 1 pods deleted: db-0 is there"), "{there}");
    let (context, lines) = context(&kit, 60);
    let goes = async {
        said(&lines, "db-0 is there").await;
        east.kubectl(&["-n", &namespace, "delete", "pod", "db-0", "--wait=false"]);
        said(&lines, "db-0 is being deleted").await;
        held("[]");
    };
    let (done, ()) = tokio::join!(action.execute(&described.target, &context), goes);
    assert_eq!(done.unwrap().summary, "1 of 1 pods deleted");
    // As a stateful set does it: the confirmed one is gone.
    east.apply(&pod(&namespace, "db-0", "runs"));
    action.verify(&described.target, &kit.context()).await.unwrap();
    let anew = action.describe().await.unwrap();
    action.verify(&anew.target, &kit.context()).await.unwrap_err();
}

/// A kind that nobody else has here.
const WIDGETS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.waits.example.com}
spec:
  group: waits.example.com
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_any_kind_can_be_waited_for() {
    let east = cluster(0);
    east.apply(WIDGETS);
    let namespace = east.namespace("values");
    east.deployment(&namespace, "web", 2, "runs");
    let replicas = "with.kind = \"deploy\"\nwith.names = [\"web\"]\nwith.path = \"{.status.readyReplicas}\"";
    let named = |kind: &str, name: &str, goal: &str| {
        format!("with.kind = \"{kind}\"\nwith.names = [\"{name}\"]\n{goal}")
    };
    let hue = "with.path = \"{.parts[?(@.name=='lid')].hue}\"\nwith.value = \"red\"";
    let steps = wait("two", &namespace, &format!("{replicas}\nwith.value = \"2\""))
        + &wait("three", &namespace, &format!("{replicas}\nwith.value = \"3\""))
        + &wait("available", &namespace, &named("deploy", "web", "with.for = \"Available\""))
        // Of no namespace.
        + &wait("defined", &namespace, &named("crd", "widgets.waits.example.com", "with.for = \"Established\""))
        + &wait("red", &namespace, &named("widget.waits.example.com", "w", hue));
    let kit = Kit::new(&[east.admin()], "", &steps);
    let run = async |id: &str, minutes: i64| {
        let described = kit.action(id).describe().await.unwrap();
        kit.action(id).execute(&described.target, &context(&kit, minutes).0).await
    };
    run("two", 60).await.unwrap();
    run("available", 60).await.unwrap();
    let late = run("three", 1).await.unwrap_err();
    assert!(late.why.contains("0 of 1 deployments 3 at {.status.readyReplicas}: web is 2"), "{late}");
    run("defined", 60).await.unwrap();
    east.apply(&format!(
        "apiVersion: waits.example.com/v1\nkind: Widget\nmetadata: {{name: w, namespace: {namespace}}}\n\
         parts: [{{name: body, hue: blue}}, {{name: lid, hue: red}}]\n"
    ));
    assert_eq!(run("red", 60).await.unwrap().summary, "1 of 1 widgets red at {.parts[?(@.name=='lid')].hue}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_look_is_told_at_once() {
    let east = cluster(0);
    let namespace = east.namespace("blind");
    let config = east.config("blind", &format!("{{token: {VIEWER}}}"));
    let more = "with.kind = \"pod\"\nwith.names = [\"web\"]\nwith.for = \"Ready\"";
    let kit = Kit::new(&[config], "", &wait("w", &namespace, more));
    let described = kit.action("w").describe().await.unwrap();
    assert!(!described.target.reachable, "{described:?}");
    let failure = kit.action("w").execute(&described.target, &context(&kit, 60).0).await.unwrap_err();
    assert!(failure.acted == Acted::No && failure.next.contains("Have `get pods` granted"), "{failure:?}");
}
