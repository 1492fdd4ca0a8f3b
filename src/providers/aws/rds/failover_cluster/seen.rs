//! A cluster with its instances, as one look shows them.

use crate::base::text::clean;
use aws_sdk_rds::types::{DbCluster, DbInstance};

/// A cluster and what is known of its members.
pub(super) struct Seen {
    pub(super) cluster: DbCluster,
    pub(super) instances: Vec<DbInstance>,
}

impl Seen {
    pub(super) fn status(&self) -> String {
        clean(self.cluster.status().unwrap_or("not known"), 60)
    }

    pub(super) fn writer(&self) -> Option<&str> {
        let mut members = self.cluster.db_cluster_members().iter();
        members.find(|member| member.is_cluster_writer() == Some(true))?.db_instance_identifier()
    }

    pub(super) fn readers(&self) -> impl Iterator<Item = &str> {
        let members = self.cluster.db_cluster_members().iter();
        members
            .filter(|member| member.is_cluster_writer() != Some(true))
            .filter_map(|reader| reader.db_instance_identifier())
    }

    pub(super) fn instance_status(&self, id: &str) -> String {
        let found = self.instances.iter().find(|instance| instance.db_instance_identifier() == Some(id));
        clean(found.and_then(|found| found.db_instance_status()).unwrap_or("not known"), 60)
    }

    /// `orders-2 (tier 1, db.r6g.large, us-west-2b, available)`
    pub(super) fn words(&self, id: &str) -> String {
        let mut members = self.cluster.db_cluster_members().iter();
        let member = members.find(|member| member.db_instance_identifier() == Some(id));
        let tier = member.and_then(|member| member.promotion_tier());
        let found = self.instances.iter().find(|instance| instance.db_instance_identifier() == Some(id));
        let words = [
            tier.map(|tier| format!("tier {tier}")),
            found.and_then(|found| found.db_instance_class()).map(str::to_owned),
            found.and_then(|found| found.availability_zone()).map(str::to_owned),
            Some(self.instance_status(id)),
        ];
        clean(&format!("{id} ({})", words.into_iter().flatten().collect::<Vec<_>>().join(", ")), 200)
    }

    pub(super) fn all_readers(&self) -> String {
        let all: Vec<String> = self.readers().map(|reader| self.words(reader)).collect();
        if all.is_empty() { "none".into() } else { all.join(", ") }
    }
}
