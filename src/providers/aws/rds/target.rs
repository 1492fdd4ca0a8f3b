//! An RDS instance or Aurora cluster as the target of an action: who it is, read live.

use crate::base::text::clean;
use crate::core::words::action::Target;
use crate::providers::aws::action::caller;
use crate::providers::aws::client::{AwsError, Call, Connection, present};
use crate::providers::aws::rds::client::Role;
use aws_sdk_rds::types::{DbCluster, DbInstance, Tag};
use std::time::Duration;

/// What an action acts on.
pub const INSTANCE: &str = "RDS instance";
/// What an action acts on.
pub const CLUSTER: &str = "RDS cluster";

/// The instance of that name; none where the region has none.
///
/// # Errors
/// When it cannot be told.
pub async fn instance(connection: &Connection, id: &str) -> Result<Option<DbInstance>, AwsError> {
    instance_within(connection, id, connection.deadline).await
}

/// The same within another deadline.
///
/// # Errors
/// When it cannot be told.
pub async fn instance_within(
    connection: &Connection,
    id: &str,
    within: Duration,
) -> Result<Option<DbInstance>, AwsError> {
    let call = Call::new("rds:DescribeDBInstances", id);
    let send = connection.rds().describe_db_instances().db_instance_identifier(id).send();
    let found = present(connection.call_within(&call, within, send).await)?;
    Ok(found.and_then(|found| found.db_instances?.into_iter().next()))
}

/// The cluster of that name; none where the region has none.
///
/// # Errors
/// When it cannot be told.
pub async fn cluster(connection: &Connection, id: &str) -> Result<Option<DbCluster>, AwsError> {
    cluster_within(connection, id, connection.deadline).await
}

/// The same within another deadline.
///
/// # Errors
/// When it cannot be told.
pub async fn cluster_within(
    connection: &Connection,
    id: &str,
    within: Duration,
) -> Result<Option<DbCluster>, AwsError> {
    let call = Call::new("rds:DescribeDBClusters", id);
    let send = connection.rds().describe_db_clusters().db_cluster_identifier(id).send();
    let found = present(connection.call_within(&call, within, send).await)?;
    Ok(found.and_then(|found| found.db_clusters?.into_iter().next()))
}

/// What an instance is to replication (`standalone`, `replica of …`, `member of …`).
pub fn role(instance: &DbInstance) -> String {
    Role::of(instance).to_string()
}

/// The instance as a target, with what must not change between confirmation and execution. Its status changes all
/// the time (backups, storage) and is no part of it.
///
/// # Errors
/// When AWS does not say who is calling.
pub async fn of_instance(connection: &Connection, instance: &DbInstance) -> Result<Target, AwsError> {
    let identity = [
        ("arn", instance.db_instance_arn()),
        ("role", Some(&*role(instance))),
        ("class", instance.db_instance_class()),
        ("engine", instance.engine()),
        ("engine version", instance.engine_version()),
        ("resource id", instance.dbi_resource_id()),
    ];
    let name = instance.db_instance_identifier().unwrap_or_default();
    target(connection, name, INSTANCE, &identity, instance.tag_list()).await
}

/// The cluster as a target.
///
/// # Errors
/// When AWS does not say who is calling.
pub async fn of_cluster(connection: &Connection, cluster: &DbCluster) -> Result<Target, AwsError> {
    let writer = cluster.db_cluster_members().iter().find(|member| member.is_cluster_writer() == Some(true));
    let identity = [
        ("arn", cluster.db_cluster_arn()),
        ("writer", writer.and_then(|member| member.db_instance_identifier())),
        ("global cluster", cluster.global_cluster_identifier()),
        ("replica of", cluster.replication_source_identifier()),
        ("engine", cluster.engine()),
        ("engine version", cluster.engine_version()),
        ("resource id", cluster.db_cluster_resource_id()),
    ];
    let name = cluster.db_cluster_identifier().unwrap_or_default();
    target(connection, name, CLUSTER, &identity, cluster.tag_list()).await
}

async fn target(
    connection: &Connection,
    name: &str,
    kind: &str,
    properties: &[(&str, Option<&str>)],
    tags: &[Tag],
) -> Result<Target, AwsError> {
    let mut identity = vec![("region".to_owned(), connection.region.clone())];
    let known =
        properties.iter().filter_map(|(name, value)| Some((*name, value.filter(|value| !value.is_empty())?)));
    identity.extend(known.map(|(name, value)| (name.to_owned(), clean(value, 300))));
    let mut tags: Vec<String> = tags
        .iter()
        .map(|tag| format!("{}={}", tag.key().unwrap_or_default(), tag.value().unwrap_or_default()))
        .collect();
    tags.sort();
    if !tags.is_empty() {
        identity.push(("tags".into(), clean(&tags.join(", "), 500)));
    }
    identity.push(caller(connection).await?);
    Ok(Target { name: clean(name, 200), kind: kind.into(), identity, reachable: true })
}
