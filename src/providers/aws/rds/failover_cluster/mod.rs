//! `rds-failover-cluster`: makes a reader of a cluster its writer, in the same region.
//! <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_FailoverDBCluster.html>

mod seen;

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::Target;
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Changing};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, command, place};
use crate::providers::aws::client::{AwsError, Call, Connection, Place};
use crate::providers::aws::rds::change::{Role, RoleChange, Stage};
use crate::providers::aws::rds::names;
use crate::providers::aws::rds::names::events;
use crate::providers::aws::rds::status::{dead_end, next_step, ready, serves};
use crate::providers::aws::rds::target;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::Filter;
use seen::Seen;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "rds-failover-cluster",
    does: Does::Changes,
    simulated_target: "RDS database",
    sets: &[],
    doc: "Fails an Aurora or Multi-AZ cluster over to one of its readers (`FailoverDBCluster`): for a writer or a zone \
          that is lost, not for a region. It refuses a cluster without a reader that is available, a target that is \
          no reader of it, and a cluster whose writer changed since it was confirmed. The call is sent once; then it \
          waits within the step's `timeout`, with each status shown. The proof: the same cluster, available, with \
          another writer than the confirmed one, or with the target where one is given.",
    keys: &[
        REGION,
        Key::required("cluster", Takes::Text, "The cluster's identifier."),
        Key::optional(
            "target_instance",
            Takes::Text,
            "The reader that becomes the writer; AWS takes the one of the best promotion tier where absent.",
        ),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &["rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:FailoverDBCluster"],
    example: r#"[[runbooks.example.steps]]
id = "database-failover"
title = "Fail the database over to its replica"
action = "rds-failover-cluster"
with.region = "us-west-2"
with.cluster = "market-scanning-prod"
with.target_instance = "market-scanning-prod-replica-1"
confirm = "type"
estimate = "1m"
timeout = "5m"
"#,
    call: |params| {
        let text = |key| params.text(key).unwrap_or_default();
        let to = params.text("target_instance").map(|target| format!(" to {target}")).unwrap_or_default();
        format!("rds:FailoverDBCluster {}{to} in {}", text("cluster"), text("region"))
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    names::identifier(params, "cluster")?;
    Ok(Box::new(Changing(Role(Failover {
        place: place(params, clients)?,
        id: params.require_text("cluster")?.to_owned(),
        to: names::identifier(params, "target_instance")?,
    }))))
}

struct Failover {
    place: Place,
    id: String,
    to: Option<String>,
}

impl RoleChange for Failover {
    type Seen = Seen;

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
        let to = self.to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
        format!("failover of cluster {}{to}", self.id)
    }
    fn call(&self, _: Option<&Seen>) -> String {
        let to = self.to.as_ref().map(|to| format!(" TargetDBInstanceIdentifier={to}")).unwrap_or_default();
        format!("rds:FailoverDBCluster DBClusterIdentifier={}{to}", self.id)
    }
    fn command(&self, _: Option<&Seen>) -> String {
        let mut words = vec!["rds", "failover-db-cluster", "--db-cluster-identifier", &self.id];
        words.extend(self.to.iter().flat_map(|to| ["--target-db-instance-identifier", to]));
        command(Some(&self.place.region), &words)
    }
    fn look_command(&self) -> String {
        let query = "DBClusters[0].[Status,DBClusterMembers[].[DBInstanceIdentifier,IsClusterWriter]]";
        let words = ["rds", "describe-db-clusters", "--db-cluster-identifier", &self.id, "--query", query];
        command(Some(&self.place.region), &words)
    }

    async fn read(&self, connection: &Connection) -> Result<Option<Seen>, AwsError> {
        let Some(cluster) = target::cluster(connection, &self.id).await? else { return Ok(None) };
        let call = Call::new("rds:DescribeDBInstances", &self.id);
        let filter = Filter::builder().name("db-cluster-id").values(&self.id).build();
        let request = connection.rds().describe_db_instances().filters(filter);
        let found = connection.call(&call, request.send()).await?;
        Ok(Some(Seen { cluster, instances: found.db_instances.unwrap_or_default() }))
    }

    async fn target(&self, connection: &Connection, seen: &Seen) -> Result<Target, AwsError> {
        target::of_cluster(connection, &seen.cluster).await
    }

    async fn misnamed(&self, connection: &Connection) -> Option<String> {
        let instance = target::instance(connection, &self.id).await.ok().flatten()?;
        let cluster = instance.db_cluster_identifier().filter(|cluster| !cluster.is_empty());
        Some(match cluster {
            Some(cluster) => {
                format!("that is the name of an instance of the cluster {}", clean(cluster, 200))
            }
            None => "that is the name of an instance without a cluster, which has no readers to fail over to"
                .into(),
        })
    }

    async fn send(&self, _: &Seen) -> Result<(), AwsError> {
        let writer = self.place.writer().await;
        let call = Call::new("rds:FailoverDBCluster", &self.id);
        let request = writer.rds().failover_db_cluster().db_cluster_identifier(&self.id);
        let request = request.set_target_db_instance_identifier(self.to.clone());
        writer.call(&call, request.send()).await.map(|_| ())
    }

    fn resource_id<'s>(&self, seen: &'s Seen) -> Option<&'s str> {
        seen.cluster.db_cluster_resource_id()
    }

    fn wrong_role(&self, seen: &Seen) -> Option<Problem> {
        let not_sent = "FailoverDBCluster was not sent";
        if seen.readers().next().is_none() {
            return Some(Problem::new(
                format!("it has no reader that could become the writer: {not_sent}"),
                "Create an instance in it, or restore it (`rds-restore-pitr`).",
            ));
        }
        let to = self.to.as_deref()?;
        if seen.writer() == Some(to) {
            return Some(Problem::new(
                format!("{to} is already its writer: {not_sent}"),
                "Find out who failed it over. If that is what the step is for, attest it.",
            ));
        }
        (!seen.readers().any(|reader| reader == to)).then(|| {
            Problem::new(
                format!("{to} is no reader of it: {not_sent}; its readers are {}", seen.all_readers()),
                "Correct `target_instance` in the plan.",
            )
        })
    }

    fn wrong_state(&self, seen: &Seen) -> Option<Problem> {
        let status = seen.status();
        if !ready(&status) && status != "backing-up" {
            let next = match dead_end(&status) {
                true => next_step(&status, &events(self.kind(), &self.id, &self.place.region)),
                false => {
                    format!("Watch `{}` until it is available, then confirm it again.", self.look_command())
                }
            };
            return Some(Problem::new(
                format!("its status is {status}: FailoverDBCluster was not sent"),
                next,
            ));
        }
        let could = |reader: &str| serves(&seen.instance_status(reader));
        let works = match self.to.as_deref() {
            Some(to) => could(to),
            None => seen.readers().any(could),
        };
        (!works).then(|| {
            Problem::new(
                format!("no reader that it could become is available: {}", seen.all_readers()),
                "Wait until one is (`rds-wait`), or give another `target_instance`.",
            )
        })
    }

    fn was_due(&self, expected: &Target) -> bool {
        expected.property("writer").is_some_and(|writer| self.to.as_deref() != Some(writer))
    }

    fn stage(&self, expected: &Target, seen: &Seen) -> Stage {
        let status = seen.status();
        if dead_end(&status) {
            let way = next_step(&status, &events(self.kind(), &self.id, &self.place.region));
            return Stage::Lost(Problem::new(format!("its status is {status}"), way));
        }
        let before = expected.property("writer");
        let writer = seen.writer();
        let shown = clean(writer.unwrap_or("none"), 200);
        let over = serves(&status);
        match (writer, &self.to) {
            _ if !over => Stage::Going(format!("{status}, the writer is {shown}")),
            (None, _) => Stage::Going(format!("{status}, and it has no writer")),
            (writer, Some(to)) if writer == before && writer != Some(to) => {
                Stage::NotBegun(format!("{status}, the writer is still {shown}"))
            }
            (writer, None) if writer == before => {
                Stage::NotBegun(format!("{status}, the writer is still {shown}"))
            }
            (writer, Some(to)) if writer != Some(to) => Stage::Lost(Problem::new(
                format!("the writer is {shown}, neither the one before nor {to}"),
                "It works. Fail it over again only if it must be that one.",
            )),
            _ => Stage::There(vec![
                format!("the writer is {shown}, was {}", before.unwrap_or("not read")),
                format!("the cluster's status is {status}"),
                format!("its resource id is {}, as before", self.resource_id(seen).unwrap_or_default()),
            ]),
        }
    }

    fn notes(&self, seen: &Seen) -> Vec<String> {
        let writer = seen.writer().map_or("none".to_owned(), |writer| seen.words(writer));
        let mut notes = vec![
            format!("The writer is {writer}."),
            format!("Readers: {}.", seen.all_readers()),
            format!("The cluster's status is {}.", seen.status()),
        ];
        if self.to.is_none() {
            notes.push("AWS chooses the reader: best promotion tier first, then the largest.".into());
        }
        notes
            .push("Connections break, and writes are refused, for a minute or less; nothing is lost.".into());
        notes
    }

    fn checks(&self, seen: &Seen) -> Vec<Check> {
        let zone = |id: &str| {
            let found = seen.instances.iter().find(|instance| instance.db_instance_identifier() == Some(id));
            found.and_then(|found| found.availability_zone()).map(str::to_owned)
        };
        let Some(own) = seen.writer().and_then(zone) else { return Vec::new() };
        let what = "a reader is in another zone than the writer";
        vec![match seen.readers().filter_map(zone).any(|zone| zone != own) {
            true => Check::pass(what, format!("the writer is in {}", clean(&own, 40))),
            false => Check::warn(
                what,
                format!("all are in {}", clean(&own, 40)),
                "Add a reader in another zone: a zone that is lost takes all of them.",
            ),
        }]
    }
}

#[cfg(test)]
mod tests;
