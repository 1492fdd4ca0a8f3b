//! A restore that Velero does, as its object says; and by which attempt it was made.
//! <https://github.com/vmware-tanzu/velero/blob/main/pkg/apis/velero/v1/restore_types.go>

use crate::providers::kube::client::{Call, Cluster, KubeError, RESTORES, Scope};
use crate::providers::kube::said::{number, text};
use crate::providers::kube::velero::SAID_CHARS;
use crate::providers::kube::velero::seen::texts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Which attempt made it.
const MADE_BY: &str = "lifeboat.dev/made-by";
/// Which step that was an attempt of.
const STEP: &str = "lifeboat.dev/step";
/// The very backup that was confirmed.
const BACKUP_UID: &str = "lifeboat.dev/backup-uid";

/// How far a restore is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Velero has not begun it.
    New,
    Running,
    /// Through, without errors.
    Completed,
    /// Through, and not all of it came.
    InPart,
    /// Given up.
    Failed,
    /// Refused by Velero, so that nothing was restored.
    Refused,
    /// A word that lifeboat does not know.
    Unknown,
}

impl Stage {
    fn of(phase: &str) -> Self {
        match phase {
            "" | "New" => Self::New,
            "InProgress" | "WaitingForPluginOperations" | "Finalizing" => Self::Running,
            "WaitingForPluginOperationsPartiallyFailed" | "FinalizingPartiallyFailed" => Self::Running,
            "Completed" => Self::Completed,
            "PartiallyFailed" => Self::InPart,
            "Failed" => Self::Failed,
            "FailedValidation" => Self::Refused,
            _ => Self::Unknown,
        }
    }

    /// Whether nothing comes of it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::InPart | Self::Failed | Self::Refused)
    }
}

/// A restore.
#[derive(Clone, Debug)]
pub struct Made {
    /// For people; the name of one that was not made by lifeboat is anything.
    pub name: String,
    pub stage: Stage,
    /// The phase in Velero's own word, for people.
    pub said: String,
    /// The backup that it is of.
    pub backup: String,
    pub backup_uid: String,
    pub warnings: u64,
    pub errors: u64,
    /// How many items were restored, and of how many, where Velero says so.
    pub items: Option<(u64, u64)>,
    /// Why it failed, in Velero's own words.
    pub failure: String,
    made_by: String,
    step: String,
}

impl Made {
    /// Of an object.
    pub fn of(cluster: &Cluster, object: &Value) -> Self {
        let (meta, spec, status) = (&object["metadata"], &object["spec"], &object["status"]);
        let phase = text(&status["phase"]);
        let progress = &status["progress"];
        let failure = match texts(&status["validationErrors"]) {
            errors if errors.is_empty() => text(&status["failureReason"]),
            errors => errors.join("; "),
        };
        Self {
            name: cluster.shown(&text(&meta["name"]), 80),
            stage: Stage::of(&phase),
            said: if phase.is_empty() { "New".to_owned() } else { cluster.shown(&phase, 60) },
            backup: text(&spec["backupName"]),
            backup_uid: text(&meta["annotations"][BACKUP_UID]),
            warnings: number(&status["warnings"]),
            errors: number(&status["errors"]),
            items: progress
                .is_object()
                .then(|| (number(&progress["itemsRestored"]), number(&progress["totalItems"]))),
            failure: cluster.shown(&failure, 2 * SAID_CHARS),
            made_by: text(&meta["annotations"][MADE_BY]),
            step: text(&meta["labels"][STEP]),
        }
    }

    /// Reads the one that an attempt makes.
    ///
    /// # Errors
    /// Also where there is none.
    pub async fn read(cluster: &Cluster, namespace: &str, token: &str) -> Result<Self, KubeError> {
        let name = name_of(token);
        let call = Call::new("get restores.velero.io", format!("{name} in {namespace}"));
        let path = RESTORES.path(Some(namespace), Some(&name));
        Ok(Self::of(cluster, &cluster.get(&call, path, cluster.deadline()).await?))
    }

