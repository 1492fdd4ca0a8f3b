//! `postgres-backup`: does the WAL archiver of a primary keep up.

use crate::base::problem::Problem;
use crate::base::text::clean;
use crate::base::units::Unit;
use crate::base::words;
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::providers::clients::Clients;
use crate::providers::postgres::source::{Database, DatabaseError};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio_postgres::Row;

/// A segment holds nothing of its own up to here: its header and the records that an idle server writes after
/// it switched to the segment (PostgreSQL sources: `XLogLongPageHeaderData` is 40 B, a running-transactions
/// record 50 to 56 B).
const EMPTY_SEGMENT_BYTES: u64 = 256;

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "postgres-backup",
    sees: Sees::Archiver,
    doc: "Reads the WAL archiver of a primary (`pg_stat_archiver`). The value is the age of the newest WAL that \
          is safe in the archive: the time since the last archived segment, or zero when nothing was written \
          since. Archiving that is off, that fails, or that never archived anything is critical. It says nothing \
          of base backups: watch those with `file-age` or `exec`.",
    unit: Unit::Seconds,
    keys: &[
        Key::required("dsn", Takes::ConnectionString, "Connection string of the primary."),
        Key::optional(
            "other",
            Takes::ConnectionString,
            "Connection string of the server that is the primary after a failover: while the first one is a standby or \
             down, and this one is a primary, its archive is the one that is watched.",
        ),
    ],
    fields: &[
        ("server", "whose archive it is, `dsn` or `other`"),
        ("archive_mode", "`archive_mode` of the server"),
        ("last_archived_wal", "the last segment archived"),
        ("last_archived_s", "time since then"),
        ("archived_count", "segments archived since statistics were reset"),
        ("failed_count", "failed attempts since statistics were reset"),
        ("last_failed_wal", "the last segment that could not be archived"),
        ("last_failed_s", "time since then"),
        ("failing", "the last attempt failed"),
        ("waiting_segments", "complete segments that are not archived"),
        ("unarchived_bytes", "WAL that is not archived, with the segment being written"),
    ],
    permissions: &[],
    example: r#"[probes.example]
kind = "postgres-backup"
title = "WAL archive"
region = "primary"
dsn = { secret = "primary-db" }
every = "30s"
timeout = "5s"
warn = "5m"
critical = "15m"
"#,
    check: unchecked,
};

/// How long after statistics began there may be no archived segment, in seconds: one is written until it is full, or until
/// `archive_timeout`.
const NOTHING_YET_S: f64 = 3600.0;

const QUERY: &str = "
select pg_catalog.pg_is_in_recovery() as in_recovery,
       pg_catalog.current_setting('archive_mode') as mode,
       coalesce(nullif(pg_catalog.current_setting('archive_library', true), ''),
                nullif(nullif(pg_catalog.current_setting('archive_command'), '(disabled)'), '')) is not null as has_command,
       a.last_archived_wal, a.last_failed_wal, a.archived_count, a.failed_count,
       extract(epoch from pg_catalog.clock_timestamp() - a.last_archived_time)::double precision as archived_s,
       extract(epoch from pg_catalog.clock_timestamp() - a.last_failed_time)::double precision as failed_s,
       extract(epoch from pg_catalog.clock_timestamp() - a.stats_reset)::double precision as counted_s,
       case when not pg_catalog.pg_is_in_recovery() then pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint end as position,
       (select setting::bigint from pg_catalog.pg_settings where name = 'wal_segment_size') as segment_bytes
  from pg_catalog.pg_stat_archiver a";

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    let other = spec.params.get("other").map(|_| Database::of(&spec.params, "other", clients));
    let database = Database::of(&spec.params, "dsn", clients)?;
    Ok(Box::new(Backup { database, other: other.transpose()?, within: deadline(spec) }))
}

struct Backup {
    database: Database,
    other: Option<Database>,
    within: Duration,
}

impl Probe for Backup {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            // Together: one that does not answer must not cost the other its time.
            let (usual, other) = tokio::join!(self.look(&self.database), async {
                match &self.other {
                    Some(other) => self.look(other).await.ok(),
                    None => None,
                }
            });
            let moved = other.filter(|other| {
                !other.in_recovery && usual.as_ref().map_or_else(|e| e.is_down(), |usual| usual.in_recovery)
            });
            match (moved, usual) {
                (Some(other), _) => Ok(other.judge().with_text("server", "other".to_owned())),
                (None, Ok(usual)) => Ok(usual.judge().with_text("server", "dsn".to_owned())),
                (None, Err(error)) if error.is_down() => Ok(Measurement::critical(error.to_string())),
                (None, Err(error)) => Err(error.into()),
            }
        })
    }
}

impl Backup {
    async fn look(&self, database: &Database) -> Result<Archiver, DatabaseError> {
        Archiver::of(&database.row(QUERY, self.within).await?)
    }
}

