//! A backup, as its object says.
//! <https://github.com/vmware-tanzu/velero/blob/main/pkg/apis/velero/v1/backup_types.go>

use crate::providers::kube::client::Cluster;
use crate::providers::kube::said::{number, text, time};
use jiff::Timestamp;
use serde_json::Value;

/// What a phase means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// All of it is there.
    Completed,
    /// It waits for its turn, or is made.
    Running,
    /// It is made, and will end in part.
    Failing,
    /// It ended, and not all of it is there.
    Failed,
    /// It is taken away, with all that is in it.
    Deleting,
    /// A word that lifeboat does not know.
    Unknown,
}

impl Phase {
    /// One that is missing is of a backup that nobody has begun.
    fn of(word: &str) -> Self {
        match word {
            "" | "New" | "Queued" | "ReadyToStart" | "InProgress" => Self::Running,
            "WaitingForPluginOperations" | "Uploading" | "Finalizing" => Self::Running,
            "WaitingForPluginOperationsPartiallyFailed" | "UploadingPartialFailure" => Self::Failing,
            "FinalizingPartiallyFailed" => Self::Failing,
            "Completed" => Self::Completed,
            "PartiallyFailed" | "Failed" | "FailedValidation" => Self::Failed,
            "Deleting" => Self::Deleting,
            _ => Self::Unknown,
        }
    }
}

/// A backup.
#[derive(Clone, Debug)]
pub struct Backup {
    pub name: String,
    pub uid: String,
    pub phase: Phase,
    /// The phase in Velero's own word.
    pub said: String,
    /// When its object was made: for one that was made in another cluster, when this one first saw it.
    created: Option<Timestamp>,
    pub started: Option<Timestamp>,
    pub completed: Option<Timestamp>,
    /// When Velero may take it away.
    pub expires: Option<Timestamp>,
    pub warnings: u64,
    pub errors: u64,
    /// How many items are in it, and of how many, where Velero says so.
    pub items: Option<(u64, u64)>,
    /// The name of its storage location.
    pub location: String,
    /// How many snapshots of volumes belong to it.
    pub snapshots: u64,
    /// The namespaces that it has; all where there is none.
    pub namespaces: Vec<String>,
    pub excluded: Vec<String>,
    /// Why it failed, in Velero's own words.
    pub failure: String,
    is_going: bool,
}

impl Backup {
    /// Of an object.
    pub fn of(object: &Value) -> Self {
        let (meta, spec, status) = (&object["metadata"], &object["spec"], &object["status"]);
        let said = text(&status["phase"]);
        let progress = &status["progress"];
        let failure = match texts(&status["validationErrors"]) {
            errors if errors.is_empty() => text(&status["failureReason"]),
            errors => errors.join("; "),
        };
        Self {
            name: text(&meta["name"]),
            uid: text(&meta["uid"]),
            phase: Phase::of(&said),
            said: if said.is_empty() { "New".to_owned() } else { said },
            created: time(&meta["creationTimestamp"]),
            started: time(&status["startTimestamp"]),
            completed: time(&status["completionTimestamp"]),
            expires: time(&status["expiration"]),
            warnings: number(&status["warnings"]),
            errors: number(&status["errors"]),
            items: progress
                .is_object()
                .then(|| (number(&progress["itemsBackedUp"]), number(&progress["totalItems"]))),
            location: text(&spec["storageLocation"]),
            snapshots: number(&status["volumeSnapshotsCompleted"])
                + number(&status["csiVolumeSnapshotsCompleted"]),
            namespaces: texts(&spec["includedNamespaces"]),
            excluded: texts(&spec["excludedNamespaces"]),
            failure,
            is_going: meta["deletionTimestamp"].is_string(),
        }
    }

    /// Since when it is there: a backup that did not come to its start has the time of its object.
    pub fn since(&self) -> Option<Timestamp> {
        self.started.or(self.created)
    }

    /// Whether Velero may take it away by now.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it is taken away.
    pub fn is_deleted(&self) -> bool {
        self.is_going || self.phase == Phase::Deleting
    }

    /// Whether all of it is there, and stays.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.phase == Phase::Completed && !self.is_deleted() && !self.has_expired(now)
    }

    /// Whether it is made, or waits for its turn.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Failing) && !self.is_deleted()
    }

    /// Its name, its phase and why, for people.
    pub fn words(&self, cluster: &Cluster) -> String {
        let shown = |text: &str, chars: usize| cluster.shown(text, chars);
        let errors = if self.errors > 0 { format!(", {} errors", self.errors) } else { String::new() };
        let why = match self.failure.as_str() {
            "" => String::new(),
            why => format!(": {}", shown(why, super::SAID_CHARS)),
        };
        format!("{} is {}{errors}{why}", shown(&self.name, 80), shown(&self.said, 60))
    }
}

