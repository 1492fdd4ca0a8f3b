//! One look at what is waited for, and what its status means for the wait.

use super::RdsWait;
use crate::base::text::clean;
use crate::providers::aws::action::LOOK;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection};
use crate::providers::aws::rds::status::{dead_end, ready};
use crate::providers::aws::rds::target;

#[derive(Clone, Copy)]
pub(super) enum Thing {
    Instance,
    Cluster,
    Snapshot,
    ClusterSnapshot,
}

impl Thing {
    pub(super) fn permission(self) -> &'static str {
        match self {
            Self::Instance => "rds:DescribeDBInstances",
            Self::Cluster => "rds:DescribeDBClusters",
            Self::Snapshot => "rds:DescribeDBSnapshots",
            Self::ClusterSnapshot => "rds:DescribeDBClusterSnapshots",
        }
    }

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Instance => target::INSTANCE,
            Self::Cluster => target::CLUSTER,
            Self::Snapshot => "RDS snapshot",
            Self::ClusterSnapshot => "RDS cluster snapshot",
        }
    }

    /// As in `aws rds wait db-instance-available --db-instance-identifier …`.
    pub(super) fn cli(self) -> &'static str {
        match self {
            Self::Instance => "db-instance",
            Self::Cluster => "db-cluster",
            Self::Snapshot => "db-snapshot",
            Self::ClusterSnapshot => "db-cluster-snapshot",
        }
    }
}

/// Where a status leaves the wait.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Standing {
    Reached,
    Waiting,
    /// It will not get there.
    Stuck,
}

/// Judges a status; none is that there is no such thing.
pub(super) fn standing(status: Option<&str>, gone: bool) -> Standing {
    match status {
        None if gone => Standing::Reached,
        None => Standing::Stuck,
        Some(_) if gone => Standing::Waiting,
        Some(status) if ready(status) => Standing::Reached,
        Some(status) if dead_end(status) => Standing::Stuck,
        Some(_) => Standing::Waiting,
    }
}

/// A look with its words (`creating, 40 %`).
pub(super) struct Look {
    pub(super) status: Option<String>,
    pub(super) words: String,
    pub(super) arn: Option<String>,
}

impl Look {
    pub(super) fn of(status: Option<&str>, percent: Option<i32>, arn: Option<&str>) -> Self {
        let status = clean(status.unwrap_or("not known"), 60);
        let words = match percent.filter(|percent| *percent < 100) {
            Some(percent) => format!("{status}, {percent} %"),
            None => status.clone(),
        };
        Self { status: Some(status), words, arn: arn.map(|arn| clean(arn, 300)) }
    }

    pub(super) fn absent() -> Self {
        Self { status: None, words: "not there".into(), arn: None }
    }
}

impl RdsWait {
    pub(super) async fn look(&self) -> Result<Look, AwsError> {
        let reader = self.place.reader().await;
        match self.thing {
            Thing::Instance => {
                Ok(target::instance(&reader, &self.id).await?.map_or_else(Look::absent, |found| {
                    Look::of(found.db_instance_status(), None, found.db_instance_arn())
                }))
            }
            Thing::Cluster => {
                Ok(target::cluster(&reader, &self.id).await?.map_or_else(Look::absent, |found| {
                    let percent = found.percent_progress().and_then(|percent| percent.parse().ok());
                    Look::of(found.status(), percent, found.db_cluster_arn())
                }))
            }
            Thing::Snapshot => self.snapshot(&reader).await,
            Thing::ClusterSnapshot => self.cluster_snapshot(&reader).await,
        }
    }

    async fn snapshot(&self, reader: &Connection) -> Result<Look, AwsError> {
        let call = Call::new("rds:DescribeDBSnapshots", &self.id);
        let request = reader.rds().describe_db_snapshots().db_snapshot_identifier(&self.id);
        match reader.call(&call, request.send()).await {
            Ok(found) => Ok(found.db_snapshots().first().map_or_else(Look::absent, |found| {
                Look::of(found.status(), found.percent_progress(), found.db_snapshot_arn())
            })),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(Look::absent()),
            Err(error) => Err(error),
        }
    }

    async fn cluster_snapshot(&self, reader: &Connection) -> Result<Look, AwsError> {
        let call = Call::new("rds:DescribeDBClusterSnapshots", &self.id);
        let request = reader.rds().describe_db_cluster_snapshots().db_cluster_snapshot_identifier(&self.id);
        match reader.call(&call, request.send()).await {
            Ok(found) => Ok(found.db_cluster_snapshots().first().map_or_else(Look::absent, |found| {
                Look::of(found.status(), found.percent_progress(), found.db_cluster_snapshot_arn())
            })),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(Look::absent()),
            Err(error) => Err(error),
        }
    }

    /// A look within the time that a description has.
    pub(super) async fn looked(&self) -> Result<Look, AwsError> {
        match tokio::time::timeout(LOOK, self.look()).await {
            Ok(looked) => looked,
            Err(_) => {
                let call = Call::new("rds:Describe", &self.id);
                let why = format!("no answer within {} s", LOOK.as_secs());
                Err(AwsError::new(&call, AwsErrorKind::Timeout, why))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_ends_the_wait_goes_on_or_never_gets_there() {
        use Standing::*;
        for (status, gone, expected) in [
            (Some("available"), false, Reached),
            (Some("storage-optimization"), false, Reached),
            (Some("creating"), false, Waiting),
            (Some("incompatible-restore"), false, Stuck),
            (Some("failed"), false, Stuck),
            (None, false, Stuck),
            (None, true, Reached),
            (Some("deleting"), true, Waiting),
            (Some("deleting"), false, Stuck),
        ] {
            assert_eq!(standing(status, gone), expected, "{status:?} {gone}");
        }
    }

    #[test]
    fn progress_is_told_until_it_is_complete() {
        assert_eq!(Look::of(Some("creating"), Some(40), None).words, "creating, 40 %");
        assert_eq!(Look::of(Some("available"), Some(100), None).words, "available");
    }
}