/// The archiver as it was seen.
#[derive(Clone, PartialEq, Debug)]
struct Archiver {
    in_recovery: bool,
    mode: String,
    has_command: bool,
    last: Option<String>,
    last_failed: Option<String>,
    archived: i64,
    failures: i64,
    archived_s: Option<f64>,
    failed_s: Option<f64>,
    /// How long statistics are kept; a crash begins them anew.
    counted_s: Option<f64>,
    position: u64,
    segment_bytes: u64,
}

impl Archiver {
    fn of(row: &Row) -> Result<Self, DatabaseError> {
        let position: Option<i64> = row.try_get("position")?;
        let segment: i64 = row.try_get("segment_bytes")?;
        Ok(Self {
            in_recovery: row.try_get("in_recovery")?,
            mode: row.try_get("mode")?,
            has_command: row.try_get("has_command")?,
            last: row.try_get("last_archived_wal")?,
            last_failed: row.try_get("last_failed_wal")?,
            archived: row.try_get("archived_count")?,
            failures: row.try_get("failed_count")?,
            archived_s: row.try_get("archived_s")?,
            failed_s: row.try_get("failed_s")?,
            counted_s: row.try_get("counted_s")?,
            position: position.unwrap_or_default().unsigned_abs(),
            segment_bytes: segment.unsigned_abs().max(1),
        })
    }

    fn judge(&self) -> Measurement {
        let unarchived = self.unarchived_bytes();
        let waiting = unarchived.map(|bytes| bytes / self.segment_bytes);
        let measured = match self.broken() {
            None if self.archived_s.is_none() => self.nothing_yet(),
            Some(why) => Measurement::critical(why),
            None => self.up_to_date(unarchived, waiting.unwrap_or_default()),
        };
        measured
            .with_text("archive_mode", clean(&self.mode, 20))
            .with_text("last_archived_wal", self.last.as_ref().map(|wal| clean(wal, 80)))
            .with_text("last_failed_wal", self.last_failed.as_ref().map(|wal| clean(wal, 80)))
            .with_number("last_archived_s", self.archived_s)
            .with_number("last_failed_s", self.failed_s)
            .with_number("archived_count", self.archived as f64)
            .with_number("failed_count", self.failures as f64)
            .with_flag("failing", self.failing())
            .with_number("waiting_segments", waiting.map(|segments| segments as f64))
            .with_number("unarchived_bytes", unarchived.map(|bytes| bytes as f64))
    }

    /// Why no archive is being made.
    fn broken(&self) -> Option<String> {
        if self.in_recovery {
            return Some("this server is a standby: its primary archives".into());
        }
        if self.mode == "off" {
            return Some("archive_mode is off: no WAL is archived".into());
        }
        if !self.has_command {
            return Some("neither archive_command nor archive_library is set: no WAL is archived".into());
        }
        if self.failing() {
            let since = self
                .archived_s
                .map_or("never worked".to_owned(), |age| format!("last worked {} ago", words::seconds(age)));
            let wal = clean(self.last_failed.as_deref().unwrap_or("?"), 80);
            return Some(format!("archiving fails at {wal} ({} failures, {since})", self.failures));
        }
        None
    }

    /// Nothing was archived, and nothing failed, since statistics began.
    fn nothing_yet(&self) -> Measurement {
        match self.counted_s {
            Some(counted_s) if counted_s < NOTHING_YET_S => {
                let since = words::seconds(counted_s);
                let why =
                    format!("nothing was archived since statistics began {since} ago, as after a crash");
                Measurement::good("no segment was archived yet").judged(Verdict::Warn(why))
            }
            _ => Measurement::critical("nothing was archived since statistics were reset"),
        }
    }

    fn failing(&self) -> bool {
        match (self.failed_s, self.archived_s) {
            (Some(failed), Some(archived)) => failed < archived,
            (failed, _) => failed.is_some(),
        }
    }

    fn up_to_date(&self, unarchived: Option<u64>, waiting: u64) -> Measurement {
        let age = self.archived_s.unwrap_or_default();
        let ago = words::seconds(age);
        let Some(unarchived) = unarchived else {
            let name = clean(self.last.as_deref().unwrap_or("?"), 80);
            let summary = format!("last archived {name} {ago} ago; what waits since cannot be told from it");
            return Measurement::good(summary).with_value(age);
        };
        if unarchived <= EMPTY_SEGMENT_BYTES {
            return Measurement::good("all WAL is archived, nothing written since").with_value(0.0);
        }
        let bytes = words::bytes(unarchived as f64);
        let measured =
            Measurement::good(format!("last archived {ago} ago, {bytes} not archived")).with_value(age);
        // One segment may be on its way.
        if waiting > 1 {
            return measured
                .judged(Verdict::Warn(format!("{waiting} complete segments wait to be archived")));
        }
        measured
    }

    /// From the end of the last archived segment; none where the name tells nothing.
    fn unarchived_bytes(&self) -> Option<u64> {
        let end = segment_number(self.last.as_deref()?, self.segment_bytes)?.checked_add(1)?;
        Some(self.position.saturating_sub(end.checked_mul(self.segment_bytes)?))
    }
}

