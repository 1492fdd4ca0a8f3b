//! The newest warnings about workloads, their replica sets and their pods, also those that are gone.

use super::Seen;
use super::pods::ago;
use crate::providers::kube::client::{Cluster, DAEMON_SETS, DEPLOYMENTS, Resource, STATEFUL_SETS};
use crate::providers::kube::event::{self, Warning};
use crate::providers::kube::workload::Workload;
use jiff::Timestamp;

/// How many are told.
const TOLD: usize = 15;

/// What controllers make names of: no vowels, and no digits that look like letters.
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go>
const LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";

pub(super) fn lines(cluster: &Cluster, warnings: Vec<Warning>, seen: &Seen, now: Timestamp) -> Vec<String> {
    let mut theirs: Vec<Warning> = warnings.into_iter().filter(|one| is_theirs(one, seen)).collect();
    theirs
        .sort_by(|a, b| b.last.unwrap_or(now).cmp(&a.last.unwrap_or(now)).then_with(|| a.name.cmp(&b.name)));
    let line = |one: &Warning| format!("{}{}", event::words_of(cluster, one), ago(one.last, now));
    let mut lines: Vec<String> = theirs.iter().take(TOLD).map(line).collect();
    match theirs.len() {
        0 => lines.push("none is kept: a cluster keeps its events for an hour".to_owned()),
        all if all > TOLD => lines.push(format!("and {} older ones", all - TOLD)),
        _ => {}
    }
    lines
}

fn is_theirs(warning: &Warning, seen: &Seen) -> bool {
    let is_pod = warning.kind == "pod" && seen.pods.iter().any(|pod| pod.seen.name == warning.name);
    is_pod || seen.workloads.iter().any(|one| is_of(warning, one))
}

/// Whether it is about a workload, or by its name about a replica set or pod that was made for it.
fn is_of(warning: &Warning, workload: &Workload) -> bool {
    let (kind, name) = (&*warning.kind, &*warning.name);
    if kind == kind_of(workload.resource) && name == workload.name {
        return true;
    }
    let rest = name.strip_prefix(&*workload.name).and_then(|rest| rest.strip_prefix('-'));
    let Some(rest) = rest.filter(|rest| !rest.is_empty()) else { return false };
    let is_made = |text: &str| !text.is_empty() && text.chars().all(|c| LETTERS.contains(c));
    match (kind, workload.resource) {
        ("replicaset", DEPLOYMENTS) => is_made(rest),
        ("pod", DEPLOYMENTS) => rest.split_once('-').is_some_and(|(hash, own)| is_made(hash) && is_made(own)),
        ("pod", STATEFUL_SETS) => rest.chars().all(|c| c.is_ascii_digit()),
        ("pod", DAEMON_SETS) => is_made(rest),
        _ => false,
    }
}

/// As events name it.
fn kind_of(resource: Resource) -> &'static str {
    match resource {
        STATEFUL_SETS => "statefulset",
        DAEMON_SETS => "daemonset",
        _ => "deployment",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;
    use serde_json::json;

    fn about(kind: &str, name: &str, last: &str) -> Warning {
        Warning::of(&json!({"involvedObject": {"kind": kind, "name": name}, "reason": "BackOff",
                            "message": "it ends\u{1b}[2J", "count": 3, "lastTimestamp": last}))
    }

    fn seen() -> Seen {
        let of = |name: &str| json!({"metadata": {"name": name}});
        let workloads = vec![
            Workload::deployment(&of("web")),
            Workload::stateful_set(&of("db")),
            Workload::daemon_set(&of("agent")),
        ];
        Seen { namespace: "shop".into(), workloads, absent: Vec::new(), pods: Vec::new() }
    }

    #[test]
    fn what_was_made_for_a_workload_is_its_own_and_what_only_begins_like_it_is_not() {
        let is = |kind: &str, name: &str| is_theirs(&about(kind, name, ""), &seen());
        for (kind, name) in [
            ("Deployment", "web"),
            ("ReplicaSet", "web-5d4c9b7f6"),
            ("Pod", "web-5d4c9b7f6-x2x4z"),
            ("Pod", "db-0"),
            ("StatefulSet", "db"),
            ("Pod", "agent-bcdfg"),
        ] {
            assert!(is(kind, name), "{kind} {name}");
        }
        for (kind, name) in [
            ("Service", "web"),
            ("Deployment", "web-api"),
            ("ReplicaSet", "web-api-5d4c9b7f6"),
            ("Pod", "web-api-5d4c9b7f6-x2x4z"),
            ("Pod", "web-api-x2x4z"),
            ("Pod", "db-backup-0"),
            ("Pod", "web"),
            ("Pod", "web-"),
        ] {
            assert!(!is(kind, name), "{kind} {name}");
        }
    }

    #[test]
    fn the_newest_come_first_and_the_rest_is_counted() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let at = |minute: usize| format!("2026-11-30T11:{minute:02}:00Z");
        let all = (0..20).map(|minute| about("Pod", "db-0", &at(minute))).collect();
        let told = lines(&cluster(), all, &seen(), now);
        assert_eq!(told.len(), TOLD + 1);
        assert_eq!(told[0], "BackOff pod/db-0: it ends\u{fffd}[2J (3 times) 41 min ago");
        assert_eq!(told[TOLD], "and 5 older ones");
        let other = vec![about("Pod", "api-1", &at(1))];
        assert!(lines(&cluster(), other, &seen(), now)[0].starts_with("none is kept"));
    }
}
