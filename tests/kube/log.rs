//! Logs of containers, as a real API server has them from the tests' own kubelet.

use crate::kube::{Asked, Kit, Log, VIEWER, cluster, wait_until};
use lifeboat::base::problem::Problem;
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(10);

/// A namespace with one pod on the host, and its name.
fn pod(test: &str) -> (String, String) {
    let east = cluster(0);
    let namespace = east.namespace(test);
    east.hosted(&namespace, "web", 1, &["runs"]);
    wait_until("it has a pod", || east.pods(&namespace, "web").len() == 1);
    east.wait_for_ready(&namespace, "web", 1);
    let pod = east.pods(&namespace, "web").remove(0);
    (namespace, pod)
}

/// The last lines, or why there are none.
async fn log(
    kit: &Kit,
    (namespace, pod): &(String, String),
    previous: bool,
    lines: u32,
) -> Result<String, Problem> {
    let cluster = kit.clients.kube.cluster("a");
    let read = cluster.log(namespace, pod, "main", previous, lines, WITHIN).await;
    read.map_err(|error| error.problem())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_lines_of_this_container_and_of_the_one_before_are_read() {
    let east = cluster(0);
    let place = pod("logs");
    east.host().logs(&place.0, |asked: &Asked| {
        let which = if asked.previous { "before" } else { "now" };
        Log::Text((0..500).map(|number| format!("{which} {} {number}\n", asked.container)).collect())
    });
    let kit = Kit::new(&[east.admin()], "", "");
    let now = log(&kit, &place, false, 3).await.unwrap();
    assert_eq!(now, "now main 497\nnow main 498\nnow main 499\n");
    assert_eq!(log(&kit, &place, true, 1).await.unwrap(), "before main 499\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_empty_is_no_error_and_one_that_is_not_there_says_so() {
    let east = cluster(0);
    let place = pod("empty");
    let kit = Kit::new(&[east.admin()], "", "");
    assert_eq!(log(&kit, &place, false, 20).await.unwrap(), "");
    let none = log(&kit, &place, true, 20).await.unwrap_err();
    assert!(none.why.contains("previous terminated container \"main\""), "{none}");
    let gone = log(&kit, &(place.0.clone(), "web-gone".into()), false, 20).await.unwrap_err();
    assert!(gone.why.contains("\"web-gone\" not found"), "{gone}");
    let elsewhere = log(&kit, &(place.0, "web/../../secrets".into()), false, 20).await.unwrap_err();
    assert!(elsewhere.why.contains("no name as Kubernetes gives them"), "{elsewhere}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_and_a_kubelet_that_says_nothing_have_an_end() {
    let east = cluster(0);
    let place = pod("flood");
    let kit = Kit::new(&[east.admin()], "", "");
    east.host().logs(&place.0, |_| Log::Floods);
    let begun = Instant::now();
    let flood = log(&kit, &place, false, 20).await.unwrap();
    assert!(flood.len() <= 64 << 10 && flood.starts_with("flood "), "{} bytes", flood.len());
    east.host().logs(&place.0, |_| Log::Hangs);
    let silent = log(&kit, &place, false, 20).await.unwrap_err();
    assert!(silent.why.contains("no answer within 10 s"), "{silent}");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_logs_is_told_which_verb_is_missing() {
    let east = cluster(0);
    let place = pod("unread");
    let config = east.config("no-logs", &format!("{{token: {VIEWER}}}"));
    let refused = log(&Kit::new(&[config], "", ""), &place, false, 20).await.unwrap_err();
    assert!(refused.next.contains("Have `get pods/log` granted"), "{}", refused.next);
}
