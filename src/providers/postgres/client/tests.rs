use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::providers::net::names::{Directory, Names};
use crate::providers::net::testing::{Authority, NamesOfTest, closed_port, listen, listen_in_silence};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const LONG: Duration = Duration::from_secs(20);

fn dsn(port: u16, rest: &str) -> Secret {
    Secret::from_plan(&format!("host=localhost port={port} user=app dbname=x password=hunter22 {rest}"))
}

fn postgres() -> Postgres {
    Postgres::new(Redactor::new(), &Environment::default())
}

async fn failure(dsn: &Secret, deadline: Duration) -> PostgresError {
    let error = postgres().query(dsn, "select 1", &[], deadline).await;
    let error = error.expect_err("an answer came");
    assert!(!format!("{error} {} {error:?}", error.next_step()).contains("hunter22"));
    assert!(!error.next_step().is_empty());
    error
}

/// A message of the PostgreSQL protocol: type, length, content.
fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 4).unwrap().to_be_bytes();
    [&[kind][..], &length, content].concat()
}

/// Answers the start of a session with an error.
async fn refuse(mut socket: TcpStream, code: &str, text: &str) {
    let _ = socket.read(&mut [0; 1024]).await;
    let answer = message(b'E', format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0").as_bytes());
    let _ = socket.write_all(&answer).await;
}

/// Lets anybody in, then reads and never answers a statement.
async fn accept_and_hang(mut socket: TcpStream) {
    let _ = socket.read(&mut [0; 1024]).await;
    let welcome =
        [message(b'R', &[0; 4]), message(b'K', &[0, 0, 0, 1, 0, 0, 0, 2]), message(b'Z', b"I")].concat();
    let _ = socket.write_all(&welcome).await;
    let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_meets_the_deadline() {
    let port = listen_in_silence().await;
    for rest in ["sslmode=disable", "sslmode=prefer", "sslmode=verify-full"] {
        let error = failure(&dsn(port, rest), Duration::from_secs(1)).await;
        assert_eq!(error.kind, PostgresErrorKind::Timeout, "{error}");
        // What of the deadline is left for the address: roots were read and the name was looked up before.
        let (words, place) = (error.to_string(), format!("(PostgreSQL at localhost:{port}/x)"));
        assert!(words.starts_with("connecting: no answer within ") && words.ends_with(&place), "{error}");
    }
}

/// Announces two gigabytes as the answer to the start of a session, or to its first statement, and begins to send them.
async fn announce(mut socket: TcpStream, lets_in: bool, rest: &str) {
    if rest == "sslmode=prefer" {
        let _ = socket.read(&mut [0; 1024]).await;
        let _ = socket.write_all(b"N").await;
    }
    let _ = socket.read(&mut [0; 1024]).await;
    if lets_in {
        let welcome = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
        let _ = socket.write_all(&welcome).await;
        let _ = socket.read(&mut [0; 1024]).await;
    }
    let _ = socket.write_all(&[b'D', 0x7f, 0xff, 0xff, 0xff]).await;
    while socket.write_all(&[0; 65_536]).await.is_ok() {}
}

#[tokio::test]
async fn a_message_of_two_gibibytes_is_refused_by_its_announcement() {
    for lets_in in [false, true] {
        for rest in ["sslmode=disable", "sslmode=prefer"] {
            let port = listen(move |socket| announce(socket, lets_in, rest)).await;
            let begun = Instant::now();
            let error = failure(&dsn(port, rest), LONG).await;
            assert!(error.to_string().starts_with("the server announced a message of 2 GiB ("), "{error}");
            assert!(begun.elapsed() < LONG / 2 && error.kind == PostgresErrorKind::Protocol, "{error}");
        }
    }
}

/// A server that lets anybody in and answers every statement of the simple protocol.
async fn answer_all(mut socket: TcpStream) {
    let _ = socket.read(&mut [0; 1024]).await;
    let welcome =
        [message(b'R', &[0; 4]), message(b'K', &[0, 0, 0, 1, 0, 0, 0, 2]), message(b'Z', b"I")].concat();
    let done = [message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat();
    let _ = socket.write_all(&welcome).await;
    while let Ok(1..) = socket.read(&mut [0; 1024]).await {
        let _ = socket.write_all(&done).await;
    }
}

/// How often each of two addresses with one port was connected to; both answer, or the first is silent.
async fn two_addresses(first_is_silent: bool) -> (u16, [Arc<AtomicUsize>; 2]) {
    let first = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let second = tokio::net::TcpListener::bind(("127.0.0.3", port)).await.unwrap();
    let sessions = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    for (listener, count, silent) in
        [(first, sessions[0].clone(), first_is_silent), (second, sessions[1].clone(), false)]
    {
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, SeqCst);
                if silent { kept.push(socket) } else { drop(tokio::spawn(answer_all(socket))) }
            }
        });
    }
    (port, sessions)
}

