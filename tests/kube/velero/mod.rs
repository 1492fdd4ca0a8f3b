//! Velero: what is seen of its backups, and what is restored from them. Its definitions are the part of the published ones that
//! is needed; its server is a loop of the tests' own, which moves phases as Velero does.

mod backups;
mod restores;
mod server;

use crate::kube::{Cluster, wait_until};
use jiff::{SignedDuration, Timestamp};
use std::sync::OnceLock;

/// <https://github.com/vmware-tanzu/velero/tree/v1.17.0/config/crd/v1/bases>
const BACKUP: &str = "{type: object, properties: {
  spec: {type: object, properties: {
    storageLocation: {type: string}, ttl: {type: string},
    includedNamespaces: {type: array, nullable: true, items: {type: string}},
    excludedNamespaces: {type: array, nullable: true, items: {type: string}}}},
  status: {type: object, properties: {
    phase: {type: string, enum: [New, Queued, ReadyToStart, FailedValidation, InProgress, WaitingForPluginOperations,
      WaitingForPluginOperationsPartiallyFailed, Finalizing, FinalizingPartiallyFailed, Completed, PartiallyFailed, Failed,
      Deleting]},
    startTimestamp: {type: string, format: date-time, nullable: true},
    completionTimestamp: {type: string, format: date-time, nullable: true},
    expiration: {type: string, format: date-time, nullable: true},
    failureReason: {type: string},
    validationErrors: {type: array, nullable: true, items: {type: string}},
    warnings: {type: integer}, errors: {type: integer},
    volumeSnapshotsCompleted: {type: integer}, csiVolumeSnapshotsCompleted: {type: integer},
    progress: {type: object, nullable: true, properties: {
      itemsBackedUp: {type: integer}, totalItems: {type: integer}}}}}}}";
const RESTORE: &str = "{type: object, properties: {
  spec: {type: object, properties: {
    backupName: {type: string}, scheduleName: {type: string},
    includedNamespaces: {type: array, nullable: true, items: {type: string}},
    excludedNamespaces: {type: array, nullable: true, items: {type: string}},
    namespaceMapping: {type: object, additionalProperties: {type: string}},
    existingResourcePolicy: {type: string, nullable: true},
    restorePVs: {type: boolean, nullable: true}}},
  status: {type: object, properties: {
    phase: {type: string, enum: [New, FailedValidation, InProgress, WaitingForPluginOperations,
      WaitingForPluginOperationsPartiallyFailed, Completed, PartiallyFailed, Failed, Finalizing, FinalizingPartiallyFailed]},
    startTimestamp: {type: string, format: date-time, nullable: true},
    completionTimestamp: {type: string, format: date-time, nullable: true},
    failureReason: {type: string},
    validationErrors: {type: array, nullable: true, items: {type: string}},
    warnings: {type: integer}, errors: {type: integer},
    progress: {type: object, nullable: true, properties: {
      itemsRestored: {type: integer}, totalItems: {type: integer}}}}}}}";
const LOCATION: &str = "{type: object, properties: {
  spec: {type: object, required: [objectStorage, provider], properties: {
    provider: {type: string}, validationFrequency: {type: string, nullable: true},
    objectStorage: {type: object, required: [bucket], properties: {bucket: {type: string}}}}},
  status: {type: object, properties: {
    phase: {type: string, enum: [Available, Unavailable], default: Unavailable}, message: {type: string},
    lastValidationTime: {type: string, format: date-time, nullable: true}}}}}";
const VOLUME: &str = "{type: object, properties: {
  spec: {type: object, x-kubernetes-preserve-unknown-fields: true},
  status: {type: object, properties: {
    phase: {type: string, enum: [New, Accepted, Prepared, InProgress, Canceling, Canceled, Completed, Failed]},
    progress: {type: object, properties: {
      bytesDone: {type: integer, format: int64}, totalBytes: {type: integer, format: int64}}}}}}}";

/// Has the definitions, once for all tests.
fn define(cluster: &Cluster) {
    static DEFINED: OnceLock<()> = OnceLock::new();
    DEFINED.get_or_init(|| {
        for (kind, schema) in [
            ("Backup", BACKUP),
            ("Restore", RESTORE),
            ("BackupStorageLocation", LOCATION),
            ("PodVolumeBackup", VOLUME),
        ] {
            let (one, many) = (kind.to_lowercase(), format!("{}s", kind.to_lowercase()));
            cluster.apply(&format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {many}.velero.io}}\n\
                 spec:\n  group: velero.io\n  scope: Namespaced\n  \
                 names: {{kind: {kind}, listKind: {kind}List, plural: {many}, singular: {one}}}\n  versions:\n  \
                 - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {schema}}}}}\n"
            ));
        }
        wait_until("Velero's kinds are known", || {
            let kinds = "backups.velero.io,restores.velero.io,backupstoragelocations.velero.io,podvolumebackups.velero.io";
            cluster.try_kubectl(&["get", kinds, "-A"]).is_ok()
        });
    });
}

/// So many minutes ago, as Kubernetes writes it.
fn ago(minutes: i64) -> String {
    let time = Timestamp::now() - SignedDuration::from_mins(minutes);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Has a backup of the schedule `shop`, with that phase, that began so many minutes ago; `more` of its status as JSON.
fn backup(cluster: &Cluster, namespace: &str, name: &str, phase: &str, minutes: i64, more: &str) {
    let mut status: serde_json::Value = serde_json::from_str(more).unwrap();
    let status_of = status.as_object_mut().unwrap();
    status_of.entry("phase").or_insert(phase.into());
    status_of.entry("startTimestamp").or_insert(ago(minutes).into());
    status_of.entry("expiration").or_insert(ago(-1000).into());
    let object = serde_json::json!({
        "apiVersion": "velero.io/v1", "kind": "Backup",
        "metadata": {"name": name, "namespace": namespace, "labels": {"velero.io/schedule-name": "shop"}},
        "spec": {"storageLocation": "default", "includedNamespaces": ["shop", "web"]},
        "status": status});
    cluster.apply(&object.to_string());
}

/// Has the storage location `default`, as Velero sees it.
fn location(cluster: &Cluster, namespace: &str, phase: &str, message: &str, minutes: i64) {
    let mut object = serde_json::json!({
        "apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {"provider": "aws", "objectStorage": {"bucket": "backups"}},
        "status": {"phase": phase, "lastValidationTime": ago(minutes)}});
    if !message.is_empty() {
        object["status"]["message"] = message.into();
    }
    cluster.apply(&object.to_string());
}
