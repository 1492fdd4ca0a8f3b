//! What a cluster's description means.

use super::global::Membership;
use crate::base::text::{clean, ended};
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::aws::client::{AwsError, timestamp};
use crate::providers::aws::rds::client::same_name;
use crate::providers::aws::rds::probe_status;
use aws_sdk_rds::types::{ClusterPendingModifiedValues, DbCluster, GlobalCluster};
use jiff::Timestamp;
use std::sync::Arc;

/// What the plan expects of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Wanted {
    /// The global cluster that it must be in.
    pub(super) global: Option<String>,
    /// `primary` or `secondary`.
    pub(super) role: Option<String>,
    /// The fewest readers.
    pub(super) readers: Option<usize>,
}

/// `globals` is none where nobody asked for them, and an error where they could not be read.
pub(super) fn judge(
    cluster: &DbCluster,
    globals: Result<Option<Arc<Vec<GlobalCluster>>>, AwsError>,
    wanted: &Wanted,
    now: Timestamp,
) -> Measurement {
    let (globals, unread) = match globals {
        Ok(globals) => (globals.unwrap_or_default(), None),
        Err(error) => (Arc::default(), Some(error)),
    };
    let membership = Membership::of(cluster.db_cluster_arn().unwrap_or_default(), &globals);
    let members = Members::of(cluster);
    let role = role(cluster, membership.as_ref(), unread.is_none());
    let measured = plain(cluster, &members, role, now)
        .judged(probe_status::judge(cluster.status().unwrap_or_default()))
        .judged(judge_members(&members, role))
        .judged(judge_role(role, wanted))
        .judged(judge_readers(&members, wanted))
        .judged(judge_membership(membership.as_ref(), unread, wanted));
    match &membership {
        Some(membership) => membership.tell(measured),
        None => measured,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Primary,
    Secondary,
    /// The global cluster could not be read, which alone would tell.
    Unclear,
}

/// Who does what in a cluster.
struct Members {
    writer: Option<String>,
    readers: Vec<String>,
}

impl Members {
    fn of(cluster: &DbCluster) -> Self {
        let name = |name: Option<&str>| clean(name.unwrap_or_default(), 200);
        let (writers, readers): (Vec<_>, Vec<_>) =
            cluster.db_cluster_members().iter().partition(|member| member.is_cluster_writer() == Some(true));
        Self {
            writer: writers.first().map(|member| name(member.db_instance_identifier())),
            readers: readers.iter().map(|member| name(member.db_instance_identifier())).collect(),
        }
    }
}

fn role(cluster: &DbCluster, membership: Option<&Membership<'_>>, globals_known: bool) -> Role {
    let known = |name: Option<&str>| name.is_some_and(|name| !name.is_empty());
    match membership {
        Some(membership) if membership.writes() => Role::Primary,
        Some(_) => Role::Secondary,
        None if known(cluster.replication_source_identifier()) => Role::Secondary,
        None if known(cluster.global_cluster_identifier()) || !globals_known => Role::Unclear,
        None => Role::Primary,
    }
}

fn plain(cluster: &DbCluster, members: &Members, role: Role, now: Timestamp) -> Measurement {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| clean(text, 300));
    let latest = cluster.latest_restorable_time().and_then(timestamp);
    let earliest = cluster.earliest_restorable_time().and_then(timestamp);
    let age_s = latest.map(|time| now.duration_since(time).as_secs_f64().max(0.0));
    let pending = cluster.pending_modified_values().map(changes).filter(|changes| !changes.is_empty());
    let zones: Vec<String> = cluster.availability_zones().iter().map(|zone| clean(zone, 60)).collect();
    let word = match role {
        Role::Primary => Some("primary"),
        Role::Secondary => Some("secondary"),
        Role::Unclear => None,
    };
    let measured = Measurement::good(summary(cluster, members, role, age_s))
        .with_text("status", text(cluster.status()))
        .with_text("role", word.map(str::to_owned))
        .with_text("writer", members.writer.clone())
        .with_text("readers", members.readers.join(", "))
        .with_number("reader_count", members.readers.len() as f64)
        .with_text("engine", text(cluster.engine()))
        .with_text("engine_version", text(cluster.engine_version()))
        .with_text("zones", zones.join(", "))
        .with_flag("multi_az", cluster.multi_az() == Some(true))
        .with_text("endpoint", text(cluster.endpoint()))
        .with_text("reader_endpoint", text(cluster.reader_endpoint()))
        .with_flag("encrypted", cluster.storage_encrypted() == Some(true))
        .with_number("backup_retention_days", cluster.backup_retention_period().map(f64::from))
        .with_text("earliest_restorable", earliest.map(|time| time.to_string()))
        .with_text("latest_restorable", latest.map(|time| time.to_string()))
        .with_text("pending", pending.map(|changes| changes.join(", ")))
        .with_text("arn", text(cluster.db_cluster_arn()))
        .with_text("resource_id", text(cluster.db_cluster_resource_id()));
    match age_s {
        Some(age_s) => measured.with_value(age_s),
        None => measured,
    }
}

