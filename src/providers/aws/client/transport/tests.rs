use super::*;
use crate::base::environment::Environment;
use crate::plan::AwsSettings;
use crate::providers::aws::client::{Aws, AwsError, AwsErrorKind, Caller};
use crate::providers::net::testing::{NamesOfTest, closed_port, deaf, listen};
use aws_credential_types::Credentials;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ana</Arn>\
    <UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// An STS on one address: answers each request on a connection until it ends, and counts connections.
async fn sts(mut socket: TcpStream) {
    let mut request = [0; 8192];
    while socket.read(&mut request).await.is_ok_and(|read| read > 0) {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{ANSWER}",
            ANSWER.len()
        );
        if socket.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A plan whose AWS answers at `sts.example.com:port`, with credentials of a session that is open.
struct Kit {
    names: NamesOfTest,
    aws: Aws,
    _home: tempfile::TempDir,
}

fn kit(port: u16, addresses: &str) -> Kit {
    let home = tempfile::tempdir().unwrap();
    let environment: Environment = [("HOME", home.path())].into_iter().collect();
    let settings = AwsSettings {
        endpoint: Some(format!("http://sts.example.com:{port}")),
        mfa_serial: Some("device".into()),
        deadline: SignedDuration::from_secs(8),
        ..AwsSettings::default()
    };
    let credentials = Credentials::new("id", "hunter22", Some("token".into()), None, "test");
    let expires = Timestamp::now() + SignedDuration::from_hours(1);
    super::super::session::SessionFile::new(&settings, &environment).keep(&credentials, expires).unwrap();
    let names = NamesOfTest::default();
    names.answer("sts.example.com", Ok(addresses));
    let aws = Aws::new(settings, "ana", environment).with_names(names.directory());
    Kit { names, aws, _home: home }
}

impl Kit {
    async fn read(&self) -> Result<Caller, AwsError> {
        self.aws.place("us-west-2").unwrap().reader().await.caller_here().await
    }

    /// As what changes something is sent: once.
    async fn change(&self) -> Result<Caller, AwsError> {
        self.aws.place("us-west-2").unwrap().writer().await.caller_here().await
    }
}

#[tokio::test]
async fn a_silent_first_address_leaves_time_for_the_next_also_for_what_is_sent_once() {
    let port = listen(sts).await;
    let _deaf = deaf(format!("127.0.0.9:{port}").parse().unwrap()).await;
    let kit = kit(port, "127.0.0.9, 127.0.0.1");
    let begun = Instant::now();
    assert_eq!(kit.change().await.unwrap().account, "123456789012");
    assert!(begun.elapsed() < CONNECT, "{:?}", begun.elapsed());
    // The silent one is not waited for again.
    let begun = Instant::now();
    kit.read().await.unwrap();
    assert!(begun.elapsed() < CONNECT / 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_address_that_refuses_costs_no_time() {
    let port = listen(sts).await;
    let kit = kit(port, "127.0.0.9, 127.0.0.8, 127.0.0.7, 127.0.0.1");
    let begun = Instant::now();
    assert_eq!(kit.change().await.unwrap().account, "123456789012");
    assert!(begun.elapsed() < CONNECT / 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn addresses_that_are_all_silent_end_in_time_and_nothing_was_sent() {
    let port = closed_port();
    let one = deaf(format!("127.0.0.9:{port}").parse().unwrap()).await;
    let two = deaf(format!("127.0.0.8:{port}").parse().unwrap()).await;
    let begun = Instant::now();
    let error = kit(port, "127.0.0.9, 127.0.0.8").change().await.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::Unreachable, "{error}");
    assert!(!error.may_have_acted());
    assert!(begun.elapsed() < 2 * CONNECT, "they share the time: {:?}", begun.elapsed());
    drop((one, two));
}

#[tokio::test]
async fn a_kept_connection_follows_its_name() {
    let port = listen(sts).await;
    let moved = TcpListener::bind(format!("127.0.0.9:{port}")).await.unwrap();
    let moved = tokio::spawn(async move { sts(moved.accept().await.unwrap().0).await });
    let kit = kit(port, "127.0.0.1");
    kit.read().await.unwrap();
    kit.names.answer("sts.example.com", Ok("127.0.0.9"));
    kit.read().await.unwrap();
    drop(kit);
    // The new server was asked, though the old one is still there.
    moved.await.unwrap();
}

#[tokio::test]
async fn a_connection_is_kept_while_its_name_stays_and_while_no_name_server_answers() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counting = connections.clone();
    let port = listen(move |socket| {
        counting.fetch_add(1, Ordering::SeqCst);
        sts(socket)
    })
    .await;
    let kit = kit(port, "127.0.0.1, 127.0.0.9");
    kit.read().await.unwrap();
    // A name server that turns the order round changes nothing.
    kit.names.answer("sts.example.com", Ok("127.0.0.9, 127.0.0.1"));
    kit.read().await.unwrap();
    kit.names.answer("sts.example.com", Err("Temporary failure in name resolution"));
    kit.read().await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_without_an_address_says_whose_fault_it_is() {
    let kit = kit(closed_port(), "127.0.0.1");
    for (words, next) in
        [("Temporary failure in name resolution", "name servers"), ("Name or service not known", "getent")]
    {
        kit.names.answer("sts.example.com", Err(words));
        let error = kit.change().await.unwrap_err();
        assert_eq!(error.kind, AwsErrorKind::Unreachable, "{error}");
        assert!(error.message.contains("sts.example.com"), "{error}");
        assert!(error.next_step().contains(next), "{}", error.next_step());
    }
}

#[tokio::test]
async fn what_was_sent_is_sent_to_nobody_else_and_leaves_no_connection() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counting = connections.clone();
    // The first connection takes a request and says nothing; those after it answer.
    let port = listen(move |mut socket| {
        let first = counting.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            match first {
                true => drop(tokio::io::copy(&mut socket, &mut tokio::io::sink()).await),
                false => sts(socket).await,
            }
        }
    })
    .await;
    let other = TcpListener::bind(format!("127.0.0.9:{port}")).await.unwrap();
    let kit = kit(port, "127.0.0.1, 127.0.0.9");
    let place = kit.aws.place("us-west-2").unwrap().writer().await;
    let call = crate::providers::aws::client::Call::new("sts:GetCallerIdentity", "us-west-2");
    let sent = place.sts().get_caller_identity().send();
    let error = place.call_within(&call, Duration::from_millis(700), sent).await.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::Timeout, "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    kit.change().await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    let nobody = timeout(Duration::from_millis(100), other.accept()).await;
    assert!(nobody.is_err(), "the request went to a second server");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_no_missing_connection() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = asked.clone();
    let port = listen(move |mut socket| {
        counting.fetch_add(1, Ordering::SeqCst);
        async move {
            let _ = socket.read(&mut [0; 8192]).await;
            // A server's own words say nothing of what was sent.
            let _ = socket.write_all(b"client error (Connect)\r\n\r\n").await;
        }
    })
    .await;
    let kit = kit(port, "127.0.0.1, 127.0.0.1, 127.0.0.9");
    let error = kit.change().await.unwrap_err();
    assert!(error.may_have_acted(), "{error:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn many_addresses_take_no_more_time_than_one() {
    let addresses: Vec<IpAddr> =
        (1..=20).map(|number| format!("192.0.2.{number}").parse().unwrap()).collect();
    let patience = |count: usize, within| -> Vec<Duration> {
        ways(&addresses[..count], within, None).map(|way| way.patience).collect()
    };
    assert_eq!(patience(1, CONNECT), [CONNECT]);
    assert_eq!(patience(2, CONNECT), [CONNECT / 2; 2]);
    assert_eq!(patience(20, CONNECT), [LEAST_PATIENCE; 6]);
    // What the SDK allows for the metadata of an instance.
    assert_eq!(patience(1, Duration::from_millis(200)), [Duration::from_millis(200)]);
    let both: Vec<IpAddr> = vec!["2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap()];
    let beside: Vec<_> = ways(&both, CONNECT, None).map(|way| way.addresses).collect();
    assert_eq!(beside, [both.clone(), both[1..].to_vec()]);
}
