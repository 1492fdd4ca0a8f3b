//! What AWS Backup says of recovery points.

use super::Of;
use super::judge::{More, Point, Restore};
use crate::base::text::clean;
use crate::providers::aws::client::{AwsError, AwsErrorKind, Call, Connection, present, timestamp};
use aws_sdk_backup::types::{
    RecoveryPointByBackupVault, RecoveryPointByResource, RestoreJobStatus, RestoreJobsListMember,
};
use std::time::Duration;
use tokio::time::Instant;

/// The part of a run's time that the listing may take; the rest is for what else there is to know.
const LISTING: f64 = 0.6;

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// All recovery points. A vault or resource that is not there has none.
pub(super) async fn points(connection: &Connection, of: &Of, until: Instant) -> Result<Vec<Point>, AwsError> {
    let (backup, within) = (connection.backup(), left(until).mul_f64(LISTING));
    let listed = match of {
        Of::Resource(arn) => {
            let call = Call::new("backup:ListRecoveryPointsByResource", arn);
            let asked = backup.list_recovery_points_by_resource().resource_arn(arn).max_results(1000);
            let pages = asked.into_paginator().items().send();
            let listed = connection.call_within(&call, within, pages.collect::<Result<Vec<_>, _>>()).await;
            listed.map(|all| all.iter().map(of_resource).collect())
        }
        Of::Vault { vault, resource } => {
            let call = Call::new("backup:ListRecoveryPointsByBackupVault", vault);
            let asked =
                backup.list_recovery_points_by_backup_vault().backup_vault_name(vault).max_results(1000);
            let pages = asked.set_by_resource_arn(resource.clone()).into_paginator().items().send();
            let listed = connection.call_within(&call, within, pages.collect::<Result<Vec<_>, _>>()).await;
            listed.map(|all| all.iter().map(of_vault).collect())
        }
    };
    match listed {
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(|text| clean(text, 300))
}

fn of_resource(point: &RecoveryPointByResource) -> Point {
    Point {
        arn: text(point.recovery_point_arn()).unwrap_or_default(),
        vault: text(point.backup_vault_name()),
        status: text(point.status().map(|status| status.as_str())).unwrap_or_default(),
        message: text(point.status_message()),
        made: point.creation_date().and_then(timestamp),
        bytes: point.backup_size_bytes(),
        encrypted: None,
        key: text(point.encryption_key_arn()),
        ..Point::default()
    }
}

fn of_vault(point: &RecoveryPointByBackupVault) -> Point {
    Point {
        arn: text(point.recovery_point_arn()).unwrap_or_default(),
        vault: text(point.backup_vault_name()),
        status: text(point.status().map(|status| status.as_str())).unwrap_or_default(),
        message: text(point.status_message()),
        made: point.creation_date().and_then(timestamp),
        bytes: point.backup_size_in_bytes(),
        encrypted: Some(point.is_encrypted()),
        key: text(point.encryption_key_arn()),
        retention_days: point.lifecycle().and_then(|lifecycle| lifecycle.delete_after_days()),
        deleted: point.calculated_lifecycle().and_then(|it| it.delete_at()).and_then(timestamp),
        restored: point.last_restore_time().and_then(timestamp),
    }
}

/// What is not in the listing: each part is told only where it can be read, and why not is said.
pub(super) async fn more(connection: &Connection, of: &Of, newest: Option<&Point>, until: Instant) -> More {
    let lifecycle = lifecycle(connection, of, newest, until);
    let lock = lock(connection, newest, until);
    let restore = last_restore(connection, of, until);
    let (lifecycle, lock, restore) = futures::join!(lifecycle, lock, restore);
    let mut more = More::default();
    match lifecycle {
        Ok(Some((encrypted, retention_days, deleted))) => {
            (more.encrypted, more.retention_days, more.deleted) = (Some(encrypted), retention_days, deleted);
        }
        Ok(None) => {}
        Err(error) => more.not_read.push(error.to_string()),
    }
    match lock {
        Ok(locked) => more.locked = locked,
        Err(error) => more.not_read.push(error.to_string()),
    }
    match restore {
        Ok(restore) => more.restore = restore,
        Err(error) => more.not_read.push(error.to_string()),
    }
    more
}

type Lifecycle = (bool, Option<i64>, Option<jiff::Timestamp>);

/// Encryption and retention, which the listing of a vault has and that of a resource has not.
async fn lifecycle(
    connection: &Connection,
    of: &Of,
    newest: Option<&Point>,
    until: Instant,
) -> Result<Option<Lifecycle>, AwsError> {
    let (Of::Resource(_), Some((vault, arn))) = (of, named(newest)) else { return Ok(None) };
    let call = Call::new("backup:DescribeRecoveryPoint", arn);
    let asked =
        connection.backup().describe_recovery_point().backup_vault_name(vault).recovery_point_arn(arn);
    let point = connection.call_within(&call, left(until), asked.send()).await?;
    let deleted = point.calculated_lifecycle().and_then(|it| it.delete_at()).and_then(timestamp);
    let retention_days = point.lifecycle().and_then(|lifecycle| lifecycle.delete_after_days());
    Ok(Some((point.is_encrypted(), retention_days, deleted)))
}

async fn lock(
    connection: &Connection,
    newest: Option<&Point>,
    until: Instant,
) -> Result<Option<bool>, AwsError> {
    let Some((vault, _)) = named(newest) else { return Ok(None) };
    let call = Call::new("backup:DescribeBackupVault", vault);
    let send = connection.backup().describe_backup_vault().backup_vault_name(vault).send();
    Ok(connection.call_within(&call, left(until), send).await?.locked())
}

/// Restore jobs are listed by resource only; without one the points of a vault tell of their own restores.
async fn last_restore(connection: &Connection, of: &Of, until: Instant) -> Result<Option<Restore>, AwsError> {
    let Some(arn) = of.resource() else { return Ok(None) };
    let call = Call::new("backup:ListRestoreJobsByProtectedResource", arn);
    let asked = connection.backup().list_restore_jobs_by_protected_resource().resource_arn(arn);
    let pages = asked.by_status(RestoreJobStatus::Completed).max_results(1000).into_paginator();
    let jobs = pages.items().send().collect::<Result<Vec<_>, _>>();
    let jobs = present(connection.call_within(&call, left(until), jobs).await)?;
    Ok(jobs.and_then(|jobs| newest_restore(&jobs)))
}

pub(super) fn newest_restore(jobs: &[RestoreJobsListMember]) -> Option<Restore> {
    let completed = jobs.iter().filter(|job| job.status() == Some(&RestoreJobStatus::Completed));
    let restores = completed.filter_map(|job| {
        let at = job.completion_date().and_then(timestamp)?;
        Some(Restore { at, validation: text(job.validation_status().map(|status| status.as_str())) })
    });
    restores.max_by_key(|restore| restore.at)
}

/// The vault and the ARN of a recovery point.
fn named(point: Option<&Point>) -> Option<(&str, &str)> {
    let point = point?;
    Some((point.vault.as_deref()?, point.arn.as_str()))
}
