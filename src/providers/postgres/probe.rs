//! `postgres`: does a server accept connections, and is it what it should be.

use crate::base::problem::Problem;
use crate::base::units::Unit;
use crate::core::ask::servers::{FULL, READ_ONLY_HIDDEN};
use crate::core::words::reading::{Measurement, Verdict};
use crate::kinds::probe::{Built, Probe, deadline};
use crate::plan::ProbeSpec;
use crate::plan::keys::{Key, Takes};
use crate::plan::kinds::{ProbeKind, Sees, unchecked};
use crate::plan::params::{ParamError, Params};
use crate::providers::clients::Clients;
use crate::providers::postgres::client::{PostgresErrorKind, ReadOnly};
use crate::providers::postgres::source::{Database, DatabaseError};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Row;

const ROLES: &[&str] = &["primary", "standby", "any"];

/// The kind.
pub static KIND: ProbeKind = ProbeKind {
    name: "postgres",
    sees: Sees::Server,
    doc: "Opens a new session on a PostgreSQL server (version 12 or newer) and reads its role. The value is the \
          time that connecting and reading took. A server that refuses, does not answer, is starting or has no \
          connection left is critical; so is one in another role than expected, and a primary that takes no \
          writes by default. A refused password or a missing secret makes the signal unknown. Whether the server is \
          read-only a role that sets `default_transaction_read_only` for itself (`alter role`, `alter database`, `options`) \
          cannot tell: a primary counts as one that may accept writes then, and never as fenced.",
    unit: Unit::Milliseconds,
    keys: &[
        Key::required(
            "dsn",
            Takes::ConnectionString,
            "Connection string as libpq takes it (`host=… port=… dbname=… user=… sslmode=…`, or a URL).",
        ),
        Key::default(
            "role",
            Takes::Choice(ROLES),
            "any",
            "What the server is on a normal day. Where several servers of a database are watched the roles follow the \
             primary: after a failover the new one has to be a primary, and the old one a standby.",
        ),
    ],
    fields: &[
        ("role", "`primary` or `standby`"),
        ("in_recovery", "`pg_is_in_recovery()`"),
        (
            "read_only",
            "the server's `default_transaction_read_only`: a fenced primary; not known where the session's own value hides it",
        ),
        (FULL, "true where the server answers and has no connection left: those that are in go on"),
        (READ_ONLY_HIDDEN, "what hides it: a value of the role, the database or the connection string"),
        ("version", "the server's version"),
        ("timeline", "the timeline that it writes or follows"),
        ("system_identifier", "identifies the cluster; the same on primary and standbys"),
        (
            "started_at",
            "when the server started; with the system identifier it tells servers apart, whatever address leads there",
        ),
        ("uptime_s", "time since the server started"),
        ("sessions", "client sessions, where the role may see them"),
        ("max_sessions", "`max_connections`"),
        ("commit_waits_s", "how long the oldest commit has waited for a synchronous standby, where one does"),
    ],
    permissions: &[],
    example: r#"[probes.example]
kind = "postgres"
title = "Primary database"
region = "primary"
dsn = { secret = "primary-db" }
role = "primary"
every = "5s"
timeout = "3s"
warn = "300ms"
"#,
    check: unchecked,
};

const QUERY: &str = "
select pg_catalog.pg_is_in_recovery() as in_recovery,
       (select source || ':' || setting from pg_catalog.pg_settings where name = 'default_transaction_read_only') as read_only,
       pg_catalog.current_setting('server_version') as version,
       (select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()) as system,
       case when not pg_catalog.pg_is_in_recovery() then pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) end as timeline_hex,
       greatest((select timeline_id from pg_catalog.pg_control_checkpoint()),
                (select min_recovery_end_timeline from pg_catalog.pg_control_recovery()),
                (select received_tli from pg_catalog.pg_stat_wal_receiver))::bigint as timeline,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as started_at,
       extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.pg_postmaster_start_time())::double precision as uptime_s,
       (select pg_catalog.count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend')::bigint as sessions,
       (select extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.min(query_start)) from pg_catalog.pg_stat_activity
         where wait_event = 'SyncRep')::double precision as commit_waits_s,
       pg_catalog.current_setting('max_connections')::bigint as max_sessions";

