//! A global database's members and what is done to them, in words.

use super::cluster::{shape, status, writer};
use super::global::{Global, Seen};
use super::lag_note;
use crate::base::text::clean;
use crate::core::words::action::Target;
use crate::providers::aws::rds::change::RoleChange;
use crate::providers::aws::rds::names::arn;
use aws_sdk_rds::types::{GlobalCluster, GlobalClusterMember};

impl Global {
    /// Why it has no part in the global database.
    pub(super) fn missing(&self, seen: &Seen) -> String {
        match &seen.global {
            None => format!("there is no global database `{}`", self.global),
            Some(global) => {
                let members = members(global);
                format!("it does not belong to the global database {}, which has {members}", self.global)
            }
        }
    }

    /// What was read of the new primary.
    pub(super) fn evidence(&self, expected: &Target, seen: &Seen, global: &GlobalCluster) -> Vec<String> {
        let before = expected.property("primary of the global database").unwrap_or("not read");
        let mut evidence = vec![
            format!("{} is the primary of {}, before {before}", self.id, self.global),
            format!("its status is {}", status(&seen.cluster)),
            format!("its resource id is {}, as before", self.resource_id(seen).unwrap_or_default()),
            format!("its writer is {}", writer(&seen.cluster).unwrap_or("none: IT HAS NO INSTANCE")),
            format!("members are {}", members(global)),
        ];
        if self.failover {
            evidence.push("DATA LOSS WAS ALLOWED: what did not reach it before is lost".into());
        }
        evidence
            .extend(operation_in_progress(global).map(|going| format!("the other members follow: {going}")));
        evidence
    }

    /// What to know before the primary changes.
    pub(super) fn words(&self, seen: &Seen, global: &GlobalCluster) -> Vec<String> {
        let mut notes = Vec::new();
        let lag = "AuroraGlobalDBReplicationLag and AuroraGlobalDBRPOLag";
        if self.failover {
            notes.push("DATA LOSS IS ALLOWED: writes that did not reach this secondary are lost.".to_owned());
            notes.push(lag_note(lag, &self.id));
            notes.push(
                "Stop writes to the old primary first. AWS keeps its volume, if it can, as the snapshot \
                 rds:unplanned-global-failover-… there. While the old region works, a switchover loses nothing."
                    .into(),
            );
        } else {
            notes.push(
                "A switchover loses nothing: it waits until this secondary has all, and writes stop.".into(),
            );
            notes.push("It needs the primary's region. Where that is lost, only a failover is left.".into());
            notes.push(lag_note(lag, &self.id));
        }
        notes.push(format!("Members of {}: {}.", self.global, members(global)));
        notes.push(shape(&seen.cluster));
        let synchronization = self.member(seen).and_then(|member| member.synchronization_status());
        if let Some(status) = synchronization.filter(|status| status.as_str() != "connected") {
            notes.push(format!("ITS REPLICATION IS NOT CONNECTED: {}.", clean(status.as_str(), 60)));
        }
        notes.push(
            "Its parameter group and its endpoint's name are its own: applications need the new one.".into(),
        );
        notes
    }
}

/// The ARN of the member that takes writes.
pub(super) fn primary(global: &GlobalCluster) -> Option<&str> {
    let writer = global.global_cluster_members().iter().find(|member| member.is_writer() == Some(true))?;
    writer.db_cluster_arn()
}

/// The members with their parts, by name and region.
pub(super) fn members(global: &GlobalCluster) -> String {
    let words = |member: &GlobalClusterMember| {
        let text = member.db_cluster_arn().unwrap_or_default();
        let part = if member.is_writer() == Some(true) { "primary" } else { "secondary" };
        let name = arn(text).map_or(text.to_owned(), |(region, name)| format!("{name} in {region}"));
        format!("{} ({part})", clean(&name, 120))
    };
    let all: Vec<String> = global.global_cluster_members().iter().map(words).collect();
    if all.is_empty() { "no members".into() } else { all.join(", ") }
}

/// What RDS is doing to the global database; the state is there only while it does.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_FailoverState.html>
pub(super) fn operation_in_progress(global: &GlobalCluster) -> Option<String> {
    let state = global.failover_state()?;
    let status = state.status()?.as_str();
    let to = state.to_db_cluster_arn().unwrap_or("not known");
    Some(format!("{} to {} is going on", clean(status, 60), clean(to, 300)))
}
