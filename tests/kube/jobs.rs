//! What is seen of jobs, and of cron jobs by those that they began. The cluster is older than 1.21: it serves cron jobs in
//! `batch/v1beta1` alone.

use crate::kube::{Cluster, Kit, VIEWER, cluster};
use crate::looks::{probe, until};
use lifeboat::core::words::reading::{Field, Verdict};

const POD: &str = "restartPolicy: Never, containers: [{name: main, image: IMAGE}]";

/// Has a job whose pod does what its image says: `ends`, `fails`, `runs`, `waits`.
fn job(cluster: &Cluster, namespace: &str, name: &str, image: &str, owner: &str) {
    cluster.apply(&format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, namespace: {namespace}{owner}}}\n\
         spec: {{backoffLimit: 0, template: {{spec: {{{}}}}}}}\n",
        POD.replace("IMAGE", image)
    ));
}

/// Has a cron job whose hour comes once in four years; what makes a job one of it.
fn cron_job(cluster: &Cluster, namespace: &str) -> String {
    cluster.apply(&format!(
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {{name: dump, namespace: {namespace}}}\n\
         spec: {{schedule: '0 0 29 2 *', jobTemplate: {{spec: {{template: {{spec: {{{}}}}}}}}}}}\n",
        POD.replace("IMAGE", "ends")
    ));
    let uid = cluster.field(namespace, "cronjob/dump", "{.metadata.uid}");
    format!(
        ", ownerReferences: [{{apiVersion: batch/v1beta1, kind: CronJob, name: dump, uid: {uid}, controller: true}}]"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_job_has_the_age_of_its_last_success_and_is_critical_once_a_run_failed() {
    let east = cluster(0);
    let namespace = east.namespace("nightly");
    let owner = cron_job(east, &namespace);
    let kit = Kit::new(&[east.admin()], &probe("kube-cronjob", &namespace, "name = \"dump\","), "");
    let seen = kit.measure("w").await.unwrap();
    let never = "it has not succeeded, as far as the cluster knows";
    assert_eq!((seen.value, &seen.verdict), (None, &Verdict::Critical(never.into())));
    assert_eq!(seen.text("schedule"), Some("0 0 29 2 *"));
    job(east, &namespace, "other", "ends", "");
    job(east, &namespace, "dump-1", "ends", &owner);
    let seen = until(&kit, "a run succeeded", |seen| seen.value.is_some()).await;
    assert_eq!(seen.verdict, Verdict::Good);
    let completed = east.field(&namespace, "job/dump-1", "{.status.completionTime}");
    assert_eq!(seen.text("last_success"), Some(&*completed));
    assert!(seen.value.is_some_and(|age| (0.0..90.0).contains(&age)), "{seen:?}");
    job(east, &namespace, "dump-2", "fails", &owner);
    let failed = |seen: &lifeboat::core::words::reading::Measurement| seen.text("failure").is_some();
    let seen = until(&kit, "a run failed", failed).await;
    assert!(
        matches!(&seen.verdict, Verdict::Critical(why) if why.starts_with("its last run failed")),
        "{seen:?}"
    );
    assert_eq!(seen.text("last_success"), Some(&*completed));
    assert_eq!(seen.text("failure"), Some("Job has reached the specified backoff limit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_job_that_runs_and_one_that_is_suspended_say_so() {
    let east = cluster(0);
    let namespace = east.namespace("held");
    let owner = cron_job(east, &namespace);
    let kit = Kit::new(&[east.admin()], &probe("kube-cronjob", &namespace, "name = \"dump\","), "");
    job(east, &namespace, "dump-1", "ends", &owner);
    until(&kit, "a run succeeded", |seen| seen.verdict == Verdict::Good).await;
    job(east, &namespace, "dump-2", "runs", &owner);
    let seen = until(&kit, "another one runs", |seen| seen.number("active") == Some(1.0)).await;
    assert_eq!(seen.verdict, Verdict::Good);
    assert!(seen.summary.contains("; runs for "), "{}", seen.summary);
    east.kubectl(&["-n", &namespace, "patch", "cronjob/dump", "-p", "{\"spec\": {\"suspend\": true}}"]);
    let held = |seen: &lifeboat::core::words::reading::Measurement| {
        seen.fields.get("suspended") == Some(&Field::Flag(true))
    };
    let seen = until(&kit, "it is suspended", held).await;
    assert_eq!(seen.verdict, Verdict::Warn("it is suspended: it begins no more jobs".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_job_or_a_job_that_is_not_there_is_critical_and_a_forbidden_one_is_unknown() {
    let east = cluster(0);
    let namespace = east.namespace("nowhere");
    let config = east.config("viewer-of-jobs", &format!("{{token: {VIEWER}}}"));
    for (kind, noun, verb) in
        [("kube-cronjob", "cronjob", "get cronjobs.batch"), ("kube-job", "job", "get jobs.batch")]
    {
        let plan = probe(kind, &namespace, "name = \"dump\",");
        let seen = Kit::new(&[east.admin()], &plan, "").measure("w").await.unwrap();
        assert_eq!(seen.verdict, Verdict::Critical(format!("{noun}/dump is not there in {namespace}")));
        let problem = Kit::new(std::slice::from_ref(&config), &plan, "").measure("w").await.unwrap_err();
        assert!(problem.next.contains(&format!("Have `{verb}` granted")), "{kind}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_followed_to_its_end() {
    let east = cluster(0);
    let namespace = east.namespace("restore");
    let kit = |name: &str| {
        let named = format!("name = \"{name}\",");
        Kit::new(&[east.admin()], &probe("kube-job", &namespace, &named), "")
    };
    for (name, image, state) in [
        ("a", "ends", "complete"),
        ("b", "fails", "failed"),
        ("c", "runs", "running"),
        ("d", "waits", "waiting"),
    ] {
        job(east, &namespace, name, image, "");
        let is = |seen: &lifeboat::core::words::reading::Measurement| {
            seen.text("state") == Some(state) && seen.text("started").is_some()
        };
        let seen = until(&kit(name), state, is).await;
        let is_bad = matches!(seen.verdict, Verdict::Critical(_));
        assert_eq!(is_bad, state == "failed", "{seen:?}");
        assert!(seen.value.is_some_and(|took| (0.0..90.0).contains(&took)), "{seen:?}");
    }
    let seen = kit("b").measure("w").await.unwrap();
    assert_eq!(seen.summary, "it failed: Job has reached the specified backoff limit");
    let seen = kit("a").measure("w").await.unwrap();
    assert_eq!(seen.number("succeeded"), Some(1.0));
}
