//! A PostgreSQL server as the target of an action: who it is, read live.

use crate::base::text::clean;
use crate::base::words;
use crate::core::ask::watch::Found;
use crate::core::words::action::{Failure, STARTED_AT, SYSTEM_IDENTIFIER, Target};
use crate::core::words::preflight::Check;
use crate::providers::postgres::client::ReadOnly;
use crate::providers::postgres::manager::Management;
use crate::providers::postgres::probe::timeline;
use crate::providers::postgres::source::{Database, DatabaseError, Session};
use std::time::{Duration, Instant};
use tokio_postgres::Row;

/// Where a server is, by its own word.
const ADDRESS: &str = "address";
/// How another process than the confirmed one is told.
const RESTARTED: &str = "it was restarted since, or its address leads to another server";
const ANOTHER: &str = "another server answers";
/// All that a standby keeps if it is promoted: the end of the WAL that it received or replayed.
const HOLDS: &str = "holds WAL up to";

/// How long reading a server's identity may take.
pub(crate) const LOOK: Duration = Duration::from_secs(5);

const QUERY: &str = "
select pg_catalog.pg_is_in_recovery() as in_recovery,
       (select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()) as system,
       case when not pg_catalog.pg_is_in_recovery() then pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) end as timeline_hex,
       greatest((select timeline_id from pg_catalog.pg_control_checkpoint()),
                (select min_recovery_end_timeline from pg_catalog.pg_control_recovery()),
                (select received_tli from pg_catalog.pg_stat_wal_receiver))::bigint as timeline,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), '0/0')::bigint as received,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')::bigint as replayed,
       case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_is_wal_replay_paused() else false end as paused,
       (select source || ':' || setting from pg_catalog.pg_settings where name = 'default_transaction_read_only') as read_only,
       pg_catalog.current_setting('synchronous_standby_names') as synchronous,
       pg_catalog.has_function_privilege('pg_promote(boolean, integer)', 'execute') as may_promote,
       pg_catalog.current_setting('is_superuser') = 'on' as superuser,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as started_at,
       coalesce(case when pg_catalog.family(pg_catalog.inet_server_addr()) = 6 then '[' || pg_catalog.host(pg_catalog.inet_server_addr()) || ']'
                     else pg_catalog.host(pg_catalog.inet_server_addr()) end || ':' || pg_catalog.inet_server_port(),
                (select setting from pg_catalog.pg_settings where name = 'data_directory')) as address";

/// A server as it was seen, and the session over which: what is done to it is done over that, so that no other server
/// that the same name leads to can come in between.
pub(crate) struct Server {
    pub(crate) session: Session,
    pub(crate) in_recovery: bool,
    pub(crate) system: String,
    pub(crate) timeline: u32,
    received: Option<u64>,
    replayed: Option<u64>,
    paused: bool,
    pub(crate) read_only: ReadOnly,
    /// `synchronous_standby_names`: whom its commits wait for once it is a primary.
    synchronous: String,
    pub(crate) may_promote: bool,
    pub(crate) superuser: bool,
    started_at: String,
    /// Its own address and port; its data directory where a socket leads there and this role may see it.
    address: Option<String>,
}

/// Whether the server that answers is the one that was confirmed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Its process, as far as it was known then.
    Same,
    /// Another process at its address: it was restarted, or the address leads to another server.
    Restarted,
    Another,
}

impl Server {
    /// Looks at it, over a new session: a name may have moved to another server.
    pub(crate) async fn look(database: &Database) -> Result<Self, DatabaseError> {
        let until = Instant::now() + LOOK;
        let session = database.session(LOOK).await?;
        let row = session.row(QUERY, until.saturating_duration_since(Instant::now())).await?;
        Self::of(session, &row)
    }

