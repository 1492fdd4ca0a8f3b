//! What can go wrong with a PostgreSQL server, told apart so that the operator knows what it means.

use crate::base::problem::Problem;
use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::base::shortage::{OWN_FAULT, is_own_fault};
use crate::base::text::clean;
use crate::providers::net::names::NameError;
use crate::providers::net::own_clock;
use crate::providers::net::tls::{explain, tls_error_in};
use crate::secrets::Redactor;

/// Longest message from a server that is kept, in characters.
const MAX_MESSAGE_CHARS: usize = 500;

/// What went wrong, as far as it makes a difference to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostgresErrorKind {
    /// The connection string or this host's TLS set-up is wrong; nothing was sent.
    Configuration,
    /// This host has no open files, memory or ports left; nothing was sent.
    ThisHost,
    /// This host's clock is wrong, so that no certificate can be checked.
    OwnClock,
    /// The host's name has no address, and whose fault that is cannot be told.
    NoSuchHost,
    /// The host's name is gone: its name servers say so, and answer for other names.
    NameGone,
    /// The host is there and nothing listens on the port.
    Refused,
    /// The host or its network cannot be reached.
    Unreachable,
    /// No answer within the deadline.
    Timeout,
    /// TLS failed, or the server does not offer it.
    Tls,
    /// User, password or `pg_hba.conf`.
    Authentication,
    /// There is no such database.
    NoSuchDatabase,
    /// The server is starting up or in recovery, and takes no connections yet (SQLSTATE 57P03).
    StartingUp,
    /// The server is shutting down, or ended this session.
    ShuttingDown,
    /// All connection slots are taken.
    TooManyConnections,
    /// The role, or its database, has reached a limit of its own: others are let in.
    OwnLimit,
    /// The server closed the connection, or it broke.
    Closed,
    /// No server is what `target_session_attrs` asks for.
    WrongRole,
    /// The user may not do this.
    NotAllowed,
    /// The transaction is read-only: a standby, or a fenced primary.
    ReadOnly,
    /// Any other answer of the server; see the SQLSTATE.
    Server,
    /// The server's answer cannot be understood.
    Protocol,
}

impl PostgresErrorKind {
    /// Whether it says that the server is down, rather than that it could not be asked properly.
    pub fn says_down(self) -> bool {
        match self {
            Self::Refused
            | Self::NameGone
            | Self::Unreachable
            | Self::Timeout
            | Self::Tls
            | Self::StartingUp
            | Self::ShuttingDown
            | Self::TooManyConnections
            | Self::WrongRole
            | Self::Closed
            | Self::Protocol => true,
            Self::Configuration
            | Self::ThisHost
            | Self::OwnClock
            | Self::NoSuchHost
            | Self::Authentication
            | Self::NoSuchDatabase
            | Self::OwnLimit
            | Self::NotAllowed
            | Self::ReadOnly
            | Self::Server => false,
        }
    }
}

/// A PostgreSQL call that failed. Its text is redacted and cleaned, and never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (PostgreSQL at {target})")]
pub struct PostgresError {
    /// What went wrong.
    pub kind: PostgresErrorKind,
    /// `host:port/database`.
    pub target: String,
    /// What happened, in words.
    pub message: String,
    /// The server's error code, when the server answered.
    pub sqlstate: Option<String>,
    next_step: Option<String>,
}

impl PostgresError {
    pub(super) fn new(kind: PostgresErrorKind, target: &str, message: &str) -> Self {
        Self {
            kind,
            target: target.to_owned(),
            message: clean(message, MAX_MESSAGE_CHARS),
            sqlstate: None,
            next_step: None,
        }
    }

    pub(super) fn timeout(target: &str, what: &str, deadline: Duration) -> Self {
        let message = format!("{what}: no answer within {:.1} s", deadline.as_secs_f64());
        Self::new(PostgresErrorKind::Timeout, target, &message)
    }

    pub(super) fn tls_setup(target: &str, error: &Problem) -> Self {
        let mut failed =
            Self::new(PostgresErrorKind::Configuration, target, &format!("TLS cannot be set up: {error}"));
        failed.next_step = Some(error.next.clone());
        failed
    }

    /// Sorts an error of the driver.
    pub(super) fn of(error: &tokio_postgres::Error, target: &str, redactor: &Redactor) -> Self {
        if let Some(answer) = error.as_db_error() {
            let message =
                redactor.redact(&format!("{} (SQLSTATE {})", answer.message(), answer.code().code()));
            let kind = kind_of(answer.code(), answer.message(), answer.routine());
            let mut failed = Self::new(kind, target, &message);
            failed.sqlstate = Some(answer.code().code().to_owned());
            return failed;
        }
        if let Some(fault) = tls_error_in(error) {
            let (why, next_step) = explain(fault);
            let mut failed = Self::new(PostgresErrorKind::Tls, target, &format!("TLS failed: {why}"));
            failed.next_step = Some(next_step);
            return failed;
        }
        let (kind, message) = match io_error_in(error) {
            Some(io) => of_io(io),
            None => of_driver(error),
        };
        Self::new(kind, target, &redactor.redact(&message))
    }