fn summary(cluster: &DbCluster, members: &Members, role: Role, age_s: Option<f64>) -> String {
    let count = members.readers.len();
    let readers = format!("{count} reader{}", if count == 1 { "" } else { "s" });
    let writer = members.writer.as_ref().map(|writer| format!("{writer} writes"));
    let engine = [cluster.engine(), cluster.engine_version()];
    let engine = engine.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut parts = vec![cluster.status().unwrap_or_default().to_owned()];
    parts.extend((role == Role::Secondary).then(|| "secondary".to_owned()));
    parts.extend(writer.filter(|_| role != Role::Secondary));
    parts.extend([readers, engine]);
    parts.extend(age_s.map(|age_s| format!("restorable to {} ago", words::seconds(age_s))));
    parts.retain(|part| !part.is_empty());
    clean(&parts.join(", "), 200)
}

/// A secondary writes nothing by itself; one without instances cannot take over before it gets one.
fn judge_members(members: &Members, role: Role) -> Verdict {
    let empty = members.writer.is_none() && members.readers.is_empty();
    match role {
        Role::Primary if empty => Verdict::Critical("it has no instances, so nothing takes writes".into()),
        Role::Primary if members.writer.is_none() => {
            Verdict::Critical(format!("it has no writer, only {}", members.readers.join(", ")))
        }
        _ if empty => Verdict::Warn("it has no instances: one must be created before it can serve".into()),
        Role::Unclear if members.writer.is_none() => {
            Verdict::Warn("it has no writer, and whether it should have one is not known".into())
        }
        _ => Verdict::Good,
    }
}

fn judge_role(role: Role, wanted: &Wanted) -> Verdict {
    match (wanted.role.as_deref(), role) {
        (Some(_), Role::Unclear) => Verdict::Warn("whether it takes writes is not known".into()),
        (Some("primary"), Role::Secondary) => {
            Verdict::Critical("it replicates another cluster, expected one that takes writes".into())
        }
        (Some("secondary"), Role::Primary) => {
            Verdict::Critical("it takes writes, expected one that replicates another cluster".into())
        }
        _ => Verdict::Good,
    }
}

fn judge_readers(members: &Members, wanted: &Wanted) -> Verdict {
    match wanted.readers {
        Some(least) if members.readers.len() < least => {
            Verdict::Warn(format!("{} readers, at least {least} expected", members.readers.len()))
        }
        _ => Verdict::Good,
    }
}

fn judge_membership(
    membership: Option<&Membership<'_>>,
    unread: Option<AwsError>,
    wanted: &Wanted,
) -> Verdict {
    if let Some(error) = unread {
        return Verdict::Warn(format!(
            "its global cluster is not known: {} {}",
            ended(&error.to_string()),
            error.next_step()
        ));
    }
    match (&wanted.global, membership) {
        (Some(expected), Some(membership)) if !same_name(membership.name(), expected) => {
            let name = clean(membership.name(), 100);
            Verdict::Critical(format!("it is in global cluster {name}, expected {expected}"))
        }
        (Some(expected), None) => Verdict::Critical(format!("it is not in global cluster {expected}")),
        _ => Verdict::Good,
    }
}

/// What waits to be changed. The password is no part of it, only that it changes.
fn changes(pending: &ClusterPendingModifiedValues) -> Vec<String> {
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    let text = |text: Option<&str>| text.map(|text| clean(text, 100));
    let sign_in = pending.iam_database_authentication_enabled().map(|on| if on { "on" } else { "off" });
    let changes = [
        ("engine version", text(pending.engine_version())),
        ("backup retention in days", number(pending.backup_retention_period())),
        ("storage in GiB", number(pending.allocated_storage())),
        ("storage type", text(pending.storage_type())),
        ("IOPS", number(pending.iops())),
        ("name", text(pending.db_cluster_identifier())),
        ("IAM sign-in", sign_in.map(str::to_owned)),
    ];
    probe_status::pending(changes, pending.master_user_password().is_some())
}

#[cfg(test)]
mod tests;
