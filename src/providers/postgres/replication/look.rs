//! What one look at each server reads.

use super::synchronous::Sender;
use crate::base::moment::Moment;
use crate::base::text::clean;
use crate::providers::postgres::client::ReadOnly;
use crate::providers::postgres::probe::timeline;
use crate::providers::postgres::source::DatabaseError;
use std::time::Duration;
use tokio_postgres::Row;

/// Reads a standby. Works from PostgreSQL 12 on. Positions are bytes from the start of the WAL.
pub const STANDBY_QUERY: &str = r"
select pg_catalog.pg_is_in_recovery() as in_recovery,
       (select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()) as system,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as started_at,
       greatest((select timeline_id from pg_catalog.pg_control_checkpoint()),
                (select min_recovery_end_timeline from pg_catalog.pg_control_recovery()), r.received_tli)::bigint as timeline,
       case when not pg_catalog.pg_is_in_recovery() then pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) end as timeline_hex,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), '0/0')::bigint as received,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')::bigint as replayed,
       extract(epoch from pg_catalog.pg_last_xact_replay_timestamp())::double precision as committed_s,
       case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_is_wal_replay_paused() else false end as paused,
       (select setting::double precision / 1000 from pg_catalog.pg_settings where name = 'recovery_min_apply_delay') as delay_s,
       (select setting::double precision / 1000 from pg_catalog.pg_settings where name = 'wal_receiver_timeout') as timeout_s,
       (select setting::double precision from pg_catalog.pg_settings where name = 'autovacuum_naptime') as naptime_s,
       extract(epoch from pg_catalog.clock_timestamp())::double precision as clock_s,
       coalesce((select setting from pg_catalog.pg_settings where name = 'restore_command'), '') <> '' as archive,
       c.conninfo <> '' as wants_stream,
       substring(c.conninfo from '(?:^|\s)host=''?([^\s'']+)') as upstream_host,
       substring(c.conninfo from '(?:^|\s)port=''?(\d+)') as upstream_port,
       nullif((select setting from pg_catalog.pg_settings where name = 'primary_slot_name'), '') as wants_slot,
       coalesce(substring(coalesce(r.conninfo, c.conninfo) from '(?:^|\s)application_name=''?([^\s'']+)'),
                nullif((select setting from pg_catalog.pg_settings where name = 'cluster_name'), ''), 'walreceiver') as name,
       (select wait_event from pg_catalog.pg_stat_activity where backend_type = 'startup') as waits_for,
       (select case when pg_catalog.txid_snapshot_xmin(now) = pg_catalog.txid_snapshot_xmax(now) then pg_catalog.txid_snapshot_xmax(now) end
          from pg_catalog.txid_current_snapshot() as now) as complete_to,
       r.pid is not null as receiver,
       r.status, r.slot_name, r.sender_host, r.sender_port,
       extract(epoch from pg_catalog.clock_timestamp() - r.last_msg_receipt_time)::double precision as message_age_s,
       extract(epoch from r.last_msg_receipt_time - r.last_msg_send_time)::double precision as message_took_s,
       case when r.latest_end_lsn > r.receive_start_lsn
            then pg_catalog.pg_wal_lsn_diff(r.latest_end_lsn, '0/0')::bigint end as latest_end
  from (select (select setting from pg_catalog.pg_settings where name = 'primary_conninfo') as conninfo) as c
       left join pg_catalog.pg_stat_wal_receiver r on true";