/// From when on a commit that waits for a synchronous standby is said: replication itself takes milliseconds.
const COMMITS_HANG: Duration = Duration::from_secs(5);

pub(crate) fn build(spec: &ProbeSpec, clients: &Clients) -> Built {
    Ok(Box::new(Postgres { database: Database::of(&spec.params, "dsn", clients)?, within: deadline(spec) }))
}

struct Postgres {
    database: Database,
    within: Duration,
}

impl Probe for Postgres {
    fn run(&self) -> BoxFuture<'_, Result<Measurement, Problem>> {
        Box::pin(async move {
            let started = Instant::now();
            match look(&self.database, self.within).await {
                Ok(server) => Ok(server.judge(started.elapsed())),
                Err(error) if error.kind() == Some(PostgresErrorKind::TooManyConnections) => {
                    Ok(Measurement::critical(error.to_string()).with_flag(FULL, true))
                }
                Err(error) if error.is_down() => Ok(Measurement::critical(error.to_string())),
                Err(error) => Err(error.into()),
            }
        })
    }
}

/// Reads a server over a new session, beside the one that other probes keep: that one would hide a server that accepts no
/// new ones, and to give it up first would make room for this one alone.
async fn look(database: &Database, within: Duration) -> Result<Server, DatabaseError> {
    let until = Instant::now() + within;
    let session = match database.session(within).await {
        // A role that may have one session only has to give up the kept one.
        Err(error) if error.kind() == Some(PostgresErrorKind::OwnLimit) => {
            database.disconnect(within).await;
            database.session(until.saturating_duration_since(Instant::now())).await?
        }
        opened => opened?,
    };
    Server::of(&session.row(QUERY, until.saturating_duration_since(Instant::now())).await?)
}

/// What this probe would measure on the server that a key names, and what operators call that server.
pub(crate) async fn read(
    params: &Params,
    key: &str,
    clients: &Clients,
    within: Duration,
) -> Result<(String, Measurement), Problem> {
    let unusable = |error: ParamError| Problem::new(error.to_string(), "Correct the plan.".to_owned());
    let database = Database::of(params, key, clients).map_err(unusable)?;
    let started = Instant::now();
    let server = look(&database, within).await?;
    Ok((database.name(within).await, server.judge(started.elapsed())))
}

/// A server as it was seen.
#[derive(Clone, PartialEq, Debug)]
struct Server {
    in_recovery: bool,
    read_only: ReadOnly,
    version: String,
    system: String,
    timeline: u32,
    started_at: String,
    uptime: f64,
    sessions: i64,
    max_sessions: i64,
    /// How long the oldest commit has waited for a synchronous standby.
    commit_waits: Option<f64>,
}

