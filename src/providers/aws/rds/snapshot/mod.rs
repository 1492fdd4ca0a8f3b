//! `rds-snapshot`: a snapshot of an instance or cluster, taken now.

mod finish;

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Built, Change, Changing, Confirmed, Context, Shown, Unread};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ActionKind, Does};
use crate::plan::params::Params;
use crate::providers::aws::action::{REGION, place};
use crate::providers::aws::client::{AwsError, Call, Connection, Place};
use crate::providers::aws::rds::restore::wanted::{is_open, refuse};
use crate::providers::aws::rds::restore::{DatabaseKind, marks};
use crate::providers::aws::rds::restore_snapshot::snapshot::{Snapshot, named};
use crate::providers::aws::rds::{names, target};
use crate::providers::aws::request::Request;
use crate::providers::clients::Clients;
use aws_sdk_rds::types::Tag;

/// The kind.
pub static KIND: ActionKind = ActionKind {
    name: "rds-snapshot",
    does: Does::Copies,
    simulated_target: "RDS database",
    sets: &[],
    doc: "Takes a snapshot of an RDS instance or cluster and waits until it is available. The name that the plan does \
          not give is made from the database's name and the attempt, so that a snapshot whose answer was lost is found \
          again. The proof: the snapshot is available and carries this attempt's tag `lifeboat:token`.",
    keys: &[
        REGION,
        Key::optional("instance", Takes::Text, "The RDS instance. This or `cluster`."),
        Key::optional("cluster", Takes::Text, "The cluster. This or `instance`."),
        Key::optional("snapshot", Takes::Text, "Name of the snapshot; made from the attempt where absent."),
    ],
    changes: true,
    verifies: true,
    verifies_with: None,
    permissions: &[
        "rds:CreateDBSnapshot",
        "rds:CreateDBClusterSnapshot",
        "rds:AddTagsToResource",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusters",
    ],
    example: r#"[[runbooks.example.steps]]
id = "snapshot"
title = "Take a snapshot before anything is changed"
action = "rds-snapshot"
with.region = "us-west-2"
with.instance = "arka-db-dr-replica"
confirm = "yes"
estimate = "5m"
timeout = "30m"
"#,
    call: |params| {
        let (sort, id) = match params.text("cluster") {
            Some(cluster) => ("Cluster", cluster),
            None => ("", params.text("instance").unwrap_or_default()),
        };
        format!("rds:CreateDB{sort}Snapshot of {id}")
    },
};

pub(crate) fn build(params: &Params, clients: &Clients) -> Built {
    let id = |key: &str| names::identifier(params, key);
    let (sort, source) = match (id("instance")?, id("cluster")?) {
        (Some(id), None) => (DatabaseKind::Instance, id),
        (None, Some(id)) => (DatabaseKind::Cluster, id),
        (instance, _) => return Err(refuse("instance", instance, "give it or `cluster`, one of them")),
    };
    Ok(Box::new(Changing(TakeSnapshot {
        place: place(params, clients)?,
        sort,
        source,
        snapshot: params.text("snapshot").map(str::to_owned),
    })))
}

struct TakeSnapshot {
    place: Place,
    sort: DatabaseKind,
    source: String,
    snapshot: Option<String>,
}

/// The database as it is now.
struct Seen {
    status: String,
    arn: String,
    notes: Vec<String>,
    /// What has the plan's name for the snapshot already.
    other: Option<Snapshot>,
}

impl Change for TakeSnapshot {
    type Seen = Seen;

    fn needs(&self, permission: &str) -> bool {
        permission == "rds:AddTagsToResource"
            || permission.contains("Cluster") == (self.sort == DatabaseKind::Cluster)
    }

