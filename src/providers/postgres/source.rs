//! A PostgreSQL server that a plan names by its connection string.
use crate::base::problem::Problem;
use crate::kinds::source::secret_text;
use crate::plan::params::{ParamError, Params};
use crate::providers::clients::Clients;
use crate::providers::postgres::client;
use crate::providers::postgres::client::{Postgres, PostgresError, PostgresErrorKind, SqlParams};
use crate::secrets::{Resolver, Secret, SecretError, SecretText};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;

/// A server and how to log in to it.
#[derive(Clone)]
pub(crate) struct Database {
    postgres: Postgres,
    secrets: Resolver,
    dsn: SecretText,
}

/// One session with one server: no other server takes its place.
pub(crate) struct Session(client::Session);

/// Why a server could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// Its connection string is a secret that is not to be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret's source does not answer.
    #[error("the secret {0} was not to be had in time")]
    SecretTimeout(String),
    /// It answered something unexpected, or not at all.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// It answered with columns that are not those of the query.
    #[error("the answer of the server cannot be read: {0}")]
    Answer(String),
}

impl Database {
    /// The server that a key names.
    pub(crate) fn of(params: &Params, key: &str, clients: &Clients) -> Result<Self, ParamError> {
        let dsn = params.get(key).and_then(secret_text);
        let dsn = dsn.ok_or_else(|| ParamError { key: key.to_owned(), expected: "a connection string" })?;
        Ok(Self { postgres: clients.postgres.clone(), secrets: clients.secrets.clone(), dsn })
    }

    /// `host:port`, without the database: what an operator calls the server. The words of the plan where the
    /// secret is not to be had.
    pub(crate) async fn name(&self, within: Duration) -> String {
        let target = match self.secret(Instant::now() + within).await {
            Ok(dsn) => Postgres::target(&dsn).ok(),
            Err(_) => None,
        };
        match target {
            Some(target) => server_of(&target),
            None => shown_dsn(&self.dsn),
        }
    }

    /// The one row of a query.
    pub(crate) async fn row(&self, sql: &str, within: Duration) -> Result<Row, DatabaseError> {
        let until = Instant::now() + within;
        let dsn = self.secret(until).await?;
        let rows = self.postgres.query(&dsn, sql, &[], until - Instant::now()).await;
        one(self.checked(rows).await?)
    }

    /// Lets the next call connect anew.
    pub(crate) async fn disconnect(&self, within: Duration) {
        if let Ok(dsn) = self.secret(Instant::now() + within).await {
            self.postgres.disconnect(&dsn);
        }
    }

    /// A new session of its own: all that runs over it runs on the server that answered now.
    pub(crate) async fn session(&self, within: Duration) -> Result<Session, DatabaseError> {
        let until = Instant::now() + within;
        let dsn = self.secret(until).await?;
        let session = self.postgres.session(&dsn, until - Instant::now()).await;
        Ok(Session(self.checked(session).await?))
    }

    async fn secret(&self, until: Instant) -> Result<Secret, DatabaseError> {
        match timeout_at(until, self.secrets.resolve_text(&self.dsn)).await {
            Ok(resolved) => Ok(resolved?),
            Err(_) => Err(DatabaseError::SecretTimeout(shown_dsn(&self.dsn))),
        }
    }

    /// A refused password may have been changed meanwhile: the next call asks its source again.
    async fn checked<T>(&self, result: Result<T, PostgresError>) -> Result<T, DatabaseError> {
        if let (Err(error), SecretText::Secret(reference)) = (&result, &self.dsn)
            && error.kind == PostgresErrorKind::Authentication
        {
            self.secrets.forget(reference).await;
        }
        Ok(result?)
    }
}

impl Session {
    /// `host:port` of the server that it is with, also where the plan names several.
    pub(crate) fn name(&self) -> String {
        server_of(self.0.target())
    }

    /// The one row of a query.
    pub(crate) async fn row(&self, sql: &str, within: Duration) -> Result<Row, DatabaseError> {
        self.row_with(sql, &[], within).await
    }

    /// The one row of a query with parameters.
    pub(crate) async fn row_with(
        &self,
        sql: &str,
        params: SqlParams<'_>,
        within: Duration,
    ) -> Result<Row, DatabaseError> {
        one(self.0.query(sql, params, within).await?)
    }

    /// Runs statements through the simple protocol.
    pub(crate) async fn batch(&self, sql: &str, within: Duration) -> Result<(), DatabaseError> {
        Ok(self.0.batch(sql, within).await?)
    }
}

impl DatabaseError {
    /// What the operator can do now.
    pub(crate) fn next_step(&self) -> String {
        match self {
            Self::Secret(error) => error.next_step(),
            Self::Postgres(error) => error.next_step(),
            Self::SecretTimeout(_) => "Check the source of the secret (`lifeboat secret list`).".into(),
            Self::Answer(_) => "Check that it is a PostgreSQL server, version 12 or newer.".into(),
        }
    }

    /// Whether it says that the server is down, rather than that it could not be asked properly.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.kind.says_down())
    }

    /// Whether a statement that was sent may have had its effect nevertheless. An error of the server counts: a
    /// `statement_timeout` ends the waiting for a promotion, not the promotion.
    pub(crate) fn may_have_acted(&self) -> bool {
        use PostgresErrorKind as Kind;
        match self {
            Self::Postgres(error) => matches!(
                error.kind,
                Kind::Timeout
                    | Kind::Closed
                    | Kind::Protocol
                    | Kind::Unreachable
                    | Kind::ShuttingDown
                    | Kind::Server
            ),
            Self::Answer(_) => true,
            Self::Secret(_) | Self::SecretTimeout(_) => false,
        }
    }

    /// The kind, where the server or the way to it is the cause.
    pub(crate) fn kind(&self) -> Option<PostgresErrorKind> {
        match self {
            Self::Postgres(error) => Some(error.kind),
            _ => None,
        }
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        Self::new(error.to_string(), error.next_step())
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Answer(crate::base::text::clean(&error.to_string(), 300))
    }
}

fn one(rows: Vec<Row>) -> Result<Row, DatabaseError> {
    rows.into_iter().next().ok_or_else(|| DatabaseError::Answer("no row".into()))
}

/// What stands in a plan for a server, without a password and without a look-up.
pub(crate) fn dsn_words(params: &Params, key: &str) -> String {
    params.get(key).and_then(secret_text).as_ref().map_or_else(|| key.to_owned(), shown_dsn)
}

fn shown_dsn(dsn: &SecretText) -> String {
    match dsn {
        SecretText::Secret(reference) => reference.to_string(),
        SecretText::Plain(text) => match Postgres::target(&Secret::from_plan(text)) {
            Ok(target) => server_of(&target),
            Err(_) => "a connection string that cannot be read".into(),
        },
    }
}

/// `host:port` of `host:port/database`; a folder of sockets holds slashes too.
fn server_of(target: &str) -> String {
    target.rsplit_once('/').map_or(target, |(server, _)| server).to_owned()
}
