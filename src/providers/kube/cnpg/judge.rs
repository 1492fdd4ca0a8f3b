//! What a cluster and its pods come to.

use super::seen::{HEALTHY, UNRECOVERABLE};
use super::{Postgres, Role, token};
use crate::core::ask::servers::ACCEPTS_WRITES;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use crate::providers::kube::workload::Pod;

const NAME_CHARS: usize = 120;
const SAID_CHARS: usize = 160;

/// Of a cluster that its operator wrote a status of. Whether an instance is ready its own node tells: the operator may be
/// gone, and what it wrote stays.
pub(super) fn judge(cluster: &Cluster, seen: &Postgres, pods: &[Pod]) -> Measurement {
    let ready = pods.iter().filter(|pod| pod.is_ready).count() as u64;
    let summary = format!("{}, {ready} of {} instances ready", role_words(cluster, seen), seen.wanted);
    let verdicts = dead(cluster, seen, pods, ready).into_iter().chain(odd(cluster, seen, ready));
    let measured = verdicts.fold(Measurement::good(summary), Measurement::judged);
    let shown = |text: &str| (!text.is_empty()).then(|| cluster.shown(text, NAME_CHARS));
    let token = |text: &str| (!text.is_empty()).then(|| token::words(cluster, text));
    let measured = measured
        .with_value(ready as f64)
        .with_number("ready", ready as f64)
        .with_number("instances", seen.wanted as f64)
        .with_number("timeline", seen.timeline().map(|timeline| timeline as f64))
        .with_text("phase", shown(&seen.phase))
        .with_text("role", role(seen).to_owned())
        .with_text("primary", shown(&seen.current))
        .with_text("target_primary", shown(&seen.target))
        .with_text("source", seen.topology.as_ref().and_then(|place| shown(&place.source)))
        .with_text("topology_primary", shown(seen.primary()))
        .with_text("demotion_token", token(&seen.demotion_token))
        .with_text("last_promotion_token", token(&seen.last_promotion_token))
        .with_text("fenced", shown(&seen.fenced.join(", ")))
        .with_flag("switching", seen.is_switching())
        .with_flag("hibernated", seen.is_hibernated)
        .with_flag(ACCEPTS_WRITES, accepts_writes(seen, pods))
        .with_text("system_identifier", shown(&seen.system))
        // Two probes of one object watch one server.
        .with_text("started_at", shown(&seen.object.uid));
    match seen.archiving() {
        Some((works, _)) => measured.with_flag("archiving", works),
        None => measured,
    }
}

/// Whether an instance of it may take writes, whatever is asked of the cluster: one whose node is lost may go on.
fn accepts_writes(seen: &Postgres, pods: &[Pod]) -> bool {
    let is_there = |name: &str| pods.iter().any(|pod| pod.name == name);
    let mut writers = seen.reports.iter().filter(|(_, report)| report.is_primary);
    // One that does not tell its operator may be one all the same, and so may the one that takes over within it.
    let is_untold = seen.is_switching() || seen.timeline().is_none();
    let is_kept_open = seen.role == Role::Primary && !pods.is_empty() && !seen.is_shut();
    writers.any(|(name, _)| is_there(name)) || is_untold && is_kept_open
}

fn role(seen: &Postgres) -> &'static str {
    match seen.role {
        Role::Primary => "primary",
        Role::Replica => "replica",
    }
}

fn role_words(cluster: &Cluster, seen: &Postgres) -> String {
    match seen.role {
        Role::Replica if !seen.primary().is_empty() => {
            format!("replica of {}", cluster.shown(seen.primary(), NAME_CHARS))
        }
        _ => role(seen).to_owned(),
    }
}

/// Why it does not serve.
fn dead(cluster: &Cluster, seen: &Postgres, pods: &[Pod], ready: u64) -> Vec<Verdict> {
    let mut found = Vec::new();
    let primary = cluster.shown(&seen.current, NAME_CHARS);
    if seen.is_going {
        found.push("it is being deleted".to_owned());
    }
    if seen.phase == UNRECOVERABLE {
        found.push(seen.phase_words(cluster));
    }
    if seen.current.is_empty() {
        found.push(format!("it has no primary instance: {}", seen.phase_words(cluster)));
    }
    let is_ready = pods.iter().any(|pod| pod.name == seen.current && pod.is_ready);
    if ready == 0 {
        let why = if seen.is_hibernated { "it hibernates".to_owned() } else { seen.phase_words(cluster) };
        found.push(format!("none of {} instances is ready: {why}", seen.wanted));
    } else if !seen.current.is_empty() && !is_ready {
        found.push(format!("its primary instance {primary} is not ready: {}", seen.phase_words(cluster)));
    }
    if let Some((one, other)) = seen.split() {
        let [one, other] = [one, other].map(|name| cluster.shown(name, NAME_CHARS));
        found.push(format!("TWO PRIMARIES: {one} and {other} both say that they are out of recovery"));
    }
    let report = seen.reports.get(&seen.current);
    let is_in_recovery = report.is_some_and(|report| !report.is_primary && report.timeline.is_some());
    if seen.role == Role::Primary && is_in_recovery && !seen.is_switching() {
        found.push(format!("{primary} is in recovery, nobody takes writes: {}", seen.phase_words(cluster)));
    }
    found.into_iter().map(Verdict::Critical).collect()
}

