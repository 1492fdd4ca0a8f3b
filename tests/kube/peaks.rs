//! As many pods as ran at most lately, by a real Prometheus.

use crate::act::step;
use crate::kube::{Kit, cluster, wait_until};
use crate::prometheus::Prometheus;
use lifeboat::core::words::action::Acted;

fn metrics(namespace: &str, web: u32, db: u32) -> String {
    format!(
        "kube_deployment_status_replicas_ready{{namespace=\"{namespace}\",deployment=\"web\"}} {web}\n\
         kube_deployment_status_replicas_ready{{namespace=\"elsewhere\",deployment=\"web\"}} 9\n\
         kube_statefulset_status_replicas_ready{{namespace=\"{namespace}\",statefulset=\"db\"}} {db}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn workloads_become_as_many_as_ran_at_most_in_a_day() {
    let east = cluster(0);
    let namespace = east.namespace("peak");
    let prometheus = Prometheus::start(&metrics(&namespace, 4, 2));
    let now = |count: u32| {
        let query = format!("kube_deployment_status_replicas_ready{{namespace=\"{namespace}\"}}");
        wait_until("it is scraped", || prometheus.query(&query).contains(&format!("\"{count}\"]")));
    };
    now(4);
    // Less now: what counts is the most.
    prometheus.metrics(&metrics(&namespace, 1, 1));
    now(1);
    east.deployment(&namespace, "web", 1, "runs");
    east.deployment(&namespace, "other", 1, "runs");
    let of = |id: &str, more: &str| {
        step(id, "kube-scale", &namespace, &format!("with.peak = \"{}\"\n{more}", prometheus.url))
    };
    let average = "with.names = [\"web\"]\nwith.peak_query = 'avg(kube_deployment_status_replicas_ready{deployment=\"$name\"})'";
    let steps = of("up", "with.names = [\"web\"]")
        + &of("unknown", "with.names = [\"other\"]")
        + &of("average", average)
        + &of("odd", "with.names = [\"web\"]\nwith.peak_query = 'max($name'");
    let kit = Kit::new(&[east.admin()], "", &steps);
    let (described, ..) = kit.run("up").await.unwrap();
    assert_eq!(described.sets, [("deployment/web".to_owned(), "1 -> 4".to_owned())]);
    assert!(described.notes.iter().any(|note| note.contains("what ran at most")), "{:?}", described.notes);
    assert_eq!(east.field(&namespace, "deployment/web", "{.spec.replicas}"), "4");
    // (1 + 9) / 2
    assert_eq!(kit.action("average").describe().await.unwrap().sets[0].1, "4 -> 5");
    for (step, why) in
        [("unknown", "no series fits the query"), ("odd", "Prometheus refuses it with status 400")]
    {
        let refused = kit.run(step).await.unwrap_err();
        assert!(refused.acted == Acted::No && refused.why.contains(why), "{refused}");
    }
    let url = prometheus.url.clone();
    drop(prometheus);
    let gone = kit.run("up").await.unwrap_err();
    assert!(gone.why.contains("how many deployment/web ran at most is not known"), "{gone}");
    assert!(
        gone.next.contains("say `replicas`") && gone.why.contains(url.trim_start_matches("http://")),
        "{gone:?}"
    );
}
