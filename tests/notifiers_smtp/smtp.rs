//! `smtp` against a real mail server, on good days and bad ones.

use crate::channel::{channel, notifier, outgoing, text};
use crate::peer::{MailServer, PASSWORD, USERNAME};
use lifeboat::core::words::notification::{Again, Intent, Receipt, Undelivered};
use lifeboat::kinds::channel::{Notifier, Outgoing};
use lifeboat::plan::params::Param;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PATIENT: Duration = Duration::from_secs(30);
/// Longer than the server takes to get to any stage, also on a busy machine.
const SHORT: Duration = Duration::from_secs(3);

/// The keys of a channel to a server that trusts its authority and logs in.
fn keys(server: &MailServer) -> Vec<(&'static str, Param)> {
    vec![
        ("host", text("localhost")),
        ("port", Param::Integer(server.port.into())),
        (
            "from",
            text(
                "Lifeboat, of ARKA <lifeboat@example.com>"
                    .replace("Lifeboat, of ARKA", "\"Lifeboat, of ARKA\""),
            ),
        ),
        ("tls_roots", text(server.roots().to_string_lossy())),
        ("username", text(USERNAME)),
        ("password", Param::Secret(serde_json::from_value(json!({"secret": "smtp-password"})).unwrap())),
    ]
}