    fn what(&self, _: &str) -> String {
        self.subject()
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.source, self.sort.kind())
    }

    async fn read(&self) -> Result<(Target, Seen), Unread> {
        self.inspect().await?.ok_or_else(|| {
            let next = "Check name and region in the plan, or take it by hand.";
            Unread::Absent(Problem::new(self.missing(), next))
        })
    }

    fn show(&self, seen: Option<&Seen>) -> Shown {
        let mut notes = seen.map(|seen| seen.notes.clone()).unwrap_or_default();
        let other = seen.and_then(|seen| seen.other.as_ref());
        notes.extend(other.map(|other| format!("This step will refuse: {}", exists(other))));
        let shown = self.request(self.snapshot.as_deref().unwrap_or("(made from the attempt)"));
        let command = self.request(&self.name_by_hand()).command(&self.place.region);
        Shown { call: shown.words(), command, notes, ..Shown::default() }
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        vec![unread.note()]
    }

    async fn send(&self, confirmed: Confirmed<'_, Seen>, context: &Context) -> Result<Done, Failure> {
        let (what, id) = (&*confirmed.what, self.name(&context.token));
        let reader = self.place.reader().await;
        match named(&reader, self.sort, &id).await.map_err(|error| error.not_done(what))? {
            Some(found) if marks::made_by(&found.tags, &context.token) => {}
            Some(other) => {
                let next =
                    "Nothing was done. Give the step another `snapshot`, with a time or the incident in it.";
                return Err(Failure::not_done(what, exists(&other), next));
            }
            None => {
                (context.output)(&self.request(&id).words());
                let tags = marks::tags(&context.token, &confirmed.seen.arn, None);
                let writer = self.place.writer().await;
                self.ask(&writer, &id, tags).await.map_err(|error| error.of_change(what))?;
            }
        }
        self.until_available(&reader, &id, context).await
    }

    async fn prove(&self, _: &Target, context: &Context) -> Result<Proof, Failure> {
        self.proof(context).await
    }

    fn manual(&self) -> ManualCard {
        let (id, region) = (self.name_by_hand(), &self.place.region);
        let (waiter, operation, key) = match self.sort {
            DatabaseKind::Instance => {
                ("db-snapshot-available", "DescribeDBSnapshots", "DBSnapshotIdentifier")
            }
            DatabaseKind::Cluster => {
                ("db-cluster-snapshot-available", "DescribeDBClusterSnapshots", "DBClusterSnapshotIdentifier")
            }
        };
        let option = match self.sort {
            DatabaseKind::Instance => "--db-snapshot-identifier",
            DatabaseKind::Cluster => "--db-cluster-snapshot-identifier",
        };
        let show = Request::rds(operation).with(key, &id).command(region);
        ManualCard {
            instructions: vec![
                self.request(&id).command(region),
                crate::providers::aws::action::command(Some(region), &["rds", "wait", waiter, option, &id]),
            ],
            check: format!("`{show}` shows `available`, 100 percent."),
        }
    }

    async fn checks(&self) -> Vec<Check> {
        let what = format!("a snapshot of {} can be taken", self.source);
        let next = "Check the plan's names and region; a snapshot needs an available database.";
        vec![match self.inspect().await {
            Ok(Some((_, Seen { other: Some(other), .. }))) => {
                Check::fail(what, exists(&other), "Give the step another `snapshot`.")
            }
            Ok(Some((_, seen))) if seen.status == "available" => Check::pass(what, "it is available"),
            Ok(Some((_, seen))) => Check::fail(what, format!("it is {}", seen.status), next),
            Ok(None) => Check::fail(what, self.missing(), next),
            Err(error) => Check::fail(what, error.to_string(), error.next_step()),
        }]
    }
}

impl TakeSnapshot {
    fn subject(&self) -> String {
        format!("snapshot of {}", self.source)
    }

    fn missing(&self) -> String {
        format!("there is no {} {}", self.sort.kind(), self.source)
    }

    fn request(&self, id: &str) -> Request {
        match self.sort {
            DatabaseKind::Instance => Request::rds("CreateDBSnapshot")
                .with("DBInstanceIdentifier", &self.source)
                .with("DBSnapshotIdentifier", id),
            DatabaseKind::Cluster => Request::rds("CreateDBClusterSnapshot")
                .with("DBClusterIdentifier", &self.source)
                .with("DBClusterSnapshotIdentifier", id),
        }
    }