    /// All that are not over.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn under_way(cluster: &Cluster, namespace: &str) -> Result<Vec<Self>, KubeError> {
        let call = Call::new("list restores.velero.io", format!("in {namespace}"));
        let scope = Scope::all(RESTORES, Some(namespace));
        let (objects, _) = cluster.list(&call, scope, cluster.deadline()).await?;
        let all = objects.iter().map(|object| Self::of(cluster, object));
        Ok(all.filter(|made| !made.stage.is_over()).collect())
    }

    /// Whether this very attempt made it.
    pub fn is_by(&self, token: &str) -> bool {
        self.made_by == token
    }

    /// Whether another attempt of the same step made it.
    pub fn is_earlier_than(&self, token: &str) -> bool {
        self.step == step_of(token) && !self.is_by(token)
    }

    /// `InProgress, 4 of 40 items`.
    pub fn progress(&self) -> String {
        let items = self.items.map_or_else(String::new, |(done, all)| format!(", {done} of {all} items"));
        format!("{}{items}", self.said)
    }

    /// The same with what Velero has to say of it.
    pub fn words(&self) -> String {
        let why = if self.failure.is_empty() { String::new() } else { format!(": {}", self.failure) };
        format!("{}, {} errors, {} warnings{why}", self.progress(), self.errors, self.warnings)
    }
}

/// What an attempt makes.
pub fn object(token: &str, namespace: &str, backup_uid: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "velero.io/v1",
        "kind": "Restore",
        "metadata": {
            "name": name_of(token),
            "namespace": namespace,
            "labels": {STEP: step_of(token)},
            "annotations": {MADE_BY: token, BACKUP_UID: backup_uid},
        },
        "spec": spec,
    })
}

/// The name of what an attempt makes: the same however often it is tried.
pub fn name_of(token: &str) -> String {
    format!("lifeboat-{}", digest(token))
}

/// A label for the step that an attempt is of.
fn step_of(token: &str) -> String {
    digest(token.rsplit_once('/').map_or(token, |(step, _)| step))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kube::client::is_name;
    use crate::providers::kube::testing::cluster;

    #[test]
    fn what_an_attempt_makes_has_one_name_and_tells_whose_it_is() {
        let (first, second) = ("m/1/failover/restore/1", "m/1/failover/restore/2");
        assert_eq!(name_of(first), name_of(first));
        assert!(name_of(first) != name_of(second) && is_name(&name_of(first)));
        let made = Made::of(&cluster(), &object(first, "velero", "u1", &json!({"backupName": "b"})));
        assert!(made.is_by(first) && !made.is_by(second));
        assert!(made.is_earlier_than(second) && !made.is_earlier_than(first));
        assert!(!made.is_earlier_than("m/1/failover/other/2"));
        assert_eq!((&*made.backup, &*made.backup_uid, made.stage), ("b", "u1", Stage::New));
    }

    #[test]
    fn one_that_nobody_made_by_lifeboat_is_of_no_attempt() {
        let other = Made::of(&cluster(), &json!({"metadata": {"name": "x\u{1b}[2J"}}));
        assert!(!other.is_by("a/1") && !other.is_earlier_than("a/1"));
        assert_eq!(other.name, "x\u{fffd}[2J");
    }

    #[test]
    fn velero_s_words_are_told_and_only_its_ends_are_ends() {
        let of = |status: Value| Made::of(&cluster(), &json!({"status": status}));
        let failed =
            of(json!({"phase": "FailedValidation", "validationErrors": ["a", "b"], "failureReason": "c"}));
        assert_eq!(failed.words(), "FailedValidation, 0 errors, 0 warnings: a; b");
        let progress = json!({"itemsRestored": 4, "totalItems": 40});
        assert_eq!(
            of(json!({"phase": "InProgress", "progress": progress})).progress(),
            "InProgress, 4 of 40 items"
        );
        for (phase, over) in [
            ("Completed", true),
            ("PartiallyFailed", true),
            ("FinalizingPartiallyFailed", false),
            ("Done", false),
        ] {
            assert_eq!(Stage::of(phase).is_over(), over, "{phase}");
        }
    }
}
