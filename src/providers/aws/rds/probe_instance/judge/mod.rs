//! What an instance's description means.

use crate::base::text::clean;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::aws::client::timestamp;
use crate::providers::aws::rds::client::{Role, same_name, short};
use crate::providers::aws::rds::probe_status;
use aws_sdk_rds::types::{DbInstance, PendingModifiedValues};
use jiff::Timestamp;

/// What the plan expects of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Wanted {
    /// `primary` or `replica`.
    pub(super) role: Option<String>,
    /// What it must replicate.
    pub(super) source: Option<String>,
    /// The age of its latest restorable time has bounds.
    pub(super) age: bool,
}

pub(super) fn judge(instance: &DbInstance, wanted: &Wanted, now: Timestamp) -> Measurement {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| clean(text, 300));
    let status = text(instance.db_instance_status()).unwrap_or_default();
    let role = Role::of(instance);
    let retention_days = instance.backup_retention_period().unwrap_or(0);
    let restorable = instance.latest_restorable_time().filter(|_| retention_days > 0).and_then(timestamp);
    let age_s = restorable.map(|time| now.duration_since(time).as_secs_f64().max(0.0));
    let replicas = replicas(instance);
    let pending = instance.pending_modified_values().map(changes).filter(|changes| !changes.is_empty());
    let measured = Measurement::good(summary(instance, &status, &role, age_s))
        .judged(probe_status::judge(&status))
        .judged(judge_role(&role, wanted))
        .judged(judge_replication(instance, &role))
        .judged(judge_backups(&role, retention_days, age_s, wanted))
        .with_text("status", status)
        .with_text("role", word(&role).to_owned())
        .with_text("source", source(&role).map(str::to_owned))
        .with_text("cluster", text(instance.db_cluster_identifier()))
        .with_text("replication", replication(instance).map(|(state, _, _)| state))
        .with_number("replica_count", replicas.len() as f64)
        .with_text("replicas", replicas.join(", "))
        .with_text("engine", text(instance.engine()))
        .with_text("engine_version", text(instance.engine_version()))
        .with_text("class", text(instance.db_instance_class()))
        .with_text("zone", text(instance.availability_zone()))
        .with_flag("multi_az", instance.multi_az() == Some(true))
        .with_text("endpoint", endpoint(instance))
        .with_number("allocated_bytes", instance.allocated_storage().map(gibibytes))
        .with_flag("encrypted", instance.storage_encrypted() == Some(true))
        .with_number("backup_retention_days", f64::from(retention_days))
        .with_text("latest_restorable", restorable.map(|time| time.to_string()))
        .with_text("pending", pending.map(|changes| changes.join(", ")))
        .with_text("arn", text(instance.db_instance_arn()))
        .with_text("resource_id", text(instance.dbi_resource_id()));
    match age_s {
        Some(age_s) => measured.with_value(age_s),
        None => measured,
    }
}

/// AWS counts storage in gibibytes.
pub(crate) fn gibibytes(count: i32) -> f64 {
    f64::from(count) * 1_073_741_824.0
}

fn summary(instance: &DbInstance, status: &str, role: &Role, age_s: Option<f64>) -> String {
    let role = match role {
        Role::Standalone if !instance.read_replica_db_instance_identifiers().is_empty() => {
            let count = instance.read_replica_db_instance_identifiers().len();
            format!("primary of {count} replica{}", if count == 1 { "" } else { "s" })
        }
        Role::ReplicaOf(source) => format!("replica of {}", short(source)),
        Role::ReplicaOfCluster(cluster) => format!("replica of cluster {}", short(cluster)),
        role => role.to_string(),
    };
    let engine = [instance.engine(), instance.engine_version()];
    let engine = engine.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut parts = vec![status.to_owned(), role, engine];
    parts.extend(
        [instance.db_instance_class(), instance.availability_zone()].into_iter().flatten().map(str::to_owned),
    );
    parts.extend(age_s.map(|age_s| format!("restorable to {} ago", words::seconds(age_s))));
    parts.retain(|part| !part.is_empty());
    clean(&parts.join(", "), 200)
}

fn word(role: &Role) -> &'static str {
    match role {
        Role::Standalone => "primary",
        Role::ReplicaOf(_) | Role::ReplicaOfCluster(_) => "replica",
        Role::MemberOf(_) => "member",
    }
}

fn source(role: &Role) -> Option<&str> {
    match role {
        Role::ReplicaOf(source) | Role::ReplicaOfCluster(source) => Some(source),
        _ => None,
    }
}

