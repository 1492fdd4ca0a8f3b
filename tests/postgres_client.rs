//! The PostgreSQL client against a real server (Debian's `postgresql`), with TLS, over its whole life: sessions that are
//! ended, statements that hang, a stop and a new start. Without the server's programs these tests fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/port.rs"]
mod port;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lifeboat::base::environment::Environment;
use lifeboat::providers::postgres::client::{Postgres, PostgresErrorKind};
use lifeboat::secrets::{Redactor, Secret};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const LONG: Duration = Duration::from_secs(30);

/// A server in a folder of its own, stopped when dropped. PostgreSQL refuses to run as root: then it runs as `nobody`.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = port::free();
        let server = Self { folder, port };
        let data = server.data();
        std::fs::write(server.folder.path().join("password"), "hunter22").unwrap();
        let mut chown = Command::new("chown");
        if rustix::process::geteuid().is_root() {
            assert!(chown.args(["-R", "nobody"]).arg(server.folder.path()).status().unwrap().success());
        }
        server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "app",
                "-A",
                "scram-sha-256",
                "--no-sync",
                "--pwfile",
                &server.path("password"),
            ],
        );
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(server.path("data/server.crt"), certificate.pem()).unwrap();
        // Written as the server's user, so that mode and owner are what it wants.
        let script = format!(
            "umask 077; printf '%s' '{}' > '{}'",
            key.serialize_pem(),
            server.path("data/server.key")
        );
        assert!(server.as_server_user("sh").args(["-c", &script]).status().unwrap().success());
        let settings = format!(
            "port = {}\nlisten_addresses = 'localhost'\nunix_socket_directories = '{}'\nssl = on\nfsync = off\n",
            server.port,
            server.folder.path().display()
        );
        std::fs::write(server.path("data/postgresql.auto.conf"), settings).unwrap();
        server.control("start");
        server
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn data(&self) -> String {
        self.path("data")
    }

    fn as_server_user(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "nobody", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.as_server_user(programs().join(program)).args(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {}{errors}", String::from_utf8_lossy(&output.stdout));
    }

    fn control(&self, what: &str) {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "-m", "fast", "-l", &self.path("log"), what]);
    }

    fn dsn(&self, rest: &str) -> Secret {
        let Self { port, .. } = self;
        Secret::from_plan(&format!(
            "postgres://app:hunter22@localhost:{port}/postgres?connect_timeout=5{rest}"
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be stopped already.
        let _ = self
            .as_server_user(programs().join("pg_ctl"))
            .args(["-D", &self.data(), "-w", "-m", "immediate", "stop"])
            .output();
    }
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("install Debian's postgresql");
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    folders.retain(|folder| Path::new(folder).join("initdb").exists());
    folders.sort();
    folders.pop().expect("install Debian's postgresql")
}

async fn backend(postgres: &Postgres, dsn: &Secret) -> i32 {
    let rows = postgres.query(dsn, "select pg_backend_pid()", &[], LONG).await.unwrap();
    rows[0].get(0)
}

#[tokio::test]
async fn a_session_is_kept_and_made_anew_over_a_servers_life() {
    let server = Server::start();
    let postgres = Postgres::new(Redactor::new(), &Environment::default());
    let dsn = server.dsn("&sslmode=prefer");

    let first = backend(&postgres, &dsn).await;
    assert_eq!(backend(&postgres, &dsn).await, first, "the connection was not kept");
    let session =
        "select application_name, ssl from pg_stat_activity join pg_stat_ssl using (pid) where pid = $1";
    let rows = postgres.query(&dsn, session, &[&first], LONG).await.unwrap();
    assert_eq!((rows[0].get("application_name"), rows[0].get("ssl")), ("lifeboat", true));

    let hangs =
        postgres.query(&dsn, "select pg_sleep(600)", &[], Duration::from_millis(500)).await.unwrap_err();
    assert_eq!(hangs.kind, PostgresErrorKind::Timeout, "{hangs}");
    let second = backend(&postgres, &dsn).await;
    assert_ne!(second, first);
    let sleeping =
        "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'";
    let limit = Instant::now() + LONG;
    while postgres.query(&dsn, sleeping, &[], LONG).await.unwrap()[0].get::<_, i64>(0) > 0 {
        assert!(Instant::now() < limit, "the statement was not cancelled on the server");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let other = server.dsn("&application_name=other");
    postgres.query(&other, "select pg_terminate_backend($1)", &[&second], LONG).await.unwrap();
    let limit = Instant::now() + LONG;
    let third = loop {
        match postgres.query(&dsn, "select pg_backend_pid()", &[], LONG).await {
            Ok(rows) if rows[0].get::<_, i32>(0) != second => break rows[0].get::<_, i32>(0),
            Ok(_) => {}
            Err(error) => assert!(
                matches!(error.kind, PostgresErrorKind::ShuttingDown | PostgresErrorKind::Closed),
                "{error}"
            ),
        }
        assert!(Instant::now() < limit, "no new session");
    };

    let read_only = "begin read only; create table t(); commit";
    let refused = postgres.batch(&dsn, read_only, LONG).await.unwrap_err();
    assert_eq!((refused.kind, refused.sqlstate.as_deref()), (PostgresErrorKind::ReadOnly, Some("25006")));
    postgres.batch(&dsn, "rollback", LONG).await.unwrap();
    assert_eq!(backend(&postgres, &dsn).await, third, "a refused statement does not end the session");

    server.control("stop");
    let stopped = postgres.query(&dsn, "select 1", &[], LONG).await.unwrap_err();
    let gone = [PostgresErrorKind::Refused, PostgresErrorKind::Closed, PostgresErrorKind::ShuttingDown];
    assert!(gone.contains(&stopped.kind), "{stopped}");
    let refused = postgres.query(&dsn, "select 1", &[], LONG).await.unwrap_err();
    assert_eq!(refused.kind, PostgresErrorKind::Refused, "{refused}");
    server.control("start");
    backend(&postgres, &dsn).await;
}

#[tokio::test]
async fn certificates_passwords_and_names_are_checked() {
    let server = Server::start();
    let postgres = Postgres::new(Redactor::new(), &Environment::default());
    let root = format!("&sslmode=verify-full&sslrootcert={}", server.path("data/server.crt"));
    backend(&postgres, &server.dsn(&root)).await;
    let failure = async |dsn: Secret| postgres.query(&dsn, "select 1", &[], LONG).await.unwrap_err();
    let untrusted = failure(server.dsn("&sslmode=verify-full")).await;
    assert_eq!(untrusted.kind, PostgresErrorKind::Tls, "{untrusted}");
    let port = server.port;
    let wrong =
        failure(Secret::from_plan(&format!("host=localhost port={port} user=app password=wrong-one"))).await;
    assert_eq!(wrong.kind, PostgresErrorKind::Authentication, "{wrong}");
    assert!(!wrong.to_string().contains("wrong-one"));
    let none = failure(Secret::from_plan(&format!("host=localhost port={port} user=app"))).await;
    assert_eq!(none.kind, PostgresErrorKind::Authentication, "{none}");
    let nameless = format!("host=localhost port={port} user=app password=hunter22 dbname=nowhere");
    assert_eq!(failure(Secret::from_plan(&nameless)).await.kind, PostgresErrorKind::NoSuchDatabase);
}

/// A server that wants a certificate of each client, and the certificate of user `app` and its key.
fn wants_certificates(server: &Server) -> (String, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "app");
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(server.path("authority.crt"), authority_pem).unwrap();
    std::fs::write(server.path("app.crt"), certificate.pem()).unwrap();
    std::fs::write(server.path("app.key"), key.serialize_pem()).unwrap();
    let rule = "local all all trust\nhostssl all all all cert clientcert=verify-full\n";
    std::fs::write(server.path("data/pg_hba.conf"), rule).unwrap();
    let settings = std::fs::read_to_string(server.path("data/postgresql.auto.conf")).unwrap();
    let settings = format!("{settings}ssl_ca_file = '{}'\n", server.path("authority.crt"));
    std::fs::write(server.path("data/postgresql.auto.conf"), settings).unwrap();
    server.control("restart");
    (server.path("app.crt"), server.path("app.key"))
}

#[tokio::test]
async fn a_server_that_asks_for_a_client_certificate_gets_it() {
    let server = Server::start();
    let (certificate, key) = wants_certificates(&server);
    let postgres = Postgres::new(Redactor::new(), &Environment::default());
    let dsn = |rest: &str| {
        Secret::from_plan(&format!("host=localhost port={} user=app dbname=postgres {rest}", server.port))
    };
    let root = server.path("data/server.crt");
    backend(
        &postgres,
        &dsn(&format!("sslmode=verify-full sslrootcert={root} sslcert={certificate} sslkey={key}")),
    )
    .await;
    backend(&postgres, &dsn(&format!("sslmode=require sslcert={certificate} sslkey={key}"))).await;
    // As libpq looks for them beside each other in `~/.postgresql`.
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".postgresql")).unwrap();
    for (from, to) in [(&certificate, "postgresql.crt"), (&key, "postgresql.key")] {
        std::fs::copy(from, home.path().join(".postgresql").join(to)).unwrap();
    }
    let environment: Environment = [("HOME", home.path())].into_iter().collect();
    backend(&Postgres::new(Redactor::new(), &environment), &dsn("sslmode=require")).await;

    let failure = async |rest: &str| postgres.query(&dsn(rest), "select 1", &[], LONG).await.unwrap_err();
    let without = failure("sslmode=require sslcert=/no/such.crt").await;
    assert!(!without.kind.says_down(), "{without}");
    assert!(without.to_string().contains("/no/such.crt is not there"), "{without}");
    let encrypted = server.path("encrypted.key");
    std::fs::write(
        &encrypted,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    let unread = failure(&format!("sslmode=require sslcert={certificate} sslkey={encrypted}")).await;
    assert_eq!(unread.kind, PostgresErrorKind::Configuration, "{unread}");
    assert!(unread.next_step().contains("not encrypted"), "{}", unread.next_step());
}