/// What is not as it is to be, while it serves.
fn odd(cluster: &Cluster, seen: &Postgres, ready: u64) -> Vec<Verdict> {
    let mut found = Vec::new();
    let shown = |text: &str| cluster.shown(text, NAME_CHARS);
    if !seen.current.is_empty() && seen.is_switching() {
        let phase = seen.phase_words(cluster);
        found.push(format!(
            "its primary changes from {} to {}: {phase}",
            shown(&seen.current),
            shown(&seen.target)
        ));
    }
    if let (Role::Replica, Some(writer)) = (seen.role, seen.writer()) {
        found.push(format!("it is to be a replica, and {} is still a primary", shown(writer)));
    }
    if !seen.fenced.is_empty() {
        found.push(format!("instances are fenced: {}", shown(&seen.fenced.join(", "))));
    }
    if seen.is_hibernated {
        found.push("it is about to hibernate".to_owned());
    }
    if ready < seen.wanted {
        found.push(format!("{ready} of {} instances ready", seen.wanted));
    }
    if seen.phase != HEALTHY {
        found.push(seen.phase_words(cluster));
    }
    if ready != seen.ready {
        let counted = seen.ready;
        found.push(format!("its operator counts {counted} ready instances, and {ready} are: it may not run"));
    }
    if let Some((false, said)) = seen.archiving() {
        found.push(format!("it cannot archive: {}", cluster.shown(&said, SAID_CHARS)));
    }
    if !seen.current.is_empty() && seen.timeline().is_none() {
        found.push(format!("its operator gets no answer from {}", shown(&seen.current)));
    }
    found.into_iter().map(Verdict::Warn).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dr, is, primary, promoted, replica, token as made};
    use super::*;
    use crate::core::words::reading::Field;
    use serde_json::{Value, json};

    fn pods(ready: &[(&str, bool)]) -> Vec<Pod> {
        let pod = |(name, is_ready): &(&str, bool)| {
            let status = if *is_ready { "True" } else { "False" };
            Pod::of(
                &json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": status}]}}),
            )
        };
        ready.iter().map(pod).collect()
    }

    fn judged(value: Value) -> Measurement {
        judge(&dr(), &is(value), &pods(&[("db-1", true), ("db-2", true)]))
    }

    fn changed(change: impl Fn(&mut Value)) -> Measurement {
        let mut value = primary();
        change(&mut value);
        judged(value)
    }

    fn says(seen: &Measurement, words: &str) -> bool {
        seen.verdict.why().is_some_and(|why| why.contains(words))
    }

    #[test]
    fn a_healthy_primary_and_its_replica_are_good_and_tell_what_they_are() {
        let seen = judged(primary());
        assert_eq!((&seen.verdict, &*seen.summary), (&Verdict::Good, "primary, 2 of 2 instances ready"));
        assert_eq!((seen.value, seen.number("timeline")), (Some(2.0), Some(3.0)));
        assert_eq!((seen.text("role"), seen.text("primary")), (Some("primary"), Some("db-1")));
        assert_eq!(seen.fields.get("archiving"), Some(&Field::Flag(true)));
        let seen = judged(replica());
        assert_eq!(
            (&seen.verdict, &*seen.summary),
            (&Verdict::Good, "replica of east, 2 of 2 instances ready")
        );
        assert_eq!((seen.text("role"), seen.text("source")), (Some("replica"), Some("east")));
        assert_eq!(seen.text("demotion_token"), None);
    }

    #[test]
    fn whether_it_takes_writes_its_instances_and_nodes_tell() {
        let accepts = |value: Value, ready: &[(&str, bool)]| {
            judge(&dr(), &is(value), &pods(ready)).fields.get(ACCEPTS_WRITES).cloned()
        };
        let all = &[("db-1", true), ("db-2", true)][..];
        let flag = |is_so| Some(Field::Flag(is_so));
        assert_eq!(accepts(primary(), all), flag(true));
        assert_eq!(accepts(replica(), all), flag(false));
        assert_eq!(
            accepts(primary(), &[("db-1", false), ("db-2", true)]),
            flag(true),
            "its node may be lost"
        );
        assert_eq!(accepts(primary(), &[("db-2", true)]), flag(false), "its pod is gone");
        assert_eq!(accepts(primary(), &[]), flag(false));
        let changed = |mut value: Value, name: &str, is_primary: bool| {
            value["status"]["instancesReportedState"][name]["isPrimary"] = json!(is_primary);
            value
        };
        assert_eq!(accepts(changed(primary(), "db-1", false), all), flag(false));
        assert_eq!(
            accepts(changed(replica(), "db-2", true), all),
            flag(true),
            "it is demoted, and still writes"
        );
        let mut silent = primary();
        silent["status"]["instancesReportedState"] = Value::Null;
        assert_eq!(accepts(silent, all), flag(true), "nobody knows");
    }

    #[test]
    fn tokens_are_told_in_short() {
        let seen = judged(promoted(&made(3, "0/6000028")));
        let told = seen.text("last_promotion_token").unwrap();
        assert!(told.starts_with("timeline 3 at 0/6000028") && told.len() < 60, "{told}");
    }

    #[test]
    fn without_a_primary_or_a_ready_instance_it_is_critical() {
        let critical = |seen: Measurement, words: &str| {
            assert!(matches!(&seen.verdict, Verdict::Critical(_)) && says(&seen, words), "{words}: {seen:?}");
        };
        critical(changed(|value| value["status"]["currentPrimary"] = Value::Null), "no primary instance");
        let none = judge(&dr(), &is(primary()), &pods(&[("db-1", false), ("db-2", false)]));
        assert_eq!(none.value, Some(0.0));
        critical(none, "none of 2 instances is ready");
        critical(judge(&dr(), &is(primary()), &[]), "none of 2 instances is ready");
        let other = judge(&dr(), &is(primary()), &pods(&[("db-1", false), ("db-2", true)]));
        critical(other, "its primary instance db-1 is not ready");
        let recovers =
            |value: &mut Value| value["status"]["instancesReportedState"]["db-1"]["isPrimary"] = json!(false);
        let split =
            |value: &mut Value| value["status"]["instancesReportedState"]["db-2"]["isPrimary"] = json!(true);
        let deleted =
            |value: &mut Value| value["metadata"]["deletionTimestamp"] = json!("2026-11-30T12:00:00Z");
        critical(changed(deleted), "it is being deleted");
        critical(changed(split), "TWO PRIMARIES: db-1 and db-2");
        critical(changed(recovers), "db-1 is in recovery, nobody takes writes");
        critical(changed(|value| value["status"]["phase"] = json!(UNRECOVERABLE)), "manual intervention");
    }

    #[test]
    fn what_is_not_as_it_is_to_be_is_a_warning_with_words() {
        let warns = |seen: Measurement, words: &str| {
            assert!(matches!(&seen.verdict, Verdict::Warn(_)) && says(&seen, words), "{words}: {seen:?}");
        };
        let moves = |value: &mut Value| {
            value["status"]["targetPrimary"] = json!("db-2");
            value["status"]["phase"] = json!("Failing over");
        };
        warns(changed(moves), "its primary changes from db-1 to db-2: Failing over");
        warns(judge(&dr(), &is(primary()), &pods(&[("db-1", true)])), "1 of 2 instances ready");
        let fenced = |value: &mut Value| {
            value["metadata"]["annotations"]["cnpg.io/fencedInstances"] = json!(r#"["db-2"]"#)
        };
        warns(changed(fenced), "instances are fenced: db-2");
        let upgrading = |value: &mut Value| value["status"]["phase"] = json!("Upgrading cluster");
        warns(changed(upgrading), "Upgrading cluster");
        let archive = |value: &mut Value| {
            value["status"]["conditions"][0] =
                json!({"type": "ContinuousArchiving", "status": "False", "message": "403 Forbidden"});
        };
        warns(changed(archive), "it cannot archive: 403 Forbidden");
        warns(
            changed(|value| value["status"]["readyInstances"] = json!(3)),
            "counts 3 ready instances, and 2 are",
        );
        warns(
            changed(|value| value["status"]["instancesReportedState"] = Value::Null),
            "gets no answer from db-1",
        );
        let mut writes = replica();
        writes["status"]["instancesReportedState"]["db-2"]["isPrimary"] = json!(true);
        warns(judged(writes), "it is to be a replica, and db-2 is still a primary");
    }

    #[test]
    fn what_nobody_tells_of_the_archive_is_no_field() {
        let seen = changed(|value| value["status"]["conditions"] = json!([]));
        assert!(seen.verdict == Verdict::Good && !seen.fields.contains_key("archiving"), "{seen:?}");
    }
}
