//! `rds-restore-pitr`: a new database as an instance or cluster was at a point in time.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::Target;
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, place};
use crate::providers::aws::client::{AwsError, Call, Connection, date_time};
use crate::providers::aws::rds::restore::moment::{Moment, Window};
use crate::providers::aws::rds::restore::wanted;
use crate::providers::aws::rds::restore::wanted::{Wanted, refuse};
use crate::providers::aws::rds::restore::{Backup, DatabaseKind, Restore, Seen};
use crate::providers::aws::rds::target;
use crate::providers::aws::request::Request;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::{RestoreWindow, Tag};
use jiff::Timestamp;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "rds-restore-pitr",
    does: Does::Changes,
    simulated_target: "new RDS database",
    sets: &[],
    doc: "Restores an RDS instance or cluster to a point in time, as a new one beside it. The time is checked against \
          the restorable window before anyone is asked, and again before anything is sent; the confirmation shows the \
          window and what is lost. The source is not changed. It waits until the new database can be used. What it \
          makes carries the tag `lifeboat:token`: by it the proof, also after a crash, tells this attempt's database \
          from any other of that name. A name that is taken is refused.",
    keys: &[
        REGION,
        wanted::SOURCE_INSTANCE,
        wanted::SOURCE_CLUSTER,
        wanted::TARGET,
        Key::required(
            "time",
            Takes::Text,
            "What to restore to: a time with its zone or offset (`2026-03-01T12:00:00Z`), or `latest`.",
        ),
        wanted::CLASS,
        wanted::INSTANCE_CLASS,
        Key::optional(
            "restore_type",
            Takes::Choice(&["full-copy", "copy-on-write"]),
            "For a cluster: `full-copy` where absent. `copy-on-write` is a clone, there within minutes, and takes only \
             `time = \"latest\"`.",
        ),
        wanted::SUBNET_GROUP,
        wanted::SECURITY_GROUPS,
        wanted::PARAMETER_GROUP,
        wanted::MULTI_AZ,
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "rds:RestoreDBInstanceToPointInTime",
        "rds:RestoreDBClusterToPointInTime",
        "rds:CreateDBInstance",
        "rds:AddTagsToResource",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstanceAutomatedBackups",
        "rds:DescribeOrderableDBInstanceOptions",
        "rds:DescribeDBSubnetGroups",
    ],
    example: r#"[[runbooks.example.steps]]
id = "restore"
title = "Restore the database to before the bad deployment"
action = "rds-restore-pitr"
with.region = "us-east-1"
with.source_instance = "arka-db-primary"
with.target = "arka-db-recovery"
with.time = "2026-03-01T12:00:00Z"
with.class = "db.r6g.2xlarge"
with.subnet_group = "arka-db"
with.security_groups = ["sg-0a1b2c3d4e5f67890"]
confirm = "type"
estimate = "30m"
timeout = "90m"
"#,
    call: |params| {
        let sort = if params.text("source_cluster").is_some() { "Cluster" } else { "Instance" };
        let text = |key| params.text(key).unwrap_or_default();
        let source = params.text("source_cluster").unwrap_or(text("source_instance"));
        format!("rds:RestoreDB{sort}ToPointInTime of {source} to {} at {}", text("target"), text("time"))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let wanted = Wanted::of(params)?;
    let time = params.require_text("time")?;
    let moment = Moment::parse(time).map_err(|why| refuse("time", Some(time.to_owned()), &why))?;
    let restore_type = params.text("restore_type").map(str::to_owned);
    let refused = |why: &str| Err(refuse("restore_type", restore_type.clone(), why));
    if restore_type.is_some() && wanted.sort == DatabaseKind::Instance {
        return refused("it is for clusters only");
    }
    if restore_type.as_deref() == Some("copy-on-write") && moment != Moment::Latest {
        return refused("a clone is always of now: give `time = \"latest\"`, or `full-copy`");
    }
    let place = place(params, clients)?;
    Ok(Box::new(Changing(Restore { place, wanted, backup: PointInTime { moment, restore_type } })))
}

struct PointInTime {
    moment: Moment,
    restore_type: Option<String>,
}

impl Backup for PointInTime {
    async fn inspect(&self, reader: &Connection, wanted: &Wanted) -> Result<Option<Seen>, AwsError> {
        match wanted.sort {
            DatabaseKind::Instance => self.look_at_instance(reader, wanted).await,
            DatabaseKind::Cluster => self.look_at_cluster(reader, wanted).await,
        }
    }

    fn missing(&self, wanted: &Wanted) -> Problem {
        Problem::new(
            format!("there is no {} {}", wanted.sort.kind(), wanted.source),
            "Check name and region in the plan. Of a deleted one a snapshot can be restored (`rds-restore-snapshot`).",
        )
    }

    fn request(&self, wanted: &Wanted, _: Option<&Seen>) -> Request {
        let (request, time) = match wanted.sort {
            DatabaseKind::Instance => (
                Request::rds("RestoreDBInstanceToPointInTime")
                    .with("SourceDBInstanceIdentifier", &wanted.source)
                    .with("TargetDBInstanceIdentifier", &wanted.target),
                "RestoreTime",
            ),
            DatabaseKind::Cluster => (
                Request::rds("RestoreDBClusterToPointInTime")
                    .with("SourceDBClusterIdentifier", &wanted.source)
                    .with("DBClusterIdentifier", &wanted.target)
                    .maybe("RestoreType", self.restore_type.as_deref()),
                "RestoreToTime",
            ),
        };
        wanted.added_to(match &self.moment {
            Moment::Latest => request.flag("UseLatestRestorableTime", Some(true)),
            moment => request.with(time, moment.words()),
        })
    }

