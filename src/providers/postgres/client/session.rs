//! One session that no other takes the place of: what is read over it and what is changed over it is of one server.

use super::error::PostgresError;
use super::live::Live;
use super::{Postgres, SqlParams};
use crate::secrets::{Redactor, Secret};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{Client, Row};

/// A session with one server, which ends with it: where the connection breaks every further call fails, whoever else
/// answers to the connection string by then.
pub struct Session {
    live: Arc<Live>,
    redactor: Redactor,
}

impl Postgres {
    /// A new session of its own, beside the kept one.
    ///
    /// # Errors
    /// Why no server of the connection string is to be had within the deadline.
    pub async fn session(&self, dsn: &Secret, deadline: Duration) -> Result<Session, PostgresError> {
        let live = Arc::new(self.connect(dsn, deadline, Instant::now() + deadline).await?);
        Ok(Session { live, redactor: self.connector.redactor.clone() })
    }
}

impl Session {
    /// `host:port/database` of the server that it is with, also where the connection string names several.
    pub fn target(&self) -> &str {
        &self.live.target
    }

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    /// As [`Postgres::query`].
    pub async fn query(
        &self,
        sql: &str,
        params: SqlParams<'_>,
        deadline: Duration,
    ) -> Result<Vec<Row>, PostgresError> {
        self.live
            .run(&self.redactor, deadline, Instant::now() + deadline, async |client| {
                client.query(sql, params).await
            })
            .await
    }

    /// Runs several statements through the simple protocol.
    ///
    /// # Errors
    /// As [`Postgres::query`].
    pub async fn batch(&self, sql: &str, deadline: Duration) -> Result<(), PostgresError> {
        self.live
            .run(&self.redactor, deadline, Instant::now() + deadline, async |client| {
                client.batch_execute(sql).await
            })
            .await
    }
}

impl Live {
    /// Runs a call until then. On a timeout the server is asked to cancel it.
    pub(super) async fn run<T>(
        &self,
        redactor: &Redactor,
        deadline: Duration,
        until: Instant,
        call: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, PostgresError> {
        match timeout_at(until, call(&self.client)).await {
            Ok(result) => result.map_err(|error| self.failed(&error, redactor)),
            Err(_) => {
                self.cancel();
                Err(PostgresError::timeout(&self.target, "running a statement", deadline))
            }
        }
    }
}
