//! What a connection string asks for, as libpq means it: where to, as whom, over what TLS. Every option of libpq is
//! known: taken, without effect here, or named as one that cannot be met.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};

use super::error::PostgresError;
use super::files::Files;
use super::role::Wanted;
use super::words::{self, Words, malformed};
use crate::base::host::host_fault;
use crate::providers::net::tls::{Identity, TlsProfile, Verification};

/// The name under which lifeboat's sessions stand in `pg_stat_activity`.
const APPLICATION_NAME: &str = "lifeboat";

const DEFAULT_PORT: u16 = 5432;

/// A connection string taken apart.
pub(super) struct Dsn {
    /// Everything but places and TLS. Holds the password.
    pub(super) config: Config,
    /// Where to, in the order in which they are tried; at least one.
    pub(super) places: Vec<Place>,
    /// Tried in any order.
    pub(super) shuffled: bool,
    /// `None` with `sslmode=disable`.
    pub(super) tls: Option<TlsProfile>,
    /// What kind of server it has to be.
    pub(super) wanted: Wanted,
    /// `connect_timeout`, for each address.
    pub(super) patience: Option<Duration>,
    /// The file with passwords that it names.
    pub(super) passfile: Option<PathBuf>,
    /// Files that it names and that are not there; libpq goes on without them.
    pub(super) absent: Vec<String>,
    /// `host:port/database`, for messages.
    pub(super) target: String,
}

/// One server of a connection string.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// A name, an address, or a folder of sockets; for TLS and for messages.
    pub(super) host: String,
    /// The address where it is given beside the name.
    pub(super) address: Option<IpAddr>,
    /// The port.
    pub(super) port: u16,
}

impl Place {
    /// Whether it is a folder of sockets.
    pub(super) fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

/// The words that need more than one of them to be understood.
#[derive(Default)]
struct Raw {
    hosts: Vec<String>,
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
    mode: Option<String>,
    roots: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    no_certificate: bool,
    name: Option<String>,
    fallback_name: Option<String>,
}

impl Dsn {
    /// Takes a connection string apart, with the files that it names.
    ///
    /// # Errors
    /// [`super::PostgresErrorKind::Configuration`], with all that is wrong at once; the message never quotes a value, which
    /// may be a password.
    pub(super) fn parse(text: &str, files: &Files) -> Result<Self, PostgresError> {
        let mut words = words::of(text)?;
        let of = |words: &Words, key: &str| {
            words.iter().rfind(|(known, _)| known == key).map(|(_, value)| value.clone())
        };
        if let Some(service) = of(&words, "service") {
            let service = files.service(&service, of(&words, "servicefile").as_deref())?;
            // What the string itself says comes later, and so counts.
            words.splice(0..0, service);
        }
        Self::of(&words, files)
    }

    /// How its server is called, without reading any file.
    ///
    /// # Errors
    /// As [`Dsn::parse`].
    pub(super) fn shown(text: &str) -> Result<String, PostgresError> {
        let mut words = words::of(text)?;
        let service = words.iter().find(|(key, _)| key == "service").map(|(_, value)| value.clone());
        if let Some(service) = &service {
            words.insert(0, ("host".into(), format!("service {service}")));
        }
        let dsn = Self::of(&words, &Files::default())?;
        Ok(match service {
            Some(service) if dsn.places[0].host.starts_with("service ") => {
                dsn.target_at(&format!("service {service}"))
            }
            _ => dsn.target,
        })
    }

    fn of(words: &Words, files: &Files) -> Result<Self, PostgresError> {
        let mut dsn = Self {
            config: Config::new(),
            places: Vec::new(),
            shuffled: false,
            tls: None,
            wanted: Wanted::Any,
            patience: None,
            passfile: None,
            absent: Vec::new(),
            target: String::new(),
        };
        let mut raw = Raw::default();
        let wrong: Vec<String> =
            words.iter().filter_map(|(key, value)| dsn.take(&mut raw, key, value).err()).collect();
        if !wrong.is_empty() {
            return Err(malformed(&wrong.join("; ")));
        }
        dsn.config.application_name(
            raw.name.take().or(raw.fallback_name.take()).unwrap_or(APPLICATION_NAME.into()),
        );
        dsn.places = places(&raw)?;
        dsn.set_tls(&raw, files)?;
        let several: Vec<String> =
            dsn.places.iter().map(|place| format!("{}:{}", place.host, place.port)).collect();
        dsn.target = dsn.target_at(&several.join(","));
        Ok(dsn)
    }

