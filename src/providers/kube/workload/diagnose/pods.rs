//! The pods that are not well, worst first, in words.

use super::Seen;
use super::pod::Pod;
use crate::base::units::counted;
use crate::base::words;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::workload::pods::Trouble;
use jiff::Timestamp;

/// How many are told, and how many workloads that do not get on.
const TOLD: usize = 30;
const WORKLOADS: usize = 5;
const NAME_CHARS: usize = 100;
const REASON_CHARS: usize = 60;
const SAID_CHARS: usize = 200;

pub(super) fn lines(cluster: &Cluster, seen: &Seen, now: Timestamp) -> Vec<String> {
    let absent = seen.absent.iter().map(|name| format!("{name} is not there in {}", seen.namespace));
    let mut lines: Vec<String> = absent.collect();
    let stuck = seen.workloads.iter().filter_map(|one| Some((one, one.stuck.as_deref()?)));
    lines.extend(stuck.take(WORKLOADS).map(|(one, why)| {
        let (name, why) = (cluster.shown(&one.name, NAME_CHARS), cluster.shown(why, SAID_CHARS));
        format!("the rollout of {name} does not get on: {why}")
    }));
    let mut ill: Vec<&Pod> = seen.pods.iter().filter(|pod| pod.concern(now) > 0).collect();
    ill.sort_by_key(|pod| (std::cmp::Reverse(pod.concern(now)), std::cmp::Reverse(pod.seen.restarts)));
    lines.extend(ill.iter().take(TOLD).map(|pod| line(cluster, pod, now)));
    if let Some(more) = ill.len().checked_sub(TOLD).filter(|more| *more > 0) {
        lines.push(format!("and {more} more that are not well"));
    }
    let wanted: u64 = seen.workloads.iter().map(|one| u64::from(one.wanted)).sum();
    let ready = seen.pods.iter().filter(|pod| pod.seen.is_ready).count();
    lines.push(match (seen.pods.len(), ready) {
        (0, _) => format!("there is no pod of them; asked for: {wanted}"),
        (_, 0) => format!("no pod is ready; asked for: {wanted}"),
        (_, ready) => format!("{} ready; asked for: {wanted}", is_or_are(ready)),
    });
    lines
}

fn is_or_are(count: usize) -> String {
    format!("{} {}", counted(count, "pod"), if count == 1 { "is" } else { "are" })
}

/// `web-1 ends again and again; 7 restarts; main ended with 137 (OOMKilled) 2 min ago; on n1`
fn line(cluster: &Cluster, pod: &Pod, now: Timestamp) -> String {
    let mut parts = vec![format!("{} {}", cluster.shown(&pod.seen.name, NAME_CHARS), state(cluster, pod))];
    if pod.seen.restarts > 0 {
        parts.push(counted(usize::try_from(pod.seen.restarts).unwrap_or(usize::MAX), "restart"));
    }
    if let Some((container, ended)) = pod.ended_last() {
        let name = cluster.shown(&container.name, NAME_CHARS);
        let reason = cluster.shown(&ended.reason, REASON_CHARS);
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        parts.push(format!("{name} ended with {}{reason}{}", ended.code, ago(ended.at, now)));
    }
    match pod.node.is_empty() {
        true => parts.push("on no node".to_owned()),
        false => parts.push(format!("on {}", cluster.shown(&pod.node, NAME_CHARS))),
    }
    parts.join("; ")
}

fn state(cluster: &Cluster, pod: &Pod) -> String {
    let said = |text: &str| cluster.shown(text.trim(), SAID_CHARS);
    match &pod.seen.trouble {
        _ if pod.phase == "Failed" => match (pod.reason.is_empty(), pod.message.is_empty()) {
            (true, _) => "has failed".to_owned(),
            (false, true) => format!("has failed: {}", said(&pod.reason)),
            (false, false) => format!("has failed: {}, {}", said(&pod.reason), said(&pod.message)),
        },
        _ if pod.seen.is_ready => "is ready".to_owned(),
        Some(Trouble::CrashLoop) => "ends again and again".to_owned(),
        Some(Trouble::Image) => "cannot have its image".to_owned(),
        Some(Trouble::Unschedulable(why)) => format!("has no node that takes it: {}", said(why)),
        Some(Trouble::CannotBegin(why)) => format!("cannot begin: {}", said(why)),
        None if pod.is_being_deleted => "is being deleted".to_owned(),
        None if pod.containers.iter().any(|one| one.is_running) => "runs and is not ready".to_owned(),
        None => "has not begun".to_owned(),
    }
}

/// ` 2 min ago`; nothing where nobody tells when.
pub(super) fn ago(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(String::new, |at| {
        format!(" {} ago", words::seconds(now.duration_since(at).as_secs_f64().max(0.0).floor().max(1.0)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::pod::tests::{NOW, crashed, pod};
    use super::*;
    use crate::providers::kube::testing::cluster;
    use crate::providers::kube::workload::Workload;
    use serde_json::json;

    fn seen(pods: Vec<Pod>) -> Seen {
        let web = json!({"metadata": {"name": "web"}, "spec": {"replicas": 3}});
        let workloads = vec![Workload::deployment(&web)];
        Seen { namespace: "shop".into(), workloads, absent: Vec::new(), pods }
    }

    fn told(seen: &Seen) -> Vec<String> {
        lines(&cluster(), seen, NOW.parse().unwrap())
    }

    #[test]
    fn a_pod_says_why_how_often_how_it_ended_and_where_it_is() {
        let well = pod("web-2", true, json!({"state": {"running": {}}}));
        let waits = pod("web-3", false, json!({"state": {"waiting": {"reason": "ContainerCreating"}}}));
        let ill = pod("web-1\u{1b}[2J", false, crashed("2026-11-30T11:57:00Z"));
        let all = told(&seen(vec![well, waits, ill]));
        assert_eq!(
            all,
            [
                "web-1\u{fffd}[2J ends again and again; 7 restarts; main ended with 137 (OOMKilled) 3 min ago; on n1",
                "web-3 has not begun; on n1",
                "1 pod is ready; asked for: 3",
            ]
        );
    }

    #[test]
    fn many_are_counted_and_none_is_said() {
        let many = (0..40).map(|number| pod(&format!("web-{number}"), false, crashed(NOW))).collect();
        let all = told(&seen(many));
        assert_eq!(all.len(), TOLD + 2);
        assert_eq!(all[TOLD..], ["and 10 more that are not well", "no pod is ready; asked for: 3"]);
        let mut none = seen(Vec::new());
        none.absent = vec!["deployment/api".into()];
        let lost = ["deployment/api is not there in shop", "there is no pod of them; asked for: 3"];
        assert_eq!(told(&none), lost);
    }

    #[test]
    fn what_keeps_a_rollout_is_said_where_no_pod_can_say_it() {
        let condition =
            json!({"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"});
        let web = json!({"metadata": {"name": "web"}, "status": {"conditions": [condition]}});
        let mut stuck = seen(Vec::new());
        stuck.workloads = vec![Workload::deployment(&web)];
        assert_eq!(told(&stuck)[0], "the rollout of web does not get on: exceeded quota: pods");
    }
}