fn with(mut keys: Vec<(&'static str, Param)>, key: &'static str, value: &str) -> Vec<(&'static str, Param)> {
    keys.retain(|(known, _)| *known != key);
    keys.push((key, text(value)));
    keys
}

fn without(mut keys: Vec<(&'static str, Param)>, key: &str) -> Vec<(&'static str, Param)> {
    keys.retain(|(known, _)| *known != key);
    keys
}

fn mailer(keys: &[(&str, Param)], timeout: Duration) -> Box<dyn Notifier> {
    notifier(&channel("smtp", timeout, keys), &[("LIFEBOAT_SECRET_SMTP_PASSWORD", PASSWORD)])
}

fn page() -> Outgoing {
    outgoing(Some("ana@example.org"))
}

async fn send(server: &MailServer, timeout: Duration) -> Result<Receipt, Undelivered> {
    mailer(&keys(server), timeout).send(&page()).await
}

fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let headers = mail["headers"].as_array().unwrap();
    headers.iter().find(|header| header[0] == name).and_then(|header| header[1].as_str())
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_meant_and_the_next_one_belongs_to_it() {
    let server = MailServer::good();
    let mailer = mailer(&with(keys(&server), "reply_to", "ops@example.com"), PATIENT);
    let receipt = mailer.send(&page()).await.unwrap();
    let (mail, commands) = server.mail();
    assert_eq!(mail["defects"], json!([]));
    assert_eq!(mail["sender"], "lifeboat@example.com");
    assert_eq!(mail["recipients"], json!(["ana@example.org"]));
    assert_eq!(header(&mail, "Subject"), Some("[P0] ARKA: Störung in us-east-1"));
    assert_eq!(header(&mail, "From"), Some("\"Lifeboat, of ARKA\" <lifeboat@example.com>"));
    assert_eq!(header(&mail, "To"), Some("\"Ana Žižka, on call\" <ana@example.org>"));
    assert_eq!(header(&mail, "Reply-To"), Some("ops@example.com"));
    assert_eq!(header(&mail, "Auto-Submitted"), Some("auto-generated"));
    assert_eq!(header(&mail, "X-Priority"), Some("1"));
    assert_eq!(mail["date"], "2026-11-28T13:00:05+00:00");
    assert_eq!(mail["type"], "text/plain; utf-8");
    let body = mail["body"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(body, "Region down.\n.\n..dots stay\nŁódź größer than ever.\nJournal #7 lusab-babad\n");
    assert_eq!(header(&mail, "Message-ID"), Some(&*receipt.thread));
    assert_eq!(header(&mail, "In-Reply-To"), None);
    assert_eq!(receipt.id, "4F3KQ1");
    assert_eq!(receipt.answer, "250 2.0.0 Ok: queued as 4F3KQ1");

    let login = commands.iter().find(|told| told["command"] == "AUTH").unwrap();
    assert_eq!(login["encrypted"], true);

    let key = "arka/inc-1/n2".to_owned();
    let next = Outgoing { key, thread: Some(receipt.thread.clone()), intent: Intent::Inform, ..page() };
    let second = mailer.send(&next).await.unwrap();
    let (mail, _) = server.mail();
    assert_eq!(second.thread, receipt.thread);
    assert_ne!(header(&mail, "Message-ID"), Some(&*receipt.thread));
    assert_eq!(header(&mail, "In-Reply-To"), Some(&*receipt.thread));
    assert_eq!(header(&mail, "References"), Some(&*receipt.thread));
    assert_eq!(header(&mail, "X-Priority"), None);
}

#[tokio::test]
async fn a_hostile_subject_and_name_stay_in_their_headers() {
    let server = MailServer::good();
    let mut hostile = page();
    hostile.message.subject = "Down\r\nBcc: eve@example.org\r\n\r\nnot the body".into();
    hostile.message.body = "One.\r\n.\r\nMAIL FROM:<eve@example.org>\r\n\u{1b}[31mred".into();
    hostile.recipient = "Ana\" <eve@example.org>\r\nBcc: eve@example.org".into();
    mailer(&keys(&server), PATIENT).send(&hostile).await.unwrap();
    let (mail, commands) = server.mail();
    assert_eq!(mail["recipients"], json!(["ana@example.org"]));
    assert_eq!(header(&mail, "Bcc"), None, "{mail}");
    assert_eq!(commands.iter().filter(|told| told["command"] == "MAIL").count(), 1);
    let body = mail["body"].as_str().unwrap().replace("\r\n", "\n");
    assert!(body.starts_with("One.\n.\nMAIL FROM:<eve@example.org>\n\u{fffd}[31mred\n"), "{body:?}");
}

#[tokio::test]
async fn tls_from_the_first_byte_and_a_look_without_a_mail() {
    let server = MailServer::start(json!({"tls": "tls", "login": [USERNAME, PASSWORD]}));
    let mailer = mailer(&with(keys(&server), "tls", "tls"), PATIENT);
    let seen = mailer.check().await.unwrap().unwrap();
    assert_eq!(seen, format!("localhost:{} answers, logged in as {USERNAME}", server.port));
    mailer.send(&page()).await.unwrap();
    let (_, commands) = server.mail();
    let names: Vec<&str> = commands.iter().filter_map(|told| told["command"].as_str()).collect();
    assert_eq!(names, ["EHLO", "AUTH", "QUIT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]);
}

#[tokio::test]
async fn a_server_that_wants_a_full_host_name_gets_the_one_of_the_plan_and_its_refusal_names_the_key() {
    let server = MailServer::start(json!({"tls": "starttls", "login": [USERNAME, PASSWORD], "full": true}));
    let refused = mailer(&with(keys(&server), "hello", "bastion"), PATIENT).send(&page()).await.unwrap_err();
    assert_eq!(refused.again, Again::Never, "{refused:?}");
    assert!(refused.why.contains("need fully-qualified hostname"), "{refused:?}");
    assert!(refused.next.contains("`hello`"), "{refused:?}");
    mailer(&with(keys(&server), "hello", "bastion.example.com"), PATIENT).send(&page()).await.unwrap();
    let (_, commands) = server.mail();
    let named = |told: &&Value| told["command"] == "EHLO" && told["argument"] == "bastion.example.com";
    // Before TLS, and within.
    assert_eq!(commands.iter().filter(named).count(), 2, "{commands:?}");
}

#[tokio::test]
async fn what_the_server_says_decides_whether_it_is_tried_again() {
    let cases = [
        ("RCPT", "550 5.1.1 ana: no such user", Again::Never, "the recipient: 550 5.1.1 ana: no such user"),
        ("RCPT", "450 4.7.1 Greylisted, come back", Again::After(None), "450 4.7.1 Greylisted"),
        ("MAIL", "553 5.7.1 not your address", Again::Never, "the sender: 553"),
        ("CONTENT", "552 5.3.4 too big", Again::Never, "the message: 552 5.3.4 too big"),
        ("CONTENT", "451 4.3.0 disk full", Again::After(None), "the message: 451"),
        ("DATA", "421 4.3.2 shutting down", Again::After(None), "421"),
        ("CONNECT", "554 5.7.1 your address is blocked", Again::Never, "554 5.7.1 your address is blocked"),
        ("EHLO", "HTTP/1.1 400 Bad Request", Again::Never, "no mail server"),
    ];
    for (stage, answer, again, words) in cases {
        let failure = send(&MailServer::with_trouble(stage, answer), PATIENT).await.unwrap_err();
        assert_eq!(failure.again, again, "{stage} {answer}: {failure:?}");
        assert!(failure.why.contains(words), "{stage} {answer}: {failure:?}");
        assert!(!failure.next.is_empty());
    }
}

#[tokio::test]
async fn greylisting_passes() {
    let settings = json!({"tls": "starttls", "at": {"RCPT": "451 4.7.1 Greylisted"}, "times": 1});
    let server = MailServer::start(settings);
    let mailer = mailer(&without(without(keys(&server), "username"), "password"), PATIENT);
    assert_eq!(mailer.send(&page()).await.unwrap_err().again, Again::After(None));
    mailer.send(&Outgoing { attempt: 2, ..page() }).await.unwrap();
    assert_eq!(server.mail().0["recipients"], json!(["ana@example.org"]));
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_login_are_named() {
    let server = MailServer::start(json!({"tls": "starttls", "login": [USERNAME, "another one"]}));
    let mailer_with_login = mailer(&keys(&server), PATIENT);
    for failure in
        [mailer_with_login.send(&page()).await.unwrap_err(), mailer_with_login.check().await.unwrap_err()]
    {
        assert_eq!(failure.again, Again::Never, "{failure:?}");
        assert!(failure.why.contains("refused the login: 535"), "{failure:?}");
        assert!(failure.next.contains("password"), "{failure:?}");
        assert!(!format!("{failure:?}").contains(PASSWORD));
    }
    let bare = mailer(&without(without(keys(&server), "username"), "password"), PATIENT);
    let failure = bare.send(&page()).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.contains("530") && failure.next.contains("`username`"), "{failure:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_it_open_only_after_the_text() {
    for (stage, again) in [
        ("CONNECT", Again::After(None)),
        ("EHLO", Again::After(None)),
        ("STARTTLS", Again::After(None)),
        ("AUTH", Again::After(None)),
        ("RCPT", Again::After(None)),
        ("DATA", Again::After(None)),
        ("CONTENT", Again::Maybe),
    ] {
        let failure = send(&MailServer::with_trouble(stage, "drop"), PATIENT).await.unwrap_err();
        assert_eq!(failure.again, again, "{stage}: {failure:?}");
        assert!(failure.why.contains("ended the connection"), "{stage}: {failure:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_does_not_hold_lifeboat() {
    let hang = async |stage: &str, again: Again| {
        let server = MailServer::with_trouble(stage, "hang");
        let began = Instant::now();
        let failure = send(&server, SHORT).await.unwrap_err();
        assert_eq!(failure.again, again, "{stage}: {failure:?}");
        assert!(failure.why.contains("gave no answer"), "{stage}: {failure:?}");
        let took = began.elapsed();
        assert!(took >= SHORT && took < SHORT + Duration::from_secs(20), "{stage}: {took:?}");
    };
    let later = Again::After(None);
    futures::join!(
        hang("CONNECT", later),
        hang("EHLO", later),
        hang("STARTTLS", later),
        hang("AUTH", later),
        hang("MAIL", later),
        hang("RCPT", later),
        hang("DATA", later),
        hang("CONTENT", Again::Maybe),
    );
}

#[tokio::test]
async fn a_server_that_never_answers_the_handshake_does_not_either() {
    let server = MailServer::good();
    // Connections are made and nobody takes them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut keys = with(without(keys(&server), "port"), "tls", "tls");
    keys.push(("port", Param::Integer(silent.local_addr().unwrap().port().into())));
    let failure = mailer(&keys, Duration::from_millis(500)).send(&page()).await.unwrap_err();
    assert_eq!(failure.again, Again::After(None));
    assert!(failure.why.contains("gave no answer to TLS within"), "{failure:?}");
}

#[tokio::test]
async fn a_good_bye_that_does_not_come_takes_nothing_away() {
    let server = MailServer::with_trouble("QUIT", "hang");
    let began = Instant::now();
    send(&server, PATIENT).await.unwrap();
    assert!(began.elapsed() < PATIENT / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_tls_nothing_is_said() {
    // No STARTTLS is offered.
    let plain = MailServer::start(json!({"tls": "none", "login": [USERNAME, PASSWORD]}));
    let failure = send(&plain, PATIENT).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.contains("offers no STARTTLS; nothing was sent in clear text"), "{failure:?}");
    // It is refused.
    let refusing = MailServer::with_trouble("STARTTLS", "502 not today");
    assert_eq!(send(&refusing, PATIENT).await.unwrap_err().again, Again::Never);
    // Somebody between adds answers of their own, for use after TLS.
    let between = MailServer::with_trouble("STARTTLS", "220 Go\r\n250-mail.test\r\n250 AUTH PLAIN");
    let failure = send(&between, PATIENT).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.contains("somebody put text between"), "{failure:?}");
    // The certificate is of nobody that is trusted, or for another name.
    let server = MailServer::good();
    let untrusting = mailer(&without(keys(&server), "tls_roots"), PATIENT);
    let failure = untrusting.send(&page()).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.starts_with("no TLS with localhost"), "{failure:?}");
    let failure = mailer(&with(keys(&server), "host", "127.0.0.1"), PATIENT).send(&page()).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    // TLS where the server speaks none at first, and the other way round.
    let failure = mailer(&with(keys(&server), "tls", "tls"), PATIENT).send(&page()).await.unwrap_err();
    assert_eq!(failure.again, Again::Never, "{failure:?}");
    for told in [plain.told(), refusing.told(), between.told(), server.told()].concat() {
        assert!(
            told["command"] == "EHLO" || told["command"] == "STARTTLS" || told["command"] == "QUIT",
            "{told}"
        );
    }
}

#[tokio::test]
async fn clear_text_is_said_loudly() {
    let server = MailServer::start(json!({"tls": "none"}));
    let bare = without(without(with(keys(&server), "tls", "none"), "username"), "password");
    let mailer = mailer(&bare, PATIENT);
    let receipt = mailer.send(&page()).await.unwrap();
    assert!(receipt.answer.ends_with("IN CLEAR TEXT, without TLS"), "{receipt:?}");
    assert!(mailer.check().await.unwrap().unwrap().ends_with("IN CLEAR TEXT, without TLS"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let server = MailServer::good();
    let mut keys = without(keys(&server), "port");
    keys.push(("port", Param::Integer(crate::port::free().into())));
    let refused = mailer(&keys, PATIENT).send(&page()).await.unwrap_err();
    assert_eq!(refused.again, Again::After(None));
    assert!(refused.why.contains("cannot be reached"), "{refused:?}");
    let nowhere = mailer(&with(keys, "host", "mail.invalid"), PATIENT).send(&page()).await.unwrap_err();
    assert_eq!(nowhere.again, Again::After(None));
}

#[tokio::test]
async fn a_mail_that_is_too_big_and_addresses_beyond_ascii() {
    let small = MailServer::start(json!({"tls": "starttls", "login": [USERNAME, PASSWORD], "limit": 2000}));
    let mut long = page();
    long.message.body = "A line of text.\n".repeat(1000);
    let failure = mailer(&keys(&small), PATIENT).send(&long).await.unwrap_err();
    assert_eq!(failure.again, Again::Never);
    assert!(failure.why.contains("552") && failure.next.contains("shorter"), "{failure:?}");
    let server = MailServer::good();
    let abroad = outgoing(Some("žofie@příklad.example"));
    mailer(&keys(&server), PATIENT).send(&abroad).await.unwrap();
    assert_eq!(server.mail().0["recipients"], json!(["žofie@příklad.example"]));
}
