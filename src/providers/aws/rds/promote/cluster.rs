//! A cluster that replicates from another cluster or instance, without a global database.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplicaDBCluster.html>

use super::{lag_note, not_the_arn, other_source, source_check, wrong_status};
use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::Target;
use crate::core::words::preflight::Check;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::aws::action::command;
use crate::providers::aws::client::{AwsError, Call, Connection, Place};
use crate::providers::aws::rds::change::{RoleChange, Stage};
use crate::providers::aws::rds::names::{arn, events};
use crate::providers::aws::rds::status::{dead_end, next_step, ready, serves};
use crate::providers::aws::rds::target;
use aws_sdk_rds::types::DbCluster;

pub(super) struct Cluster {
    pub(super) place: Place,
    pub(super) id: String,
    /// As in the plan: its identifier or ARN.
    pub(super) named: String,
    pub(super) source: Option<String>,
}

impl Cluster {
    pub(super) fn new(cluster: &str, params: &Params, place: Place) -> Result<Self, BuildError> {
        let id = super::identifier("cluster", cluster, &place.region)?;
        Ok(Self { place, id, named: cluster.to_owned(), source: params.text("source").map(str::to_owned) })
    }
}

impl RoleChange for Cluster {
    type Seen = DbCluster;

    fn needs(&self, permission: &str) -> bool {
        matches!(permission, "rds:DescribeDBClusters" | "rds:PromoteReadReplicaDBCluster")
    }

    fn name(&self) -> &str {
        &self.id
    }
    fn kind(&self) -> &'static str {
        target::CLUSTER
    }
    fn place(&self) -> &Place {
        &self.place
    }
    fn what(&self) -> String {
        format!("promotion of cluster {}", self.id)
    }
    fn call(&self, _: Option<&DbCluster>) -> String {
        format!("rds:PromoteReadReplicaDBCluster DBClusterIdentifier={}", self.id)
    }
    fn command(&self, _: Option<&DbCluster>) -> String {
        let words = ["rds", "promote-read-replica-db-cluster", "--db-cluster-identifier", &self.id];
        command(Some(&self.place.region), &words)
    }
    fn look_command(&self) -> String {
        let query = "DBClusters[0].[Status,ReplicationSourceIdentifier]";
        let words = ["rds", "describe-db-clusters", "--db-cluster-identifier", &self.id, "--query", query];
        command(Some(&self.place.region), &words)
    }

    async fn read(&self, connection: &Connection) -> Result<Option<DbCluster>, AwsError> {
        target::cluster(connection, &self.id).await
    }

    async fn target(&self, connection: &Connection, seen: &DbCluster) -> Result<Target, AwsError> {
        target::of_cluster(connection, seen).await
    }

    async fn misnamed(&self, connection: &Connection) -> Option<String> {
        misnamed(connection, &self.id).await
    }

    async fn send(&self, _: &DbCluster) -> Result<(), AwsError> {
        let writer = self.place.writer().await;
        let call = Call::new("rds:PromoteReadReplicaDBCluster", &self.id);
        let request = writer.rds().promote_read_replica_db_cluster().db_cluster_identifier(&self.id);
        writer.call(&call, request.send()).await.map(|_| ())
    }

    fn resource_id<'s>(&self, seen: &'s DbCluster) -> Option<&'s str> {
        seen.db_cluster_resource_id()
    }

    fn wrong_role(&self, seen: &DbCluster) -> Option<Problem> {
        let not_sent = "PromoteReadReplicaDBCluster was not sent";
        if let Some(other) = not_the_arn(&self.named, seen.db_cluster_arn(), "PromoteReadReplicaDBCluster") {
            return Some(other);
        }
        if let Some(global) = seen.global_cluster_identifier().filter(|global| !global.is_empty()) {
            return Some(Problem::new(
                format!("it belongs to the global database {}: {not_sent}", clean(global, 200)),
                "Write `global_cluster` and `mode` in the plan: its primary changes by switchover or failover.",
            ));
        }
        source(seen).is_none().then(|| {
            Problem::new(
                format!("it is no replica, it stands alone: {not_sent}"),
                "Find out who promoted it, and whether the old primary is fenced. Then attest the step.",
            )
        })
    }

    fn wrong_state(&self, seen: &DbCluster) -> Option<Problem> {
        let status = status(seen);
        if dead_end(&status) {
            let why = format!("its status is {status}: PromoteReadReplicaDBCluster was not sent");
            return Some(Problem::new(
                why,
                next_step(&status, &events(self.kind(), &self.id, &self.place.region)),
            ));
        }
        (!ready(&status)).then(|| wrong_status(&status, "PromoteReadReplicaDBCluster", &self.look_command()))
    }

    fn was_due(&self, expected: &Target) -> bool {
        expected.property("replica of").is_some()
    }

    fn stage(&self, expected: &Target, seen: &DbCluster) -> Stage {
        let status = status(seen);
        if dead_end(&status) {
            let way = next_step(&status, &events(self.kind(), &self.id, &self.place.region));
            return Stage::Lost(Problem::new(format!("its status is {status}"), way));
        }
        match source(seen).map(|source| clean(source, 200)) {
            Some(source) if serves(&status) => {
                Stage::NotBegun(format!("{status}, still a replica of {source}"))
            }
            Some(source) => Stage::Going(format!("{status}, still a replica of {source}")),
            None if !serves(&status) => Stage::Going(format!("{status}, no longer a replica")),
            None => Stage::There(vec![
                format!(
                    "{} replicates from nothing, did from {}",
                    self.id,
                    expected.property("replica of").unwrap_or("what was not read")
                ),
                format!("its status is {status}"),
                format!(
                    "its resource id is {}, as before",
                    seen.db_cluster_resource_id().unwrap_or_default()
                ),
                format!("its writer is {}", writer(seen).unwrap_or("none: IT HAS NO INSTANCE")),
            ]),
        }
    }

    fn notes(&self, seen: &DbCluster) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(source) = source(seen) {
            notes.extend(other_source(source, self.source.as_deref()));
            let region = arn(source).map_or(&*self.place.region, |(region, _)| region);
            notes.push(format!("It is a replica of {} in {}.", clean(source, 200), clean(region, 40)));
        }
        notes.push(shape(seen));
        notes.push(lag_note("AuroraReplicaLag or AuroraBinlogReplicaLag", &self.id));
        notes.push("This cannot be taken back: a new replica takes its place.".into());
        notes
    }

    fn checks(&self, seen: &DbCluster) -> Vec<Check> {
        let mut checks: Vec<Check> = source(seen)
            .and_then(|source| source_check(source, self.source.as_deref()))
            .into_iter()
            .collect();
        checks.extend(headless(seen));
        checks
    }
}