    fn name(&self, token: &str) -> String {
        self.snapshot.clone().unwrap_or_else(|| name_of(&self.source, token))
    }

    fn name_by_hand(&self) -> String {
        self.snapshot.clone().unwrap_or_else(|| name_of(&self.source, "by-hand"))
    }

    /// The database, and what has the plan's name for the snapshot already.
    async fn inspect(&self) -> Result<Option<(Target, Seen)>, AwsError> {
        let reader = self.place.reader().await;
        let other = async {
            match &self.snapshot {
                Some(id) if !is_open(id) => named(&reader, self.sort, id).await,
                _ => Ok(None),
            }
        };
        let (seen, other) = futures::future::try_join(self.database(&reader), other).await?;
        Ok(seen.map(|(target, seen)| (target, Seen { other, ..seen })))
    }

    async fn database(&self, reader: &Connection) -> Result<Option<(Target, Seen)>, AwsError> {
        let (target, status, arn, single) = match self.sort {
            DatabaseKind::Instance => {
                let Some(found) = target::instance(reader, &self.source).await? else { return Ok(None) };
                let target = target::of_instance(reader, &found).await?;
                let single = found.multi_az() != Some(true);
                (target, found.db_instance_status, found.db_instance_arn, single)
            }
            DatabaseKind::Cluster => {
                let Some(found) = target::cluster(reader, &self.source).await? else { return Ok(None) };
                let target = target::of_cluster(reader, &found).await?;
                (target, found.status, found.db_cluster_arn, false)
            }
        };
        let status = clean(status.as_deref().unwrap_or("unknown"), 100);
        let mut notes = vec![format!("It is {status}; its data are not changed.")];
        if status != "available" {
            notes.push("AWS takes a snapshot of an available database only: it may refuse.".into());
        }
        if single {
            notes.push(
                "It has no standby: I/O can stand still for seconds to minutes when the snapshot begins."
                    .into(),
            );
        }
        let arn = clean(arn.as_deref().unwrap_or(&self.source), 300);
        Ok(Some((target, Seen { status, arn, notes, other: None })))
    }

    async fn ask(&self, writer: &Connection, id: &str, tags: Vec<Tag>) -> Result<(), AwsError> {
        match self.sort {
            DatabaseKind::Instance => {
                let ask = writer.rds().create_db_snapshot().db_instance_identifier(&self.source);
                let send = ask.db_snapshot_identifier(id).set_tags(Some(tags)).send();
                writer.call(&Call::new("rds:CreateDBSnapshot", &self.source), send).await.map(drop)
            }
            DatabaseKind::Cluster => {
                let ask = writer.rds().create_db_cluster_snapshot().db_cluster_identifier(&self.source);
                let send = ask.db_cluster_snapshot_identifier(id).set_tags(Some(tags)).send();
                writer.call(&Call::new("rds:CreateDBClusterSnapshot", &self.source), send).await.map(drop)
            }
        }
    }
}

fn exists(snapshot: &Snapshot) -> String {
    format!("a snapshot {} of {} exists already, {}", snapshot.id, snapshot.of, snapshot.status)
}

/// A name that AWS takes: a letter first, letters, digits and single hyphens, none at the end.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html>
fn name_of(source: &str, token: &str) -> String {
    const MAX_CHARS: usize = 255;
    let text = format!("lifeboat-{source}-{token}").to_ascii_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(MAX_CHARS).collect();
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_aws_takes_and_differs_by_attempt() {
        let name = name_of("arka-db", "2026-03-01T12:00:00Z/1/before--change/1");
        assert_eq!(name, "lifeboat-arka-db-2026-03-01t12-00-00z-1-before-change-1");
        assert_ne!(name, name_of("arka-db", "2026-03-01T12:00:00Z/1/before--change/2"));
        let long = name_of("arka-db", &"x/".repeat(300));
        assert!(long.len() <= 255 && !long.ends_with('-'));
    }
}
