//! The job that a cron job's template makes, as `kubectl create job --from` has it.
//! <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/kubectl_create_job/>

use crate::base::units::counted;
use crate::providers::kube::client::Cluster;
use crate::providers::kube::said::{number, text};
use crate::providers::kube::told::told;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The mark of the attempt on the job: by it the proof knows its own.
pub const MADE_BY: &str = "lifeboat.dev/made-by";
/// The longest name: its pods have it for a label.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/job/>
const MAX_CHARS: usize = 63;
/// The longest image or command that is shown.
const COMMAND_CHARS: usize = 200;
/// A job that is deleted this soon after its end may be gone before it is read back.
const SOON_S: u64 = 300;

/// The name of the job that one attempt makes: another attempt makes another one.
pub fn name_of(cron: &str, token: &str) -> String {
    let mark = digest(token);
    let begin: String = cron.chars().take(MAX_CHARS - 1 - mark.len()).collect();
    format!("{}-{mark}", begin.trim_end_matches(['-', '.']))
}

/// A short digest of a text.
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

/// What the API server is asked to create.
pub fn job(cron: &Value, name: &str, token: &str) -> Value {
    let (meta, template) = (&cron["metadata"], &cron["spec"]["jobTemplate"]);
    let mut annotations = json!({"cronjob.kubernetes.io/instantiate": "manual"});
    for (key, value) in template["metadata"]["annotations"].as_object().into_iter().flatten() {
        annotations[key.as_str()] = value.clone();
    }
    annotations[MADE_BY] = json!(token);
    let old = cron["apiVersion"] == "batch/v1beta1";
    let owner = json!({
        "apiVersion": if old { "batch/v1beta1" } else { "batch/v1" },
        "kind": "CronJob",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": true,
    });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": template["metadata"]["labels"],
            "annotations": annotations,
            "ownerReferences": [owner],
        },
        "spec": template["spec"],
    })
}

/// What it runs, and what the cluster does with it, for the confirmation.
pub fn words(cluster: &Cluster, cron: &Value) -> Vec<String> {
    let spec = &cron["spec"]["jobTemplate"]["spec"];
    let containers = spec["template"]["spec"]["containers"].as_array();
    let mut words: Vec<String> =
        containers.into_iter().flatten().take(3).map(|one| runs(cluster, one)).collect();
    if let Some(more) = containers.map(|all| all.len().saturating_sub(words.len())).filter(|more| *more > 0) {
        words.push(format!("Its pods have {} more.", counted(more, "container")));
    }
    words.push(match spec["activeDeadlineSeconds"].as_u64() {
        Some(seconds) => format!("The cluster gives it up after {seconds} s (activeDeadlineSeconds)."),
        None => "It has no deadline of its own (activeDeadlineSeconds): one that hangs goes on after the step's time."
            .to_owned(),
    });
    if let Some(seconds) = spec["ttlSecondsAfterFinished"].as_u64() {
        let late = if seconds < SOON_S { ": what is gone cannot be verified" } else { "" };
        words.push(format!(
            "The cluster deletes it {seconds} s after its end (ttlSecondsAfterFinished){late}."
        ));
    }
    if cron["spec"]["successfulJobsHistoryLimit"].as_u64() == Some(0) {
        let limit = "The cron job keeps no job that succeeded (successfulJobsHistoryLimit 0)";
        words.push(format!("{limit}: what is gone cannot be verified."));
    }
    words
}

fn runs(cluster: &Cluster, container: &Value) -> String {
    let parts = ["command", "args"].into_iter().filter_map(|key| container[key].as_array()).flatten();
    let command = parts.map(text).collect::<Vec<_>>().join(" ");
    let command = if command.is_empty() { "its image's own command".to_owned() } else { command };
    let image = cluster.shown(&text(&container["image"]), COMMAND_CHARS);
    format!("It runs {image}: {}", cluster.shown(&command, COMMAND_CHARS))
}

/// What the cluster does about a job of it that runs already: it keeps apart only those that its clock begins.
pub fn beside(cluster: &Cluster, cron: &Value, running: Vec<String>) -> Option<String> {
    if running.is_empty() {
        return None;
    }
    let names = told(cluster, running);
    let policy = match cron["spec"]["concurrencyPolicy"].as_str() {
        Some(policy @ ("Forbid" | "Replace")) => {
            format!("{policy} keeps the jobs of its clock apart, not this one")
        }
        _ => "the cluster lets them overlap".to_owned(),
    };
    Some(format!("A JOB OF IT RUNS NOW: {names}. This one runs beside it ({policy})."))
}

/// How many pods have to end well; one where nobody says.
pub fn completions(job: &Value) -> u64 {
    number(&job["spec"]["completions"]).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::testing::cluster;

    fn cron() -> Value {
        json!({"apiVersion": "batch/v1beta1", "metadata": {"name": "dump", "uid": "u1"}, "spec": {
            "schedule": "@daily", "concurrencyPolicy": "Forbid",
            "jobTemplate": {
                "metadata": {"labels": {"app": "dump"}, "annotations": {"team": "data", MADE_BY: "somebody"}},
                "spec": {"backoffLimit": 2, "template": {"spec": {"containers": [
                    {"name": "main", "image": "dump:1", "command": ["sh"], "args": ["-c", "dump"]}]}}}}}})
    }

    #[test]
    fn the_job_is_the_cron_jobs_and_the_attempts() {
        let made = job(&cron(), "dump-1", "i/1/x/1");
        let meta = &made["metadata"];
        assert_eq!(meta["annotations"]["cronjob.kubernetes.io/instantiate"], "manual");
        assert_eq!(
            (&meta["annotations"]["team"], &meta["annotations"][MADE_BY]),
            (&json!("data"), &json!("i/1/x/1"))
        );
        assert_eq!(meta["labels"], json!({"app": "dump"}));
        let owner = json!([{"apiVersion": "batch/v1beta1", "kind": "CronJob", "name": "dump", "uid": "u1", "controller": true}]);
        assert_eq!((&meta["ownerReferences"], &made["spec"]["backoffLimit"]), (&owner, &json!(2)));
    }

    #[test]
    fn a_name_is_one_that_pods_can_have_for_a_label_and_differs_by_attempt() {
        let long = name_of(&"a-".repeat(60), "i/1/x/1");
        assert!(long.len() <= 63 && crate::providers::kube::client::is_name(&long), "{long}");
        assert!(!long.contains("--"), "{long}");
        assert_ne!(name_of("dump", "i/1/x/1"), name_of("dump", "i/1/x/2"));
        assert_eq!(name_of("dump", "i/1/x/1"), name_of("dump", "i/1/x/1"));
    }

    #[test]
    fn what_it_runs_and_how_it_ends_is_said() {
        let mut cron = cron();
        let said = words(&cluster(), &cron).join("\n");
        assert!(
            said.contains("It runs dump:1: sh -c dump") && said.contains("no deadline of its own"),
            "{said}"
        );
        cron["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] = json!(600);
        cron["spec"]["jobTemplate"]["spec"]["ttlSecondsAfterFinished"] = json!(10);
        cron["spec"]["successfulJobsHistoryLimit"] = json!(0);
        let said = words(&cluster(), &cron).join("\n");
        assert!(said.contains("after 600 s") && said.matches("cannot be verified").count() == 2, "{said}");
        let beside = beside(&cluster(), &cron, vec!["dump-7".into()]).unwrap_or_default();
        assert!(
            beside.contains("dump-7") && beside.contains("Forbid keeps the jobs of its clock apart"),
            "{beside}"
        );
    }
}