pub(super) fn status(cluster: &DbCluster) -> String {
    clean(cluster.status().unwrap_or("not known"), 60)
}

fn source(cluster: &DbCluster) -> Option<&str> {
    cluster.replication_source_identifier().filter(|source| !source.is_empty())
}

pub(super) fn writer(cluster: &DbCluster) -> Option<&str> {
    let writer = cluster.db_cluster_members().iter().find(|member| member.is_cluster_writer() == Some(true));
    writer.and_then(|writer| writer.db_instance_identifier())
}

pub(super) fn shape(cluster: &DbCluster) -> String {
    let known = |text: Option<&str>| clean(text.unwrap_or("not known"), 60);
    format!(
        "{} {}, {} instances, zones {}, backups for {}, status {}.",
        known(cluster.engine()),
        known(cluster.engine_version()),
        cluster.db_cluster_members().len(),
        clean(&cluster.availability_zones().join(", "), 120),
        super::days(cluster.backup_retention_period().unwrap_or_default()),
        status(cluster)
    )
}

/// A cluster without instances takes no writes whatever its role.
pub(super) fn headless(cluster: &DbCluster) -> Option<Check> {
    let what = "it has an instance to write to";
    Some(match cluster.db_cluster_members().len() {
        0 => Check::fail(
            what,
            "the cluster has no instance",
            "Create one: it takes minutes that the RTO counts.",
        ),
        count => Check::pass(what, format!("{count} in the cluster")),
    })
}

pub(super) async fn misnamed(connection: &Connection, id: &str) -> Option<String> {
    let instance = target::instance(connection, id).await.ok().flatten()?;
    Some(match instance.db_cluster_identifier().filter(|cluster| !cluster.is_empty()) {
        Some(cluster) => {
            format!("that is the name of an instance of the cluster {}: write that one", clean(cluster, 200))
        }
        None => "that is the name of an instance: write `instance` in place of `cluster`".to_owned(),
    })
}
