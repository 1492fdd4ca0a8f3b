//! `rds-restore-snapshot`: a new database from a snapshot of an instance or cluster.

use crate::base::problem::Problem;
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, caller, place};
use crate::providers::aws::client::{AwsError, Call, Connection};
use crate::providers::aws::rds::restore::wanted;
use crate::providers::aws::rds::restore::wanted::{Wanted, is_open};
use crate::providers::aws::rds::restore::{Backup, DatabaseKind, Restore, Seen};
use crate::providers::aws::request::Request;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::Tag;
use jiff::Timestamp;
use snapshot::Snapshot;

pub mod snapshot;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "rds-restore-snapshot",
    does: Does::Changes,
    simulated_target: "new RDS database",
    sets: &[],
    doc: "Restores a snapshot of an RDS instance or cluster as a new one. The plan names the database that the snapshot \
          is of: a snapshot of another one, one that is not `available`, and a name that is taken are refused before \
          anything is sent. The confirmation shows the snapshot's time, age, size and encryption, and what is lost. It \
          waits until the new database can be used. What it makes carries the tag `lifeboat:token`: by it the proof, \
          also after a crash, tells this attempt's database from any other of that name.",
    keys: &[
        REGION,
        wanted::SOURCE_INSTANCE,
        wanted::SOURCE_CLUSTER,
        wanted::TARGET,
        Key::required(
            "snapshot",
            Takes::Text,
            "Name of the snapshot, or `latest`: the newest one of the source that is available. One of another account or \
             region is copied first.",
        ),
        Key::optional("prefix", Takes::Text, "With `latest`: only snapshots whose name begins with this."),
        wanted::CLASS,
        wanted::INSTANCE_CLASS,
        wanted::SUBNET_GROUP,
        wanted::SECURITY_GROUPS,
        wanted::PARAMETER_GROUP,
        wanted::MULTI_AZ,
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "rds:RestoreDBInstanceFromDBSnapshot",
        "rds:RestoreDBClusterFromSnapshot",
        "rds:CreateDBInstance",
        "rds:AddTagsToResource",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusters",
        "rds:DescribeOrderableDBInstanceOptions",
        "rds:DescribeDBSubnetGroups",
    ],
    example: r#"[[runbooks.example.steps]]
id = "restore"
title = "Restore the DR cluster from the last snapshot"
action = "rds-restore-snapshot"
with.region = "us-west-2"
with.source_cluster = "market-scanning-prod"
with.snapshot = "latest"
with.prefix = "market-scanning-prod-final"
with.target = "market-scanning-dr"
with.instance_class = "db.r6g.large"
with.subnet_group = "market-scanning"
with.security_groups = ["sg-0a1b2c3d4e5f67890"]
confirm = "type"
estimate = "30m"
timeout = "90m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        let operation = match params.text("source_cluster") {
            Some(_) => "RestoreDBClusterFromSnapshot",
            None => "RestoreDBInstanceFromDBSnapshot",
        };
        let source = params.text("source_cluster").unwrap_or(text("source_instance"));
        format!("rds:{operation} {} of {source} to {}", text("snapshot"), text("target"))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let wanted = Wanted::of(params)?;
    let snapshot = params.require_text("snapshot")?.to_owned();
    let prefix = params.text("prefix").map(str::to_owned);
    if prefix.is_some() && snapshot != "latest" {
        return Err(wanted::refuse("prefix", prefix, "it is for `snapshot = \"latest\"`"));
    }
    Ok(Box::new(Changing(Restore {
        place: place(params, clients)?,
        wanted,
        backup: FromSnapshot { snapshot, prefix },
    })))
}

struct FromSnapshot {
    snapshot: String,
    prefix: Option<String>,
}

impl FromSnapshot {
    /// The snapshot that the plan means; none where there is none.
    async fn find(&self, reader: &Connection, wanted: &Wanted) -> Result<Option<Snapshot>, AwsError> {
        match &*self.snapshot {
            "latest" => {
                let all = snapshot::of_source(reader, wanted.sort, &wanted.source).await?;
                Ok(snapshot::newest(all, self.prefix.as_deref()))
            }
            id => snapshot::named(reader, wanted.sort, id).await,
        }
    }
}

