//! A secondary cluster of an Aurora global database.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html>
//!
//! A switchover is asked for in the region of the primary, a failover in that of the secondary: the other one may be
//! gone.

use super::cluster::{headless, misnamed, status};
use super::members::{operation_in_progress, primary};
use super::{not_the_arn, value, wrong_status};
use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::Target;
use crate::core::words::preflight::Check;
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::aws::action::command;
use crate::providers::aws::client::{Aws, AwsError, AwsErrorKind, Call, Connection, Place};
use crate::providers::aws::rds::change::{RoleChange, Stage};
use crate::providers::aws::rds::names::{arn, events};
use crate::providers::aws::rds::status::{dead_end, next_step, ready, serves};
use crate::providers::aws::rds::target;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::{DbCluster, GlobalCluster, GlobalClusterMember};

/// The property of a target that tells its part in the global database.
const PART: &str = "global role";

pub(super) struct Global {
    pub(super) aws: Aws,
    pub(super) place: Place,
    pub(super) global: String,
    pub(super) id: String,
    /// As in the plan, for what is shown before its ARN is read.
    pub(super) named: String,
    pub(super) failover: bool,
}

/// The cluster and the global database as its own region knows it.
pub(super) struct Seen {
    pub(super) cluster: DbCluster,
    pub(super) global: Option<GlobalCluster>,
}

impl Global {
    pub(super) fn new(
        global: &str,
        cluster: &str,
        params: &Params,
        place: Place,
        clients: &Clients,
    ) -> Result<Self, BuildError> {
        let failover = params.text("mode") == Some("failover");
        let allowed = params.flag("allow_data_loss");
        match (failover, allowed) {
            (true, false) => {
                let why = "a failover of a global database LOSES what did not reach the secondary: write \
                           `allow_data_loss = true` to accept that, or `mode = \"switchover\"`";
                return Err(value("mode", "failover", why));
            }
            (false, true) => {
                let why = "a switchover loses nothing: take it away, or write `mode = \"failover\"`";
                return Err(value("allow_data_loss", "true", why));
            }
            _ => {}
        }
        let id = super::identifier("cluster", cluster, &place.region)?;
        let (global, named) = (global.to_owned(), cluster.to_owned());
        Ok(Self { aws: clients.aws.clone(), place, global, id, named, failover })
    }

    fn operation(&self) -> &'static str {
        if self.failover { "FailoverGlobalCluster" } else { "SwitchoverGlobalCluster" }
    }

    /// The cluster's ARN, or what stands for it as long as it is not read.
    fn arn_of(&self, seen: Option<&Seen>) -> String {
        let known = seen.and_then(|seen| seen.cluster.db_cluster_arn()).map(|arn| clean(arn, 300));
        known.unwrap_or_else(|| match arn(&self.named) {
            Some(_) => self.named.clone(),
            None => format!("arn:aws:rds:{}:ACCOUNT:cluster:{}", self.place.region, self.id),
        })
    }

    /// Where the call goes; none where the primary's region is not known.
    fn sent_to(&self, seen: &Seen) -> Option<Place> {
        if self.failover {
            return Some(self.place.clone());
        }
        let (region, _) = arn(primary(seen.global.as_ref()?)?)?;
        self.aws.place(region).ok()
    }

    pub(super) fn member<'s>(&self, seen: &'s Seen) -> Option<&'s GlobalClusterMember> {
        let own = seen.cluster.db_cluster_arn();
        let members = seen.global.as_ref()?.global_cluster_members();
        members.iter().find(|member| member.db_cluster_arn() == own)
    }

    fn part(&self, seen: &Seen) -> &'static str {
        match self.member(seen).map(|member| member.is_writer() == Some(true)) {
            Some(true) => "primary",
            Some(false) => "secondary",
            None => "none",
        }
    }
}

impl RoleChange for Global {
    type Seen = Seen;

