//! How the new database of a restore shall be.

use super::DatabaseKind;
use super::database::{Database, find};
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::BuildError;
use crate::plan::params::Params;
use crate::providers::aws::client::{AwsError, Connection};
use crate::providers::aws::rds::names;
use crate::providers::aws::request::Request;

/// The database that is restored.
pub const SOURCE_INSTANCE: Key = Key::optional(
    "source_instance",
    Takes::Text,
    "The RDS instance that it is a backup of. This or `source_cluster`.",
);
/// The database that is restored.
pub const SOURCE_CLUSTER: Key = Key::optional(
    "source_cluster",
    Takes::Text,
    "The cluster that it is a backup of. This or `source_instance`.",
);
/// The new name.
pub const TARGET: Key = Key::required(
    "target",
    Takes::Text,
    "Name of the new instance or cluster. The operator types it to confirm.",
);
/// Of a new instance.
pub const CLASS: Key = Key::optional(
    "class",
    Takes::Text,
    "Class of the new instance (`db.r6g.large`); as the source where absent.",
);
/// Of a new cluster's first instance.
pub const INSTANCE_CLASS: Key = Key::optional(
    "instance_class",
    Takes::Text,
    "For a cluster: the class of its first instance, `<target>-1`, which is made too. AWS restores a cluster without \
     instances, and nobody can connect to it.",
);
/// Where it stands.
pub const SUBNET_GROUP: Key =
    Key::optional("subnet_group", Takes::Text, "Its subnet group; the default of AWS where absent.");
/// Who reaches it.
pub const SECURITY_GROUPS: Key = Key::optional(
    "security_groups",
    Takes::List(&Takes::Text),
    "Ids of its VPC security groups. Without them it gets the VPC's default group, which applications mostly cannot \
     come through.",
);
/// How it is set up.
pub const PARAMETER_GROUP: Key = Key::optional(
    "parameter_group",
    Takes::Text,
    "Its parameter group; the default of its engine where absent, not the source's.",
);
/// Whether it has a standby.
pub const MULTI_AZ: Key =
    Key::optional("multi_az", Takes::Flag, "Whether a new instance has a standby in another zone.");

/// How the new database shall be.
pub struct Wanted {
    /// What it is.
    pub sort: DatabaseKind,
    /// The database that the backup is of.
    pub source: String,
    /// Its name.
    pub target: String,
    /// Its class, or that of a cluster's first instance.
    pub class: Option<String>,
    /// Its subnet group.
    pub subnet_group: Option<String>,
    /// Ids of its security groups.
    pub security_groups: Vec<String>,
    /// Its parameter group.
    pub parameter_group: Option<String>,
    /// Whether it has a standby.
    pub multi_az: Option<bool>,
}

impl Wanted {
    /// Reads it from a step.
    ///
    /// # Errors
    /// Keys that exclude each other, or that are for the other sort.
    pub fn of(params: &Params) -> Result<Self, BuildError> {
        let own = |key: &str| params.text(key).map(str::to_owned);
        let id = |key: &str| names::identifier(params, key);
        id("target")?;
        let (sort, source) = match (id("source_instance")?, id("source_cluster")?) {
            (Some(source), None) => (DatabaseKind::Instance, source),
            (None, Some(source)) => (DatabaseKind::Cluster, source),
            (instance, _) => {
                return Err(refuse("source_instance", instance, "give it or `source_cluster`, one of them"));
            }
        };
        let (class, other) = match sort {
            DatabaseKind::Instance => ("class", ["instance_class", "instance_class"]),
            DatabaseKind::Cluster => ("instance_class", ["class", "multi_az"]),
        };
        if let Some(key) = other.into_iter().find(|key| params.get(key).is_some()) {
            let why = format!("it is not for an {}; `{class}` is", sort.kind());
            return Err(refuse(key, own(key), &why));
        }
        Ok(Self {
            sort,
            source,
            target: params.require_text("target")?.to_owned(),
            class: own(class),
            subnet_group: own("subnet_group"),
            security_groups: params.texts("security_groups").into_iter().map(str::to_owned).collect(),
            parameter_group: own("parameter_group"),
            multi_az: params.get("multi_az").map(|_| params.flag("multi_az")),
        })
    }

    /// The name of a cluster's first instance, where one is made.
    pub fn first_instance(&self) -> Option<String> {
        (self.sort == DatabaseKind::Cluster && self.class.is_some()).then(|| format!("{}-1", self.target))
    }

    /// The call with what is wanted.
    pub fn added_to(&self, request: Request) -> Request {
        let (class, group) = match self.sort {
            DatabaseKind::Instance => (self.class.as_deref(), "DBParameterGroupName"),
            DatabaseKind::Cluster => (None, "DBClusterParameterGroupName"),
        };
        request
            .maybe("DBInstanceClass", class)
            .maybe("DBSubnetGroupName", self.subnet_group.as_deref())
            .list("VpcSecurityGroupIds", &self.security_groups)
            .maybe(group, self.parameter_group.as_deref())
            .flag("MultiAZ", self.multi_az)
    }

    /// The security groups as a call takes them.
    pub fn groups(&self) -> Option<Vec<String>> {
        (!self.security_groups.is_empty()).then(|| self.security_groups.clone())
    }

    /// The call that makes a cluster's first instance.
    pub fn create_first(&self, engine: &str) -> Option<Request> {
        Some(
            Request::rds("CreateDBInstance")
                .with("DBInstanceIdentifier", self.first_instance()?)
                .with("DBClusterIdentifier", &self.target)
                .with("DBInstanceClass", self.class.as_deref()?)
                .with("Engine", engine),
        )
    }

    /// What the operator should know of these wishes.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.security_groups.is_empty() {
            notes.push(
                "No security_groups are given: it gets the VPC's default group. See that applications reach it.".into(),
            );
        }
        match (self.sort, self.first_instance(), &self.class) {
            (DatabaseKind::Cluster, Some(id), Some(class)) => {
                notes.push(format!("Then its first instance {id} ({class}) is made: without one nobody can connect."));
            }
            (DatabaseKind::Cluster, ..) => notes.push(
                "The cluster has NO INSTANCE afterwards and takes no connections: give instance_class, or add one."
                    .into(),
            ),
            (DatabaseKind::Instance, ..) => {}
        }
        notes
    }
}

/// What stands under the names that a restore takes.
pub async fn taken(connection: &Connection, wanted: &Wanted) -> Result<Vec<Database>, AwsError> {
    let target = find(connection, wanted.sort, &wanted.target).await?;
    let first = match wanted.first_instance() {
        Some(id) => find(connection, DatabaseKind::Instance, &id).await?,
        None => None,
    };
    Ok(target.into_iter().chain(first).collect())
}

/// Whether a text of a plan is filled in when the step runs; a preflight sees it before.
pub fn is_open(text: &str) -> bool {
    text.contains("{{")
}

/// A value of a plan that does not do.
pub fn refuse(key: &str, value: Option<String>, why: &str) -> BuildError {
    BuildError::Value { key: key.to_owned(), value: value.unwrap_or_default(), why: why.to_owned() }
}