    fn of(session: Session, row: &Row) -> Result<Self, DatabaseError> {
        let position = |name: &str| row.try_get::<_, Option<i64>>(name).map(|lsn| lsn.map(i64::unsigned_abs));
        let started_at: String = row.try_get("started_at")?;
        let address: Option<String> = row.try_get("address")?;
        Ok(Self {
            session,
            in_recovery: row.try_get("in_recovery")?,
            system: row.try_get("system")?,
            timeline: timeline(row)?,
            received: position("received")?,
            replayed: position("replayed")?,
            paused: row.try_get("paused")?,
            read_only: ReadOnly::of(row.try_get("read_only")?),
            synchronous: clean(&row.try_get::<_, String>("synchronous")?, 200),
            may_promote: row.try_get("may_promote")?,
            superuser: row.try_get("superuser")?,
            started_at: clean(&started_at, 40),
            address: address.map(|address| clean(&address, 200)),
        })
    }

    pub(crate) fn role(&self) -> &'static str {
        if self.in_recovery { "standby" } else { "primary" }
    }

    /// What the operator calls it: the plan's words, or the server of several that answered.
    pub(crate) fn called(&self, name: String) -> String {
        if names_several(&name) { self.session.name() } else { name }
    }

    /// The end of the WAL that a standby keeps if it is promoted.
    fn holds(&self) -> Option<u64> {
        self.received.max(self.replayed).filter(|_| self.in_recovery)
    }

    /// The target with what must not change between confirmation and execution: which cluster, which process, where, in
    /// what role. Where a standby is moves on, and may not go back.
    pub(crate) fn target(&self, name: String, management: &Management) -> Target {
        let mut identity = vec![
            (SYSTEM_IDENTIFIER.into(), self.system.clone()),
            ("role".into(), self.role().into()),
            ("timeline".into(), self.timeline.to_string()),
        ];
        identity.extend(self.address.clone().map(|address| (ADDRESS.into(), address)));
        identity.push((STARTED_AT.into(), self.started_at.clone()));
        identity.extend(self.holds().map(|position| (HOLDS.into(), words::lsn(position))));
        identity.extend(management.name().map(|name| ("managed by".into(), name.to_owned())));
        Target { name, kind: "PostgreSQL server".into(), identity, reachable: true }
    }

    fn who(&self, expected: &Target) -> Who {
        let differs =
            |name: &str, now: Option<&str>| expected.property(name).is_some_and(|known| Some(known) != now);
        if differs(SYSTEM_IDENTIFIER, Some(&self.system)) {
            return Who::Another;
        }
        let address = self.address.as_deref();
        match (differs(STARTED_AT, Some(&self.started_at)), differs(ADDRESS, address)) {
            (false, _) => Who::Same,
            // Where nothing tells that it is at the same address it may be any.
            (true, false) if expected.property(ADDRESS).is_some() => Who::Restarted,
            (true, _) => Who::Another,
        }
    }

    /// Whether it is certainly not the one that was confirmed.
    pub(crate) fn is_another(&self, expected: &Target) -> bool {
        self.who(expected) == Who::Another
    }

    /// A standby that holds less than it did when it was confirmed.
    fn is_behind(&self, expected: &Target) -> bool {
        let then = expected.property(HOLDS).and_then(words::position);
        then.is_some_and(|then| self.holds().is_none_or(|now| now < then))
    }

    pub(crate) fn found(&self, expected: &Target) -> Found {
        let system = self.system.clone();
        if self.is_another(expected) {
            return Found::Unread { why: format!("another server answers there: {}", self.introduction()) };
        }
        match self.in_recovery {
            true => Found::Standby { timeline: self.timeline, system },
            false => Found::Primary { timeline: self.timeline, writable: self.read_only.may_write(), system },
        }
    }

    /// `a standby on timeline 1 of system identifier 7…, address 10.0.0.2:5432, started at …`.
    fn introduction(&self) -> String {
        let address =
            self.address.as_ref().map_or_else(String::new, |address| format!(", address {address}"));
        format!(
            "a {} on timeline {} of system identifier {}{address}, started at {}",
            self.role(),
            self.timeline,
            self.system,
            self.started_at
        )
    }

    /// What keeps applications from writing to a standby once it is promoted, each with what to do about it.
    pub(crate) fn unwritable(&self) -> Vec<(&'static str, String, &'static str)> {
        let read_only = (self.in_recovery && !self.read_only.may_write()).then(|| {
            (
                "writes",
                "default_transaction_read_only is ON there: once it is promoted NOBODY CAN WRITE".to_owned(),
                "On it: `alter system reset default_transaction_read_only; select pg_reload_conf()`.",
            )
        });
        let waits = (self.in_recovery && !self.synchronous.trim().is_empty()).then(|| {
            (
                "commits",
                format!(
                    "synchronous_standby_names is '{}' there: once it is promoted every commit waits for such a standby",
                    self.synchronous
                ),
                "Where none of that name will follow it: `alter system reset synchronous_standby_names; select pg_reload_conf()`.",
            )
        });
        read_only.into_iter().chain(waits).collect()
    }

    /// Where a standby is, for the confirmation.
    pub(crate) fn position_notes(&self) -> Vec<String> {
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
pub(crate) async fn found(database: &Database, expected: &Target) -> Found {
    match Server::look(database).await {
        Ok(server) => server.found(expected),
        Err(error) => Found::Unread { why: error.to_string() },
    }
}

/// The target when the server cannot be read: it can be named, and nothing is known of it.
pub(crate) fn unreachable(name: String) -> Target {
    Target::unseen(&name, "PostgreSQL server")
}

/// Fails when the server is not the one that was confirmed, down to its process, or has another manager by now, or is a
/// standby that holds less than it did.
pub(crate) fn same_target(
    expected: &Target,
    server: &Server,
    management: &Management,
) -> Result<(), Failure> {
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
    let found = server.target(expected.name.clone(), management);
    let but_position = |target: &Target| {
        target.identity.iter().filter(|(name, _)| name != HOLDS).cloned().collect::<Vec<_>>()
    };
    if but_position(expected) == but_position(&found) && !server.is_behind(expected) {
        return Ok(());
    }
    let failure = Failure::target_changed(expected, &found);
    let (who, next) = match server.who(expected) {
        Who::Same => return Err(failure),
        Who::Restarted => (RESTARTED, "see what it is now"),
        Who::Another => (ANOTHER, "find out where the one that was confirmed is"),
    };
    let why = format!("{who}: {}", failure.why);
    Err(Failure { why, next: format!("Nothing was done: {next}, and prepare the step anew."), ..failure })
}

/// Fails when what is read now proves nothing of the server that was confirmed, because another one answers. A restart of
/// it makes no difference.
pub(crate) fn same_server(expected: &Target, server: &Server) -> Result<(), Failure> {
    match server.who(expected) {
        Who::Same | Who::Restarted => Ok(()),
        Who::Another => Err(proves_nothing(ANOTHER, expected, server)),
    }
}

/// The same where also a restart leaves open whether it is that server: its address may lead to another one by now.
pub(crate) fn same_process(expected: &Target, server: &Server) -> Result<(), Failure> {
    same_server(expected, server)?;
    match server.who(expected) {
        Who::Restarted => Err(proves_nothing(RESTARTED, expected, server)),
        Who::Same | Who::Another => Ok(()),
    }
}

fn proves_nothing(who: &str, expected: &Target, server: &Server) -> Failure {
    let found = server.target(expected.name.clone(), &Management::NotSeen);
    let failure = Failure::target_changed(expected, &found);
    let why = format!("{who}: {}", failure.why);
    let next = "What it is proves nothing of the one that was confirmed. Find that one and look at it, then attest the step.";
    Failure { why, next: next.into(), ..failure }
}

/// Whether a name stands for several servers of which any may answer.
pub(crate) fn names_several(name: &str) -> bool {
    name.contains(',')
}

/// The preflight's word on a session that hides whether its server is read-only: no proof of the step could tell.
pub(crate) fn hidden(server: &Server) -> Option<Check> {
    server
        .read_only
        .hidden()
        .map(|why| Check::fail("read-only", format!("{why}: the step could not be proven"), ReadOnly::NEXT))
}

/// The preflight's word on a connection string that names several servers.
pub(crate) fn several(name: &str) -> Option<Check> {
    names_several(name).then(|| {
        Check::warn(
            "server",
            format!("its connection string names several servers, {name}: whoever answers first is meant"),
            "Name one server for each step.",
        )
    })
}

/// A failure to read a server before anything was done.
pub(crate) fn unread(what: String, error: &DatabaseError) -> Failure {
    Failure::not_done(what, error.to_string(), error.next_step())
}
