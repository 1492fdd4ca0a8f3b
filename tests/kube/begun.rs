//! Jobs that a step makes of a cron job, followed to their end. The cluster serves cron jobs in `batch/v1beta1` alone.

use crate::act::step;
use crate::kube::{Cluster, Kit, VIEWER, cluster, wait_until};
use jiff::SignedDuration;
use lifeboat::core::words::action::{Acted, Description, Done, Failure};
use lifeboat::kinds::action::Context;

/// Has a cron job whose hour comes once in four years; its pods do what their image says.
fn cron_job(cluster: &Cluster, namespace: &str, image: &str) {
    cluster.apply(&format!(
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {{name: dump, namespace: {namespace}}}\n\
         spec: {{schedule: '0 0 29 2 *', concurrencyPolicy: Forbid, jobTemplate: {{metadata: {{labels: {{app: dump}}}}, \
         spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, \
         containers: [{{name: main, image: {image}, command: [pg_dump, shop]}}]}}}}}}}}}}\n"
    ));
}

fn kit(cluster: &Cluster, namespace: &str, more: &str) -> Kit {
    let steps = step("dump", "kube-create-job-from", namespace, &format!("with.cronjob = \"dump\"\n{more}"));
    Kit::new(&[cluster.admin()], "", &steps)
}

/// An attempt with as many looks as this time has pauses.
fn attempt(kit: &Kit, number: u32, minutes: i64) -> Context {
    let token = format!("incident/1/act/dump/{number}");
    Context { token, timeout: SignedDuration::from_mins(minutes), ..kit.context() }
}

async fn run(kit: &Kit, minutes: i64) -> Result<(Description, Done), Failure> {
    let action = kit.action("dump");
    let described = action.describe().await?;
    let done = action.execute(&described.target, &attempt(kit, 1, minutes)).await?;
    Ok((described, done))
}

