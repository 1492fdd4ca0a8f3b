//! How much of volumes belongs to a backup, as far as objects of the cluster tell.

use super::which::is_label;
use crate::base::text::ended;
use crate::providers::kube::client::{Call, Cluster, POD_VOLUME_BACKUPS, Scope};
use crate::providers::kube::said::number;
use serde_json::Value;
use tokio::time::Instant;

/// Copies of volumes that belong to one backup.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Volumes {
    /// How many bytes they have together; none where nobody tells.
    pub bytes: Option<u64>,
    pub copies: usize,
    /// How many of them are not whole.
    pub failed: usize,
    /// What is not known of them, and why.
    pub unknown: Option<String>,
}

impl Volumes {
    /// Reads those of a backup. That they cannot be read leaves the backup what it is.
    pub async fn read(cluster: &Cluster, namespace: &str, backup: &str, until: Instant) -> Self {
        if !is_label(backup) {
            let why = "the size of its volumes: its name is too long for the label by which they are found";
            return Self { unknown: Some(why.to_owned()), ..Self::default() };
        }
        let selector = format!("velero.io/backup-name={backup}");
        let scope = Scope { selector: Some(&selector), ..Scope::all(POD_VOLUME_BACKUPS, Some(namespace)) };
        let call = Call::new("list podvolumebackups.velero.io", format!("of {backup} in {namespace}"));
        let left = until.saturating_duration_since(Instant::now());
        match cluster.list(&call, scope, left).await {
            Ok((objects, _)) => Self::of(&objects),
            Err(error) => {
                let why =
                    format!("the size of its volumes: {} {}", ended(&error.to_string()), error.next_step());
                Self { unknown: Some(why), ..Self::default() }
            }
        }
    }

    fn of(objects: &[Value]) -> Self {
        let bytes = |object: &Value| number(&object["status"]["progress"]["bytesDone"]);
        let whole = |object: &&Value| object["status"]["phase"] == "Completed";
        let copies = objects.len();
        Self {
            bytes: (copies > 0).then(|| objects.iter().map(bytes).fold(0, u64::saturating_add)),
            copies,
            failed: copies - objects.iter().filter(whole).count(),
            unknown: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bytes_are_those_of_all_copies_and_none_where_there_is_no_copy() {
        let copy =
            |phase: &str, bytes: u64| json!({"status": {"phase": phase, "progress": {"bytesDone": bytes}}});
        let seen = Volumes::of(&[
            copy("Completed", 5),
            copy("Completed", 7),
            json!({"status": {"phase": "Failed"}}),
        ]);
        assert_eq!((seen.bytes, seen.copies, seen.failed), (Some(12), 3, 1));
        assert_eq!(Volumes::of(&[]), Volumes::default());
    }
}
