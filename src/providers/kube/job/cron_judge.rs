//! What a cron job and the jobs that it began come to.

use super::ahead::ahead;
use super::{CronJob, Job, State};
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use jiff::Timestamp;
use std::sync::Arc;

/// A word of the cluster.
const SAID_CHARS: usize = 160;

/// Of a cron job and all jobs of its namespace.
pub(super) fn judge(cluster: &Cluster, cron: &CronJob, jobs: &[Arc<Job>], now: Timestamp) -> Measurement {
    let own = || jobs.iter().filter(|job| job.is_of(&cron.uid));
    let success = cron.succeeded.max(own().filter_map(|job| job.completed()).max());
    let failure = own().filter_map(|job| job.failure()).max_by_key(|(at, _)| *at);
    let failure = failure.map(|(at, why)| (at, cluster.shown(why, SAID_CHARS)));
    let running: Vec<&Arc<Job>> = own().filter(|job| job.state == State::Unfinished).collect();
    let age = |at: Timestamp| now.duration_since(at).as_secs_f64().max(0.0);
    let ago = |at: Timestamp| format!("{} ago", words::seconds(age(at)));
    // Of two in one second nobody knows the order.
    let failed = failure.as_ref().filter(|(at, _)| success.is_none_or(|success| *at >= success));
    let failed = failed.map(|(at, why)| format!("its last run failed {}{}", ago(*at), after_colon(why)));
    let mut parts = vec![match success {
        Some(at) => format!("last success {}", ago(at)),
        None => "no success is known".to_owned(),
    }];
    parts.extend(failed.clone());
    if let Some(since) = running.iter().filter_map(|job| job.since()).min() {
        parts.push(format!("runs for {}", words::seconds(age(since))));
    }
    if cron.is_suspended {
        parts.push("suspended".to_owned());
    }
    let mut measured = Measurement::good(parts.join("; "));
    if let Some(failed) = failed {
        measured = measured.judged(Verdict::Critical(failed));
    }
    if success.is_none() {
        measured = measured
            .judged(Verdict::Critical("it has not succeeded, as far as the cluster knows".to_owned()));
    }
    measured = measured.judged(ahead("its last success", success, now));
    if cron.is_suspended {
        measured = measured.judged(Verdict::Warn("it is suspended: it begins no more jobs".to_owned()));
    }
    if cron.is_going {
        measured =
            measured.judged(Verdict::Critical("somebody deleted it: it begins no more jobs".to_owned()));
    }
    let measured = match success {
        Some(at) => measured.with_value(age(at)),
        None => measured,
    };
    measured
        .with_text("last_success", success.map(|at| at.to_string()))
        .with_text("last_failure", failure.as_ref().map(|(at, _)| at.to_string()))
        .with_text("failure", failure.map(|(_, why)| why))
        .with_number("active", running.len() as f64)
        .with_flag("suspended", cron.is_suspended)
        .with_text("schedule", cluster.shown(&cron.schedule, SAID_CHARS))
}

/// Why, where anybody said so.
fn after_colon(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: &str = "2026-11-30T12:00:00Z";

    fn judged(cron: Value, jobs: &[Arc<Job>]) -> Measurement {
        let mut cron = cron;
        let going = cron["metadata"]["deletionTimestamp"].take();
        cron["metadata"] = json!({"name": "backup", "uid": "u1", "deletionTimestamp": going});
        let cluster = crate::testing::clients(&[]).kube.cluster("dr");
        judge(&cluster, &CronJob::of(&cron), jobs, NOW.parse().unwrap())
    }

    fn job(owner: &str, condition: &str, at: &str) -> Arc<Job> {
        let one = json!({"type": condition, "status": "True", "message": "too many retries", "lastTransitionTime": at});
        Arc::new(Job::of(&json!({
            "metadata": {"name": "backup-1", "ownerReferences": [{"uid": owner}]},
            "status": {"conditions": [one], "startTime": at, "completionTime": at}})))
    }

    #[test]
    fn the_newest_success_is_taken_from_the_cron_job_or_from_its_jobs() {
        let status = json!({"status": {"lastSuccessfulTime": "2026-11-30T02:00:00Z"}});
        let seen = judged(status.clone(), &[]);
        assert_eq!((seen.value, &seen.verdict), (Some(36_000.0), &Verdict::Good));
        assert_eq!(seen.text("last_success"), Some("2026-11-30T02:00:00Z"));
        let seen = judged(json!({}), &[job("u1", "Complete", "2026-11-30T11:00:00Z")]);
        assert_eq!((seen.value, &*seen.summary), (Some(3600.0), "last success 60 min ago"));
        let seen = judged(status, &[job("u2", "Complete", "2026-11-30T11:00:00Z")]);
        assert_eq!(seen.value, Some(36_000.0), "a job of somebody else tells nothing");
    }

    #[test]
    fn one_that_is_being_deleted_is_critical_whatever_it_did() {
        let going = json!({"metadata": {"deletionTimestamp": "2026-11-30T11:59:00Z"},
                           "status": {"lastSuccessfulTime": "2026-11-30T11:58:00Z"}});
        assert!(judged(going, &[]).verdict.why().unwrap().contains("begins no more jobs"));
    }

    #[test]
    fn a_success_of_the_future_is_no_success() {
        let seen = judged(json!({"status": {"lastSuccessfulTime": "2027-11-30T02:00:00Z"}}), &[]);
        assert!(seen.verdict.why().unwrap().contains("dated in the future"), "{:?}", seen.verdict);
        let seen = judged(json!({"status": {"lastSuccessfulTime": "2026-11-30T12:01:00Z"}}), &[]);
        assert_eq!(seen.verdict, Verdict::Good);
    }

    #[test]
    fn a_last_run_that_failed_is_critical_and_one_before_a_success_is_not() {
        let failed = job("u1", "Failed", "2026-11-30T11:00:00Z");
        let seen = judged(json!({}), &[job("u1", "Complete", "2026-11-30T10:00:00Z"), failed.clone()]);
        let why = "its last run failed 60 min ago: too many retries";
        assert_eq!((&seen.verdict, seen.value), (&Verdict::Critical(why.into()), Some(7200.0)));
        assert_eq!(seen.text("failure"), Some("too many retries"));
        let seen = judged(json!({}), &[failed, job("u1", "Complete", "2026-11-30T11:30:00Z")]);
        assert_eq!(
            (&seen.verdict, seen.text("last_failure")),
            (&Verdict::Good, Some("2026-11-30T11:00:00Z"))
        );
    }

    #[test]
    fn what_never_succeeded_is_critical_and_has_no_age() {
        let seen = judged(json!({}), &[job("u1", "Suspended", "2026-11-30T11:00:00Z")]);
        assert_eq!((seen.value, seen.number("active")), (None, Some(1.0)));
        assert_eq!(seen.verdict.why(), Some("it has not succeeded, as far as the cluster knows"));
        assert_eq!(seen.summary, "no success is known; runs for 60 min");
    }

    #[test]
    fn a_suspended_one_is_a_warning() {
        let cron =
            json!({"spec": {"suspend": true}, "status": {"lastSuccessfulTime": "2026-11-30T11:59:00Z"}});
        let seen = judged(cron, &[]);
        assert!(
            matches!(seen.verdict, Verdict::Warn(_)) && seen.summary.ends_with("; suspended"),
            "{seen:?}"
        );
    }
}
