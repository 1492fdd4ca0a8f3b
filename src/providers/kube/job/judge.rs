//! What one job and its pods come to.

use super::ahead::ahead;
use super::{Job, State};
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::kube::client::Cluster;
use jiff::{SignedDuration, Timestamp};

/// A word of the cluster.
const SAID_CHARS: usize = 200;
/// How long a job may wait for its first pod to begin.
const BEGINS_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Of a job; `has_begun` is whether a pod of it runs or ran.
pub(super) fn judge(cluster: &Cluster, job: &Job, has_begun: bool, now: Timestamp) -> Measurement {
    let lasts =
        |until: Timestamp| job.since().map(|since| until.duration_since(since).max(SignedDuration::ZERO));
    let for_words = |span: Option<SignedDuration>| {
        span.map_or_else(String::new, |span| format!(" for {}", words::seconds(span.as_secs_f64())))
    };
    let (state, span, measured) = match &job.state {
        State::Complete { at } => {
            let span = at.and_then(lasts);
            let ago = at.map_or_else(String::new, |at| {
                format!(" {} ago", words::seconds(now.duration_since(at).as_secs_f64()))
            });
            let took = span
                .map_or_else(String::new, |span| format!(", took {}", words::seconds(span.as_secs_f64())));
            let measured = Measurement::good(format!("complete{ago}{took}"));
            ("complete", span, measured.judged(ahead("its end", *at, now)))
        }
        State::Failed { at, why } => {
            let why = cluster.shown(why, SAID_CHARS);
            let why = if why.is_empty() { "it failed".to_owned() } else { format!("it failed: {why}") };
            (
                "failed",
                at.and_then(lasts),
                Measurement::critical(why).with_text("failure", failure(cluster, job)),
            )
        }
        State::Suspended => {
            let measured = Measurement::good("suspended");
            ("suspended", None, measured.judged(Verdict::Warn("it is suspended: it does not run".to_owned())))
        }
        State::Unfinished if has_begun => {
            let span = lasts(now);
            ("running", span, Measurement::good(format!("runs{}", for_words(span))))
        }
        State::Unfinished => {
            let span = lasts(now);
            let words = format!("no pod of it has begun{}", for_words(span));
            let verdict = match span {
                Some(span) if span <= BEGINS_WITHIN => Verdict::Good,
                // Where nobody tells since when, it may be long.
                Some(_) | None => Verdict::Warn(words.clone()),
            };
            ("waiting", span, Measurement::good(words).judged(verdict))
        }
    };
    let measured = match span {
        Some(span) => measured.with_value(span.as_secs_f64()),
        None => measured,
    };
    measured
        .with_text("state", state.to_owned())
        .with_number("active", job.active as f64)
        .with_number("succeeded", job.succeeded as f64)
        .with_number("failed", job.failed as f64)
        .with_text("started", job.started.map(|at| at.to_string()))
        .with_text("completed", job.completed().map(|at| at.to_string()))
}

fn failure(cluster: &Cluster, job: &Job) -> Option<String> {
    job.failure().map(|(_, why)| cluster.shown(why, SAID_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: &str = "2026-11-30T12:00:00Z";

    fn judged(conditions: Value, suspend: bool, has_begun: bool, started: &str) -> Measurement {
        let job = Job::of(&json!({
            "metadata": {"name": "restore"}, "spec": {"suspend": suspend},
            "status": {"conditions": conditions, "startTime": started, "completionTime": "2026-11-30T11:30:00Z"}}));
        let cluster = crate::testing::clients(&[]).kube.cluster("dr");
        judge(&cluster, &job, has_begun, NOW.parse().unwrap())
    }

    #[test]
    fn the_end_of_a_job_decides() {
        let ended = |kind: &str| {
            let one = json!({"type": kind, "status": "True", "message": "deadline exceeded",
                             "lastTransitionTime": "2026-11-30T11:20:00Z"});
            judged(json!([one]), false, true, "2026-11-30T11:00:00Z")
        };
        let complete = ended("Complete");
        assert_eq!((&complete.verdict, complete.value), (&Verdict::Good, Some(1800.0)));
        assert_eq!(complete.summary, "complete 30 min ago, took 30 min");
        let failed = ended("Failed");
        assert_eq!((&*failed.summary, failed.value), ("it failed: deadline exceeded", Some(1200.0)));
        assert_eq!(failed.text("failure"), Some("deadline exceeded"));
        assert!(matches!(failed.verdict, Verdict::Critical(_)));
    }

    #[test]
    fn an_end_of_the_future_is_no_end() {
        let complete = |at: &str| {
            let one = json!({"type": "Complete", "status": "True"});
            let job = Job::of(&json!({"status": {"conditions": [one], "completionTime": at}}));
            judge(&crate::testing::clients(&[]).kube.cluster("dr"), &job, true, NOW.parse().unwrap())
        };
        let seen = complete("2027-11-30T12:00:00Z");
        assert!(seen.verdict.why().unwrap().contains("its end is dated in the future"), "{:?}", seen.verdict);
        assert_eq!(complete("2026-11-30T12:01:00Z").verdict, Verdict::Good);
    }

    #[test]
    fn one_that_runs_is_good_and_one_that_does_not_begin_is_not() {
        let runs = judged(json!([]), false, true, "2026-11-30T11:00:00Z");
        assert_eq!(
            (&runs.verdict, &*runs.summary, runs.value),
            (&Verdict::Good, "runs for 60 min", Some(3600.0))
        );
        let waits = judged(json!([]), false, false, "2026-11-30T11:50:00Z");
        assert_eq!(waits.verdict, Verdict::Warn("no pod of it has begun for 10 min".into()));
        assert_eq!(judged(json!([]), false, false, "2026-11-30T11:57:00Z").verdict, Verdict::Good);
        let unknown = judged(json!([]), false, false, "");
        assert_eq!(unknown.verdict, Verdict::Warn("no pod of it has begun".into()));
        assert!(matches!(judged(json!([]), true, false, "").verdict, Verdict::Warn(_)), "it is suspended");
    }
}
