//! What is heard of a namespace's warnings.

use crate::kube::{Cluster, Kit, cluster};
use crate::looks::probe;
use jiff::{SignedDuration, Timestamp};
use lifeboat::core::words::reading::Verdict;

fn ago(minutes: i64) -> String {
    let at = Timestamp::now() - SignedDuration::from_mins(minutes);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Has an event about a pod, as a kubelet tells it.
fn event(cluster: &Cluster, namespace: &str, pod: &str, kind: &str, minutes: i64, count: u32) {
    let (at, begun) = (ago(minutes), ago(minutes + 60));
    cluster.apply(&format!(
        "apiVersion: v1\nkind: Event\nmetadata: {{name: {pod}-{minutes}, namespace: {namespace}}}\n\
         involvedObject: {{kind: Pod, name: {pod}, namespace: {namespace}}}\n\
         type: {kind}\nreason: BackOff\nmessage: \"ends \\e[2J again\"\nsource: {{component: kubelet}}\n\
         count: {count}\nfirstTimestamp: '{begun}'\nlastTimestamp: '{at}'\n"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_of_the_last_time_are_counted_and_the_newest_are_told() {
    let east = cluster(0);
    let namespace = east.namespace("warned");
    let kit = |more: &str| Kit::new(&[east.admin()], &probe("kube-events", &namespace, more), "");
    let seen = kit("").measure("w").await.unwrap();
    assert_eq!(
        (seen.value, &*seen.summary, &seen.verdict),
        (Some(0.0), "no warning within 15 min", &Verdict::Good)
    );
    event(east, &namespace, "web-1", "Warning", 1, 3);
    event(east, &namespace, "web-2", "Warning", 10, 2);
    event(east, &namespace, "web-2", "Warning", 50, 40);
    event(east, &namespace, "web-1", "Normal", 2, 500);
    let seen = kit("").measure("w").await.unwrap();
    assert_eq!((seen.value, seen.number("events")), (Some(5.0), Some(2.0)));
    let told = "BackOff pod/web-1: ends \u{fffd}[2J again (3 times); BackOff pod/web-2: ends \u{fffd}[2J again (2 times)";
    assert_eq!(seen.text("newest"), Some(told));
    let seen = kit("names = [\"Pod/web-2\"], within = \"1h\",").measure("w").await.unwrap();
    assert_eq!((seen.value, seen.verdict), (Some(42.0), Verdict::Good));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_that_goes_on_counts_by_when_it_was_last_observed() {
    let east = cluster(0);
    let namespace = east.namespace("series");
    let micro = |minutes: i64| ago(minutes).replace('Z', ".000000Z");
    east.apply(&format!(
        "apiVersion: v1\nkind: Event\nmetadata: {{name: pull.1, namespace: {namespace}}}\n\
         involvedObject: {{kind: Pod, name: web-1, namespace: {namespace}}}\n\
         type: Warning\nreason: FailedScheduling\naction: Scheduling\nmessage: no node takes it\n\
         reportingComponent: example.com/scheduler\nreportingInstance: scheduler-1\n\
         eventTime: '{}'\nseries: {{count: 6, lastObservedTime: '{}'}}\n",
        micro(50),
        micro(1)
    ));
    let seen =
        Kit::new(&[east.admin()], &probe("kube-events", &namespace, ""), "").measure("w").await.unwrap();
    assert_eq!((seen.value, seen.number("events")), (Some(6.0), Some(1.0)));
    assert_eq!(seen.text("newest"), Some("FailedScheduling pod/web-1: no node takes it (6 times)"));
}