    /// Why a name has no address.
    pub(super) fn of_name(error: &NameError, target: &str) -> Self {
        let kind = match error {
            NameError::Gone { .. } => PostgresErrorKind::NameGone,
            NameError::NoAddress { .. } | NameError::Silent { .. } => PostgresErrorKind::NoSuchHost,
            NameError::ThisHost { .. } => PostgresErrorKind::ThisHost,
        };
        Self { next_step: Some(error.next_step().to_owned()), ..Self::new(kind, target, &error.to_string()) }
    }

    /// With what may be behind it: files that the connection string names and that were passed over.
    pub(super) fn noting(mut self, absent: &[String], passfile: Option<&str>) -> Self {
        if matches!(self.kind, PostgresErrorKind::Authentication | PostgresErrorKind::Tls) {
            for note in absent.iter().map(String::as_str).chain(passfile) {
                self.message = clean(&format!("{} ({note})", self.message), MAX_MESSAGE_CHARS);
            }
        }
        self
    }

    /// Of several the one that says most: first what leaves the server's state open, last that nothing listens.
    pub(super) fn most_telling(mut errors: Vec<Self>, target: &str) -> Self {
        let open = errors.iter().position(|error| !error.kind.says_down());
        let telling = || errors.iter().rposition(|error| error.kind != PostgresErrorKind::Refused);
        match open.or_else(telling).or(errors.len().checked_sub(1)) {
            Some(number) => errors.swap_remove(number),
            None => Self::new(PostgresErrorKind::NoSuchHost, target, "it has no address"),
        }
    }

    /// Of several servers: the kind of the one that says most, and the words of each.
    pub(super) fn of_all(mut errors: Vec<Self>, target: &str) -> Self {
        if errors.len() == 1 {
            return errors.remove(0);
        }
        let each: Vec<String> = errors
            .iter()
            .map(|error| {
                format!(
                    "{}: {}",
                    error.target.rsplit_once('/').map_or("", |(server, _)| server),
                    error.message
                )
            })
            .collect();
        let message = clean(&each.join("; "), MAX_MESSAGE_CHARS);
        Self { target: target.to_owned(), message, ..Self::most_telling(errors, target) }
    }

    /// What the operator can do now.
    pub fn next_step(&self) -> String {
        if let Some(next_step) = &self.next_step {
            return next_step.clone();
        }
        let target = &self.target;
        match self.kind {
            PostgresErrorKind::Configuration => "correct the connection string: `host=… port=5432 dbname=… user=… password=… sslmode=verify-full`, or a postgres:// URL".to_owned(),
            PostgresErrorKind::ThisHost => OWN_FAULT.to_owned(),
            PostgresErrorKind::OwnClock => own_clock::NEXT_STEP.to_owned(),
            PostgresErrorKind::NoSuchHost | PostgresErrorKind::NameGone => "check the host's name in the plan, and this host's DNS with `getent hosts NAME`".to_owned(),
            PostgresErrorKind::Refused => format!("the host answers and no PostgreSQL listens: check the service there, and the port in {target}"),
            PostgresErrorKind::Unreachable => "check the route, the security group and the VPN from this host".to_owned(),
            PostgresErrorKind::Timeout => format!("check from another host with `pg_isready` whether {target} is down or only out of reach from here"),
            PostgresErrorKind::Tls => "check `ssl` on the server and `sslmode` in the connection string".to_owned(),
            PostgresErrorKind::Authentication => "check user and password (`lifeboat secret set`), and pg_hba.conf for this host's address".to_owned(),
            PostgresErrorKind::NoSuchDatabase => "check the database's name in the connection string".to_owned(),
            PostgresErrorKind::StartingUp => "wait: the server is starting or recovering; its log shows how far it is".to_owned(),
            PostgresErrorKind::ShuttingDown => "find out who is stopping the server before acting on it".to_owned(),
            PostgresErrorKind::TooManyConnections => "free a session, or use a role with reserved connections (`superuser_reserved_connections`)".to_owned(),
            PostgresErrorKind::OwnLimit => "raise it (`alter role … connection limit`, `alter database … connection limit`), or free a session of that role: the server has room for others".to_owned(),
            PostgresErrorKind::Closed => format!("check the server's log at {target}; the next call connects anew"),
            PostgresErrorKind::WrongRole => "find out which server is the primary: none of these is what target_session_attrs asks for".to_owned(),
            PostgresErrorKind::NotAllowed => "grant the role what it needs (the probe's or action's documentation names it)".to_owned(),
            PostgresErrorKind::ReadOnly => "this server takes no writes: check whether it is the primary".to_owned(),
            PostgresErrorKind::Server | PostgresErrorKind::Protocol => format!("run the statement by hand with psql against {target}"),
        }
    }

