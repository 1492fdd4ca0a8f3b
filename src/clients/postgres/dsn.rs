//! PostgreSQL connection strings as libpq takes them: a URL or `key=value` pairs, with `sslmode` and `sslrootcert`.

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::super::tls::{TlsProfile, Verification};
use super::error::{PostgresError, PostgresErrorKind};

/// The name under which lifeboat's sessions stand in `pg_stat_activity`.
const APPLICATION_NAME: &str = "lifeboat";

/// A connection string taken apart.
pub(super) struct Dsn {
    /// Everything but TLS. Holds the password.
    pub(super) config: Config,
    /// `None` with `sslmode=disable`.
    pub(super) tls: Option<TlsProfile>,
    /// `host:port/database`, for messages.
    pub(super) target: String,
}

/// The TLS words that tokio-postgres does not know.
#[derive(Default)]
struct TlsWords {
    mode: Option<String>,
    root: Option<String>,
}

impl TlsWords {
    /// Takes a key that it knows; false for others.
    fn take(&mut self, key: &str, value: &str) -> bool {
        match key {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.root = Some(value.to_owned()),
            _ => return false,
        }
        true
    }
}

impl Dsn {
    /// Takes a connection string apart.
    ///
    /// # Errors
    /// [`PostgresErrorKind::Configuration`]; the message never quotes the string, which may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, PostgresError> {
        let mut words = TlsWords::default();
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let rest = if is_url { without_tls_in_url(text, &mut words) } else { without_tls(text, &mut words)? };
        let mut config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            malformed(&cause)
        })?;
        let (mode, tls) = profile(&words)?;
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION_NAME);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(malformed("it names no host"));
        }
        let target = target(&config);
        Ok(Self { config, tls, target })
    }
}

fn malformed(why: &str) -> PostgresError {
    PostgresError::new(
        PostgresErrorKind::Configuration,
        "the connection string",
        if why.is_empty() { "it cannot be read" } else { why },
    )
}

/// What libpq does for each `sslmode` (PostgreSQL documentation, "SSL Support", table 34.1), except that the
/// roots for `verify-ca` and `verify-full` are the platform's when `sslrootcert` names no file.
fn profile(words: &TlsWords) -> Result<(SslMode, Option<TlsProfile>), PostgresError> {
    let roots = words.root.as_deref().filter(|root| *root != "system").map(PathBuf::from);
    let with = |verification| Some(TlsProfile { verification, roots: roots.clone() });
    match words.mode.as_deref() {
        Some("disable") => Ok((SslMode::Disable, None)),
        // `allow` would try without TLS first, which buys nothing.
        None if words.root.as_deref() == Some("system") => Ok((SslMode::Require, with(Verification::Full))),
        None | Some("allow" | "prefer") => Ok((SslMode::Prefer, with(Verification::None))),
        // As libpq: a file of roots turns `require` into `verify-ca`.
        Some("require") if roots.is_some() => Ok((SslMode::Require, with(Verification::ChainOnly))),
        Some("require") => Ok((SslMode::Require, with(Verification::None))),
        Some("verify-ca") => Ok((SslMode::Require, with(Verification::ChainOnly))),
        Some("verify-full") => Ok((SslMode::Require, with(Verification::Full))),
        Some(_) => {
            Err(malformed("sslmode must be disable, allow, prefer, require, verify-ca or verify-full"))
        }
    }
}

/// Takes the TLS words out of a URL's query.
fn without_tls_in_url(url: &str, words: &mut TlsWords) -> String {
    // A password may hold a question mark; credentials end at the first `@`, as tokio-postgres reads them.
    let after_credentials = url.find('@').map_or(0, |at| at + 1);
    let Some(question) = url[after_credentials..].find('?').map(|at| after_credentials + at) else {
        return url.to_owned();
    };
    let kept: Vec<&str> = url[question + 1..]
        .split('&')
        .filter(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            !words.take(key, &crate::secrets::percent_decoded(value))
        })
        .collect();
    let separator = if kept.is_empty() { "" } else { "?" };
    format!("{}{separator}{}", &url[..question], kept.join("&"))
}