/// Reads a primary. The timeline comes from the name of the file being written: after a promotion the control
/// file still shows the old one until the next checkpoint.
pub const PRIMARY_QUERY: &str = r"
select pg_catalog.pg_is_in_recovery() as in_recovery,
       (select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()) as system,
       case when not pg_catalog.pg_is_in_recovery() then pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) end as timeline_hex,
       case when not pg_catalog.pg_is_in_recovery()
            then pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), '0/0')::bigint end as lsn,
       (select case when pg_catalog.txid_snapshot_xmin(now) = pg_catalog.txid_snapshot_xmax(now) then pg_catalog.txid_snapshot_xmax(now) end
          from pg_catalog.txid_current_snapshot() as now) as complete_to,
       extract(epoch from pg_catalog.clock_timestamp())::double precision as clock_s,
       (select source || ':' || setting from pg_catalog.pg_settings where name = 'default_transaction_read_only') as read_only,
       (select setting::double precision from pg_catalog.pg_settings where name = 'autovacuum_naptime') as naptime_s,
       pg_catalog.current_setting('synchronous_standby_names') as synchronous_names,
       pg_catalog.current_setting('synchronous_commit') in ('on', 'remote_write', 'remote_apply')
         and not exists (select from pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) as kept
                          where kept like 'synchronous_commit=%') as synchronous,
       (select coalesce(pg_catalog.array_agg(s.slot_name::pg_catalog.text || ' ' || coalesce(pg_catalog.to_jsonb(s) ->> 'wal_status', 'reserved')), '{}')
          from pg_catalog.pg_replication_slots s where s.slot_type = 'physical') as slots,
       (select coalesce(pg_catalog.array_agg(case when s.state is not null then
               coalesce((case pg_catalog.current_setting('synchronous_commit') when 'remote_write'
                         then pg_catalog.pg_wal_lsn_diff(s.write_lsn, '0/0')
                         else pg_catalog.pg_wal_lsn_diff(s.flush_lsn, '0/0') end)::bigint::pg_catalog.text, '') || ' ' || s.application_name end),
               '{}')
          from pg_catalog.pg_stat_replication s where s.state is distinct from 'backup') as standbys,
       (select pg_catalog.count(*) from pg_catalog.pg_stat_replication)::bigint as senders";

/// Where the oldest WAL begins that a server still has; needs `pg_monitor`. It reads a folder, so it is asked only while
/// nothing streams.
pub const OLDEST_QUERY: &str = r"
select pg_catalog.min(pg_catalog.substr(name, 9)) as segment,
       (select setting::bigint from pg_catalog.pg_settings where name = 'wal_segment_size') as segment_bytes
  from pg_catalog.pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'";

/// PostgreSQL's default of `autovacuum_naptime`.
pub const UPKEEP_ROUND: Duration = Duration::from_secs(60);

/// A standby as it was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Standby {
    /// When, on this host's clock.
    pub at: Moment,
    /// Still a standby?
    pub in_recovery: bool,
    /// Identifies the cluster; the same on primary and standby.
    pub system: String,
    /// When it started: tells it apart from other standbys of the cluster.
    pub started_at: String,
    /// The timeline that it follows.
    pub timeline: u32,
    /// The end of what it has received and written to disk.
    pub received: Option<u64>,
    /// The end of what its queries see.
    pub replayed: Option<u64>,
    /// When the last commit was made that it replayed: by the clock of the server that made it, seconds since 1970.
    pub committed: Option<f64>,
    /// Somebody paused replay.
    pub paused: bool,
    /// `recovery_min_apply_delay`.
    pub apply_delay: Duration,
    /// `wal_receiver_timeout`; zero is none.
    pub receiver_timeout: Duration,
    /// How long autovacuum takes to come to each database once, `autovacuum_naptime`: taken for its primary's where that was
    /// not seen.
    pub upkeep_round: Duration,
    /// What the replaying process waits for.
    pub waits_for: Option<String>,
    /// The first transaction that it knows nothing of, where it knows how all before ended.
    pub complete_to: Option<i64>,
    /// Its clock, seconds since 1970.
    pub clock: f64,
    /// Where its WAL comes from by its own settings.
    pub fed: Feed,
    /// The process that receives WAL.
    pub receiver: Receiver,
}

/// Where a standby gets its WAL from, by its own settings.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Feed {
    /// It has a `restore_command`.
    pub archive: bool,
    /// It has a `primary_conninfo`; none where this role may not see it.
    pub wants_stream: Option<bool>,
    /// `host:port` of that, as far as it says.
    pub upstream: Option<String>,
    /// Its `primary_slot_name`.
    pub slot: Option<String>,
    /// The name by which the primary knows it, `application_name`.
    pub name: String,
}

/// The process that receives WAL.
#[derive(Clone, PartialEq, Debug)]
pub enum Receiver {
    /// It does not run.
    None,
    /// It runs, and this role may not see more.
    Hidden,
    /// It runs.
    Seen {
        /// `streaming`, `starting`, `waiting`, …
        status: String,
        /// Since the last message from the sender.
        silent: Duration,
        /// Seconds from when the sender sent it, by its clock, to when it came, by the standby's; the clocks' difference is
        /// in it.
        took_s: Option<f64>,
        /// Where the sender's WAL ended by that message; none before the first one of this receiver.
        end: Option<u64>,
        /// The replication slot that it uses.
        slot: Option<String>,
        /// Whom it receives from, `host:port`.
        sender: Option<String>,
    },
}