/// The number of a segment from its file name: timeline, upper and lower part in eight hexadecimal digits each.
/// A backup's label (`….backup`) belongs to its segment; a timeline's history has no number, and neither has what was left
/// of the old timeline's last segment (`….partial`): the new timeline's own is not archived with it.
fn segment_number(name: &str, segment_bytes: u64) -> Option<u64> {
    if name.ends_with(".partial") {
        return None;
    }
    let upper = u64::from_str_radix(name.get(8..16)?, 16).ok()?;
    let lower = u64::from_str_radix(name.get(16..24)?, 16).ok()?;
    upper.checked_mul((1 << 32) / segment_bytes)?.checked_add(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: u64 = 16 * 1024 * 1024;

    fn archiver() -> Archiver {
        Archiver {
            in_recovery: false,
            mode: "on".into(),
            has_command: true,
            last: Some("000000010000000200000005".into()),
            last_failed: None,
            archived: 10,
            failures: 0,
            archived_s: Some(90_000.0),
            failed_s: None,
            counted_s: Some(900_000.0),
            position: (2 << 32) + 6 * SEGMENT + 5000,
            segment_bytes: SEGMENT,
        }
    }

    fn why(archiver: &Archiver) -> String {
        archiver.judge().verdict.why().map(str::to_owned).unwrap()
    }

    #[test]
    fn an_idle_server_is_not_stale() {
        let idle = Archiver { position: (2 << 32) + 6 * SEGMENT + 96, ..archiver() };
        assert_eq!((idle.judge().verdict, idle.judge().value), (Verdict::Good, Some(0.0)));
    }

    /// The last archived file after a promotion is the timeline's history, or the end of the old one.
    #[test]
    fn a_name_that_tells_no_position_is_not_taken_for_nothing_waiting() {
        for name in ["00000002.history", "000000010000000200000006.partial"] {
            let promoted = Archiver { last: Some(name.into()), ..archiver() };
            let measured = promoted.judge();
            assert_eq!(measured.value, Some(90_000.0), "{}", measured.summary);
            assert_eq!(measured.number("unarchived_bytes"), None);
        }
    }

    #[test]
    fn what_was_written_since_has_the_age_of_the_last_archived_segment() {
        let measured = archiver().judge();
        assert_eq!((measured.verdict.clone(), measured.value), (Verdict::Good, Some(90_000.0)));
        assert_eq!(
            (measured.number("unarchived_bytes"), measured.number("waiting_segments")),
            (Some(5000.0), Some(0.0))
        );
        let behind = Archiver { position: (2 << 32) + 9 * SEGMENT, ..archiver() };
        assert_eq!(why(&behind), "3 complete segments wait to be archived");
    }

    #[test]
    fn an_archive_that_is_not_made_is_critical() {
        assert!(why(&Archiver { mode: "off".into(), ..archiver() }).contains("archive_mode is off"));
        assert!(why(&Archiver { has_command: false, ..archiver() }).contains("neither"));
        assert!(why(&Archiver { in_recovery: true, ..archiver() }).contains("standby"));
        assert!(
            why(&Archiver { archived_s: None, last: None, ..archiver() }).contains("nothing was archived")
        );
        let failing = Archiver {
            failed_s: Some(30.0),
            failures: 7,
            last_failed: Some("000000010000000200000006".into()),
            ..archiver()
        };
        assert_eq!(
            why(&failing),
            "archiving fails at 000000010000000200000006 (7 failures, last worked 25 h ago)"
        );
        let recovered = Archiver { failed_s: Some(100_000.0), ..failing };
        assert_eq!(recovered.judge().verdict, Verdict::Good);
    }

    /// After a crash the statistics begin anew, and the next segment is archived once it is full.
    #[test]
    fn a_server_that_came_back_from_a_crash_is_not_said_to_have_no_archive() {
        let after = |counted_s, failures| {
            let none =
                Archiver { archived_s: None, last: None, counted_s: Some(counted_s), failures, ..archiver() };
            let failed_s = (failures > 0).then_some(3.0);
            Archiver { failed_s, ..none }.judge().verdict
        };
        assert!(matches!(after(40.0, 0), Verdict::Warn(why) if why.contains("as after a crash")));
        assert!(matches!(after(7200.0, 0), Verdict::Critical(_)));
        assert!(matches!(after(40.0, 2), Verdict::Critical(why) if why.starts_with("archiving fails")));
    }

    #[test]
    fn segments_are_numbered_across_files() {
        assert_eq!(segment_number("000000010000000200000005", SEGMENT), Some(2 * 256 + 5));
        assert_eq!(segment_number("000000010000000200000005.00000028.backup", SEGMENT), Some(2 * 256 + 5));
        assert_eq!(segment_number("00000002.history", SEGMENT), None);
    }
}