/// Takes the TLS words out of `key=value` pairs; the other pairs stay as they are written.
fn without_tls(text: &str, words: &mut TlsWords) -> Result<String, PostgresError> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((key, after_key)) = rest.split_once('=') else {
            return Err(malformed("a key has no value"));
        };
        let value_start = after_key.trim_start();
        let (value, length) = value_of(value_start).ok_or_else(|| malformed("a quote is not closed"))?;
        let pair_length = rest.len() - value_start.len() + length;
        if !words.take(key.trim(), &value) {
            kept.push_str(&rest[..pair_length]);
            kept.push(' ');
        }
        rest = rest[pair_length..].trim_start();
    }
    Ok(kept)
}

/// The value at the start of the text, and how many bytes it takes; `None` when its quote is not closed.
fn value_of(text: &str) -> Option<(String, usize)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?.1),
            '\'' if quoted => return Some((value, at + 1)),
            _ if !quoted && character.is_whitespace() => return Some((value, at)),
            _ => value.push(character),
        }
    }
    (!quoted).then_some((value, text.len()))
}

fn target(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        Some(Host::Unix(folder)) => folder.display().to_string(),
        None => config.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    let others = match config.get_hosts().len() {
        0 | 1 => String::new(),
        hosts => format!(" (and {} more)", hosts - 1),
    };
    crate::text::clean(&format!("{host}:{port}/{database}{others}"), 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls_of(text: &str) -> (SslMode, Option<TlsProfile>) {
        let dsn = Dsn::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (dsn.config.get_ssl_mode(), dsn.tls)
    }

    #[test]
    fn both_forms_mean_the_same() {
        for text in [
            "postgres://app:p%40ss@db.example:6432/orders?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fetc%2Fca.pem",
            "host=db.example port = 6432 user=app password='p@ss' dbname=orders sslmode='verify-full' connect_timeout=3 sslrootcert=/etc/ca.pem",
        ] {
            let dsn = Dsn::parse(text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(dsn.target, "db.example:6432/orders");
            assert_eq!(dsn.config.get_password(), Some(&b"p@ss"[..]));
            assert_eq!(dsn.config.get_application_name(), Some("lifeboat"));
            assert_eq!(dsn.config.get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
            let profile = TlsProfile { verification: Verification::Full, roots: Some("/etc/ca.pem".into()) };
            assert_eq!((dsn.config.get_ssl_mode(), dsn.tls), (SslMode::Require, Some(profile)));
        }
    }

    #[test]
    fn each_sslmode_is_what_libpq_makes_of_it() {
        let checked = |verification, roots: Option<&str>| {
            Some(TlsProfile { verification, roots: roots.map(PathBuf::from) })
        };
        assert_eq!(tls_of("host=a sslmode=disable"), (SslMode::Disable, None));
        assert_eq!(tls_of("host=a"), (SslMode::Prefer, checked(Verification::None, None)));
        assert_eq!(
            tls_of("postgres://a?sslmode=require"),
            (SslMode::Require, checked(Verification::None, None))
        );
        assert_eq!(
            tls_of("host=a sslmode=require sslrootcert=/ca"),
            (SslMode::Require, checked(Verification::ChainOnly, Some("/ca")))
        );
        assert_eq!(
            tls_of("host=a sslmode=verify-full sslrootcert=system"),
            (SslMode::Require, checked(Verification::Full, None))
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_the_string() {
        for text in [
            "host=a password=hunter22 sslmode=maybe",
            "host=a password='hunter22",
            "host=a password=hunter22 nonsense=1",
            "host=a password=hunter22 hunter22",
            "user=hunter22",
            "postgres://app:hunter22@db:notaport/x",
            "",
        ] {
            let error = Dsn::parse(text).err().unwrap_or_else(|| panic!("{text:?} was accepted"));
            assert_eq!(error.kind, PostgresErrorKind::Configuration);
            assert!(!error.to_string().contains("hunter22"), "{error}");
        }
    }

    #[test]
    fn a_question_mark_in_a_password_and_escapes_are_read_as_they_are_meant() {
        let dsn = Dsn::parse("postgres://app:a?b@db/x?sslmode=disable").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(dsn.config.get_password(), Some(&b"a?b"[..]));
        assert!(dsn.tls.is_none());
        let dsn = Dsn::parse(r"host=/run/pg password='it\'s a \\' sslmode=disable dbname=x");
        let dsn = dsn.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(dsn.config.get_password(), Some(&b"it's a \\"[..]));
        assert_eq!(dsn.target, "/run/pg:5432/x");
    }
}
