//! `rds-cluster`: an Aurora or Multi-AZ cluster as AWS tells it, and the global cluster that it belongs to.

mod global;
mod judge;

use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::aws::client::{AwsError, Call, Connection, Listing};
use crate::providers::aws::rds::client::same_name;
use crate::providers::aws::rds::target;
use crate::providers::aws::reader::Reader;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::{DbCluster, GlobalCluster};
use futures::future::BoxFuture;
use jiff::Timestamp;
use judge::Wanted;
use std::sync::Arc;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "rds-cluster",
    sees: Sees::Cluster,
    doc: "Reads an Aurora or Multi-AZ cluster: its status, who writes and who reads, its backups, and the Aurora \
          global cluster that it belongs to. The value is the age of its latest restorable time, so that it can be \
          the probe of a backup. A cluster that serves writes and has no writer, one in a status in which it does not \
          serve, and one that is not there are critical; a global secondary that is not connected is a warning. How \
          far a secondary is behind is `cloudwatch-metric`'s to tell. All clusters of a region are listed in one call; \
          where the caller may only see certain clusters, each is asked for by its name.",
    unit: Unit::Seconds,
    keys: &[
        Key::required("cluster", Takes::Text, "Name of the cluster."),
        crate::providers::aws::probe::REGION,
        Key::optional(
            "global_cluster",
            Takes::Text,
            "The Aurora global cluster that it must be a member of; where absent, the one that it is a member of.",
        ),
        Key::optional(
            "expect_role",
            Takes::Choice(&["primary", "secondary"]),
            "Whether it must take writes, or replicate another cluster; anything else is critical.",
        ),
        Key::optional("min_readers", Takes::Integer(0, 15), "Fewer readers than this are a warning."),
    ],
    fields: &[
        ("status", "AWS's word for its state (`available`)"),
        ("role", "`primary`, or `secondary` where it replicates another cluster"),
        ("writer", "the instance that writes"),
        ("readers", "the instances that read, separated by commas"),
        ("reader_count", "how many read"),
        ("engine", "`aurora-postgresql`, …"),
        ("engine_version", "its version"),
        ("zones", "its availability zones"),
        ("multi_az", "its instances are in several zones"),
        ("endpoint", "where writes go"),
        ("reader_endpoint", "where reads go"),
        ("encrypted", "its storage is encrypted"),
        ("backup_retention_days", "how long automated backups are kept"),
        ("earliest_restorable", "the earliest time that it can be restored to"),
        ("latest_restorable", "the latest"),
        ("pending", "changes that wait for the maintenance window, in words"),
        ("arn", "its ARN"),
        ("resource_id", "what tells it from a later cluster of the same name"),
        ("global_cluster", "the global cluster that it is a member of"),
        ("global_status", "AWS's word for the global cluster's state"),
        ("global_writer", "the member that takes writes"),
        ("global_members", "the other members, each with its synchronization"),
        ("synchronization", "its own as a secondary (`connected`, `pending-resync`)"),
        ("failover", "a failover or switchover of the global cluster that goes on"),
    ],
    permissions: &["rds:DescribeDBClusters", "rds:DescribeGlobalClusters"],
    example: r#"[probes.example]
kind = "rds-cluster"
title = "Scanner database"
region = "dr"
cluster = "market-scanning-dr"
min_readers = 1
every = "30s"
timeout = "10s"
warn = "10m"
critical = "30m"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Cluster {
        reader: Reader::of(spec, clients)?,
        name: spec.params.require_text("cluster")?.to_owned(),
        wanted: Wanted {
            global: spec.params.text("global_cluster").map(str::to_owned),
            role: spec.params.text("expect_role").map(str::to_owned),
            readers: spec.params.integer("min_readers").and_then(|count| usize::try_from(count).ok()),
        },
    }))
}

struct Cluster {
    reader: Reader,
    name: String,
    wanted: Wanted,
}

impl Probe for Cluster {
    fn shares_its_call(&self) -> bool {
        true
    }

    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.reader.connection().await;
            let found = find(&connection, &self.name, &self.reader).await;
            let Some(cluster) = found.map_err(|error| error.unmeasured())? else {
                let (name, region) = (&self.name, self.reader.region());
                return Ok(Measurement::critical(format!("there is no cluster {name} in {region}")));
            };
            let is_global = cluster.global_cluster_identifier().is_some_and(|name| !name.is_empty());
            let globals = match is_global || self.wanted.global.is_some() {
                true => globals(&connection, &self.reader).await.map(Some),
                false => Ok(None),
            };
            Ok(judge::judge(&cluster, globals, &self.wanted, Timestamp::now()))
        })
    }
}

/// The cluster of that name or ARN, from the region's listing where the caller may have it.
async fn find(connection: &Connection, name: &str, reader: &Reader) -> Result<Option<DbCluster>, AwsError> {
    let rds = connection.rds();
    let list = async || {
        let call = Call::new("rds:DescribeDBClusters", "all clusters");
        let pages = rds.describe_db_clusters().max_records(100).into_paginator().items().send();
        connection.call_within(&call, reader.within, pages.collect::<Result<Vec<_>, _>>()).await
    };
    let one = || target::cluster_within(connection, name, reader.within);
    let is = |cluster: &DbCluster| {
        let called = |other: Option<&str>| other.is_some_and(|other| same_name(other, name));
        called(cluster.db_cluster_identifier()) || called(cluster.db_cluster_arn())
    };
    connection.kept::<Listing<DbCluster>>().find(reader.fresh, list, is, one).await
}

/// Every global cluster; each region tells of all of them.
async fn globals(connection: &Connection, reader: &Reader) -> Result<Arc<Vec<GlobalCluster>>, AwsError> {
    let list = async || {
        let call = Call::new("rds:DescribeGlobalClusters", "all global clusters");
        let pages = connection.rds().describe_global_clusters().max_records(100).into_paginator();
        connection
            .call_within(&call, reader.within, pages.items().send().collect::<Result<Vec<_>, _>>())
            .await
    };
    connection.kept::<Listing<GlobalCluster>>().all(reader.fresh, list).await
}
