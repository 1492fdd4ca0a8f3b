//! From a connection string to a session: its servers and their addresses one after another, each with its share of
//! the time, so that one that is silent does not cost those after it theirs.

use std::net::IpAddr;

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dsn::{Dsn, Place};
use super::error::{PostgresError, PostgresErrorKind};
use super::files::{Files, Login};
use super::live::{Live, drive};
use super::role::Wanted;
use super::wire::Wire;
use crate::providers::net::names::{Directory, NameError};
use crate::providers::net::own_clock::OwnClock;
use crate::providers::net::share::share;
use crate::providers::net::tls::tls_error_in;
use crate::secrets::Redactor;

/// What connecting needs besides the connection string.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) redactor: Redactor,
    pub(super) names: Directory,
    pub(super) clock: OwnClock,
    pub(super) files: Files,
}

/// One try: who, where, until when.
struct Try<'a> {
    dsn: &'a Dsn,
    place: &'a Place,
    tls: Option<&'a MakeRustlsConnect>,
    wanted: Wanted,
    until: Instant,
}

impl Connector {
    /// A session on the first server that is what is asked for.
    ///
    /// # Errors
    /// Why each server does not do; the kind is that which says most.
    pub(super) async fn connect(&self, dsn: &Dsn, until: Instant) -> Result<Live, PostgresError> {
        let tls = match &dsn.tls {
            Some(profile) => {
                let config = profile.client_config();
                Some(MakeRustlsConnect::new(
                    config.map_err(|error| PostgresError::tls_setup(&dsn.target, &error))?,
                ))
            }
            None => None,
        };
        let mut places: Vec<&Place> = dsn.places.iter().collect();
        if dsn.shuffled {
            let first = rotation(places.len());
            places.rotate_left(first);
        }
        let mut errors = Vec::new();
        for (round, wanted) in dsn.wanted.rounds().iter().enumerate() {
            errors.clear();
            for (number, place) in places.iter().enumerate() {
                let left = places.len() - number + (dsn.wanted.rounds().len() - 1 - round) * places.len();
                let tried = Try { dsn, place, tls: tls.as_ref(), wanted: *wanted, until: share(until, left) };
                match self.place(&tried).await {
                    Ok(live) => return Ok(live),
                    Err(error) => errors.push(error),
                }
            }
        }
        Err(PostgresError::of_all(errors, &dsn.target))
    }

    /// A session at one place, by the first of its addresses that has one.
    async fn place(&self, tried: &Try<'_>) -> Result<Live, PostgresError> {
        let place = tried.place;
        if place.is_socket() {
            return self.address(tried, None).await;
        }
        let addresses = match place.address.or_else(|| place.host.parse().ok()) {
            Some(address) => vec![address],
            None => self.look_up(tried).await?,
        };
        let mut errors = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let until = share(tried.until, addresses.len() - number);
            match self.address(&Try { until, ..*tried }, Some(*address)).await {
                Ok(live) => return Ok(live),
                Err(error) => errors.push(error),
            }
        }
        Err(PostgresError::most_telling(errors, &tried.target()))
    }

    async fn look_up(&self, tried: &Try<'_>) -> Result<Vec<IpAddr>, PostgresError> {
        let host = &tried.place.host;
        let found = timeout_at(tried.until, self.names.addresses(host)).await;
        let found = found.unwrap_or_else(|_| Err(NameError::late(host)));
        found.map_err(|error| PostgresError::of_name(&error, &tried.target()))
    }

    async fn address(&self, tried: &Try<'_>, address: Option<IpAddr>) -> Result<Live, PostgresError> {
        let begun = Instant::now();
        let until = tried.dsn.patience.map_or(tried.until, |patience| tried.until.min(begun + patience));
        match timeout_at(until, self.session(tried, address)).await {
            Ok(session) => session,
            Err(_) => Err(PostgresError::timeout(&tried.target(), "connecting", until - begun)),
        }
    }

    async fn session(&self, tried: &Try<'_>, address: Option<IpAddr>) -> Result<Live, PostgresError> {
        let (place, target) = (tried.place, tried.target());
        let mut config = tried.dsn.config.clone();
        config.host(&place.host).port(place.port);
        if let Some(address) = address {
            config.hostaddr(address);
        }
        let note = self.log_in(tried, &mut config);
        let failed = |error: tokio_postgres::Error| {
            let excuse = tls_error_in(&error).and_then(|fault| self.clock.excuse(fault, Timestamp::now()));
            if let Some(why) = excuse {
                return PostgresError::new(PostgresErrorKind::OwnClock, &target, &why);
            }
            PostgresError::of(&error, &target, &self.redactor).noting(&tried.dsn.absent, note.as_deref())
        };
        // libpq speaks no TLS over a socket of this host, whatever sslmode says.
        let (client, driver, wire) = match place.is_socket() {
            true => {
                config.ssl_mode(SslMode::Disable);
                let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
                (client, drive(connection), None)
            }
            false => {
                let wire = Wire::new(&mut config, tried.tls.cloned());
                let (client, connection) = config.connect(wire.clone()).await.map_err(failed)?;
                (client, drive(connection), Some(wire))
            }
        };
        let live = Live::new(client, driver, target, wire, tried.dsn.wanted, named(place, address));
        match tried.wanted.is_met(&live.client).await {
            Ok(true) => Ok(live),
            Ok(false) => {
                let why = format!("it is not what target_session_attrs={} asks for", tried.wanted.word());
                Err(PostgresError::new(PostgresErrorKind::WrongRole, &live.target, &why))
            }
            Err(error) => Err(live.failed(&error, &self.redactor)),
        }
    }

    /// Adds the password of a password file where the string has none. Says why a file that was named is not read.
    fn log_in(&self, tried: &Try<'_>, config: &mut Config) -> Option<String> {
        if config.get_password().is_some() {
            return None;
        }
        let us = || Some(nix::unistd::User::from_uid(nix::unistd::Uid::effective()).ok()??.name);
        let user = config.get_user().map(str::to_owned).or_else(us).unwrap_or_default();
        let login = Login {
            host: if tried.place.is_socket() { "localhost" } else { &tried.place.host },
            port: tried.place.port,
            database: config.get_dbname().unwrap_or(&user),
            user: &user,
        };
        let (password, why) = self.files.password(tried.dsn.passfile.as_deref(), &login);
        if let Some(password) = password {
            self.redactor.learn_value("passfile", &password);
            config.password(password);
        }
        why
    }
}

impl Try<'_> {
    fn target(&self) -> String {
        self.dsn.target_at(&format!("{}:{}", self.place.host, self.place.port))
    }
}

/// A name that was looked up, and what it was then.
fn named(place: &Place, address: Option<IpAddr>) -> Option<(String, IpAddr)> {
    let by_name = place.address.is_none() && place.host.parse::<IpAddr>().is_err();
    address.filter(|_| by_name).map(|address| (place.host.clone(), address))
}

/// Where a list is begun that is tried in any order.
fn rotation(count: usize) -> usize {
    use std::hash::{BuildHasher, RandomState};
    usize::try_from(RandomState::new().hash_one(count)).unwrap_or_default() % count.max(1)
}
