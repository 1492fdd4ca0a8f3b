//! A read replica that is an instance.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_PromoteReadReplica.html>

use super::facts::{pending, replicas, replication, shape, source, status};
use super::{days, lag_note, not_the_arn, other_source, source_check, wrong_status};
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
use aws_sdk_rds::types::DbInstance;

pub(super) struct Instance {
    pub(super) place: Place,
    pub(super) id: String,
    /// As in the plan: its identifier or ARN.
    pub(super) named: String,
    pub(super) retention_days: Option<i32>,
    pub(super) window: Option<String>,
    pub(super) source: Option<String>,
}

impl Instance {
    pub(super) fn new(params: &Params, place: Place) -> Result<Self, BuildError> {
        let named = params.require_text("instance")?.to_owned();
        let id = super::identifier("instance", &named, &place.region)?;
        let retention = params.integer("backup_retention_days");
        Ok(Self {
            id,
            named,
            retention_days: retention.and_then(|days| i32::try_from(days).ok()),
            window: params.text("backup_window").map(str::to_owned),
            source: params.text("source").map(str::to_owned),
            place,
        })
    }

    fn modify(&self) -> String {
        let days = self.retention_days.map(|days| days.to_string());
        let mut words = vec!["rds", "modify-db-instance", "--db-instance-identifier", &self.id];
        words.extend(days.iter().flat_map(|days| ["--backup-retention-period", days]));
        words.extend(self.window.iter().flat_map(|window| ["--preferred-backup-window", window]));
        words.push("--apply-immediately");
        command(Some(&self.place.region), &words)
    }

    /// What of the backups is not as it was asked for.
    fn short_of(&self, instance: &DbInstance) -> Option<String> {
        let kept = instance.backup_retention_period().unwrap_or_default();
        if let Some(asked) = self.retention_days.filter(|asked| *asked != kept) {
            return Some(format!(
                "it is promoted, but keeps backups for {}, not {}",
                days(kept),
                days(asked)
            ));
        }
        let window = instance.preferred_backup_window().unwrap_or("none");
        let asked = self.window.as_deref().filter(|asked| !asked.eq_ignore_ascii_case(window))?;
        Some(format!("it is promoted, but its backup window is {}, not {asked}", clean(window, 40)))
    }
}

impl RoleChange for Instance {
    type Seen = DbInstance;

    fn needs(&self, permission: &str) -> bool {
        matches!(permission, "rds:DescribeDBInstances" | "rds:PromoteReadReplica")
    }