fn judge_role(role: &Role, wanted: &Wanted) -> Verdict {
    let is = word(role);
    if let (Role::MemberOf(cluster), Some(_)) = (role, &wanted.role) {
        let why = format!("it is a member of cluster {cluster}, whose writer `rds-cluster` tells");
        return Verdict::Warn(why);
    }
    if wanted.role.as_deref().is_some_and(|expected| expected != is) {
        return Verdict::Critical(match role {
            Role::Standalone => "it is no replica: it was promoted, or never replicated".into(),
            role => format!("it is a {role}, expected a primary"),
        });
    }
    match (&wanted.source, source(role)) {
        (Some(expected), Some(source)) if !same_name(source, expected) => {
            Verdict::Critical(format!("it replicates {source}, expected {expected}"))
        }
        (Some(expected), None) => Verdict::Critical(format!("it does not replicate {expected}")),
        _ => Verdict::Good,
    }
}

/// The state of a replica's replication, whether AWS finds it normal, and why not
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstanceStatusInfo.html>).
fn replication(instance: &DbInstance) -> Option<(String, bool, String)> {
    let info = instance.status_infos().iter().find(|info| info.status_type() == Some("read replication"))?;
    let state = clean(info.status().unwrap_or_default(), 80);
    let stopped = ["error", "terminated", "stopped"].contains(&&*state);
    Some((state, info.normal() != Some(false) && !stopped, clean(info.message().unwrap_or_default(), 200)))
}

fn judge_replication(instance: &DbInstance, role: &Role) -> Verdict {
    match replication(instance).filter(|_| word(role) == "replica") {
        Some((state, false, why)) if why.is_empty() => Verdict::Critical(format!("its replication: {state}")),
        Some((state, false, why)) => Verdict::Critical(format!("its replication: {state}: {why}")),
        _ => Verdict::Good,
    }
}

/// A plan that bounds the age counts on these backups. A cluster's members are backed up by their cluster.
fn judge_backups(role: &Role, retention_days: i32, age_s: Option<f64>, wanted: &Wanted) -> Verdict {
    match (wanted.age, age_s, role) {
        (false, ..) | (_, Some(_), _) => Verdict::Good,
        (true, None, Role::MemberOf(cluster)) => Verdict::Warn(format!(
            "its backups are those of cluster {cluster}: bound them on a `rds-cluster`"
        )),
        (true, None, _) if retention_days == 0 => {
            Verdict::Critical("automated backups are off: there is no time to restore to".into())
        }
        (true, None, _) => Verdict::Warn("there is no restorable time yet".into()),
    }
}

fn replicas(instance: &DbInstance) -> Vec<String> {
    let clusters = instance.read_replica_db_cluster_identifiers();
    let all = instance.read_replica_db_instance_identifiers().iter().chain(clusters);
    all.map(|name| clean(name, 200)).collect()
}

fn endpoint(instance: &DbInstance) -> Option<String> {
    let endpoint = instance.endpoint()?;
    let address = clean(endpoint.address().filter(|address| !address.is_empty())?, 255);
    Some(endpoint.port().map_or(address.clone(), |port| format!("{address}:{port}")))
}

/// What waits to be changed. The password is no part of it, only that it changes.
fn changes(pending: &PendingModifiedValues) -> Vec<String> {
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    let text = |text: Option<&str>| text.map(|text| clean(text, 100));
    let flag = |flag: Option<bool>| flag.map(|flag| if flag { "on".to_owned() } else { "off".to_owned() });
    let changes = [
        ("class", text(pending.db_instance_class())),
        ("storage in GiB", number(pending.allocated_storage())),
        ("storage type", text(pending.storage_type())),
        ("IOPS", number(pending.iops())),
        ("throughput in MiB/s", number(pending.storage_throughput())),
        ("engine", text(pending.engine())),
        ("engine version", text(pending.engine_version())),
        ("Multi-AZ", flag(pending.multi_az())),
        ("backup retention in days", number(pending.backup_retention_period())),
        ("port", number(pending.port())),
        ("name", text(pending.db_instance_identifier())),
        ("subnet group", text(pending.db_subnet_group_name())),
        ("CA certificate", text(pending.ca_certificate_identifier())),
        ("license", text(pending.license_model())),
        ("IAM sign-in", flag(pending.iam_database_authentication_enabled())),
        ("log volume of its own", flag(pending.dedicated_log_volume())),
        ("tenants", flag(pending.multi_tenant())),
    ];
    probe_status::pending(changes, pending.master_user_password().is_some())
}

#[cfg(test)]
mod tests;
