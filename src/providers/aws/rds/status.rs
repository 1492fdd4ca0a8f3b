//! What the statuses of RDS instances, clusters and snapshots mean for whoever waits on them.
//!
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html> and
//! <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html>

/// Whether it serves and takes changes: what RDS does in the background does not stop either.
pub fn ready(status: &str) -> bool {
    matches!(status, "available" | "storage-optimization" | "storage-initialization")
}

/// Whether it serves: the first backup after a promotion may take long, and keeps nobody from writing.
pub fn serves(status: &str) -> bool {
    ready(status) || status == "backing-up"
}

/// Whether waiting will not make it available. `storage-full` is none: storage that scales by itself ends it.
pub fn dead_end(status: &str) -> bool {
    status.starts_with("incompatible-")
        || status.starts_with("inaccessible-encryption-credentials")
        || status.ends_with("failed")
        || matches!(
            status,
            "insufficient-capacity"
                | "restore-error"
                | "stopped"
                | "delete-precheck"
                | "deleting"
                | "deleted"
        )
}

/// What the operator can do about a status that does not end by waiting.
pub fn next_step(status: &str, events: &str) -> String {
    let first = match status {
        "incompatible-network" => "Give its subnet group free addresses and its VPC DNS, then reboot it.",
        "incompatible-parameters" => {
            "Correct or reset its parameter group (memory settings mostly do not fit the class), then reboot it."
        }
        "incompatible-option-group" => {
            "Take the option that its engine does not take out of its option group."
        }
        "incompatible-restore" | "restore-error" => {
            "Restore it again, from another point in time or snapshot."
        }
        "insufficient-capacity" => "Use another class or Availability Zone: this one has no room now.",
        "stopped" => "Start it, then go on.",
        "delete-precheck" | "deleting" | "deleted" => {
            "Somebody deletes it: find out who, and use another copy."
        }
        _ if status.starts_with("inaccessible-encryption-credentials") => {
            "Its KMS key cannot be used: enable the key or grant its use, then start the instance."
        }
        _ => "AWS support, or a restore from a backup, is the way out.",
    };
    format!("{first} What happened: `{events}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_serves_is_on_its_way_or_is_a_dead_end() {
        for status in ["available", "storage-optimization", "backing-up"] {
            assert!(serves(status) && !dead_end(status), "{status}");
        }
        assert!(!ready("backing-up"));
        for status in ["modifying", "rebooting", "creating", "storage-full", "promoting", "failing-over"] {
            assert!(!serves(status) && !dead_end(status), "{status}");
        }
        for status in ["failed", "incompatible-parameters", "migration-failed", "stopped", "deleting"] {
            assert!(dead_end(status), "{status}");
            assert!(next_step(status, "aws rds describe-events").contains("describe-events"), "{status}");
        }
        assert!(next_step("incompatible-network", "").starts_with("Give its subnet group"));
    }
}