    fn needs(&self, permission: &str) -> bool {
        match permission {
            "rds:SwitchoverGlobalCluster" => !self.failover,
            "rds:FailoverGlobalCluster" => self.failover,
            other => matches!(other, "rds:DescribeDBClusters" | "rds:DescribeGlobalClusters"),
        }
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
        let how = if self.failover { "failover" } else { "switchover" };
        format!("{how} of {} to {}", self.global, self.id)
    }

    fn call(&self, seen: Option<&Seen>) -> String {
        let loss = if self.failover { " AllowDataLoss=TRUE (DATA LOSS IS ALLOWED)" } else { "" };
        format!(
            "rds:{} GlobalClusterIdentifier={} TargetDbClusterIdentifier={}{loss}",
            self.operation(),
            self.global,
            self.arn_of(seen)
        )
    }

    fn command(&self, seen: Option<&Seen>) -> String {
        let arn = self.arn_of(seen);
        let place = seen.and_then(|seen| self.sent_to(seen));
        let region = match (&place, self.failover) {
            (Some(place), _) => &place.region,
            (None, true) => &self.place.region,
            (None, false) => "REGION-OF-THE-PRIMARY",
        };
        let operation = if self.failover { "failover-global-cluster" } else { "switchover-global-cluster" };
        let mut words = vec!["rds", operation, "--global-cluster-identifier", &self.global];
        words.extend(["--target-db-cluster-identifier", &arn]);
        words.extend(self.failover.then_some("--allow-data-loss"));
        command(Some(region), &words)
    }

    fn look_command(&self) -> String {
        let query = "GlobalClusters[0].[Status,FailoverState,GlobalClusterMembers[].[DBClusterArn,IsWriter]]";
        let words = [
            "rds",
            "describe-global-clusters",
            "--global-cluster-identifier",
            &self.global,
            "--query",
            query,
        ];
        command(Some(&self.place.region), &words)
    }

    async fn read(&self, connection: &Connection) -> Result<Option<Seen>, AwsError> {
        let Some(cluster) = target::cluster(connection, &self.id).await? else { return Ok(None) };
        let call = Call::new("rds:DescribeGlobalClusters", &self.global);
        let request = connection.rds().describe_global_clusters().global_cluster_identifier(&self.global);
        let global = match connection.call(&call, request.send()).await {
            Ok(found) => found.global_clusters.unwrap_or_default().into_iter().next(),
            Err(error) if error.kind == AwsErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Some(Seen { cluster, global }))
    }

    async fn target(&self, connection: &Connection, seen: &Seen) -> Result<Target, AwsError> {
        let mut target = target::of_cluster(connection, &seen.cluster).await?;
        target.identity.push((PART.into(), self.part(seen).into()));
        if let Some(primary) = seen.global.as_ref().and_then(primary) {
            target.identity.push(("primary of the global database".into(), clean(primary, 300)));
        }
        Ok(target)
    }

    async fn misnamed(&self, connection: &Connection) -> Option<String> {
        misnamed(connection, &self.id).await
    }

    async fn send(&self, seen: &Seen) -> Result<(), AwsError> {
        let permission =
            if self.failover { "rds:FailoverGlobalCluster" } else { "rds:SwitchoverGlobalCluster" };
        let call = Call::new(permission, &self.global);
        let Some(place) = self.sent_to(seen) else {
            let why = "the region of the primary cannot be read from its ARN";
            return Err(AwsError::new(&call, AwsErrorKind::Refused, why));
        };
        let (writer, arn) = (place.writer().await, self.arn_of(Some(seen)));
        if self.failover {
            let request = writer.rds().failover_global_cluster().global_cluster_identifier(&self.global);
            let request = request.target_db_cluster_identifier(arn).allow_data_loss(true);
            return writer.call(&call, request.send()).await.map(|_| ());
        }
        let request = writer.rds().switchover_global_cluster().global_cluster_identifier(&self.global);
        let request = request.target_db_cluster_identifier(arn);
        writer.call(&call, request.send()).await.map(|_| ())
    }

