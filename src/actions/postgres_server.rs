//! A PostgreSQL server as the target of an action: who it is, read live.

use crate::actions::postgres_manager::Management;
use crate::core::action::{Failure, Target};
use crate::core::watch::Found;
use crate::probes::source::{Database, DatabaseError};
use crate::probes::{timeline, words};
use std::time::Duration;
use tokio_postgres::Row;

/// How long reading a server's identity may take.
pub(super) const LOOK: Duration = Duration::from_secs(5);

const QUERY: &str = "
select pg_is_in_recovery() as in_recovery,
       (select system_identifier::text from pg_control_system()) as system,
       case when not pg_is_in_recovery() then substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end as timeline_hex,
       greatest((select timeline_id from pg_control_checkpoint()),
                (select min_recovery_end_timeline from pg_control_recovery()),
                (select received_tli from pg_stat_wal_receiver))::int8 as timeline,
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::int8 as received,
       pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::int8 as replayed,
       case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end as paused,
       current_setting('default_transaction_read_only') = 'on' as read_only,
       has_function_privilege('pg_promote(boolean, integer)', 'execute') as may_promote,
       current_setting('is_superuser') = 'on' as superuser";

/// A server as it was seen.
pub(super) struct Server {
    pub(super) in_recovery: bool,
    pub(super) system: String,
    pub(super) timeline: u32,
    received: Option<u64>,
    replayed: Option<u64>,
    paused: bool,
    pub(super) read_only: bool,
    pub(super) may_promote: bool,
    pub(super) superuser: bool,
}

impl Server {
    /// Looks at it, over a new connection: a name may have moved to another server.
    pub(super) async fn look(database: &Database) -> Result<Self, DatabaseError> {
        database.disconnect(LOOK).await;
        Self::of(&database.row(QUERY, LOOK).await?)
    }

    fn of(row: &Row) -> Result<Self, DatabaseError> {
        let position = |name: &str| row.try_get::<_, Option<i64>>(name).map(|lsn| lsn.map(i64::unsigned_abs));
        Ok(Self {
            in_recovery: row.try_get("in_recovery")?,
            system: row.try_get("system")?,
            timeline: timeline(row)?,
            received: position("received")?,
            replayed: position("replayed")?,
            paused: row.try_get("paused")?,
            read_only: row.try_get("read_only")?,
            may_promote: row.try_get("may_promote")?,
            superuser: row.try_get("superuser")?,
        })
    }

    pub(super) fn role(&self) -> &'static str {
        if self.in_recovery { "standby" } else { "primary" }
    }

    /// The target with what must not change between confirmation and execution. Positions move all the time
    /// and are no part of it.
    pub(super) fn target(&self, name: String, management: &Management) -> Target {
        let mut identity = vec![
            ("system identifier".into(), self.system.clone()),
            ("role".into(), self.role().into()),
            ("timeline".into(), self.timeline.to_string()),
        ];
        identity.extend(management.name().map(|name| ("managed by".into(), name.to_owned())));
        Target { name, kind: "PostgreSQL server".into(), identity, reachable: true }
    }

    pub(super) fn found(&self, expected: &Target) -> Found {
        let system = self.system.clone();
        match property(expected, "system identifier") {
            Some(known) if known != self.system => {
                Found::Unread { why: format!("another cluster answers there, of system identifier {system}") }
            }
            _ if self.in_recovery => Found::Standby { timeline: self.timeline, system },
            _ => Found::Primary { timeline: self.timeline, writable: !self.read_only, system },
        }
    }

    /// Where a standby is, for the confirmation.
    pub(super) fn position_notes(&self) -> Vec<String> {
        let lsn = |position: Option<u64>| position.map_or("nothing".to_owned(), words::lsn);
        let mut notes = vec![format!(
            "It received WAL up to {} and replayed up to {}.",
            lsn(self.received),
            lsn(self.replayed)
        )];
        let waiting = self.received.unwrap_or_default().saturating_sub(self.replayed.unwrap_or_default());
        if self.paused {
            let bytes = words::bytes(waiting as f64);
            notes.push(format!(
                "Replay is paused: the promotion replays {bytes} first, which takes its time."
            ));
        }
        notes
    }
}

/// What the server is now, over a new connection, for whoever watches it.
pub(super) async fn found(database: &Database, expected: &Target) -> Found {
    match Server::look(database).await {
        Ok(server) => server.found(expected),
        Err(error) => Found::Unread { why: error.to_string() },
    }
}

/// The target when the server cannot be read: it can be named, and nothing is known of it.
pub(super) fn unreachable(name: String) -> Target {
    Target { name, kind: "PostgreSQL server".into(), identity: Vec::new(), reachable: false }
}

/// The value of an identity's property.
pub(super) fn property<'a>(target: &'a Target, name: &str) -> Option<&'a str> {
    target.identity.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}

/// Fails when the server is not the one that was confirmed, or has another manager by now.
pub(super) fn same_target(
    expected: &Target,
    server: &Server,
    management: &Management,
) -> Result<(), Failure> {
    let found = server.target(expected.name.clone(), management);
    if expected.reachable && expected.identity == found.identity {
        return Ok(());
    }
    if !expected.reachable {
        return Err(Failure::not_done(
            format!("the target {} changed since it was confirmed", expected.name),
            format!(
                "it could not be read then; now it is a {} on timeline {}",
                server.role(),
                server.timeline
            ),
            "Nothing was done. Look at the target, then confirm the step again.",
        ));
    }
    Err(Failure::target_changed(expected, &found))
}

/// Fails when the server's name leads to another cluster than the confirmed one.
pub(super) fn same_cluster(expected: &Target, server: &Server) -> Result<(), Failure> {
    match property(expected, "system identifier") {
        Some(system) if system != server.system => Err(Failure::target_changed(
            expected,
            &server.target(expected.name.clone(), &Management::NotSeen),
        )),
        _ => Ok(()),
    }
}

/// A failure to read a server before anything was done.
pub(super) fn unread(what: String, error: &DatabaseError) -> Failure {
    Failure::not_done(what, error.to_string(), error.next_step())
}
