//! What probes see of a real cluster.

use crate::kube::{Kit, cluster};
use crate::looks::until;
use lifeboat::core::words::reading::Verdict;

fn workloads(namespace: &str, more: &str) -> String {
    format!(
        "w = {{ kind = \"kube-workloads\", region = \"a\", namespace = \"{namespace}\", {more} every = \"1s\", timeout = \"900ms\" }}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_ready_says_its_version() {
    let east = cluster(0);
    let kit = Kit::new(&[east.admin()], "api = { kind = \"kube-api\", region = \"a\" }", "");
    let seen = kit.measure("api").await.unwrap();
    assert_eq!((&seen.verdict, &*seen.summary), (&Verdict::Good, "ready, v1.20.2"));
    assert_eq!(seen.text("server"), Some(&*format!("127.0.0.1:{}", east.port)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_counted_as_they_come_and_go() {
    let east = cluster(0);
    let namespace = east.namespace("counted");
    east.deployment(&namespace, "web", 3, "runs");
    east.deployment(&namespace, "api", 2, "runs");
    let kit = Kit::new(&[east.admin()], &workloads(&namespace, "min_ready = 2,"), "");
    until(&kit, "all are ready", |seen| seen.summary == "5 of 5 ready" && seen.verdict == Verdict::Good)
        .await;
    east.kubectl(&["-n", &namespace, "scale", "deployment/web", "--replicas=0"]);
    until(&kit, "web is scaled to 0", |seen| seen.summary == "2 of 2 ready").await;
    east.kubectl(&["-n", &namespace, "scale", "deployment/api", "--replicas=0"]);
    until(&kit, "none is left", |seen| {
        seen.summary == "2 workloads scaled to 0"
            && seen.verdict == Verdict::Critical("0 pods ready, at least 2 expected".into())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_crashes_and_what_has_no_image_is_said() {
    let east = cluster(0);
    let namespace = east.namespace("broken");
    east.deployment(&namespace, "web", 2, "crashes");
    east.deployment(&namespace, "api", 1, "missing");
    let kit = Kit::new(&[east.admin()], &workloads(&namespace, ""), "");
    until(&kit, "all are in trouble", |seen| {
        seen.number("crash_loops") == Some(2.0) && seen.number("image_pulls") == Some(1.0)
    })
    .await;
    let seen = kit.measure("w").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Critical("none of 3 is ready".into()));
    assert_eq!((seen.number("restarts"), seen.number("ready")), (Some(14.0), Some(0.0)));
    let trouble = seen.text("trouble").unwrap();
    assert!(trouble.contains("and 1 more: ends again and again"), "{trouble}");
    assert!(trouble.contains("cannot have its image"), "{trouble}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_named_and_not_there_is_critical_and_a_namespace_without_any_too() {
    let east = cluster(0);
    let namespace = east.namespace("absent");
    let kit = Kit::new(&[east.admin()], &workloads(&namespace, "names = [\"web\", \"sts/db\"],"), "");
    let seen = kit.measure("w").await.unwrap();
    let why = format!("deployment/web, statefulset/db is not there in {namespace}");
    assert_eq!(seen.verdict, Verdict::Critical(why));
    let kit = Kit::new(&[east.admin()], &workloads(&namespace, "selector = \"tier=front\","), "");
    let seen = kit.measure("w").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Critical(format!("no workload in {namespace} fits")));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_which_nothing_runs_is_critical_whatever_else_runs() {
    let east = cluster(0);
    let namespace = east.namespace("dead");
    east.deployment(&namespace, "web", 4, "runs");
    east.deployment(&namespace, "api", 2, "crashes");
    let kit = Kit::new(&[east.admin()], &workloads(&namespace, ""), "");
    until(&kit, "web runs", |seen| seen.number("ready") == Some(4.0)).await;
    let seen = kit.measure("w").await.unwrap();
    assert_eq!(seen.verdict, Verdict::Critical("4 of 6 ready: api 0 of 2".into()));
}
