//! The Aurora global cluster that a cluster belongs to
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_GlobalCluster.html>).

use crate::base::text::clean;
use crate::core::words::reading::{Measurement, Verdict};
use crate::providers::aws::rds::client::short;
use aws_sdk_rds::types::{GlobalCluster, GlobalClusterMember, GlobalClusterMemberSynchronizationStatus};

/// A global cluster, seen from one of its members.
pub(super) struct Membership<'a> {
    global: &'a GlobalCluster,
    member: &'a GlobalClusterMember,
}

impl<'a> Membership<'a> {
    /// The one that a cluster is in.
    pub(super) fn of(arn: &str, globals: &'a [GlobalCluster]) -> Option<Self> {
        globals.iter().find_map(|global| {
            let mut members = global.global_cluster_members().iter();
            let member = members.find(|member| member.db_cluster_arn() == Some(arn))?;
            Some(Self { global, member })
        })
    }

    /// The name of the global cluster.
    pub(super) fn name(&self) -> &str {
        self.global.global_cluster_identifier().unwrap_or_default()
    }

    /// Whether the member takes writes.
    pub(super) fn writes(&self) -> bool {
        self.member.is_writer() == Some(true)
    }

    /// The measurement with what is known of the global cluster.
    pub(super) fn tell(&self, measured: Measurement) -> Measurement {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| clean(text, 300));
        let members = self.global.global_cluster_members();
        let writer = members.iter().find(|member| member.is_writer() == Some(true));
        let others = members.iter().filter(|member| member.db_cluster_arn() != self.member.db_cluster_arn());
        let others: Vec<String> = others.map(in_words).collect();
        measured
            .judged(self.judge(writer))
            .with_text("global_cluster", text(self.global.global_cluster_identifier()))
            .with_text("global_status", text(self.global.status()))
            .with_text("global_writer", text(writer.and_then(|member| member.db_cluster_arn())))
            .with_text("global_members", others.join(", "))
            .with_text("synchronization", synchronization(self.member))
            .with_text("failover", self.failover())
    }

    fn judge(&self, writer: Option<&GlobalClusterMember>) -> Verdict {
        let name = clean(self.name(), 100);
        if let Some(failover) = self.failover() {
            return Verdict::Warn(format!("global cluster {name}: {failover}"));
        }
        if writer.is_none() {
            return Verdict::Critical(format!("global cluster {name} has no member that takes writes"));
        }
        let lost = |status: &&GlobalClusterMemberSynchronizationStatus| {
            **status != GlobalClusterMemberSynchronizationStatus::Connected
        };
        match self.member.synchronization_status().filter(lost) {
            Some(status) if !self.writes() => {
                let status = clean(status.as_str(), 80);
                Verdict::Warn(format!("its synchronization with global cluster {name} is {status}"))
            }
            _ => Verdict::Good,
        }
    }

    fn failover(&self) -> Option<String> {
        let state = self.global.failover_state()?;
        let status = clean(state.status()?.as_str(), 80);
        let place = |arn: Option<&str>| arn.map(place).unwrap_or_default();
        let loss = match state.is_data_loss_allowed() {
            Some(true) => ", DATA LOSS ALLOWED",
            _ => "",
        };
        let (from, to) = (place(state.from_db_cluster_arn()), place(state.to_db_cluster_arn()));
        Some(format!("{status} from {from} to {to}{loss}"))
    }
}

/// `orders-dr in us-west-2 reads, connected`.
fn in_words(member: &GlobalClusterMember) -> String {
    let does = if member.is_writer() == Some(true) { "writes" } else { "reads" };
    let name = place(member.db_cluster_arn().unwrap_or_default());
    let synchronization = synchronization(member).map(|status| format!(", {status}"));
    format!("{name} {does}{}", synchronization.unwrap_or_default())
}

fn synchronization(member: &GlobalClusterMember) -> Option<String> {
    member.synchronization_status().map(|status| clean(status.as_str(), 80))
}

/// The name and region in the ARN of a cluster.
fn place(arn: &str) -> String {
    let region = arn.split(':').nth(3).unwrap_or_default();
    clean(&format!("{} in {region}", short(arn)), 200)
}