#[tokio::test]
async fn password_files_services_and_folders_of_sockets_lead_to_a_server() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        use std::os::unix::fs::PermissionsExt;
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let port = server.port;
    let passfile = write("pass", format!("localhost:{port}:*:app:hunter22\n"));
    write(
        ".pg_service.conf",
        format!("[shop]\nhost=localhost\nport={port}\nuser=app\ndbname=postgres\npassfile={passfile}\n"),
    );
    let environment: Environment = [("HOME", home.path())].into_iter().collect();
    let postgres = Postgres::new(Redactor::new(), &environment);
    let socket = server.folder.path().display();
    for dsn in [
        "service=shop".to_owned(),
        format!("host=localhost port={port} user=app dbname=postgres passfile={passfile}"),
        format!("host={socket} port={port} user=app dbname=postgres passfile={passfile} sslmode=require"),
        format!("postgresql:///postgres?host={socket}&port={port}&user=app&passfile={passfile}"),
        format!(
            "host=localhost,localhost port=1,{port} user=app dbname=postgres passfile={passfile} target_session_attrs=primary"
        ),
        format!(
            "host=localhost port={port} user=app dbname=postgres passfile={passfile} target_session_attrs=prefer-standby"
        ),
    ] {
        backend(&postgres, &Secret::from_plan(&dsn)).await;
    }
    let standby = format!(
        "host=localhost port={port} user=app dbname=postgres passfile={passfile} target_session_attrs=standby"
    );
    let wrong = postgres.query(&Secret::from_plan(&standby), "select 1", &[], LONG).await.unwrap_err();
    assert_eq!(wrong.kind, PostgresErrorKind::WrongRole, "{wrong}");
}

/// What `openssl req -x509` makes is the certificate of an authority.
#[tokio::test]
async fn a_self_signed_certificate_of_an_authority_is_its_own_root() {
    let server = Server::start();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let (certificate, key_path) = (server.path("data/server.crt"), server.path("data/server.key"));
    std::fs::write(&certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(key_path, key.serialize_pem()).unwrap();
    server.control("restart");
    let postgres = Postgres::new(Redactor::new(), &Environment::default());
    for mode in ["verify-full", "verify-ca"] {
        backend(&postgres, &server.dsn(&format!("&sslmode={mode}&sslrootcert={certificate}"))).await;
    }
    let port = server.port;
    let elsewhere = format!(
        "host=127.0.0.1 port={port} user=app password=hunter22 sslmode=verify-full sslrootcert={certificate}"
    );
    let wrong = postgres.query(&Secret::from_plan(&elsewhere), "select 1", &[], LONG).await.unwrap_err();
    assert_eq!(wrong.kind, PostgresErrorKind::Tls, "the name counts: {wrong}");
}
