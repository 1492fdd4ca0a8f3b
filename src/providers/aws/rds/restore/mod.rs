//! Restoring an RDS instance or cluster: what a point in time and a snapshot have in common.

pub mod checks;
pub mod database;
mod finish;
pub mod marks;
pub mod moment;
pub mod wanted;

use crate::base::problem::Problem;
pub use database::{Database, DatabaseKind};
pub use wanted::Wanted;

use crate::base::text::ended;
use crate::core::words::action::{Done, Failure, ManualCard, Proof, Target};
use crate::core::words::preflight::Check;
use crate::kinds::action::{Change, Confirmed, Context, Shown, Unread};
use crate::providers::aws::client::{AwsError, Connection, Place};
use crate::providers::aws::request::Request;
use aws_sdk_rds::types::Tag;

/// What a database is made from.
pub trait Backup: Send + Sync {
    /// What is there now; none where there is no such thing.
    fn inspect(
        &self,
        reader: &Connection,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Option<Seen>, AwsError>> + Send;
    /// Why there is nothing to restore from, when [`Self::inspect`] found nothing.
    fn missing(&self, wanted: &Wanted) -> Problem;
    /// The call; what was not looked at is a word in capitals.
    fn request(&self, wanted: &Wanted, seen: Option<&Seen>) -> Request;
    /// Sends the call.
    fn send(
        &self,
        writer: &Connection,
        wanted: &Wanted,
        seen: &Seen,
        tags: Vec<Tag>,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
    /// Whether the plan leaves something open that is filled in when the step runs.
    fn is_open(&self) -> bool;
    /// Commands that a person needs before the call, to fill it in.
    fn finding(&self, wanted: &Wanted, region: &str) -> Vec<String>;
}

/// A backup as it is in the world.
pub struct Seen {
    /// What must not change between confirmation and execution.
    pub identity: Vec<(String, String)>,
    /// What else to know.
    pub notes: Vec<String>,
    /// Why it cannot be restored, if it cannot.
    pub refused: Option<Problem>,
    /// The name of the backup, where it is one (a snapshot).
    pub id: String,
    /// What it is of, for the tag: an ARN.
    pub source: String,
    /// The state that it gives, for the tag.
    pub state: String,
    /// Its engine.
    pub engine: String,
    /// The engine's version.
    pub version: String,
    /// The class of the instance that it is of, where that is known.
    pub class: Option<String>,
}

/// The action: makes a new database from a backup.
pub struct Restore<B> {
    /// Where.
    pub place: Place,
    /// How it shall be.
    pub wanted: Wanted,
    /// From what.
    pub backup: B,
}

impl<B: Backup> Change for Restore<B> {
    type Seen = (Seen, Vec<Database>);

    fn needs(&self, permission: &str) -> bool {
        let of_instance =
            ["rds:CreateDBInstance", "rds:DescribeDBInstances", "rds:DescribeOrderableDBInstanceOptions"];
        match self.wanted.sort {
            DatabaseKind::Instance => !permission.contains("Cluster") && permission != "rds:CreateDBInstance",
            DatabaseKind::Cluster if of_instance.contains(&permission) => self.wanted.class.is_some(),
            DatabaseKind::Cluster => {
                !permission.contains("DBInstance") && permission != "rds:DescribeDBSnapshots"
            }
        }
    }

    fn what(&self, _: &str) -> String {
        self.subject()
    }

    async fn unseen(&self) -> Target {
        Target::unseen(&self.wanted.target, &self.kind())
    }

    /// The backup, and what stands under the names that are taken.
    async fn read(&self) -> Result<(Target, Self::Seen), Unread> {
        let reader = self.place.reader().await;
        let (seen, taken) = futures::future::try_join(
            self.backup.inspect(&reader, &self.wanted),
            wanted::taken(&reader, &self.wanted),
        )
        .await?;
        let seen = seen.ok_or_else(|| Unread::Absent(self.backup.missing(&self.wanted)))?;
        let target = Target {
            name: self.wanted.target.clone(),
            kind: self.kind(),
            identity: seen.identity.clone(),
            reachable: true,
        };
        Ok((target, (seen, taken)))
    }

    fn show(&self, found: Option<&Self::Seen>) -> Shown {
        let mut notes = Vec::new();
        if let Some((seen, taken)) = found {
            notes.extend(seen.refused.as_ref().map(refuses));
            notes.extend(taken.iter().map(|found| format!("This step will refuse: {}", exists(found))));
            notes.extend(seen.notes.clone());
        }
        notes.extend(self.wanted.notes());
        let request = self.backup.request(&self.wanted, found.map(|(seen, _)| seen));
        Shown { notes, ..request.shown(&self.place.region) }
    }

    fn unread(&self, unread: Unread) -> Vec<String> {
        vec![match unread {
            Unread::Absent(refusal) => refuses(&refusal),
            unread => unread.note(),
        }]
    }

    /// What this very attempt made needs no second call, only its end.
    fn refuses(&self, (seen, taken): &Self::Seen, context: &Context) -> Option<Problem> {
        match taken.iter().find(|found| !marks::made_by(&found.tags, &context.token)) {
            Some(other) => Some(Problem::new(
                exists(other),
                "Nothing was done. Give the step another `target`, or find out whose it is and delete or rename it.",
            )),
            None => seen.refused.clone().filter(|_| taken.is_empty()),
        }
    }

    async fn send(&self, confirmed: Confirmed<'_, Self::Seen>, context: &Context) -> Result<Done, Failure> {
        let (seen, taken) = confirmed.seen;
        if taken.is_empty() {
            (context.output)(&self.backup.request(&self.wanted, Some(&seen)).words());
            let tags = marks::tags(&context.token, &seen.source, Some(&seen.state));
            let writer = self.place.writer().await;
            let sent = self.backup.send(&writer, &self.wanted, &seen, tags).await;
            sent.map_err(|error| error.of_change(confirmed.what))?;
        }
        finish::wait(self, &seen, context).await
    }

    async fn prove(&self, _: &Target, context: &Context) -> Result<Proof, Failure> {
        let reader = self.place.reader().await;
        finish::prove(&reader, &self.wanted, &self.subject(), &context.token).await
    }

    fn manual(&self) -> ManualCard {
        let (wanted, region) = (&self.wanted, &self.place.region);
        let mut instructions = self.backup.finding(wanted, region);
        instructions.push(self.backup.request(wanted, None).command(region));
        instructions.push(waiter(wanted.sort, &wanted.target, region));
        if let (Some(first), Some(create)) = (wanted.first_instance(), wanted.create_first("ENGINE")) {
            instructions.push(create.command(region));
            instructions.push(waiter(DatabaseKind::Instance, &first, region));
        }
        let shown = match wanted.sort {
            DatabaseKind::Instance => {
                Request::rds("DescribeDBInstances").with("DBInstanceIdentifier", &wanted.target)
            }
            DatabaseKind::Cluster => {
                Request::rds("DescribeDBClusters").with("DBClusterIdentifier", &wanted.target)
            }
        };
        let check = format!(
            "`{}` shows `available` and an endpoint; connect to it and look at the newest rows.",
            shown.command(region)
        );
        ManualCard { instructions, check }
    }

    async fn checks(&self) -> Vec<Check> {
        checks::of_restore(self).await
    }
}

impl<B: Backup> Restore<B> {
    fn subject(&self) -> String {
        format!("restore of {} to {}", self.wanted.source, self.wanted.target)
    }

    fn kind(&self) -> String {
        format!("new {}", self.wanted.sort.kind())
    }
}

/// What stands in the way.
fn exists(found: &Database) -> String {
    format!("{} exists already: {}", found.id, found.words())
}

fn refuses(refusal: &Problem) -> String {
    format!("This step will refuse: {} {}", ended(&refusal.why), refusal.next)
}

/// The command that waits until it can be used.
fn waiter(sort: DatabaseKind, id: &str, region: &str) -> String {
    let words = match sort {
        DatabaseKind::Instance => ["rds", "wait", "db-instance-available", "--db-instance-identifier", id],
        DatabaseKind::Cluster => ["rds", "wait", "db-cluster-available", "--db-cluster-identifier", id],
    };
    crate::providers::aws::action::command(Some(region), &words)
}