/// A name whose addresses a test sets; none is a name server that does not answer.
#[derive(Clone, Default)]
struct Movable(Arc<Mutex<Option<Vec<std::net::IpAddr>>>>, Arc<AtomicUsize>);

impl Movable {
    fn to(&self, addresses: &[&str]) {
        *self.0.lock().unwrap() = Some(addresses.iter().map(|address| address.parse().unwrap()).collect());
    }
}

impl Names for Movable {
    fn addresses<'a>(
        &'a self,
        _: &'a str,
    ) -> futures::future::BoxFuture<'a, std::io::Result<Vec<std::net::IpAddr>>> {
        self.1.fetch_add(1, SeqCst);
        let now = self.0.lock().unwrap().clone();
        Box::pin(async move {
            match now {
                Some(addresses) => Ok(addresses),
                None => std::future::pending().await,
            }
        })
    }
}

fn named(port: u16) -> Secret {
    Secret::from_plan(&format!("host=db.example port={port} user=app dbname=x sslmode=disable"))
}

#[tokio::test]
async fn a_kept_session_is_given_up_once_its_name_leads_elsewhere() {
    let (port, sessions) = two_addresses(false).await;
    let name = Movable::default();
    name.to(&["127.0.0.2"]);
    let postgres = postgres().with_names(Directory::new(Arc::new(name.clone())));
    let counts = || [sessions[0].load(SeqCst), sessions[1].load(SeqCst)];
    for _ in 0..3 {
        postgres.batch(&named(port), "select 1", LONG).await.unwrap();
    }
    assert_eq!(counts(), [1, 0], "the session is kept while the name stays");
    // More addresses than before are no move.
    name.to(&["127.0.0.3", "127.0.0.2"]);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    postgres.batch(&named(port), "select 1", LONG).await.unwrap();
    assert_eq!(counts(), [1, 0]);
    name.to(&["127.0.0.3"]);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    postgres.batch(&named(port), "select 1", LONG).await.unwrap();
    assert_eq!(counts(), [1, 1], "the very next look is at the server that has the name now");
}

#[tokio::test]
async fn a_name_server_that_is_silent_ends_no_session_and_is_asked_once() {
    let (port, sessions) = two_addresses(false).await;
    let name = Movable::default();
    name.to(&["127.0.0.2"]);
    let postgres = postgres().with_names(Directory::new(Arc::new(name.clone())));
    postgres.batch(&named(port), "select 1", LONG).await.unwrap();
    *name.0.lock().unwrap() = None;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let begun = Instant::now();
        postgres.batch(&named(port), "select 1", Duration::from_millis(800)).await.unwrap();
        assert!(begun.elapsed() < Duration::from_millis(700));
    }
    assert_eq!(sessions[0].load(SeqCst), 1);
    assert_eq!(name.1.load(SeqCst), 2, "one look-up to connect, one that still waits");
}

#[tokio::test]
async fn a_first_address_that_is_silent_does_not_eat_the_time_of_the_second() {
    let (port, sessions) = two_addresses(true).await;
    let name = Movable::default();
    name.to(&["127.0.0.2", "127.0.0.3"]);
    let of_list = format!("host=127.0.0.2,127.0.0.3 port={port} user=app sslmode=disable");
    let url = format!("postgres://app@127.0.0.2:{port},127.0.0.3:{port}/x?sslmode=disable");
    for (count, dsn) in [named(port), Secret::from_plan(&of_list), Secret::from_plan(&url)].iter().enumerate()
    {
        let postgres = postgres().with_names(Directory::new(Arc::new(name.clone())));
        postgres.batch(dsn, "select 1", Duration::from_millis(1200)).await.unwrap();
        assert_eq!(sessions[1].load(SeqCst), count + 1);
    }
    let both_dead =
        Secret::from_plan(&format!("host=127.0.0.2,127.0.0.9 port={port} user=app sslmode=disable"));
    let error = failure(&both_dead, Duration::from_millis(500)).await;
    assert_eq!(error.kind, PostgresErrorKind::Timeout, "one of them may be alive: {error}");
    let text = error.to_string();
    assert!(text.contains(&format!("127.0.0.2:{port}: connecting: no answer")), "{text}");
    assert!(text.contains(&format!("127.0.0.9:{port}: connection refused")), "{text}");
}

