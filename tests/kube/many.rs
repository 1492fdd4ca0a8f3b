//! Many pods: a change is soon seen among them, a silent cluster slows no other one, and long lists come in pages.

use crate::broken::{config, http, server};
use crate::forward::Forwarder;
use crate::kube::{Crowd, Kit, Shape, cluster};
use crate::looks::until;
use lifeboat::core::words::reading::{Measurement, Verdict};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

const SHAPE: Shape = Shape { namespaces: 1, deployments: 6, pods: 50 };
/// By far more than it takes: this machine may be busy.
const SOON: Duration = Duration::from_secs(5);

/// How long a look takes to see that a deployment has failed, once the API server itself counts it so; it gets well again.
async fn outage(kit: &Kit, crowd: &Crowd) -> Duration {
    let (namespace, failing) = (&crowd.namespaces[0], SHAPE.failing());
    crowd.say(namespace, &failing, false).await;
    let changed = Instant::now();
    let is_critical = |seen: &Measurement| matches!(seen.verdict, Verdict::Critical(_));
    until(kit, "one of which nothing runs is seen", is_critical).await;
    let took = changed.elapsed();
    crowd.say(namespace, &failing, true).await;
    until(kit, "it is well again", |seen| !is_critical(seen)).await;
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_among_many_pods_is_soon_seen_also_while_another_cluster_is_silent() {
    let (east, west) = (cluster(0), cluster(1));
    let crowd = Crowd::gather(east, SHAPE).await;
    let quiet = west.namespace("quiet");
    let line = Forwarder::to(west.port);
    let probe = |name: &str, region: &str, namespace: &str| {
        format!(
            "{name} = {{ kind = \"kube-workloads\", region = \"{region}\", namespace = \"{namespace}\", \
             every = \"1s\", timeout = \"5s\" }}\n"
        )
    };
    let probes = probe("w", "a", &crowd.namespaces[0]) + &probe("other", "b", &quiet);
    let kit = Kit::new(&[east.admin(), west.admin_through(line.port)], &probes, "");
    let begun = Instant::now();
    let first = kit.measure("w").await.unwrap();
    assert_eq!((&first.verdict, first.number("ready")), (&Verdict::Good, Some(SHAPE.all_pods() as f64)));
    assert!(begun.elapsed() < SOON, "the first list: {:?}", begun.elapsed());
    assert!(kit.measure("other").await.is_ok());
    let _churn = crowd.churn(5);
    let took = outage(&kit, &crowd).await;
    assert!(took < SOON, "while both answer: {took:?}");
    line.go_silent();
    // As an engine does: it looks at the silent one again and again.
    let looks_at_the_silent = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let _ = kit.measure("other").await;
        }
    };
    let took = tokio::select! {
        took = outage(&kit, &crowd) => took,
        () = looks_at_the_silent => unreachable!("it looks without end"),
    };
    assert!(took < SOON, "while the other one is silent: {took:?}");
    let why = kit.measure("other").await.unwrap_err().why;
    assert!(why.starts_with("get /version of the API server (context west): no "), "{why}");
}

/// Of an API server that has so many pods: a page of 500 from a place on. Each pod has restarted once.
fn page(path: &str, all: usize) -> String {
    let from =
        path.split("continue=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap_or(0);
    let to = all.min(from + 500);
    let rest = if to < all { format!(",\"continue\":\"{to}\"") } else { String::new() };
    let pod = |nth: usize| {
        format!(
            "{{\"metadata\":{{\"name\":\"web-{nth}\",\"namespace\":\"shop\",\"labels\":{{\"app\":\"web\"}}}},\
             \"status\":{{\"containerStatuses\":[{{\"restartCount\":1}}]}}}}"
        )
    };
    let pods: Vec<String> = (from..to).map(pod).collect();
    format!("{{\"metadata\":{{\"resourceVersion\":\"{all}\"{rest}}},\"items\":[{}]}}", pods.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_read_to_its_last_page_and_anew_once_its_version_is_too_old() {
    let is_old = Arc::new(AtomicBool::new(false));
    let (flag, lists) = (is_old.clone(), AtomicU32::new(0));
    let web = r#"{"metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":1200,"selector":{"matchLabels":{"app":"web"}}},
                  "status":{"readyReplicas":1200}}"#;
    let address = server(move |path| {
        let is_of_pods = path.contains("/pods?");
        if path.contains("watch=true") {
            while is_of_pods && path.contains("resourceVersion=1200&") && !flag.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
            return match is_of_pods && path.contains("resourceVersion=1200&") {
                true => http(
                    "200 OK",
                    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}}\n",
                ),
                false => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned(),
            };
        }
        let is_first_page = is_of_pods && !path.contains("continue=");
        let nth = lists.fetch_add(u32::from(is_first_page), Ordering::Relaxed) + u32::from(is_first_page);
        let body = match () {
            () if path.contains("/version") => "{\"gitVersion\":\"v1.33.1\"}".to_owned(),
            () if is_of_pods => page(path, if nth == 1 { 1_200 } else { 700 }),
            () if path.contains("/deployments?") => {
                format!("{{\"metadata\":{{\"resourceVersion\":\"1\"}},\"items\":[{web}]}}")
            }
            () => "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}".to_owned(),
        };
        http("200 OK", &body)
    });
    let folder = tempfile::tempdir().unwrap();
    let probe = "w = { kind = \"kube-workloads\", region = \"a\", namespace = \"shop\", timeout = \"10s\" }";
    let kit = Kit::new(&[config(&folder, &address, "")], probe, "");
    let first = kit.measure("w").await.unwrap();
    assert_eq!(first.number("restarts"), Some(1_200.0), "{first:?}");
    is_old.store(true, Ordering::Relaxed);
    until(&kit, "what is gone by the new list is gone", |seen| seen.number("restarts") == Some(700.0)).await;
}