    /// `host:port/database` of one of the servers.
    pub(super) fn target_at(&self, server: &str) -> String {
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres");
        crate::base::text::clean(&format!("{server}/{database}"), 200)
    }

    /// Takes one word, or says why it cannot be.
    fn take(&mut self, raw: &mut Raw, key: &str, value: &str) -> Result<(), String> {
        let config = &mut self.config;
        let text = || value.to_owned();
        let seconds = || number(key, value).map(Duration::from_secs);
        match key {
            "user" => drop(config.user(value)),
            "password" => drop(config.password(value)),
            "dbname" => drop(config.dbname(value)),
            "options" => drop(config.options(value)),
            "application_name" => raw.name = Some(text()),
            "fallback_application_name" => raw.fallback_name = Some(text()),
            "host" => {
                raw.hosts = value.split(',').map(str::to_owned).collect();
                let by_name = raw.hosts.iter().filter(|host| !host.starts_with(['/', '@']));
                if let Some(why) = by_name.filter_map(|host| host_fault(host)).next() {
                    return Err(format!("host {why}"));
                }
            }
            "hostaddr" => {
                raw.addresses =
                    list(value, |part| part.parse().ok()).ok_or("hostaddr must be IP addresses")?
            }
            "port" => {
                let port = |part: &str| {
                    if part.is_empty() {
                        Some(DEFAULT_PORT)
                    } else {
                        part.parse().ok().filter(|port| *port > 0)
                    }
                };
                raw.ports = list(value, port).ok_or("port must be a number from 1 to 65535")?;
            }
            "sslmode" => raw.mode = Some(text()),
            "sslrootcert" => raw.roots = Some(text()),
            "sslcert" => raw.certificate = Some(text()),
            "sslkey" if value.contains(':') && !value.starts_with('/') => {
                return Err("sslkey cannot be a key of an OpenSSL engine: name a PEM file".into());
            }
            "sslkey" => raw.key = Some(text()),
            "sslcertmode" => raw.no_certificate = value == "disable",
            "passfile" => self.passfile = Some(value.into()),
            "connect_timeout" => self.patience = Some(seconds()?).filter(|span| !span.is_zero()),
            "tcp_user_timeout" => drop(config.tcp_user_timeout(Duration::from_millis(number(key, value)?))),
            "keepalives" => drop(config.keepalives(number(key, value)? != 0)),
            "keepalives_idle" => drop(config.keepalives_idle(seconds()?)),
            "keepalives_interval" => drop(config.keepalives_interval(seconds()?)),
            "keepalives_count" | "keepalives_retries" => {
                let count = u32::try_from(number(key, value)?).map_err(|_| format!("{key} is too large"))?;
                config.keepalives_retries(count);
            }
            "target_session_attrs" => self.wanted = Wanted::of(value).ok_or(Wanted::CHOICES)?,
            "channel_binding" => drop(config.channel_binding(match value {
                "disable" => ChannelBinding::Disable,
                "prefer" => ChannelBinding::Prefer,
                "require" => ChannelBinding::Require,
                _ => return Err("channel_binding must be disable, prefer or require".into()),
            })),
            "sslnegotiation" => drop(config.ssl_negotiation(match value {
                "postgres" => SslNegotiation::Postgres,
                "direct" => SslNegotiation::Direct,
                _ => return Err("sslnegotiation must be postgres or direct".into()),
            })),
            "load_balance_hosts" => self.shuffled = value == "random",
            _ => return without_effect(key, value),
        }
        Ok(())
    }

