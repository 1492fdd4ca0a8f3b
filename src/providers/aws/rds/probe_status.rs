//! What RDS's status words mean for those who depend on the database.
//!
//! Instances: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html>, clusters:
//! <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html>.

use crate::core::words::reading::Verdict;

/// It serves, whatever else is done to it.
const SERVES: &[&str] = &[
    "available",
    "backing-up",
    "configuring-activity-stream",
    "configuring-associated-roles",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "modifying",
    "scaling-capacity",
    "scaling-compute",
    "scaling-storage",
    "storage-config-upgrade",
    "storage-initialization",
    "storage-optimization",
    "update-iam-db-auth",
];

/// It will serve, or interrupts its service for a while.
const PASSES: &[&str] = &[
    "backtracking",
    "converting-to-vpc",
    "creating",
    "failing-over",
    "maintenance",
    "migrating",
    "moving-to-vpc",
    "preparing-data-migration",
    "promoting",
    "rebooting",
    "renaming",
    "resetting-master-credentials",
    "starting",
    "upgrading",
];

/// It does not serve, or will not by itself.
const LOST: &[(&str, &str)] = &[
    ("cloning-failed", "cloning it failed"),
    ("delete-precheck", "it is about to be deleted"),
    ("deleting", "it is being deleted"),
    ("failed", "it failed and RDS cannot recover it: restore it from a backup"),
    ("inaccessible-encryption-credentials", "its KMS key cannot be used: restore it from a backup"),
    (
        "inaccessible-encryption-credentials-recoverable",
        "its KMS key cannot be used: enable the key, then start it within seven days",
    ),
    ("incompatible-create", "it could not be created with what it was asked for"),
    ("incompatible-network", "its subnet or address does not allow recovery"),
    ("incompatible-option-group", "its option group does not fit"),
    ("incompatible-parameters", "its parameter group does not fit: it cannot start"),
    ("incompatible-restore", "the restore does not fit its parameters"),
    ("insufficient-capacity", "AWS has no capacity for its class here"),
    ("migration-failed", "the migration failed"),
    ("restore-error", "the restore failed"),
    ("stopped", "it is stopped"),
    ("stopping", "it is being stopped"),
    ("storage-full", "its storage is full: allocate more"),
];

/// Whether a database in that status serves.
pub fn judge(status: &str) -> Verdict {
    if SERVES.contains(&status) {
        return Verdict::Good;
    }
    if PASSES.contains(&status) {
        return Verdict::Warn(format!("its status is {status}"));
    }
    match LOST.iter().find(|(known, _)| *known == status) {
        Some((_, why)) => Verdict::Critical(format!("its status is {status}: {why}")),
        None if status.starts_with("incompatible-") || status.ends_with("failed") => {
            Verdict::Critical(format!("its status is {status}"))
        }
        None if status.is_empty() => Verdict::Warn("AWS tells no status of it".into()),
        None => Verdict::Warn(format!("its status is {status}, which is not a known one")),
    }
}

/// What waits to be changed, in words.
pub fn pending(
    changes: impl IntoIterator<Item = (&'static str, Option<String>)>,
    password: bool,
) -> Vec<String> {
    let changes = changes.into_iter().filter_map(|(name, value)| Some(format!("{name} to {}", value?)));
    changes.chain(password.then(|| "a new master password".into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_means_one_thing() {
        for status in SERVES {
            assert_eq!(judge(status), Verdict::Good);
            assert!(!PASSES.contains(status) && LOST.iter().all(|(lost, _)| lost != status), "{status}");
        }
        for status in PASSES {
            assert!(matches!(judge(status), Verdict::Warn(_)), "{status}");
        }
        for (status, why) in LOST {
            assert_eq!(judge(status), Verdict::Critical(format!("its status is {status}: {why}")));
            assert!(!PASSES.contains(status), "{status}");
        }
    }

    #[test]
    fn an_unknown_status_is_never_good() {
        assert!(matches!(judge("incompatible-tide"), Verdict::Critical(_)));
        assert!(matches!(judge("dancing"), Verdict::Warn(why) if why.contains("not a known one")));
        assert!(matches!(judge(""), Verdict::Warn(_)));
    }
}
