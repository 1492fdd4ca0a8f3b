//! The PostgreSQL client against a real server (Debian's `postgresql`), with TLS, over its whole life: sessions that are
//! ended, statements that hang, a stop and a new start. Without the server's programs these tests fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lifeboat::clients::{Environment, Postgres};
use lifeboat::clients::postgres::PostgresErrorKind;
use lifeboat::secrets::{Redactor, Secret};
use rcgen::{CertificateParams, KeyPair};

const LONG: Duration = Duration::from_secs(30);

/// A server in a folder of its own, stopped when dropped. PostgreSQL refuses to run as root: then it runs as `nobody`.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
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
