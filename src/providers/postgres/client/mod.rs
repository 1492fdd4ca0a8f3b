//! PostgreSQL: one connection for each connection string, kept between calls, a deadline on each call.

mod connect;
mod dsn;
mod error;
mod files;
mod live;
mod read_only;
mod role;
mod session;
mod wire;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::base::environment::Environment;
use crate::providers::net::names::{Directory, SystemNames};
use crate::providers::net::own_clock::OwnClock;
use crate::secrets::{Redactor, Secret};
use connect::Connector;
use dsn::Dsn;
use files::Files;
use live::Live;

pub use error::{PostgresError, PostgresErrorKind};
pub use read_only::ReadOnly;
pub use session::Session;
pub use tokio_postgres::types as sql_types;

/// Values of `$1`, `$2`, … of a statement.
pub type SqlParams<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The PostgreSQL connections of this process. Clones share them.
#[derive(Clone)]
pub struct Postgres {
    connector: Connector,
    /// By a digest of the connection string, which may hold a password.
    slots: Arc<Mutex<HashMap<[u8; 32], Arc<Slot>>>>,
}

/// The place of one connection. Its lock is never held while anything is waited for: whoever connects into the void
/// must not cost another call its time.
type Slot = Mutex<Place>;

#[derive(Default)]
struct Place {
    live: Option<Arc<Live>>,
    /// How often the connection was dropped on purpose: one that was begun before is not kept.
    dropped: u64,
}

impl Postgres {
    /// No connection yet. The environment tells where libpq's files are (`PGSERVICEFILE`, `PGPASSFILE`, `HOME`).
    pub fn new(redactor: Redactor, environment: &Environment) -> Self {
        let files = Files::of(environment);
        let names = Directory::new(Arc::new(SystemNames));
        Self {
            connector: Connector { redactor, names, clock: OwnClock::default(), files },
            slots: Arc::default(),
        }
    }

    /// With another way to look up names.
    pub fn with_names(mut self, names: Directory) -> Self {
        self.connector.names = names;
        self
    }

    /// With what others heard of the time.
    pub(crate) fn with_clock(mut self, clock: OwnClock) -> Self {
        self.connector.clock = clock;
        self
    }

    /// Runs one statement and returns its rows, over the kept connection, or a new one where there is none.
    /// `deadline` covers connecting and running.
    ///
    /// # Errors
    /// [`PostgresError`]. A statement is never sent twice: after [`PostgresErrorKind::Closed`] or
    /// [`PostgresErrorKind::Timeout`] it is not known whether it had its effect. On a timeout the server is
    /// asked to cancel the statement, and the connection is dropped.
    pub async fn query(
        &self,
        dsn: &Secret,
        sql: &str,
        params: SqlParams<'_>,
        deadline: Duration,
    ) -> Result<Vec<Row>, PostgresError> {
        self.run(dsn, deadline, async |client| client.query(sql, params).await).await
    }

    /// Runs one statement and returns the number of rows that it changed; otherwise as [`Postgres::query`].
    ///
    /// # Errors
    /// As [`Postgres::query`].
    pub async fn execute(
        &self,
        dsn: &Secret,
        sql: &str,
        params: SqlParams<'_>,
        deadline: Duration,
    ) -> Result<u64, PostgresError> {
        self.run(dsn, deadline, async |client| client.execute(sql, params).await).await
    }

    /// Runs several statements separated by semicolons, without parameters, through the simple protocol: one
    /// transaction unless they say otherwise. For what cannot be prepared (`alter system`, `checkpoint`).
    ///
    /// # Errors
    /// As [`Postgres::query`].
    pub async fn batch(&self, dsn: &Secret, sql: &str, deadline: Duration) -> Result<(), PostgresError> {
        self.run(dsn, deadline, async |client| client.batch_execute(sql).await).await
    }

    /// `host:port/database` of a connection string, for messages; it holds no secret. A service stands for itself.
    ///
    /// # Errors
    /// [`PostgresErrorKind::Configuration`] when the string cannot be read, or asks for what lifeboat cannot do; all of
    /// that at once. No file is read for it.
    pub fn target(dsn: &Secret) -> Result<String, PostgresError> {
        Dsn::shown(dsn.expose())
    }

    /// Drops the kept connection, so that the next call makes a new one: after a promotion or a move of a name
    /// it must be the server that answers now.
    pub fn disconnect(&self, dsn: &Secret) {
        let slot = self.slot(dsn);
        let mut place = locked(&slot);
        place.live = None;
        place.dropped += 1;
    }

    async fn run<T>(
        &self,
        dsn: &Secret,
        deadline: Duration,
        call: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, PostgresError> {
        let until = Instant::now() + deadline;
        let slot = self.slot(dsn);
        let live = self.connection(&slot, dsn, deadline, until).await?;
        let result = live.run(&self.connector.redactor, deadline, until, call).await;
        if let Err(error) = &result
            && error.ends_connection()
        {
            locked(&slot).live.take_if(|kept| Arc::ptr_eq(kept, &live));
        }
        result
    }

    /// The kept connection, or a new one. Of two that are made at the same time the first is kept.
    async fn connection(
        &self,
        slot: &Slot,
        dsn: &Secret,
        deadline: Duration,
        until: Instant,
    ) -> Result<Arc<Live>, PostgresError> {
        let dropped = {
            let kept = locked(slot).usable();
            if let Some(live) = kept
                && live.is_right(&self.connector.names, until - Instant::now()).await
            {
                return Ok(live);
            }
            locked(slot).dropped
        };
        let live = Arc::new(self.connect(dsn, deadline, until).await?);
        let mut place = locked(slot);
        if place.dropped != dropped {
            return Ok(live);
        }
        if let Some(kept) = place.usable() {
            return Ok(kept);
        }
        place.live = Some(live.clone());
        Ok(live)
    }

    async fn connect(&self, dsn: &Secret, deadline: Duration, until: Instant) -> Result<Live, PostgresError> {
        let dsn = Dsn::parse(dsn.expose(), &self.connector.files)?;
        match timeout_at(until, self.connector.connect(&dsn, until)).await {
            Ok(connected) => connected,
            Err(_) => Err(PostgresError::timeout(&dsn.target, "connecting", deadline)),
        }
    }

    fn slot(&self, dsn: &Secret) -> Arc<Slot> {
        let digest: [u8; 32] = Sha256::digest(dsn.expose()).into();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(digest).or_default().clone()
    }
}

impl Place {
    fn usable(&self) -> Option<Arc<Live>> {
        self.live.clone().filter(|live| live.is_usable())
    }
}

fn locked(slot: &Slot) -> MutexGuard<'_, Place> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
