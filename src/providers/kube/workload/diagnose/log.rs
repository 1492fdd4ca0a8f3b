//! The last lines of the container that crashed last: of the one before, then of the one of now.

use super::pod::{Container, Pod};
use super::pods::ago;
use super::{Seen, TITLES};
use crate::base::problem::Problem;
use crate::core::words::diagnosis::Section;
use crate::providers::kube::client::{Cluster, KubeError, KubeErrorKind, is_name};
use jiff::Timestamp;
use tokio::time::Instant;

/// How many lines are shown, and how much of each: 16 KiB in all at most.
const LINES: u32 = 20;
const LINE_CHARS: usize = 400;
const NAME_CHARS: usize = 100;

/// A container whose log is worth reading.
struct Chosen<'s> {
    pod: &'s Pod,
    container: &'s Container,
    ended_at: Option<Timestamp>,
}

pub(super) async fn sections(cluster: &Cluster, seen: &Seen, now: Timestamp, until: Instant) -> Vec<Section> {
    let Some(chosen) = chosen(seen, now) else {
        let why = "no container of them has crashed, and none runs that is not ready";
        return vec![Section::read(TITLES[2], vec![why.to_owned()])];
    };
    let (pod, container) = (&*chosen.pod.seen.name, &*chosen.container.name);
    let within = until.saturating_duration_since(Instant::now());
    let read = |previous: bool| cluster.log(&seen.namespace, pod, container, previous, LINES, within);
    let before = async { if chosen.container.has_previous { Some(read(true).await) } else { None } };
    let (before, current) = tokio::join!(before, read(false));
    let ended = ago(chosen.ended_at, now);
    let [pod, container] = [pod, container].map(|name| cluster.shown(name, NAME_CHARS));
    let of = format!("{} of {container} in {pod}", TITLES[2]);
    match before {
        None => vec![section(cluster, of, current)],
        // Until a new one has begun, the API answers with the log of the last one for either.
        Some(Ok(before)) if current.as_ref().is_ok_and(|current| *current == before) => {
            vec![section(cluster, format!("{of}, which ended{ended}"), Ok(before))]
        }
        Some(before) => vec![
            section(cluster, format!("{of}, the one before, which ended{ended}"), before),
            section(cluster, format!("{of}, the one of now"), current),
        ],
    }
}

fn section(cluster: &Cluster, title: String, log: Result<String, KubeError>) -> Section {
    match log {
        Ok(log) => {
            let mut lines = cluster.shown_lines(&log, LINES as usize, LINE_CHARS);
            if lines.is_empty() {
                let is_hidden = !log.trim().is_empty();
                lines.push(
                    if is_hidden { "secrets are all that it said" } else { "it said nothing" }.to_owned(),
                );
            }
            Section::read(title, lines)
        }
        // There is none before it, or this one has not begun.
        Err(error) if error.kind == KubeErrorKind::Refused => {
            let next = "Look where this cluster's logs are collected, if they are.";
            Section::unread(title, Problem::new(error.to_string(), next))
        }
        Err(error) => Section::unread(title, error.problem()),
    }
}

/// The container that ended last, of those that ended badly; where none did, one that runs and is not ready.
fn chosen<'s>(seen: &'s Seen, now: Timestamp) -> Option<Chosen<'s>> {
    let all = || {
        let of = |pod: &'s Pod| pod.containers.iter().map(move |container| (pod, container));
        // They become part of a path.
        let is_named =
            |(pod, container): &(&Pod, &Container)| is_name(&pod.seen.name) && is_name(&container.name);
        seen.pods.iter().flat_map(of).filter(is_named)
    };
    let crashed = all().filter_map(|(pod, container)| {
        let ended = container.ended.as_ref().filter(|ended| ended.code != 0)?;
        Some(Chosen { pod, container, ended_at: ended.at })
    });
    let restarts = |chosen: &Chosen<'_>| chosen.pod.seen.restarts;
    let last = crashed.max_by_key(|chosen| (chosen.ended_at, restarts(chosen)));
    last.or_else(|| {
        let waits = all().filter(|(pod, container)| {
            !pod.seen.is_ready && (container.is_running || container.has_previous)
        });
        let worst = waits.max_by_key(|(pod, _)| (pod.concern(now), pod.seen.restarts));
        worst.map(|(pod, container)| Chosen { pod, container, ended_at: None })
    })
}

#[cfg(test)]
mod tests {
    use super::super::pod::tests::{NOW, crashed, pod};
    use super::*;
    use serde_json::{Value, json};

    fn found(pods: Vec<Pod>) -> Option<String> {
        let seen = Seen { namespace: "shop".into(), workloads: Vec::new(), absent: Vec::new(), pods };
        let chosen = chosen(&seen, NOW.parse().unwrap())?;
        Some(format!("{} {}", chosen.pod.seen.name, chosen.container.name))
    }

    #[test]
    fn the_log_is_that_of_the_container_that_crashed_last() {
        let running = || json!({"state": {"running": {}}});
        let at = |minute: u32| crashed(&format!("2026-11-30T11:{minute}:00Z"));
        let pods =
            vec![pod("web-1", false, at(10)), pod("web-2", true, at(40)), pod("web-3", false, running())];
        assert_eq!(found(pods).as_deref(), Some("web-2 main"));
        let waits = vec![pod("web-4", true, running()), pod("web-3", false, running())];
        assert_eq!(found(waits).as_deref(), Some("web-3 main"), "none crashed");
        assert_eq!(found(vec![pod("web-4", true, running())]), None);
    }

    #[test]
    fn one_that_ended_well_has_not_crashed_and_a_name_that_leads_elsewhere_is_not_asked_for() {
        let ended = |code: u32| json!({"state": {"terminated": {"exitCode": code, "finishedAt": NOW}}});
        let of = |name: &str, container: Value| found(vec![pod(name, false, container)]);
        assert_eq!(of("web-1", ended(0)), None);
        assert_eq!(of("web-1", ended(1)).as_deref(), Some("web-1 main"));
        assert_eq!(of("../../secrets/web", ended(1)), None);
    }
}
