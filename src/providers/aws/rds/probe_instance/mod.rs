//! `rds-instance`: an RDS instance as AWS tells it.

mod judge;

pub(crate) use judge::gibibytes;

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
use aws_sdk_rds::types::DbInstance;
use futures::future::BoxFuture;
use jiff::Timestamp;
use judge::Wanted;
use std::time::Duration;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "rds-instance",
    sees: Sees::Instance,
    doc: "Reads an RDS instance: its status, role, replication, pending changes and backups. The value is the age of \
          its latest restorable time, so that it can be the probe of a backup; there is none where automated \
          backups are off, as they are on most replicas. A status in which it does not serve, replication that \
          stopped, and an instance that is not there are critical. All instances of a region are listed in one \
          call; where the caller may only see certain instances, each is asked for by its name.",
    unit: Unit::Seconds,
    keys: &[
        Key::required("instance", Takes::Text, "Name of the instance."),
        crate::providers::aws::probe::REGION,
        Key::optional(
            "expect_role",
            Takes::Choice(&["primary", "replica"]),
            "Anything else is critical: a replica that was promoted, a primary that replicates.",
        ),
        Key::optional(
            "source",
            Takes::Text,
            "Name or ARN of what it must replicate, which is an ARN in another region; a replica of anything else is \
             critical.",
        ),
    ],
    fields: &[
        ("status", "AWS's word for its state (`available`)"),
        ("role", "`primary`, `replica`, or `member` of a cluster"),
        ("source", "what it replicates"),
        ("cluster", "the cluster that it is a member of"),
        ("replication", "AWS's word for the replication of a replica (`replicating`, `error`)"),
        ("replicas", "its read replicas, separated by commas"),
        ("replica_count", "how many it has"),
        ("engine", "`postgres`, `mysql`, …"),
        ("engine_version", "its version"),
        ("class", "`db.r6g.large`"),
        ("zone", "its availability zone"),
        ("multi_az", "it has a standby in another zone"),
        ("endpoint", "host and port"),
        ("allocated_bytes", "its storage"),
        ("encrypted", "its storage is encrypted"),
        ("backup_retention_days", "how long automated backups are kept; 0: they are off"),
        ("latest_restorable", "the latest time that it can be restored to"),
        ("pending", "changes that wait for the maintenance window or a reboot, in words"),
        ("arn", "its ARN"),
        ("resource_id", "what tells it from a later instance of the same name"),
    ],
    permissions: &["rds:DescribeDBInstances"],
    example: r#"[probes.example]
kind = "rds-instance"
title = "DR database"
region = "dr"
instance = "arka-db-dr-replica"
expect_role = "replica"
source = "arka-db-primary"
every = "30s"
timeout = "10s"
"#,
    check: unchecked,
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Instance {
        reader: Reader::of(spec, clients)?,
        name: spec.params.require_text("instance")?.to_owned(),
        wanted: Wanted {
            role: spec.params.text("expect_role").map(str::to_owned),
            source: spec.params.text("source").map(str::to_owned),
            age: spec.thresholds.warn.is_some() || spec.thresholds.critical.is_some(),
        },
    }))
}

struct Instance {
    reader: Reader,
    name: String,
    wanted: Wanted,
}

impl Probe for Instance {
    fn shares_its_call(&self) -> bool {
        true
    }

    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.reader.connection().await;
            let found = find(&connection, &self.name, self.reader.within, self.reader.fresh).await;
            match found.map_err(|error| error.unmeasured())? {
                Some(instance) => Ok(judge::judge(&instance, &self.wanted, Timestamp::now())),
                None => {
                    let (name, region) = (&self.name, self.reader.region());
                    Ok(Measurement::critical(format!("there is no instance {name} in {region}")))
                }
            }
        })
    }
}

/// The instance of that name or ARN, from the region's listing where the caller may have it.
async fn find(
    connection: &Connection,
    name: &str,
    within: Duration,
    fresh: Duration,
) -> Result<Option<DbInstance>, AwsError> {
    let rds = connection.rds();
    let list = async || {
        let call = Call::new("rds:DescribeDBInstances", "all instances");
        let pages = rds.describe_db_instances().max_records(100).into_paginator().items().send();
        connection.call_within(&call, within, pages.collect::<Result<Vec<_>, _>>()).await
    };
    let one = || target::instance_within(connection, name, within);
    let is = |instance: &DbInstance| {
        let called = |other: Option<&str>| other.is_some_and(|other| same_name(other, name));
        called(instance.db_instance_identifier()) || called(instance.db_instance_arn())
    };
    connection.kept::<Listing<DbInstance>>().find(fresh, list, is, one).await
}