/// A primary as it was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Primary {
    /// When, on this host's clock.
    pub at: Moment,
    /// It is itself a standby.
    pub in_recovery: bool,
    /// Identifies the cluster.
    pub system: String,
    /// The timeline that it writes.
    pub timeline: u32,
    /// The durable end of its WAL.
    pub end: u64,
    /// The first transaction that has not begun, where all before have ended.
    pub complete_to: Option<i64>,
    /// How many standbys and backups it sends to.
    pub senders: u32,
    /// Its clock, seconds since 1970.
    pub clock: f64,
    /// Whether new transactions are read-only by default: it is fenced.
    pub read_only: ReadOnly,
    /// `autovacuum_naptime`.
    pub upkeep_round: Duration,
    /// `synchronous_standby_names`; none where commits do not wait for standbys whatever it says.
    pub synchronous: Option<String>,
    /// The standbys that it sends to; none where this role may not see them all.
    pub standbys: Option<Vec<Sender>>,
    /// Its physical slots and their `wal_status`.
    pub slots: Vec<(String, String)>,
    /// Where the oldest WAL begins that it still has; none where nobody asked or may ask.
    pub oldest: Option<u64>,
}

/// What came of looking at the primary.
#[derive(Clone, PartialEq, Debug)]
pub enum PrimaryLook {
    /// The plan does not name it.
    NotAsked,
    /// It answered.
    Seen(Primary),
    /// Refused, silent, gone; and when the look began.
    Unreachable(String, Moment),
    /// It may be well, and could not be read (no right to log in, no secret).
    Unreadable(String),
}

impl Standby {
    /// Reads a row of [`STANDBY_QUERY`].
    pub fn of(row: &Row, at: Moment) -> Result<Self, DatabaseError> {
        Ok(Self {
            at,
            in_recovery: row.try_get("in_recovery")?,
            system: row.try_get("system")?,
            started_at: clean(row.try_get("started_at")?, 40),
            timeline: timeline(row)?,
            received: position(row, "received")?,
            replayed: position(row, "replayed")?,
            committed: row.try_get("committed_s")?,
            paused: row.try_get("paused")?,
            apply_delay: row.try_get::<_, Option<f64>>("delay_s")?.map_or(Duration::ZERO, span),
            receiver_timeout: row.try_get::<_, Option<f64>>("timeout_s")?.map_or(Duration::ZERO, span),
            upkeep_round: row.try_get::<_, Option<f64>>("naptime_s")?.map_or(UPKEEP_ROUND, span),
            waits_for: row.try_get("waits_for")?,
            complete_to: row.try_get("complete_to")?,
            clock: row.try_get("clock_s")?,
            fed: Feed::of(row)?,
            receiver: Receiver::of(row)?,
        })
    }

    /// What it keeps if it is promoted: all that it received, replayed or not. `pg_promote()` replays it first,
    /// even while replay is paused. After a restart the received position can be behind the replayed one.
    pub fn holds(&self) -> Option<u64> {
        self.received.max(self.replayed)
    }

    /// Age of the last replayed commit in seconds, between the clocks of two servers: below zero where the other is ahead.
    pub fn commit_age_s(&self) -> Option<f64> {
        self.committed.map(|committed| self.clock - committed)
    }

    /// Whether it has come to the end of its WAL, and receives more or waits for some. Before that, after a restart, its
    /// positions do not tell all that it has.
    pub fn is_at_end(&self) -> bool {
        let waits = |event: &str| event.starts_with("RecoveryWal") || event.starts_with("RecoveryRetrieve");
        matches!(self.receiver, Receiver::Seen { .. }) || self.waits_for.as_deref().is_some_and(waits)
    }

    /// Whether its receiver says that it streams.
    pub fn streams(&self) -> bool {
        matches!(&self.receiver, Receiver::Seen { status, .. } if status == "streaming")
    }

