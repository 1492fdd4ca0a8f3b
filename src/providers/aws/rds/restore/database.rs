//! An instance or a cluster, as far as a restore cares: whether it is there, whose it is, whether it can be used.

use super::marks;
use super::moment::written;
use crate::base::text::clean;
use crate::providers::aws::client::{AwsError, Connection, timestamp};
use crate::providers::aws::rds::target;
use aws_sdk_rds::types::{DbCluster, DbInstance, Tag};
use jiff::Timestamp;

/// Whether something is an instance or a cluster: their calls differ, their story does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DatabaseKind {
    /// An instance.
    Instance,
    /// A cluster (Aurora, Multi-AZ).
    Cluster,
}

impl DatabaseKind {
    /// As the operator reads it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Instance => target::INSTANCE,
            Self::Cluster => target::CLUSTER,
        }
    }
}

/// What stands under a name.
#[derive(Clone, Debug)]
pub struct Database {
    /// What it is.
    pub sort: DatabaseKind,
    /// Its name.
    pub id: String,
    /// Its status, as AWS says it.
    pub status: String,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Host and port, once it has them.
    pub endpoint: Option<String>,
    /// Its engine.
    pub engine: String,
    /// Its class; none for a cluster.
    pub class: Option<String>,
    /// The cluster that it belongs to.
    pub cluster: Option<String>,
    created: Option<Timestamp>,
}

/// What stands under a name; none where the region has nothing of that name.
///
/// # Errors
/// When it cannot be told.
pub async fn find(
    connection: &Connection,
    sort: DatabaseKind,
    id: &str,
) -> Result<Option<Database>, AwsError> {
    Ok(match sort {
        DatabaseKind::Instance => {
            target::instance(connection, id).await?.map(|instance| Database::from(&instance))
        }
        DatabaseKind::Cluster => {
            target::cluster(connection, id).await?.map(|cluster| Database::from(&cluster))
        }
    })
}

impl From<&DbInstance> for Database {
    fn from(instance: &DbInstance) -> Self {
        let endpoint = instance.endpoint().and_then(|endpoint| {
            Some(format!("{}:{}", clean(endpoint.address()?, 300), endpoint.port().unwrap_or_default()))
        });
        Self {
            sort: DatabaseKind::Instance,
            id: text(instance.db_instance_identifier()),
            status: text(instance.db_instance_status()),
            tags: instance.tag_list().to_vec(),
            endpoint,
            engine: text(instance.engine()),
            class: instance.db_instance_class().map(|class| clean(class, 100)),
            cluster: instance.db_cluster_identifier().map(|cluster| clean(cluster, 200)),
            created: instance.instance_create_time().and_then(timestamp),
        }
    }
}

impl From<&DbCluster> for Database {
    fn from(cluster: &DbCluster) -> Self {
        let host = cluster.endpoint().filter(|endpoint| !endpoint.is_empty());
        Self {
            sort: DatabaseKind::Cluster,
            id: text(cluster.db_cluster_identifier()),
            status: text(cluster.status()),
            tags: cluster.tag_list().to_vec(),
            endpoint: host.map(|host| format!("{}:{}", clean(host, 300), cluster.port().unwrap_or_default())),
            engine: text(cluster.engine()),
            class: None,
            cluster: None,
            created: cluster.cluster_create_time().and_then(timestamp),
        }
    }
}

impl Database {
    /// `RDS instance, available, created 2026-03-01T12:00:00Z`.
    pub fn words(&self) -> String {
        let created = self.created.map_or(String::new(), |created| format!(", created {}", written(created)));
        let made = marks::token_of(&self.tags)
            .map_or(String::new(), |token| format!(", made by the attempt {}", clean(token, 300)));
        format!("{}, {}{created}{made}", self.sort.kind(), self.status)
    }

    /// Whether it belongs to a cluster; AWS writes names in lower case.
    pub fn is_member_of(&self, cluster: &str) -> bool {
        self.cluster.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(cluster))
    }

    /// Whether it takes connections.
    pub fn is_usable(&self) -> bool {
        is_usable(&self.status) && self.endpoint.is_some()
    }
}

/// Statuses in which a database takes connections:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html>
pub fn is_usable(status: &str) -> bool {
    const USABLE: [&str; 5] = [
        "available",
        "backing-up",
        "storage-optimization",
        "storage-initialization",
        "storage-config-upgrade",
    ];
    USABLE.contains(&status) || status.starts_with("configuring-")
}

/// Statuses that do not end by waiting; same page.
pub fn is_lost(status: &str) -> bool {
    const LOST: [&str; 7] = [
        "failed",
        "restore-error",
        "insufficient-capacity",
        "storage-full",
        "deleting",
        "deleted",
        "migration-failed",
    ];
    LOST.contains(&status) || status.starts_with("incompatible-") || status.starts_with("inaccessible-")
}

fn text(text: Option<&str>) -> String {
    clean(text.unwrap_or("unknown"), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_usable_lost_or_on_their_way() {
        for status in ["available", "backing-up", "configuring-log-exports"] {
            assert!(is_usable(status) && !is_lost(status), "{status}");
        }
        for status in ["incompatible-restore", "failed", "inaccessible-encryption-credentials", "deleting"] {
            assert!(is_lost(status) && !is_usable(status), "{status}");
        }
        for status in ["creating", "modifying", "rebooting", "unknown"] {
            assert!(!is_lost(status) && !is_usable(status), "{status}");
        }
    }

    #[test]
    fn what_stands_there_is_named_without_raw_text() {
        let instance = DbInstance::builder()
            .db_instance_identifier("arka-db")
            .db_instance_status("available")
            .tag_list(Tag::builder().key("lifeboat:token").value("i/1/x/\u{1b}1").build())
            .build();
        let database = Database::from(&instance);
        assert_eq!(database.words(), "RDS instance, available, made by the attempt i/1/x/\u{fffd}1");
        assert!(!database.is_usable(), "it has no endpoint");
    }
}