    /// What libpq does for each `sslmode` (PostgreSQL documentation, "SSL Support", table 34.1), except that the
    /// roots for `verify-ca` and `verify-full` are the platform's when there is no file of roots.
    fn set_tls(&mut self, raw: &Raw, files: &Files) -> Result<(), PostgresError> {
        let system = raw.roots.as_deref() == Some("system");
        let named = raw.roots.as_deref().filter(|_| !system).map(PathBuf::from);
        let roots = named.or_else(|| files.own("root.crt").filter(|_| !system));
        let (mode, verification) = match raw.mode.as_deref() {
            Some("disable") => (SslMode::Disable, None),
            // `allow` would try without TLS first, which buys nothing.
            None if system => (SslMode::Require, Some(Verification::Full)),
            None | Some("allow" | "prefer") => (SslMode::Prefer, Some(Verification::None)),
            // As libpq: a file of roots turns `require` into `verify-ca`.
            Some("require") if roots.is_some() => (SslMode::Require, Some(Verification::ChainOnly)),
            Some("require") => (SslMode::Require, Some(Verification::None)),
            Some("verify-ca") => (SslMode::Require, Some(Verification::ChainOnly)),
            Some("verify-full") => (SslMode::Require, Some(Verification::Full)),
            Some(_) => {
                return Err(malformed(
                    "sslmode must be disable, allow, prefer, require, verify-ca or verify-full",
                ));
            }
        };
        let identity = verification.and_then(|_| self.identity(raw, files));
        self.config.ssl_mode(mode);
        self.tls = verification.map(|verification| TlsProfile { verification, roots, identity });
        Ok(())
    }

    /// The client's certificate; one that is not there is passed over, as libpq does.
    fn identity(&mut self, raw: &Raw, files: &Files) -> Option<Identity> {
        if raw.no_certificate {
            return None;
        }
        let certificate = match raw.certificate.as_ref().map(PathBuf::from) {
            Some(named) if named.exists() => named,
            Some(named) => {
                self.absent.push(format!("the client certificate {} is not there", named.display()));
                return None;
            }
            None => files.own("postgresql.crt")?,
        };
        let key = raw.key.as_ref().map(PathBuf::from).or_else(|| files.own("postgresql.key"));
        Some(Identity { key: key.unwrap_or_else(|| certificate.with_extension("key")), certificate })
    }
}

/// What libpq knows and what changes nothing here; or why it cannot be met.
fn without_effect(key: &str, value: &str) -> Result<(), String> {
    let off = ["", "0", "off", "no", "false"].contains(&value);
    match key {
        "service" | "servicefile" | "krbsrvname" | "gsslib" | "gssdelegation" | "sslcompression" | "sslsni"
        | "sslkeylogfile" | "client_encoding" | "tty" | "authtype" | "min_protocol_version" | "max_protocol_version" => Ok(()),
        "gssencmode" if value != "require" => Ok(()),
        "gssencmode" => Err("gssencmode=require cannot be met: lifeboat has no GSSAPI".into()),
        "ssl_min_protocol_version" if ["TLSv1", "TLSv1.1", "TLSv1.2"].contains(&value) || off => Ok(()),
        "ssl_max_protocol_version" if value == "TLSv1.3" || off => Ok(()),
        "ssl_min_protocol_version" | "ssl_max_protocol_version" => {
            Err(format!("{key} cannot be met: lifeboat takes TLS 1.2 and 1.3"))
        }
        "replication" if off => Ok(()),
        "replication" => Err("replication makes a session in which nothing can be measured: leave it out".into()),
        "sslpassword" if off => Ok(()),
        "sslpassword" => Err(
            "sslpassword cannot be used: lifeboat reads no encrypted keys. Write the key without (`openssl pkey -in \
             KEY -out PLAIN`, mode 0600) and name it as sslkey"
                .into(),
        ),
        "sslcrl" | "sslcrldir" | "requirepeer" | "require_auth" | "scram_client_key" | "scram_server_key" if !off => {
            Err(format!("{key} is not supported, and without it less would be checked: leave it out if that does"))
        }
        "sslcrl" | "sslcrldir" | "requirepeer" | "require_auth" | "scram_client_key" | "scram_server_key" => Ok(()),
        _ if key.starts_with("oauth_") => Err(format!("{key} is not supported: lifeboat logs in by password or certificate")),
        _ if !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
            Err(format!("unknown option `{}`", crate::base::text::clean(key, 40)))
        }
        _ => Err("unknown option".into()),
    }
}