    /// How long a receiver may be silent and still count as streaming. It asks an idle primary for a sign of life
    /// after half of its time-out, so a little more than that is silence; without time-out it never asks.
    pub fn silence_limit(&self) -> Duration {
        match self.receiver_timeout {
            Duration::ZERO => Duration::MAX,
            timeout => timeout / 2 + Duration::from_secs(5),
        }
    }
}

impl Feed {
    fn of(row: &Row) -> Result<Self, DatabaseError> {
        let text = |column: &str| -> Result<Option<String>, DatabaseError> {
            Ok(row.try_get::<_, Option<String>>(column)?.map(|text| clean(&text, 200)))
        };
        let (host, port) = (text("upstream_host")?, text("upstream_port")?);
        Ok(Self {
            archive: row.try_get("archive")?,
            wants_stream: row.try_get("wants_stream")?,
            upstream: host.map(|host| format!("{host}:{}", port.as_deref().unwrap_or("5432"))),
            slot: text("wants_slot")?,
            name: text("name")?.unwrap_or_default(),
        })
    }
}

impl Receiver {
    fn of(row: &Row) -> Result<Self, DatabaseError> {
        if !row.try_get::<_, bool>("receiver")? {
            return Ok(Self::None);
        }
        let Some(status) = row.try_get::<_, Option<String>>("status")? else { return Ok(Self::Hidden) };
        let host: Option<String> = row.try_get("sender_host")?;
        let port: Option<i32> = row.try_get("sender_port")?;
        let silent: Option<f64> = row.try_get("message_age_s")?;
        Ok(Self::Seen {
            status,
            silent: silent.map_or(Duration::ZERO, span),
            took_s: row.try_get("message_took_s")?,
            end: position(row, "latest_end")?,
            slot: row.try_get::<_, Option<String>>("slot_name")?.map(|slot| clean(&slot, 100)),
            sender: host.zip(port).map(|(host, port)| clean(&format!("{host}:{port}"), 200)),
        })
    }
}

impl Primary {
    /// Reads a row of [`PRIMARY_QUERY`].
    pub fn of(row: &Row, at: Moment) -> Result<Self, DatabaseError> {
        let in_recovery = row.try_get("in_recovery")?;
        let senders: i64 = row.try_get("senders")?;
        let names: String = row.try_get("synchronous_names")?;
        let slots: Vec<String> = row.try_get("slots")?;
        let standbys: Vec<Option<String>> = row.try_get("standbys")?;
        let slot = |slot: &String| slot.split_once(' ').map(|(name, status)| (name.into(), status.into()));
        Ok(Self {
            at,
            in_recovery,
            system: row.try_get("system")?,
            timeline: if in_recovery { 0 } else { timeline(row)? },
            end: position(row, "lsn")?.unwrap_or_default(),
            complete_to: row.try_get("complete_to")?,
            senders: u32::try_from(senders).unwrap_or(u32::MAX),
            clock: row.try_get("clock_s")?,
            read_only: ReadOnly::of(row.try_get("read_only")?),
            upkeep_round: row.try_get::<_, Option<f64>>("naptime_s")?.map_or(UPKEEP_ROUND, span),
            synchronous: row.try_get::<_, bool>("synchronous")?.then_some(names),
            standbys: standbys.iter().map(|standby| standby.as_deref().and_then(Sender::of)).collect(),
            slots: slots.iter().filter_map(slot).collect(),
            oldest: None,
        })
    }
}

/// Reads a row of [`OLDEST_QUERY`]: a segment's name without its timeline has two numbers of eight hexadecimal digits,
/// units of 4 GiB and of segments.
pub fn oldest(row: &Row) -> Result<Option<u64>, DatabaseError> {
    let segment: Option<String> = row.try_get("segment")?;
    let bytes: i64 = row.try_get("segment_bytes")?;
    let part = |digits: Option<&str>| u64::from_str_radix(digits?, 16).ok();
    Ok(segment.and_then(|name| {
        let (upper, lower) = (part(name.get(..8))?, part(name.get(8..))?);
        (upper << 32).checked_add(lower.checked_mul(bytes.unsigned_abs())?)
    }))
}

fn position(row: &Row, column: &str) -> Result<Option<u64>, DatabaseError> {
    let position: Option<i64> = row.try_get(column)?;
    Ok(position.map(i64::unsigned_abs))
}

/// A difference of two times of one host, whose clock may have been set back in between.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