    fn name(&self) -> &str {
        &self.id
    }
    fn kind(&self) -> &'static str {
        target::INSTANCE
    }
    fn place(&self) -> &Place {
        &self.place
    }
    fn what(&self) -> String {
        format!("promotion of {}", self.id)
    }

    fn call(&self, _: Option<&DbInstance>) -> String {
        let days = self.retention_days.map(|days| format!(" BackupRetentionPeriod={days}"));
        let window = self.window.as_ref().map(|window| format!(" PreferredBackupWindow={window}"));
        let (days, window) = (days.unwrap_or_default(), window.unwrap_or_default());
        format!("rds:PromoteReadReplica DBInstanceIdentifier={}{days}{window}", self.id)
    }

    fn command(&self, _: Option<&DbInstance>) -> String {
        let days = self.retention_days.map(|days| days.to_string());
        let mut words = vec!["rds", "promote-read-replica", "--db-instance-identifier", &self.id];
        words.extend(days.iter().flat_map(|days| ["--backup-retention-period", days]));
        words.extend(self.window.iter().flat_map(|window| ["--preferred-backup-window", window]));
        command(Some(&self.place.region), &words)
    }

    fn look_command(&self) -> String {
        let query =
            "DBInstances[0].[DBInstanceStatus,ReadReplicaSourceDBInstanceIdentifier,BackupRetentionPeriod]";
        let words = ["rds", "describe-db-instances", "--db-instance-identifier", &self.id, "--query", query];
        command(Some(&self.place.region), &words)
    }

    async fn read(&self, connection: &Connection) -> Result<Option<DbInstance>, AwsError> {
        target::instance(connection, &self.id).await
    }

    async fn target(&self, connection: &Connection, seen: &DbInstance) -> Result<Target, AwsError> {
        target::of_instance(connection, seen).await
    }

    async fn misnamed(&self, connection: &Connection) -> Option<String> {
        let cluster = target::cluster(connection, &self.id).await.ok().flatten();
        cluster.map(|_| "that is the name of a cluster: write `cluster` in place of `instance`".to_owned())
    }

    async fn send(&self, _: &DbInstance) -> Result<(), AwsError> {
        let writer = self.place.writer().await;
        let call = Call::new("rds:PromoteReadReplica", &self.id);
        let request = writer.rds().promote_read_replica().db_instance_identifier(&self.id);
        let request = request.set_backup_retention_period(self.retention_days);
        let request = request.set_preferred_backup_window(self.window.clone());
        writer.call(&call, request.send()).await.map(|_| ())
    }

    fn resource_id<'s>(&self, seen: &'s DbInstance) -> Option<&'s str> {
        seen.dbi_resource_id()
    }

    fn wrong_role(&self, seen: &DbInstance) -> Option<Problem> {
        if source(seen).is_some() {
            return not_the_arn(&self.named, seen.db_instance_arn(), "PromoteReadReplica");
        }
        let role = target::role(seen);
        let next = match seen.db_cluster_identifier().filter(|cluster| !cluster.is_empty()) {
            Some(cluster) => format!("Promote or fail over the cluster {} instead.", clean(cluster, 200)),
            None => "Find out who promoted it, and whether the old primary is fenced. Then attest the step."
                .into(),
        };
        Some(Problem::new(format!("it is no replica, it is {role}: PromoteReadReplica was not sent"), next))
    }

    fn wrong_state(&self, seen: &DbInstance) -> Option<Problem> {
        let status = status(seen);
        if dead_end(&status) {
            let why = format!("its status is {status}: PromoteReadReplica was not sent");
            return Some(Problem::new(
                why,
                next_step(&status, &events(self.kind(), &self.id, &self.place.region)),
            ));
        }
        if !ready(&status) {
            return Some(wrong_status(&status, "PromoteReadReplica", &self.look_command()));
        }
        let replicas = replicas(seen);
        if self.retention_days == Some(0) && !replicas.is_empty() {
            return Some(Problem::new(
                format!("it has replicas of its own ({replicas}), for which AWS needs its backups on"),
                "Give `backup_retention_days` above 0.",
            ));
        }
        None
    }

    fn was_due(&self, expected: &Target) -> bool {
        expected.property("role").is_some_and(|role| role.starts_with("replica of "))
    }

    fn stage(&self, expected: &Target, seen: &DbInstance) -> Stage {
        let (status, role) = (status(seen), target::role(seen));
        if dead_end(&status) {
            let way = next_step(&status, &events(self.kind(), &self.id, &self.place.region));
            return Stage::Lost(Problem::new(format!("its status is {status}, and it is {role}"), way));
        }
        match source(seen) {
            Some(_) if serves(&status) => Stage::NotBegun(format!("{status}, still {role}")),
            Some(_) => Stage::Going(format!("{status}, still {role}")),
            None if !serves(&status) => Stage::Going(format!("{status}, {role}")),
            None => match self.short_of(seen) {
                Some(why) => {
                    Stage::Short(Problem::new(why, format!("`{}`, then verify again.", self.modify())))
                }
                None => Stage::There(vec![
                    format!("{} is {role}, was {}", self.id, expected.property("role").unwrap_or("not read")),
                    format!("its status is {status}"),
                    format!("its resource id is {}, as before", seen.dbi_resource_id().unwrap_or_default()),
                    format!(
                        "it keeps backups for {}",
                        days(seen.backup_retention_period().unwrap_or_default())
                    ),
                ]),
            },
        }
    }

    fn notes(&self, seen: &DbInstance) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(source) = source(seen) {
            notes.extend(other_source(source, self.source.as_deref()));
            let region = arn(source).map_or(&*self.place.region, |(region, _)| region);
            notes.push(format!("It is a replica of {} in {}.", clean(source, 200), clean(region, 40)));
        }
        notes.push(shape(seen));
        notes.extend(replication(seen));
        notes.push(lag_note("ReplicaLag", &self.id));
        notes.extend(self.backups(seen));
        let replicas = replicas(seen);
        if !replicas.is_empty() {
            notes.push(format!("Its own replicas stay with it: {replicas}."));
        }
        notes.extend(pending(seen));
        notes.push(
            "It restarts while it is promoted. This cannot be taken back: a new replica takes its place."
                .into(),
        );
        notes
    }

    fn checks(&self, seen: &DbInstance) -> Vec<Check> {
        let mut checks: Vec<Check> = source(seen)
            .and_then(|source| source_check(source, self.source.as_deref()))
            .into_iter()
            .collect();
        let kept = seen.backup_retention_period().unwrap_or_default();
        let what = "it makes backups before it is promoted";
        checks.push(match kept {
            0 => Check::warn(
                what,
                "backup retention is 0: its first backup is made after the promotion",
                "AWS recommends a backup before: give the replica a backup retention above 0.",
            ),
            kept => Check::pass(what, format!("it keeps them for {}", days(kept))),
        });
        checks
    }
}

impl Instance {
    fn backups(&self, seen: &DbInstance) -> Vec<String> {
        let mut notes = Vec::new();
        if seen.backup_retention_period().unwrap_or_default() == 0 {
            notes.push(
                "It has no backups: there is no point-in-time restore before its first one ends.".to_owned(),
            );
        }
        match self.retention_days {
            Some(0) => notes.push("BACKUPS STAY OFF AFTER THE PROMOTION.".into()),
            Some(asked) => notes.push(format!("It will keep backups for {}.", days(asked))),
            None => notes.push("No backup retention is asked for: AWS keeps backups for 1 day then.".into()),
        }
        notes
    }
}
