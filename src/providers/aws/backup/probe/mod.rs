//! `aws-backup`: the newest recovery point of AWS Backup.

mod judge;
mod look;

use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::words::reading::Measurement;
use crate::kinds::probe::{Built, Probe};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{BuildError, ProbeKind, Sees, faults};
use crate::providers::aws::reader::Reader;
use crate::providers::clients::Clients;
use futures::future::BoxFuture;
use jiff::Timestamp;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "aws-backup",
    sees: Sees::Copies,
    doc: "Looks at the recovery points of AWS Backup: those of a resource, those in a vault, or those of a resource in \
          a vault. The value is the age of the newest complete one. No complete recovery point is critical, one that \
          is newer and partial, stopped or expired is a warning. How long it is kept, whether its vault is locked, \
          and the last restore of the resource that AWS Backup completed are told as far as the caller may read them.",
    unit: Unit::Seconds,
    keys: &[
        Key::optional("resource", Takes::Text, "ARN of what is backed up; this, `vault`, or both."),
        Key::optional("vault", Takes::Text, "Name of the vault."),
        crate::providers::aws::probe::REGION,
    ],
    fields: &[
        ("recovery_point", "ARN of the newest complete one"),
        ("vault", "the vault that it is in"),
        ("made", "when it was made"),
        ("size_bytes", "its size"),
        ("status", "AWS Backup's word for it (`COMPLETED`, `AVAILABLE`)"),
        ("newest_status", "that of the newest one, complete or not"),
        ("encrypted", "it is encrypted"),
        ("encryption_key", "the KMS key that it is encrypted with"),
        ("count", "how many complete ones there are"),
        ("retention_days", "after how many days it is deleted"),
        ("deleted_at", "when it will be deleted"),
        ("vault_locked", "nobody can delete from the vault before its time"),
        ("last_restore", "when a restore was completed the last time"),
        ("last_restore_age_s", "time since then"),
        ("last_restore_validation", "what the validation of that restore found (`SUCCESSFUL`)"),
        ("not_read", "what could not be read of these, and why"),
    ],
    permissions: &[
        "backup:ListRecoveryPointsByResource",
        "backup:ListRecoveryPointsByBackupVault",
        "backup:DescribeRecoveryPoint",
        "backup:DescribeBackupVault",
        "backup:ListRestoreJobsByProtectedResource",
    ],
    example: r#"[probes.example]
kind = "aws-backup"
title = "Recovery points of the primary database"
region = "primary"
resource = "arn:aws:rds:us-east-1:123456789012:db:arka-db-primary"
every = "15m"
timeout = "20s"
warn = "25h"
critical = "49h"
"#,
    check: |spec| faults([Of::named(spec).err()]),
};

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Points { reader: Reader::of(spec, clients)?, of: Of::named(spec)? }))
}

struct Points {
    reader: Reader,
    of: Of,
}

/// What the recovery points are of.
enum Of {
    Resource(String),
    Vault { vault: String, resource: Option<String> },
}

impl Of {
    fn named(spec: &ProbeSpec) -> Result<Self, BuildError> {
        let name = |key: &str| spec.params.text(key).map(str::to_owned);
        match (name("resource"), name("vault")) {
            (Some(resource), None) => Ok(Self::Resource(resource)),
            (resource, Some(vault)) => Ok(Self::Vault { vault, resource }),
            (None, None) => Err(BuildError::value("resource", "", "name a `resource`, a `vault`, or both")),
        }
    }
}

impl Of {
    fn resource(&self) -> Option<&str> {
        match self {
            Self::Resource(resource) => Some(resource),
            Self::Vault { resource, .. } => resource.as_deref(),
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Resource(resource) => resource.clone(),
            Self::Vault { vault, resource: None } => format!("vault {vault}"),
            Self::Vault { vault, resource: Some(resource) } => format!("{resource} in vault {vault}"),
        }
    }
}

impl Probe for Points {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let connection = self.reader.connection().await;
            let until = tokio::time::Instant::now() + self.reader.within;
            let points = look::points(&connection, &self.of, until).await;
            let points = points.map_err(|error| error.unmeasured())?;
            let more = look::more(&connection, &self.of, judge::newest(&points), until).await;
            let none =
                format!("no complete recovery point of {} in {}", self.of.in_words(), self.reader.region());
            Ok(judge::judge(&points, &more, &none, Timestamp::now()))
        })
    }
}
