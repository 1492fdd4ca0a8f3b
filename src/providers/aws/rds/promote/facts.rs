//! What RDS says of an instance, in words.

use crate::base::text::{clean, ended};
use aws_sdk_rds::types::DbInstance;

pub(super) fn status(instance: &DbInstance) -> String {
    clean(instance.db_instance_status().unwrap_or("not known"), 60)
}

pub(super) fn source(instance: &DbInstance) -> Option<&str> {
    let instances = instance.read_replica_source_db_instance_identifier();
    let clusters = instance.read_replica_source_db_cluster_identifier();
    [instances, clusters].into_iter().flatten().find(|source| !source.is_empty())
}

pub(super) fn replicas(instance: &DbInstance) -> String {
    let instances = instance.read_replica_db_instance_identifiers().iter();
    let all: Vec<&str> =
        instances.chain(instance.read_replica_db_cluster_identifiers()).map(String::as_str).collect();
    clean(&all.join(", "), 300)
}

pub(super) fn shape(instance: &DbInstance) -> String {
    let known = |text: Option<&str>| clean(text.unwrap_or("not known"), 60);
    format!(
        "{}, {} {}, in {}, Multi-AZ {}, status {}.",
        known(instance.db_instance_class()),
        known(instance.engine()),
        known(instance.engine_version()),
        known(instance.availability_zone()),
        if instance.multi_az() == Some(true) { "on" } else { "OFF" },
        status(instance)
    )
}

/// What RDS says of replication itself, loudly where it does not work.
pub(super) fn replication(instance: &DbInstance) -> Option<String> {
    let info = instance.status_infos().iter().find(|info| info.status_type() == Some("read replication"))?;
    let status = clean(info.status().unwrap_or("not known"), 80);
    let message = clean(info.message().unwrap_or_default(), 300);
    Some(match info.normal() {
        Some(false) => {
            format!("REPLICATION DOES NOT WORK: {} {message}", ended(&status)).trim_end().to_owned()
        }
        _ => format!("Replication: {status}."),
    })
}

/// Changes that wait for its next restart, which the promotion is.
pub(super) fn pending(instance: &DbInstance) -> Option<String> {
    let pending = instance.pending_modified_values()?;
    let text = |name: &str, value: Option<String>| value.map(|value| format!("{name} {}", clean(&value, 60)));
    let all: Vec<String> = [
        text("class", pending.db_instance_class().map(str::to_owned)),
        text("engine version", pending.engine_version().map(str::to_owned)),
        text("storage (GiB)", pending.allocated_storage().map(|gib| gib.to_string())),
        text("Multi-AZ", pending.multi_az().map(|on| if on { "on".into() } else { "off".into() })),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!all.is_empty()).then(|| format!("Changes wait for its next restart or window: {}.", all.join(", ")))
}