/// The newest one that can be restored, by when it began: what was written since is not in it.
pub fn newest_complete<'a>(backups: impl Iterator<Item = &'a Backup>, now: Timestamp) -> Option<&'a Backup> {
    backups.filter(|backup| backup.counts(now)).max_by_key(|backup| backup.started)
}

/// Why none of them can be restored.
pub fn none_complete(cluster: &Cluster, which: &str, backups: &[&Backup], now: Timestamp) -> String {
    if backups.is_empty() {
        return format!("there is no backup {which}");
    }
    let count = |fits: &dyn Fn(&Backup) -> bool| backups.iter().filter(|backup| fits(backup)).count();
    let deleted = count(&Backup::is_deleted);
    let expired = count(&|backup| !backup.is_deleted() && backup.has_expired(now));
    let running = count(&|backup| backup.is_running() && !backup.has_expired(now));
    let mut parts = Vec::new();
    for (number, words) in [(expired, "expired"), (deleted, "being deleted"), (running, "not through yet")] {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    }
    let failed =
        |backup: &&&Backup| matches!(backup.phase, Phase::Failed | Phase::Unknown) && !backup.is_deleted();
    if let Some(failed) = backups.iter().filter(failed).max_by_key(|backup| backup.since()) {
        parts.push(failed.words(cluster));
    }
    let of = backups.len();
    format!("none of {of} backups {which} is complete and stays: {}", parts.join(", "))
}

/// The texts of a list.
pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: &str = "2026-11-30T12:00:00Z";

    fn backup(name: &str, phase: &str, started: &str, expires: &str) -> Backup {
        Backup::of(&json!({
            "metadata": {"name": name, "uid": name, "creationTimestamp": started},
            "status": {"phase": phase, "startTimestamp": started, "expiration": expires}}))
    }

    #[test]
    fn the_newest_is_the_one_that_began_last_of_those_that_are_whole_and_stay() {
        let far = "2027-01-01T00:00:00Z";
        let all = [
            backup("a", "Completed", "2026-11-28T02:00:00Z", far),
            backup("b", "Completed", "2026-11-29T02:00:00Z", far),
            backup("expired", "Completed", "2026-11-30T02:00:00Z", NOW),
            backup("deleted", "Deleting", "2026-11-30T03:00:00Z", far),
            backup("partial", "PartiallyFailed", "2026-11-30T04:00:00Z", far),
            backup("running", "Finalizing", "2026-11-30T05:00:00Z", far),
            backup("odd", "Sideways", "2026-11-30T06:00:00Z", far),
        ];
        let now = NOW.parse().unwrap();
        assert_eq!(newest_complete(all.iter(), now).map(|one| &*one.name), Some("b"));
        let cluster = crate::providers::kube::testing::cluster();
        let rest: Vec<&Backup> = all[2..].iter().collect();
        assert!(newest_complete(rest.iter().copied(), now).is_none());
        assert_eq!(
            none_complete(&cluster, "of the schedule x", &rest, now),
            "none of 5 backups of the schedule x is complete and stays: 1 expired, 1 being deleted, 1 not through yet, \
             odd is Sideways"
        );
        assert_eq!(none_complete(&cluster, "at all", &[], now), "there is no backup at all");
    }

    #[test]
    fn one_that_is_deleted_by_anybody_does_not_count() {
        let mut one = backup("a", "Completed", "2026-11-30T02:00:00Z", "2027-01-01T00:00:00Z");
        let now = NOW.parse().unwrap();
        assert!(one.counts(now));
        one.is_going = true;
        assert!(!one.counts(now) && one.is_deleted());
    }

    #[test]
    fn one_that_nobody_has_begun_says_little_and_has_its_own_time() {
        let one = Backup::of(&json!({"metadata": {"name": "a", "creationTimestamp": NOW}}));
        assert_eq!((one.phase, &*one.said, one.items), (Phase::Running, "New", None));
        assert_eq!((one.started, one.since()), (None, NOW.parse().ok()));
    }

    #[test]
    fn every_phase_that_velero_has_is_known_and_no_other_one() {
        for word in
            ["New", "Queued", "ReadyToStart", "InProgress", "WaitingForPluginOperations", "Finalizing"]
        {
            assert_eq!(Phase::of(word), Phase::Running, "{word}");
        }
        for word in ["WaitingForPluginOperationsPartiallyFailed", "FinalizingPartiallyFailed"] {
            assert_eq!(Phase::of(word), Phase::Failing, "{word}");
        }
        for word in ["FailedValidation", "PartiallyFailed", "Failed"] {
            assert_eq!(Phase::of(word), Phase::Failed, "{word}");
        }
        assert_eq!((Phase::of("completed"), Phase::of("Done")), (Phase::Unknown, Phase::Unknown));
    }
}