fn jobs(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let names = cluster.kubectl(&["-n", namespace, "get", "jobs", "-o", "name"]);
    names.lines().map(|name| name.trim_start_matches("job.batch/").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_made_once_for_one_attempt_followed_and_proven_by_its_mark() {
    let east = cluster(0);
    let namespace = east.namespace("begun");
    cron_job(east, &namespace, "ends");
    let kit = kit(east, &namespace, "");
    let (described, done) = run(&kit, 20).await.unwrap();
    assert_eq!(described.target.name, format!("{namespace}/dump"));
    for said in
        ["It runs ends: pg_dump shop", "No success of it is known", "no deadline of its own", "0 0 29 2 *"]
    {
        assert!(described.notes.iter().any(|note| note.contains(said)), "{said}: {:?}", described.notes);
    }
    assert!(
        described.command.contains("create job dump-") && described.command.ends_with("--from=cronjob/dump")
    );
    let made = jobs(east, &namespace);
    let [name] = &*made else { panic!("{made:?}") };
    assert_eq!(done.summary, format!("job/{name} is complete"));
    let field = |path: &str| east.field(&namespace, &format!("job/{name}"), path);
    assert_eq!(field("{.metadata.annotations.cronjob\\.kubernetes\\.io/instantiate}"), "manual");
    assert_eq!(field("{.metadata.annotations.lifeboat\\.dev/made-by}"), "incident/1/act/dump/1");
    assert_eq!(field("{.metadata.labels.app}"), "dump");
    let uid = east.field(&namespace, "cronjob/dump", "{.metadata.uid}");
    assert_eq!(
        field("{.metadata.ownerReferences[0].uid} {.metadata.ownerReferences[0].kind}"),
        format!("{uid} CronJob")
    );
    let action = kit.action("dump");
    let proof = action.verify(&described.target, &attempt(&kit, 1, 1)).await.unwrap();
    assert!(proof.evidence[0].contains("carries the mark of this attempt"), "{proof:?}");
    assert!(proof.evidence[1].contains("is complete since"), "{proof:?}");
    // The same attempt follows what it made; another one is not proven by it.
    action.execute(&described.target, &attempt(&kit, 1, 20)).await.unwrap();
    assert_eq!(jobs(east, &namespace).len(), 1);
    let other = action.verify(&described.target, &attempt(&kit, 2, 1)).await.unwrap_err();
    assert!(other.acted == Acted::Maybe && other.why.contains("is not there"), "{other}");
    action.execute(&described.target, &attempt(&kit, 2, 20)).await.unwrap();
    assert_eq!(jobs(east, &namespace).len(), 2);
    // What somebody else made under that name is not taken for its own.
    east.kubectl(&["-n", &namespace, "annotate", "job", name, "lifeboat.dev/made-by-"]);
    let taken = action.execute(&described.target, &attempt(&kit, 1, 20)).await.unwrap_err();
    assert!(taken.acted == Acted::No && taken.why.contains("this attempt did not make it"), "{taken}");
    let unproven = action.verify(&described.target, &attempt(&kit, 1, 1)).await.unwrap_err();
    assert!(unproven.why.contains("is not of this attempt"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_fails_the_step_in_the_clusters_words() {
    let east = cluster(0);
    let namespace = east.namespace("failing");
    cron_job(east, &namespace, "fails");
    let kit = kit(east, &namespace, "");
    let failure = run(&kit, 20).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    assert!(failure.why.contains("failed: Job has reached the specified backoff limit"), "{failure}");
    let described = kit.action("dump").describe().await.unwrap();
    let unproven = kit.action("dump").verify(&described.target, &attempt(&kit, 1, 1)).await.unwrap_err();
    assert!(unproven.why.contains("failed: Job has reached"), "{unproven}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_begin_says_why() {
    let east = cluster(0);
    let namespace = east.namespace("stuck");
    cron_job(east, &namespace, "missing");
    let stuck = kit(east, &namespace, "");
    let failure = run(&stuck, 8).await.unwrap_err();
    assert_eq!(failure.acted, Acted::Maybe);
    assert!(failure.why.contains("cannot have its image"), "{failure}");
    let namespace = east.namespace("no-room");
    cron_job(east, &namespace, "ends");
    east.kubectl(&["-n", &namespace, "create", "quota", "none", "--hard=pods=0"]);
    wait_until("the quota counts", || east.field(&namespace, "quota/none", "{.status.hard.pods}") == "0");
    let failure = run(&kit(east, &namespace, ""), 8).await.unwrap_err();
    assert!(
        failure.why.contains("no pod of it could be made") && failure.why.contains("exceeded quota"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_only_begun_counts_while_it_runs_and_keeps_another_attempt_off() {
    let east = cluster(0);
    let namespace = east.namespace("beside");
    cron_job(east, &namespace, "runs");
    let kit = kit(east, &namespace, "with.wait = false");
    let (described, _) = run(&kit, 1).await.unwrap();
    let action = kit.action("dump");
    let proof = action.verify(&described.target, &attempt(&kit, 1, 1)).await.unwrap();
    assert!(proof.evidence[1].contains("is created, and not at its end"), "{proof:?}");
    assert!(action.goes_on(&attempt(&kit, 1, 1)).await.is_none(), "it is this attempt's own");
    let earlier = action.goes_on(&attempt(&kit, 2, 1)).await.unwrap();
    assert!(earlier.why.contains("of an earlier attempt still runs"), "{earlier}");
    // One that nobody can see may run.
    let viewer = east.config("viewer-beside-jobs", &format!("{{token: {VIEWER}}}"));
    let steps = step("dump", "kube-create-job-from", &namespace, "with.cronjob = \"dump\"");
    let blind = Kit::new(&[viewer], "", &steps);
    let untold = blind.action("dump").goes_on(&attempt(&blind, 2, 1)).await.unwrap();
    assert!(untold.why.contains("cannot be told") && untold.why.contains("list jobs.batch"), "{untold}");
    let again = action.describe().await.unwrap();
    let beside = again.notes.iter().find(|note| note.contains("A JOB OF IT RUNS NOW: dump-"));
    assert!(
        beside.is_some_and(|note| note.contains("Forbid keeps the jobs of its clock apart")),
        "{:?}",
        again.notes
    );
    let name = &jobs(east, &namespace)[0];
    east.kubectl(&["-n", &namespace, "delete", "job", name]);
    let gone = action.verify(&described.target, &attempt(&kit, 1, 1)).await.unwrap_err();
    assert!(gone.acted == Acted::Maybe && gone.why.contains("is not there"), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_template_or_another_cron_job_than_the_confirmed_one_is_not_run() {
    let east = cluster(0);
    let namespace = east.namespace("edited");
    cron_job(east, &namespace, "ends");
    let kit = kit(east, &namespace, "");
    let action = kit.action("dump");
    let described = action.describe().await.unwrap();
    cron_job(east, &namespace, "fails");
    let changed = action.execute(&described.target, &attempt(&kit, 1, 1)).await.unwrap_err();
    assert!(changed.acted == Acted::No && changed.why.contains("template is "), "{changed}");
    let described = action.describe().await.unwrap();
    east.kubectl(&["-n", &namespace, "delete", "cronjob/dump"]);
    cron_job(east, &namespace, "fails");
    let anew = action.execute(&described.target, &attempt(&kit, 1, 1)).await.unwrap_err();
    assert!(anew.acted == Acted::No && anew.why.contains("uid is "), "{anew}");
    assert!(jobs(east, &namespace).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_make_no_job_is_told_before() {
    let east = cluster(0);
    let namespace = east.namespace("onlooker");
    cron_job(east, &namespace, "ends");
    east.kubectl(&["-n", &namespace, "create", "rolebinding", "see", "--clusterrole=view", "--user=viewer"]);
    let config = east.config("onlooker", &format!("{{token: {VIEWER}}}"));
    let steps = step("dump", "kube-create-job-from", &namespace, "with.cronjob = \"dump\"");
    let kit = Kit::new(&[config], "", &steps);
    let described = kit.action("dump").describe().await.unwrap();
    let said = described.notes.iter().any(|note| note.contains("cannot create resource \"jobs\""));
    assert!(said, "{:?}", described.notes);
    let failure = kit.execute("dump", &described.target).await.unwrap_err();
    assert!(
        failure.acted == Acted::No && failure.next.contains("`create jobs.batch` granted"),
        "{failure:?}"
    );
    assert!(jobs(east, &namespace).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_attempt_that_cannot_tell_whether_the_first_one_runs_begins_no_job() {
    let east = cluster(0);
    let namespace = east.namespace("untold");
    cron_job(east, &namespace, "waits");
    let config = east.config("blind", &format!("{{token: {VIEWER}}}"));
    let steps = step("dump", "kube-create-job-from", &namespace, "with.cronjob = \"dump\"");
    let blind = Kit::new(&[config], "", &steps);
    let untold = blind.action("dump").goes_on(&attempt(&blind, 2, 1)).await.unwrap();
    assert!(untold.why.contains("of an earlier attempt still runs cannot be told"), "{untold}");
    assert!(blind.action("dump").goes_on(&attempt(&blind, 1, 1)).await.is_none(), "there is none of before");
    assert!(kit(east, &namespace, "").action("dump").goes_on(&attempt(&blind, 2, 1)).await.is_none());
}