/// One call connects into the void; another one, and letting the connection go, must not wait for it.
#[tokio::test]
async fn calls_with_one_connection_string_do_not_wait_for_each_others_connection() {
    let (first, mut connected) = tokio::sync::mpsc::unbounded_channel();
    let seen = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let port = listen(move |mut socket| {
        let is_first = seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let first = first.clone();
        async move {
            if is_first {
                first.send(()).unwrap();
                let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
            } else {
                refuse(socket, "57P03", "the database system is starting up").await;
            }
        }
    })
    .await;
    let postgres = postgres();
    let dsn = dsn(port, "sslmode=disable");
    let patient = tokio::spawn({
        let (postgres, dsn) = (postgres.clone(), dsn.clone());
        async move { postgres.query(&dsn, "select 1", &[], LONG).await.map(|_| ()) }
    });
    connected.recv().await.unwrap();
    let error = postgres.query(&dsn, "select 1", &[], LONG / 2).await.unwrap_err();
    assert_eq!(error.kind, PostgresErrorKind::StartingUp, "{error}");
    postgres.disconnect(&dsn);
    assert!(!patient.is_finished());
    patient.abort();
}

#[tokio::test]
async fn a_statement_without_an_answer_meets_the_deadline_and_ends_the_connection() {
    let (send, mut connections) = tokio::sync::mpsc::unbounded_channel();
    let port = listen(move |socket| {
        send.send(()).unwrap();
        accept_and_hang(socket)
    })
    .await;
    let postgres = postgres();
    let dsn = dsn(port, "sslmode=disable");
    for _ in 0..2 {
        let error = postgres.query(&dsn, "select 1", &[], Duration::from_millis(200)).await.unwrap_err();
        assert_eq!(error.kind, PostgresErrorKind::Timeout, "{error}");
        assert!(error.to_string().contains("running a statement"), "{error}");
    }
    // Two sessions and at least one request to cancel a statement, each a connection of its own.
    for _ in 0..3 {
        tokio::time::timeout(LONG, connections.recv()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_the_server_says_at_the_door_is_told_apart() {
    for (code, text, kind) in [
        ("57P03", "the database system is starting up", PostgresErrorKind::StartingUp),
        ("57P03", "the database system is shutting down", PostgresErrorKind::ShuttingDown),
        ("28P01", "password authentication failed for user \"app\"", PostgresErrorKind::Authentication),
        ("28000", "no pg_hba.conf entry for host", PostgresErrorKind::Authentication),
        ("3D000", "database \"x\" does not exist", PostgresErrorKind::NoSuchDatabase),
        ("53300", "sorry, too many clients already", PostgresErrorKind::TooManyConnections),
        ("XX000", "odd\x1b[31m", PostgresErrorKind::Server),
    ] {
        let port = listen(move |socket| refuse(socket, code, text)).await;
        let error = failure(&dsn(port, "sslmode=disable"), LONG).await;
        assert_eq!((error.kind, error.sqlstate.as_deref()), (kind, Some(code)), "{error}");
        assert!(!error.to_string().contains('\x1b'));
    }
}

#[tokio::test]
async fn a_server_whose_name_is_gone_is_down_and_silent_name_servers_leave_it_open() {
    let names = NamesOfTest::default();
    names.answer("db.example", Err("No address associated with hostname"));
    names.answer("status.example.net", Ok("127.0.0.1"));
    let postgres = postgres().with_names(names.directory());
    let error = async || postgres.query(&named(1), "select 1", &[], LONG).await.unwrap_err();
    let nobody = error().await;
    assert!(nobody.kind == PostgresErrorKind::NoSuchHost && !nobody.kind.says_down(), "{nobody}");
    postgres.connector.names.addresses("status.example.net").await.unwrap();
    let gone = error().await;
    assert!(gone.kind == PostgresErrorKind::NameGone && gone.kind.says_down(), "{gone}");
    assert!(gone.to_string().contains("the name db.example is gone"), "{gone}");
    names.answer("db.example", Err("Temporary failure in name resolution"));
    assert_eq!(error().await.kind, PostgresErrorKind::NoSuchHost);
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let refused = failure(&dsn(closed_port(), ""), LONG).await;
    assert_eq!(refused.kind, PostgresErrorKind::Refused, "{refused}");
    let nameless = Secret::from_plan("postgres://app:hunter22@no-such-host.invalid/x");
    let nameless = failure(&nameless, LONG).await;
    assert_eq!(nameless.kind, PostgresErrorKind::NoSuchHost, "{nameless}");
    let socket = Secret::from_plan("host=/no/such/folder user=app password=hunter22");
    assert_eq!(failure(&socket, LONG).await.kind, PostgresErrorKind::Refused);
    let closes = listen(|mut socket| async move {
        let _ = socket.read(&mut [0; 1024]).await;
    })
    .await;
    let closes = failure(&dsn(closes, "sslmode=disable"), LONG).await;
    assert_eq!(closes.kind, PostgresErrorKind::Closed, "{closes}");
    let garbage = listen(|mut socket| async move {
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
    })
    .await;
    let garbage = failure(&dsn(garbage, "sslmode=disable"), Duration::from_secs(2)).await;
    assert!(matches!(garbage.kind, PostgresErrorKind::Protocol | PostgresErrorKind::Timeout), "{garbage}");
}

/// Takes the request for TLS, then speaks TLS and refuses the session as a starting server does.
async fn tls_server(authority: &Authority, name: &str) -> u16 {
    tls_server_until(authority, name, 2100).await
}

async fn tls_server_until(authority: &Authority, name: &str, year: i32) -> u16 {
    let acceptor = authority.acceptor(name, year);
    listen(move |mut socket| {
        let acceptor = acceptor.clone();
        async move {
            let _ = socket.read_exact(&mut [0; 8]).await;
            let _ = socket.write_all(b"S").await;
            if let Ok(mut tls) = acceptor.accept(socket).await {
                let _ = tls.read(&mut [0; 1024]).await;
                let answer =
                    message(b'E', b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0");
                let _ = tls.write_all(&answer).await;
                let _ = tls.shutdown().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn certificates_are_checked_as_sslmode_says() {
    let authority = Authority::new();
    let roots = authority.roots();
    let right = tls_server(&authority, "localhost").await;
    let wrong = tls_server(&authority, "other.example").await;
    let through = PostgresErrorKind::StartingUp;
    for (port, rest, kind) in [
        (right, "sslmode=prefer".to_owned(), through),
        (right, "sslmode=require".to_owned(), through),
        (right, "sslmode=verify-full".to_owned(), PostgresErrorKind::Tls),
        (right, format!("sslmode=verify-full sslrootcert={}", roots.display()), through),
        (wrong, format!("sslmode=verify-full sslrootcert={}", roots.display()), PostgresErrorKind::Tls),
        (wrong, format!("sslmode=verify-ca sslrootcert={}", roots.display()), through),
        (wrong, format!("sslmode=require sslrootcert={}", roots.display()), through),
        (wrong, "sslmode=verify-ca".to_owned(), PostgresErrorKind::Tls),
        (right, "sslmode=verify-full sslrootcert=/no/such".to_owned(), PostgresErrorKind::Configuration),
    ] {
        let error = failure(&dsn(port, &rest), LONG).await;
        assert_eq!(error.kind, kind, "{rest}: {error}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_good_by_other_servers_clocks_is_this_hosts_fault() {
    let authority = Authority::new();
    let port = tls_server_until(&authority, "localhost", 2021).await;
    let dsn = dsn(port, &format!("sslmode=verify-full sslrootcert={}", authority.roots().display()));
    let clock = OwnClock::default();
    let postgres = postgres().with_clock(clock.clone());
    let error = async || postgres.query(&dsn, "select 1", &[], LONG).await.unwrap_err();
    assert_eq!(error().await.kind, PostgresErrorKind::Tls);
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("date", "Sun, 01 Nov 2020 09:00:00 GMT".parse().unwrap());
    clock.hear("https://api.example.com", &headers);
    let wrong = error().await;
    assert!(wrong.kind == PostgresErrorKind::OwnClock && !wrong.kind.says_down(), "{wrong}");
    assert!(
        wrong.to_string().contains("this host's clock is wrong") && wrong.next_step().contains("timedatectl")
    );
}

#[tokio::test]
async fn a_server_without_tls_is_not_used_where_tls_is_required() {
    let port = listen(|mut socket| async move {
        let _ = socket.read_exact(&mut [0; 8]).await;
        let _ = socket.write_all(b"N").await;
        refuse(socket, "57P03", "the database system is starting up").await;
    })
    .await;
    let error = failure(&dsn(port, "sslmode=require"), LONG).await;
    assert_eq!(error.kind, PostgresErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("does not support TLS"), "{error}");
    assert_eq!(failure(&dsn(port, "sslmode=prefer"), LONG).await.kind, PostgresErrorKind::StartingUp);
}