    async fn send(
        &self,
        writer: &Connection,
        wanted: &Wanted,
        _: &Seen,
        tags: Vec<Tag>,
    ) -> Result<(), AwsError> {
        let time = match &self.moment {
            Moment::At(time) => Some(date_time(*time)),
            Moment::Latest | Moment::Open => None,
        };
        let latest = (self.moment == Moment::Latest).then_some(true);
        match wanted.sort {
            DatabaseKind::Instance => {
                let send = writer
                    .rds()
                    .restore_db_instance_to_point_in_time()
                    .source_db_instance_identifier(&wanted.source)
                    .target_db_instance_identifier(&wanted.target)
                    .set_restore_time(time)
                    .set_use_latest_restorable_time(latest)
                    .set_db_instance_class(wanted.class.clone())
                    .set_db_subnet_group_name(wanted.subnet_group.clone())
                    .set_vpc_security_group_ids(wanted.groups())
                    .set_db_parameter_group_name(wanted.parameter_group.clone())
                    .set_multi_az(wanted.multi_az)
                    .set_tags(Some(tags))
                    .send();
                let call = Call::new("rds:RestoreDBInstanceToPointInTime", &wanted.source);
                writer.call(&call, send).await.map(drop)
            }
            DatabaseKind::Cluster => {
                let send = writer
                    .rds()
                    .restore_db_cluster_to_point_in_time()
                    .source_db_cluster_identifier(&wanted.source)
                    .db_cluster_identifier(&wanted.target)
                    .set_restore_type(self.restore_type.clone())
                    .set_restore_to_time(time)
                    .set_use_latest_restorable_time(latest)
                    .set_db_subnet_group_name(wanted.subnet_group.clone())
                    .set_vpc_security_group_ids(wanted.groups())
                    .set_db_cluster_parameter_group_name(wanted.parameter_group.clone())
                    .set_tags(Some(tags))
                    .send();
                let call = Call::new("rds:RestoreDBClusterToPointInTime", &wanted.source);
                writer.call(&call, send).await.map(drop)
            }
        }
    }

    fn is_open(&self) -> bool {
        self.moment == Moment::Open
    }

    fn finding(&self, _: &Wanted, _: &str) -> Vec<String> {
        Vec::new()
    }
}

impl PointInTime {
    async fn look_at_instance(&self, reader: &Connection, wanted: &Wanted) -> Result<Option<Seen>, AwsError> {
        let Some(instance) = target::instance(reader, &wanted.source).await? else { return Ok(None) };
        let now = Timestamp::now();
        // Without this answer the window is still known from the instance itself, only less exactly.
        let backups = automated_backups(reader, &wanted.source).await;
        let window = Window::of_instance(&instance, backups.as_ref().ok().and_then(Option::as_ref), now);
        let mut seen = self.seen(target::of_instance(reader, &instance).await?, &window, now);
        if let Err(error) = backups {
            seen.notes.push(format!("The earliest time is an estimate: {error}"));
        }
        if let Some(cluster) = instance.db_cluster_identifier() {
            let why = format!("{} is a member of the cluster {}", wanted.source, clean(cluster, 200));
            seen.refused = Some(Problem::new(why, "Restore the cluster: give `source_cluster`."));
        }
        seen.engine = clean(instance.engine().unwrap_or_default(), 100);
        seen.version = clean(instance.engine_version().unwrap_or_default(), 100);
        seen.source = clean(instance.db_instance_arn().unwrap_or(&wanted.source), 300);
        seen.class = instance.db_instance_class().map(|class| clean(class, 100));
        Ok(Some(seen))
    }

    async fn look_at_cluster(&self, reader: &Connection, wanted: &Wanted) -> Result<Option<Seen>, AwsError> {
        let Some(cluster) = target::cluster(reader, &wanted.source).await? else { return Ok(None) };
        let target = target::of_cluster(reader, &cluster).await?;
        let mut seen = self.seen(target, &Window::of_cluster(&cluster), Timestamp::now());
        seen.engine = clean(cluster.engine().unwrap_or_default(), 100);
        seen.version = clean(cluster.engine_version().unwrap_or_default(), 100);
        seen.source = clean(cluster.db_cluster_arn().unwrap_or(&wanted.source), 300);
        Ok(Some(seen))
    }

    fn seen(&self, source: Target, window: &Window, now: Timestamp) -> Seen {
        let named = |(name, value): (String, String)| match &*name {
            "region" | "caller" => (name, value),
            _ => (format!("source {name}"), value),
        };
        let mut identity = vec![("source".to_owned(), source.name), ("time".to_owned(), self.moment.words())];
        identity.extend(source.identity.into_iter().map(named));
        Seen {
            identity,
            notes: self.moment.notes(window, now),
            refused: self.moment.refused(window, now),
            id: String::new(),
            source: String::new(),
            state: self.moment.words(),
            engine: String::new(),
            version: String::new(),
            class: None,
        }
    }
}

/// The window of an instance's automated backups, where it has any.
async fn automated_backups(reader: &Connection, id: &str) -> Result<Option<RestoreWindow>, AwsError> {
    let call = Call::new("rds:DescribeDBInstanceAutomatedBackups", id);
    let send = reader.rds().describe_db_instance_automated_backups().db_instance_identifier(id).send();
    let found = reader.call(&call, send).await?;
    // Those of a deleted instance of the same name stay as `retained`.
    let active =
        found.db_instance_automated_backups().iter().find(|backup| backup.status() == Some("active"));
    Ok(active.and_then(|backup| backup.restore_window().cloned()))
}

#[cfg(test)]
mod tests;
