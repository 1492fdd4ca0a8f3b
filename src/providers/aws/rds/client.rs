//! RDS instances and clusters as the API tells them.

use crate::base::text::clean;
use aws_sdk_rds::types::DbInstance;
use std::fmt;

/// What an instance is to replication. The names are AWS's own: an ARN where the source is in another region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// It replicates nothing.
    Standalone,
    /// A read replica of an instance.
    ReplicaOf(String),
    /// A read replica of a cluster.
    ReplicaOfCluster(String),
    /// Part of a cluster, which alone knows who writes.
    MemberOf(String),
}

impl Role {
    /// The role of an instance.
    pub fn of(instance: &DbInstance) -> Self {
        let known = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(|name| clean(name, 200));
        if let Some(source) = known(instance.read_replica_source_db_instance_identifier()) {
            return Self::ReplicaOf(source);
        }
        if let Some(cluster) = known(instance.read_replica_source_db_cluster_identifier()) {
            return Self::ReplicaOfCluster(cluster);
        }
        known(instance.db_cluster_identifier()).map_or(Self::Standalone, Self::MemberOf)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standalone => formatter.write_str("standalone"),
            Self::ReplicaOf(source) => write!(formatter, "replica of {source}"),
            Self::ReplicaOfCluster(cluster) => write!(formatter, "replica of cluster {cluster}"),
            Self::MemberOf(cluster) => write!(formatter, "member of cluster {cluster}"),
        }
    }
}

/// The name at the end of an ARN; a name as it is (`arn:aws:rds:us-east-1:123456789012:db:orders` is `orders`).
pub fn short(name: &str) -> &str {
    match name.starts_with("arn:") {
        true => name.rsplit(':').next().unwrap_or(name),
        false => name,
    }
}

/// Whether two names mean the same thing: RDS does not tell upper from lower case, and one may be an ARN.
pub fn same_name(one: &str, other: &str) -> bool {
    match one.starts_with("arn:") == other.starts_with("arn:") {
        true => one.eq_ignore_ascii_case(other),
        false => short(one).eq_ignore_ascii_case(short(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_said_in_words() {
        let instance = DbInstance::builder;
        let words = |instance: DbInstance| Role::of(&instance).to_string();
        let source = "arn:aws:rds:us-east-1:123456789012:db:arka-db";
        let replica = instance().read_replica_source_db_instance_identifier(source).build();
        assert_eq!(words(replica), format!("replica of {source}"));
        assert_eq!(words(instance().db_cluster_identifier("orders").build()), "member of cluster orders");
        let empty = instance().read_replica_source_db_instance_identifier("").db_cluster_identifier("");
        assert_eq!(words(empty.build()), "standalone");
    }

    #[test]
    fn a_name_and_an_arn_can_mean_the_same() {
        let arn = "arn:aws:rds:us-east-1:123456789012:db:arka-db";
        assert!(same_name("Arka-DB", arn) && same_name(arn, "arka-db") && same_name("a", "A"));
        assert!(!same_name(arn, "arn:aws:rds:us-west-2:123456789012:db:arka-db"));
        assert!(!same_name("db", arn));
    }
}