impl Backup for FromSnapshot {
    async fn inspect(&self, reader: &Connection, wanted: &Wanted) -> Result<Option<Seen>, AwsError> {
        let Some(snapshot) = self.find(reader, wanted).await? else { return Ok(None) };
        let mut identity = vec![("region".to_owned(), reader.region.clone())];
        identity.extend(snapshot.identity());
        identity.push(caller(reader).await?);
        Ok(Some(Seen {
            identity,
            notes: snapshot.notes(Timestamp::now()),
            refused: snapshot.refused(&wanted.source),
            source: snapshot.arn.clone(),
            state: snapshot.id.clone(),
            engine: snapshot.engine.clone(),
            version: snapshot.version.clone(),
            class: None,
            id: snapshot.id,
        }))
    }

    fn missing(&self, wanted: &Wanted) -> Problem {
        let sort = wanted.sort.kind();
        let next = "List what there is: `aws rds describe-db-snapshots` for instances, `aws rds \
                    describe-db-cluster-snapshots` for clusters. Snapshots stay in their region unless they are copied.";
        match (&*self.snapshot, &self.prefix) {
            ("latest", None) => {
                Problem::new(format!("there is no available snapshot of the {sort} {}", wanted.source), next)
            }
            ("latest", Some(prefix)) => Problem::new(
                format!("there is no available snapshot {prefix}… of the {sort} {}", wanted.source),
                next,
            ),
            (id, _) => Problem::new(format!("there is no snapshot {id} of an {sort}"), next),
        }
    }

    fn request(&self, wanted: &Wanted, seen: Option<&Seen>) -> Request {
        let named = if self.snapshot == "latest" { "SNAPSHOT" } else { &self.snapshot };
        let id = seen.map_or(named, |seen| &seen.id);
        let engine = seen.map_or("ENGINE", |seen| &seen.engine);
        wanted.added_to(match wanted.sort {
            DatabaseKind::Instance => Request::rds("RestoreDBInstanceFromDBSnapshot")
                .with("DBInstanceIdentifier", &wanted.target)
                .with("DBSnapshotIdentifier", id),
            DatabaseKind::Cluster => Request::rds("RestoreDBClusterFromSnapshot")
                .with("DBClusterIdentifier", &wanted.target)
                .with("SnapshotIdentifier", id)
                .with("Engine", engine),
        })
    }

    async fn send(
        &self,
        writer: &Connection,
        wanted: &Wanted,
        seen: &Seen,
        tags: Vec<Tag>,
    ) -> Result<(), AwsError> {
        match wanted.sort {
            DatabaseKind::Instance => {
                let send = writer
                    .rds()
                    .restore_db_instance_from_db_snapshot()
                    .db_instance_identifier(&wanted.target)
                    .db_snapshot_identifier(&seen.id)
                    .set_db_instance_class(wanted.class.clone())
                    .set_db_subnet_group_name(wanted.subnet_group.clone())
                    .set_vpc_security_group_ids(wanted.groups())
                    .set_db_parameter_group_name(wanted.parameter_group.clone())
                    .set_multi_az(wanted.multi_az)
                    .set_tags(Some(tags))
                    .send();
                let call = Call::new("rds:RestoreDBInstanceFromDBSnapshot", &seen.id);
                writer.call(&call, send).await.map(drop)
            }
            DatabaseKind::Cluster => {
                let send = writer
                    .rds()
                    .restore_db_cluster_from_snapshot()
                    .db_cluster_identifier(&wanted.target)
                    .snapshot_identifier(&seen.id)
                    .engine(&seen.engine)
                    .set_db_subnet_group_name(wanted.subnet_group.clone())
                    .set_vpc_security_group_ids(wanted.groups())
                    .set_db_cluster_parameter_group_name(wanted.parameter_group.clone())
                    .set_tags(Some(tags))
                    .send();
                let call = Call::new("rds:RestoreDBClusterFromSnapshot", &seen.id);
                writer.call(&call, send).await.map(drop)
            }
        }
    }

    fn is_open(&self) -> bool {
        is_open(&self.snapshot)
    }

    fn finding(&self, wanted: &Wanted, region: &str) -> Vec<String> {
        let (operation, key) = match wanted.sort {
            DatabaseKind::Instance => ("DescribeDBSnapshots", "DBInstanceIdentifier"),
            DatabaseKind::Cluster => ("DescribeDBClusterSnapshots", "DBClusterIdentifier"),
        };
        let list = Request::rds(operation).with(key, &wanted.source).command(region);
        vec![format!(
            "{list}   (status `available`, newest SnapshotCreateTime; it tells SNAPSHOT and ENGINE)"
        )]
    }
}