fn places(raw: &Raw) -> Result<Vec<Place>, PostgresError> {
    let count = raw.hosts.len().max(raw.addresses.len());
    if count == 0 || raw.addresses.is_empty() && raw.hosts.iter().any(String::is_empty) {
        return Err(malformed("it names no host"));
    }
    if raw.hosts.iter().any(|host| host.starts_with('@')) {
        return Err(malformed("a host that begins with @ is an abstract socket, which is not supported"));
    }
    let fits = |length: usize| length <= 1 || length == count;
    if !raw.hosts.is_empty() && !raw.addresses.is_empty() && raw.hosts.len() != raw.addresses.len()
        || !fits(raw.ports.len())
    {
        return Err(malformed("host, hostaddr and port must have as many entries as each other"));
    }
    Ok((0..count)
        .map(|number| {
            let address = raw.addresses.get(number).copied();
            let host = raw.hosts.get(number).filter(|host| !host.is_empty()).cloned();
            Place {
                host: host.or(address.map(|address| address.to_string())).unwrap_or_default(),
                address,
                port: raw.ports.get(number).or(raw.ports.first()).copied().unwrap_or(DEFAULT_PORT),
            }
        })
        .collect())
}

fn list<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.split(',').map(|part| read(part.trim())).collect()
}

/// A number of libpq: below zero and zero are the default.
fn number(key: &str, value: &str) -> Result<u64, String> {
    let number: i64 = value.trim().parse().map_err(|_| format!("{key} must be a whole number"))?;
    Ok(number.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls_of(text: &str) -> (SslMode, Option<TlsProfile>) {
        let dsn = Dsn::parse(text, &Files::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
        (dsn.config.get_ssl_mode(), dsn.tls)
    }

    #[test]
    fn both_forms_mean_the_same() {
        for text in [
            "postgres://app:p%40ss@db.example:6432/orders?sslmode=verify-full&connect_timeout=3&sslrootcert=%2Fetc%2Fca.pem",
            "host=db.example port = 6432 user=app password='p@ss' dbname=orders sslmode='verify-full' connect_timeout=3 sslrootcert=/etc/ca.pem",
        ] {
            let dsn = Dsn::parse(text, &Files::default()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(dsn.target, "db.example:6432/orders");
            assert_eq!(dsn.config.get_password(), Some(&b"p@ss"[..]));
            assert_eq!(dsn.config.get_application_name(), Some("lifeboat"));
            assert_eq!(dsn.patience, Some(Duration::from_secs(3)));
            let profile = TlsProfile {
                verification: Verification::Full,
                roots: Some("/etc/ca.pem".into()),
                identity: None,
            };
            assert_eq!((dsn.config.get_ssl_mode(), dsn.tls), (SslMode::Require, Some(profile)));
        }
    }

    #[test]
    fn each_sslmode_is_what_libpq_makes_of_it() {
        let checked = |verification, roots: Option<&str>| {
            Some(TlsProfile { verification, roots: roots.map(PathBuf::from), identity: None })
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
            let error =
                Dsn::parse(text, &Files::default()).err().unwrap_or_else(|| panic!("{text:?} was accepted"));
            assert_eq!(error.kind, super::super::PostgresErrorKind::Configuration);
            assert!(!error.to_string().contains("hunter22"), "{error}");
        }
    }

    const OF_A_MANAGER: [&str; 2] = [
        "user=replicator passfile=/var/lib/pg/.pgpass host=127.0.0.2 port=55440 sslmode=prefer sslcert=/x.pem \
         sslkey=/x.key application_name=b gssencmode=prefer channel_binding=prefer target_session_attrs=any",
        "postgresql://replicator@127.0.0.2:55440/?passfile=%2Fvar%2Flib%2Fpg%2F.pgpass&sslmode=prefer&sslcert=/x.pem\
         &sslkey=/x.key&application_name=b&gssencmode=prefer&channel_binding=prefer&target_session_attrs=any",
    ];

    #[test]
    fn a_connection_string_as_a_manager_of_postgresql_writes_it_is_taken() {
        for text in OF_A_MANAGER {
            let dsn = Dsn::parse(text, &Files::default()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(dsn.places, [Place { host: "127.0.0.2".into(), address: None, port: 55440 }]);
            assert_eq!(dsn.config.get_application_name(), Some("b"));
            assert_eq!(dsn.passfile, Some("/var/lib/pg/.pgpass".into()));
            assert_eq!(dsn.absent, ["the client certificate /x.pem is not there"]);
        }
        for rest in [
            "krbsrvname=postgres gssdelegation=0 sslcompression=0 sslsni=1 client_encoding=auto",
            "keepalives=1 keepalives_idle=30 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=9000",
            "ssl_min_protocol_version=TLSv1.2 options='-c statement_timeout=5s' fallback_application_name=x",
            "replication=off load_balance_hosts=random target_session_attrs=prefer-standby connect_timeout=0",
        ] {
            Dsn::parse(&format!("host=a {rest}"), &Files::default())
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn all_that_cannot_be_met_is_said_at_once() {
        let text =
            "host=a gssencmode=require sslpassword=hunter22 sslcrl=/c replication=database nonsense=1 port=x";
        let error = Dsn::shown(text).unwrap_err().to_string();
        for word in
            ["gssencmode", "sslpassword", "openssl pkey", "sslcrl", "replication", "`nonsense`", "port must"]
        {
            assert!(error.contains(word), "{word} in {error}");
        }
        assert!(!error.contains("hunter22"));
    }

    #[test]
    fn several_servers_folders_of_sockets_and_addresses_beside_names_are_read() {
        let places = |text: &str| {
            let dsn = Dsn::parse(text, &Files::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
            let of = |place: &Place| format!("{} {:?} {}", place.host, place.address, place.port);
            dsn.places.iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(places("host=a,b port=1,2"), ["a None 1", "b None 2"]);
        assert_eq!(places("postgres://u@a:1,[::1],c:3/x"), ["a None 1", "::1 None 5432", "c None 3"]);
        assert_eq!(
            places("postgresql:///shop?host=/run/postgresql&port=5433"),
            ["/run/postgresql None 5433"]
        );
        assert_eq!(places("postgres://%2Frun%2Fpg/shop"), ["/run/pg None 5432"]);
        assert_eq!(places("host=a hostaddr=10.0.0.1"), ["a Some(10.0.0.1) 5432"]);
        assert_eq!(
            places("hostaddr=10.0.0.1,10.0.0.2 port=7"),
            ["10.0.0.1 Some(10.0.0.1) 7", "10.0.0.2 Some(10.0.0.2) 7"]
        );
        for text in ["host=a,b port=1,2,3", "host=a hostaddr=10.0.0.1,10.0.0.2", "host=@abstract", "host=a,"]
        {
            assert!(Dsn::shown(text).is_err(), "{text}");
        }
        assert_eq!(Dsn::shown("host=a,b port=1,2 dbname=x").unwrap(), "a:1,b:2/x");
    }

    #[test]
    fn a_service_gives_what_the_string_does_not_say_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services");
        std::fs::write(&path, "[shop]\nhost=db1\nport=6000\ndbname=orders\nuser=app\n").unwrap();
        let environment = [("PGSERVICEFILE", &path)].into_iter().collect();
        let files = Files::of(&environment);
        for text in ["service=shop port=7000", "postgres://?service=shop&port=7000"] {
            let dsn = Dsn::parse(text, &files).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((dsn.target.as_str(), dsn.config.get_user()), ("db1:7000/orders", Some("app")));
        }
        assert_eq!(Dsn::shown("service=shop").unwrap(), "service shop/postgres");
        let error = Dsn::parse("service=other", &files).err().unwrap().to_string();
        assert!(error.contains("no service `other` in") && error.contains("services"), "{error}");
    }

    #[test]
    fn a_question_mark_in_a_password_and_escapes_are_read_as_they_are_meant() {
        let dsn = Dsn::parse("postgres://app:a?b@db/x?sslmode=disable", &Files::default())
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(dsn.config.get_password(), Some(&b"a?b"[..]));
        assert!(dsn.tls.is_none());
        let dsn =
            Dsn::parse(r"host=/run/pg password='it\'s a \\' sslmode=disable dbname=x", &Files::default());
        let dsn = dsn.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(dsn.config.get_password(), Some(&b"it's a \\"[..]));
        assert_eq!(dsn.target, "/run/pg:5432/x");
    }
}