impl Server {
    fn of(row: &Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            in_recovery: row.try_get("in_recovery")?,
            read_only: ReadOnly::of(row.try_get("read_only")?),
            version: row.try_get("version")?,
            system: row.try_get("system")?,
            timeline: timeline(row)?,
            started_at: row.try_get("started_at")?,
            uptime: row.try_get("uptime_s")?,
            sessions: row.try_get("sessions")?,
            max_sessions: row.try_get("max_sessions")?,
            commit_waits: row.try_get("commit_waits_s")?,
        })
    }

    fn role(&self) -> &'static str {
        if self.in_recovery { "standby" } else { "primary" }
    }

    fn judge(&self, took: Duration) -> Measurement {
        let ms = took.as_secs_f64() * 1000.0;
        let role = self.role();
        let version = crate::base::text::clean(&self.version, 60);
        let mut measured = Measurement::good(format!(
            "{role}, PostgreSQL {version}, timeline {}, {ms:.0} ms",
            self.timeline
        ));
        let hidden = self.read_only.hidden();
        if let Some(why) = hidden.as_ref().filter(|_| !self.in_recovery) {
            measured.summary += &format!("; whether it takes writes is NOT KNOWN: {why}");
        }
        if self.read_only == ReadOnly::Known(true) && !self.in_recovery {
            let why = "a primary that takes no writes: default_transaction_read_only is on (fenced?)";
            measured = measured.judged(Verdict::Warn(why.to_owned()));
        }
        if let Some(waits) = self.commit_waits.filter(|waits| *waits >= COMMITS_HANG.as_secs_f64()) {
            let waits = crate::base::words::seconds(waits);
            let why = format!(
                "commits hang: the oldest has waited for {waits} for a synchronous standby (synchronous_standby_names)"
            );
            measured = measured.judged(Verdict::Warn(why));
        }
        if let Some(read_only) = self.read_only.known() {
            measured = measured.with_flag("read_only", read_only);
        }
        measured
            .with_value(ms)
            .with_number("commit_waits_s", self.commit_waits)
            .with_text("role", role.to_owned())
            .with_flag("in_recovery", self.in_recovery)
            .with_text(READ_ONLY_HIDDEN, hidden)
            .with_text("version", version)
            .with_number("timeline", f64::from(self.timeline))
            .with_text("system_identifier", self.system.clone())
            .with_text("started_at", crate::base::text::clean(&self.started_at, 40))
            .with_number("uptime_s", self.uptime)
            .with_number("sessions", self.sessions as f64)
            .with_number("max_sessions", self.max_sessions as f64)
    }
}

/// The timeline: on a primary from the name of the file being written, because its control file shows the old
/// one after a promotion, until the next checkpoint.
pub(crate) fn timeline(row: &Row) -> Result<u32, DatabaseError> {
    let written: Option<String> = row.try_get("timeline_hex")?;
    match written {
        Some(hex) => u32::from_str_radix(&hex, 16).map_err(|_| {
            DatabaseError::Answer(format!("{} is no timeline", crate::base::text::clean(&hex, 20)))
        }),
        None => {
            let followed: i64 = row.try_get("timeline")?;
            u32::try_from(followed).map_err(|_| DatabaseError::Answer(format!("{followed} is no timeline")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            in_recovery: false,
            read_only: ReadOnly::Known(false),
            version: "15.18".into(),
            system: "77".into(),
            timeline: 2,
            started_at: "2026-03-01 02:00:00.123456".into(),
            uptime: 60.0,
            sessions: 3,
            max_sessions: 100,
            commit_waits: None,
        }
    }

    #[test]
    fn commits_that_hang_at_a_synchronous_standby_are_said() {
        let waiting =
            |waits| Server { commit_waits: Some(waits), ..server() }.judge(Duration::from_millis(4));
        assert_eq!(waiting(0.2).verdict, Verdict::Good);
        let hangs = waiting(24.0);
        assert!(matches!(&hangs.verdict, Verdict::Warn(why) if why.contains("waited for 24 s")), "{hangs:?}");
        assert_eq!(hangs.number("commit_waits_s"), Some(24.0));
    }

    #[test]
    fn a_fenced_primary_warns() {
        let verdict = |server: &Server| server.judge(Duration::from_millis(4)).verdict;
        assert_eq!(verdict(&server()), Verdict::Good);
        let read_only = ReadOnly::Known(true);
        assert!(matches!(verdict(&Server { read_only: read_only.clone(), ..server() }), Verdict::Warn(_)));
        let standby = Server { read_only, in_recovery: true, ..server() };
        assert_eq!(verdict(&standby), Verdict::Good);
    }

    #[test]
    fn a_session_that_is_read_only_by_itself_says_nothing_of_its_server() {
        for column in ["user:on", "database:on", "client:on", "user:off"] {
            let measured =
                Server { read_only: ReadOnly::of(column), ..server() }.judge(Duration::from_millis(4));
            assert_eq!(measured.verdict, Verdict::Good, "{column}");
            assert!(!measured.fields.contains_key("read_only"), "{measured:?}");
            assert!(measured.text(READ_ONLY_HIDDEN).is_some(), "{measured:?}");
            assert!(measured.summary.contains("NOT KNOWN"), "{measured:?}");
        }
    }
}