    /// Is the connection of no use any more?
    pub(super) fn ends_connection(&self) -> bool {
        use PostgresErrorKind::{Closed, Protocol, ShuttingDown, Timeout, Unreachable};
        matches!(self.kind, Closed | Protocol | ShuttingDown | Timeout | Unreachable)
    }
}

fn kind_of(state: &SqlState, message: &str, routine: Option<&str>) -> PostgresErrorKind {
    // 57P03 covers starting, recovering and stopping alike; only the message tells, in English or not at all.
    match *state {
        SqlState::CANNOT_CONNECT_NOW if message.contains("shutting down") => PostgresErrorKind::ShuttingDown,
        SqlState::CANNOT_CONNECT_NOW => PostgresErrorKind::StartingUp,
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => PostgresErrorKind::ShuttingDown,
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            PostgresErrorKind::Authentication
        }
        SqlState::INVALID_CATALOG_NAME => PostgresErrorKind::NoSuchDatabase,
        // Every language has the same words for where in the server it was raised: the limits of a role and of a database.
        SqlState::TOO_MANY_CONNECTIONS
            if matches!(routine, Some("InitializeSessionUserId" | "CheckMyDatabase")) =>
        {
            PostgresErrorKind::OwnLimit
        }
        SqlState::TOO_MANY_CONNECTIONS => PostgresErrorKind::TooManyConnections,
        SqlState::INSUFFICIENT_PRIVILEGE => PostgresErrorKind::NotAllowed,
        SqlState::READ_ONLY_SQL_TRANSACTION => PostgresErrorKind::ReadOnly,
        _ => PostgresErrorKind::Server,
    }
}

fn io_error_in(error: &tokio_postgres::Error) -> Option<&std::io::Error> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        next = error.source();
    }
    None
}

fn of_io(io: &std::io::Error) -> (PostgresErrorKind, String) {
    let text = io.to_string();
    match io.kind() {
        _ if is_own_fault(io) => (PostgresErrorKind::ThisHost, text),
        ErrorKind::ConnectionRefused => (PostgresErrorKind::Refused, "connection refused".to_owned()),
        ErrorKind::NotFound | ErrorKind::PermissionDenied => (PostgresErrorKind::Refused, text),
        ErrorKind::TimedOut => (PostgresErrorKind::Timeout, "the connection timed out".to_owned()),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            (PostgresErrorKind::Unreachable, text)
        }
        // getaddrinfo's failures have no kind of their own.
        _ if text.contains("failed to lookup address") => (PostgresErrorKind::NoSuchHost, text),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => {
            (PostgresErrorKind::Closed, "the server closed the connection".to_owned())
        }
        _ => (PostgresErrorKind::Protocol, text),
    }
}

/// The driver has no public kinds; its texts are fixed.
fn of_driver(error: &tokio_postgres::Error) -> (PostgresErrorKind, String) {
    let kind_text = error.to_string();
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let message = format!("{kind_text}{cause}");
    let kind = if error.is_closed() {
        PostgresErrorKind::Closed
    } else if kind_text.starts_with("error performing TLS") {
        PostgresErrorKind::Tls
    } else if kind_text.starts_with("authentication error") || message.contains("password missing") {
        PostgresErrorKind::Authentication
    } else if kind_text.starts_with("invalid configuration") {
        PostgresErrorKind::Configuration
    } else if kind_text.starts_with("timeout") {
        PostgresErrorKind::Timeout
    } else {
        PostgresErrorKind::Protocol
    };
    (kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_the_role_or_its_database_is_not_a_server_that_is_full() {
        let of = |routine| kind_of(&SqlState::TOO_MANY_CONNECTIONS, "zu viele Verbindungen", routine);
        for routine in ["InitializeSessionUserId", "CheckMyDatabase"] {
            assert_eq!(of(Some(routine)), PostgresErrorKind::OwnLimit);
            assert!(!of(Some(routine)).says_down());
        }
        for routine in [Some("InitProcess"), Some("InitPostgres"), None] {
            assert!(of(routine).says_down(), "{routine:?}");
        }
    }
}
