//! What is set for the whole bucket.

use crate::base::text::clean;
use crate::core::words::reading::Verdict;
use crate::providers::aws::client::{AwsError, Call, Connection};
use aws_sdk_s3::types::{ReplicationRule, ReplicationRuleStatus};

/// The words for `bucket_checks`.
pub const CHECKS: &[&str] = &["encryption", "replication", "policy"];

/// One setting of the bucket.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// `bucket_encryption`, …
    pub field: &'static str,
    pub value: Option<String>,
    pub verdict: Verdict,
}

/// Reads those that are asked for, all at a time.
pub async fn look(connection: &Connection, bucket: &str, checks: &[String]) -> Vec<Setting> {
    let asked = checks.iter().map(async |check| match &**check {
        "encryption" => encryption(connection, bucket).await,
        "replication" => replication(connection, bucket).await,
        _ => policy(connection, bucket).await,
    });
    futures::future::join_all(asked).await
}

impl Setting {
    fn good(field: &'static str, value: impl Into<String>) -> Self {
        Self { field, value: Some(clean(&value.into(), 200)), verdict: Verdict::Good }
    }

    fn odd(field: &'static str, value: &str, why: &str) -> Self {
        Self { field, value: Some(value.into()), verdict: Verdict::Warn(why.into()) }
    }

    fn unseen(field: &'static str, error: &AwsError) -> Self {
        let why = format!("{} not seen: {error} {}", field.replace('_', " "), error.next_step());
        Self { field, value: None, verdict: Verdict::Warn(why) }
    }
}

async fn encryption(connection: &Connection, bucket: &str) -> Setting {
    const FIELD: &str = "bucket_encryption";
    let call = Call::new("s3:GetEncryptionConfiguration", format!("s3://{bucket}"));
    let request = connection.s3().get_bucket_encryption().bucket(bucket);
    match connection.call(&call, request.send()).await {
        Ok(answer) => {
            let rules =
                answer.server_side_encryption_configuration().map(|it| it.rules()).unwrap_or_default();
            let default = rules.iter().find_map(|rule| rule.apply_server_side_encryption_by_default());
            match default {
                Some(default) => {
                    let key = default.kms_master_key_id().map(|key| format!(" {key}")).unwrap_or_default();
                    Setting::good(FIELD, format!("{}{key}", default.sse_algorithm().as_str()))
                }
                None => Setting::odd(FIELD, "none", "the bucket has no default encryption"),
            }
        }
        Err(error) if &*error.code == "ServerSideEncryptionConfigurationNotFoundError" => {
            Setting::odd(FIELD, "none", "the bucket has no default encryption")
        }
        Err(error) => Setting::unseen(FIELD, &error),
    }
}

async fn replication(connection: &Connection, bucket: &str) -> Setting {
    const FIELD: &str = "bucket_replication";
    let call = Call::new("s3:GetReplicationConfiguration", format!("s3://{bucket}"));
    let request = connection.s3().get_bucket_replication().bucket(bucket);
    match connection.call(&call, request.send()).await {
        Ok(answer) => {
            let rules = answer.replication_configuration().map(|it| it.rules()).unwrap_or_default();
            replicated(rules)
        }
        Err(error) if &*error.code == "ReplicationConfigurationNotFoundError" => replicated(&[]),
        Err(error) => Setting::unseen(FIELD, &error),
    }
}

pub(super) fn replicated(rules: &[ReplicationRule]) -> Setting {
    const FIELD: &str = "bucket_replication";
    let to: Vec<&str> = rules
        .iter()
        .filter(|rule| *rule.status() == ReplicationRuleStatus::Enabled)
        .filter_map(|rule| rule.destination().map(|to| to.bucket()))
        .collect();
    match (to.is_empty(), rules.is_empty()) {
        (false, _) => Setting::good(FIELD, format!("to {}", to.join(", "))),
        (true, false) => Setting::odd(FIELD, "disabled", "all replication rules of the bucket are disabled"),
        (true, true) => Setting::odd(FIELD, "none", "the bucket is not replicated"),
    }
}

async fn policy(connection: &Connection, bucket: &str) -> Setting {
    const FIELD: &str = "bucket_policy";
    let call = Call::new("s3:GetBucketPolicyStatus", format!("s3://{bucket}"));
    let request = connection.s3().get_bucket_policy_status().bucket(bucket);
    match connection.call(&call, request.send()).await {
        Ok(answer) => match answer.policy_status().and_then(|status| status.is_public()) {
            Some(true) => Setting::odd(FIELD, "public", "the bucket's policy lets everyone in"),
            _ => Setting::good(FIELD, "not public"),
        },
        Err(error) if &*error.code == "NoSuchBucketPolicy" => Setting::good(FIELD, "none"),
        Err(error) => Setting::unseen(FIELD, &error),
    }
}