    fn resource_id<'s>(&self, seen: &'s Seen) -> Option<&'s str> {
        seen.cluster.db_cluster_resource_id()
    }

    fn wrong_role(&self, seen: &Seen) -> Option<Problem> {
        match self.part(seen) {
            "secondary" => not_the_arn(&self.named, seen.cluster.db_cluster_arn(), self.operation()),
            "primary" => Some(Problem::new(
                format!("it is already the primary of {}: {} was not sent", self.global, self.operation()),
                "Find out who made it the primary, and whether the old one still takes writes. Then attest the step.",
            )),
            _ => Some(Problem::new(
                format!("{}: {} was not sent", self.missing(seen), self.operation()),
                "Correct the names in the plan.",
            )),
        }
    }

    fn wrong_state(&self, seen: &Seen) -> Option<Problem> {
        if let Some(going) = seen.global.as_ref().and_then(operation_in_progress) {
            return Some(Problem::new(
                format!("{going}: {} was not sent", self.operation()),
                format!("Watch `{}` until that ended, then confirm the step again.", self.look_command()),
            ));
        }
        let status = status(&seen.cluster);
        if dead_end(&status) {
            let why = format!("its status is {status}: {} was not sent", self.operation());
            return Some(Problem::new(
                why,
                next_step(&status, &events(self.kind(), &self.id, &self.place.region)),
            ));
        }
        if !ready(&status) {
            return Some(wrong_status(&status, self.operation(), &self.look_command()));
        }
        seen.cluster.db_cluster_members().is_empty().then(|| {
            Problem::new(
                format!("it has no instance that could take writes: {} was not sent", self.operation()),
                "Create an instance in it first (`aws rds create-db-instance --db-cluster-identifier …`).",
            )
        })
    }

    fn was_due(&self, expected: &Target) -> bool {
        expected.property(PART) == Some("secondary")
    }

    /// After a failover AWS rebuilds the other members, for hours perhaps: the new primary works before that ends.
    fn stage(&self, expected: &Target, seen: &Seen) -> Stage {
        let status = status(&seen.cluster);
        if dead_end(&status) {
            let way = next_step(&status, &events(self.kind(), &self.id, &self.place.region));
            return Stage::Lost(Problem::new(format!("its status is {status}"), way));
        }
        let Some(global) = seen.global.as_ref().filter(|_| self.member(seen).is_some()) else {
            let next = "Find out who took the global database apart, and which cluster takes writes.";
            return Stage::Lost(Problem::new(self.missing(seen), next));
        };
        let part = self.part(seen);
        let going = operation_in_progress(global);
        match (part, going) {
            ("primary", None) if serves(&status) => Stage::There(self.evidence(expected, seen, global)),
            ("primary", Some(_)) if self.failover && serves(&status) => {
                Stage::There(self.evidence(expected, seen, global))
            }
            ("primary", going) => {
                let going = going.map(|going| format!(", {going}")).unwrap_or_default();
                Stage::Going(format!("{status}, the primary{going}"))
            }
            (part, Some(going)) => Stage::Going(format!("{status}, still {part}, {going}")),
            (part, None) if serves(&status) => Stage::NotBegun(format!("{status}, still {part}")),
            (part, None) => Stage::Going(format!("{status}, still {part}")),
        }
    }

    fn notes(&self, seen: &Seen) -> Vec<String> {
        seen.global.as_ref().map(|global| self.words(seen, global)).unwrap_or_default()
    }

    fn checks(&self, seen: &Seen) -> Vec<Check> {
        let mut checks: Vec<Check> = headless(&seen.cluster).into_iter().collect();
        if self.failover {
            checks.push(Check::warn(
                "no write may be lost",
                "the plan allows data loss in this step",
                "Have a switchover for when both regions work.",
            ));
        }
        checks
    }
}
